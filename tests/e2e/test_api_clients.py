"""The API as its clients use it: curl calls of other image APIs, transfers of every size, paging, browsers."""

from __future__ import annotations

import hashlib
import json
import shutil
import subprocess
import uuid
from pathlib import Path
from typing import Any

import pytest
import requests

from tests.support.pictures import numbered_picture
from tests.support.samples import JPEG
from tests.support.stack import Stack, eventually

BROWSER_ACCEPT = "text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,image/webp,*/*;q=0.8"


class Curl:
    """The real curl, with the API key."""

    def __init__(self, stack: Stack, directory: Path) -> None:
        self._stack = stack
        self._directory = directory
        if shutil.which("curl") is None:
            pytest.fail("these tests replay curl calls: install curl")

    def __call__(self, *arguments: str, path: str) -> tuple[int, bytes]:
        """Answers the status and the body."""
        out = self._directory / uuid.uuid4().hex
        command = ["curl", "-sS", "--noproxy", "*", "-o", str(out), "-w", "%{http_code}"]
        command += ["-H", f"x-api-key: {self._stack.key}", *arguments, self._stack.url + path]
        done = subprocess.run(command, capture_output=True, text=True, check=True)
        return int(done.stdout[-3:]), out.read_bytes() if out.exists() else b""

    def json(self, *arguments: str, path: str, status: int = 200) -> Any:
        found, body = self(*arguments, path=path)
        assert found == status, body
        return json.loads(body)


@pytest.fixture
def curl(stack: Stack, tmp_path: Path) -> Curl:
    return Curl(stack, tmp_path)


@pytest.fixture
def image_file(tmp_path: Path) -> Path:
    path = tmp_path / "sunset.jpg"
    path.write_bytes(JPEG)
    return path


def test_the_calls_of_the_upload_and_metadata_walkthrough(curl: Curl, image_file: Path) -> None:
    answer = curl.json("-X", "POST", "--data-binary", f"@{image_file}", path="/upload", status=201)
    record = curl.json(path=f"/metadata/{answer['image_id']}")
    assert record == answer
    assert (record["width"], record["height"], record["size"]) == (1200, 900, len(JPEG))


def test_the_calls_of_the_bucket_and_metadata_api(curl: Curl, stack: Stack) -> None:
    stack.put_and_wait("uploads/logo.jpg", JPEG)
    listed = curl.json(path="/metadata?limit=100")["items"]
    assert "uploads/logo.jpg" in [item["image_id"] for item in listed]
    record = curl.json(path="/metadata/uploads/logo.jpg")
    assert (record["image_id"], record["bucket"], record["size"]) == (
        "uploads/logo.jpg",
        stack.bucket,
        len(JPEG),
    )
    assert curl("-X", "DELETE", path="/metadata/uploads/logo.jpg")[0] == 204
    assert curl(path="/metadata/uploads/logo.jpg")[0] == 404
    stack.s3.delete_object(Bucket=stack.bucket, Key="uploads/logo.jpg")
    stack.put_and_wait("uploads/logo2.jpg", JPEG)
    stack.s3.delete_object(Bucket=stack.bucket, Key="uploads/logo2.jpg")
    stack.gone("uploads/logo2.jpg")


def test_the_calls_of_the_file_info_and_metadata_api(curl: Curl, stack: Stack) -> None:
    stack.put_and_wait("uploads/cat.jpg", JPEG)
    assert curl(path="/images/file/cat.jpg") == (200, JPEG)
    info = curl.json(path="/images/info")
    assert info["highest_size_image"].startswith("uploads/")
    assert info["lowest_size_image"].startswith("uploads/")
    assert info["content_types"]["image/jpeg"] >= 1
    record = curl.json(path="/images/metadata/cat.jpg")
    assert record["image_id"] == "uploads/cat.jpg"
    assert (record["size"], record["content_type"]) == (len(JPEG), "image/jpeg")
    assert (record["width"], record["height"]) == (1200, 900)


def test_the_calls_of_the_download_and_summary_api(curl: Curl, stack: Stack) -> None:
    stack.put_and_wait("uploads/dog.jpg", JPEG)
    assert curl.json(path="/images/dog.jpg")["content_type"] == "image/jpeg"
    assert curl(path="/images/download/dog.jpg") == (200, JPEG)
    assert curl.json(path="/summary") == curl.json(path="/images/info")


