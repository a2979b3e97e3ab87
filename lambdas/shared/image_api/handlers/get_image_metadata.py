"""Records: lists, single ones, and forgetting one."""

from __future__ import annotations

from typing import Any

from image_catalogue import settings
from image_catalogue.catalogue import Catalogue
from image_catalogue.errors import ImageNotFound, InvalidRequest
from image_catalogue.filters import FILTERS, check
from image_catalogue.ids import with_prefix
from image_catalogue.items import Item
from image_catalogue.queries import SORTS, list_page
from image_catalogue.values import whole_number

from ..image_ids import candidates, find_record, for_each
from ..request import Request
from ..response import Response, check_match, conditional_json, etag_of, json_response

DEFAULT_LIMIT = 20
MAX_LIMIT = 100
ORDERS = ("asc", "desc")
LIST_PARAMETERS = ("limit", "cursor", "sort", "order", *FILTERS)


def get_record(request: Request) -> Response:
    """One record with its ETag, or 304."""
    request.parameters()
    record = find_record(Catalogue.of_settings(), candidates(request))
    return conditional_json(record, request.headers.get("if-none-match"))


def read_records(request: Request) -> Response:
    """The records of the ids that the body lists; each id has a result of its own, in the order given."""
    request.parameters()
    store = Catalogue.of_settings()
    results = for_each(request, lambda image_id: {"record": find_record(store, [image_id])})
    return json_response({"results": results})


def list_records(request: Request) -> Response:
    """A page of records."""
    page = list_page(Catalogue.of_settings(), **_list_arguments(request.parameters(*LIST_PARAMETERS)))
    answer: dict[str, Any] = {"items": page.items}
    if page.next_cursor is not None:
        answer["next_cursor"] = page.next_cursor
    return json_response(answer)


def forget_record(request: Request) -> Response:
    """Delete the metadata and keep the file; with If-Match only while the record is the one that its ETags name."""
    request.parameters()
    store, image_ids = Catalogue.of_settings(), candidates(request)
    if_match = request.headers.get("if-match")

    def is_named(record: Item) -> None:
        if if_match is not None:
            check_match(if_match, etag_of(record), f'"{record["etag"]}"')

    for image_id in image_ids:
        try:
            store.forget(image_id, is_named)
        except ImageNotFound:
            continue
        return Response(204)
    raise ImageNotFound(image_ids[0])


def _list_arguments(given: dict[str, str]) -> dict[str, Any]:
    """The query's parameters as `list_page` takes them; raises `InvalidRequest` for what it cannot take."""
    arguments: dict[str, Any] = dict(given)
    arguments["limit"] = whole_number(given.get("limit", DEFAULT_LIMIT), "limit", 1, MAX_LIMIT)
    for name, choices in (("sort", tuple(SORTS)), ("order", ORDERS)):
        if given.get(name, choices[0]) not in choices:
            raise InvalidRequest(f"{name} is one of {', '.join(choices)}")
    check(given)
    if "prefix" in given:
        arguments["prefix"] = with_prefix(given["prefix"], settings.upload_prefixes())
    return arguments
