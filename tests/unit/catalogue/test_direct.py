"""Requests without the SDK's client around them: the same requests, the same answers, the same errors."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import boto3
import pytest
from botocore.awsrequest import AWSResponse
from botocore.config import Config
from botocore.exceptions import ClientError, ConnectionClosedError

from image_catalogue import clients
from image_catalogue.direct import RangedGet, TableCalls
from image_catalogue.source import Head
from tests.support.table import BUCKET, TABLE, aws_account

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
    assert ours.headers["User-Agent"].split()[0].encode() == its.headers["User-Agent"].split()[0]
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


def answering(status: int, *body: bytes, **headers: str) -> Callable[..., Any]:
    """A hook that answers once, and leaves the next request to moto."""
    answers = iter([AWSResponse("", status, headers, Raw(*body))])
    return lambda **_: next(answers, None)


class Raw:
    def __init__(self, body: bytes = b"<Error><Code>Any</Code></Error>") -> None:
        self.body = body

    def stream(self) -> Any:
        return iter([self.body])


@pytest.mark.parametrize("status", [200, 301, 307, 400, 403, 429, 500, 503])
def test_whatever_else_s3_says_the_client_asks_again(s3: Any, ranged: RangedGet, status: int) -> None:
    s3.meta.events.register_first("before-send.s3.GetObject", answering(status))
    assert ranged.get_object(**asked("plain.jpg"))["Body"].read() == b"0123456789"


def test_a_body_that_is_cut_off_the_client_asks_for_again(s3: Any, ranged: RangedGet) -> None:
    whole = s3.get_object(**asked("plain.jpg"))["ResponseMetadata"]["HTTPHeaders"]
    s3.meta.events.register_first("before-send.s3.GetObject", answering(206, b"01234", **whole))
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
        config = Config(user_agent="test")

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


# --- DynamoDB ------------------------------------------------------------------------------------------------


@pytest.fixture
def calls(dynamodb: Any) -> TableCalls:
    for number in range(3):
        dynamodb.put_item(TableName=TABLE, Item=item(number))
    return TableCalls(dynamodb, clients._session().get_credentials(), Unreachable())


def item(number: int, **more: str) -> dict[str, Any]:
    """An item of every type that is stored."""
    return {
        "image_id": {"S": f"uploads/Zoë {number}.jpg"},
        "shard": {"S": "0"},
        "uploaded_key": {"S": f"2026#{number}"},
        "exif": {"M": {"flash": {"BOOL": True}, "lens": {"NULL": True}, "f": {"L": [{"N": "2.8"}]}}},
        **{name: {"S": value} for name, value in more.items()},
    }


def key(number: int) -> dict[str, Any]:
    return {"image_id": item(number)["image_id"]}


def put(number: int, condition: str = "attribute_not_exists(image_id)") -> dict[str, Any]:
    return {
        "TableName": TABLE, "Item": item(number), "ConditionExpression": condition,
        "ReturnValuesOnConditionCheckFailure": "ALL_OLD",
    }  # fmt: skip


#: Holds before a write and after it: moto does also what another hook has answered.
ALWAYS = "attribute_exists(image_id) OR attribute_not_exists(image_id)"
QUERY = {
    "TableName": TABLE,
    "IndexName": "by_uploaded_at",
    "KeyConditionExpression": "#hash = :shard",
    "ExpressionAttributeNames": {"#hash": "shard"},
    "ExpressionAttributeValues": {":shard": {"S": "0"}},
    "ScanIndexForward": False,
    "Limit": 2,
}
ASKED: dict[str, dict[str, Any]] = {
    "get_item": {"TableName": TABLE, "Key": key(1), "ConsistentRead": True},
    "query": QUERY,
    "batch_get_item": {"RequestItems": {TABLE: {"Keys": [key(0), key(9)], "ConsistentRead": True}}},
    "put_item": put(7, ALWAYS),
    "transact_write_items": {"TransactItems": [{"Put": put(8, ALWAYS)}, {"Put": put(9, ALWAYS)}]},
}


@pytest.mark.parametrize("method", ASKED)
def test_a_table_answers_as_to_the_client(dynamodb: Any, calls: TableCalls, method: str) -> None:
    its = getattr(dynamodb, method)
    setattr(dynamodb, method, None)  # the client's is not used
    ours = getattr(calls, method)(**ASKED[method])
    if method in ("put_item", "transact_write_items"):
        assert dynamodb.get_item(TableName=TABLE, Key=key(7 if method == "put_item" else 9))["Item"]
        return
    answer = its(**ASKED[method])
    assert {name: answer[name] for name in answer.keys() - {"ResponseMetadata"}} == {
        name: ours[name] for name in ours.keys() & answer.keys()
    }
    assert ours["Responses" if method == "batch_get_item" else "Items" if method == "query" else "Item"]


@pytest.mark.parametrize(
    ("method", "asked", "code"),
    [
        ("put_item", put(1), "ConditionalCheckFailedException"),
        (
            "transact_write_items",
            {"TransactItems": [{"Put": put(5)}, {"Put": put(1)}]},
            "TransactionCanceledException",
        ),
    ],
)
def test_a_condition_that_fails_tells_at_once_what_is_there(
    dynamodb: Any, calls: TableCalls, method: str, asked: dict[str, Any], code: str
) -> None:
    with pytest.raises(ClientError) as its:
        getattr(dynamodb, method)(**asked)
    setattr(dynamodb, method, None)
    with pytest.raises(ClientError) as ours:
        getattr(calls, method)(**asked)
    assert ours.value.response["Error"]["Code"] == its.value.response["Error"]["Code"] == code
    assert str(ours.value) == str(its.value)
    found: Any = ours.value.response
    if method == "transact_write_items":
        assert [reason["Code"] for reason in found["CancellationReasons"]] == [
            "None",
            "ConditionalCheckFailed",
        ]
        found = found["CancellationReasons"][1]
        its_found = its.value.response["CancellationReasons"][1]["Item"]
    else:
        its_found = dict(its.value.response)["Item"]
    assert found["Item"] == its_found == item(1)


@pytest.mark.parametrize("method", ASKED)
@pytest.mark.parametrize(
    ("status", "body"),
    [
        (400, b'{"__type": "com.amazonaws.dynamodb.v20120810#ThrottlingException", "message": "slower"}'),
        (400, b'{"__type": "com.amazon.coral.service#ExpiredTokenException"}'),
        (500, b'{"__type": "com.amazonaws.dynamodb.v20120810#InternalServerError"}'),
        (503, b"<html>"),
        (200, b"cut off"),
    ],
)
def test_whatever_else_dynamodb_says_the_client_asks_again(
    dynamodb: Any, calls: TableCalls, method: str, status: int, body: bytes
) -> None:
    dynamodb.meta.events.register_first("before-send.dynamodb", answering(status, body))
    assert getattr(calls, method)(**ASKED[method])["ResponseMetadata"]["HTTPStatusCode"] == 200


def test_a_transaction_that_was_not_answered_is_asked_for_again_as_the_same(
    dynamodb: Any, calls: TableCalls, monkeypatch: pytest.MonkeyPatch
) -> None:
    tokens: list[str] = []

    def noted(request: Any, **_: Any) -> None:
        tokens.append(json.loads(request.body)["ClientRequestToken"])

    dynamodb.meta.events.register_first("before-send.dynamodb.TransactWriteItems", noted)
    real = calls._send

    def lost(*asked: Any) -> Any:
        real(*asked)
        raise ConnectionClosedError(endpoint_url="")

    monkeypatch.setattr(calls, "_send", lost)
    calls.transact_write_items(TransactItems=[{"Put": put(5, ALWAYS)}])
    assert len(tokens) == 2 and len(set(tokens)) == 1


def test_whatever_else_is_asked_of_a_table_the_client_does(calls: TableCalls) -> None:
    assert calls.scan(TableName=TABLE)["Count"] == 3
    assert calls.meta.region_name == "us-east-1"


@pytest.mark.parametrize(
    "environment",
    [
        {},
        {"HTTPS_PROXY": "http://proxy.test:3128"},
        {"HTTPS_PROXY": "http://proxy.test:3128", "NO_PROXY": ".amazonaws.com"},
        {"HTTPS_PROXY": "http://proxy.test:3128", "NO_PROXY": "s3.us-east-1.amazonaws.com"},
        {"AWS_CA_BUNDLE": "/etc/company.pem"},
    ],
)
def test_proxies_and_certificates_are_those_of_any_client(environment: dict[str, str]) -> None:
    with aws_account() as patch:
        for name in ("HTTPS_PROXY", "NO_PROXY", "AWS_CA_BUNDLE"):
            patch.delenv(name.lower(), raising=False)
            patch.delenv(name, raising=False)
        for name, value in environment.items():
            patch.setenv(name, value)
        made = {"s3": clients.ranged_get.__wrapped__(), "dynamodb": clients.dynamodb.__wrapped__()}
        for service, direct in made.items():
            ours, its = direct._session, boto3.client(service)._endpoint.http_session
            assert ours._proxy_config._proxies == its._proxy_config._proxies
            assert ours._verify == its._verify