def test_the_calls_of_the_image_service(curl: Curl, image_file: Path) -> None:
    data = ("-H", "Content-Type: image/jpeg", "--data-binary", f"@{image_file}")
    image_id = curl.json("-X", "POST", *data, path="/images", status=201)["image_id"]
    assert image_id in [item["image_id"] for item in curl.json(path="/images")["items"]]
    assert curl.json(path=f"/images/{image_id}")["image_id"] == image_id
    assert curl(path=f"/images/{image_id}?download=true") == (200, JPEG)
    assert curl("-X", "DELETE", path=f"/images/{image_id}")[0] == 204
    assert curl(path=f"/images/{image_id}")[0] == 404
    assert curl("-X", "DELETE", path=f"/images/{image_id}")[0] == 404


def padded(size: int) -> bytes:
    """A PNG of exactly `size` bytes, unlike any other."""
    body = numbered_picture(uuid.uuid4().int % 60_000)
    return body + uuid.uuid4().bytes + bytes(size - len(body) - 16)


@pytest.mark.parametrize("size", [3_000, 1_000_000, 4_000_000], ids=["3 KB", "1 MB", "4 MB"])
def test_what_is_uploaded_through_the_api_comes_back_byte_for_byte(
    curl: Curl, tmp_path: Path, size: int
) -> None:
    body = padded(size)
    (tmp_path / "in.png").write_bytes(body)
    image_id = curl.json(
        "-X", "POST", "--data-binary", f"@{tmp_path / 'in.png'}", path="/upload", status=201
    )["image_id"]
    wanted = hashlib.sha256(body).hexdigest()
    for arguments in ([], ["-H", f"Accept: {BROWSER_ACCEPT}"], ["-L"], ["-L", "-H", "Accept: image/*"]):
        status, got = curl(*arguments, path=f"/images/file/{image_id}")
        assert (status, hashlib.sha256(got).hexdigest()) == (200, wanted)


def test_60_mb_go_up_presigned_and_come_back_by_redirect(curl: Curl, stack: Stack) -> None:
    body = padded(60_000_000)
    request = json.dumps({"filename": "big one é.png", "content_type": "image/png"})
    form = curl.json("-X", "POST", "-d", request, path="/uploads", status=201)
    answer = requests.post(
        form["url"], data=form["fields"], files={"file": ("x", body)}, timeout=120, proxies={"http": ""}
    )
    assert answer.status_code in (200, 201, 204), answer.text
    eventually(lambda: stack.record(form["image_id"]).status_code == 200, "the presigned upload indexed")
    record = stack.record(form["image_id"]).json()
    assert (record["size"], record["filename"]) == (60_000_000, "big one é.png")
    assert curl(path=f"/images/file/{form['image_id']}")[0] == 302
    wanted = hashlib.sha256(body).hexdigest()
    for arguments in ([], ["-H", f"Accept: {BROWSER_ACCEPT}"]):
        status, got = curl("-L", *arguments, path=f"/images/file/{form['image_id']}")
        assert (status, hashlib.sha256(got).hexdigest()) == (200, wanted)


@pytest.mark.parametrize("path", ["/metadata", "/images/file/uploads/a.jpg", "/upload", "/images/delete"])
def test_a_browser_of_another_origin_may_ask(stack: Stack, path: str) -> None:
    headers = {
        "Origin": "https://example.org",
        "Access-Control-Request-Method": "GET",
        "Access-Control-Request-Headers": "x-api-key,content-type",
    }
    answer = stack.call("OPTIONS", path, key=None, headers=headers)
    assert answer.status_code in (200, 204)
    assert answer.headers["Access-Control-Allow-Origin"] == "*"
    assert "x-api-key" in answer.headers["Access-Control-Allow-Headers"].lower()


def test_refusals_and_failures_are_readable_by_a_browser(stack: Stack) -> None:
    refused = stack.get("/metadata", key=None)
    missing = stack.get("/metadata/uploads/nowhere.jpg")
    senseless = stack.get("/metadata?limit=0")
    for answer, status in ((refused, 403), (missing, 404), (senseless, 400)):
        assert answer.status_code == status
        assert answer.headers["Access-Control-Allow-Origin"] == "*"
        assert answer.headers["Content-Type"].startswith("application/problem+json")
