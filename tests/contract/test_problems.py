"""Functions, gateway and OpenAPI document know the same problems, of every route and all together."""

from __future__ import annotations

import pytest

from image_api.problems import INTERNAL, PROBLEMS, TYPE_BASE
from tests.contract.declared import declared_functions, declared_routes, labelled, local_value
from tests.contract.documents import openapi, operation, operations, problems, statuses

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
