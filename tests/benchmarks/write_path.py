"""What an event about an image costs: SDK calls, write units, processor time and dollars, by size of batch.

    python -m tests.benchmarks.write_path

The function's own code runs on boto3 against a local AWS in another process, so its processor time is the function's
alone. Beside it runs a handler written the way the usual tutorial writes it: an invocation per notification, the whole
object, Pillow, one PutItem; it keeps no order, no counters and no index.
"""

from __future__ import annotations

import io
import json
import logging
import math
import os
import random
import sys
import tempfile
import time
import tomllib
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

import boto3
from boto3.dynamodb.types import TypeSerializer
from PIL import Image

from image_catalogue import clients
from image_catalogue.catalogue import Catalogue
from image_events.batch import handle
from image_events.indexer import Indexer
from tests.benchmarks.extraction import camera_exif
from tests.benchmarks.reads import item_size
from tests.contract.declared import declared_table
from tools.dev.local_aws import LocalAws, free_port

PRICES = tomllib.loads((Path(__file__).parent / "prices.toml").read_text())
BUCKET, TABLE = "bench-images", "Bench"
IMAGES = 200
BATCHES = (1, 10, 50)
#: What the dollars assume besides what is measured: the function's memory, its share of a core, and a round trip.
MEMORY_GB, CORE_SHARE, ROUND_TRIP_SECONDS = 1.0, 1.0 / 1.769, 0.015
#: What stands in every line beside the message and its fields (a test holds the real lines to it).
LINE = {
    "level": "INFO", "location": "_logged:90", "message": "", "timestamp": "2026-11-26 04:00:00,000+0000",
    "service": "s3_file_event", "cold_start": False, "function_request_id": "c6af9ac6-7b61-11e6-9a41-93e8deadbeef",
}  # fmt: skip
#: Lambda's own START, END and REPORT lines.
LINES_PER_INVOCATION = 330


@dataclass
class Cost:
    """What some events cost in all."""

    images: int
    invocations: int
    calls: Counter[str] = field(default_factory=Counter)
    write_units: float = 0
    bytes_read: int = 0
    log_bytes: int = 0
    processor_seconds: float = 0
    #: Bytes of an item in the table, on average.
    item_bytes: float = 0
    #: Whether events come by a queue.
    queued: bool = True

    def dollars_per_million(self) -> dict[str, float]:
        """US dollars for a million such events, by service."""
        waits = 2 * ROUND_TRIP_SECONDS * self.invocations
        duration = waits + self.processor_seconds / CORE_SHARE
        per = 1e6 / self.images
        return {
            "DynamoDB": self.write_units * per / 1e6 * PRICES["dynamodb_write_units_million"]
            + self.calls["GetItem"] * per / 1e6 * PRICES["dynamodb_read_units_million"],
            "S3": self.calls["GetObject"] * per / 1e6 * PRICES["s3_get_million"],
            # A message is sent alone; received and deleted with its batch.
            "SQS": self.queued * (1 + 2 * self.invocations / self.images) * PRICES["sqs_requests_million"],
            "Lambda": self.invocations * per / 1e6 * PRICES["lambda_requests_million"]
            + duration * MEMORY_GB * per * PRICES["lambda_gb_second"],
            "logs": (self.log_bytes + LINES_PER_INVOCATION * self.invocations)
            * per
            / 1e9
            * PRICES["logs_gb"],
        }


