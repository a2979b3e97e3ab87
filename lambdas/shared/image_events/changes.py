"""What goes out: the changes that the table's stream tells of, as rows for search and as events for others.

Amazon DynamoDB Developer Guide, "Change data capture for DynamoDB Streams": the records of one item come in order, each
at least once.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from image_catalogue.dynamodb import from_dynamodb
from image_catalogue.groups import groups
from image_catalogue.items import Item, is_record, part_of, public

#: `Source` and `DetailType` of the events (Amazon EventBridge User Guide, "Events").
EVENT_SOURCE = "image-metadata"
CATALOGUED, CHANGED, REMOVED = "Image Catalogued", "Image Changed", "Image Removed"
#: One PutEvents request takes ten events that come to 256 KB (Amazon EventBridge API Reference, "PutEvents").
_ENTRIES_AT_ONCE, _BYTES_AT_ONCE = 10, 240_000
_SEND_ATTEMPTS = 3


@dataclass(frozen=True)
class Change:
    """What happened to an image: its record before and after (None: there is none), as clients see it."""

    sequence: str  # its place in the stream
    image_id: str
    part: str
    before: Item | None
    after: Item | None
    revision: str | None
    forgotten: bool = False  # the metadata was deleted, the file is there

    @property
    def kind(self) -> str:
        """The event's DetailType."""
        return REMOVED if self.after is None else CATALOGUED if self.before is None else CHANGED

    def detail(self) -> dict[str, Any]:
        """What an event tells."""
        detail: dict[str, Any] = {"image_id": self.image_id, "record": self.after or self.before}
        if self.revision:
            detail["revision"] = self.revision
        if self.kind == CHANGED:
            detail["changed"] = sorted(_differences(self.before or {}, self.after or {}))
        if self.kind == REMOVED:
            detail["reason"] = "forgotten" if self.forgotten else "removed"
        return detail


def changes_of(event: dict[str, Any]) -> list[Change]:
    """The changes of records in a batch of the stream, in its order; counters and markers by themselves change none."""
    changes = []
    for entry in event.get("Records", ()):
        told = entry["dynamodb"]
        old, new = (from_dynamodb(told.get(name) or {}) for name in ("OldImage", "NewImage"))
        before, after = (item if is_record(item) else None for item in (old, new))
        known = after or before
        if known is None:
            continue
        # The item's part is for good: what it says last holds, and a removal by hand leaves only what it said before.
        part = part_of(new) or part_of(old)
        if part is None:  # no item of ours: every record says when it was uploaded
            continue
        changes.append(
            Change(
                sequence=told["SequenceNumber"],
                image_id=known["image_id"],
                part=part,
                before=public(before) if before else None,
                after=public(after) if after else None,
                revision=new.get("revision"),
                forgotten=new.get("state") == "forgotten",
            )
        )
    return changes


def send(client: Any, changes: Iterable[Change]) -> str | None:
    """Put the changes on the default event bus, in order; answers the sequence of the first that it did not take."""
    entries = ((change.sequence, _entry(change)) for change in changes)
    for waiting in groups(entries, _ENTRIES_AT_ONCE, _BYTES_AT_ONCE, lambda each: _size(each[1])):
        for _ in range(_SEND_ATTEMPTS):
            results = client.put_events(Entries=[entry for _, entry in waiting])["Entries"]
            waiting = [each for each, result in zip(waiting, results, strict=True) if result.get("ErrorCode")]
            if not waiting:
                break
        else:
            return waiting[0][0]
    return None


def _entry(change: Change) -> dict[str, str]:
    detail = json.dumps(change.detail(), ensure_ascii=False, separators=(",", ":"))
    return {"Source": EVENT_SOURCE, "DetailType": change.kind, "Detail": detail}


def _size(entry: dict[str, str]) -> int:
    """What counts of an entry, with room for its other members."""
    return len(entry["Detail"].encode()) + 200


def _differences(before: Any, after: Any, name: str = "") -> Iterable[str]:
    """The names of the fields that differ, those of groups dotted: `camera.make`."""
    if not isinstance(before, dict) or not isinstance(after, dict):
        return [name] if before != after else []
    return [
        changed
        for member in before.keys() | after.keys()
        for changed in _differences(
            before.get(member), after.get(member), f"{name}.{member}" if name else member
        )
    ]
