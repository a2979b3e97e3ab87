"""The catalogue: one DynamoDB table of image records that equals the bucket, whatever order events come in.

An item is one of three things: a *record*; a *tombstone* (the object is gone; kept for 15 days, so that a
late "created" changes nothing); a *forgotten* marker (the object is there, the user deleted its metadata).
Only records carry index attributes and only records count.

Every write is conditional on the item still being what the writer saw (`revision`), and carries the
difference it makes to the summary in the same transaction, so the counters cannot part from the items.
"""

from __future__ import annotations

import heapq
import itertools
import random
import time
import zlib
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from decimal import Decimal
from hashlib import blake2s
from typing import Any
from uuid import uuid4

from boto3.dynamodb.types import TypeDeserializer, TypeSerializer
from botocore.exceptions import ClientError, HTTPClientError
from botocore.exceptions import ConnectionError as ConnectionFailed

from .cursors import decode_cursor, encode_cursor
from .errors import CatalogueBusy, ImageNotFound
from .records import parse_timestamp

#: Counter items. Each write takes one, a retry after a conflict takes the next: they only ever are summed.
COUNTER_SHARDS = 16
COUNTER_PREFIX = "#summary#"
#: Attribute that only ever grows: tells a counter that was changed to and fro from one that was left alone.
COUNTER_CHANGES = "changes"
#: Bars whoever looked while the object was there and took it that there is no item; and, for as long as an event
#: waits in a queue by itself, spares a late one its look.
TOMBSTONE_SECONDS = 15 * 24 * 3600
#: How many records a filtered list looks at for one page; bounds what any request can cost.
MAX_EXAMINED = 1000
#: How long a write goes on trying against conflicts and throttles when the caller names no deadline.
DEFAULT_PATIENCE_SECONDS = 5.0
_FIRST_PAUSE_SECONDS = 0.02
_LONGEST_PAUSE_SECONDS = 1.0

#: Attributes that are the catalogue's own business and leave it in no answer.
INTERNAL = frozenset(
    (
        "state",
        "sequencer",
        "revision",
        "last_modified",
        "shard",
        "uploaded_key",
        "size_shard",
        "size_key",
        "expires_at",
    )
)
_BATCH_ROUNDS = 5
#: What tells one object from the next under the same key.
_IDENTITY = ("etag", "version_id", "last_modified")
#: An upload of the API is in the bucket within this time of its record's `uploaded_at`.
_UPLOAD_SECONDS = 60
#: What an upload's first writer was told, and what no later reading of the object can tell.
_TOLD = ("uploaded_at", "filename", "declared_content_type")
_HASH_KEYS = {"uploaded_at": "shard", "size": "size_shard"}
_SORT_KEYS = {"uploaded_at": "uploaded_key", "size": "size_key"}
_BUSY_CODES = frozenset(
    (
        "ThrottlingException",
        "ThrottlingError",
        "ProvisionedThroughputExceededException",
        "ProvisionedThroughputExceeded",
        "RequestLimitExceeded",
        "TransactionConflict",
        "TransactionConflictException",
        "TransactionInProgressException",
        "InternalServerError",
        "ServiceUnavailable",
    )
)

Item = dict[str, Any]
#: Asks the bucket: the record of what it holds under one key now, or None where it holds nothing.
Look = Callable[[], Item | None]
_serialize = TypeSerializer().serialize
_deserialize = TypeDeserializer().deserialize


@dataclass(frozen=True)
class Page:
    """Records in order, and the cursor of the next page (None: this is the last)."""

    items: list[Item]
    next_cursor: str | None


def normalise_sequencer(sequencer: str | None) -> str | None:
    """S3's hexadecimal sequencer as a text whose order is the events' order.

    Amazon S3 User Guide, "Event message structure": left-pad the shorter with zeros, then compare as text.
    """
    return sequencer.upper().zfill(32) if sequencer else None


