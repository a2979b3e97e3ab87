"""No log line holds what a client sent or what a file says, and none holds what another invocation was about."""

from __future__ import annotations

import base64
import io
import json
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import pytest
from botocore.exceptions import ClientError

from image_catalogue import clients
from tests.benchmarks.write_path import LINE
from tests.events import load
from tests.support.api import CONTEXT, FUNCTIONS, Api, module_of
from tests.support.pictures import picture
from tests.support.table import BUCKET

#: One secret per place, so that a leak names its source. Each is also looked for in base64.
SECRETS = {
    place: f"sesame-{place}-7f3a"
    for place in (
        "x-api-key", "authorization", "cookie", "token", "identity", "other-header", "disposition", "body",
        "multipart", "filename", "json", "query-name", "query-value", "path", "pixels", "exif", "forwarded",
        "environment",
    )
}  # fmt: skip
HEADERS = {
    "x-api-key": SECRETS["x-api-key"],
    "Authorization": f"AWS4-HMAC-SHA256 Credential=AKIA/x, Signature={SECRETS['authorization']}",
    "Cookie": f"session={SECRETS['cookie']}",
    "X-Amz-Security-Token": SECRETS["token"],
    "X-Forwarded-For": SECRETS["forwarded"],
    "X-Other": SECRETS["other-header"],
    "If-None-Match": f'"{SECRETS["other-header"]}"',
    "Content-Disposition": f'attachment; filename="{SECRETS["disposition"]}.png"',
}
FORM = (
    f'--b\r\nContent-Disposition: form-data; name="file"; filename="{SECRETS["filename"]}.png"\r\n\r\n'
).encode()
SECRET_PICTURE = picture() + SECRETS["pixels"].encode()
BODIES: dict[str, list[tuple[bytes, str]]] = {
    "POST /upload": [
        (SECRETS["body"].encode(), "image/png"),
        (SECRET_PICTURE, "image/png"),
        (FORM + SECRET_PICTURE + b"\r\n--b--", "multipart/form-data; boundary=b"),
        (FORM + SECRETS["multipart"].encode(), "multipart/form-data; boundary=b"),
        (SECRET_PICTURE[:30], SECRETS["other-header"]),
    ],
    "POST /uploads": [
        (
            json.dumps({"filename": SECRETS["filename"], "content_type": "image/png"}).encode(),
            "application/json",
        ),
        (json.dumps({SECRETS["json"]: SECRETS["json"]}).encode(), "application/json"),
        (SECRETS["body"].encode(), "application/json"),
    ],
    "POST /metadata": [
        (json.dumps({"image_ids": [SECRETS["json"], "uploads/one.png"]}).encode(), "application/json"),
        (json.dumps({SECRETS["json"]: [SECRETS["json"]]}).encode(), "application/json"),
    ],
    "POST /images/file": [(json.dumps({"image_id": SECRETS["json"]}).encode(), "application/json")],
    "POST /images/delete": [
        (json.dumps({"image_ids": [SECRETS["json"], "uploads/one.png", 1]}).encode(), "application/json"),
        (json.dumps({"image_ids": [SECRETS["json"], "uploads/one.png"]}).encode(), "application/json"),
    ],
}
QUERIES: list[dict[str, list[str]]] = [
    {},
    {"prefix": [SECRETS["query-value"]], "content_type": ["image/png"]},
    {"cursor": [SECRETS["query-value"]]},
    {SECRETS["query-name"]: [SECRETS["query-value"], SECRETS["query-value"]]},
    {"download": [SECRETS["query-value"]]},
    {"filename": [SECRETS["query-value"] + ".png"]},
]


class Said:
    """All that loggers, stdout and stderr were given since the last call."""

    def __init__(self, capsys: pytest.CaptureFixture[str]) -> None:
        self._capsys = capsys
        self._stream = io.StringIO()

    def attach(self, module: Any) -> Any:
        """Have a function's logger write here: loggers of one name share a handler, made by whoever came first."""
        module.logger.registered_handler.setStream(self._stream)
        return module

    def __call__(self) -> str:
        out, err = self._capsys.readouterr()
        text = self._stream.getvalue()
        self._stream.seek(0)
        self._stream.truncate()
        return text + out + err


@pytest.fixture
def said(api: Api, capsys: pytest.CaptureFixture[str]) -> Said:
    said = Said(capsys)
    for module in api.modules.values():
        said.attach(module)
    return said


@pytest.fixture
def indexing(said: Said) -> Any:
    """The function that takes S3's events."""
    return said.attach(module_of("s3_file_event"))


def leaks(text: str) -> list[str]:
    """The places whose secret stands in the text, plain or in base64 at any offset."""
    found = []
    for place, secret in SECRETS.items():
        shifted = [base64.b64encode(b"\0" * lead + secret.encode())[4:20].decode() for lead in range(3)]
        if any(form in text for form in (secret, *shifted)):
            found.append(place)
    return found


def storm(api: Api) -> int:
    """Every route with every secret wherever it takes one, well-formed and not; how many requests that were."""
    sent = 0
    for route in api.routes:
        paths = [SECRETS["path"], "one.png", f"../{SECRETS['path']}"] if "{image_id+}" in route else [None]
        bodies = BODIES.get(
            route.replace("POST /images", "POST /upload") if route == "POST /images" else route
        )
        for path in paths:
            for query in QUERIES:
                for body, kind in bodies or [(None, "text/plain")]:
                    event = request(route, path, query, body, HEADERS | {"Content-Type": kind})
                    api.send(event)
                    sent += 1
    return sent


