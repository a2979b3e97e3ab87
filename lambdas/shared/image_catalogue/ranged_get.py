"""GetObject as every image needs it once, at a third of the processor time that the SDK's client takes for it.

Only the ordinary answers are read here. What else S3 says, and a connection that breaks, is left to the client: it asks
again, retries and knows the errors.
"""

from __future__ import annotations

import io
from email.utils import parsedate_to_datetime
from typing import Any
from urllib.parse import quote

from botocore.auth import S3SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials
from botocore.exceptions import BotoCoreError, ClientError, NoCredentialsError
from botocore.httpsession import URLLib3Session
from botocore.parsers import create_parser

_METADATA = "x-amz-meta-"
#: Gone, overwritten since, no such range: they come all the time, and asking again would tell the same.
_ORDINARY_ERRORS = (404, 412, 416)


class RangedGet:
    """`get_object` and `head_object` of a boto3 S3 client, for `source.S3Object`; safe to share between threads.

    `client` says where the bucket is and does what is not ordinary; `credentials` and `session` sign and send. The
    client's `before-send` hooks are called for both.
    """

    def __init__(self, client: Any, credentials: Credentials | None, session: URLLib3Session) -> None:
        self.head_object = client.head_object
        self._client = client
        self._credentials = credentials
        self._session = session
        self._errors = create_parser("rest-xml")
        self._shape = client.meta.service_model.operation_model("GetObject").output_shape
        self._addresses: dict[str, str] = {}

    def get_object(self, **asked: Any) -> dict[str, Any]:
        """The fields of the client's answer that `source.Head` reads, and `Body`. Takes and raises what it does."""
        try:
            answer = self._send(**asked)
        except BotoCoreError:
            return dict(self._client.get_object(**asked))
        if answer.status_code == 206:
            return _parsed(answer)
        if answer.status_code in _ORDINARY_ERRORS:
            said = {
                "status_code": answer.status_code, "headers": answer.headers, "body": answer.content
            }  # fmt: skip
            raise ClientError(self._errors.parse(said, self._shape), "GetObject")
        return dict(self._client.get_object(**asked))

    def _send(self, *, Bucket: str, Key: str, Range: str, IfMatch: str | None = None) -> Any:  # noqa: N803
        headers = {"Range": Range} | ({"If-Match": IfMatch} if IfMatch else {})
        request = AWSRequest("GET", self._address(Bucket) + quote(Key, safe="/~"), headers)
        if self._credentials is None:
            raise NoCredentialsError
        frozen = self._credentials.get_frozen_credentials()
        S3SigV4Auth(frozen, "s3", self._client.meta.region_name).add_auth(request)
        prepared = request.prepare()
        hooked = self._client.meta.events.emit("before-send.s3.GetObject", request=prepared)
        answers = [answer for _, answer in hooked if answer is not None]
        return answers[0] if answers else self._session.send(prepared)

    def _address(self, bucket: str) -> str:
        """The URL below which the bucket's keys are."""
        if bucket not in self._addresses:
            url = self._client.generate_presigned_url("get_object", {"Bucket": bucket, "Key": "key"})
            self._addresses[bucket] = url.partition("?")[0].removesuffix("key")
        return self._addresses[bucket]


def _parsed(answer: Any) -> dict[str, Any]:
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