class Meter:
    """Counts what clients ask for. Write units: DynamoDB Developer Guide, "Read/write capacity mode".

    A transaction's write costs two units per KB, an index's one per KB, and two where its key changes. What was written
    is only noted meanwhile and counted by `settle`, so that the counting is in nobody's processor time.
    """

    def __init__(self, table: dict[str, Any]) -> None:
        self.cost = Cost(0, 0)
        self.written: list[tuple[dict[str, Any], bool]] = []
        self.stored: dict[str, dict[str, Any]] = {}
        self.indexes = [
            [key["AttributeName"] for key in index["KeySchema"]]
            for index in table.get("GlobalSecondaryIndexes", [])
        ]

    def watch(self, client: Any) -> None:
        """Count this client's requests, and note what it writes."""
        client.meta.events.register("before-send", self._sent)
        if client.meta.service_model.service_name == "dynamodb":
            for method in ("put_item", "transact_write_items"):
                setattr(client, method, partial(self._write, getattr(client, method)))

    def _sent(self, event_name: str, **_: Any) -> None:
        self.cost.calls[event_name.rpartition(".")[2]] += 1

    def _write(self, write: Callable[..., Any], **asked: Any) -> Any:
        try:
            answer = write(**asked)
        except Exception:
            self.written.append((asked, True))
            raise
        self.written.append((asked, False))
        return answer

    def settle(self) -> None:
        """Count the units of what was written since the last time."""
        for params, failed in self.written:
            for action in params.get("TransactItems", []):
                if "Put" in action:
                    self._put(action["Put"]["Item"], 2, failed)
                else:
                    self.cost.write_units += 2  # a counter is far below a KB
            if "Item" in params:
                item = params["Item"]
                if isinstance(item["image_id"], str):  # boto3's resource types it later
                    item = TypeSerializer().serialize(item)["M"]
                self._put(item, 1, failed)
        self.written = []

    def _put(self, item: dict[str, Any], factor: int, failed: bool) -> None:
        key = item["image_id"]["S"]
        old = self.stored.get(key)
        kilobytes = math.ceil(max(item_size(item), item_size(old) if old else 0) / 1024)
        self.cost.write_units += factor * kilobytes
        if failed:
            return
        for names in self.indexes:
            before = [(old or {}).get(name) for name in names]
            after = [item.get(name) for name in names]
            if before != after:
                self.cost.write_units += kilobytes * ((None not in before) + (None not in after))
            elif None not in after:
                self.cost.write_units += kilobytes
        self.stored[key] = item


class Lines:
    """A logger that counts what it would write, in Powertools' form, and what the lines say was read."""

    def __init__(self) -> None:
        self.bytes = 0
        self.bytes_read = 0

    def info(self, message: str, **fields: Any) -> None:
        self.bytes_read += fields.get("bytes", 0)
        self.bytes += len(json.dumps(LINE | {"message": message} | fields, default=str)) + 1

    error = info


def photograph(number: int) -> bytes:
    """A small JPEG with what a camera writes; each has its own bytes."""
    target = io.BytesIO()
    pixels = Image.frombytes("L", (64, 48), random.Random(number).randbytes(64 * 48)).resize((1600, 1200))
    pixels.save(target, "JPEG", exif=camera_exif(), quality=85)
    return target.getvalue()


def messages(keys: list[str], name: str, number: int) -> dict[str, Any]:
    """An invocation's event: a batch of SQS messages, each with the notification of one object."""
    return {
        "Records": [
            {
                "messageId": key,
                "eventSource": "aws:sqs",
                "body": json.dumps({"Records": [notification(key, name, number)]}),
            }
            for key in keys
        ]
    }


def notification(key: str, name: str, number: int) -> dict[str, Any]:
    """One record of an S3 event notification."""
    entity = {"key": key, "size": 1, "eTag": "", "sequencer": f"{number:016X}"}
    return {
        "eventSource": "aws:s3",
        "eventName": name,
        "eventTime": "2026-11-26T04:00:00.000Z",
        "s3": {"bucket": {"name": BUCKET}, "object": entity},
    }


def usual_handler(event: dict[str, Any], s3: Any, table: Any) -> None:
    """What the usual tutorial deploys."""
    for record in event["Records"]:
        key = record["s3"]["object"]["key"]
        if record["eventName"].startswith("ObjectRemoved"):
            table.delete_item(Key={"image_id": key})
            continue
        answer = s3.get_object(Bucket=BUCKET, Key=key)
        body = answer["Body"].read()
        with Image.open(io.BytesIO(body)) as image:
            exif = {str(tag): str(value) for tag, value in image.getexif().items()}
            item = {
                "image_id": key, "width": image.width, "height": image.height, "format": image.format,
                "file_size": len(body), "upload_date": "2026-11-26T04:00:00", "exif": exif,
            }  # fmt: skip
        table.put_item(Item=item)


@contextmanager
def local_aws() -> Iterator[None]:
    """An emulator in a process of its own, that clients made from now on talk to."""
    with tempfile.TemporaryDirectory() as home:
        local = LocalAws(Path(home), free_port())
        os.environ.update(local.environment())
        local.start(timeout=120)
        try:
            yield
        finally:
            local.stop()


def measure(meter: Meter, invocations: list[Callable[[], Any]], images: int) -> Cost:
    """Run the invocations and return what they cost."""
    meter.cost = Cost(images, len(invocations))
    started = time.process_time()
    for invoke in invocations:
        invoke()
    meter.cost.processor_seconds = time.process_time() - started
    meter.settle()
    meter.cost.item_bytes = sum(map(item_size, meter.stored.values())) / max(1, len(meter.stored))
    return meter.cost


