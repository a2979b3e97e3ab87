"""Functions, gateway and OpenAPI document know the same problems, of every route and all together."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any, NamedTuple

import pytest

from image_api.problems import INTERNAL, PROBLEMS, TYPE_BASE
from image_catalogue.settings import MAX_API_PAYLOAD_BYTES
from tests.contract.declared import declared_functions, declared_routes, labelled, local_value
from tests.contract.documents import openapi, operation, operations, parameters, problems, statuses
from tests.support.api import Api, running_api
from tests.support.pictures import picture
from tests.support.table import BUCKET

ROUTES = declared_routes()
#: A request may be refused unread, or not be answered, whatever is asked.
ALWAYS = {400, 429, 500, 503, 504}
#: A caller has to be known and admitted, but for what is open to everybody.
CALLERS = {401, 403}

OF_FUNCTIONS = {(status, TYPE_BASE + name) for _, status, name, _ in PROBLEMS} | {
    (INTERNAL.status, TYPE_BASE + INTERNAL.type)
}
#: What is text here is decided by Terraform alone, among types that others have, too.
OF_GATEWAY = [error for error in local_value("errors", "rest_api").values() if isinstance(error, dict)]


def test_gateway_and_functions_write_types_in_one_way() -> None:
    assert labelled("variable", "rest_api")["problem_base"]["default"] == TYPE_BASE


def test_the_openapi_document_lists_every_type() -> None:
    listed = openapi()["components"]["schemas"]["Problem"]["properties"]["type"]["enum"]
    assert set(listed) == {kind for _, kind in OF_FUNCTIONS} | {
        TYPE_BASE + error["type"] for error in OF_GATEWAY
    }


def test_the_openapi_document_shows_every_problem_in_an_answer_of_its_status() -> None:
    shown = set().union(*map(problems, operations().values()))
    assert shown >= OF_FUNCTIONS
    assert {(error["status"], TYPE_BASE + error["type"]) for error in OF_GATEWAY if error["status"]} <= shown


@pytest.mark.parametrize("route", sorted(ROUTES))
def test_the_openapi_document_states_what_any_request_may_be_answered(route: str) -> None:
    described, open_to_all = operation(route), "open" in declared_functions()[ROUTES[route]]
    assert statuses(described) & (ALWAYS | CALLERS) == (ALWAYS if open_to_all else ALWAYS | CALLERS)
    assert open_to_all == (described.get("security") == [])


@pytest.mark.parametrize("route", sorted(ROUTES))
def test_the_openapi_document_describes_the_condition_whose_answer_it_states(route: str) -> None:
    described = operation(route)
    headers = {each["name"] for each in parameters(described, "header")}
    for status, header in ((304, "If-None-Match"), (412, "If-Match")):
        assert (header in headers) == (status in statuses(described)), f"docs/openapi.yaml, {route}: {header}"


# --- what each route answers ------------------------------------------------------------------------------


class Situation(NamedTuple):
    """What the image is that is asked for, or sent, and how it is asked for."""

    data: bytes = picture()
    stored: bool = True
    storage_class: str = "STANDARD"
    headers: dict[str, str] = {}  # noqa: RUF012 - nobody writes to it


#: Status -> the situation in which some routes answer it.
SITUATIONS = {
    304: Situation(headers={"If-None-Match": "*"}),
    404: Situation(stored=False),
    409: Situation(storage_class="GLACIER"),
    412: Situation(headers={"If-Match": '"another"'}),
    413: Situation(picture().ljust(MAX_API_PAYLOAD_BYTES + 1)),
    415: Situation(b"no image"),
    422: Situation(picture()[:20]),
}


def body(route: str, image_id: str, data: bytes) -> bytes:
    """What a route takes that does not take the image itself."""
    wanted: dict[str, dict[str, Any]] = {
        "POST /images/delete": {"image_ids": [image_id]},
        "POST /images/file": {"image_id": image_id},
        "POST /metadata": {"image_ids": [image_id]},
        "POST /search": {},
        "POST /uploads": {"content_type": "image/png", "size": len(data)},
    }
    return json.dumps(wanted[route]).encode() if route in wanted else data


#: What a route must be asked for beside.
PARAMETERS = {"GET /images/{image_id+}": {"download": "true"}}


@pytest.fixture(scope="module")
def empty_api() -> Iterator[Api]:
    with running_api() as api, pytest.MonkeyPatch.context() as patch:
        patch.setenv("MAX_UPLOAD_BYTES", str(MAX_API_PAYLOAD_BYTES))
        yield api


def test_there_is_a_situation_for_every_status_of_the_functions() -> None:
    assert {status for status, _ in OF_FUNCTIONS} <= ALWAYS | set(SITUATIONS)


@pytest.mark.parametrize("route", sorted(ROUTES))
def test_the_openapi_document_states_what_goes_wrong(route: str, empty_api: Api) -> None:
    api, answered = empty_api, set()
    api.empty()
    for status, situation in SITUATIONS.items():
        image_id = f"uploads/{status}.png"
        if situation.stored:
            etag = api.s3.put_object(
                Bucket=BUCKET, Key=image_id, Body=situation.data, StorageClass=situation.storage_class
            )["ETag"].strip('"')
            api.put(image_id, size=len(situation.data), etag=etag)
        sent = body(route, image_id, situation.data) if route.startswith("POST ") else None
        answered.add(api(route, image_id, sent, situation.headers, **PARAMETERS.get(route, {})).status)
    assert answered != {400}, "it was not asked for what it takes"
    assert answered & set(SITUATIONS) == statuses(operation(route)) & set(SITUATIONS)
