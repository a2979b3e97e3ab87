"""The bucket in S3: put, open, look at and delete objects, presigned requests, and what S3's errors mean.

The table of errors serves `source` too, which reads objects by ranges, and `image_search.files`.
"""

from __future__ import annotations

import base64
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from enum import Enum, auto
from hashlib import sha256
from typing import Any
from urllib.parse import urlsplit

from botocore.exceptions import ClientError, HTTPClientError
from botocore.exceptions import ConnectionError as ConnectionFailed

from .errors import CatalogueBusy, ImageArchived, ImageChanged, ImageNotFound

#: Storage classes that return no bytes until the object is restored.
_ARCHIVES = frozenset(("GLACIER", "DEEP_ARCHIVE"))


class Meaning(Enum):
    """What an error of S3 says about the object, or about the request."""

    GONE = auto()
    ARCHIVED = auto()
    OVERWRITTEN = auto()  # it is not the version that If-Match names, or is there against If-None-Match
    NOT_MODIFIED = auto()  # it still is the version that If-None-Match names
    NO_SUCH_RANGE = auto()
    BUSY = auto()


#: Amazon S3 API Reference, "Error responses". HEAD answers carry no code, so boto3 gives the status instead.
_MEANINGS = {
    "NoSuchKey": Meaning.GONE,
    "NoSuchVersion": Meaning.GONE,
    "NotFound": Meaning.GONE,
    "404": Meaning.GONE,
    "MethodNotAllowed": Meaning.GONE,  # a delete marker, asked for by its version
    "405": Meaning.GONE,
    "InvalidObjectState": Meaning.ARCHIVED,
    "PreconditionFailed": Meaning.OVERWRITTEN,
    "412": Meaning.OVERWRITTEN,
    "ConditionalRequestConflict": Meaning.OVERWRITTEN,  # another conditional write of the key came between
    "409": Meaning.OVERWRITTEN,
    "NotModified": Meaning.NOT_MODIFIED,
    "304": Meaning.NOT_MODIFIED,
    "InvalidRange": Meaning.NO_SUCH_RANGE,
    "416": Meaning.NO_SUCH_RANGE,
    "SlowDown": Meaning.BUSY,
    "ServiceUnavailable": Meaning.BUSY,
    "503": Meaning.BUSY,
    "InternalError": Meaning.BUSY,
    "500": Meaning.BUSY,
    "RequestTimeout": Meaning.BUSY,
    "OperationAborted": Meaning.BUSY,
    "Throttling": Meaning.BUSY,
}


class NotModified(Exception):
    """The object still is the version that the caller has."""


@dataclass(frozen=True)
class Stored:
    """What S3 says of an object it took; `etag` is without quotes, `version_id` only of a versioned bucket."""

    etag: str
    version_id: str | None


@dataclass(frozen=True)
class Opened:
    """An object's size, ETag (without quotes), type, and bytes, not read yet (None: only the head was asked for).

    `archived`: until the object is restored, S3 returns only its head.
    """

    size: int
    etag: str
    content_type: str
    body: Any
    archived: bool = False
    encoding: str | None = None  # the object's Content-Encoding


