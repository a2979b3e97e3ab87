"""Four clients at once, events repeated, swapped and late, workers killed: the catalogue equals the bucket.

`STORM_OPERATIONS` (default 240) is the number of operations; `make storm` runs 2,000.
"""

from __future__ import annotations

import contextlib
import json
import os
import random
import signal
import subprocess
import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from image_catalogue.dynamodb import from_dynamodb
from image_catalogue.items import is_record, public
from tests.support.invariants import differences
from tests.support.pictures import numbered_picture
from tests.support.stack import Site, Stack, eventually, path_of

OPERATIONS = int(os.environ.get("STORM_OPERATIONS", "240"))
CLIENTS = 4
KILLS = max(2, OPERATIONS // 200)
SETTLE_SECONDS = 300
KILLED = 502  # what the gateway answers when the function dies under a request


@pytest.fixture(scope="module")
def stack(lab_stack: Stack) -> Stack:
    """A deployment where nothing but the storm happens."""
    return lab_stack


@pytest.fixture(scope="module")
def stormy(stack: Stack) -> Stack:
    """The session's deployment, with failed batches coming back after seconds instead of minutes."""
    stack.sqs.set_queue_attributes(
        QueueUrl=stack.outputs["queue_url"], Attributes={"VisibilityTimeout": "10"}
    )
    return stack


class Client:
    """One of the storm's clients: random operations on keys that all clients share."""

    def __init__(self, stack: Stack, seed: int) -> None:
        self._stack = stack
        self._random = random.Random(seed)
        self._number = seed * 100_000
        self.done: dict[str, int] = {}

    def run(self, operations: int) -> None:
        weights = {
            self.put: 40,
            self.delete: 12,
            self.copy: 10,
            self.upload: 8,
            self.delete_by_api: 6,
            self.repeat_an_event: 12,
            self.send_a_late_event: 12,
        }
        for _ in range(operations):
            operation = self._random.choices(list(weights), list(weights.values()))[0]
            operation()
            self.done[operation.__name__] = self.done.get(operation.__name__, 0) + 1

    def _key(self) -> str:
        return f"uploads/storm/{self._random.randrange(40)} é+%.png"

    def _body(self) -> bytes:
        self._number += 1
        return numbered_picture(self._number)

    def put(self) -> None:
        self._stack.s3.put_object(Bucket=self._stack.bucket, Key=self._key(), Body=self._body())

    def delete(self) -> None:
        self._stack.s3.delete_object(Bucket=self._stack.bucket, Key=self._key())

    def copy(self) -> None:
        source = {"Bucket": self._stack.bucket, "Key": self._key()}
        try:
            self._stack.s3.copy_object(Bucket=self._stack.bucket, Key=self._key(), CopySource=source)
        except self._stack.s3.exceptions.ClientError as error:
            if error.response["Error"]["Code"] not in ("NoSuchKey", "InvalidRequest"):
                raise

    def upload(self) -> None:
        answer = self._stack.call("POST", "/upload", data=self._body(), headers={"Content-Type": "image/png"})
        assert answer.status_code in (201, KILLED), answer.text

    def delete_by_api(self) -> None:
        answer = self._stack.call("DELETE", "/images/" + path_of(self._key()))
        assert answer.status_code in (204, 404, KILLED), answer.text

    def repeat_an_event(self) -> None:
        key = self._key()
        item = self._stack.dynamodb.get_item(
            TableName=self._stack.outputs["table"], Key={"image_id": {"S": key}}
        )
        sequencer = from_dynamodb(item.get("Item", {})).get("sequencer")
        if sequencer:
            self._send(key, sequencer)

    def send_a_late_event(self) -> None:
        self._send(self._key(), "01")

    def _send(self, key: str, sequencer: str) -> None:
        name = self._random.choice(("ObjectCreated:Put", "ObjectRemoved:Delete"))
        self._stack.send(self._stack.event(key, name, sequencer))


def workers(site: Site) -> list[int]:
    """The process ids of the local AWS's Lambda workers."""
    server = site.local.status()
    assert server is not None
    listing = subprocess.run(["ps", "-e", "-o", "pid=,ppid="], capture_output=True, text=True, check=True)
    pairs = [tuple(map(int, line.split())) for line in listing.stdout.splitlines()]
    return [pid for pid, parent in pairs if parent == server.pid]


def kill(pid: int) -> None:
    """Kill a worker, or find that it has ended by itself."""
    with contextlib.suppress(ProcessLookupError):
        os.kill(pid, signal.SIGKILL)


def kill_workers(stack: Stack, stop: threading.Event, kills: list[int]) -> None:
    """Kill a worker now and then, as long as the storm lasts."""
    chance = random.Random(7)
    while not stop.wait(1.0) and len(kills) < KILLS:
        running = workers(stack.site)
        if running and stack.messages("queue_url"):
            victim = chance.choice(running)
            kill(victim)
            kills.append(victim)


def test_a_storm_leaves_no_difference(stormy: Stack) -> None:
    stack, stop, kills = stormy, threading.Event(), []
    killer = threading.Thread(target=kill_workers, args=(stack, stop, kills))
    clients = [Client(stack, seed) for seed in range(1, CLIENTS + 1)]
    killer.start()
    try:
        with ThreadPoolExecutor(CLIENTS) as pool:
            list(pool.map(lambda client: client.run(OPERATIONS // CLIENTS), clients))
    finally:
        stop.set()
        killer.join()
    stack.drained(SETTLE_SECONDS)
    total = {name: sum(client.done.get(name, 0) for client in clients) for name in clients[0].done}
    print(f"storm: {total}, {len(kills)} workers killed")
    assert differences(stack.s3, stack.dynamodb, stack.bucket, stack.outputs["table"]) == []
    assert stack.messages("dead_letter_queue_url") == 0
    search_says_what_the_table_does(stack)


def search_says_what_the_table_does(stack: Stack) -> None:
    """Before all changes are merged, and after."""
    pages = stack.dynamodb.get_paginator("scan").paginate(
        TableName=stack.outputs["table"], ConsistentRead=True
    )
    items = [from_dynamodb(attributes) for page in pages for attributes in page["Items"]]
    records = sorted(
        (public(item) for item in items if is_record(item)), key=lambda record: str(record["image_id"])
    )
    eventually(lambda: stack.found() == records, "search says what the table does", SETTLE_SECONDS)
    stack.invoke("compact_catalogue", {"now": True})
    assert stack.found() == records


def test_workers_killed_in_the_middle_of_a_batch_lose_nothing(stormy: Stack) -> None:
    stack = stormy
    keys = [f"uploads/killed/{number}.png" for number in range(60)]
    for number, key in enumerate(keys):
        stack.s3.put_object(Bucket=stack.bucket, Key=key, Body=numbered_picture(500_000 + number))
        if number % 20 == 10:
            for pid in eventually(lambda: workers(stack.site), "a worker"):
                kill(pid)
    stack.drained(SETTLE_SECONDS)
    assert differences(stack.s3, stack.dynamodb, stack.bucket, stack.outputs["table"]) == []
    assert all(stack.record(key).json()["status"] == "ok" for key in keys)
    assert stack.messages("dead_letter_queue_url") == 0


def redrive(stack: Stack) -> None:
    """What `aws sqs start-message-move-task` does; the local AWS has no such action."""
    source = stack.outputs["dead_letter_queue_url"]
    while messages := stack.sqs.receive_message(QueueUrl=source, MaxNumberOfMessages=10).get("Messages"):
        for message in messages:
            stack.sqs.send_message(QueueUrl=stack.outputs["queue_url"], MessageBody=message["Body"])
            stack.sqs.delete_message(QueueUrl=source, ReceiptHandle=message["ReceiptHandle"])


def test_a_fault_mended_later_loses_nothing(pixels_stack: Stack) -> None:
    """Events that a missing permission sent to the dead-letter queue are done once they are sent back."""
    stack, keys = pixels_stack, [f"uploads/redriven/{number}.png" for number in range(5)]
    iam, role = stack.site.client("iam"), f"{stack.outputs['function_names']['s3_file_event']}"
    documents = {
        name: iam.get_role_policy(RoleName=role, PolicyName=name)["PolicyDocument"]
        for name in iam.list_role_policies(RoleName=role)["PolicyNames"]
    }
    ((policy, document),) = (
        (name, held) for name, held in documents.items() if "s3:GetObject" in json.dumps(held)
    )
    stack.sqs.set_queue_attributes(QueueUrl=stack.outputs["queue_url"], Attributes={"VisibilityTimeout": "1"})
    allowed = [entry for entry in document["Statement"] if "s3:GetObject" not in entry["Action"]]
    iam.put_role_policy(
        RoleName=role, PolicyName=policy, PolicyDocument=json.dumps({**document, "Statement": allowed})
    )
    try:
        for number, key in enumerate(keys):
            stack.s3.put_object(Bucket=stack.bucket, Key=key, Body=numbered_picture(600_000 + number))
        eventually(lambda: stack.messages("dead_letter_queue_url") == len(keys), "the events given up on")
    finally:
        iam.put_role_policy(RoleName=role, PolicyName=policy, PolicyDocument=json.dumps(document))
    redrive(stack)
    for key in keys:
        eventually(lambda key=key: stack.record(key).status_code == 200, f"{key} redriven")
    assert stack.messages("dead_letter_queue_url") == 0
