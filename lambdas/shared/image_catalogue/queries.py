"""What the catalogue answers about many records: pages of the list, and the summary of all."""

from __future__ import annotations

import heapq
import itertools
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

from .catalogue import Catalogue
from .cursors import NOT_OURS, decode_cursor, encode_cursor
from .dynamodb import amounts_of
from .errors import InvalidCursor
from .filters import FILTERS
from .items import COUNTED, Item, public, size_shards, sum_of

#: How many records a filtered list looks at for one page; bounds what any request can cost.
MAX_EXAMINED = 1000
#: How many index partitions are read at a time; a client keeps as many connections.
_READERS = 32
#: DynamoDB's, which admits no empty one either.
_MAX_SORT_KEY_BYTES = 1024
#: What lists can be sorted by: the index's hash key and sort key. The index is named by_<sort>.
SORTS = {"uploaded_at": ("shard", "uploaded_key"), "size": ("size_shard", "size_key")}


@dataclass(frozen=True)
class Page:
    """Records in order, and the cursor of the next page (None: this is the last)."""

    items: list[Item]
    next_cursor: str | None


def list_page(
    catalogue: Catalogue,
    limit: int = 20,
    cursor: str | None = None,
    sort: str = "uploaded_at",
    order: str = "desc",
    **filters: str,
) -> Page:
    """A page of records in the order of `sort` (one of `SORTS`); `filters` are values of `FILTERS`.

    Without filters it reads `limit` + 1 records of each index partition: any may hold the whole page, and one
    more says whether there is another. With filters it looks at `MAX_EXAMINED` records at most: a page may then be
    short, even empty, and still have a `next_cursor`. Raises `InvalidCursor`.
    """
    descending = order == "desc"
    query = {"sort": sort, "order": order, **filters}
    position = None
    if cursor is not None:
        position = decode_cursor(cursor, query, catalogue.table.name)
        if not 0 < len(position.encode()) <= _MAX_SORT_KEY_BYTES:
            raise InvalidCursor(NOT_OURS)
    sort_key = SORTS[sort][1]
    batch = MAX_EXAMINED // 10 if filters else limit + 1
    streams = _begun(
        [
            _stream(catalogue, sort, shard, descending, position, batch)
            for shard in _shards(catalogue.index_shards, sort, filters.get("status"))
        ]
    )
    items: list[Item] = []
    for examined, item in enumerate(
        heapq.merge(*streams, key=lambda item: item[sort_key], reverse=descending)
    ):
        if len(items) == limit or examined == MAX_EXAMINED:
            return Page(items, encode_cursor(str(position), query, catalogue.table.name))
        position = item[sort_key]
        if all(FILTERS[name].matches(item, value) for name, value in filters.items()):
            items.append(public(item))
    return Page(items, None)


def summarise(catalogue: Catalogue) -> dict[str, Any]:
    """Every figure of `COUNTED`, and the largest and smallest image, of the whole catalogue.

    Reads the counter items and two items per partition of the size index, however large the table is.
    """
    shards = size_shards(catalogue.index_shards, ("image",))
    streams = [
        _stream(catalogue, "size", shard, descending, None, 1)
        for descending in (True, False)
        for shard in shards
    ]
    counters, *found = _begun([catalogue.table.counters(), *streams])
    totals = sum_of(amounts_of(counter) for counter in counters)
    ends: dict[str, str] = {}
    for name, best, candidates in (
        ("highest_size_image", max, found[: len(shards)]),
        ("lowest_size_image", min, found[len(shards) :]),
    ):
        firsts = [item for stream in candidates for item in itertools.islice(stream, 1)]
        if firsts:
            ends[name] = best(firsts, key=lambda item: item["size_key"])["image_id"]
    figures = {name: counted.figure(totals) for name, counted in COUNTED.items()}
    return {name: figure for name, figure in figures.items() if isinstance(figure, int)} | ends | figures


def _begun(streams: Sequence[Iterator[Item]]) -> list[Iterator[Item]]:
    """The same streams, the first page of each read at the same time: so many cost one round trip's time."""
    if len(streams) == 1:
        return list(streams)
    with ThreadPoolExecutor(min(_READERS, len(streams))) as pool:
        firsts = list(pool.map(lambda stream: list(itertools.islice(stream, 1)), streams))
    return [itertools.chain(first, stream) for first, stream in zip(firsts, streams, strict=True)]


def _shards(index_shards: int, sort: str, status: str | None) -> list[str]:
    """The index partitions that can hold what is asked for."""
    if sort != "size":
        return [str(number) for number in range(index_shards)]
    if status is None:
        return size_shards(index_shards)
    return size_shards(index_shards, ("image",) if status == "ok" else ("other",))


def _stream(
    catalogue: Catalogue, sort: str, shard: str, descending: bool, position: str | None, batch: int
) -> Iterator[Item]:
    """One index partition's records after `position`, read `batch` at a time as they are wanted."""
    hash_key, sort_key = SORTS[sort]
    request: dict[str, Any] = {
        "IndexName": f"by_{sort}",
        "KeyConditionExpression": "#hash = :shard",
        "ExpressionAttributeNames": {"#hash": hash_key},
        "ExpressionAttributeValues": {":shard": {"S": shard}},
        "ScanIndexForward": not descending,
        "Limit": batch,
    }
    if position is not None:
        request["KeyConditionExpression"] += f" AND #sort {'<' if descending else '>'} :position"
        request["ExpressionAttributeNames"]["#sort"] = sort_key
        request["ExpressionAttributeValues"][":position"] = {"S": position}
    return catalogue.table.query(**request)
