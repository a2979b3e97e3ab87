"""Planted drift in a deployed catalogue: all of it found, repaired through the queue, and gone.

`RECONCILE_OBJECTS` (default 200) is the number of objects; `make storm` takes 20,000. One in 40 is planted.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor
from typing import NamedTuple

import pytest

from image_catalogue.dynamodb import to_dynamodb
from image_catalogue.items import follow
from tests.support.pictures import numbered_picture
from tests.support.records import photograph
from tests.support.stack import ROOT, Stack

OBJECTS = int(os.environ.get("RECONCILE_OBJECTS", "200"))
PLANTED = max(4, OBJECTS // 40)
KINDS = ("missing", "stale", "outdated", "orphaned")


class Run(NamedTuple):
    """One run of the tool: exit code, what it counted, all it said, its peak memory in MB."""

    code: int
    counts: dict[str, int]
    said: str
    peak: int


def reconcile(stack: Stack, *arguments: str) -> Run:
    """Run the tool as a user does."""
    command = [sys.executable, str(ROOT / "tools/ops/reconcile.py"), "--quiet", "--bucket", stack.bucket]
    command += ["--table", stack.outputs["table"], "--queue-url", stack.outputs["queue_url"]]
    command += ["--state", str(stack.site.home / "reconcile.sqlite"), *arguments]
    environment = {**stack.site.environment, "AWS_DEFAULT_REGION": "us-east-1"}
    with tempfile.TemporaryFile("w+", encoding="utf-8") as out:
        process = subprocess.Popen(command, env=environment, stdout=out, stderr=out)
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
        out.seek(0)
        said = out.read()
    counts = {kind: int(count) for count, kind in re.findall(r"^ *(\d+) (\w+):", said, re.MULTILINE)}
    return Run(process.returncode, counts, said, usage.ru_maxrss // 1024)


def plant(stack: Stack, kind: str, number: int, key: str) -> None:
    table, name = stack.outputs["table"], {"image_id": {"S": key}}
    if kind == "missing":
        stack.dynamodb.delete_item(TableName=table, Key=name)
    elif kind == "orphaned":
        item = follow(None, photograph(number) | {"image_id": f"{key} orphan"}, "1", "")
        assert item is not None
        stack.dynamodb.put_item(TableName=table, Item=to_dynamodb(item | {"revision": "planted"}))
    else:
        field, value = ("etag", {"S": "other"}) if kind == "stale" else ("extractor_version", {"N": "0"})
        stack.dynamodb.update_item(
            TableName=table,
            Key=name,
            UpdateExpression=f"SET {field} = :value",
            ExpressionAttributeValues={":value": value},
        )


@pytest.fixture(scope="module")
def stack(lab_stack: Stack) -> Stack:
    """A deployment where nothing but the planted drift differs."""
    return lab_stack


def test_every_planted_drift_is_found_and_repaired(stack: Stack) -> None:
    keys = [f"uploads/reconcile/{number:06d} é+.png" for number in range(OBJECTS)]

    def put(number: int) -> None:
        stack.s3.put_object(Bucket=stack.bucket, Key=keys[number], Body=numbered_picture(700_000 + number))

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(put, range(OBJECTS)))
    stack.drained(60 + OBJECTS / 20)
    first = reconcile(stack)
    assert (first.code, first.counts) == (0, {}), first.said

    for number in range(PLANTED):
        key = keys[number * 40 % OBJECTS + number * 40 // OBJECTS]
        plant(stack, KINDS[number % len(KINDS)], number, key)
    planted = {kind: len(range(index, PLANTED, len(KINDS))) for index, kind in enumerate(KINDS)}
    repair = reconcile(stack, "--repair")
    assert (repair.code, repair.counts) == (1, {**planted, "counters": 1}), repair.said
    stack.drained(120)
    second = reconcile(stack)
    assert (second.code, second.counts) == (0, {}), second.said
    print(f"reconcile: {OBJECTS:,} objects, {repair.counts} found and repaired, then none; {repair.peak} MB")
