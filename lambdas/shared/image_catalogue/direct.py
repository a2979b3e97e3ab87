"""The requests that every image and every page take, at a third of the processor time that the SDK's clients need.

Only ordinary answers are read here. What else a service says, and a connection that breaks, is left to the client: it
asks again, retries and knows the errors. Signatures and connections are botocore's own.
"""

from __future__ import annotations

import io
import json
from collections.abc import Callable, Mapping
from email.utils import parsedate_to_datetime
from typing import Any
from urllib.parse import quote
from uuid import uuid4

from botocore.auth import S3SigV4Auth, SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials
from botocore.exceptions import BotoCoreError, ClientError, NoCredentialsError
from botocore.httpsession import URLLib3Session
from botocore.parsers import create_parser

_METADATA = "x-amz-meta-"
#: Gone, overwritten since, no such range: they come all the time, and asking again would tell the same.
_ORDINARY_STATUSES = (404, 412, 416)
#: A condition that does not hold is how a write learns that another was faster.
_ORDINARY_CODES = ("ConditionalCheckFailedException", "TransactionCanceledException")


class _Direct:
    """Sends requests in the place of a boto3 client; safe to share between threads.

    `client` says where its service is and does what is not ordinary; `credentials` and `session` sign and send. The
    client's `before-send` hooks are called for both.
    """

    signature: type[SigV4Auth] = SigV4Auth

    def __init__(self, client: Any, credentials: Credentials | None, session: URLLib3Session) -> None:
        self._client = client
        self._credentials = credentials
        self._session = session
        service = client.meta.service_model
        self._hook = f"before-send.{service.service_id.hyphenize()}."
        self._signing_name = service.signing_name

    def _send(
        self, operation: str, method: str, url: str, headers: Mapping[str, str], body: bytes = b""
    ) -> Any:
        """The answer, an `AWSResponse`. Raises `BotoCoreError` where none came."""
        if self._credentials is None:
            raise NoCredentialsError
        named = {**headers, "User-Agent": self._client.meta.config.user_agent}  # what access logs say
        request = AWSRequest(method, url, named, body)
        frozen = self._credentials.get_frozen_credentials()
        self.signature(frozen, self._signing_name, self._client.meta.region_name).add_auth(request)
        prepared = request.prepare()
        hooked = self._client.meta.events.emit(self._hook + operation, request=prepared)
        answers = [answer for _, answer in hooked if answer is not None]
        return answers[0] if answers else self._session.send(prepared)


class RangedGet(_Direct):
    """`get_object` of ranges, and `head_object`, for `source.S3Object`."""

    signature = S3SigV4Auth

    def __init__(self, client: Any, credentials: Credentials | None, session: URLLib3Session) -> None:
        super().__init__(client, credentials, session)
        self.head_object = client.head_object
        self._errors = create_parser("rest-xml")
        self._shape = client.meta.service_model.operation_model("GetObject").output_shape
        self._addresses: dict[str, str] = {}

    def get_object(self, **asked: Any) -> dict[str, Any]:
        """The fields of the client's answer that `source.Head` reads, and `Body`. Takes and raises what it does."""
        headers = {"Range": asked["Range"]} | ({"If-Match": asked["IfMatch"]} if "IfMatch" in asked else {})
        try:
            url = self._address(asked["Bucket"]) + quote(asked["Key"], safe="/~")
            answer = self._send("GetObject", "GET", url, headers)
        except BotoCoreError:
            return dict(self._client.get_object(**asked))
        # urllib3 1.26 takes a body that is cut off for a whole one, 2 does not; a runtime may bring either.
        if answer.status_code == 206 and answer.headers.get("Content-Length") == str(len(answer.content)):
            return _object(answer)
        if answer.status_code in _ORDINARY_STATUSES:
            said = {
                "status_code": answer.status_code, "headers": answer.headers, "body": answer.content
            }  # fmt: skip
            raise ClientError(self._errors.parse(said, self._shape), "GetObject")
        return dict(self._client.get_object(**asked))

    def _address(self, bucket: str) -> str:
        """The URL below which the bucket's keys are."""
        if bucket not in self._addresses:
            url = self._client.generate_presigned_url("get_object", {"Bucket": bucket, "Key": "key"})
            self._addresses[bucket] = url.partition("?")[0].removesuffix("key")
        return self._addresses[bucket]


def _object(answer: Any) -> dict[str, Any]:
    """Amazon S3 API Reference, "GetObject": its response headers."""
    headers = {name.lower(): value for name, value in answer.headers.items()}
    parsed = {
        "Body": io.BytesIO(answer.content),
        "ContentLength": len(answer.content),
        "ContentRange": headers["content-range"],
        "ETag": headers["etag"],
        "VersionId": headers.get("x-amz-version-id"),
        "LastModified": parsedate_to_datetime(headers["last-modified"]),
        "ContentType": headers.get("content-type"),
        "ContentEncoding": headers.get("content-encoding", ""),
    }
    metadata = {
        name.removeprefix(_METADATA): value for name, value in headers.items() if name.startswith(_METADATA)
    }
    return parsed | {"Metadata": metadata}


class TableCalls(_Direct):
    """A DynamoDB client's calls on items; whatever else is asked of it is the client's.

    Attribute values are JSON, so there are no binary ones (`dynamodb` writes none). Amazon DynamoDB Developer Guide,
    "DynamoDB low-level API".
    """

    def __getattr__(self, name: str) -> Any:
        return getattr(self._client, name)

    def get_item(self, **asked: Any) -> dict[str, Any]:
        """As the client's."""
        return self._call("GetItem", self._client.get_item, asked)

    def query(self, **asked: Any) -> dict[str, Any]:
        """As the client's."""
        return self._call("Query", self._client.query, asked)

    def batch_get_item(self, **asked: Any) -> dict[str, Any]:
        """As the client's."""
        return self._call("BatchGetItem", self._client.batch_get_item, asked)

    def put_item(self, **asked: Any) -> dict[str, Any]:
        """As the client's."""
        return self._call("PutItem", self._client.put_item, asked)

    def transact_write_items(self, **asked: Any) -> dict[str, Any]:
        """As the client's: asked for twice with one token, it is done once."""
        token = {"ClientRequestToken": str(uuid4())}
        return self._call("TransactWriteItems", self._client.transact_write_items, token | asked)

    def _call(self, operation: str, otherwise: Callable[..., Any], asked: dict[str, Any]) -> dict[str, Any]:
        """Ask directly; `otherwise` is the client's own method."""
        headers = {
            "X-Amz-Target": f"DynamoDB_20120810.{operation}", "Content-Type": "application/x-amz-json-1.0"
        }  # fmt: skip
        url = self._client.meta.endpoint_url.rstrip("/") + "/"
        try:
            answer = self._send(operation, "POST", url, headers, json.dumps(asked).encode())
            said = json.loads(answer.content)
        except (BotoCoreError, ValueError):
            return dict(otherwise(**asked))
        if answer.status_code == 200:
            return dict(said)
        code = str(said.get("__type", "")).rpartition("#")[2]
        if code in _ORDINARY_CODES:
            message = said.get("message") or said.get("Message", "")
            response: Any = {**said, "Error": {"Code": code, "Message": message}}
            raise ClientError(response, operation)
        return dict(otherwise(**asked))
