"""What all routes have in common: routing, failures, logs, origins; and the parsers under random input."""

from __future__ import annotations

import ast
import contextlib
import json
import subprocess
import sys
from typing import Any

import pytest
from botocore.exceptions import ClientError, ReadTimeoutError
from hypothesis import given
from hypothesis import strategies as st

from image_api.files import (
    content_disposition,
    disposition_filename,
    is_passive,
)
from image_api.multipart import file_part
from image_catalogue.errors import InvalidRequest
from image_catalogue.filenames import clean_filename
from tests.contract.declared import ROOT, declared_routes
from tests.events import load
from tests.support.api import CONTEXT, FUNCTIONS, Api
from tests.support.pictures import picture

from .test_upload import file_head, form


def test_every_declared_route_has_a_handler_in_its_function_and_no_other(api: Api) -> None:
    served = {route: name for name, module in api.modules.items() for route in module.ROUTES}
    assert served == declared_routes()


@pytest.mark.parametrize(
    ("method", "resource"),
    [("PATCH", "/metadata"), ("GET", "/nothing"), ("PUT", "/images/info"), ("HEAD", "/nothing")],
)
def test_an_unknown_route_is_not_found(api: Api, method: str, resource: str) -> None:
    event = load("rest_get") | {"httpMethod": method, "resource": resource}
    for function in FUNCTIONS:
        answer = api.send(event, function)
        assert answer.status == 404
        assert method == "HEAD" or answer.problem == "not-found"


def test_an_event_with_nothing_in_it_is_answered(api: Api) -> None:
    result = api.modules["get_image"].lambda_handler({}, CONTEXT)
    assert result["statusCode"] == 404


def failing(error: Exception) -> Any:
    def fail(*_: Any, **__: Any) -> None:
        raise error

    return fail


@pytest.mark.parametrize(
    "error",
    [
        ClientError({"Error": {"Code": "ThrottlingException", "Message": "arn:aws:secret"}}, "GetItem"),
        ClientError({"Error": {"Code": "ProvisionedThroughputExceededException"}}, "GetItem"),
    ],
)
def test_a_throttled_table_answers_503_and_when_to_retry(
    api: Api, monkeypatch: pytest.MonkeyPatch, error: Exception
) -> None:
    from image_catalogue import clients

    client = clients.dynamodb()
    for operation in ("get_item", "query", "batch_get_item", "put_item", "transact_write_items"):
        monkeypatch.setattr(client, operation, failing(error))
    for route in ("GET /metadata", "GET /metadata/{image_id+}", "GET /summary", "DELETE /images/{image_id+}"):
        answer = api(route, "cat.jpg")
        assert (answer.status, answer.problem, answer.headers["retry-after"]) == (503, "unavailable", "1")
        assert b"secret" not in answer.body


@pytest.mark.parametrize(
    "error", [ClientError({"Error": {"Code": "SlowDown"}}, "PutObject"), ReadTimeoutError(endpoint_url="x")]
)
def test_a_busy_store_answers_503(api: Api, monkeypatch: pytest.MonkeyPatch, error: Exception) -> None:
    record = api.upload(picture())
    for operation in ("put_object", "get_object", "delete_object"):
        monkeypatch.setattr(api.s3, operation, failing(error))
    assert api("POST /upload", body=picture()).status == 503
    assert api("GET /images/file/{image_id+}", record["image_id"]).status == 503
    assert api("DELETE /images/{image_id+}", record["image_id"]).status == 503


