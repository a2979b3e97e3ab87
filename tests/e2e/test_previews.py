"""Previews on a deployment: every format from its package, kept apart, found again, gone with the image."""

from __future__ import annotations

import concurrent.futures
import io
from hashlib import blake2s

import pytest
from PIL import Image

from tests.support.samples import SAMPLES
from tests.support.stack import Stack, eventually, unique

#: Name -> width and height of the preview of 320 pixels.
PREVIEWED = {
    "eiffel-tower.jpg": (320, 213),
    "Crème brûlée 100% +1.png": (320, 240),
    "animation.gif": (320, 200),
    "photo.webp": (320, 180),
    "photo.avif": (320, 240),
    "scan.tiff": (229, 320),
    "upright.jpg": (240, 320),
    "opera-house.heic": (213, 320),
}


def kept(stack: Stack, image_id: str) -> list[str]:
    """The keys of an image's previews."""
    prefix = f"previews/{blake2s(image_id.encode(), digest_size=16).hexdigest()}/"
    answer = stack.s3.list_objects_v2(Bucket=stack.outputs["preview_bucket"], Prefix=prefix)
    return [entry["Key"] for entry in answer.get("Contents", [])]


@pytest.mark.parametrize("name", PREVIEWED)
def test_a_preview_of_every_format(stack: Stack, name: str) -> None:
    image_id = unique(name)
    record = stack.put_and_wait(image_id, SAMPLES[name])
    answer = stack.get(f"/images/preview/{image_id}", params={"size": "320"})
    assert answer.status_code == 200, answer.text
    assert answer.headers["content-type"] == "image/webp"
    assert "sandbox" in answer.headers["content-security-policy"]
    with Image.open(io.BytesIO(answer.content)) as image:
        assert (image.format, image.size) == ("WEBP", PREVIEWED[name])
    again = stack.get(f"/images/preview/{image_id}", headers={"If-None-Match": answer.headers["etag"]})
    assert (again.status_code, again.content) == (304, b"")
    exact = stack.get(f"/images/preview/{image_id}", params={"etag": record["etag"]})
    assert "immutable" in exact.headers["cache-control"]


def test_first_views_at_once_keep_one_preview(stack: Stack) -> None:
    image_id = unique("crowd.jpg")
    stack.put_and_wait(image_id, SAMPLES["eiffel-tower.jpg"])
    with concurrent.futures.ThreadPoolExecutor(4) as pool:
        answers = list(pool.map(lambda _: stack.get(f"/images/preview/{image_id}"), range(4)))
    assert [answer.status_code for answer in answers] == [200] * 4
    assert len({answer.content for answer in answers}) == 1
    assert len(kept(stack, image_id)) == 1


def test_a_preview_makes_no_event_and_no_record(stack: Stack) -> None:
    image_id = unique("quiet.jpg")
    stack.put_and_wait(image_id, SAMPLES["upright.jpg"])
    stack.drained()
    before = stack.get("/images/info").json()["count"]
    assert stack.get(f"/images/preview/{image_id}").status_code == 200
    stack.drained()
    assert stack.get("/images/info").json()["count"] == before


@pytest.mark.parametrize("way", ["API", "bucket"])
def test_a_removed_images_previews_go(stack: Stack, way: str) -> None:
    image_id = unique("passing.jpg")
    stack.put_and_wait(image_id, SAMPLES["upright.jpg"])
    for size in ("160", "320"):
        assert stack.get(f"/images/preview/{image_id}", params={"size": size}).status_code == 200
    assert len(kept(stack, image_id)) == 2
    if way == "API":
        assert stack.call("DELETE", f"/images/{image_id}").status_code == 204
    else:
        stack.s3.delete_object(Bucket=stack.bucket, Key=image_id)
    eventually(lambda: not kept(stack, image_id), "the previews are gone")
    assert stack.get(f"/images/preview/{image_id}").status_code == 404


def test_what_cannot_be_shown_says_why(stack: Stack) -> None:
    drawing = unique("drawing.svg")
    stack.put_and_wait(drawing, b'<svg xmlns="http://www.w3.org/2000/svg" width="9" height="9"/>')
    answer = stack.get(f"/images/preview/{drawing}")
    assert (answer.status_code, answer.headers["content-type"]) == (415, "application/problem+json")
    assert "/images/file/" in answer.json()["detail"]
    damaged = unique("damaged.jpg")
    stack.put_and_wait(damaged, SAMPLES["eiffel-tower.jpg"][:60_000])
    assert stack.get(f"/images/preview/{damaged}", params={"size": "640"}).status_code == 422
    for size in ("0", "-1", "321", "abc"):
        assert stack.get(f"/images/preview/{damaged}", params={"size": size}).status_code == 400
