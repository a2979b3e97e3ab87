"""Pixels on a deployment: looked at once after an upload, whatever brings it; what looks alike; the report."""

from __future__ import annotations

import json
import random
import uuid
from typing import Any

import pytest
from PIL import Image

from image_catalogue.items import uploaded
from tests.e2e.test_permissions import Role, Subject
from tests.support.pictures import saved
from tests.support.records import record
from tests.support.samples import SAMPLES
from tests.support.stack import Stack, eventually, unique
from tests.support.stream import stream_event
from tools.dev.collection import scene


@pytest.fixture
def stack(pixels_stack: Stack) -> Stack:
    """The deployment that looks at pixels."""
    return pixels_stack


def pixels(stack: Stack, image_id: str) -> dict[str, Any]:
    """What the record says of the pixels, once it does."""

    def known() -> dict[str, Any] | None:
        found: dict[str, Any] | None = stack.record(image_id).json().get("pixels")
        return found

    found = eventually(known, f"the pixels of {image_id} are known")
    assert found is not None
    return found


#: A picture with something in it: a gradient's hash is decided by rounding.
PICTURE = scene("houses", "evening", random.Random(3))


def test_pixels_of_every_way_in(stack: Stack) -> None:
    by_bucket = unique("opera-house.heic")
    stack.put(by_bucket, SAMPLES["opera-house.heic"])
    answer = stack.call("POST", "/upload", data=SAMPLES["photo.webp"], headers={"Content-Type": "image/webp"})
    by_api = answer.json()["image_id"]
    drawing = unique("drawing.svg")
    stack.put(drawing, b'<svg xmlns="http://www.w3.org/2000/svg" width="9" height="9"/>')
    for image_id in (by_bucket, by_api):
        found = pixels(stack, image_id)
        assert set(found) == {"phash", "thumbhash", "average_color", "brightness", "sharpness"}
    assert set(pixels(stack, drawing)) == {"error"}
    # The same bytes again: another object, the same picture.
    before = stack.record(by_bucket).json()
    stack.put(by_bucket, SAMPLES["opera-house.heic"])
    stack.drained()
    assert stack.record(by_bucket).json()["pixels"] == before["pixels"]
    # Others: what was known is not said of them.
    etag = stack.put(by_bucket, SAMPLES["scan.tiff"])
    stack.indexed(by_bucket, etag)
    assert pixels(stack, by_bucket)["phash"] != before["pixels"]["phash"]


def test_what_looks_alike_is_found(stack: Stack) -> None:
    original, small, other = unique("original.jpg"), unique("small.jpg"), unique("other.jpg")
    stack.put(original, saved(PICTURE, "PNG"))
    stack.put(small, saved(PICTURE.resize((600, 400)), "JPEG", quality=60))
    stack.put(other, saved(Image.effect_noise((300, 200), 90).convert("RGB"), "JPEG"))
    ids = {original, small, other}
    for image_id in ids:
        pixels(stack, image_id)
    known = f"pixels.phash LIKE '%' AND image_id IN ({', '.join(repr(image_id) for image_id in ids)})"
    eventually(lambda: len(stack.found(filter=known)) == 3, "search knows their pixels")
    answer = stack.get(f"/images/similar/{original}", params={"limit": 100})
    assert answer.status_code == 200, answer.text
    found = {item["record"]["image_id"]: item["distance"] for item in answer.json()["items"]}
    assert found[small] <= 4 and other not in found and original not in found
    groups = stack.get("/duplicates", params={"by": "pixels", "limit": 100}).json()["groups"]
    (group,) = [group for group in groups if original in group["image_ids"]]
    assert small in group["image_ids"] and other not in group["image_ids"]
    assert stack.get("/duplicates", params={"by": "pixels", "distance": 8}).status_code == 400
    assert stack.get(f"/images/similar/{original}", params={"distance": "-1"}).status_code == 400
    assert stack.get("/images/similar/uploads/none.jpg").status_code == 404
    report = stack.get("/report")
    assert report.status_code == 200, report.text
    assert {problem["name"] for problem in report.json()["problems"]} >= {"corrupt", "blurry", "duplicates"}


@pytest.mark.parametrize("action", ["s3:GetObject", "dynamodb:GetItem", "dynamodb:PutItem"])
def test_looking_at_pixels_needs_the_permission(stack: Stack, action: str) -> None:
    image_id = unique("permission.png")
    etag = stack.put_and_wait(image_id, SAMPLES["upright.jpg"])["etag"]
    pixels(stack, image_id)
    table, key = stack.outputs["table"], {"image_id": {"S": image_id}}
    body = json.dumps({"image_id": image_id, "etag": etag})

    def send() -> bool:
        stack.dynamodb.update_item(TableName=table, Key=key, UpdateExpression="REMOVE pixels")
        said = stack.invoke("analyse_image", {"Records": [{"messageId": "m", "body": body}]})
        return said == {"batchItemFailures": []}

    with Role(stack, "analyse_image").without(action):
        assert not send(), f"analyse_image does without {action}: do not grant it"
    assert send()


# On AWS SendMessage stands for SendMessageBatch, too.
@pytest.mark.parametrize("action", ["sqs:SendMessageBatch", "events:PutEvents"])
def test_telling_of_changes_needs_the_permissions(stack: Stack, action: str) -> None:
    new = uploaded(record(unique("queued.png")), 1) | {"revision": uuid.uuid4().hex}
    event = stream_event((None, new), first=uuid.uuid4().int % 10**9)
    subject = Subject(stack)
    with Role(stack, "publish_changes").without(action):
        assert not subject.invoked("publish_changes", event)
    assert subject.invoked("publish_changes", event)
