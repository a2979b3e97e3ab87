"""The table in DynamoDB: typed attributes, requests, transactions with their counters, and retries.

The SDK's errors about the table are translated here, by their codes, and nowhere else. Items are typed here too, since
boto3's types are not to be had without all of boto3 (`clients`).
"""

from __future__ import annotations

import random
import re
import time
from collections.abc import Callable, Iterator
from decimal import Clamped, Context, Decimal, Inexact, Overflow, Rounded, Underflow
from typing import Any
from uuid import uuid4

from botocore.exceptions import ClientError, HTTPClientError
from botocore.exceptions import ConnectionError as ConnectionFailed

from .errors import CatalogueBusy
from .items import Item, count_difference, sum_of
from .settings import DEFAULT_COUNTER_SHARDS

COUNTER_PREFIX = "#summary#"
#: Object keys that look like a counter's id are stored with one more # in front (`stored_id`).
_LIKE_A_COUNTER = re.compile(f"#*{COUNTER_PREFIX}")
#: Attribute that grows with every change: shows that a counter was changed, even if it was changed back.
COUNTER_CHANGES = "changes"
#: How long a write goes on trying against conflicts and throttles when the caller names no deadline.
DEFAULT_PATIENCE_SECONDS = 5.0
_FIRST_PAUSE_SECONDS = 0.02
_LONGEST_PAUSE_SECONDS = 1.0
#: BatchGetItem may leave keys for another request, which throttling makes it do.
_BATCH_ROUNDS = 5
#: DynamoDB Developer Guide, "Error handling with DynamoDB": what the same request may be spared later.
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
#: Numbers as DynamoDB holds them, anything else is an error (DynamoDB Developer Guide, "Data types: Number").
_NUMBER = Context(prec=38, Emin=-128, Emax=126, traps=[Clamped, Overflow, Inexact, Rounded, Underflow])
#: The system's: functions that start from one snapshot (`snap_start`) would share a state of Python's own.
_CHANCE = random.SystemRandom()


