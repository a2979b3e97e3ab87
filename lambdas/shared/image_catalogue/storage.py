"""The bucket as the REST API uses it: put, open, look at and delete objects, and presigned requests.

boto3's errors are translated here, by their codes, and nowhere else.
"""

from __future__ import annotations

import base64
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256
from typing import Any

from botocore.exceptions import ClientError, HTTPClientError
from botocore.exceptions import ConnectionError as ConnectionFailed

from .errors import CatalogueBusy, ImageArchived, ImageNotFound

_GONE = frozenset(("NoSuchKey", "404", "NotFound", "MethodNotAllowed", "405"))
_BUSY = frozenset(
    ("SlowDown", "503", "ServiceUnavailable", "InternalError", "500", "RequestTimeout", "OperationAborted")
)
_ARCHIVED = "InvalidObjectState"
_COLD = frozenset(("GLACIER", "DEEP_ARCHIVE"))
_NOT_MODIFIED = frozenset(("304", "NotModified"))


class NotModified(Exception):
    """The object still is the version that the caller holds."""


@dataclass(frozen=True)
class Stored:
    """What S3 says of an object it took; `etag` is without quotes, `version_id` only of a versioned bucket."""

    etag: str
    version_id: str | None


@dataclass(frozen=True)
class Opened:
    """An object's size in bytes, ETag (without quotes) and bytes not read yet (None: asked for without).

    `archived`: S3 hands out its head alone until it is restored.
    """

    size: int
    etag: str
    modified: datetime
    body: Any
    archived: bool = False


class Storage:
    """The bucket `bucket`; `client` is a boto3 S3 client (the shared one by default)."""

    def __init__(self, bucket: str, client: Any = None) -> None:
        if client is None:
            from .clients import s3

            client = s3()
        self.bucket = bucket
        self._client = client

    def put(self, key: str, data: bytes, content_type: str, metadata: dict[str, str]) -> Stored:
        """Store `data`; S3 compares what arrives with the SHA-256 sent along. Raises `CatalogueBusy`."""
        with _translated(key):
            answer = self._client.put_object(
                Bucket=self.bucket,
                Key=key,
                Body=data,
                ContentType=content_type,
                Metadata=metadata,
                ChecksumSHA256=base64.b64encode(sha256(data).digest()).decode(),
            )
        return Stored(answer["ETag"].strip('"'), answer.get("VersionId"))

    def open(self, key: str, unless_etag: str | None = None, with_body: bool = True) -> Opened:
        """The object for reading; `with_body` False asks for its head alone.

        Raises `ImageNotFound`, `ImageArchived` (asked for the bytes), `CatalogueBusy`, and `NotModified` where its ETag
        is `unless_etag`.
        """
        request = {"Bucket": self.bucket, "Key": key}
        if unless_etag:
            request["IfNoneMatch"] = f'"{unless_etag}"'
        with _translated(key):
            answer = (self._client.get_object if with_body else self._client.head_object)(**request)
        return Opened(
            answer["ContentLength"],
            answer["ETag"].strip('"'),
            answer["LastModified"],
            answer.get("Body"),
            _is_archived(answer),
        )

    def read(self, opened: Opened) -> bytes:
        """All bytes of an opened object; raises `CatalogueBusy` when the connection breaks."""
        with _translated(""):
            data: bytes = opened.body.read()
        return data

    def holds(self, key: str) -> bool:
        """Whether there is an object under the key. Raises `CatalogueBusy`."""
        try:
            self.open(key, with_body=False)
        except ImageNotFound:
            return False
        return True

    def delete(self, key: str) -> None:
        """Delete the object; no error where there is none. Raises `CatalogueBusy`."""
        with _translated(key):
            self._client.delete_object(Bucket=self.bucket, Key=key)

    def presigned_get(self, key: str, content_type: str, disposition: str, seconds: int) -> str:
        """A URL that hands out the object with these headers, whatever the object's own are."""
        parameters = {
            "Bucket": self.bucket,
            "Key": key,
            "ResponseContentType": content_type,
            "ResponseContentDisposition": disposition,
            "ResponseCacheControl": f"private, max-age={seconds}",
        }
        url: str = self._client.generate_presigned_url("get_object", Params=parameters, ExpiresIn=seconds)
        return url

    def presigned_post(
        self, key: str, fields: dict[str, str], sizes: tuple[int, int], seconds: int
    ) -> tuple[str, dict[str, str]]:
        """The URL and form fields of one upload of `sizes` (least, most) bytes; every field is pinned."""
        conditions: list[Any] = [{name: value} for name, value in fields.items()]
        conditions.append(["content-length-range", *sizes])
        answer = self._client.generate_presigned_post(
            self.bucket, key, Fields=dict(fields), Conditions=conditions, ExpiresIn=seconds
        )
        return answer["url"], answer["fields"]


def archived(key: str) -> ImageArchived:
    """What to raise for an object that has to be restored first."""
    return ImageArchived(f"the file of {key!r} is archived; restore it in S3, then ask again")


def _is_archived(answer: dict[str, Any]) -> bool:
    """Whether the answer to GET or HEAD is of an object in an archive without a restored copy (S3 API, HeadObject)."""
    cold = answer.get("StorageClass") in _COLD or "ArchiveStatus" in answer
    return cold and 'ongoing-request="false"' not in answer.get("Restore", "")


@contextmanager
def _translated(key: str) -> Iterator[None]:
    try:
        yield
    except ClientError as error:
        code = error.response.get("Error", {}).get("Code", "")
        if code in _NOT_MODIFIED:
            raise NotModified from error
        if code in _GONE:
            raise ImageNotFound(key) from error
        if code == _ARCHIVED:
            raise archived(key) from error
        if code in _BUSY:
            raise CatalogueBusy("the image store is busy; try again shortly") from error
        raise
    except (ConnectionFailed, HTTPClientError) as error:
        raise CatalogueBusy("the image store did not answer; try again shortly") from error
