"""Objects in S3 as the extractor reads them: by ranges, and never two versions of one object at once."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from urllib.parse import quote, unquote

from botocore.exceptions import BotoCoreError, ClientError

from image_metadata.errors import SourceChanged, SourceError

#: User metadata of an object that the API stored: the client's file name, percent-encoded (S3 takes ASCII).
FILENAME_METADATA = "filename"
_GONE = frozenset(("NoSuchKey", "NoSuchVersion", "404", "NotFound", "MethodNotAllowed", "405"))
_CHANGED = frozenset(("PreconditionFailed", "412"))
_EMPTY = frozenset(("InvalidRange", "416"))


class ObjectGone(SourceError):
    """There is no object under the key."""


class UnreadableObject(Exception):
    """The object is there and S3 will not hand out its bytes; repeating the request will not help."""

    def __init__(self, reason: str, head: dict[str, Any]) -> None:
        super().__init__(reason)
        self.head = head


class S3Object:
    """One object; the first ranged GetObject also tells what it is (no HeadObject).

    `fetch(start, end)` is what `image_metadata.RangeReader` reads through. The later ranges carry the first
    one's ETag (`If-Match`). Raises `ObjectGone`, `SourceChanged`, `UnreadableObject`, and `SourceError` for what
    a retry may mend.
    """

    def __init__(self, client: Any, bucket: str, key: str) -> None:
        self._client = client
        self.bucket = bucket
        self.key = key
        self.size: int | None = None
        self.etag: str | None = None  # without quotes
        self.version_id: str | None = None
        self.last_modified: datetime | None = None
        self.declared_content_type: str | None = None
        self.filename: str | None = None

    def fetch(self, start: int, end: int) -> bytes:
        """Bytes [start, end), fewer at the end of the object."""
        request: dict[str, Any] = {"Bucket": self.bucket, "Key": self.key, "Range": f"bytes={start}-{end - 1}"}
        if self.etag is not None:
            request["IfMatch"] = f'"{self.etag}"'
        try:
            answer = self._client.get_object(**request)
            if self.etag is None:
                self._learn(answer, _total_size(answer))
            body: bytes = answer["Body"].read()
            return body
        except ClientError as error:
            return self._failed(error)
        except (BotoCoreError, OSError) as error:
            raise SourceError(f"reading the object failed: {type(error).__name__}") from error

    def _failed(self, error: ClientError) -> bytes:
        code = error.response.get("Error", {}).get("Code", "")
        if code in _GONE:
            raise ObjectGone("the object is gone") from error
        if code in _CHANGED:
            raise SourceChanged("the object was overwritten while it was read") from error
        if code in _EMPTY and self.etag is None:
            # No range fits an object of zero bytes, and the error tells nothing else about it.
            head = self._head()
            self._learn(head, head["ContentLength"])
            return b""
        if code == "InvalidObjectState":
            raise UnreadableObject("the object is archived: restore it to have it read", self._head()) from error
        raise SourceError(f"reading the object failed: {code}") from error

    def _head(self) -> dict[str, Any]:
        try:
            head: dict[str, Any] = self._client.head_object(Bucket=self.bucket, Key=self.key)
            return head
        except ClientError as error:
            if error.response.get("Error", {}).get("Code", "") in _GONE:
                raise ObjectGone("the object is gone") from error
            raise SourceError("reading the object's head failed") from error

    def learn_head(self, head: dict[str, Any]) -> None:
        """Take what a HeadObject answered for an object whose bytes cannot be had."""
        self._learn(head, head["ContentLength"])

    def _learn(self, answer: dict[str, Any], size: int) -> None:
        self.size = size
        self.etag = answer["ETag"].strip('"')
        self.version_id = answer.get("VersionId")
        self.last_modified = answer["LastModified"]
        self.declared_content_type = answer.get("ContentType")
        stored = answer.get("Metadata", {}).get(FILENAME_METADATA)
        self.filename = unquote(stored) if stored else None


def filename_metadata(filename: str) -> dict[str, str]:
    """The user metadata that keeps a client's file name with the object (S3 allows 2 KB in all)."""
    return {FILENAME_METADATA: quote(filename, safe=" ")[:1024]}


def _total_size(answer: dict[str, Any]) -> int:
    content_range = answer.get("ContentRange")  # bytes 0-65535/1234567
    return int(content_range.rsplit("/", 1)[1]) if content_range else answer["ContentLength"]
