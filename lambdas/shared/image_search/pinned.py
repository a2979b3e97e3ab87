"""The one file system that DuckDB gets to see: objects of the search bucket, pinned to what a listing told.

DuckDB reads through boto3 and not by its own S3 client: so each request names the ETag that was listed (`If-Match`),
DuckDB holds no credentials and reaches no network, and its caches are right for ever, because a path holds the ETag.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Iterable
from concurrent.futures import Future
from datetime import UTC, datetime
from typing import Any

from fsspec import AbstractFileSystem

from .files import Files, Stored

#: The scheme of the paths that DuckDB is given.
SCHEME = "images"
#: DuckDB asks for some dozens of bytes at a time, and a request to S3 takes as long as reading a megabyte or two: so it
#: gets what it asks for from blocks. What it has read it keeps by itself; these are for the moment.
BLOCK, KEPT_BLOCKS = 512 * 1024, 64
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def path_of(stored: Stored) -> str:
    """The object's path for DuckDB: other bytes have another."""
    return f"{SCHEME}://{stored.etag}/{stored.key}"


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
        self._lock = threading.Lock()
        self._blocks: dict[tuple[str, int], Future[bytes]] = {}
        self.requests = 0
        self.bytes_read = 0

    def show(self, stored: Iterable[Stored], whole: Iterable[Stored] = ()) -> None:
        """Let these objects be opened and no others; those of `whole`, each small, are read at once and kept.

        Raises `Changed`.
        """
        whole = list(whole)
        missing = [entry for entry in whole if path_of(entry) not in self._held]
        for entry, data in zip(missing, self._files.read_all(missing), strict=True):
            self._held[path_of(entry)] = data
        self._held = {path_of(entry): self._held[path_of(entry)] for entry in whole}
        self._known = {path_of(entry): entry for entry in (*stored, *whole)}

    def fetch(self, stored: Stored, start: int, end: int) -> bytes:
        """Bytes [start, end) of an object; notes a failure."""
        held = self._held.get(path_of(stored))
        if held is not None:
            return held[start:end]
        if end - start > BLOCK:
            return self._read(stored, start, end)
        blocks = range(start // BLOCK, (end - 1) // BLOCK + 1)
        data = b"".join(self._block(stored, number) for number in blocks)
        begin = blocks.start * BLOCK
        return data[start - begin : end - begin]

    def _block(self, stored: Stored, number: int) -> bytes:
        """A block of an object, read once whichever threads ask for it at the same time."""
        key = (path_of(stored), number)
        with self._lock:
            block = self._blocks.pop(key, None)
            mine = block is None
            if block is None:
                block = Future()
            self._blocks[key] = block  # the latest asked for is the last
            while len(self._blocks) > KEPT_BLOCKS:
                del self._blocks[next(iter(self._blocks))]
        if mine:
            try:
                block.set_result(self._read(stored, number * BLOCK, min((number + 1) * BLOCK, stored.size)))
            except Exception as error:
                with self._lock:
                    self._blocks.pop(key, None)
                block.set_exception(error)
                raise
        return block.result()

    def _read(self, stored: Stored, start: int, end: int) -> bytes:
        try:
            if self.deadline is not None and time.monotonic() >= self.deadline:
                raise TimeoutError
            data = self._files.read(stored, start, end)
        except Exception as error:
            self.failure = self.failure or error
            raise
        with self._lock:
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
