"""Batches of the table's stream as Lambda hands them to a function."""

from __future__ import annotations

from typing import Any

from image_catalogue.dynamodb import to_dynamodb
from image_catalogue.items import Item


def stream_event(*changes: tuple[Item | None, Item | None], first: int = 1) -> dict[str, Any]:
    """The event of items that became others (None: there was none), with sequence numbers from `first` on."""
    return {"Records": [_entry(first + number, old, new) for number, (old, new) in enumerate(changes)]}


def _entry(sequence: int, old: Item | None, new: Item | None) -> dict[str, Any]:
    known = new or old
    assert known is not None
    told: dict[str, Any] = {
        "Keys": to_dynamodb({"image_id": known["image_id"]}),
        "SequenceNumber": f"{sequence}00000000000{sequence:010d}",
        "StreamViewType": "NEW_AND_OLD_IMAGES",
    }
    if new:
        told["NewImage"] = to_dynamodb(new)
    if old:
        told["OldImage"] = to_dynamodb(old)
    kind = "MODIFY" if old and new else "INSERT" if new else "REMOVE"
    return {"eventName": kind, "eventSource": "aws:dynamodb", "awsRegion": "us-east-1", "dynamodb": told}
