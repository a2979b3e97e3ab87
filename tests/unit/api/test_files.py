"""The images themselves: served, summarised, deleted."""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from botocore.exceptions import ClientError

from image_catalogue.catalogue import Catalogue
from image_catalogue.errors import CatalogueBusy
from image_catalogue.settings import MAX_API_PAYLOAD_BYTES
from tests.support.api import Api
from tests.support.pictures import picture
from tests.support.table import BUCKET

from .test_upload import HTML, SVG

FILE = ("GET /images/file/{image_id+}", "GET /images/download/{image_id+}")


def test_an_image_that_is_gone_is_deleted_even_if_the_catalogue_is_busy(
    api: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    record = api.upload(picture())

    def busy(*_: Any) -> None:
        raise CatalogueBusy("busy")

    monkeypatch.setattr(Catalogue, "remove", busy)
    assert api("DELETE /images/{image_id+}", record["image_id"]).status == 204
    assert api("GET /images/file/{image_id+}", record["image_id"]).status == 404


def test_the_bytes_come_back_typed_from_the_record(api: Api) -> None:
    data = picture(kind="WEBP")
    record = api.upload(data, filename="été.webp")
    for route in FILE:
        answer = api(route, record["image_id"])
        assert (answer.status, answer.body) == (200, data)
        assert answer.headers["content-type"] == "image/webp"
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert answer.headers["etag"] == f'"{record["etag"]}"'
        assert answer.headers["content-disposition"] == (
            "inline; filename=\"ete.webp\"; filename*=UTF-8''%C3%A9t%C3%A9.webp"
        )


@pytest.mark.parametrize("route", [*FILE, "GET /images/{image_id+}"])
def test_a_download_is_an_attachment(api: Api, route: str) -> None:
    data = picture()
    record = api.upload(data, filename='a "b"\\100%.png')
    answer = api(route, record["image_id"], download="true")
    assert (answer.status, answer.body) == (200, data)
    assert answer.headers["content-disposition"].startswith('attachment; filename="')
    assert answer.headers["content-disposition"].count('"') == 2


def test_without_download_the_third_route_answers_the_record(api: Api) -> None:
    record = api.upload(picture())
    assert api("GET /images/{image_id+}", record["image_id"]).json == record
    assert api("GET /images/{image_id+}", record["image_id"], download="false").json == record


@pytest.mark.parametrize("value", ["yes", "1", "TRUE", ""])
def test_download_is_true_or_false(api: Api, value: str) -> None:
    record = api.upload(picture())
    for route in (*FILE, "GET /images/{image_id+}"):
        assert api(route, record["image_id"], download=value).problem == "bad-request"


def test_a_client_that_holds_the_bytes_gets_304(api: Api) -> None:
    record = api.upload(picture())
    answer = api(FILE[0], record["image_id"], headers={"If-None-Match": f'"{record["etag"]}"'})
    assert (answer.status, answer.body, answer.headers["etag"]) == (304, b"", f'"{record["etag"]}"')


def test_overwritten_bytes_are_not_304_and_lose_the_old_type(api: Api) -> None:
    record = api.upload(picture())
    api.s3.put_object(Bucket=BUCKET, Key=record["image_id"], Body=HTML, ContentType="text/html")
    answer = api(FILE[0], record["image_id"], headers={"If-None-Match": f'"{record["etag"]}"'})
    assert (answer.status, answer.body) == (200, HTML)
    assert answer.headers["content-type"] == "application/octet-stream"
    assert answer.headers["content-disposition"].startswith("attachment")


def test_what_a_browser_could_run_is_never_shown_inline(api: Api) -> None:
    api.put_file("uploads/evil.jpg", HTML, status="unsupported", content_type=None)
    api.put_file("uploads/old.jpg", HTML, content_type="text/html")
    api.put_file("uploads/vector.jpg", SVG, content_type="image/svg+xml")
    for image_id in ("evil.jpg", "old.jpg", "vector.jpg"):
        answer = api(FILE[0], image_id)
        assert answer.status == 200
        assert answer.headers["content-type"] in ("application/octet-stream", "text/html", "image/svg+xml")
        assert answer.headers["content-disposition"].startswith("attachment")
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert "sandbox" in answer.headers["content-security-policy"]
        assert "script-src" not in answer.headers["content-security-policy"]
        assert "default-src 'none'" in answer.headers["content-security-policy"]


def test_an_image_over_the_payload_limit_is_a_redirect_with_pinned_headers(api: Api) -> None:
    size = MAX_API_PAYLOAD_BYTES + 1
    record = api.put_file("uploads/big.png", picture().ljust(size, b"\x00"), filename="été.png")
    for parameters, kind in ({}, "inline"), ({"download": "true"}, "attachment"):
        answer = api(FILE[0], "big.png", **parameters)
        assert (answer.status, answer.body) == (302, b"")
        assert answer.headers["cache-control"] == "no-store"
        url = urlsplit(answer.headers["location"])
        query = parse_qs(url.query)
        assert url.path.endswith("/uploads/big.png")
        assert query["response-content-type"] == ["image/png"]
        assert query["response-content-disposition"][0].startswith(kind)
        assert int(query["X-Amz-Expires"][0]) <= 900
    held = {"If-None-Match": f'"{record["etag"]}"'}
    assert api(FILE[0], "big.png", headers=held).status == 304


def test_an_object_that_outgrew_its_record_is_redirected_too(api: Api) -> None:
    record = api.upload(picture())
    api.s3.put_object(Bucket=BUCKET, Key=record["image_id"], Body=b"x" * (MAX_API_PAYLOAD_BYTES + 1))
    answer = api(FILE[0], record["image_id"])
    assert answer.status == 302
    assert "attachment" in answer.headers["location"]


def test_a_record_whose_object_is_gone_is_not_found(api: Api) -> None:
    api.put("uploads/small.png")
    api.put("uploads/big.png", size=50_000_000)
    for image_id in ("small.png", "big.png"):
        assert api(FILE[0], image_id).problem == "not-found"


def test_an_archived_file_has_to_be_restored_first(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    record = api.upload(picture())

    def refused(**_: Any) -> Any:
        raise ClientError({"Error": {"Code": "InvalidObjectState"}}, "GetObject")

    monkeypatch.setattr(api.s3, "get_object", refused)
    answer = api(FILE[0], record["image_id"])
    assert (answer.status, answer.problem) == (409, "archived")
    assert record["image_id"] in answer.json["detail"]
    assert api("GET /metadata/{image_id+}", record["image_id"]).status == 200


@pytest.mark.parametrize(
    ("head", "status"),
    [
        ({"StorageClass": "GLACIER"}, 409),
        ({"StorageClass": "DEEP_ARCHIVE", "Restore": 'ongoing-request="true"'}, 409),
        ({"StorageClass": "INTELLIGENT_TIERING", "ArchiveStatus": "ARCHIVE_ACCESS"}, 409),
        ({"StorageClass": "GLACIER", "Restore": 'ongoing-request="false", expiry-date="Fri, 1 Jan"'}, 302),
        ({"StorageClass": "GLACIER_IR"}, 302),
        ({"StorageClass": "INTELLIGENT_TIERING"}, 302),
    ],
)
def test_nobody_is_sent_to_an_archived_file(
    api: Api, monkeypatch: pytest.MonkeyPatch, head: dict[str, str], status: int
) -> None:
    size = MAX_API_PAYLOAD_BYTES + 1
    api.put_file("uploads/big.png", picture().ljust(size, b"\x00"), filename="big.png")
    asked = api.s3.head_object
    monkeypatch.setattr(api.s3, "head_object", lambda **request: asked(**request) | head)
    assert api(FILE[0], "big.png").status == status
    assert api("DELETE /images/{image_id+}", "big.png").status == 204


# -- summary ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("route", ["GET /images/info", "GET /summary"])
def test_the_summary(api: Api, route: str) -> None:
    assert api(route).json == {"count": 0, "total_size": 0, "content_types": {}, "statuses": {}}
    small, large = api.upload(picture()), api.upload(picture(200, 100, "JPEG"))
    answer = api(route)
    assert answer.json == {
        "count": 2,
        "total_size": small["size"] + large["size"],
        "highest_size_image": large["image_id"],
        "lowest_size_image": small["image_id"],
        "content_types": {"image/jpeg": 1, "image/png": 1},
        "statuses": {"ok": 2},
    }
    assert api(route, headers={"If-None-Match": answer.headers["etag"]}).status == 304


# -- deletion --------------------------------------------------------------------------------------------


def test_deleting_removes_file_and_record_at_once(api: Api) -> None:
    record = api.upload(picture())
    kept = api.upload(picture())
    answer = api("DELETE /images/{image_id+}", record["image_id"])
    assert (answer.status, answer.body) == (204, b"")
    assert api("GET /metadata/{image_id+}", record["image_id"]).status == 404
    assert api.objects() == [kept["image_id"]]
    assert api("GET /summary").json["count"] == 1
    assert api("DELETE /images/{image_id+}", record["image_id"]).problem == "not-found"


def test_a_file_without_a_record_can_be_deleted(api: Api) -> None:
    api.s3.put_object(Bucket=BUCKET, Key="uploads/new.png", Body=picture())
    assert api("DELETE /images/{image_id+}", "new.png").status == 204
    forgotten = api.upload(picture())["image_id"]
    api("DELETE /metadata/{image_id+}", forgotten)
    assert api("DELETE /images/{image_id+}", forgotten).status == 204
    assert api.objects() == []


def test_a_record_without_a_file_can_be_deleted(api: Api) -> None:
    api.put("uploads/ghost.png")
    assert api("DELETE /images/{image_id+}", "ghost.png").status == 204
    assert api("GET /metadata").json["items"] == []


def test_where_the_file_cannot_be_deleted_the_record_stays(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    record = api.upload(picture())

    def throttled(**_: Any) -> None:
        raise ClientError({"Error": {"Code": "SlowDown"}}, "DeleteObject")

    monkeypatch.setattr(api.s3, "delete_object", throttled)
    answer = api("DELETE /images/{image_id+}", record["image_id"])
    assert (answer.status, answer.problem, answer.headers["retry-after"]) == (503, "unavailable", "1")
    assert api("GET /metadata/{image_id+}", record["image_id"]).status == 200


def delete_many(api: Api, *image_ids: Any) -> Any:
    return api("POST /images/delete", body=json.dumps({"image_ids": image_ids}).encode())


def test_a_batch_answers_for_each_id(api: Api) -> None:
    mine = [api.upload(picture())["image_id"] for _ in range(12)]
    kept = api.upload(picture())["image_id"]
    short = mine[0].removeprefix("uploads/")
    results = delete_many(api, short, *mine[1:], "uploads/nothing.png", "../x", "", mine[1]).json["results"]
    assert [result["image_id"] for result in results] == [short, *mine[1:], "uploads/nothing.png", "../x", ""]
    assert [result["deleted"] for result in results] == [True] * 12 + [False] * 3
    assert [result["error"]["status"] for result in results[12:]] == [404, 404, 400]
    assert api.objects() == [kept]
    assert api("GET /summary").json["count"] == 1


def test_ids_in_a_batch_are_taken_as_they_are(api: Api) -> None:
    api.put("uploads/a+b.png")
    api.put("uploads/a%2Bb.png")
    assert delete_many(api, "uploads/a%2Bb.png").json["results"][0]["deleted"] is True
    assert [item["image_id"] for item in api("GET /metadata").json["items"]] == ["uploads/a+b.png"]


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{}",
        b"[]",
        b'{"image_ids": []}',
        b'{"image_ids": "a"}',
        b'{"image_ids": [1]}',
        b'{"image_ids": [null]}',
        json.dumps({"image_ids": ["x"] * 101}).encode(),
        b'{"image_ids": ["a"], "force": true}',
    ],
)
def test_a_wrong_batch_is_refused(api: Api, body: bytes) -> None:
    assert api("POST /images/delete", body=body).problem == "bad-request"


@pytest.mark.parametrize(("code", "status"), [("SlowDown", 503), ("AccessDenied", 500)])
def test_a_batch_survives_one_that_fails(
    api: Api, monkeypatch: pytest.MonkeyPatch, code: str, status: int
) -> None:
    log = api.log()
    one, two = (api.upload(picture())["image_id"] for _ in range(2))
    delete = api.s3.delete_object

    def sometimes(**request: Any) -> Any:
        if request["Key"] == one:
            raise ClientError({"Error": {"Code": code}}, "DeleteObject")
        return delete(**request)

    monkeypatch.setattr(api.s3, "delete_object", sometimes)
    results = delete_many(api, one, two, "\ud800").json["results"]
    assert [result["deleted"] for result in results] == [False, True, False]
    assert results[0]["error"]["status"] == status
    assert ("AccessDenied" in log.getvalue()) == (status == 500)
