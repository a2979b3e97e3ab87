"""Uploads: through the API, and the forms for uploads past it."""

from __future__ import annotations

import base64
import json
from hashlib import sha256
from typing import Any
from urllib.parse import unquote

import pytest

from image_catalogue.settings import MAX_API_PAYLOAD_BYTES
from tests.support import raws
from tests.support.api import Api
from tests.support.pictures import picture
from tests.support.table import BUCKET, ENVIRONMENT

HTML = b"<!DOCTYPE html><html><script>alert(1)</script></html>"
SVG = b'<svg xmlns="http://www.w3.org/2000/svg" width="4" height="3"><script>alert(1)</script></svg>'


def form(*parts: tuple[str, bytes], boundary: str = "----edge7MA4", end: str = "--\r\n") -> dict[str, Any]:
    """A form's body and header, each part being (its headers, its bytes)."""
    body = (
        b"".join(f"--{boundary}\r\n{head}\r\n\r\n".encode() + data + b"\r\n" for head, data in parts)
        + f"--{boundary}{end}".encode()
    )
    return {"body": body, "headers": {"Content-Type": f"multipart/form-data; boundary={boundary}"}}


def file_head(filename: str = "cat.png", name: str = "file", content_type: str = "image/png") -> str:
    return f'Content-Disposition: form-data; name="{name}"; filename="{filename}"\r\nContent-Type: {content_type}'


@pytest.mark.parametrize("route", ["POST /upload", "POST /images"])
def test_an_upload_is_stored_and_its_record_answers_at_once(api: Api, route: str) -> None:
    data = picture(30, 20, "JPEG")
    answer = api(route, body=data, headers={"Content-Type": "image/jpeg"})
    record = answer.json
    assert answer.status == 201
    assert answer.headers["location"] == f"metadata/{record['image_id']}"
    assert (record["width"], record["height"], record["content_type"], record["size"]) == (
        30, 20, "image/jpeg", len(data),
    )  # fmt: skip
    assert record["image_id"].startswith("uploads/")
    assert record["image_id"].endswith(".jpg")
    assert "declared_content_type" not in record
    assert api("GET /metadata/{image_id+}", record["image_id"]).json == record
    stored = api.s3.get_object(Bucket=BUCKET, Key=record["image_id"])
    assert stored["ContentType"] == "image/jpeg"
    assert stored["Body"].read() == data
    assert stored["ETag"] == f'"{record["etag"]}"'


@pytest.mark.parametrize("attributes", ["", 'width="10em" height="100%"', 'viewBox="0 0 4 3"'])
def test_an_svg_is_taken_whatever_it_states_of_its_size(api: Api, attributes: str) -> None:
    data = f'<svg xmlns="http://www.w3.org/2000/svg" {attributes}/>'.encode()
    record = api.upload(data, headers={"Content-Type": "image/svg+xml"})
    assert (record["status"], record["content_type"]) == ("ok", "image/svg+xml")
    assert ("width" in record) is ("viewBox" in attributes)
    assert api("GET /metadata/{image_id+}", record["image_id"]).json == record


def test_the_checksum_is_sent_to_s3(api: Api) -> None:
    sent: list[Any] = []
    api.s3.meta.events.register(
        "before-parameter-build.s3.PutObject", lambda params, **_: sent.append(params)
    )
    data = picture()
    api.upload(data)
    assert sent[0]["ChecksumSHA256"] == base64.b64encode(sha256(data).digest()).decode()


@pytest.mark.parametrize("kind", ["PNG", "GIF", "WEBP", "TIFF", "BMP"])
@pytest.mark.parametrize(
    "claim", ["image/jpeg", "text/html", "application/json", "application/octet-stream", "?/;"]
)
def test_the_type_is_judged_from_the_bytes(api: Api, kind: str, claim: str) -> None:
    record = api.upload(picture(kind=kind), headers={"Content-Type": claim})
    assert record["content_type"] == f"image/{kind.lower()}"
    assert record.get("declared_content_type") == (
        None if claim == "application/octet-stream" else claim.split(";")[0]
    )


