"""The functions of the API as API Gateway calls them, on a moto account with the declared bucket and table."""

from __future__ import annotations

import base64
import importlib.util
import io
import json
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from types import SimpleNamespace
from typing import Any

from image_api.handlers import search_images
from image_catalogue import clients
from image_catalogue.catalogue import Catalogue
from tests.contract.declared import ROOT, allowed_actions, declared_functions, declared_routes, environment_of
from tests.contract.documents import operation, problems, statuses
from tests.events import load

from .records import record
from .table import BUCKET, PREVIEW_BUCKET, SEARCH_BUCKET, TABLE, aws_account, make_bucket, make_table

#: The functions that answer routes.
FUNCTIONS = sorted(set(declared_routes().values()))
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


#: Operations that IAM knows by another name.
ACTIONS = {"s3:HeadObject": "s3:GetObject", "s3:ListObjectsV2": "s3:ListBucket"}


def actions_of(event_name: str, body: Any) -> set[str]:
    """The actions of IAM that a request to AWS takes; botocore calls it `before-send.<service>.<operation>`."""
    _, service, operation = event_name.split(".")
    if operation == "TransactWriteItems":
        return {f"dynamodb:{kind}Item" for entry in json.loads(body)["TransactItems"] for kind in entry}
    action = f"{service}:{operation}"
    return {ACTIONS.get(action, action)}


def assert_stated(route: str, answer: Answer) -> None:
    """The OpenAPI document states the answer's status for the route, and shows its problem there."""
    described = operation(route)
    assert answer.status in statuses(described), (
        f"docs/openapi.yaml does not state {answer.status} for {route}"
    )
    if answer.status >= 400 and answer.body:  # HEAD has none
        shown = {kind for status, kind in problems(described) if status == answer.status}
        assert answer.json["type"] in shown, (
            f"docs/openapi.yaml does not show this {answer.status} for {route}"
        )


class Api:
    """Calls routes: `api("GET /metadata/{image_id+}", "uploads/cat.jpg", limit="3")`."""

    def __init__(self) -> None:
        self.modules = {name: module_of(name) for name in FUNCTIONS}
        self.routes = {route: name for name, module in self.modules.items() for route in module.ROUTES}
        self.s3 = clients.s3()
        self.asked: set[str] = set()  # of AWS, in this request
        for client in (self.s3, clients.dynamodb()):
            client.meta.events.register("before-send", self._note)
        self.catalogue = Catalogue(TABLE)

    def _note(self, event_name: str, request: Any, **_: Any) -> None:
        self.asked |= actions_of(event_name, request.body)

    def empty(self) -> None:
        """Remove whatever a test left."""
        for bucket in (BUCKET, PREVIEW_BUCKET, SEARCH_BUCKET):
            for key in self.objects(bucket):
                self.s3.delete_object(Bucket=bucket, Key=key)
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
        named = re.search(r"\{(\w+)\+\}", resource)
        path = resource.replace(named[0], image_id or "") if named else resource
        event |= {"httpMethod": method, "resource": resource, "path": path}
        event["pathParameters"] = None if named is None or image_id is None else {named[1]: image_id}
        values = (query or {}) | {name: [value] for name, value in parameters.items()}
        event["multiValueQueryStringParameters"] = values or None
        event["queryStringParameters"] = {name: each[-1] for name, each in values.items()} or None
        event["headers"] |= headers or {}
        if body is not None:
            event |= {"body": base64.b64encode(body).decode(), "isBase64Encoded": True}
        return self.send(event)

    def send(self, event: dict[str, Any], function: str | None = None) -> Answer:
        """Hand a whole event to its function (or to another) and check what every answer must have."""
        # A GET's function answers HEAD, too (terraform/modules/rest_api/routes.tf).
        route = f"{event['httpMethod']} {event['resource']}".replace("HEAD ", "GET ", 1)
        name = function or self.routes[route]
        self.asked.clear()
        result = self.modules[name].lambda_handler(event, CONTEXT)
        # On which keys, and what is asked by a presigned address, only end-to-end tests see.
        lacking = self.asked - allowed_actions(name)
        assert not lacking, f"the permissions in {name}.tf lack {lacking}"
        assert set(result) == {"statusCode", "headers", "body", "isBase64Encoded"}
        json.dumps(result)
        headers = {name.lower(): value for name, value in result["headers"].items()}
        assert headers["access-control-allow-origin"] == "*"
        assert all(value.isascii() and value.isprintable() for value in headers.values()), headers
        body = result["body"]
        data = base64.b64decode(body) if result["isBase64Encoded"] else body.encode()
        answer = Answer(result["statusCode"], headers, data)
        if route in self.routes:
            assert_stated(route, answer)
        return answer

    def upload(self, data: bytes, **options: Any) -> dict[str, Any]:
        """Upload an image and return its record."""
        answer = self("POST /upload", body=data, **options)
        assert answer.status == 201, answer.body
        uploaded: dict[str, Any] = answer.json
        return uploaded

    def put(self, image_id: str, **more: Any) -> dict[str, Any]:
        """Catalogue a record without an object behind it."""
        stored = record(image_id, **{"etag": "0123456789abcdef"} | more)
        self.catalogue.put_uploaded(stored)
        return stored

    def put_file(self, image_id: str, data: bytes, **more: Any) -> dict[str, Any]:
        """Catalogue a record with an object behind it, as S3 and its event would have."""
        etag = self.s3.put_object(Bucket=BUCKET, Key=image_id, Body=data)["ETag"].strip('"')
        return self.put(image_id, size=len(data), etag=etag, **more)

    def objects(self, bucket: str = BUCKET) -> list[str]:
        """The keys in a bucket."""
        return [entry["Key"] for entry in self.s3.list_objects_v2(Bucket=bucket).get("Contents", [])]


@contextmanager
def running_api() -> Iterator[Api]:
    """The API on an account of its own, with nothing in it."""
    with aws_account() as patch:
        given = {
            "BUCKET_NAME": BUCKET,
            "PREVIEW_BUCKET": PREVIEW_BUCKET,
            "TABLE_NAME": TABLE,
            "MAX_UPLOAD_BYTES": "100000000",
            "SEARCH_BUCKET": SEARCH_BUCKET,
        }
        for name in set().union(*map(environment_of, declared_functions())) - set(given):
            patch.delenv(name, raising=False)
        for name, value in given.items():
            patch.setenv(name, value)
        make_bucket()
        make_bucket(name=PREVIEW_BUCKET)
        make_bucket(name=SEARCH_BUCKET)
        make_table()
        search_images.reader_of.cache_clear()
        yield Api()
    search_images.reader_of.cache_clear()
