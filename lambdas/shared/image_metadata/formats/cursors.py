"""Bounds-checked cursors over bytes and bits: what every hand-written header parser here reads with.

A read past the end raises `Truncated` (a `ValueError`), never `IndexError` or `struct.error`, so that a
reader has one thing to catch and can say which block was damaged.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterable


class Truncated(ValueError):
    """A field lies, wholly or partly, past the end of its block."""


class Fields:
    """A cursor over one block: integers of either byte order, byte strings, C strings."""

    __slots__ = ("data", "order", "position")

    def __init__(self, data: bytes, position: int = 0, order: str = "big") -> None:
        self.data = data
        self.position = position
        self.order = order

    @property
    def left(self) -> int:
        """Bytes not read yet."""
        return max(0, len(self.data) - self.position)

    def take(self, length: int) -> bytes:
        """The next `length` bytes, all of them."""
        start = self.position
        if length < 0 or start < 0 or start + length > len(self.data):
            raise Truncated(f"{length} bytes wanted at {start}, {self.left} there")
        self.position = start + length
        return self.data[start : start + length]

    def skip(self, length: int) -> None:
        """Step over `length` bytes that must exist."""
        if length < 0 or self.position + length > len(self.data):
            raise Truncated(f"{length} bytes to skip at {self.position}, {self.left} there")
        self.position += length

    def uint(self, length: int) -> int:
        """An unsigned integer of `length` bytes; 0 for length 0 (iloc has such fields)."""
        return int.from_bytes(self.take(length), self.order)  # type: ignore[arg-type]

    def sint(self, length: int) -> int:
        """A two's complement integer of `length` bytes."""
        return int.from_bytes(self.take(length), self.order, signed=True)  # type: ignore[arg-type]

    def u8(self) -> int:
        """One byte."""
        return self.uint(1)

    def u16(self) -> int:
        """Two bytes."""
        return self.uint(2)

    def u32(self) -> int:
        """Four bytes."""
        return self.uint(4)

    def cstring(self) -> bytes:
        """Bytes up to the next NUL, which is eaten, or up to the end of the block."""
        end = self.data.find(b"\0", self.position)
        if end < 0:
            end = len(self.data)
        text = self.data[self.position : end]
        self.position = end + 1
        return text


class LowBits:
    """A bit cursor that takes the least significant bit of each byte first (JPEG XL)."""

    __slots__ = ("bit", "data")

    def __init__(self, data: bytes) -> None:
        self.data = data
        self.bit = 0

    def bits(self, count: int) -> int:
        """The next `count` bits as an unsigned integer."""
        end = self.bit + count
        if end > 8 * len(self.data):
            raise Truncated(f"{count} bits wanted at bit {self.bit} of {8 * len(self.data)}")
        first, last = self.bit >> 3, (end + 7) >> 3
        value = int.from_bytes(self.data[first:last], "little") >> (self.bit & 7)
        self.bit = end
        return value & ((1 << count) - 1)

    def flag(self) -> bool:
        """One bit."""
        return self.bits(1) == 1


def inflate(data: bytes, limit: int, wbits: int = zlib.MAX_WBITS) -> bytes:
    """Inflate at most `limit` bytes (zlib by default; `wbits` 31 for gzip, -15 for raw deflate).

    What a damaged stream yields before the damage is returned; nothing at all raises `Truncated`.
    """
    engine = zlib.decompressobj(wbits)
    try:
        return engine.decompress(data, limit)
    except zlib.error as error:
        # One damaged byte must not cost what came before it: feed the stream in small pieces.
        engine = zlib.decompressobj(wbits)
        out = b"".join(_pieces(engine, data, limit))
        if not out:
            raise Truncated(f"not inflatable: {error}") from error
        return out


def _pieces(engine: zlib._Decompress, data: bytes, limit: int) -> Iterable[bytes]:
    """The pieces a damaged stream yields up to the damage, `limit` bytes at most."""
    left = limit
    for start in range(0, len(data), 64):
        if left <= 0:
            return
        try:
            piece = engine.decompress(data[start : start + 64], left)
        except zlib.error:
            return
        left -= len(piece)
        yield piece
