"""An image belongs to one part of the search snapshot for good."""

from __future__ import annotations

from typing import Any

import pytest

from image_catalogue.catalogue import Catalogue
from image_catalogue.items import Item, part_of, public
from tests.support.records import record
from tests.support.table import TABLE

KEY = "uploads/a.png"


def seen(catalogue: Catalogue, value: Item | None, place: int) -> Any:
    catalogue.apply(KEY, lambda: value, f"{place:032X}")
    return catalogue.item(KEY)["part"]


def test_the_part_is_the_month_of_the_first_cataloguing_whatever_happens_to_the_image(
    catalogue: Catalogue,
) -> None:
    october = record(KEY, uploaded_at="2026-10-31T23:59:59.999Z")
    november = record(KEY, uploaded_at="2026-11-01T00:00:00.000Z", etag="other")
    december = record(KEY, uploaded_at="2026-12-01T00:00:00.000Z", etag="third")
    assert seen(catalogue, october, 1) == "2026-10"
    assert seen(catalogue, november, 2) == "2026-10"
    catalogue.forget(KEY)
    assert catalogue.item(KEY)["part"] == "2026-10"
    assert seen(catalogue, december, 3) == "2026-10"
    catalogue.remove(catalogue.item(KEY))
    assert catalogue.item(KEY)["part"] == "2026-10"
    assert seen(catalogue, november, 4) == "2026-10"
    assert seen(catalogue, None, 5) == "2026-10"
    assert seen(catalogue, december, 6) == "2026-10"
    assert "part" not in public(catalogue.item(KEY))


@pytest.mark.parametrize("ends", ["overwritten", "forgotten", "removed"])
def test_an_item_of_before_there_were_parts_keeps_the_month_it_has(catalogue: Catalogue, ends: str) -> None:
    catalogue.put_uploaded(record(KEY, uploaded_at="2026-09-01T00:00:00.000Z"))
    key = {"image_id": {"S": KEY}}
    catalogue.table.client.update_item(TableName=TABLE, Key=key, UpdateExpression="REMOVE part")
    assert part_of(catalogue.item(KEY)) == "2026-09"
    if ends == "overwritten":
        seen(catalogue, record(KEY, etag="other"), 1)
    elif ends == "forgotten":
        catalogue.forget(KEY)
    else:
        seen(catalogue, None, 1)
    assert catalogue.item(KEY)["part"] == "2026-09"


def test_parts_of_a_month_are_chosen_by_a_hash_and_stay_when_their_number_changes(dynamodb: Any) -> None:
    many = Catalogue(TABLE, client=dynamodb, search_parts=4)
    for number in range(40):
        many.put_uploaded(record(f"uploads/{number}"))
    parts = {many.item(f"uploads/{number}")["part"] for number in range(40)}
    assert parts == {"2026-11-00", "2026-11-01", "2026-11-02", "2026-11-03"}
    before = many.item("uploads/7")["part"]
    one = Catalogue(TABLE, client=dynamodb)
    one.apply("uploads/7", lambda: record("uploads/7", etag="other"), f"{1:032X}")
    assert one.item("uploads/7")["part"] == before


def test_an_item_that_states_nothing_has_no_part() -> None:
    assert part_of({"image_id": KEY, "state": "removed"}) is None
