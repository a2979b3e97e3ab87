"""Random access to a file's bytes, with a block cache, counters and a budget.

Every format reader sees a `Reader`; whether a local file, bytes in memory or ranged S3 requests lie
under it is one `fetch(start, end)` callable's affair.
"""

from __future__ import annotations

import io
import os
from collections.abc import Callable, Iterable
from functools import partial
from posixpath import splitext
from typing import BinaryIO, Protocol

from . import limits
from .errors import BudgetExceeded, SourceError

#: `fetch(start, end)` returns the bytes [start, end) of one version of the source, and fewer only where the
#: source ends. It raises `SourceError` (or `SourceChanged`) when it cannot.
Fetch = Callable[[int, int], bytes]


#: File extension of formats with data at their end -> the file size up to which the first request fetches everything.
#: A GIF is read to its end anyway.
_AT_ONCE = {
    ".gif": limits.MAX_COUNTED,
    ".png": limits.MAX_AT_ONCE,
    ".tif": limits.MAX_AT_ONCE,
    ".tiff": limits.MAX_AT_ONCE,
    ".webp": limits.MAX_AT_ONCE,
}


def first_block(name: str, size: int | None) -> int:
    """Bytes to ask for at first of a file of this name and size, where they are known; either may be wrong."""
    most = _AT_ONCE.get(splitext(name)[1].lower(), 0)
    return max(size, limits.FIRST_BLOCK) if size is not None and size <= most else limits.FIRST_BLOCK


class Reader(Protocol):
    """What a format reader may ask for."""

    @property
    def size(self) -> int:
        """The file's length in bytes."""
        ...

    def read_at(self, offset: int, length: int) -> bytes:
        """Bytes [offset, offset+length), shorter only at the end of the file.

        Raises `BudgetExceeded` where fetching them would pass the budget and `SourceError` where the
        source fails. Free when the bytes were fetched before.
        """
        ...

    def prefetch(self, ranges: Iterable[tuple[int, int]]) -> None:
        """Be told that these ranges (offset, length) are read next: a source of requests fetches them together."""
        ...


class RangeReader:
    """A `Reader` over a source that returns ranges, for as few requests and bytes as the structure needs.

    The first request takes `first_block` bytes from the start. A later one takes exactly what a structure
    asked for, but at least `limits.MIN_FETCH`, and grows while a file is walked block by block. What was
    fetched stays cached. `size` is the total length in bytes, or a callable that knows it after the first
    response; without either, the first response must reach the end of the source.
    Counters: `requests`, `bytes_fetched`.
    """

    def __init__(
        self,
        fetch: Fetch,
        size: int | Callable[[], int | None] | None = None,
        *,
        first_block: int = limits.FIRST_BLOCK,
        max_bytes: int = limits.MAX_BYTES,
        max_requests: int = limits.MAX_REQUESTS,
    ) -> None:
        self.requests = 0
        self.bytes_fetched = 0
        self._fetch = fetch
        self._first_block = first_block
        self._max_bytes = max_bytes
        self._max_requests = max_requests
        self._stated_size = size
        self._size = -1
        self._head = b""
        self._extents: list[tuple[int, int, bytes]] = []
        self._last_end = 0
        self._ahead = limits.MIN_FETCH

    @property
    def size(self) -> int:
        """The file's length in bytes; the first request is made to learn it."""
        if self._size < 0:
            self._open()
        return self._size

    def read_at(self, offset: int, length: int) -> bytes:
        """Bytes [offset, offset+length), shorter only at the end of the file; see `Reader.read_at`."""
        if self._size < 0:
            self._open()
        end = offset + length
        if end <= len(self._head):
            return self._head[offset:end] if offset >= 0 else b""
        end = min(end, self._size)
        if offset < 0 or offset >= end:
            return b""
        if end <= len(self._head):
            return self._head[offset:end]
        for start, stop, data in reversed(self._extents):
            if start <= offset and end <= stop:
                return data[offset - start : end - start]
        return self._assemble(offset, end)

    def prefetch(self, ranges: Iterable[tuple[int, int]]) -> None:
        """Fetch several ranges (offset, length), neighbours merged into one request.

        A hint: ranges outside the file, and those the budget has no room for, are passed over.
        """
        wanted = sorted((max(0, o), min(o + n, self.size)) for o, n in ranges if n > 0 and o < self.size)
        merged: list[list[int]] = []
        for start, end in wanted:
            if merged and start - merged[-1][1] <= limits.MERGE_GAP:
                merged[-1][1] = max(merged[-1][1], end)
            else:
                merged.append([start, end])
        for start, end in merged:
            room = self.requests < self._max_requests and self.bytes_fetched + end - start <= self._max_bytes
            if start < end and room:
                self.read_at(start, end - start)

    def _open(self) -> None:
        block = self._fetch(0, self._first_block)
        self.requests += 1
        self.bytes_fetched += len(block)
        if len(block) < self._first_block:
            self._size = len(block)  # the whole source
        else:
            stated = self._stated_size() if callable(self._stated_size) else self._stated_size
            if stated is None:
                raise SourceError("the source does not state its size")
            if stated < len(block):
                raise SourceError("the source is longer than its stated size")
            self._size = stated
        self._head = block
        self._last_end = len(self._head)
        self._extents.append((0, len(self._head), self._head))

    def _assemble(self, offset: int, end: int) -> bytes:
        """Join what is cached with one request for what is not."""
        first = self._covered_from(offset)
        if first < end:
            last = self._covered_back(end)
            self._request(first, max(last, first + 1))
        parts = []
        position = offset
        while position < end:
            for start, stop, data in reversed(self._extents):
                if start <= position < stop:
                    parts.append(data[position - start : end - start])
                    position = min(stop, end)
                    break
        return b"".join(parts)

    def _covered_from(self, position: int) -> int:
        """The first byte at or after `position` that is not cached."""
        moved = True
        while moved:
            moved = False
            for start, stop, _ in self._extents:
                if start <= position < stop:
                    position, moved = stop, True
        return position

    def _covered_back(self, end: int) -> int:
        """The end of the last gap before `end`."""
        moved = True
        while moved:
            moved = False
            for start, stop, _ in self._extents:
                if start < end <= stop:
                    end, moved = start, True
        return end

    def _request(self, start: int, end: int) -> None:
        near = 0 <= start - self._last_end <= 4 * self._ahead
        self._ahead = min(self._ahead * 2, limits.MAX_READ_AHEAD) if near else limits.MIN_FETCH
        room = self._max_bytes - self.bytes_fetched
        if end - start > room or self.requests >= self._max_requests:
            raise BudgetExceeded(
                f"reading on at byte {start} would pass the budget of {self._max_bytes} bytes"
                f" and {self._max_requests} requests"
            )
        end = min(max(end, start + min(self._ahead, room)), self._size)
        block = self._fetch(start, end)
        self.requests += 1
        self.bytes_fetched += len(block)
        if len(block) != end - start:
            raise SourceError("the source answered another range than was asked for")
        self._extents.append((start, end, block))
        self._last_end = end


