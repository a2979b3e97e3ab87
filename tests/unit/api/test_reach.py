"""Whatever is listed can be read and deleted: ids in JSON, HEAD on every GET, conditions, stored encodings."""

from __future__ import annotations

import gzip
import json
from typing import Any

import pytest

from image_catalogue.items import is_record
from image_events.events import jobs_of_notification
from image_events.indexer import Indexer
from tests.contract.declared import declared_routes
from tests.events import load
from tests.fuzz import hostile
from tests.support.api import Answer, Api
from tests.support.pictures import picture
from tests.support.table import BUCKET

#: Keys that S3 takes and no path can name.
UNNAMEABLE = [
    "uploads/../cat.png", "uploads/./cat.png", "uploads/..", "uploads/a/../../b.png", "uploads/a/.",
    "uploads/\ufffd.png", "uploads/..%2fcat.png/..", "uploads/.../ok/../%00",
]  # fmt: skip
PLAIN = [
    "uploads/cat.png",
    "uploads/%2e%2e/cat.png",
    "uploads/a b+c&é.png",
    "uploads/a//b.png",
    "uploads/ü/...",
]


def post(api: Api, route: str, **members: Any) -> Answer:
    return api(route, body=json.dumps(members).encode(), headers={"Content-Type": "application/json"})


@pytest.mark.parametrize("key", UNNAMEABLE)
def test_a_path_does_not_name_it(api: Api, key: str) -> None:
    api.put_file(key, picture())
    assert api("GET /metadata/{image_id+}", key).status in (400, 404)


@pytest.mark.parametrize("key", UNNAMEABLE + PLAIN)
def test_whatever_is_listed_can_be_read_and_deleted(api: Api, key: str) -> None:
    data = picture()
    stored = api.put_file(key, data, content_type="image/png")
    kept = api.upload(picture())["image_id"]
    listed = next(item for item in api("GET /metadata").json["items"] if item["image_id"] == key)
    (result,) = post(api, "POST /metadata", image_ids=[listed["image_id"]]).json["results"]
    assert result == {"image_id": key, "record": listed}
    answer = post(api, "POST /images/file", image_id=key)
    assert (answer.status, answer.body, answer.headers["etag"]) == (200, data, f'"{stored["etag"]}"')
    results = post(api, "POST /images/delete", image_ids=[key]).json["results"]
    assert results == [{"image_id": key, "deleted": True}]
    assert api.objects() == [kept]
    assert [item["image_id"] for item in api("GET /metadata").json["items"]] == [kept]


def test_records_by_ids_have_a_result_each(api: Api) -> None:
    one = api.upload(picture())["image_id"]
    short = one.removeprefix("uploads/")
    results = post(
        api, "POST /metadata", image_ids=[short, "uploads/gone.png", "", "a\0b", "x" * 1100, short]
    ).json["results"]
    assert [result["image_id"] for result in results] == [short, "uploads/gone.png", "", "a\0b", "x" * 1100]
    assert results[0]["record"]["image_id"] == one
    assert [result["error"]["status"] for result in results[1:]] == [404, 400, 400, 400]


@pytest.mark.parametrize(
    "members",
    [
        {},
        {"image_ids": []},
        {"image_ids": "a"},
        {"image_ids": [1]},
        {"image_ids": ["x"] * 101},
        {"image_id": "a"},
    ],
)
def test_a_wrong_list_of_ids_is_refused(api: Api, members: dict[str, Any]) -> None:
    assert post(api, "POST /metadata", **members).problem == "bad-request"


@pytest.mark.parametrize(
    ("members", "problem"),
    [({}, "bad-request"), ({"image_id": 4}, "bad-request"), ({"image_ids": ["a"]}, "bad-request"),
     ({"image_id": ""}, "invalid-image-id"), ({"image_id": "\ud800"}, "invalid-image-id"),
     ({"image_id": "uploads/../gone"}, "not-found")],
)  # fmt: skip
def test_a_wrong_id_in_a_body_is_refused(api: Api, members: dict[str, Any], problem: str) -> None:
    assert post(api, "POST /images/file", **members).problem == problem