@pytest.mark.parametrize(
    ("data", "status", "problem"),
    [
        (b"", 400, "empty-upload"),
        (b"hello", 415, "unsupported-media-type"),
        (HTML, 415, "unsupported-media-type"),
        (b'{"image": "base64..."}', 415, "unsupported-media-type"),
        (b"\x00" * 1000, 415, "unsupported-media-type"),
        (picture(kind="PNG")[:20], 422, "unreadable-image"),
        (picture(300, 300, "JPEG")[:25], 422, "unreadable-image"),
        (b"x" * (MAX_API_PAYLOAD_BYTES + 1), 413, "payload-too-large"),
        (picture() + b"\x00" * 6_000_000, 413, "payload-too-large"),
    ],
    ids=["empty", "text", "html", "json", "zeros", "png", "jpeg", "text of 4.5 MB", "6 MB"],
)
def test_what_is_no_readable_image_is_refused_and_not_stored(
    api: Api, data: bytes, status: int, problem: str
) -> None:
    for options in ({"body": data}, form((file_head(), data))):
        answer = api("POST /upload", **options)
        assert (answer.status, answer.problem) == (status, problem)
    assert api.objects() == []
    assert api("GET /metadata").json["items"] == []


def test_too_large_an_upload_is_refused_with_the_way_for_large_files(api: Api) -> None:
    assert "POST /uploads" in api("POST /upload", body=b"x" * 5_000_000).json["detail"]


def test_the_largest_upload_that_fits(api: Api) -> None:
    data = picture().ljust(MAX_API_PAYLOAD_BYTES, b"\x00")
    record = api.upload(data)
    answer = api("GET /images/file/{image_id+}", record["image_id"])
    assert (answer.status, answer.body == data) == (200, True)


@pytest.mark.parametrize(
    ("sent", "kept"),
    [
        ("cat.png", "cat.png"),
        ("été à la mer 日本 🐈.png", "été à la mer 日本 🐈.png"),
        ("C:\\\\pictures\\\\cat.png", "cat.png"),
        ("../../etc/passwd", "passwd"),
        ("a;b=c, d.png", "a;b=c, d.png"),
        ("x" * 300 + ".png", "x" * 255),
    ],
)
def test_a_forms_file_keeps_its_name(api: Api, sent: str, kept: str) -> None:
    record = api.upload(**{"data": b""} | _renamed(form((file_head(sent), picture()))))
    assert record["filename"] == kept
    assert sent not in record["image_id"]


def _renamed(options: dict[str, Any]) -> dict[str, Any]:
    return {"data": options["body"], "headers": options["headers"]}


@pytest.mark.parametrize("name", ["cat.png", "été 🐈 100%.png", 'quote".png'])
def test_the_name_outlives_the_record_in_the_objects_metadata(api: Api, name: str) -> None:
    record = api.upload(picture(), filename=name)
    assert record["filename"] == name
    head = api.s3.head_object(Bucket=BUCKET, Key=record["image_id"])
    assert unquote(head["Metadata"]["filename"]) == name


@pytest.mark.parametrize(
    ("header", "kept"),
    [
        ('attachment; filename="cat.png"', "cat.png"),
        ("attachment; filename=cat.png", "cat.png"),
        ("attachment; filename*=UTF-8''%C3%A9t%C3%A9.png", "été.png"),
        ('attachment; filename="' + "été.png".encode().decode("latin-1") + '"', "été.png"),
        ("attachment; filename*=UTF-8''%FF", None),
        ("attachment", None),
        (";;;=", None),
        ("attachment; filename*0=\"a\"; filename*=UTF-8''b", None),
        ('attachment; filename="' + "\u202egnp.exe" + '"', "gnp.exe"),
        ('attachment; filename="a\r\nX-Evil: 1"', "aX-Evil: 1"),
    ],
)
def test_a_raw_upload_may_state_its_name(api: Api, header: str, kept: str | None) -> None:
    record = api.upload(picture(), headers={"Content-Disposition": header})
    assert record["filename"] == (kept or record["image_id"].rsplit("/", 1)[-1])