class Table:
    """The table `name`; `client` is a boto3 DynamoDB client (the shared one by default)."""

    def __init__(self, name: str, client: Any = None, counter_shards: int = DEFAULT_COUNTER_SHARDS) -> None:
        if client is None:
            from .clients import dynamodb

            client = dynamodb()
        self.name = name
        self.client = client
        self.counter_shards = counter_shards

    def get(self, image_id: str) -> Item | None:
        """One item, strongly consistent. One read unit per 4 KB. Raises `CatalogueBusy`."""
        answer = _call(
            self.client.get_item,
            TableName=self.name,
            Key={"image_id": {"S": stored_id(image_id)}},
            ConsistentRead=True,
        )
        return from_dynamodb(answer["Item"]) if "Item" in answer else None

    def query(self, **request: Any) -> Iterator[Item]:
        """The items that a Query finds, page after page as they are wanted. Raises `CatalogueBusy`."""
        while True:
            answer = _call(self.client.query, TableName=self.name, **request)
            yield from map(from_dynamodb, answer["Items"])
            if "LastEvaluatedKey" not in answer:
                return
            request["ExclusiveStartKey"] = answer["LastEvaluatedKey"]

    def counters(self) -> Iterator[Item]:
        """The counter items that exist. Raises `CatalogueBusy`."""
        keys = [{"image_id": {"S": counter_id(shard)}} for shard in range(self.counter_shards)]
        for _ in range(_BATCH_ROUNDS):
            answer = _call(
                self.client.batch_get_item, RequestItems={self.name: {"Keys": keys, "ConsistentRead": True}}
            )
            yield from map(from_dynamodb, answer["Responses"].get(self.name, []))
            keys = answer.get("UnprocessedKeys", {}).get(self.name, {}).get("Keys", [])
            if not keys:
                return
        raise _busy()

    def replace(self, old: Item | None, new: Item, deadline: float | None = None) -> tuple[bool, Item | None]:
        """Put `new` in the place of `old` and count the difference, all or nothing.

        Returns (True, old), or (False, the item found instead of `old`). Raises `CatalogueBusy` when
        conflicts or throttles outlast the deadline (`time.monotonic()` seconds).
        """
        found = self.replace_all([(old, new)], deadline)
        return (False, found[0]) if found else (True, old)

    def replace_all(
        self, pairs: list[tuple[Item | None, Item]], deadline: float | None = None
    ) -> dict[int, Item | None]:
        """For each pair of different images put the second in the place of the first and count the differences.

        All or nothing: returns {} where all is written. Otherwise nothing is, and the answer tells what was found
        instead of a pair's first item (None: no item), by the pair's number. Raises as `replace`.
        """
        deadline = deadline if deadline is not None else time.monotonic() + DEFAULT_PATIENCE_SECONDS
        pairs = [(old, new | {"revision": uuid4().hex[:16]}) for old, new in pairs]
        puts = [self._put(old, new) for old, new in pairs]
        differences = [count_difference(old, new) for old, new in pairs]
        amounts = sum_of(differences)
        # Any counter will do, since readers only use the sum; after a conflict it is the next one.
        counter = _CHANCE.randrange(self.counter_shards)
        attempt = 0
        while True:
            try:
                if len(puts) > 1 or any(differences):
                    actions = [{"Put": put} for put in puts]
                    if any(differences):
                        shard = (counter + attempt) % self.counter_shards
                        actions.append({"Update": self.add_to_counter(shard, amounts)})
                    self.client.transact_write_items(TransactItems=actions)
                else:
                    self.client.put_item(**puts[0])
                return {}
            except (ClientError, ConnectionFailed, HTTPClientError) as error:
                found = _conditions_failed(error)
                if found:
                    # Our own write, where only its answer was lost: then all of it was done, since nothing is in part.
                    if any(
                        item.get("revision") == pairs[number][1]["revision"] for number, item in found.items()
                    ):
                        return {}
                    return {number: item or None for number, item in found.items()}
                if not _is_busy(error):
                    raise
                _pause(attempt, deadline, error)
                attempt += 1

    def _put(self, old: Item | None, new: Item) -> dict[str, Any]:
        """A Put on the condition that the item still is `old`."""
        put: dict[str, Any] = {
            "TableName": self.name,
            "Item": to_dynamodb(new | {"image_id": stored_id(new["image_id"])}),
            "ReturnValuesOnConditionCheckFailure": "ALL_OLD",
        }
        if old is None:
            return put | {"ConditionExpression": "attribute_not_exists(image_id)"}
        return put | {
            "ConditionExpression": "revision = :seen",
            "ExpressionAttributeValues": {":seen": {"S": old["revision"]}},
        }

    def add_to_counter(self, shard: int, amounts: dict[str, int]) -> dict[str, Any]:
        """An Update that adds `amounts` (counter attribute -> amount) to one counter item."""
        names = {f"#{number}": name for number, name in enumerate(amounts)}
        return {
            "TableName": self.name,
            "Key": {"image_id": {"S": counter_id(shard)}},
            "UpdateExpression": "ADD "
            + ", ".join(["#changes :one", *(f"{alias} :{alias[1:]}" for alias in names)]),
            "ExpressionAttributeNames": names | {"#changes": COUNTER_CHANGES},
            "ExpressionAttributeValues": {
                f":{number}": {"N": str(amount)} for number, amount in enumerate(amounts.values())
            }
            | {":one": {"N": "1"}},
        }


def counter_id(shard: int) -> str:
    """The `image_id` of a counter item as it is stored: no image's is stored so."""
    return f"{COUNTER_PREFIX}{shard:02d}"


def is_counter(attributes: Item) -> bool:
    """Whether an item, with its typed attributes, is a counter."""
    return bool(attributes["image_id"]["S"].startswith(COUNTER_PREFIX))


def stored_id(image_id: str) -> str:
    """An image id as the table stores it: in a bucket that is catalogued whole, a key may look like a counter's."""
    return f"#{image_id}" if _LIKE_A_COUNTER.match(image_id) else image_id


