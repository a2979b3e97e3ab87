"""What an item of the table is, which item follows from what the bucket holds, and what counts. Knows no AWS.

An item is one of three things: a *record*; a *tombstone* (the object is gone; kept for 15 days, so that a late
"created" changes nothing); a *forgotten* marker (the object is there, but the user deleted its metadata). Only
records carry index attributes and only records count. Counters are items too; `dynamodb` keeps them.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Iterable
from hashlib import blake2s
from typing import Any, NamedTuple

from .records import parse_timestamp

Item = dict[str, Any]

#: A tombstone stops a writer that looked at the bucket before the object was gone, and saves late events a look at
#: the bucket. It outlives them: a queue keeps a message for 14 days at most.
TOMBSTONE_SECONDS = 15 * 24 * 3600

#: Attributes that only the catalogue itself needs; no answer shows them.
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
        "part",
    )
)
#: What belongs to the key and not to the object: each item takes it over from the item that it replaces. `part` is
#: where the search snapshot keeps the image (`part_of`): a reader could miss an image that moved.
_INHERITED = ("sequencer", "part")
#: What distinguishes one object from the next under the same key.
_IDENTITY = ("etag", "version_id", "last_modified")
#: What only the first writer of an object's record knew (the API from its request, or the event): a later reading of
#: the object cannot find it out again.
_KEPT_FROM_FIRST_WRITER = ("uploaded_at", "filename", "declared_content_type")
#: An object that the API uploads is in the bucket within this time of its record's `uploaded_at`.
_UPLOAD_SECONDS = 60


class Counted(NamedTuple):
    """One figure of the summary.

    `of` returns the amount that a record adds, and `attribute` is the figure's name in a counter item. Or `of` returns
    the value that a record is counted under (None: under none): there is a count per value then, and the value
    follows `attribute`, which ends in a colon.
    """

    attribute: str
    of: Callable[[Item], int | str | None]

    def figure(self, totals: dict[str, int]) -> int | dict[str, int]:
        """The figure, from all counters' sums by attribute."""
        if not self.attribute.endswith(":"):
            return totals.get(self.attribute, 0)
        return {
            name.removeprefix(self.attribute): amount
            for name, amount in sorted(totals.items())
            if name.startswith(self.attribute) and amount > 0
        }


#: What counts, by its name in the summary's answer. A new line here is counted from the next write on;
#: `tools/ops/reconcile.py --repair` adds the records that are there already.
COUNTED: dict[str, Counted] = {
    "count": Counted("count", lambda record: 1),  # noqa: ARG005 - every record is one
    "total_size": Counted("total_size", lambda record: record["size"]),
    "content_types": Counted("type:", lambda record: record.get("content_type")),
    "statuses": Counted("status:", lambda record: record["status"]),
}


def contribution(item: Item | None) -> dict[str, int]:
    """What an item adds to the summary: counter attribute -> amount."""
    if item is None or not is_record(item):
        return {}
    amounts: dict[str, int] = {}
    for attribute, of in COUNTED.values():
        value = of(item)
        if isinstance(value, str):
            amounts[attribute + value] = 1
        elif value is not None:
            amounts[attribute] = value
    return amounts


def count_difference(old: Item | None, new: Item | None) -> dict[str, int]:
    """What the summary changes by when `new` replaces `old`; only what changes."""
    before, after = contribution(old), contribution(new)
    changes = {name: after.get(name, 0) - before.get(name, 0) for name in before | after}
    return {name: change for name, change in changes.items() if change}


def sum_of(differences: Iterable[dict[str, int]]) -> dict[str, int]:
    """What the summary changes by in all; only what changes."""
    total: Counter[str] = Counter()
    for difference in differences:
        total.update(difference)
    return {name: change for name, change in total.items() if change}


def is_record(item: Item) -> bool:
    """Whether an item is a record: no tombstone, no forgotten marker, no counter."""
    return item.get("state") == "record"


def public(item: Item) -> Item:
    """A record as clients see it."""
    return {name: value for name, value in item.items() if name not in INTERNAL}


def normalise_sequencer(sequencer: str | None) -> str | None:
    """S3's hexadecimal sequencer as a text whose order is the events' order.

    Amazon S3 User Guide, "Event message structure": left-pad the shorter with zeros, then compare as text.
    """
    return sequencer.upper().zfill(32) if sequencer else None


