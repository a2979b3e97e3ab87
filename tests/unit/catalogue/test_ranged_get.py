"""Reading objects by ranges without the SDK's client: the same requests, the same answers, the same errors."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from botocore.awsrequest import AWSResponse
from botocore.exceptions import ClientError, ConnectionClosedError

from image_catalogue import clients
from image_catalogue.ranged_get import RangedGet
from image_catalogue.source import Head
from tests.support.table import BUCKET

KEYS = [
    "plain.jpg",
    "a b+c&d=e.jpg",
    "Zoë/日本.jpg",
    "../up//twice/./x~.jpg",
    "100%25 %2F*'()!.jpg",
    "?#;:@,$",
]
PUT = {"Body": b"0123456789" * 10, "ContentType": "image/jpeg", "ContentEncoding": "identity"}


@pytest.fixture
def ranged(s3: Any) -> RangedGet:
    made = RangedGet(s3, clients._session().get_credentials(), Unreachable())
    for key in KEYS:
        s3.put_object(Bucket=BUCKET, Key=key, Metadata={"filename": "caf%C3%A9.jpg"}, **PUT)
    return made


class Unreachable:
    """A session whose connections break: no request may get past moto, which answers in `before-send` hooks."""

    def send(self, request: Any) -> Any:
        raise ConnectionClosedError(endpoint_url=request.url)


def asked(key: str, first: int = 0, last: int = 9, **more: Any) -> dict[str, Any]:
    return {"Bucket": BUCKET, "Key": key, "Range": f"bytes={first}-{last}", **more}


def failure(call: Callable[[], Any]) -> tuple[str, int]:
    with pytest.raises(ClientError) as raised:
        call()
    error = raised.value.response
    return error["Error"]["Code"], error["ResponseMetadata"]["HTTPStatusCode"]


@pytest.mark.parametrize("key", KEYS)
def test_the_answer_is_what_the_client_gives(s3: Any, ranged: RangedGet, key: str) -> None:
    s3.get_object = None  # the client's is not used
    ours = ranged.get_object(**asked(key, 3, 7))
    del s3.get_object
    its = s3.get_object(**asked(key, 3, 7))
    assert Head.of(ours) == Head.of(its)
    assert Head.of(ours).size == 100 and Head.of(ours).filename == "café.jpg"
    assert ours["ContentLength"] == its["ContentLength"] == 5
    assert ours["Body"].read() == its["Body"].read() == b"34567"


def test_a_version_is_told(s3: Any, ranged: RangedGet) -> None:
    s3.put_bucket_versioning(Bucket=BUCKET, VersioningConfiguration={"Status": "Enabled"})
    version = s3.put_object(Bucket=BUCKET, Key="versioned", Body=b"12345")["VersionId"]
    assert ranged.get_object(**asked("versioned"))["VersionId"] == version


@pytest.mark.parametrize("key", KEYS)
def test_the_request_is_what_the_client_sends(s3: Any, ranged: RangedGet, key: str) -> None:
    sent: list[Any] = []
    s3.meta.events.register_first("before-send.s3.GetObject", lambda request, **_: sent.append(request))
    etag = s3.head_object(Bucket=BUCKET, Key=key)["ETag"]
    ranged.get_object(**asked(key, IfMatch=etag))
    s3.get_object(**asked(key, IfMatch=etag))
    ours, its = sent
    assert ours.url == its.url
    assert ours.headers["If-Match"].encode() == its.headers["If-Match"]
    assert ours.headers["Range"].encode() == its.headers["Range"]
    signed = ours.headers["Authorization"]
    # Its date, region, service, and headers that decide what is read.
    assert signed.split("Signature")[0] == (
        f"AWS4-HMAC-SHA256 Credential=testing/{ours.headers['X-Amz-Date'][:8]}/us-east-1/s3/aws4_request, "
        "SignedHeaders=host;if-match;range;x-amz-content-sha256;x-amz-date, "
    )


@pytest.mark.parametrize(
    ("request_", "code"),
    [
        (asked("never.jpg"), "NoSuchKey"),
        (asked("plain.jpg", IfMatch='"another"'), "PreconditionFailed"),
        (asked("plain.jpg", 500, 900), "InvalidRange"),
    ],
)
def test_what_is_gone_overwritten_or_too_short_is_told_at_once(
    s3: Any, ranged: RangedGet, request_: dict[str, Any], code: str
) -> None:
    its = failure(lambda: s3.get_object(**request_))
    s3.get_object = None
    assert failure(lambda: ranged.get_object(**request_)) == its
    assert its[0] == code


def answering(status: int) -> Callable[..., Any]:
    """A hook that answers once, and leaves the next request to moto."""
    answers = iter([AWSResponse("", status, {}, Raw())])
    return lambda **_: next(answers, None)


class Raw:
    def stream(self) -> Any:
        return iter([b"<Error><Code>Any</Code></Error>"])


@pytest.mark.parametrize("status", [200, 301, 307, 400, 403, 429, 500, 503])
def test_whatever_else_s3_says_the_client_asks_again(s3: Any, ranged: RangedGet, status: int) -> None:
    s3.meta.events.register_first("before-send.s3.GetObject", answering(status))
    assert ranged.get_object(**asked("plain.jpg"))["Body"].read() == b"0123456789"


def test_where_the_connection_breaks_the_client_asks_again(
    s3: Any, ranged: RangedGet, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ranged, "_client", WithoutHooks(s3))
    assert ranged.get_object(**asked("plain.jpg"))["Body"].read() == b"0123456789"


class WithoutHooks:
    """A client whose requests go out, so that they meet the broken connection."""

    class _Meta:
        region_name = "us-east-1"

        class events:  # noqa: N801
            @staticmethod
            def emit(*_: Any, **__: Any) -> list[Any]:
                return []

    meta = _Meta

    def __init__(self, client: Any) -> None:
        self.get_object = client.get_object
        self.generate_presigned_url = client.generate_presigned_url


def test_where_nobody_signs_the_client_says_so(s3: Any) -> None:
    with pytest.raises(ClientError, match="NoSuchKey"):
        RangedGet(s3, None, Unreachable()).get_object(**asked("never.jpg"))
