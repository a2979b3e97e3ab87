"""The search bucket: what a listing tells of its objects, and reads and puts that hold for just those objects."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError, NoCredentialsError, PartialCredentialsError

from image_catalogue.bucket import Meaning, code_of, meaning_of
from image_catalogue.errors import CatalogueBusy

#: An object is no longer the one that was listed, says a read or a conditional put.
_CHANGED = (Meaning.GONE, Meaning.OVERWRITTEN)
_DELETED_AT_ONCE = 1000  # DeleteObjects' maximum
_THREADS = 16
_READ_ATTEMPTS = 3


class Changed(Exception):
    """An object is no longer what was listed: a compaction came between. Begin again."""


@dataclass(frozen=True)
class Stored:
    """An object as a listing told of it; `etag` without quotes."""

    key: str
    etag: str
    size: int
    modified: datetime


class Files:
    """The bucket `bucket`; `client` is a boto3 S3 client (the shared one by default).

    Every method raises `CatalogueBusy` when S3 does not answer, and `Changed` where it says so.
    """

    def __init__(self, bucket: str, client: Any = None) -> None:
        if client is None:
            from image_catalogue.clients import s3

            client = s3()
        self.bucket = bucket
        self._client = client

    def listed(self, prefix: str) -> list[Stored]:
        """The objects whose keys begin with `prefix`, in the order of their keys."""
        found: list[Stored] = []
        request: dict[str, Any] = {"Bucket": self.bucket, "Prefix": prefix}
        while True:
            with _translated():
                answer = self._client.list_objects_v2(**request)
            found += (
                Stored(entry["Key"], entry["ETag"].strip('"'), entry["Size"], entry["LastModified"])
                for entry in answer.get("Contents", ())
            )
            if not answer.get("IsTruncated"):
                return found
            request["ContinuationToken"] = answer["NextContinuationToken"]

    def read(self, stored: Stored, start: int = 0, end: int | None = None) -> bytes:
        """Bytes [start, end) of the object, all by default; raises `Changed`."""
        end = stored.size if end is None else min(end, stored.size)
        if start >= end:
            return b""
        request = {"Bucket": self.bucket, "Key": stored.key, "IfMatch": f'"{stored.etag}"'}
        if (start, end) != (0, stored.size):
            request["Range"] = f"bytes={start}-{end - 1}"
        for attempt in range(1, _READ_ATTEMPTS + 1):
            try:
                with _translated():
                    data: bytes = self._client.get_object(**request)["Body"].read()
                return data
            except CatalogueBusy:
                if attempt == _READ_ATTEMPTS:
                    raise
        raise AssertionError

    def read_all(self, stored: Iterable[Stored]) -> list[bytes]:
        """The bytes of several objects, read side by side; raises `Changed`."""
        with ThreadPoolExecutor(_THREADS) as pool:
            return list(pool.map(self.read, stored))

    def put(self, key: str, data: Any, content_type: str) -> None:
        """Put an object, whatever there is under the key."""
        with _translated():
            self._client.put_object(Bucket=self.bucket, Key=key, Body=data, ContentType=content_type)

    def replace(self, old: Stored | None, key: str, data: Any, content_type: str) -> None:
        """Put an object in the place of `old` (None: where there is none); raises `Changed`."""
        condition = {"IfMatch": f'"{old.etag}"'} if old else {"IfNoneMatch": "*"}
        with _translated():
            self._client.put_object(
                Bucket=self.bucket, Key=key, Body=data, ContentType=content_type, **condition
            )

    def delete(self, keys: list[str]) -> None:
        """Delete objects; no error where there is none."""
        for first in range(0, len(keys), _DELETED_AT_ONCE):
            some = [{"Key": key} for key in keys[first : first + _DELETED_AT_ONCE]]
            with _translated():
                answer = self._client.delete_objects(
                    Bucket=self.bucket, Delete={"Objects": some, "Quiet": True}
                )
            if answer.get("Errors"):
                raise CatalogueBusy("the search bucket did not delete all that was merged")


@contextmanager
def _translated() -> Iterator[None]:
    try:
        yield
    except ClientError as error:
        meaning = meaning_of(error)
        if meaning in _CHANGED:
            raise Changed(code_of(error)) from error
        if meaning is Meaning.BUSY:
            raise CatalogueBusy("the search bucket is busy; try again shortly") from error
        raise
    except (NoCredentialsError, PartialCredentialsError):  # nothing to try again: tools say what is missing
        raise
    except (BotoCoreError, OSError) as error:
        raise CatalogueBusy("the search bucket did not answer; try again shortly") from error