def follow(
    old: Item | None,
    seen: Item | None,
    sequencer: str | None,
    image_id: str,
    index_shards: int = 1,
    search_parts: int = 1,
) -> Item:
    """The item that should replace `old` when the bucket holds the object of record `seen` (None: nothing).

    `sequencer` is that of the event that made us look; None keeps the one that is known.
    """
    if seen is None:
        new = _tombstone(image_id)
    elif old is None or not is_same_object(old, seen):
        new = uploaded(seen, index_shards, search_parts)
    elif old["state"] == "forgotten":  # and stays so
        new = old | {"last_modified": seen.get("last_modified")}
    else:
        kept = {name: old[name] for name in _KEPT_FROM_FIRST_WRITER if name in old}
        new = uploaded(seen | kept, index_shards, search_parts)
    if is_record(new) and old is not None and "pixels" in old and old.get("etag") == new["etag"]:
        new = new | {"pixels": old["pixels"]}  # the same bytes are the same picture
    return _inherit(old, new) | ({"sequencer": sequencer} if sequencer else {})


def uploaded(record: Item, index_shards: int, search_parts: int = 1) -> Item:
    """The item of an object that was put: its record, its part, and the attributes that the indexes sort by."""
    digest = blake2s(record["image_id"].encode(), digest_size=8).hexdigest()
    shard = int(digest, 16) % index_shards
    month = record["uploaded_at"][:7]
    return record | {
        "state": "record",
        "part": month if search_parts == 1 else f"{month}-{int(digest, 16) % search_parts:02d}",
        "shard": str(shard),
        "uploaded_key": f"{record['uploaded_at']}#{digest}",
        "size_shard": f"{'image' if record['status'] == 'ok' else 'other'}#{shard}",
        "size_key": f"{record['size']:015d}#{digest}",
    }


def forgotten(old: Item) -> Item:
    """The item of an object whose metadata the user deleted: enough to recognise the object, and no more."""
    kept = {name: old[name] for name in ("uploaded_at", *_IDENTITY) if name in old}
    return _inherit(old, {"image_id": old["image_id"], "state": "forgotten", **kept})


def removed(old: Item) -> Item:
    """The item of an object that the API deleted."""
    return _inherit(old, _tombstone(old["image_id"]))


def _tombstone(image_id: str) -> Item:
    return {"image_id": image_id, "state": "removed", "expires_at": int(time.time()) + TOMBSTONE_SECONDS}


def _inherit(old: Item | None, new: Item) -> Item:
    if old is None:
        return new
    inherited = {name: old[name] for name in _INHERITED if name in old}
    if part := part_of(old):
        inherited["part"] = part
    return new | inherited


def part_of(item: Item) -> str | None:
    """The part of the search snapshot that the image belongs to for good: the month when it was first catalogued.

    An item of before there were parts belongs to the month of its `uploaded_at`; None: it states none.
    """
    part: str | None = item.get("part") or item.get("uploaded_at", "")[:7] or None
    return part


def size_shards(index_shards: int, kinds: Iterable[str] = ("image", "other")) -> list[str]:
    """The partitions of the size index: readable images apart from everything else."""
    return [f"{kind}#{number}" for kind in kinds for number in range(index_shards)]


def is_same_object(old: Item, record: Item) -> bool:
    """Whether both describe the same object, not only the same bytes: putting them again makes another."""
    if old["state"] == "removed" or any(old.get(name) != record.get(name) for name in ("etag", "version_id")):
        return False
    if "last_modified" in old or "last_modified" not in record:
        return bool(old.get("last_modified") == record.get("last_modified"))
    # A record that the API wrote does not state when S3 took the upload, but nearly.
    apart = parse_timestamp(record["last_modified"]) - parse_timestamp(old["uploaded_at"])
    return abs(apart.total_seconds()) <= _UPLOAD_SECONDS


def says_the_same(old: Item, new: Item) -> bool:
    """Whether two items differ in nothing but when they were written."""
    return all(
        old.get(name) == new.get(name) for name in (old.keys() | new.keys()) - {"revision", "expires_at"}
    )


def outcome(old: Item | None, new: Item) -> str:
    """What the change from `old` to `new` means to whoever counts images."""
    before, after = old is not None and is_record(old), is_record(new)
    if before and after:
        return "updated"
    return "created" if after else "removed" if before else "unchanged"
