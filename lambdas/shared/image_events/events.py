"""The events that `s3_file_event` takes, as a flat list of jobs.

Shapes: Amazon SQS messages that hold S3 event notifications, S3's events from EventBridge or our own repair requests; a
plain S3 event notification (a bucket wired directly, a console test event), `s3:TestEvent`.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from urllib.parse import unquote_plus

from image_catalogue.errors import InvalidEvent
from image_catalogue.records import parse_timestamp

#: The `eventSource` in a message of `tools/ops/reconcile.py`; S3's own say "aws:s3".
REPAIR_SOURCE = "image-metadata:repair"
#: Amazon S3 User Guide, "Event message structure": the sequencer is for PUTs and DELETEs.
_ORDERED = ("ObjectCreated:", "ObjectRemoved:")
#: The detail types of S3's events in EventBridge -> what a notification calls them. An expiry is a deletion there whose
#: reason says so (Amazon S3 User Guide, "EventBridge event message structure").
_DETAIL_TYPES = {
    "Object Created": "ObjectCreated",
    "Object Deleted": "ObjectRemoved",
    "Object Restore Completed": "ObjectRestore",
}
_EXPIRY = "Lifecycle Expiration"


@dataclass(frozen=True)
class Job:
    """One object to look at, and why.

    `key` is decoded. `sequencer` orders the events that created or removed an object of this key; S3 promises an order
    for no others, so a sequencer that comes with an expiry or a restore is dropped. `repair` marks a request of
    reconciliation, which changes the item only if its revision still is `revision`.
    """

    bucket: str
    key: str
    name: str  # the event's name, such as ObjectCreated:Put
    sequencer: str | None = None
    time: datetime | None = None
    etag: str | None = None
    size: int | None = None  # in bytes, of the object that the event is about
    repair: bool = False
    revision: str | None = None

    @property
    def created(self) -> bool:
        """Whether the event says that an object was created."""
        return self.name.startswith("ObjectCreated:")


def is_sqs(event: dict[str, Any]) -> bool:
    """Whether the event is a batch of an SQS event source mapping."""
    records = event.get("Records") or []
    return bool(records) and all(
        isinstance(record, dict) and record.get("eventSource") == "aws:sqs" for record in records
    )


def jobs_of_message(body: str) -> list[Job | InvalidEvent]:
    """The jobs in one SQS message's body, as `jobs_of_notification`; raises `InvalidEvent`."""
    try:
        notification = json.loads(body)
    except (ValueError, RecursionError):
        raise InvalidEvent("the message is not JSON") from None
    return jobs_of_notification(notification)


def jobs_of_notification(notification: Any) -> list[Job | InvalidEvent]:
    """The jobs in one S3 event notification (its structure: Amazon S3 User Guide, "Event message structure"), or in
    one event of S3's from EventBridge.

    An invalid record stands in the list as its `InvalidEvent`, so that the others are still done. `s3:TestEvent`,
    which S3 sends when a notification is configured, has no records. Raises `InvalidEvent` for anything else without
    records.
    """
    if not isinstance(notification, dict):
        raise InvalidEvent("the event is not a JSON object")
    if notification.get("Event") == "s3:TestEvent":
        return []
    if notification.get("source") == "aws.s3":
        return [_bridged(notification)]
    records = notification.get("Records")
    if not isinstance(records, list):
        raise InvalidEvent("the event has no Records; expected an S3 event notification")
    return [_job(record) for record in records]


def _job(record: Any) -> Job | InvalidEvent:
    try:
        bucket, entity = record["s3"]["bucket"]["name"], record["s3"]["object"]
        key = unquote_plus(entity["key"], errors="strict")
        if record.get("eventSource") == REPAIR_SOURCE:
            return Job(bucket, key, record["eventName"], repair=True, revision=record.get("revision"))
        name = record["eventName"].removeprefix("s3:")
        return _event(bucket, key, name, entity, record.get("eventTime"), entity.get("eTag"))
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        return InvalidEvent(f"not an S3 event notification record ({type(error).__name__})")


def _bridged(event: dict[str, Any]) -> Job | InvalidEvent:
    """The job of an event from EventBridge: its key is not encoded, and it is about one object."""
    try:
        detail, kind = event["detail"], _DETAIL_TYPES[event["detail-type"]]
        entity, reason = detail["object"], detail.get("reason", "")
        if kind == "ObjectRemoved" and reason == _EXPIRY:
            kind = "LifecycleExpiration"
        name = f"{kind}:{reason or detail.get('deletion-type', '')}"
        bucket, key = detail["bucket"]["name"], str(entity["key"])
        return _event(bucket, key, name, entity, event.get("time"), entity.get("etag"))
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        return InvalidEvent(f"not an event of S3 from EventBridge ({type(error).__name__})")


def _event(
    bucket: str, key: str, name: str, entity: dict[str, Any], time: str | None, etag: str | None
) -> Job:
    """The job of an event of S3, however it came; raises `ValueError` for a sequencer or a time that is none."""
    sequencer, size = entity.get("sequencer"), entity.get("size")
    if sequencer and name.startswith(_ORDERED):
        int(sequencer, 16)
    else:
        sequencer = None
    when = parse_timestamp(time) if time else None
    return Job(bucket, key, name, sequencer, when, etag, size if isinstance(size, int) else None)
