"""The search bucket's files, and the one file system that DuckDB gets to see: objects pinned to what was listed.

DuckDB reads through boto3 and not by its own S3 client: so each request names the ETag that a listing told
(`If-Match`), DuckDB holds no credentials and reaches no network, and its caches are right for ever, a path holding the
ETag. Its every other access to files is switched off (`engine`).
"""

from __future__ import annotations

import threading
import time
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError
from fsspec import AbstractFileSystem

from image_catalogue.errors import CatalogueBusy

#: The scheme of the paths that DuckDB is given.
SCHEME = "images"
_GONE = frozenset(("NoSuchKey", "404", "PreconditionFailed", "412"))
#: S3's answers to a conditional put that came second.
_CONFLICTS = frozenset(("PreconditionFailed", "412", "ConditionalRequestConflict", "409", "NoSuchKey", "404"))
_BUSY = frozenset(
    ("SlowDown", "ServiceUnavailable", "InternalError", "RequestTimeout", "500", "503", "Throttling")
)
_DELETED_AT_ONCE = 1000  # DeleteObjects' maximum
_THREADS = 16
_READ_ATTEMPTS = 3
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class Changed(Exception):
    """An object is no longer what was listed: a compaction came between. Begin again."""


@dataclass(frozen=True)
class Stored:
    """An object as a listing told of it; `etag` without quotes."""

    key: str
    etag: str
    size: int
    modified: datetime

    @property
    def path(self) -> str:
        """The object's path for DuckDB: other bytes have another."""
        return f"{SCHEME}://{self.etag}/{self.key}"


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
        with _translated(_CONFLICTS):
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


class PinnedFiles(AbstractFileSystem):  # type: ignore[misc]
    """The listed objects as DuckDB's file system; `deadline` is in `time.monotonic()` seconds.

    What went wrong under DuckDB, which makes its own error of it, stands in `failure`.
    """

    protocol = SCHEME
    cachable = False

    def __init__(self, files: Files) -> None:
        super().__init__()
        self._files = files
        self._known: dict[str, Stored] = {}
        self._held: dict[str, bytes] = {}
        self.deadline: float | None = None
        self.failure: Exception | None = None
        self.requests = 0
        self.bytes_read = 0

    def show(self, stored: Iterable[Stored], whole: Iterable[Stored] = ()) -> None:
        """Let these objects be opened and no others; those of `whole`, each small, are read at once and kept.

        Raises `Changed`.
        """
        whole = list(whole)
        missing = [entry for entry in whole if entry.path not in self._held]
        for entry, data in zip(missing, self._files.read_all(missing), strict=True):
            self._held[entry.path] = data
        self._held = {entry.path: self._held[entry.path] for entry in whole}
        self._known = {entry.path: entry for entry in (*stored, *whole)}

    def fetch(self, stored: Stored, start: int, end: int) -> bytes:
        """Bytes [start, end) of an object; notes a failure."""
        held = self._held.get(stored.path)
        if held is not None:
            return held[start:end]
        try:
            if self.deadline is not None and time.monotonic() >= self.deadline:
                raise TimeoutError
            data = self._files.read(stored, start, end)
        except Exception as error:
            self.failure = self.failure or error
            raise
        self.requests += 1
        self.bytes_read += len(data)
        return data

    # What DuckDB calls (fsspec's names).

    def open(self, path: str, mode: str = "rb", **_: Any) -> PinnedFile:
        """The object of a path that is known."""
        if mode != "rb" or path not in self._known:
            raise FileNotFoundError(path)
        return PinnedFile(self, self._known[path])

    def glob(self, path: str, **_: Any) -> list[str]:
        """The path itself."""
        return [path] if path in self._known else []

    def exists(self, path: str, **_: Any) -> bool:
        """Whether the path is known."""
        return path in self._known

    def isfile(self, path: str) -> bool:
        """Whether the path is known."""
        return path in self._known

    def info(self, path: str, **_: Any) -> dict[str, Any]:
        """Name, size and type."""
        return {"name": path, "size": self._known[path].size, "type": "file"}

    def size(self, path: str) -> int:
        """Bytes."""
        return self._known[path].size

    def modified(self, path: str) -> datetime:  # noqa: ARG002
        """Always the same: another object has another path."""
        return _EPOCH


class PinnedFile:
    """An open object, shared by DuckDB's threads.

    A read somewhere is a seek and a read, and another thread may come between: so a seek holds for its own thread's
    next read alone. A read without one goes on where the last read of any thread ended. (By identity: what
    `threading.local` keeps of a thread that is not Python's lives no longer than one call.)
    """

    mode = "rb"

    def __init__(self, system: PinnedFiles, stored: Stored) -> None:
        self._system = system
        self._stored = stored
        self._sought: dict[int, int] = {}
        self._next = 0

    def seek(self, offset: int, whence: int = 0) -> int:
        """Say where this thread reads next."""
        position = (0, self.tell(), self._stored.size)[whence] + offset
        self._sought[threading.get_ident()] = position
        return position

    def tell(self) -> int:
        """Where this thread reads next."""
        return self._sought.get(threading.get_ident(), self._next)

    def read(self, count: int = -1) -> bytes:
        """Up to `count` bytes from there."""
        start = self.tell()
        end = self._stored.size if count < 0 else min(start + count, self._stored.size)
        data = self._system.fetch(self._stored, start, end)
        self._next = start + len(data)
        self._sought.pop(threading.get_ident(), None)
        return data

    def seekable(self) -> bool:
        """Yes."""
        return True

    def close(self) -> None:
        """Nothing is held open."""


@contextmanager
def _translated(changed: frozenset[str] = _GONE) -> Iterator[None]:
    try:
        yield
    except ClientError as error:
        code = error.response.get("Error", {}).get("Code", "")
        if code in changed:
            raise Changed(code) from error
        if code in _BUSY:
            raise CatalogueBusy("the search bucket is busy; try again shortly") from error
        raise
    except (BotoCoreError, OSError) as error:
        raise CatalogueBusy("the search bucket did not answer; try again shortly") from error