def test_a_form_may_hold_other_fields_and_a_file_without_a_name(api: Api) -> None:
    text = 'Content-Disposition: form-data; name="comment"'
    named = form((text, b"hello"), (file_head(content_type="image/jpeg"), picture()), (text, b""))
    assert api.upload(**_renamed(named))["declared_content_type"] == "image/jpeg"
    bare = form((text, b"hello"), ('Content-Disposition: form-data; name="image"', picture()))
    assert api.upload(**_renamed(bare))["content_type"] == "image/png"


def test_a_file_input_in_which_none_was_chosen_is_no_file(api: Api) -> None:
    none = (file_head("", content_type="application/octet-stream"), b"")
    for parts in ([none, (file_head(), picture())], [(file_head(), picture()), none, none]):
        assert api.upload(**_renamed(form(*parts)))["filename"] == "cat.png"
    for parts in ([none], [none, none]):
        answer = api("POST /upload", **form(*parts))
        assert (answer.status, answer.problem) == (400, "empty-upload")


@pytest.mark.parametrize("boundary", ["a", "'()+_,-./:=?", "x" * 70])
def test_any_legal_boundary(api: Api, boundary: str) -> None:
    options = form((file_head(), picture()), boundary=boundary)
    options["headers"] = {"Content-Type": f'Multipart/Form-Data; charset=utf-8; boundary="{boundary}"'}
    assert api("POST /upload", **options).status == 201


@pytest.mark.parametrize(
    "data", [b"\r\n", b"\r\n--", b"\n" * 1000, bytes(range(256)), b"\r\n------edge7MA", b"--", b"\r\n\r\n"]
)
def test_a_forms_bytes_arrive_unchanged(api: Api, data: bytes) -> None:
    image = picture() + data
    record = api.upload(**_renamed(form((file_head(), image))))
    assert api.s3.get_object(Bucket=BUCKET, Key=record["image_id"])["Body"].read() == image


GOOD = form((file_head(), picture()))


@pytest.mark.parametrize(
    ("body", "content_type"),
    [
        (GOOD["body"], "multipart/form-data"),
        (GOOD["body"], "multipart/form-data; boundary="),
        (GOOD["body"], "multipart/form-data; boundary=other"),
        (GOOD["body"], "multipart/form-data; boundary=" + "x" * 71),
        (GOOD["body"], 'multipart/form-data; boundary="é"'),
        (GOOD["body"], GOOD["headers"]["Content-Type"] + "; a*0=1; a*=2"),
        (GOOD["body"], "multipart/form-data; boundary*0=a; boundary*=b"),
        (
            form(("Content-Disposition: form-data; name*0=file; name*=b", picture()))["body"],
            GOOD["headers"]["Content-Type"],
        ),
        (GOOD["body"][:-4], GOOD["headers"]["Content-Type"]),
        (GOOD["body"][:60], GOOD["headers"]["Content-Type"]),
        (b"", GOOD["headers"]["Content-Type"]),
        (b"------edge7MA4--\r\n", GOOD["headers"]["Content-Type"]),
        (b"------edge7MA4\r\n\r\n\r\n------edge7MA4--", GOOD["headers"]["Content-Type"]),
        (b"------edge7MA4 x\r\nA: b\r\n\r\n\r\n------edge7MA4--", GOOD["headers"]["Content-Type"]),
        (b"------edge7MA4\r\n" * 1000 + b"------edge7MA4--", GOOD["headers"]["Content-Type"]),
        (
            b"------edge7MA4\r\nA: " + b"b" * 20000 + b"\r\n\r\n------edge7MA4--",
            GOOD["headers"]["Content-Type"],
        ),
        (form((file_head(), picture()), (file_head(), picture()))["body"], GOOD["headers"]["Content-Type"]),
        (
            form(('Content-Disposition: form-data; name="comment"', b"x"))["body"],
            GOOD["headers"]["Content-Type"],
        ),
        (form(("X: \x00\ufffd\x7f", b"x"))["body"], GOOD["headers"]["Content-Type"]),
    ],
)
def test_a_broken_form_is_refused(api: Api, body: bytes, content_type: str) -> None:
    answer = api("POST /upload", body=body, headers={"Content-Type": content_type})
    assert (answer.status, answer.problem) == (400, "bad-request")
    assert api.objects() == []