def request(
    route: str, path: str | None, query: dict[str, list[str]], body: bytes | None, headers: dict[str, str]
) -> dict[str, Any]:
    method, resource = route.split(" ")
    event = load("rest_post" if method == "POST" else "rest_get")
    event |= {"httpMethod": method, "resource": resource}
    event["pathParameters"] = None if path is None else {"image_id": path}
    event["multiValueQueryStringParameters"] = query or None
    event["headers"] |= headers
    event["multiValueHeaders"] |= {name: [value] for name, value in headers.items()}
    event["requestContext"]["identity"] |= {"apiKey": SECRETS["identity"], "userAgent": SECRETS["identity"]}
    if body is not None:
        event |= {"body": base64.b64encode(body).decode(), "isBase64Encoded": True}
    return event


def quietly(patch: pytest.MonkeyPatch) -> None:
    """All is well."""


def denied(patch: pytest.MonkeyPatch) -> None:
    """Every call of AWS fails with an error that nobody foresaw: the log gets a traceback."""
    error = ClientError({"Error": {"Code": "AccessDenied", "Message": "not authorized"}}, "Any")

    def fail(*_: Any, **__: Any) -> None:
        raise error

    for client in (clients.s3(), clients.dynamodb()):
        for operation in ("put_object", "get_object", "head_object", "delete_object", "get_item", "put_item",
                          "query", "batch_get_item", "transact_write_items"):  # fmt: skip
            if hasattr(client, operation):
                patch.setattr(client, operation, fail)


@pytest.mark.parametrize("trouble", [quietly, denied])
@pytest.mark.parametrize("level", ["INFO", "DEBUG"])
def test_no_log_line_of_the_api_holds_what_the_client_sent(
    api: Api,
    said: Said,
    monkeypatch: pytest.MonkeyPatch,
    trouble: Callable[[pytest.MonkeyPatch], None],
    level: str,
) -> None:
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", SECRETS["environment"])
    for module in api.modules.values():
        module.logger.setLevel(level)
    api.put("uploads/one.png")
    trouble(monkeypatch)
    said()
    sent = storm(api)
    text = said()
    lines = [json.loads(line) for line in text.splitlines()]
    assert sum(line["message"] == "request" for line in lines) == sent > 100
    assert trouble is quietly or any("exception" in line for line in lines)
    assert leaks(text) == []


def test_no_log_line_of_an_event_holds_what_a_file_says(api: Api, said: Said, indexing: Any) -> None:
    """The key is logged (an operator must find the object), nothing of the object itself."""
    exif = SECRETS["exif"].encode()
    for number, data in enumerate((picture() + exif, exif, b"\xff\xd8\xff\xe1\0\x20Exif\0\0" + exif)):
        metadata = {"filename": SECRETS["filename"]}
        key = f"uploads/{number}.png"
        api.s3.put_object(Bucket=BUCKET, Key=key, Body=data, ContentType=SECRETS["body"], Metadata=metadata)
        deliver(indexing, key)
    deliver(indexing, "uploads/gone.png")
    text = said()
    logged = [json.loads(line)["image_id"] for line in text.splitlines()]
    assert logged == ["uploads/0.png", "uploads/1.png", "uploads/2.png", "uploads/gone.png"]
    assert leaks(text) == []


def test_a_line_of_an_event_is_as_long_as_the_bill_says(said: Said, api: Api, indexing: Any) -> None:
    api.s3.put_object(Bucket=BUCKET, Key="uploads/0.png", Body=picture())
    deliver(indexing, "uploads/0.png")
    line = json.loads(said())
    fields = {"event", "image_id", "outcome", "status", "requests", "bytes", "ms"}
    assert line.keys() - fields == LINE.keys(), line


def test_a_message_that_is_no_event_is_not_repeated_in_the_log(said: Said, indexing: Any) -> None:
    event = {"Records": [{"messageId": "m1", "eventSource": "aws:sqs", "body": SECRETS["body"]}]}
    answer = indexing.lambda_handler(event, context("r1"))
    assert answer == {"batchItemFailures": [{"itemIdentifier": "m1"}]}
    text = said()
    assert json.loads(text)["message_id"] == "m1"
    assert leaks(text) == []


def context(request_id: str) -> Any:
    """A Lambda context of its own request id."""
    return SimpleNamespace(
        **CONTEXT.__dict__ | {"aws_request_id": request_id}, get_remaining_time_in_millis=lambda: 60_000
    )


def deliver(module: Any, key: str, request_id: str = "r1") -> None:
    """Hand `s3_file_event` the event of a new object."""
    event = load("s3_created")
    event["Records"][0]["s3"]["object"] |= {"key": key, "sequencer": "0A"}
    module.lambda_handler(event, context(request_id))


def test_an_event_s_lines_hold_nothing_of_the_one_before(said: Said, indexing: Any) -> None:
    """Whatever an invocation adds to the logger's state is gone in the next one of the same environment."""
    for request_id in ("first", "second"):
        deliver(indexing, f"uploads/{request_id}.png", request_id)
        text = said()
        assert request_id in text
        assert request_id == "first" or "first" not in text
        assert leaks(text) == []
        indexing.logger.append_keys(tenant=SECRETS["body"], last=f"uploads/{request_id}.png")


@pytest.mark.parametrize("function", FUNCTIONS)
def test_a_request_s_lines_hold_nothing_of_the_one_before(api: Api, said: Said, function: str) -> None:
    module = api.modules[function]
    for request_id in ("first", "second"):
        event = request(next(iter(module.ROUTES)), f"{request_id}.png", {}, b"{}", {})
        event["requestContext"]["requestId"] = request_id
        module.lambda_handler(event, context(request_id))
        text = said()
        assert request_id in text
        assert request_id == "first" or "first" not in text
        assert leaks(text) == []
        module.logger.append_keys(tenant=SECRETS["body"], last=request_id)
