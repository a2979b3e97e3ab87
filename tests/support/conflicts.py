"""A DynamoDB table in memory that takes time, and refuses what meets a transaction: DynamoDB does, moto does not."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from botocore.exceptions import ClientError

from image_catalogue.catalogue import Catalogue
from image_catalogue.dynamodb import from_dynamodb, is_counter
from image_catalogue.items import Item
from image_catalogue.settings import DEFAULT_COUNTER_SHARDS
from image_events.events import Job
from image_events.indexer import Indexer

from .table import BUCKET, TABLE

Attributes = dict[str, Any]
MOST_ACTIONS = 100


class ConflictingTable:
    """A boto3 client's requests that the catalogue writes with, on one table; safe to share between threads.

    Amazon DynamoDB Developer Guide, "Transactional conflict handling in DynamoDB": a transaction is cancelled where one
    of its items is in another that is going on, and a PutItem is refused. `seconds` is how long a write takes, and a
    transaction holds its items; half of that passes until a conflict is told. There are no lost answers, no tokens and
    no throttles here, and a transaction is seen whole.
    """

    def __init__(self, seconds: float) -> None:
        self.items: dict[str, Attributes] = {}
        self.attempts = self.conflicts = 0  # of transactions
        self.refused = 0  # PutItem requests that met a transaction
        self._seconds = seconds
        self._held: set[str] = set()
        self._lock = threading.Lock()

    def records(self) -> dict[str, Item]:
        """What is stored beside the counters, by image id."""
        stored = [from_dynamodb(item) for item in self.items.values() if not is_counter(item)]
        return {item["image_id"]: item for item in stored}

    def get_item(self, TableName: str, Key: Attributes, ConsistentRead: bool) -> dict[str, Any]:  # noqa: N803
        """The item, whatever is going on."""
        with self._lock:
            item = self.items.get(Key["image_id"]["S"])
        return {} if item is None else {"Item": item}

    def batch_get_item(self, RequestItems: dict[str, Any]) -> dict[str, Any]:  # noqa: N803
        """The items of one table that there are."""
        ((name, asked),) = RequestItems.items()
        with self._lock:
            found = [self.items.get(key["image_id"]["S"]) for key in asked["Keys"]]
        return {"Responses": {name: [item for item in found if item is not None]}, "UnprocessedKeys": {}}

    def put_item(self, **put: Any) -> dict[str, Any]:
        """Write one item on its condition."""
        key = put["Item"]["image_id"]["S"]
        time.sleep(self._seconds)
        with self._lock:
            if key in self._held:
                self.refused += 1
                raise _error("TransactionConflictException", "PutItem")
            if not self._holds(put):
                raise _error("ConditionalCheckFailedException", "PutItem", Item=self._shown(put, key))
            self.items[key] = put["Item"]
        return {}

    def transact_write_items(self, TransactItems: list[dict[str, Attributes]]) -> dict[str, Any]:  # noqa: N803
        """Do all actions, or none and say why."""
        actions = [next(iter(action.values())) for action in TransactItems]
        keys = [
            (action["Item"] if "Item" in action else action["Key"])["image_id"]["S"] for action in actions
        ]
        assert len(actions) <= MOST_ACTIONS
        with self._holding(keys):
            time.sleep(self._seconds)
            with self._lock:
                held = [self._holds(action) for action in actions]
                if not all(held):
                    reasons = [
                        {"Code": "None"} if holds else _failed(self._shown(action, key))
                        for key, action, holds in zip(keys, actions, held, strict=True)
                    ]
                    raise _error("TransactionCanceledException", CancellationReasons=reasons)
                for key, action in zip(keys, actions, strict=True):
                    self.items[key] = action["Item"] if "Item" in action else self._added(key, action)
        return {}

    @contextmanager
    def _holding(self, keys: list[str]) -> Iterator[None]:
        """Keep others from these items; raises where others have one."""
        assert len(keys) == len(set(keys)), "DynamoDB takes one action an item"
        with self._lock:
            self.attempts += 1
            conflicts = [key in self._held for key in keys]
            if any(conflicts):
                self.conflicts += 1
            else:
                self._held.update(keys)
        if any(conflicts):
            time.sleep(self._seconds / 2)
            reasons = [{"Code": "TransactionConflict" if conflict else "None"} for conflict in conflicts]
            raise _error("TransactionCanceledException", CancellationReasons=reasons)
        try:
            yield
        finally:
            with self._lock:
                self._held.difference_update(keys)

    def _holds(self, action: Attributes) -> bool:
        """Whether the condition holds; these are all that the catalogue sets."""
        condition = action.get("ConditionExpression")
        if condition is None:
            return True
        item = self.items.get(action["Item"]["image_id"]["S"])
        if condition == "attribute_not_exists(image_id)":
            return item is None
        assert condition == "revision = :seen", condition
        return item is not None and item.get("revision") == action["ExpressionAttributeValues"][":seen"]

    def _shown(self, action: Attributes, key: str) -> Attributes | None:
        """What a failed condition met, if that was asked for."""
        asked = action.get("ReturnValuesOnConditionCheckFailure") == "ALL_OLD"
        return self.items.get(key) if asked else None

    def _added(self, key: str, update: Attributes) -> Attributes:
        """The item after an `ADD #name :value, ...`."""
        item = dict(self.items.get(key, update["Key"]))
        names, values = update["ExpressionAttributeNames"], update["ExpressionAttributeValues"]
        for pair in update["UpdateExpression"].removeprefix("ADD ").split(", "):
            alias, value = pair.split(" ")
            before = int(item.get(names[alias], {"N": "0"})["N"])
            item[names[alias]] = {"N": str(before + int(values[value]["N"]))}
        return item


class ReadyRecords(Indexer):
    """The indexer on a table in memory; what the bucket holds, `look` says, so that no time goes into reading it."""

    def __init__(
        self,
        client: ConflictingTable,
        look: Callable[[Job], Item | None],
        counter_shards: int = DEFAULT_COUNTER_SHARDS,
    ) -> None:
        self.catalogue = Catalogue(TABLE, client=client, counter_shards=counter_shards)
        super().__init__(None, self.catalogue, BUCKET, ("uploads/",))
        self._ready = look

    def look(
        self, job: Job, cost: dict[str, Any] | None = None, deadline: float | None = None
    ) -> Item | None:
        """The record of what the bucket holds under the job's key."""
        return self._ready(job)


def _failed(item: Attributes | None) -> dict[str, Any]:
    return {"Code": "ConditionalCheckFailed"} | ({} if item is None else {"Item": item})


def _error(code: str, operation: str = "TransactWriteItems", **more: Any) -> ClientError:
    response: Any = {"Error": {"Code": code, "Message": ""}}
    return ClientError(
        response | {name: value for name, value in more.items() if value is not None}, operation
    )
