"""An object in S3 as it is read by ranges: never two versions of one object at once."""

from __future__ import annotations

import time
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from image_metadata.errors import SourceChanged, SourceError

from .bucket import Meaning, code_of, meaning_of
from .filenames import stored_filename


class ObjectGone(SourceError):
    """There is no object under the key."""


class UnreadableObject(Exception):
    """The object exists and S3 does not return its bytes; repeating the request will not help."""


@dataclass(frozen=True)
class Head:
    """What S3 says of an object beside its bytes; `etag` is without quotes."""

    size: int
    etag: str
    version_id: str | None
    last_modified: datetime
    declared_content_type: str | None
    filename: str | None
    encoding: str | None = None  # Content-Encoding, in lower case

    @classmethod
    def of(cls, answer: dict[str, Any]) -> Head:
        """The head in a GetObject (whole or ranged) or HeadObject answer."""
        content_range = answer.get("ContentRange")  # bytes 0-65535/1234567
        return cls(
            size=int(content_range.rsplit("/", 1)[1]) if content_range else answer["ContentLength"],
            etag=answer["ETag"].strip('"'),
            version_id=answer.get("VersionId"),
            last_modified=answer["LastModified"],
            declared_content_type=answer.get("ContentType"),
            filename=stored_filename(answer.get("Metadata", {})),
            encoding=answer.get("ContentEncoding", "").strip().lower() or None,
        )


class S3Object:
    """One object as `image_metadata.RangeReader` reads it, through `fetch(start, end)` and `size()`.

    The first ranged GetObject returns the head too, which saves a HeadObject. Later ranges carry the first one's
    ETag (`If-Match`), so that no two versions are mixed; with `etag` the first does too. Raises `ObjectGone`,
    `SourceChanged`, `UnreadableObject`, and `SourceError` where a later attempt may succeed.
    """

    def __init__(
        self, client: Any, bucket: str, key: str, deadline: float | None = None, etag: str | None = None
    ) -> None:
        self._client = client
        self._etag = etag  # of the object that is meant; the first one that is read, where it is not stated
        self._deadline = deadline  # in time.monotonic() seconds; no request begins after it
        self.bucket = bucket
        self.key = key
        self.head: Head | None = None  # known from the first fetch on

    def size(self) -> int | None:
        """The length in bytes; None before the first fetch."""
        return self.head.size if self.head else None

    def fetch(self, start: int, end: int) -> bytes:
        """Bytes [start, end), fewer at the end of the object."""
        if self._deadline is not None and time.monotonic() >= self._deadline:
            raise SourceError("the invocation's time is used up")
        request: dict[str, Any] = {
            "Bucket": self.bucket,
            "Key": self.key,
            "Range": f"bytes={start}-{end - 1}",
        }
        etag = self.head.etag if self.head else self._etag
        if etag is not None:
            request["IfMatch"] = f'"{etag}"'
        try:
            answer = self._client.get_object(**request)
            if self.head is None:
                self.head = Head.of(answer)
            body: bytes = answer["Body"].read()
            return body
        except ClientError as error:
            return self._failed(error)
        except (BotoCoreError, OSError) as error:
            raise SourceError(f"reading the object failed: {type(error).__name__}") from error

    def _failed(self, error: ClientError) -> bytes:
        meaning = meaning_of(error)
        if meaning is Meaning.GONE:
            raise ObjectGone("the object is gone") from error
        if meaning is Meaning.OVERWRITTEN:
            raise SourceChanged("the object was overwritten while it was read") from error
        if meaning is Meaning.NO_SUCH_RANGE and self.head is None:
            # An object of zero bytes has no range at all, and this error says nothing else about it.
            self.head = self._ask_head()
            if self.head.size:
                raise SourceChanged("the object was overwritten while it was read") from error
            return b""
        if meaning is Meaning.ARCHIVED:
            self.head = self._ask_head()
            raise UnreadableObject("the object is archived: restore it to have it read") from error
        raise SourceError(f"reading the object failed: {code_of(error)}") from error

    def _ask_head(self) -> Head:
        try:
            return Head.of(self._client.head_object(Bucket=self.bucket, Key=self.key))
        except ClientError as error:
            if meaning_of(error) is Meaning.GONE:
                raise ObjectGone("the object is gone") from error
            raise SourceError("reading the object's head failed") from error
