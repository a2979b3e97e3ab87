"""What the summary and a page of the list read does not grow with the collection.

`READ_COST_SIZES` (default 100,2000) are the numbers of records; `make bench-reads` measures 100, 10,000 and 200,000.
"""

from __future__ import annotations

import math
import os
from collections import Counter
from collections.abc import Callable
from typing import Any

import pytest

from image_catalogue.catalogue import Catalogue
from image_catalogue.dynamodb import COUNTER_PREFIX, to_dynamodb
from image_catalogue.items import contribution, follow
from image_catalogue.queries import list_page, summarise
from image_catalogue.settings import DEFAULT_COUNTER_SHARDS
from tests.contract.declared import declared_table
from tests.support.records import photograph
from tests.support.stack import Site

SIZES = [int(size) for size in os.environ.get("READ_COST_SIZES", "100,2000").split(",")]
BATCH = 25  # BatchWriteItem's maximum


def fill(dynamodb: Any, table: str, start: int, end: int, totals: Counter[str]) -> None:
    """Put records [start, end) and the counters they call for, as fast as the table takes them."""
    items = []
    for number in range(start, end):
        item = follow(None, photograph(number), f"{number:032X}", "")
        assert item is not None
        totals.update(contribution(item))
        items.append(item | {"revision": "0" * 16})
    split = Counter[str]()
    for shard in range(DEFAULT_COUNTER_SHARDS):
        counter = {name: amount // DEFAULT_COUNTER_SHARDS for name, amount in totals.items()}
        if shard == DEFAULT_COUNTER_SHARDS - 1:
            counter = {name: amount - split[name] for name, amount in totals.items()}
        split.update(counter)
        items.append({"image_id": f"{COUNTER_PREFIX}{shard:02d}", **counter})
    for first in range(0, len(items), BATCH):
        requests = [{"PutRequest": {"Item": to_dynamodb(item)}} for item in items[first : first + BATCH]]
        answer = dynamodb.batch_write_item(RequestItems={table: requests})
        assert not answer.get("UnprocessedItems")


def size_of(value: dict[str, Any]) -> int:
    """Bytes of a typed attribute value (DynamoDB Developer Guide, "DynamoDB item sizes and formats")."""
    ((kind, content),) = value.items()
    if kind == "S":
        return len(content.encode())
    if kind == "N":
        return len(content.replace(".", "")) // 2 + 2
    if kind == "M":
        return 3 + item_size(content) + len(content)
    if kind == "L":
        return 3 + sum(size_of(entry) + 1 for entry in content)
    return 1


def item_size(attributes: dict[str, Any]) -> int:
    """Bytes of an item: its attributes' names and values."""
    return sum(len(name.encode()) + size_of(value) for name, value in attributes.items())


def units_of(dynamodb: Any, call: Callable[[], Any]) -> float:
    """The read units of what `call` asks, from what the answers say was read.

    DynamoDB Developer Guide, "Read and write operations": a query's bytes together, a batch's items one by one,
    each rounded up to 4 KB; half as much for a read that is not strongly consistent.
    """
    units: list[float] = []

    def note(parsed: dict[str, Any], model: Any, **_: Any) -> None:
        if model.name == "Query":
            assert parsed["ScannedCount"] == parsed["Count"], "nothing may be read that is not answered"
            units.append(0.5 * math.ceil(sum(map(item_size, parsed["Items"])) / 4096))
        else:
            assert model.name == "BatchGetItem"
            items = [item for found in parsed["Responses"].values() for item in found]
            units.append(float(sum(math.ceil(item_size(item) / 4096) for item in items)))

    dynamodb.meta.events.register("after-call.dynamodb", note, unique_id="note")
    try:
        call()
    finally:
        dynamodb.meta.events.unregister("after-call.dynamodb", unique_id="note")
    return sum(units)


def test_reads_cost_the_same_at_any_size(other_site: Site, capsys: pytest.CaptureFixture[str]) -> None:
    # The local AWS looks at every record for every query: of a million, twenty queries at a time take minutes.
    dynamodb, table = other_site.client("dynamodb", read_timeout=900), "ReadCost"
    dynamodb.create_table(**declared_table() | {"TableName": table})
    catalogue, totals, loaded, costs = Catalogue(table, client=dynamodb), Counter[str](), 0, []
    try:
        for size in SIZES:
            fill(dynamodb, table, loaded, size, totals)
            loaded = size
            assert summarise(catalogue)["count"] == size
            page = list_page(catalogue, limit=20)
            cursor = list_page(catalogue, limit=20, cursor=page.next_cursor).next_cursor
            costs.append(
                {
                    "summary": units_of(dynamodb, lambda: summarise(catalogue)),
                    "first page of 20": units_of(dynamodb, lambda: list_page(catalogue)),
                    "third page of 20": units_of(
                        dynamodb, lambda cursor=cursor: list_page(catalogue, cursor=cursor)
                    ),
                    "by size": units_of(dynamodb, lambda: list_page(catalogue, sort="size")),
                }
            )
    finally:
        dynamodb.delete_table(TableName=table)
    with capsys.disabled():
        print(f"\n{'read units':<18}" + "".join(f"{size:>12,}" for size in SIZES))
        for name in costs[0]:
            print(f"{name:<18}" + "".join(f"{cost[name]:>12}" for cost in costs))
    assert all(cost == costs[0] for cost in costs)
