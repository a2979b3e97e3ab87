"""The five functions of the API as API Gateway calls them, on a moto account with the declared table."""

from __future__ import annotations

import base64
import importlib.util
import io
import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import boto3
import pytest
from moto import mock_aws

from image_catalogue import clients
from image_catalogue.catalogue import Catalogue
from tests.contract.declared import declared_table
from tests.events import load

ROOT = Path(__file__).resolve().parents[3]
BUCKET, TABLE = "images", "ImageMetadata"
FUNCTIONS = ("get_image_metadata", "upload_image", "get_image", "info_images", "delete_image")
CONTEXT = SimpleNamespace(
    function_name="function",
    memory_limit_in_mb=256,
    invoked_function_arn="arn:aws:lambda:us-east-1:123456789012:function:function",
    aws_request_id="6bc28136-0000-4000-8000-000000000000",
)


def module_of(function: str) -> Any:
    """A fresh copy of a function's `lambda_function.py`."""
    path = ROOT / "lambdas" / function / "lambda_function.py"
    spec = importlib.util.spec_from_file_location(f"{function}_function", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@dataclass(frozen=True)
class Answer:
    """A proxy result as a client sees it."""

    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)

    @property
    def problem(self) -> str:
        """The problem type, without the part that all have in common; checks the document's form."""
        assert self.headers["content-type"] == "application/problem+json"
        document = self.json
        assert set(document) == {"type", "title", "status", "detail"}
        assert document["status"] == self.status
        return str(document["type"]).removeprefix("urn:image-metadata:problem:")


class Api:
    """Calls routes: `api("GET /metadata/{image_id+}", "uploads/cat.jpg", limit="3")`."""

    def __init__(self) -> None:
        clients.s3().create_bucket(Bucket=BUCKET)
        self.modules = {name: module_of(name) for name in FUNCTIONS}
        self.routes = {route: module for module in self.modules.values() for route in module.ROUTES}
        self.s3 = clients.s3()
        self.catalogue = Catalogue(TABLE)

    def empty(self) -> None:
        """Remove whatever a test left."""
        for key in self.objects():
            self.s3.delete_object(Bucket=BUCKET, Key=key)
        dynamodb = clients.dynamodb()
        for item in dynamodb.scan(TableName=TABLE, ProjectionExpression="image_id")["Items"]:
            dynamodb.delete_item(TableName=TABLE, Key=item)

    def log(self) -> io.StringIO:
        """What the functions log from now on."""
        stream = io.StringIO()
        for module in self.modules.values():
            for handler in module.logger.handlers:
                handler.setStream(stream)
        return stream

    def __call__(
        self,
        route: str,
        image_id: str | None = None,
        body: bytes | None = None,
        headers: dict[str, str] | None = None,
        query: dict[str, list[str]] | None = None,
        **parameters: str,
    ) -> Answer:
        method, resource = route.split(" ")
        event = load("rest_post" if method == "POST" else "rest_get")
        path = resource.replace("{image_id+}", image_id or "")
        event |= {"httpMethod": method, "resource": resource, "path": path}
        event["pathParameters"] = None if image_id is None else {"image_id": image_id}
        values = (query or {}) | {name: [value] for name, value in parameters.items()}
        event["multiValueQueryStringParameters"] = values or None
        event["queryStringParameters"] = {name: each[-1] for name, each in values.items()} or None
        event["headers"] |= headers or {}
        if body is not None:
            event |= {"body": base64.b64encode(body).decode(), "isBase64Encoded": True}
        return self.send(event)

    def send(self, event: dict[str, Any], function: str | None = None) -> Answer:
        """Hand a whole event to its function (or to another) and check what every answer must have."""
        route = f"{event['httpMethod']} {event['resource']}"
        module = self.modules[function] if function else self.routes[route]
        result = module.lambda_handler(event, CONTEXT)
        assert set(result) == {"statusCode", "headers", "body", "isBase64Encoded"}
        json.dumps(result)
        headers = {name.lower(): value for name, value in result["headers"].items()}
        assert headers["access-control-allow-origin"] == "*"
        assert all(value.isascii() and value.isprintable() for value in headers.values()), headers
        body = result["body"]
        data = base64.b64decode(body) if result["isBase64Encoded"] else body.encode()
        return Answer(result["statusCode"], headers, data)

    def upload(self, data: bytes, **options: Any) -> dict[str, Any]:
        """Upload an image and return its record."""
        answer = self("POST /upload", body=data, **options)
        assert answer.status == 201, answer.body
        record: dict[str, Any] = answer.json
        return record

    def put(self, image_id: str, **more: Any) -> dict[str, Any]:
        """Catalogue a record without an object behind it."""
        record = {
            "image_id": image_id,
            "bucket": BUCKET,
            "size": 100,
            "etag": "0123456789abcdef",
            "uploaded_at": "2026-11-21T10:00:00.000Z",
            "filename": image_id.rsplit("/", 1)[-1],
            "status": "ok",
            "content_type": "image/png",
            "width": 3,
            "height": 2,
            "extractor_version": 1,
        } | more
        self.catalogue.put_uploaded(record)
        return record

    def put_file(self, image_id: str, data: bytes, **more: Any) -> dict[str, Any]:
        """Catalogue a record with an object behind it, as S3 and its event would have."""
        etag = self.s3.put_object(Bucket=BUCKET, Key=image_id, Body=data)["ETag"].strip('"')
        return self.put(image_id, size=len(data), etag=etag, **more)

    def objects(self) -> list[str]:
        """The keys in the bucket."""
        return [entry["Key"] for entry in self.s3.list_objects_v2(Bucket=BUCKET).get("Contents", [])]


@pytest.fixture(scope="module")
def shared_api() -> Iterator[Api]:
    """The API on an account of the test module's own."""
    monkeypatch = pytest.MonkeyPatch()
    for name, value in {
        "AWS_ACCESS_KEY_ID": "testing",
        "AWS_SECRET_ACCESS_KEY": "testing",
        "AWS_DEFAULT_REGION": "us-east-1",
        "AWS_EC2_METADATA_DISABLED": "true",
        "BUCKET_NAME": BUCKET,
        "TABLE_NAME": TABLE,
        "MAX_UPLOAD_BYTES": "100000000",
    }.items():
        monkeypatch.setenv(name, value)
    for name in ("AWS_ENDPOINT_URL", "CORS_ALLOW_ORIGIN", "GPS", "INDEX_SHARDS", "UPLOAD_PREFIX"):
        monkeypatch.delenv(name, raising=False)
    with mock_aws():
        clients.s3.cache_clear()
        clients.dynamodb.cache_clear()
        boto3.client("dynamodb").create_table(**declared_table() | {"TableName": TABLE})
        yield Api()
    clients.s3.cache_clear()
    clients.dynamodb.cache_clear()
    monkeypatch.undo()


@pytest.fixture
def api(shared_api: Api) -> Iterator[Api]:
    """The API with nothing in it."""
    yield shared_api
    shared_api.empty()
