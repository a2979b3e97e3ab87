"""The boxes of ISO/IEC 14496-12 (section 4.2), which HEIF, AVIF, JPEG 2000 and JPEG XL share.

A box is a 32-bit size, a four-character type, for size 1 a 64-bit size, for type `uuid` 16 bytes more.
Size 0 means "up to the end of the enclosing space".
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from ..reader import Reader
from .cursors import Truncated

#: Boxes looked at in one enclosing space; real files hold a few dozen.
MAX_BOXES = 512


class BadBox(ValueError):
    """A box header whose size contradicts itself; what lies behind it cannot be found."""


@dataclass(frozen=True, slots=True)
class Box:
    """One box: its type, where its payload starts and ends in the file, whether the file holds it all."""

    kind: bytes
    start: int  # of the payload
    end: int  # of the payload, at most the end of the enclosing space
    whole: bool = True
    uuid: bytes = b""

    @property
    def size(self) -> int:
        """Payload bytes that exist."""
        return self.end - self.start


def walk(source: Reader, start: int, end: int, limit: int = MAX_BOXES) -> Iterator[Box]:
    """The boxes in [start, end) of the file, in order, by their headers alone.

    Stops after `limit` boxes. Raises `BadBox` at a size smaller than its own header.
    """
    end = min(end, source.size)
    for _ in range(limit):
        if end - start < 8:
            return
        box, start = _header(source.read_at(start, 32), start, end)
        yield box


def walk_bytes(data: bytes, limit: int = MAX_BOXES) -> Iterator[tuple[Box, bytes]]:
    """The boxes of a block in memory, each with its payload; positions count from the block's start."""
    start = 0
    for _ in range(limit):
        if len(data) - start < 8:
            return
        box, start = _header(data[start : start + 32], start, len(data))
        yield box, data[box.start : box.end]


def _header(head: bytes, start: int, end: int) -> tuple[Box, int]:
    """Parse the box header at `start`; the box and where the next one begins."""
    if len(head) < 8:
        raise BadBox(f"box header at {start} is cut short")
    size = int.from_bytes(head[:4], "big")
    kind = head[4:8]
    header = 8
    if size == 1:
        if len(head) < 16:
            raise BadBox(f"box header at {start} is cut short")
        size = int.from_bytes(head[8:16], "big")
        header = 16
    elif size == 0:
        size = end - start
    uuid = b""
    if kind == b"uuid":
        uuid = head[header : header + 16]
        header += 16
    if size < header:
        raise BadBox(f"box at {start} has impossible size {size}")
    whole = start + size <= end
    stop = min(start + size, end)
    return Box(kind, min(start + header, stop), stop, whole, uuid), stop


def tiff_stream(data: bytes) -> bytes:
    """The TIFF stream of an Exif item or box (23008-12, A.2.1): a 32-bit offset leads to it.

    Where the offset is wrong or missing, the TIFF header is looked for. Raises `Truncated` when there is none.
    """
    skip = 4 + int.from_bytes(data[:4], "big")
    if data[skip : skip + 6] == b"Exif\0\0":
        skip += 6
    if data[skip : skip + 2] in (b"II", b"MM"):
        return data[skip:]
    for magic in (b"II*\0", b"MM\0*"):
        at = data.find(magic, 0, 64)
        if at >= 0:
            return data[at:]
    raise Truncated("no TIFF header")