class Bucket:
    """The bucket `name` as the API uses it; `client` is a boto3 S3 client (the shared one by default)."""

    def __init__(self, name: str, client: Any = None) -> None:
        if client is None:
            from .clients import s3

            client = s3()
        self.name = name
        self._client = client

    def put(self, key: str, data: bytes, content_type: str, metadata: dict[str, str]) -> Stored:
        """Store `data`; S3 compares what arrives with the SHA-256 sent along. Raises `CatalogueBusy`."""
        with _translated(key):
            answer = self._client.put_object(
                Bucket=self.name,
                Key=key,
                Body=data,
                ContentType=content_type,
                Metadata=metadata,
                ChecksumSHA256=base64.b64encode(sha256(data).digest()).decode(),
            )
        return Stored(answer["ETag"].strip('"'), answer.get("VersionId"))

    def put_new(self, key: str, data: bytes, content_type: str) -> bool:
        """Store `data` unless there is an object under the key already, or one being put. Raises `CatalogueBusy`."""
        try:
            with _translated(key):
                self._client.put_object(
                    Bucket=self.name, Key=key, Body=data, ContentType=content_type, IfNoneMatch="*"
                )
        except ImageChanged:
            return False
        return True

    def open(self, key: str, unless_etag: str | None = None, with_body: bool = True) -> Opened:
        """The object for reading; `with_body` False asks only for its head.

        Raises `ImageNotFound`, `ImageArchived` (asked for the bytes), `CatalogueBusy`, and `NotModified` where its ETag
        is `unless_etag`.
        """
        request = {"Bucket": self.name, "Key": key}
        if unless_etag:
            request["IfNoneMatch"] = f'"{unless_etag}"'
        with _translated(key):
            answer = (self._client.get_object if with_body else self._client.head_object)(**request)
        return Opened(
            answer["ContentLength"],
            answer["ETag"].strip('"'),
            answer.get("ContentType", ""),
            answer.get("Body"),
            _is_archived(answer),
            answer.get("ContentEncoding"),
        )

    def read(self, opened: Opened) -> bytes:
        """All bytes of an opened object; raises `CatalogueBusy` when the connection breaks."""
        with _translated(""):
            data: bytes = opened.body.read()
        return data

    def etag(self, key: str) -> str | None:
        """The ETag of the object under the key; None where there is none. Raises `CatalogueBusy`."""
        try:
            return self.open(key, with_body=False).etag
        except ImageNotFound:
            return None

    def delete(self, key: str, only_etag: str | None = None) -> None:
        """Delete the object, with `only_etag` only while it has this ETag; no error where there is none.

        Raises `ImageChanged`, `CatalogueBusy`.
        """
        condition = {"IfMatch": f'"{only_etag}"'} if only_etag else {}
        with suppress(ImageNotFound), _translated(key):
            self._client.delete_object(Bucket=self.name, Key=key, **condition)

    def delete_below(self, prefix: str) -> None:
        """Delete all objects whose keys begin with `prefix`. Raises `CatalogueBusy`."""
        with _translated(prefix):
            for page in self._client.get_paginator("list_objects_v2").paginate(
                Bucket=self.name, Prefix=prefix
            ):
                for entry in page.get("Contents", []):
                    self._client.delete_object(Bucket=self.name, Key=entry["Key"])

    def presigned_get(self, key: str, content_type: str, disposition: str, seconds: int) -> str:
        """A URL that hands out the object with these headers, whatever the object's own are."""
        parameters = {
            "Bucket": self.name,
            "Key": key,
            "ResponseContentType": content_type,
            "ResponseContentDisposition": disposition,
            "ResponseCacheControl": f"private, max-age={seconds}",
        }
        url: str = self._client.generate_presigned_url("get_object", Params=parameters, ExpiresIn=seconds)
        return url

    def origin(self) -> str:
        """The origin (RFC 6454) of presigned addresses."""
        address = urlsplit(
            self._client.generate_presigned_url("get_object", Params={"Bucket": self.name, "Key": "x"})
        )
        return f"{address.scheme}://{address.netloc}"

    def presigned_post(
        self, key: str, fields: dict[str, str], sizes: tuple[int, int], seconds: int
    ) -> tuple[str, dict[str, str]]:
        """The URL and form fields of one upload of `sizes` (least, most) bytes; every field is pinned."""
        conditions: list[Any] = [{name: value} for name, value in fields.items()]
        conditions.append(["content-length-range", *sizes])
        answer = self._client.generate_presigned_post(
            self.name, key, Fields=dict(fields), Conditions=conditions, ExpiresIn=seconds
        )
        return answer["url"], answer["fields"]


def archived(key: str) -> ImageArchived:
    """What to raise for an object that has to be restored first."""
    return ImageArchived(f"the file of {key!r} is archived; restore it in S3, then ask again")


def _is_archived(answer: dict[str, Any]) -> bool:
    """Whether a GET or HEAD answer is of an archived object without a restored copy (S3 API, HeadObject)."""
    cold = answer.get("StorageClass") in _ARCHIVES or "ArchiveStatus" in answer
    return cold and 'ongoing-request="false"' not in answer.get("Restore", "")


def code_of(error: ClientError) -> str:
    """S3's error code, or the status of an answer without one."""
    return str(error.response.get("Error", {}).get("Code", ""))


def meaning_of(error: ClientError) -> Meaning | None:
    """What the error means; None where only its code can be reported."""
    return _MEANINGS.get(code_of(error))


@contextmanager
def _translated(key: str) -> Iterator[None]:
    """Raise the product's own exceptions for errors about `key` that have a meaning to the API."""
    try:
        yield
    except ClientError as error:
        meaning = meaning_of(error)
        if meaning is Meaning.NOT_MODIFIED:
            raise NotModified from error
        if meaning is Meaning.GONE:
            raise ImageNotFound(key) from error
        if meaning is Meaning.ARCHIVED:
            raise archived(key) from error
        if meaning is Meaning.OVERWRITTEN:
            raise ImageChanged("the image is not the one that If-Match names") from error
        if meaning is Meaning.BUSY:
            raise CatalogueBusy("the image store is busy; try again shortly") from error
        raise
    except (ConnectionFailed, HTTPClientError) as error:
        raise CatalogueBusy("the image store did not answer; try again shortly") from error
