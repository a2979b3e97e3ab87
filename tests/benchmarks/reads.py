"""Read units of the summary, pages of the list and a record, by the number of records in the catalogue.

`python -m tests.benchmarks` measures small catalogues, `make bench-reads` large ones: the local AWS looks at every
record for every query, so that a million take an hour.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Iterator
from typing import Any

from image_catalogue.catalogue import Catalogue
from image_catalogue.dynamodb import counter_id, to_dynamodb
from image_catalogue.items import contribution, follow
from image_catalogue.queries import list_page, summarise
from image_catalogue.settings import DEFAULT_COUNTER_SHARDS
from tests.contract.declared import declared_table
from tests.support.records import photograph

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
        items.append({"image_id": counter_id(shard), **counter})
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
        elif model.name == "GetItem":
            units.append(float(math.ceil(item_size(parsed["Item"]) / 4096)))
        else:
            assert model.name == "BatchGetItem"
            items = [item for found in parsed["Responses"].values() for item in found]
            units.append(float(sum(math.ceil(item_size(item) / 4096) for item in items)))

    dynamodb.meta.events.register("after-call.dynamodb", note, unique_id="note")
    try:
        call()
    finally:
        dynamodb.meta.events.unregister("after-call.dynamodb", unique_id="note")
    assert units, "the client's hooks were not called"
    return sum(units)


def measure(dynamodb: Any, sizes: list[int]) -> dict[str, list[float]]:
    """What each kind of read costs, in read units, with so many records in a table of its own."""
    table = "ReadCost"
    dynamodb.create_table(**declared_table() | {"TableName": table})
    catalogue, totals, loaded = Catalogue(table, client=dynamodb), Counter[str](), 0
    costs: dict[str, list[float]] = {}
    try:
        for size in sizes:
            fill(dynamodb, table, loaded, size, totals)
            loaded = size
            assert summarise(catalogue)["count"] == size
            for name, read in _reads(catalogue):
                costs.setdefault(name, []).append(units_of(dynamodb, read))
    finally:
        dynamodb.delete_table(TableName=table)
    return costs


def _reads(catalogue: Catalogue) -> Iterator[tuple[str, Callable[[], Any]]]:
    page = list_page(catalogue, limit=20)
    cursor = list_page(catalogue, limit=20, cursor=page.next_cursor).next_cursor
    yield "summary", lambda: summarise(catalogue)
    yield "first page of 20", lambda: list_page(catalogue)
    yield "third page of 20", lambda: list_page(catalogue, cursor=cursor)
    yield "page of 20 by size", lambda: list_page(catalogue, sort="size")
    yield "a record", lambda: catalogue.get(page.items[0]["image_id"])


def table_of(sizes: list[int], costs: dict[str, list[float]]) -> str:
    """The costs as a Markdown table."""
    lines = [
        f"| read units | {' | '.join(f'{size:,} records' for size in sizes)} |",
        f"|---|{'---:|' * len(sizes)}",
    ]
    lines += [f"| {name} | {' | '.join(f'{units:g}' for units in row)} |" for name, row in costs.items()]
    return "\n".join(lines)
