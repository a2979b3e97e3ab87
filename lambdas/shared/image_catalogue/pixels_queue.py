"""The queue of images whose pixels are to be looked at: what a message says, and who is sent one."""

from __future__ import annotations

import json
from collections.abc import Iterable
from functools import lru_cache
from typing import Any

from .errors import CatalogueBusy, InvalidEvent
from .groups import groups
from .items import Item

#: Messages that one request takes (Amazon SQS API Reference, "SendMessageBatch").
_AT_ONCE = 10


def wants(before: Item | None, after: Item | None) -> bool:
    """Whether a change of a record (as clients see it) asks for a look: another object, and a picture."""
    if after is None or after["status"] != "ok" or "pixels" in after:
        return False
    return before is None or before["etag"] != after["etag"]


def message(record: Item) -> str:
    """The message about a record."""
    return json.dumps({name: record[name] for name in ("image_id", "etag")})


def send(client: Any, queue: str, records: Iterable[Item]) -> int:
    """Send a message for each record to the queue of this name; returns how many. Raises `CatalogueBusy`."""
    sent = 0
    for some in groups(records, _AT_ONCE):
        entries = [{"Id": str(number), "MessageBody": message(record)} for number, record in enumerate(some)]
        answer = client.send_message_batch(QueueUrl=_url(client, queue), Entries=entries)
        if answer.get("Failed"):
            raise CatalogueBusy("the queue of pixels does not take messages now")
        sent += len(entries)
    return sent


def parse(body: str) -> tuple[str, str]:
    """The image id and the ETag in a message; raises `InvalidEvent`."""
    try:
        told = json.loads(body)
        image_id, etag = told["image_id"], told["etag"]
    except (ValueError, TypeError, KeyError, RecursionError):
        raise InvalidEvent("the message names no image") from None
    if not isinstance(image_id, str) or not isinstance(etag, str):
        raise InvalidEvent("the message names no image")
    return image_id, etag


@lru_cache(maxsize=4)
def _url(client: Any, queue: str) -> str:
    url: str = client.get_queue_url(QueueName=queue)["QueueUrl"]
    return url
