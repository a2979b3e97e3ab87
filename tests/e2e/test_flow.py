"""An image lands in the bucket, its metadata answers over the API."""

import concurrent.futures
import io

import pytest
from PIL import Image

from tests.support.samples import SAMPLES
from tests.support.stack import Stack, eventually, unique
from tools.dev import demo

EXPECTED = {
    "eiffel-tower.jpg": {
        "content_type": "image/jpeg",
        "width": 2400,
        "height": 1600,
        "taken_at_offset": "+02:00",
    },
    "Crème brûlée 100% +1.png": {"content_type": "image/png", "width": 800, "height": 600},
    "animation.gif": {
        "content_type": "image/gif",
        "width": 320,
        "height": 200,
        "frames": 4,
        "animated": True,
    },
    "photo.webp": {"content_type": "image/webp", "width": 1280, "height": 720},
    "photo.avif": {"content_type": "image/avif", "width": 1024, "height": 768},
    "scan.tiff": {"content_type": "image/tiff", "width": 1000, "height": 1400},
    "opera-house.heic": {"content_type": "image/heic", "taken_at_offset": "+11:00"},
    "upright.jpg": {
        "width": 1200,
        "height": 900,
        "orientation": 6,
        "display_width": 900,
        "display_height": 1200,
    },
}
POSITIONS = {"eiffel-tower.jpg": demo.PARIS, "opera-house.heic": demo.SYDNEY, "photo.webp": demo.REYKJAVIK}
CAMERAS = {"eiffel-tower.jpg": ("Canon", "EOS R5"), "photo.avif": ("NIKON CORPORATION", "NIKON Z 6")}


@pytest.mark.parametrize("name", EXPECTED)
def test_an_image_put_into_the_bucket_answers_over_the_api(stack: Stack, name: str) -> None:
    image_id = unique(name)
    record = stack.put_and_wait(image_id, SAMPLES[name])
    assert record["status"] == "ok" and record["image_id"] == image_id
    assert record["size"] == len(SAMPLES[name]) and record["bucket"] == stack.bucket
    assert {field: record.get(field) for field in EXPECTED[name]} == EXPECTED[name]
    if name in POSITIONS:
        found = record["gps"]["latitude"], record["gps"]["longitude"]
        assert found == pytest.approx(POSITIONS[name], abs=1e-4)
    if name in CAMERAS:
        assert (record["camera"]["make"], record["camera"]["model"]) == CAMERAS[name]


def test_a_format_of_the_long_tail_is_read_by_the_vendored_pillow(stack: Stack) -> None:
    stream = io.BytesIO()
    Image.new("RGB", (31, 17)).save(stream, "SGI")
    record = stack.put_and_wait(unique("old.sgi"), stream.getvalue())
    assert (record["status"], record["format"], record["width"], record["height"]) == ("ok", "SGI", 31, 17)


@pytest.mark.parametrize(
    "name",
    [
        "two words.jpg",
        "a+b.jpg",
        "100%.jpg",
        "%2B.jpg",
        "a%20b%252F.jpg",
        "café-É.jpg",
        "日本語 🌄.jpg",
        "semi;colon&amp=?#hash.jpg",
        "quote'\"<>.jpg",
        "dots..and~tilde.jpg",
        "deep/er/than most.jpg",
        "x" * 180 + ".jpg",
    ],
)
def test_any_key_is_found_by_its_own_name(stack: Stack, name: str) -> None:
    image_id = unique(name)
    record = stack.put_and_wait(image_id, SAMPLES["upright.jpg"], "image/jpeg")
    assert record["image_id"] == image_id and record["filename"] == name.rpartition("/")[2]
    stack.s3.delete_object(Bucket=stack.bucket, Key=image_id)
    stack.gone(image_id)


def test_the_prefix_may_be_left_out(stack: Stack) -> None:
    image_id = unique("short.jpg")
    record = stack.put_and_wait(image_id, SAMPLES["upright.jpg"])
    assert stack.record(image_id.removeprefix("uploads/")).json() == record


def test_an_overwritten_image_shows_its_new_content(stack: Stack) -> None:
    image_id = unique("changing")
    assert stack.put_and_wait(image_id, SAMPLES["photo.webp"])["content_type"] == "image/webp"
    assert stack.put_and_wait(image_id, SAMPLES["animation.gif"])["content_type"] == "image/gif"


def test_a_removed_image_is_gone_from_record_list_and_summary(stack: Stack) -> None:
    image_id = unique("removed.jpg")
    stack.put_and_wait(image_id, SAMPLES["upright.jpg"])
    listed = {item["image_id"] for item in stack.get("/metadata?limit=100").json()["items"]}
    assert image_id in listed
    stack.drained()
    before = stack.get("/images/info").json()["count"]
    stack.s3.delete_object(Bucket=stack.bucket, Key=image_id)
    stack.gone(image_id)
    listed = {item["image_id"] for item in stack.get("/metadata?limit=100").json()["items"]}
    assert image_id not in listed
    assert stack.get("/images/info").json()["count"] == before - 1


def test_forgetting_a_record_keeps_the_file(stack: Stack) -> None:
    image_id = unique("kept.jpg")
    stack.put_and_wait(image_id, SAMPLES["upright.jpg"])
    assert stack.call("DELETE", f"/metadata/{image_id}").status_code == 204
    assert stack.record(image_id).status_code == 404
    assert stack.s3.head_object(Bucket=stack.bucket, Key=image_id)["ContentLength"] == len(
        SAMPLES["upright.jpg"]
    )
    stack.drained()
    assert stack.record(image_id).status_code == 404
    stack.put_and_wait(image_id, SAMPLES["photo.webp"])


def test_200_uploads_by_4_clients_give_200_records_and_no_dead_letter(stack: Stack) -> None:
    stack.drained()
    before = stack.get("/images/info").json()["count"]
    folder = unique("many")
    kinds = list(EXPECTED)

    def send(number: int) -> tuple[str, str]:
        image_id = f"{folder}/{number:03}"
        return image_id, stack.put(image_id, SAMPLES[kinds[number % len(kinds)]])

    with concurrent.futures.ThreadPoolExecutor(4) as pool:
        sent = list(pool.map(send, range(200)))

    eventually(lambda: len(stack.listed(prefix=folder)) == 200, "200 records", 120)
    assert sorted(stack.listed(prefix=folder)) == sorted(image_id for image_id, _ in sent)
    stack.drained()
    assert stack.messages("dead_letter_queue_url") == 0
    assert stack.get("/images/info").json()["count"] == before + 200
