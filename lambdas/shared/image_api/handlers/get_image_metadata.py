"""Catalogue records over HTTP: lists, single records, and finding the record that a path means."""

from __future__ import annotations

import re
from typing import Any
from urllib.parse import quote

from image_catalogue import clients, settings
from image_catalogue.catalogue import Catalogue, Item
from image_catalogue.errors import ImageNotFound, InvalidRequest
from image_catalogue.ids import normalise_image_id

from ..request import Request
from ..response import Response, conditional_json, json_response

DEFAULT_LIMIT = 20
MAX_LIMIT = 100
MAX_PREFIX = 1024
LIST_PARAMETERS = (
    "limit",
    "cursor",
    "sort",
    "order",
    "content_type",
    "prefix",
    "status",
    "taken_from",
    "taken_to",
)
_CHOICES = {
    "sort": ("uploaded_at", "size"),
    "order": ("asc", "desc"),
    "status": ("ok", "unsupported", "corrupt", "too_large"),
}
_LIMIT = re.compile(r"[1-9][0-9]?|100")
_CURSOR = re.compile(r"[A-Za-z0-9_-]{1,1024}")
_MEDIA_TYPE = re.compile(r"[a-z0-9][a-z0-9!#$&^_.+-]{0,63}/[a-z0-9][a-z0-9!#$&^_.+-]{0,63}")
#: A local time as precise as wanted, down to milliseconds: 2024, 2024-05, 2024-05-17T09:30, ...
_LOCAL_TIME = re.compile(
    r"[0-9]{4}(-(0[1-9]|1[0-2])(-(0[1-9]|[12][0-9]|3[01])"
    r"(T([01][0-9]|2[0-3]):[0-5][0-9](:[0-5][0-9](\.[0-9]{1,6})?)?)?)?)?"
)


def catalogue() -> Catalogue:
    """The catalogue that the function's settings name."""
    return Catalogue(settings.table_name(), settings.index_shards())


def candidates(request: Request) -> list[str]:
    """The ids that the request's path may mean, likeliest first; raises `InvalidImageId`."""
    path = request.path.get("image_id", "")
    return normalise_image_id(path, settings.upload_prefix(), encoded=not clients.on_local_aws())


def exact_id(image_id: Any) -> str:
    """The id in a JSON body: not percent-encoded, the prefix optional; raises `InvalidImageId`."""
    if not isinstance(image_id, str) or any("\ud800" <= char <= "\udfff" for char in image_id):
        raise InvalidRequest("an image id is a text")
    return normalise_image_id(quote(image_id), settings.upload_prefix())[0]


def find_record(store: Catalogue, request: Request) -> Item:
    """The record that the path means; raises `ImageNotFound`, `InvalidImageId`."""
    image_ids = candidates(request)
    for image_id in image_ids:
        record = store.get(image_id)
        if record is not None:
            return record
    raise ImageNotFound(image_ids[0])


def get_record(request: Request) -> Response:
    """One record with its ETag, or 304."""
    request.parameters()
    return conditional_json(find_record(catalogue(), request), request.headers.get("if-none-match"))


def list_records(request: Request) -> Response:
    """A page of records."""
    page = catalogue().list(**_list_arguments(request.parameters(*LIST_PARAMETERS)))
    answer: dict[str, Any] = {"items": page.items}
    if page.next_cursor is not None:
        answer["next_cursor"] = page.next_cursor
    return json_response(answer)


def forget_record(request: Request) -> Response:
    """Delete the metadata and keep the file."""
    request.parameters()
    store, image_ids = catalogue(), candidates(request)
    for image_id in image_ids:
        try:
            store.forget(image_id)
        except ImageNotFound:
            continue
        return Response(204)
    raise ImageNotFound(image_ids[0])


def _list_arguments(given: dict[str, str]) -> dict[str, Any]:
    arguments: dict[str, Any] = dict(given)
    if not _LIMIT.fullmatch(given.get("limit", str(DEFAULT_LIMIT))):
        raise InvalidRequest(f"limit is a whole number from 1 to {MAX_LIMIT}")
    arguments["limit"] = int(given.get("limit", DEFAULT_LIMIT))
    for name, choices in _CHOICES.items():
        if given.get(name, choices[0]) not in choices:
            raise InvalidRequest(f"{name} is one of {', '.join(choices)}")
    for name, pattern, says in (
        ("cursor", _CURSOR, "is what next_cursor of the page before said"),
        ("content_type", _MEDIA_TYPE, "is a media type in lower case, such as image/png"),
        ("taken_from", _LOCAL_TIME, "is a local time, such as 2024, 2024-05-17 or 2024-05-17T09:30"),
        ("taken_to", _LOCAL_TIME, "is a local time, such as 2024, 2024-05-17 or 2024-05-17T09:30"),
    ):
        if name in given and not pattern.fullmatch(given[name]):
            raise InvalidRequest(f"{name} {says}")
    if "prefix" in given:
        arguments["prefix"] = _full_prefix(given["prefix"])
    return arguments


def _full_prefix(text: str) -> str:
    root = settings.upload_prefix()
    prefix = text if text.startswith(root) else root + text
    if not 1 <= len(text) <= MAX_PREFIX or "\x00" in text:
        raise InvalidRequest(f"prefix is what image ids begin with: 1 to {MAX_PREFIX} characters without NUL")
    return prefix