# --- HEAD ----------------------------------------------------------------------------------------------------

GETS = sorted(route for route in declared_routes() if route.startswith("GET ") and "search" not in route)


@pytest.mark.parametrize("route", [route for route in GETS if "duplicates" not in route])
def test_head_answers_as_get_without_the_body(api: Api, route: str) -> None:
    image_id = api.upload(picture())["image_id"] if "{" in route else None
    got, head = api(route, image_id), api(route.replace("GET", "HEAD", 1), image_id)
    assert (head.status, head.headers, head.body) == (got.status, got.headers, b"")
    assert got.body


def test_head_of_what_is_not_there(api: Api) -> None:
    for image_id, status in (("gone.png", 404), ("../x", 400)):
        answer = api("HEAD /images/file/{image_id+}", image_id)
        assert (answer.status, answer.body) == (status, b"")


def test_head_of_a_file_reads_none_of_it(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    record = api.upload(picture())
    monkeypatch.setattr(api.s3, "get_object", lambda **_: pytest.fail("the bytes are read"))
    answer = api("HEAD /images/file/{image_id+}", record["image_id"])
    assert (answer.status, answer.headers["content-type"]) == (200, "image/png")
    held = {"If-None-Match": answer.headers["etag"]}
    assert api("HEAD /images/file/{image_id+}", record["image_id"], headers=held).status == 304


# --- If-Match on DELETE --------------------------------------------------------------------------------------

DELETES = ["DELETE /images/{image_id+}", "DELETE /metadata/{image_id+}"]


@pytest.mark.parametrize("route", DELETES)
def test_what_if_match_names_is_deleted(api: Api, route: str) -> None:
    for header in ("GET /metadata/{image_id+}", "GET /images/file/{image_id+}", None):
        image_id = api.upload(picture())["image_id"]
        etag = api(header, image_id).headers["etag"] if header else "*"
        answer = api(route, image_id, headers={"If-Match": f'"another", {etag}'})
        assert (answer.status, answer.body) == (204, b"")
        assert api("GET /metadata/{image_id+}", image_id).status == 404


@pytest.mark.parametrize("route", DELETES)
def test_what_if_match_does_not_name_stays(api: Api, route: str) -> None:
    image_id = api.upload(picture())["image_id"]
    etag = api("GET /metadata/{image_id+}", image_id).headers["etag"]
    for header in ('"another"', f"W/{etag}", etag.strip('"'), ",", '""', ""):
        answer = api(route, image_id, headers={"If-Match": header})
        assert (answer.status, answer.problem) == (412, "precondition-failed"), header
    assert api.objects() == [image_id]
    assert api("GET /metadata/{image_id+}", image_id).status == 200
    assert api(route, "gone.png", headers={"If-Match": "*"}).status == 404


def test_a_file_without_a_record_is_matched_by_its_own_etag(api: Api) -> None:
    etag = api.s3.put_object(Bucket=BUCKET, Key="uploads/new.png", Body=picture())["ETag"]
    assert api("DELETE /images/{image_id+}", "new.png", headers={"If-Match": '"another"'}).status == 412
    assert api("DELETE /images/{image_id+}", "new.png", headers={"If-Match": etag}).status == 204
    assert api.objects() == []


def test_a_file_that_changes_meanwhile_stays(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    """S3 is asked to compare, too: between the look and the deletion another file may take the place."""
    record = api.upload(picture())
    asked: list[Any] = []
    monkeypatch.setattr(api.s3, "delete_object", lambda **request: asked.append(request))
    api("DELETE /images/{image_id+}", record["image_id"], headers={"If-Match": f'"{record["etag"]}"'})
    assert asked == [{"Bucket": BUCKET, "Key": record["image_id"], "IfMatch": f'"{record["etag"]}"'}]


def test_a_record_that_changes_meanwhile_stays(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    image_id = api.upload(picture())["image_id"]
    etag = api("GET /metadata/{image_id+}", image_id).headers["etag"]
    table = type(api.catalogue.table)
    replace = table.replace
    changed: list[bool] = []

    def late(self: Any, old: Any, new: Any, deadline: Any = None) -> Any:
        if not changed:
            changed.append(True)
            replace(self, old, old | {"title": "another", "revision": "another"})
        return replace(self, old, new, deadline)

    monkeypatch.setattr(table, "replace", late)
    answer = api("DELETE /metadata/{image_id+}", image_id, headers={"If-Match": etag})
    assert (answer.status, answer.problem) == (412, "precondition-failed")
    assert api("GET /metadata/{image_id+}", image_id).json["title"] == "another"


# --- what S3 says of an object -------------------------------------------------------------------------------


def indexed(api: Api, key: str, data: bytes, **headers: str) -> dict[str, Any]:
    """Put an object as other programs do, and give its event to the indexer."""
    api.s3.put_object(Bucket=BUCKET, Key=key, Body=data, **headers)
    event = load("s3_created")
    event["Records"][0]["s3"]["object"] |= {"key": hostile.quoted(key), "sequencer": "0A"}
    for job in jobs_of_notification(event):
        Indexer(api.s3, api.catalogue, BUCKET, "uploads/").process(job)
    item = api.catalogue.item(key)
    assert item is not None and is_record(item)
    return item


@pytest.mark.parametrize(
    ("declared", "kept"),
    [
        ("image/png", None), ("IMAGE/PNG", None), ("image/png; charset=binary", None), (" Image/Png ;x=y", None),
        ("binary/octet-stream", None), ("application/octet-stream", None), ("Application/X-Www-Form-Urlencoded", None),
        ("multipart/form-data; boundary=b", None), (";", None),
        ("Text/Plain; charset=utf-8", "text/plain"), ("image/jpg", "image/jpg"), ("x" * 300, "x" * 255),
    ],
)  # fmt: skip
def test_a_claim_is_one_on_either_path(api: Api, declared: str, kept: str | None) -> None:
    by_s3 = indexed(api, "uploads/claim.png", picture(), ContentType=declared)
    assert by_s3.get("declared_content_type") == kept
    if not declared.lower().startswith("multipart"):
        uploaded = api.upload(picture(), headers={"Content-Type": declared})
        assert uploaded.get("declared_content_type") == kept


@pytest.mark.parametrize("encoding", ["gzip", "GZIP", "br", "gzip, br"])
def test_an_encoded_object_is_told_as_such(api: Api, encoding: str) -> None:
    data = gzip.compress(picture(), mtime=0)
    record = indexed(api, "uploads/packed.png", data, ContentEncoding=encoding, ContentType="image/png")
    assert record["status"] == "unsupported"
    assert record["error"] == f"the file is stored {encoding.lower()}-encoded, so its image is not read"
    answer = api("GET /images/file/{image_id+}", "packed.png")
    assert (answer.body, answer.headers["content-encoding"]) == (data, encoding)


@pytest.mark.parametrize("encoding", [None, "identity", "gzip"])
def test_what_is_read_is_told_as_what_it_is(api: Api, encoding: str | None) -> None:
    headers = {"ContentEncoding": encoding} if encoding else {}
    assert indexed(api, "uploads/plain.png", picture(), **headers)["status"] == "ok"
    text = indexed(api, "uploads/text.png", b"no image at all", **headers)
    assert ("encoded" in text["error"]) is (encoding == "gzip")
    svg = b'<svg xmlns="http://www.w3.org/2000/svg" width="4" height="3"/>'
    if encoding == "gzip":
        assert indexed(api, "uploads/a.svgz", gzip.compress(svg), **headers)["status"] == "ok"
