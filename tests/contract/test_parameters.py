"""The numbers and choices that the OpenAPI document admits in a query are taken, and what is beside them is refused."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple

import pytest

from tests.contract.declared import declared_routes
from tests.contract.documents import operation, parameters, resolved
from tests.support.api import Api, running_api

IMAGE = "uploads/01.png"
#: What a parameter is given together with.
WITH = {("GET /duplicates", "distance"): {"by": "pixels"}}


class Stated(NamedTuple):
    """A parameter of a route, with what the document lets it be."""

    route: str
    name: str
    schema: dict[str, Any]

    def values(self) -> Iterator[tuple[str, bool]]:
        """Texts, and whether the document admits them."""
        choices = self.schema.get("enum", [])
        for value in choices:
            yield str(value), True
        if self.schema["type"] == "integer" and choices:
            yield str(max(choices) + 1), False
        for end, beyond in (("minimum", -1), ("maximum", 1)):
            if end in self.schema:
                yield str(self.schema[end]), True
                yield str(self.schema[end] + beyond), False
        yield "none-of-these", False


PARAMETERS = [
    Stated(route, described["name"], schema)
    for route in sorted(declared_routes())
    for described in parameters(operation(route), "query")
    for schema in [resolved(described["schema"])]
    if "enum" in schema or "maximum" in schema
]
IDS = [f"{stated.route} {stated.name}" for stated in PARAMETERS]


@pytest.fixture(scope="module")
def filled_api() -> Iterator[Api]:
    """More images than a page has by default; none is as large, or came at the same time, as another."""
    with running_api() as api:
        for number in range(30):
            moment = f"2026-11-21T10:00:{number:02d}.000Z"
            api.put(f"uploads/{number:02d}.png", size=1000 - number * 7 % 30, uploaded_at=moment)
        yield api


@pytest.mark.parametrize("stated", PARAMETERS, ids=IDS)
def test_a_number_or_choice_is_taken_where_the_document_admits_it(stated: Stated, filled_api: Api) -> None:
    more = WITH.get((stated.route, stated.name), {})
    for text, admitted in stated.values():
        answer = filled_api(stated.route, IMAGE, **more, **{stated.name: text})
        assert (answer.status != 400) == admitted and answer.status != 500, (
            f"docs/openapi.yaml, {stated.name} of {stated.route}: is {text!r} one? {answer.body[:300]!r}"
        )


@pytest.mark.parametrize(
    "stated",
    [
        stated
        for stated in PARAMETERS
        if stated.route in ("GET /metadata", "GET /images") and "default" in stated.schema
    ],
    ids=lambda stated: f"{stated.route} {stated.name}",
)
def test_a_default_of_the_list_is_what_the_document_states(stated: Stated, filled_api: Api) -> None:
    def shown(**given: str) -> list[str]:
        return [item["image_id"] for item in filled_api(stated.route, **given).json["items"]]

    assert shown() == shown(**{stated.name: str(stated.schema["default"])})
    assert 1 < len(shown()) < 30