def test_an_unforeseen_failure_says_nothing_to_the_client_and_all_to_the_log(
    api: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    log = api.log()
    monkeypatch.delenv("TABLE_NAME")
    answer = api("GET /metadata")
    assert (answer.status, answer.problem) == (500, "internal-error")
    assert b"TABLE_NAME" not in answer.body
    assert "TABLE_NAME" in log.getvalue()


def test_a_log_line_says_route_and_status_and_nothing_that_the_client_sent(
    api: Api,
) -> None:
    log = api.log()
    api.put("uploads/private-cat.jpg")
    api("GET /metadata/{image_id+}", "private-cat.jpg", headers={"Cookie": "private"})
    api("GET /metadata", prefix="private")
    api("GET /metadata", nonsense="private")
    api("POST /uploads", body=b'{"private": 1}')
    api("POST /upload", body=b"private", headers={"Content-Disposition": "private"})
    text = log.getvalue()
    lines = [json.loads(line) for line in text.splitlines()]
    assert [line["status"] for line in lines] == [200, 200, 400, 400, 415]
    assert [line["route"] for line in lines][:2] == ["GET /metadata/{image_id+}", "GET /metadata"]
    assert {line["correlation_id"] for line in lines[:3]} == {"5f0b6c2e-7d6a-4b1c-9f34-2f6f2d0c9a11"}
    assert "problem" not in lines[0]
    assert lines[2]["problem"] == "bad-request"
    assert "private" not in text
    assert "secret-key-of-the-caller" not in text


def test_another_origin_may_be_configured(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CORS_ALLOW_ORIGIN", "https://example.org")
    result = api.modules["info_images"].lambda_handler(
        load("rest_get") | {"resource": "/summary"},
        CONTEXT,
    )
    assert result["headers"]["Access-Control-Allow-Origin"] == "https://example.org"
    assert result["headers"]["Vary"] == "Origin"


@pytest.mark.parametrize("function", FUNCTIONS)
def test_a_handler_fits_on_a_screen(function: str) -> None:
    source = (ROOT / "lambdas" / function / "lambda_function.py").read_text()
    assert len(source.splitlines()) < 60
    ast.parse(source)


@pytest.mark.parametrize("function", sorted(set(FUNCTIONS) - {"upload_image", "preview_image"}))
def test_only_what_reads_files_loads_the_extractor(function: str) -> None:
    """Neither the extractor nor a router or validator of events: a cold start loads what it needs."""
    code = (
        "import sys; sys.path[:0] = sys.argv[1:]; import lambda_function;"
        "print([name for name in ('PIL', 'image_metadata', 'aws_lambda_powertools.event_handler')"
        " if name in sys.modules])"
    )
    folders = [str(ROOT / "lambdas" / function), str(ROOT / "lambdas" / "shared")]
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", code, *folders], capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == "[]"


# -- parsers ---------------------------------------------------------------------------------------------


@given(st.binary(max_size=300), st.text(max_size=80))
def test_no_form_breaks_the_parser(body: bytes, content_type: str) -> None:
    for announced in (
        content_type,
        f"multipart/form-data; boundary={content_type}",
        "multipart/form-data; boundary=b",
    ):
        for data in (
            body,
            b"--b\r\n" + body + b"\r\n--b--",
            b"--b\r\nContent-Disposition: " + body + b"\r\n\r\nx\r\n--b--",
        ):
            with contextlib.suppress(InvalidRequest):
                file_part(data, announced)


@given(st.binary(max_size=500).filter(lambda data: b"\r\n------edge7MA4" not in data))
def test_a_form_returns_any_bytes(data: bytes) -> None:
    options = form((file_head(), data))
    assert file_part(options["body"], options["headers"]["Content-Type"]).data == data


@given(st.text(max_size=100))
def test_no_header_breaks_the_name_parser(header: str) -> None:
    for text in (
        header,
        f"attachment; filename*={header}",
        f'attachment; filename="{header}"',
        f"a; filename*0*={header}",
    ):
        name = clean_filename(disposition_filename(text))
        assert name is None or (name and "/" not in name and "\x00" not in name)


@given(st.text(max_size=300))
def test_a_disposition_is_a_legal_header_and_gives_the_name_back(name: str) -> None:
    cleaned = clean_filename(name)
    if cleaned is None:
        return
    header = content_disposition("attachment", cleaned)
    assert header.isascii()
    assert header.isprintable()
    assert disposition_filename(header) == cleaned


@pytest.mark.parametrize(
    ("content_type", "passive"),
    [
        ("image/jpeg", True),
        ("image/vnd.adobe.photoshop", True),
        ("image/svg+xml", False),
        ("application/pdf", False),
        ("text/html", False),
        ("image/any+xml", False),
    ],
)
def test_what_a_browser_may_show(content_type: str, passive: bool) -> None:
    assert is_passive(content_type) == passive
