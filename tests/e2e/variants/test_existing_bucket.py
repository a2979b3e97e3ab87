"""A bucket that is there is catalogued, filled in and kept in step, and nothing of it is changed, nor by destroy.

`EXISTING_OBJECTS` (default 120) and `EXISTING_OPERATIONS` (default 60) say how much; `make storm` takes 2,000 and 500.
"""

from __future__ import annotations

import json
import os
import random
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest

from tests.e2e.test_reconcile import reconcile
from tests.support.pictures import numbered_picture
from tests.support.policies import policy_document
from tests.support.stack import Site, Stack, path_of
from tools.deploy.sigv4 import ApiError, Credentials, exchange

OBJECTS = int(os.environ.get("EXISTING_OBJECTS", "120"))
OPERATIONS = int(os.environ.get("EXISTING_OPERATIONS", "60"))
BUCKET = "photos-of-ours"
PREFIXES = ["2024/", "raws/deep/", "#odd é+%/"]
SETTINGS = {
    "TF_VAR_create_bucket": "false",
    "TF_VAR_bucket_name": BUCKET,
    "TF_VAR_upload_prefixes": json.dumps(PREFIXES),
}
#: What a bucket is configured by, as S3 names it in an address.
CONFIGURATION = (
    "notification", "policy", "lifecycle", "cors", "versioning", "encryption", "ownershipControls",
    "publicAccessBlock", "tagging", "acl",
)  # fmt: skip


def keys(count: int = OBJECTS) -> list[str]:
    return [f"{PREFIXES[number % 3]}{number:05d} é+%.png" for number in range(count)]


def document(statement: dict[str, object]) -> str:
    """A policy that allows this."""
    return policy_document([{"Effect": "Allow"} | statement])


def configuration(site: Site) -> dict[str, bytes | str]:
    """What S3 answers about the bucket, byte for byte."""
    found: dict[str, bytes | str] = {}
    for name in CONFIGURATION:
        try:
            address = f"{site.endpoint}/{BUCKET}?{name}="
            root = Credentials("test", "test", None, "")
            found[name] = exchange("GET", address, b"", "s3", "us-east-1", root)
        except ApiError as error:
            found[name] = error.code
    return found


@pytest.fixture(scope="module")
def owners(owners_site: Site) -> Iterator[Site]:
    """An account with a bucket of images that tells a queue of its owner's, and has a policy, a lifecycle and CORS."""
    s3, sqs = owners_site.client("s3"), owners_site.client("sqs")
    s3.create_bucket(Bucket=BUCKET)
    arn = "arn:aws:sqs:us-east-1:000000000000:owners-own"
    may_send = {"Principal": {"Service": "s3.amazonaws.com"}, "Action": "sqs:SendMessage", "Resource": arn}
    url = sqs.create_queue(QueueName="owners-own", Attributes={"Policy": document(may_send)})["QueueUrl"]
    rule = {"Id": "thumbnails", "QueueArn": arn, "Events": ["s3:ObjectCreated:*"]}
    s3.put_bucket_notification_configuration(
        Bucket=BUCKET, NotificationConfiguration={"QueueConfigurations": [rule]}
    )
    partner = {
        "Principal": {"AWS": "arn:aws:iam::000000000000:root"},
        "Action": "s3:GetObject",
        "Resource": f"arn:aws:s3:::{BUCKET}/shared/*",
    }
    s3.put_bucket_policy(Bucket=BUCKET, Policy=document(partner))
    expiry = {"ID": "old", "Status": "Enabled", "Filter": {"Prefix": "tmp/"}, "Expiration": {"Days": 9}}
    s3.put_bucket_lifecycle_configuration(Bucket=BUCKET, LifecycleConfiguration={"Rules": [expiry]})
    allowed = {"AllowedMethods": ["GET"], "AllowedOrigins": ["https://owner.example"]}
    s3.put_bucket_cors(Bucket=BUCKET, CORSConfiguration={"CORSRules": [allowed]})
    s3.put_object(Bucket=BUCKET, Key="elsewhere/not ours.png", Body=numbered_picture(1))

    def put(number_and_key: tuple[int, str]) -> None:
        s3.put_object(Bucket=BUCKET, Key=number_and_key[1], Body=numbered_picture(number_and_key[0]))

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(put, enumerate(keys())))
    yield owners_site
    for page in s3.get_paginator("list_objects_v2").paginate(Bucket=BUCKET):
        for entry in page.get("Contents", []):
            s3.delete_object(Bucket=BUCKET, Key=entry["Key"])
    s3.delete_bucket(Bucket=BUCKET)
    sqs.delete_queue(QueueUrl=url)