class Catalogue:
    """The table `table_name`; `client` is a boto3 DynamoDB client (the shared one by default)."""

    def __init__(self, table_name: str, index_shards: int = 1, client: Any = None) -> None:
        if client is None:
            from .clients import dynamodb

            client = dynamodb()
        self.table_name = table_name
        self.index_shards = index_shards
        self._client = client

    # -- reading -------------------------------------------------------------------------------------

    def get(self, image_id: str) -> Item | None:
        """The record, strongly consistent; None where there is none. One read unit per 4 KB."""
        item = self.item(image_id)
        return public(item) if item and is_record(item) else None

    def item(self, image_id: str) -> Item | None:
        """The item as it is stored: record, tombstone or forgotten marker."""
        answer = _call(
            self._client.get_item,
            TableName=self.table_name,
            Key={"image_id": {"S": image_id}},
            ConsistentRead=True,
        )
        return from_dynamodb(answer["Item"]) if "Item" in answer else None

    def list(
        self,
        limit: int = 20,
        cursor: str | None = None,
        sort: str = "uploaded_at",
        order: str = "desc",
        content_type: str | None = None,
        prefix: str | None = None,
        status: str | None = None,
        taken_from: str | None = None,
        taken_to: str | None = None,
    ) -> Page:
        """A page of records in the order of `sort` (`uploaded_at` or `size`).

        Without filters it reads what it answers, and one more record per index partition to know whether
        there is another page. With filters it looks at `MAX_EXAMINED` records at most: a page may then be
        short, even empty, and still have a `next_cursor`. `taken_from` and `taken_to` are local times as
        in `taken_at`, both included, compared as text (`2024-05` includes all of May as `taken_from`).
        Raises `InvalidCursor`.
        """
        asked = {
            "content_type": content_type,
            "prefix": prefix,
            "status": status,
            "taken_from": taken_from,
            "taken_to": taken_to,
        }
        filters = {name: value for name, value in asked.items() if value is not None}
        query = {"sort": sort, "order": order, **filters}
        position = decode_cursor(cursor, query, self.table_name) if cursor else None
        sort_key = _SORT_KEYS[sort]
        if sort == "size":
            kinds = ("image", "other") if status is None else ("image",) if status == "ok" else ("other",)
            shards = size_shards(self.index_shards, kinds)
        else:
            shards = [str(number) for number in range(self.index_shards)]
        batch = MAX_EXAMINED // 10 if filters else limit + 1
        streams = [self._stream(sort, shard, order == "desc", position, batch) for shard in shards]
        merged = heapq.merge(*streams, key=lambda item: item[sort_key], reverse=order == "desc")
        items: list[Item] = []
        for examined, item in enumerate(merged):
            if len(items) == limit or examined == MAX_EXAMINED:
                return Page(items, encode_cursor(str(position), query, self.table_name))
            position = item[sort_key]
            if _matches(item, filters):
                items.append(public(item))
        return Page(items, None)

    def summary(self) -> dict[str, Any]:
        """Count, total size, largest, smallest and counts per content type and status, of the whole catalogue.

        Reads `COUNTER_SHARDS` items and two per partition of the size index, however large the table is.
        """
        totals: dict[str, int] = {}
        for counter in read_counters(self._client, self.table_name):
            for name in counter.keys() - {"image_id", COUNTER_CHANGES}:
                totals[name] = totals.get(name, 0) + counter[name]
        answer: dict[str, Any] = {"count": totals.get("count", 0), "total_size": totals.get("total_size", 0)}
        for name, descending in (("highest_size_image", True), ("lowest_size_image", False)):
            ends = [
                item
                for shard in size_shards(self.index_shards, ("image",))
                for item in itertools.islice(self._stream("size", shard, descending, None, 1), 1)
            ]
            if ends:
                best = (max if descending else min)(ends, key=lambda item: item["size_key"])
                answer[name] = best["image_id"]
        for field, kind in (("content_types", "type:"), ("statuses", "status:")):
            answer[field] = {
                name.removeprefix(kind): amount
                for name, amount in sorted(totals.items())
                if name.startswith(kind) and amount > 0
            }
        return answer

    def _stream(
        self, sort: str, shard: str, descending: bool, position: str | None, batch: int
    ) -> Iterator[Item]:
        """One index partition's records after `position`, read `batch` at a time as they are wanted."""
        hash_key, sort_key = _HASH_KEYS[sort], _SORT_KEYS[sort]
        request: dict[str, Any] = {
            "TableName": self.table_name,
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
        while True:
            answer = _call(self._client.query, **request)
            yield from map(from_dynamodb, answer["Items"])
            if "LastEvaluatedKey" not in answer:
                return
            request["ExclusiveStartKey"] = answer["LastEvaluatedKey"]

    # -- writing -------------------------------------------------------------------------------------

    def apply(
        self,
        image_id: str,
        look: Look,
        sequencer: str | None = None,
        deadline: float | None = None,
        likely_new: bool = False,
    ) -> str:
        """Make the item follow what `look` sees in the bucket; `sequencer` is the place of the event that asks for it.

        Each attempt knows the item, then looks, then writes only if the item is still that one. So every such write
        tells of a later look than the one before it, and the last look is later than the last change that an event
        told of: nothing hangs on the order of events. (What is written without a look, by the API, is conditional
        too, and has its event to follow.) An item that tells of the very object that was seen needs no other look.
        The sequencer spares the work of an event that is no news, the item having been written for one of its age
        or younger. An event without one (an expiry, a restore) always writes, so that whoever looked before it has to
        look again. With `likely_new` the first attempt takes it that there is no item: one request for a new
        image, where that is so.

        Answers what happened: `created`, `updated`, `removed`, `unchanged`. Raises `CatalogueBusy`.
        """
        old = None if likely_new else self.item(image_id)
        seen: Item | None = None
        while True:
            if sequencer and old and sequencer <= old.get("sequencer", ""):
                return "unchanged"
            if seen is None or old is None or not _is_same_object(old, seen):
                seen = look()
            new = follow(old, seen, sequencer, image_id, self.index_shards)
            written, standing = self._replace(old, new, deadline)
            if written:
                return _outcome(old, new)
            if deadline is not None and time.monotonic() >= deadline:
                raise CatalogueBusy("others keep changing the item; try again shortly")
            old = standing

    def repair(self, image_id: str, look: Look, revision: str | None, deadline: float | None = None) -> str:
        """Write what `look` sees in the bucket, only if the item is still the one a repair was asked for.

        `revision` is that item's (None: there was none). The item is compared before the look and once
        more when it is written; where something came in between, the answer is `superseded`.
        """
        old = self.item(image_id)
        if (old or {}).get("revision") != revision:
            return "superseded"
        new = follow(old, look(), None, image_id, self.index_shards)
        if old is not None and _says_the_same(old, new):
            return "unchanged"
        written, _ = self._replace(old, new, deadline)
        return _outcome(old, new) if written else "superseded"

    def put_uploaded(self, record: Item) -> None:
        """Catalogue an object the API has just put, ahead of its event; where the event was first, it stays."""
        new = _record_item(record, None, self.index_shards)
        self._replace(None, new)

    def forget(self, image_id: str) -> None:
        """Delete the metadata and keep the file; no event about the same object brings the record back.

        Raises `ImageNotFound`.
        """
        old = self.item(image_id)
        while True:
            if old is None or not is_record(old):
                raise ImageNotFound(image_id)
            kept = {name: old[name] for name in ("sequencer", "uploaded_at", *_IDENTITY) if name in old}
            written, old = self._replace(old, {"image_id": image_id, "state": "forgotten", **kept})
            if written:
                return

    def remove(self, image_id: str, seen: Item | None) -> None:
        """Note that the API deleted the object, `seen` being the item read before that.

        Where the item has changed since, an event has been quicker and knows better.
        """
        if seen is not None and seen.get("state") != "removed":
            self._replace(seen, _tombstone(image_id, seen.get("sequencer")))

    # -- DynamoDB ------------------------------------------------------------------------------------

    def _replace(
        self, old: Item | None, new: Item, deadline: float | None = None
    ) -> tuple[bool, Item | None]:
        """Put `new` in the place of `old` and count the difference, all or nothing.

        Answers (True, old), or (False, the item that stands there instead). Raises `CatalogueBusy` when
        conflicts or throttles outlast the deadline (`time.monotonic()` seconds).
        """
        deadline = deadline if deadline is not None else time.monotonic() + DEFAULT_PATIENCE_SECONDS
        new = new | {"revision": uuid4().hex[:16]}
        put: dict[str, Any] = {
            "TableName": self.table_name,
            "Item": to_dynamodb(new),
            "ReturnValuesOnConditionCheckFailure": "ALL_OLD",
        }
        if old is None:
            put["ConditionExpression"] = "attribute_not_exists(image_id)"
        else:
            put["ConditionExpression"] = "revision = :seen"
            put["ExpressionAttributeValues"] = {":seen": {"S": old["revision"]}}
        difference = count_difference(old, new)
        attempt = 0
        while True:
            try:
                if difference:
                    counter = self._count(new["image_id"], attempt, difference)
                    self._client.transact_write_items(TransactItems=[{"Put": put}, {"Update": counter}])
                else:
                    self._client.put_item(**put)
                return True, old
            except (ClientError, ConnectionFailed, HTTPClientError) as error:
                standing = _condition_failed(error)
                if standing is not None:
                    # The item that stands there, or {} where it is gone; our own write, if only its answer was lost.
                    if standing.get("revision") == new["revision"]:
                        return True, old
                    return False, standing or None
                if not _is_busy(error):
                    raise
                longest = min(_LONGEST_PAUSE_SECONDS, _FIRST_PAUSE_SECONDS * 2**attempt)
                pause = longest * random.uniform(0.5, 1.5)  # noqa: S311 - jitter, no secret
                if time.monotonic() + pause >= deadline:
                    raise CatalogueBusy("the catalogue is busy; try again shortly") from error
                time.sleep(pause)
                attempt += 1

    def _count(self, image_id: str, attempt: int, difference: dict[str, int]) -> dict[str, Any]:
        shard = (zlib.crc32(image_id.encode()) + attempt) % COUNTER_SHARDS
        names = {f"#{number}": name for number, name in enumerate(difference)}
        return {
            "TableName": self.table_name,
            "Key": {"image_id": {"S": f"{COUNTER_PREFIX}{shard:02d}"}},
            "UpdateExpression": f"ADD {COUNTER_CHANGES} :one, "
            + ", ".join(f"{alias} :{alias[1:]}" for alias in names),
            "ExpressionAttributeNames": names,
            "ExpressionAttributeValues": {
                f":{number}": {"N": str(change)} for number, change in enumerate(difference.values())
            }
            | {":one": {"N": "1"}},
        }


def read_counters(client: Any, table_name: str) -> Iterator[Item]:
    """The counter items that there are; raises `CatalogueBusy`."""
    keys = [{"image_id": {"S": f"{COUNTER_PREFIX}{number:02d}"}} for number in range(COUNTER_SHARDS)]
    for _ in range(_BATCH_ROUNDS):
        answer = _call(
            client.batch_get_item, RequestItems={table_name: {"Keys": keys, "ConsistentRead": True}}
        )
        yield from map(from_dynamodb, answer["Responses"].get(table_name, []))
        keys = answer.get("UnprocessedKeys", {}).get(table_name, {}).get("Keys", [])
        if not keys:
            return
    raise CatalogueBusy("the catalogue is busy; try again shortly")


def follow(
    old: Item | None, seen: Item | None, sequencer: str | None, image_id: str, index_shards: int = 1
) -> Item:
    """The item that should stand in `old`'s place when the bucket holds the object of record `seen` (None: nothing).

    `sequencer` is that of the event that made us look; None keeps the one that is known. Pure.
    """
    sequencer = sequencer or (old or {}).get("sequencer")
    if seen is None:
        return _tombstone(image_id, sequencer)
    if old is not None and _is_same_object(old, seen):
        if old["state"] == "forgotten":  # and stays so
            return old | {"sequencer": sequencer, "last_modified": seen.get("last_modified")}
        # Read again: what the extractor cannot know stays as it was told first.
        seen = seen | {name: old[name] for name in _TOLD if name in old}
    return _record_item(seen, sequencer, index_shards)


def _matches(item: Item, filters: dict[str, str]) -> bool:
    taken = item.get("taken_at", "")
    return (
        item.get("content_type") == filters.get("content_type", item.get("content_type"))
        and item["status"] == filters.get("status", item["status"])
        and item["image_id"].startswith(filters.get("prefix", ""))
        and ("taken_from" not in filters or taken >= filters["taken_from"])
        and ("taken_to" not in filters or "" < taken[: len(filters["taken_to"])] <= filters["taken_to"])
    )


def is_record(item: Item) -> bool:
    """Whether an item is a record: no tombstone, no forgotten marker, no counter."""
    return item.get("state") == "record"


def public(item: Item) -> Item:
    """A record as clients see it."""
    return {name: value for name, value in item.items() if name not in INTERNAL}


def contribution(item: Item | None) -> dict[str, int]:
    """What an item adds to the summary: counter attribute -> amount."""
    if item is None or not is_record(item):
        return {}
    counts = {"count": 1, "total_size": item["size"], f"status:{item['status']}": 1}
    if "content_type" in item:
        counts[f"type:{item['content_type']}"] = 1
    return counts


def count_difference(old: Item | None, new: Item | None) -> dict[str, int]:
    """What the summary changes by when `new` takes `old`'s place; nothing that stays the same."""
    before, after = contribution(old), contribution(new)
    changes = {name: after.get(name, 0) - before.get(name, 0) for name in before | after}
    return {name: change for name, change in changes.items() if change}


def from_dynamodb(attributes: Item) -> Item:
    """DynamoDB's typed attributes as JSON types."""
    return {name: _plain(_deserialize(value)) for name, value in attributes.items()}


def to_dynamodb(item: Item) -> Item:
    """JSON types as DynamoDB's typed attributes."""
    return {name: _serialize(_exact(value)) for name, value in item.items() if value is not None}


def size_shards(index_shards: int, kinds: Iterable[str] = ("image", "other")) -> list[str]:
    """The partitions of the size index: readable images apart from everything else."""
    return [f"{kind}#{number}" for kind in kinds for number in range(index_shards)]


def _record_item(record: Item, sequencer: str | None, index_shards: int) -> Item:
    digest = blake2s(record["image_id"].encode(), digest_size=8).hexdigest()
    shard = int(digest, 16) % index_shards
    item = record | {
        "state": "record",
        "shard": str(shard),
        "uploaded_key": f"{record['uploaded_at']}#{digest}",
        "size_shard": f"{'image' if record['status'] == 'ok' else 'other'}#{shard}",
        "size_key": f"{record['size']:015d}#{digest}",
    }
    return item | {"sequencer": sequencer} if sequencer else item


def _tombstone(image_id: str, sequencer: str | None) -> Item:
    item = {"image_id": image_id, "state": "removed", "expires_at": int(time.time()) + TOMBSTONE_SECONDS}
    return item | {"sequencer": sequencer} if sequencer else item


def _is_same_object(old: Item, record: Item) -> bool:
    """Whether both describe the same object, not only the same bytes: putting them again makes another."""
    if old["state"] == "removed" or any(old.get(name) != record.get(name) for name in ("etag", "version_id")):
        return False
    if "last_modified" in old or "last_modified" not in record:
        return bool(old.get("last_modified") == record.get("last_modified"))
    # The API does not learn when S3 took its upload, but knows it nearly.
    apart = parse_timestamp(record["last_modified"]) - parse_timestamp(old["uploaded_at"])
    return abs(apart.total_seconds()) <= _UPLOAD_SECONDS


def _says_the_same(old: Item, new: Item) -> bool:
    """Whether two items differ in nothing but when they were written."""
    return all(
        old.get(name) == new.get(name) for name in (old.keys() | new.keys()) - {"revision", "expires_at"}
    )


def _outcome(old: Item | None, new: Item) -> str:
    before, after = old is not None and is_record(old), is_record(new)
    if before and after:
        return "updated"
    return "created" if after else "removed" if before else "unchanged"


def _call(operation: Callable[..., Any], **parameters: Any) -> Any:
    try:
        return operation(**parameters)
    except (ClientError, ConnectionFailed, HTTPClientError) as error:
        if _is_busy(error):
            raise CatalogueBusy("the catalogue is busy; try again shortly") from error
        raise


def _condition_failed(error: Exception) -> Item | None:
    """The item that stood in the way of a conditional write ({}: none); None: another error."""
    if not isinstance(error, ClientError):
        return None
    response: dict[str, Any] = dict(error.response)
    code = response.get("Error", {}).get("Code")
    if code == "ConditionalCheckFailedException":
        return from_dynamodb(response.get("Item") or {})
    if code == "TransactionCanceledException":
        for reason in response.get("CancellationReasons", []):
            if reason.get("Code") == "ConditionalCheckFailed":
                return from_dynamodb(reason.get("Item") or {})
    return None


def _is_busy(error: Exception) -> bool:
    """Whether trying again may help; a connection that broke may have done its work, which `revision` then shows."""
    if not isinstance(error, ClientError):
        return True
    code = error.response.get("Error", {}).get("Code")
    if code == "TransactionCanceledException":
        codes = {reason.get("Code") for reason in error.response.get("CancellationReasons", [])} - {
            "None",
            None,
        }
        return bool(codes) and codes <= _BUSY_CODES
    return code in _BUSY_CODES


def _plain(value: Any) -> Any:
    if isinstance(value, Decimal):
        return int(value) if value == value.to_integral_value() else float(value)
    if isinstance(value, list):
        return [_plain(entry) for entry in value]
    if isinstance(value, dict):
        return {name: _plain(entry) for name, entry in value.items()}
    return value


def _exact(value: Any) -> Any:
    if isinstance(value, float):
        return Decimal(repr(value))
    if isinstance(value, list | tuple):
        return [_exact(entry) for entry in value]
    if isinstance(value, dict):
        return {name: _exact(entry) for name, entry in value.items() if entry is not None}
    return value