def _image_id(stored: str) -> str:
    likened = not stored.startswith(COUNTER_PREFIX) and _LIKE_A_COUNTER.match(stored)
    return stored[1:] if likened else stored


def amounts_of(counter: Item) -> dict[str, int]:
    """What a counter item counts: attribute -> amount."""
    return {name: counter[name] for name in counter.keys() - {"image_id", COUNTER_CHANGES}}


def from_dynamodb(attributes: Item) -> Item:
    """DynamoDB's typed attributes as JSON types."""
    item = {name: _plain(value) for name, value in attributes.items()}
    if "image_id" in item:
        item["image_id"] = _image_id(item["image_id"])
    return item


def to_dynamodb(item: Item) -> Item:
    """JSON types as DynamoDB's typed attributes."""
    return {name: _typed(value) for name, value in item.items() if value is not None}


def _busy() -> CatalogueBusy:
    return CatalogueBusy("the catalogue is busy; try again shortly")


def _call(operation: Callable[..., Any], **parameters: Any) -> Any:
    try:
        return operation(**parameters)
    except (ClientError, ConnectionFailed, HTTPClientError) as error:
        if _is_busy(error):
            raise _busy() from error
        raise


def _pause(attempt: int, deadline: float, error: Exception) -> None:
    """Wait before the next attempt, longer each time; raises `CatalogueBusy` where the deadline comes first."""
    longest = min(_LONGEST_PAUSE_SECONDS, _FIRST_PAUSE_SECONDS * 2**attempt)
    pause = longest * _CHANCE.uniform(0.5, 1.5)
    if time.monotonic() + pause >= deadline:
        raise _busy() from error
    time.sleep(pause)


def _conditions_failed(error: Exception) -> dict[int, Item]:
    """The items that conditions met instead of the expected ones ({}: no item), by the numbers of their puts."""
    if not isinstance(error, ClientError):
        return {}
    response: dict[str, Any] = dict(error.response)
    code = response.get("Error", {}).get("Code")
    if code == "ConditionalCheckFailedException":
        return {0: from_dynamodb(response.get("Item") or {})}
    if code != "TransactionCanceledException":
        return {}
    return {
        number: from_dynamodb(reason.get("Item") or {})
        for number, reason in enumerate(response.get("CancellationReasons", []))
        if reason.get("Code") == "ConditionalCheckFailed"
    }


def _is_busy(error: Exception) -> bool:
    """Whether trying again may help. A broken connection may hide a write that was done: `revision` shows it."""
    if not isinstance(error, ClientError):
        return True
    code = error.response.get("Error", {}).get("Code")
    if code == "TransactionCanceledException":
        reasons = error.response.get("CancellationReasons", [])
        codes = {reason.get("Code") for reason in reasons} - {"None", None}
        return bool(codes) and codes <= _BUSY_CODES
    return code in _BUSY_CODES


def _plain(value: dict[str, Any]) -> Any:
    """What a typed attribute value holds."""
    ((kind, content),) = value.items()
    if kind == "N":
        number = Decimal(content)
        return int(number) if number == number.to_integral_value() else float(number)
    if kind == "M":
        return {name: _plain(entry) for name, entry in content.items()}
    if kind == "L":
        return [_plain(entry) for entry in content]
    return None if kind == "NULL" else content


def _typed(value: Any) -> dict[str, Any]:
    """A JSON value as a typed attribute value (DynamoDB API Reference, "AttributeValue").

    Raises TypeError for what is no JSON, and decimal's errors for numbers that DynamoDB cannot hold.
    """
    if isinstance(value, str):
        return {"S": value}
    if isinstance(value, bool):
        return {"BOOL": value}
    if isinstance(value, int | float):
        number = _NUMBER.create_decimal(repr(value))
        if not number.is_finite():
            raise TypeError(f"DynamoDB holds no {value}")
        return {"N": str(number)}
    if isinstance(value, dict):
        return {"M": to_dynamodb(value)}
    if isinstance(value, list | tuple):
        return {"L": [_typed(entry) for entry in value]}
    if value is None:
        return {"NULL": True}
    raise TypeError(f"no JSON value: {type(value).__name__}")
