"""Previews through the API: made once, found again, refused with a reason, gone with the image."""

from __future__ import annotations

import io
import threading
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from PIL import Image

from image_catalogue.bucket import Bucket
from image_catalogue.previews import VERSION, Previews
from image_pixels import render
from image_pixels.worker import DecodingTimedOut
from tests.support.api import Api
from tests.support.pictures import picture, saved
from tests.support.table import BUCKET, PREVIEW_BUCKET

ROUTE = "GET /images/preview/{image_id+}"


@pytest.fixture
def renderings(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """The size of every preview that is made."""
    sizes: list[int] = []
    original = render.preview

    def counted(source: Any, most: int, decoder: Any) -> bytes:
        sizes.append(most)
        return original(source, most, decoder)

    monkeypatch.setattr(render, "preview", counted)
    return sizes


def photograph(width: int = 900, height: int = 600) -> bytes:
    return saved(Image.effect_noise((width, height), 60).convert("RGB"), "JPEG")


def test_a_preview_is_made_once_and_found_again(api: Api, renderings: list[int]) -> None:
    image_id = api.upload(photograph())["image_id"]
    answers = [api(ROUTE, image_id, size="160") for _ in range(3)]
    assert {answer.status for answer in answers} == {200}
    assert len({answer.body for answer in answers}) == 1
    with Image.open(io.BytesIO(answers[0].body)) as image:
        assert (image.format, image.size) == ("WEBP", (160, 107))
    assert renderings == [160]
    assert api(ROUTE, image_id).status == 200
    assert renderings == [160, 320]


def test_its_headers_let_a_browser_run_nothing_and_keep_it_for_good_only_by_version(api: Api) -> None:
    record = api.upload(photograph())
    plain = api(ROUTE, record["image_id"], size="160")
    assert plain.headers["content-type"] == "image/webp"
    assert plain.headers["x-content-type-options"] == "nosniff"
    assert "sandbox" in plain.headers["content-security-policy"]
    assert plain.headers["etag"] == f'"{record["etag"]}-160-{VERSION}"'
    assert plain.headers["cache-control"] == "private, no-cache"
    exact = api(ROUTE, record["image_id"], size="160", etag=record["etag"])
    assert exact.headers["cache-control"] == "private, max-age=31536000, immutable"
    other = api(ROUTE, record["image_id"], size="160", etag="another")
    assert (other.status, other.headers["cache-control"]) == (200, "private, no-cache")


def test_what_the_client_has_is_not_sent_again(api: Api, renderings: list[int]) -> None:
    image_id = api.upload(photograph())["image_id"]
    tag = api(ROUTE, image_id, size="160").headers["etag"]
    for held in (tag, f"W/{tag}", f'"x", {tag}'):
        answer = api(ROUTE, image_id, size="160", headers={"If-None-Match": held})
        assert (answer.status, answer.body, answer.headers["etag"]) == (304, b"", tag)
    assert api(ROUTE, image_id, size="320", headers={"If-None-Match": tag}).status == 200
    assert api(ROUTE, image_id, size="640", headers={"If-None-Match": "*"}).status == 304


@pytest.mark.parametrize(
    "size", ["0", "-1", "321", "abc", "", "160.0", " 160", "99999999999999999999", "１６０"]
)
def test_other_sizes_are_refused(api: Api, size: str) -> None:
    image_id = api.upload(picture())["image_id"]
    answer = api(ROUTE, image_id, size=size)
    assert (answer.status, answer.problem) == (400, "bad-request")
    assert "160, 320, 640, 1280" in answer.json["detail"]


def test_unknown_images_and_parameters(api: Api) -> None:
    assert api(ROUTE, "uploads/none.jpg", size="160").status == 404
    assert api(ROUTE, "../etc/passwd", size="160").status == 400
    image_id = api.upload(picture())["image_id"]
    assert api(ROUTE, image_id, width="160").status == 400


def test_an_original_that_is_gone_is_not_found(api: Api) -> None:
    image_id = api.upload(photograph())["image_id"]
    api.s3.delete_object(Bucket=BUCKET, Key=image_id)
    assert api(ROUTE, image_id, size="160").status == 404


def test_an_original_that_was_replaced_is_asked_for_again_later(api: Api) -> None:
    """The record is a moment behind the bucket: its ETag must not come to mean another picture."""
    image_id = api.upload(photograph())["image_id"]
    api.s3.put_object(Bucket=BUCKET, Key=image_id, Body=picture(40, 30))
    answer = api(ROUTE, image_id, size="160")
    assert (answer.status, answer.problem) == (503, "unavailable")
    assert api.objects(PREVIEW_BUCKET) == []


def test_an_archived_original_is_a_conflict(api: Api) -> None:
    record = api.upload(photograph())
    api.s3.put_object(Bucket=BUCKET, Key=record["image_id"], Body=photograph(), StorageClass="GLACIER")
    etag = api.s3.head_object(Bucket=BUCKET, Key=record["image_id"])["ETag"].strip('"')
    api.catalogue.table.replace(
        api.catalogue.item(record["image_id"]), record | {"etag": etag, "state": "record"}
    )
    answer = api(ROUTE, record["image_id"], size="160")
    assert (answer.status, answer.problem) == (409, "archived")


@pytest.mark.parametrize(
    ("data", "content_type", "status", "reason"),
    [
        (b'<svg xmlns="http://www.w3.org/2000/svg" width="9" height="9"/>', "image/svg+xml", 415, "SVG"),
        (photograph()[:9000], "image/jpeg", 422, "truncated"),
    ],
)
def test_what_cannot_be_decoded_is_refused_with_a_reason_and_remembered(
    api: Api, renderings: list[int], data: bytes, content_type: str, status: int, reason: str
) -> None:
    api.put_file("uploads/odd", data, content_type=content_type)
    for _ in range(2):
        answer = api(ROUTE, "uploads/odd", size="160")
        assert answer.status == status
        assert answer.problem in ("unsupported-media-type", "unreadable-image")
        assert reason in answer.json["detail"]
        assert "GET /images/file/uploads/odd" in answer.json["detail"]
    assert api(ROUTE, "uploads/odd", size="160", headers={"If-None-Match": "*"}).status == status
    assert renderings == [160]


def test_a_timeout_is_not_remembered(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    image_id = api.upload(photograph())["image_id"]

    def slow(*_: Any) -> bytes:
        raise DecodingTimedOut("takes longer than 20 seconds")

    with monkeypatch.context() as patch:
        patch.setattr(render, "preview", slow)
        assert api(ROUTE, image_id, size="160").status == 422
    assert api(ROUTE, image_id, size="160").status == 200


def test_two_first_views_at_once_keep_one_preview(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    """Both make one; the one that is kept first is what both answer."""
    image_id = api.upload(photograph())["image_id"]
    together = threading.Barrier(2, timeout=30)
    made = iter((b"first", b"second"))

    def meet(*_: Any) -> bytes:
        together.wait()
        return next(made)

    one_by_one, put_new = threading.Lock(), Bucket.put_new

    def as_s3_does(self: Bucket, *arguments: Any) -> bool:
        with one_by_one:  # moto looks whether the key is there, and then puts
            return put_new(self, *arguments)

    monkeypatch.setattr(render, "preview", meet)
    monkeypatch.setattr(Bucket, "put_new", as_s3_does)
    with ThreadPoolExecutor(2) as pool:
        bodies = {answer.body for answer in pool.map(lambda _: api(ROUTE, image_id, size="160"), range(2))}
    assert len(bodies) == 1
    assert len(api.objects(PREVIEW_BUCKET)) == 1


def test_an_image_deleted_while_its_preview_is_made_leaves_none(
    api: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    image_id = api.upload(photograph())["image_id"]
    original = Previews.keep

    def after_the_deletion(self: Previews, *arguments: Any) -> Any:
        api.s3.delete_object(Bucket=BUCKET, Key=image_id)
        return original(self, *arguments)

    monkeypatch.setattr(Previews, "keep", after_the_deletion)
    assert api(ROUTE, image_id, size="160").status == 404
    assert api.objects(PREVIEW_BUCKET) == []


def test_previews_lie_where_no_event_of_images_comes_from(api: Api) -> None:
    image_id = api.upload(photograph())["image_id"]
    before = api.objects()
    api(ROUTE, image_id, size="160")
    assert api.objects() == before
    assert all(key.startswith("previews/") for key in api.objects(PREVIEW_BUCKET))


def test_the_longest_id_has_a_preview(api: Api) -> None:
    data = photograph()
    image_id = "uploads/" + "é" * 508
    api.put_file(image_id, data, content_type="image/jpeg")
    assert api(ROUTE, image_id, size="160").status == 200


def test_a_fault_of_the_decoder_is_told_to_the_log_alone(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    image_id = api.upload(photograph())["image_id"]

    def broken(*_: Any) -> bytes:
        raise RuntimeError("a secret place")

    monkeypatch.setattr(render, "preview", broken)
    answer = api(ROUTE, image_id, size="160")
    assert (answer.status, answer.problem) == (500, "internal-error")
    assert b"secret" not in answer.body
    assert api.objects(PREVIEW_BUCKET) == []