class PathReader(RangeReader):
    """A `Reader` over the file of this name, open until `close` or the end of a `with`; raises what `open` does."""

    _descriptor = -1

    def __init__(self, path: str | os.PathLike[str], **settings: int) -> None:
        self._descriptor = descriptor = os.open(path, _FLAGS)
        # Functions that know the file, not methods: those would tie the reader, and its blocks, to itself.
        read = partial(_read_descriptor, descriptor)
        super().__init__(partial(_read_whole, read, True), partial(_length, descriptor), **settings)

    def close(self) -> None:
        """Close the file; what was read of it stays."""
        if self._descriptor >= 0:
            self._fetch = _closed  # the descriptor may be another file's from now on
            descriptor, self._descriptor = self._descriptor, -1
            os.close(descriptor)

    __del__ = close

    def __enter__(self) -> PathReader:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


#: Bytes as they are, where the system would end lines its own way (Windows).
_FLAGS = os.O_RDONLY | getattr(os, "O_BINARY", 0)
#: Reads without a seek; Windows has none.
_PREAD: Callable[[int, int, int], bytes] | None = getattr(os, "pread", None)


def _read_whole(read: Callable[[int, int], bytes], in_parts: bool, start: int, end: int) -> bytes:
    """Bytes [start, end) by `read`, which may answer short before the end of the file where it reads `in_parts`."""
    try:
        data = read(start, end)
        while in_parts and len(data) < end - start and (more := read(start + len(data), end)):
            data += more
        return data
    except OSError as error:
        raise SourceError(f"reading the file failed: {error}") from error


def _read_descriptor(descriptor: int, start: int, end: int) -> bytes:
    if _PREAD:
        return _PREAD(descriptor, end - start, start)
    os.lseek(descriptor, start, os.SEEK_SET)
    return os.read(descriptor, end - start)


def _length(descriptor: int) -> int:
    return os.lseek(descriptor, 0, os.SEEK_END)


def _closed(*_: int) -> bytes:
    raise SourceError("the file is closed")


class FileReader(RangeReader):
    """A `Reader` over a seekable binary file; the file is neither closed nor kept."""

    def __init__(self, file: BinaryIO, **settings: int) -> None:
        # Of files the unbuffered alone may answer short; others, a remote one say, are asked no more than needed.
        in_parts = isinstance(file, io.RawIOBase)
        read = partial(_read_file, file)
        super().__init__(partial(_read_whole, read, in_parts), partial(_file_length, file), **settings)


def _read_file(file: BinaryIO, start: int, end: int) -> bytes:
    file.seek(start)
    return file.read(end - start)


def _file_length(file: BinaryIO) -> int:
    try:
        return file.seek(0, io.SEEK_END)
    except OSError as error:
        raise SourceError(f"the file cannot seek: {error}") from error


class BytesReader:
    """A `Reader` over bytes in memory: a metadata block, or an image inside another."""

    def __init__(self, data: bytes) -> None:
        self.data = data
        self.size = len(data)

    def read_at(self, offset: int, length: int) -> bytes:
        """Bytes [offset, offset+length), shorter only at the end."""
        return self.data[offset : offset + length] if offset >= 0 and length > 0 else b""

    def prefetch(self, ranges: Iterable[tuple[int, int]]) -> None:
        """Nothing: all is there."""


class WindowReader:
    """A `Reader` over part of another: an image that starts after other bytes."""

    def __init__(self, source: Reader, offset: int, length: int | None = None) -> None:
        self._source = source
        self._offset = offset
        available = max(0, source.size - offset)
        self.size = available if length is None else min(length, available)

    def read_at(self, offset: int, length: int) -> bytes:
        """Bytes [offset, offset+length) of the window, shorter only at its end."""
        length = min(length, self.size - offset)
        return self._source.read_at(self._offset + offset, length) if offset >= 0 and length > 0 else b""

    def prefetch(self, ranges: Iterable[tuple[int, int]]) -> None:
        """Fetch several ranges together; see `RangeReader.prefetch`."""
        self._source.prefetch([(self._offset + offset, length) for offset, length in ranges])