def test_a_body_that_lost_its_encoding_is_refused(api: Api) -> None:
    from tests.events import load

    for changed in (
        {"body": "%%%not base64%%%"},
        {"body": picture().decode("utf-8", "replace"), "isBase64Encoded": False},
    ):
        answer = api.send(load("rest_post") | changed)
        assert (answer.status, answer.problem) == (400, "bad-request")


def test_a_body_that_came_as_text_is_taken_as_utf_8(api: Api) -> None:
    from tests.events import load

    text = '{"content_type": "image/png", "filename": "été.png"}'
    event = load("rest_post") | {"resource": "/uploads", "body": text, "isBase64Encoded": False}
    assert api.send(event).status == 201


def test_uploads_never_share_a_key(api: Api) -> None:
    records = [api.upload(picture(), filename="same.png") for _ in range(20)]
    keys = [record["image_id"] for record in records]
    assert len(set(keys)) == 20
    assert [key[:17] for key in keys] == sorted(key[:17] for key in keys)


def test_an_upload_that_the_catalogue_is_too_busy_for_is_not_sent_twice(
    api: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    from image_catalogue.catalogue import Catalogue
    from image_catalogue.errors import CatalogueBusy

    def busy(*_: Any) -> None:
        raise CatalogueBusy("busy")

    monkeypatch.setattr(Catalogue, "put_uploaded", busy)
    record = api.upload(picture())
    assert api.objects() == [record["image_id"]]


def test_positions_follow_the_policy(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    from PIL import Image

    exif = Image.Exif()
    exif[0x8825] = {1: "N", 2: (52.0, 31.0, 12.34), 3: "E", 4: (13.0, 24.0, 18.0)}
    data = picture(kind="JPEG", exif=exif)
    assert api.upload(data)["gps"]["latitude"] == pytest.approx(52.5200944, abs=1e-6)
    monkeypatch.setenv("GPS", "none")
    record = api.upload(data)
    assert "gps" not in record
    assert record["has_gps"] is True


# -- presigned -------------------------------------------------------------------------------------------


def presign(api: Api, **members: Any) -> Any:
    return api("POST /uploads", body=json.dumps(members).encode())


def policy_of(answer: Any) -> list[Any]:
    conditions: list[Any] = json.loads(base64.b64decode(answer.json["fields"]["policy"]))["conditions"]
    return conditions


@pytest.mark.parametrize(
    ("kind", "suffix"), [("TIFF", "tif"), ("PCX", "pcx"), ("JPEG2000", "jp2"), ("TGA", "tga")]
)
def test_the_key_ends_as_the_kind_of_file_does(api: Api, kind: str, suffix: str) -> None:
    assert api.upload(picture(kind=kind))["image_id"].endswith(f".{suffix}")


@pytest.mark.parametrize("kind", raws.SAMPLES)
def test_raw_files_are_taken(api: Api, kind: str) -> None:
    record = api.upload(raws.SAMPLES[kind], headers={"Content-Type": "application/octet-stream"})
    assert (record["format"], record["status"], record["frames"]) == (kind, "ok", 1)
    assert record["image_id"].endswith(f".{kind.lower()}")
    # Large ones, as most raw files are, by a form.
    answer = presign(api, content_type=record["content_type"], size=60_000_000)
    assert answer.status == 201
    assert answer.json["image_id"].endswith(f".{kind.lower()}")


def test_a_form_pins_key_type_name_and_size(api: Api) -> None:
    answer = presign(api, filename="été.jpg", content_type="image/jpeg", size=60_000_000)
    assert answer.status == 201
    assert answer.headers["cache-control"] == "no-store"
    fields, conditions = answer.json["fields"], policy_of(answer)
    assert fields["key"] == answer.json["image_id"]
    assert answer.json["image_id"].endswith(".jpg")
    assert ["content-length-range", 60_000_000, 60_000_000] in conditions
    for name in ("Content-Type", "x-amz-meta-filename", "success_action_status", "key"):
        assert {name: fields[name]} in conditions
    assert fields["Content-Type"] == "image/jpeg"
    assert unquote(fields["x-amz-meta-filename"]) == "été.jpg"
    assert not [condition for condition in conditions if "starts-with" in condition]


def test_without_a_size_the_form_takes_up_to_the_maximum(api: Api) -> None:
    answer = presign(api, content_type="image/svg+xml")
    assert ["content-length-range", 1, 100_000_000] in policy_of(answer)
    assert answer.json["image_id"].endswith(".svg")
    assert "x-amz-meta-filename" not in answer.json["fields"]


def test_the_form_expires_when_it_says(api: Api) -> None:
    answer = presign(api, content_type="image/png")
    policy = json.loads(base64.b64decode(answer.json["fields"]["policy"]))
    assert policy["expiration"][:16] == answer.json["expires_at"][:16]


def test_a_whole_number_may_have_a_fraction_of_zero(api: Api) -> None:
    answer = api("POST /uploads", body=b'{"content_type": "image/png", "size": 1.6e1}')
    assert ["content-length-range", 16, 16] in policy_of(answer)


def test_a_form_for_more_than_the_maximum_is_refused(api: Api) -> None:
    answer = presign(api, content_type="image/png", size=100_000_001)
    assert (answer.status, answer.problem) == (413, "payload-too-large")


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"not json",
        picture(),
        b"[]",
        b'"text"',
        b"null",
        b"{}",
        b"[" * 100_000,
        b"\xff\xfe",
        b'{"content_type": 5}',
        b'{"content_type": "text/html"}',
        b'{"content_type": "image/"}',
        b'{"content_type": "image/png; charset=x"}',
        b'{"content_type": "image/png\\n"}',
        b'{"content_type": "image/png", "size": 0}',
        b'{"content_type": "image/png", "size": -5}',
        b'{"content_type": "image/png", "size": true}',
        b'{"content_type": "image/png", "size": 1.5}',
        b'{"content_type": "image/png", "size": "5"}',
        b'{"content_type": "image/png", "filename": 5}',
        b'{"content_type": "image/png", "filename": null}',
        b'{"content_type": "image/png", "size": null}',
        b'{"content_type": null}',
        b'{"content_type": "image/png", "key": "uploads/mine.png"}',
    ],
)
def test_a_wrong_form_request_is_refused(api: Api, body: bytes) -> None:
    answer = api("POST /uploads", body=body)
    assert (answer.status, answer.problem) == (400, "bad-request")


def test_a_name_of_half_characters_is_cleaned(api: Api) -> None:
    answer = api("POST /uploads", body=b'{"content_type": "image/png", "filename": "\\ud800\\u0000a.png"}')
    assert answer.json["fields"]["x-amz-meta-filename"] == "a.png"


@pytest.mark.parametrize("region", ["eu-central-1", "us-west-2"])
def test_presigned_addresses_name_the_region(monkeypatch: pytest.MonkeyPatch, region: str) -> None:
    from image_catalogue import clients
    from image_catalogue.bucket import Bucket

    monkeypatch.delenv("AWS_ENDPOINT_URL", raising=False)
    for name, value in (ENVIRONMENT | {"AWS_DEFAULT_REGION": region}).items():
        monkeypatch.setenv(name, value)
    store = Bucket("my-bucket", clients.s3.__wrapped__())
    host = f"https://my-bucket.s3.{region}.amazonaws.com/"
    assert store.presigned_post("uploads/a.png", {}, (1, 2), 60)[0] == host
    assert store.presigned_get("uploads/a.png", "image/png", "inline", 60).startswith(host + "uploads/a.png?")