@pytest.fixture(scope="module")
def before(owners: Site) -> dict[str, bytes | str]:
    """How the bucket is configured when its owner has switched EventBridge on, beside what it had."""
    s3 = owners.client("s3")
    held = s3.get_bucket_notification_configuration(Bucket=BUCKET)
    del held["ResponseMetadata"]
    s3.put_bucket_notification_configuration(
        Bucket=BUCKET, NotificationConfiguration=held | {"EventBridgeConfiguration": {}}
    )
    return configuration(owners)


@pytest.fixture(scope="module")
def stack(owners: Site, before: dict[str, bytes | str]) -> Stack:
    """The deployment around the bucket."""
    return owners.deploy(**SETTINGS)


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({}, "does not send its events to EventBridge"),
        ({"TF_VAR_bucket_name": "nobodys-bucket"}, "There is no bucket nobodys-bucket"),
    ],
)
def test_a_bucket_that_tells_nobody_is_refused(owners: Site, settings: dict[str, str], said: str) -> None:
    there = owners.inventory()
    for command in ("deploy", "check"):
        done = owners.deploy_script(command, "-no-color", **(SETTINGS | settings))
        assert done.returncode == 1 and said in done.stdout + done.stderr and "Traceback" not in done.stderr
    assert owners.inventory() == there


def test_what_was_there_is_catalogued(stack: Stack) -> None:
    assert stack.listed() == []
    done = stack.site.deploy_script("backfill", **SETTINGS)
    assert done.returncode == 0, done.stdout + done.stderr
    assert f"{OBJECTS:,} objects, " in done.stdout and "costs about US$ " in done.stdout
    assert f"{OBJECTS} objects compared\nThe catalogue is in step" in done.stdout
    assert sorted(stack.listed()) == sorted(keys())


def test_it_is_kept_in_step(stack: Stack) -> None:
    chance = random.Random(7)
    pool = keys() + [f"{prefix}new {number}.png" for prefix in PREFIXES for number in range(20)]
    for number in range(OPERATIONS):
        key, kind = (
            chance.choice(pool),
            chance.choice(["put", "put", "delete", "copy", "upload", "by api", "outside"]),
        )
        if kind == "put":
            stack.put(key, numbered_picture(10_000 + number))
        elif kind == "delete":
            stack.s3.delete_object(Bucket=BUCKET, Key=key)
        elif kind == "copy":
            source = {"Bucket": BUCKET, "Key": "elsewhere/not ours.png"}
            stack.s3.copy_object(Bucket=BUCKET, Key=key, CopySource=source)
        elif kind == "upload":
            answer = stack.call(
                "POST",
                "/upload",
                data=numbered_picture(20_000 + number),
                headers={"Content-Type": "image/png"},
            )
            assert answer.status_code == 201 and answer.json()["image_id"].startswith(PREFIXES[0])
        elif kind == "by api":
            assert stack.call("DELETE", "/images/" + path_of(key)).status_code in (204, 404)
        else:
            stack.put(f"elsewhere/{number}.png", numbered_picture(number))
    stack.drained(300)
    found = reconcile(stack, *(f"--prefix={prefix}" for prefix in PREFIXES))
    assert found.code == 0 and found.counts == {}, found.said
    assert not [image_id for image_id in stack.listed() if image_id.startswith("elsewhere/")]


def test_nothing_of_the_bucket_is_changed(stack: Stack, before: dict[str, bytes | str]) -> None:
    assert configuration(stack.site) == before
    assert b"EventBridgeConfiguration" in bytes(before["notification"]) and b"owners-own" in bytes(
        before["notification"]
    )


def test_destroy_leaves_the_bucket_as_it_is(stack: Stack, before: dict[str, bytes | str]) -> None:
    objects = stack.s3.list_objects_v2(Bucket=BUCKET)["KeyCount"]
    done = stack.site.deploy_script("destroy", "-no-color", **SETTINGS)
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-3000:]
    assert configuration(stack.site) == before
    assert stack.s3.list_objects_v2(Bucket=BUCKET)["KeyCount"] == objects > 0
    left = stack.site.inventory()
    assert left.pop("buckets") == [BUCKET] and list(left) == ["queues"] and len(left["queues"]) == 1