def run(images: int = IMAGES) -> dict[tuple[str, str], Cost]:
    """(handler and batch, kind of event) -> what it cost."""
    logging.getLogger("botocore").setLevel(logging.WARNING)
    costs: dict[tuple[str, str], Cost] = {}
    bodies = [photograph(number) for number in range(images)]
    with local_aws():
        s3, dynamodb = clients.s3(), clients.dynamodb()
        s3.create_bucket(Bucket=BUCKET)
        keys = [f"uploads/2026/{number:05d}.jpg" for number in range(images)]

        def put(shift: int) -> None:
            for number, key in enumerate(keys):
                s3.put_object(Bucket=BUCKET, Key=key, Body=bodies[(number + shift) % images])

        for batch in BATCHES:
            table = declared_table() | {"TableName": f"{TABLE}{batch}"}
            dynamodb.create_table(**table)
            clients.s3.cache_clear()
            ranged_get, own_dynamodb = fresh("ranged_get"), fresh("dynamodb")
            meter = Meter(table)
            meter.watch(clients.s3())
            meter.watch(own_dynamodb)
            indexer = Indexer(
                ranged_get, Catalogue(table["TableName"], client=own_dynamodb), BUCKET, "uploads/"
            )
            for step, (kind, name) in enumerate(KINDS.items()):
                if kind in ("created", "overwritten"):
                    put(step)
                if kind == "removed":
                    for key in keys:
                        s3.delete_object(Bucket=BUCKET, Key=key)
                number = 1 if kind == "created" else 2 + step - (kind == "duplicate")
                log = Lines()
                events = [messages(keys[at : at + batch], name, number) for at in range(0, images, batch)]
                handled = [
                    lambda event=event, log=log, indexer=indexer: handle(
                        event, indexer, time.monotonic() + 60, log
                    )
                    for event in events
                ]
                cost = measure(meter, handled, images)
                cost.log_bytes, cost.bytes_read = log.bytes, log.bytes_read
                costs[(f"batch of {batch}", kind)] = cost
        dynamodb.create_table(
            TableName="Usual",
            KeySchema=[{"AttributeName": "image_id", "KeyType": "HASH"}],
            AttributeDefinitions=[{"AttributeName": "image_id", "AttributeType": "S"}],
            BillingMode="PAY_PER_REQUEST",
        )
        usual_s3 = fresh("s3")
        usual = boto3.resource("dynamodb")
        meter = Meter({})
        meter.watch(usual_s3)
        meter.watch(usual.meta.client)
        put(0)
        for kind in ("created", "overwritten"):
            events = [{"Records": [notification(key, KINDS[kind], 1)]} for key in keys]
            handled = [
                lambda event=event: usual_handler(event, usual_s3, usual.Table("Usual")) for event in events
            ]
            costs[("usual", kind)] = measure(meter, handled, images)
            costs[("usual", kind)].bytes_read = sum(map(len, bodies))
            costs[("usual", kind)].queued = False  # S3 calls it
        costs[("boto3, GetObject alone", "")] = measure(
            meter,
            [
                lambda key=key: usual_s3.get_object(Bucket=BUCKET, Key=key, Range="bytes=0-65535")[
                    "Body"
                ].read()
                for key in keys
            ],
            images,
        )
    return costs


KINDS = {
    "created": "ObjectCreated:Put",
    "overwritten": "ObjectCreated:Put",
    "duplicate": "ObjectCreated:Put",
    "removed": "ObjectRemoved:Delete",
}


def fresh(service: str) -> Any:
    """A client of its own, with the functions' settings."""
    maker: Any = getattr(clients, service)
    return maker.__wrapped__()


def table_of(costs: dict[tuple[str, str], Cost]) -> str:
    """The costs as a Markdown table, per image."""
    lines = [
        "| | event | SDK calls | write units | processor ms | KB read | US$ per million |",
        "|---|---|---:|---:|---:|---:|---:|",
    ]
    for (who, kind), cost in costs.items():
        calls = sum(cost.calls.values()) / cost.images
        lines.append(
            f"| {who} | {kind} | {calls:.2f} | {cost.write_units / cost.images:.2f} | "
            f"{1000 * cost.processor_seconds / cost.images:.2f} | {cost.bytes_read / cost.images / 1000:.1f} | "
            + (f"{sum(cost.dollars_per_million().values()):.2f} |" if kind else "|")
        )
    return "\n".join(lines)


if __name__ == "__main__":
    results = run(int(sys.argv[1]) if len(sys.argv) > 1 else IMAGES)
    print(table_of(results))
    for (who, kind), cost in results.items():
        if kind == "created":
            parts = ", ".join(f"{name} {value:.2f}" for name, value in cost.dollars_per_million().items())
            print(f"{who}: {parts}")
