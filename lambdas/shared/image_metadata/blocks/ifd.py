"""TIFF directories (TIFF 6.0 section 2; BigTIFF; EXIF 2.32 section 4.6): what EXIF blocks and TIFF files share.

The walk reads directories and the values that are asked for, nothing else.
"""

from __future__ import annotations

import struct
from collections.abc import Callable
from typing import Any, NamedTuple

from .. import limits
from ..characters import decode
from ..reader import BytesReader, Reader
from .numbers import decimal

#: An entry of a directory as it stands there: tag, type, count, value or the offset of the value.
Entry = tuple[int, int, int, bytes]

BYTE, ASCII, SHORT, LONG, RATIONAL, UNDEFINED, SRATIONAL, UTF8 = 1, 2, 3, 4, 5, 7, 10, 129
_SIZES = {
    1: 1, 2: 1, 3: 2, 4: 4, 5: 8, 6: 1, 7: 1, 8: 2, 9: 4,
    10: 8, 11: 4, 12: 8, 13: 4, 16: 8, 17: 8, 18: 8,
}  # fmt: skip
_CODES = {
    1: "B", 3: "H", 4: "I", 6: "b", 8: "h", 9: "i",
    11: "f", 12: "d", 13: "I", 16: "Q", 17: "q", 18: "Q",
}  # fmt: skip


class _Layout(NamedTuple):
    """How numbers lie in a stream: byte order, whether it is BigTIFF, and what unpacks its parts."""

    order: str
    big: bool
    short: struct.Struct
    long: struct.Struct
    offset: struct.Struct
    entries: struct.Struct  # how many a directory has
    entry: struct.Struct
    ratios: dict[int, struct.Struct]


_LAYOUTS = {
    (order, big): _Layout(
        order,
        big,
        struct.Struct(order + "H"),
        struct.Struct(order + "I"),
        struct.Struct(order + ("Q" if big else "I")),
        struct.Struct(order + ("Q" if big else "H")),
        struct.Struct(order + ("HHQ8s" if big else "HHI4s")),
        {RATIONAL: struct.Struct(order + "II"), SRATIONAL: struct.Struct(order + "ii")},
    )
    for order in "<>"
    for big in (False, True)
}
_HEADERS = {
    b"II*\0": _LAYOUTS["<", False],
    b"MM\0*": _LAYOUTS[">", False],
    b"II+\0": _LAYOUTS["<", True],
    b"MM\0+": _LAYOUTS[">", True],
    b"IIRO": _LAYOUTS["<", False],  # Olympus ORF
    b"IIRS": _LAYOUTS["<", False],
    b"MMOR": _LAYOUTS[">", False],
    b"IIU\0": _LAYOUTS["<", False],  # Panasonic RW2
    b"II\xbc\0": _LAYOUTS["<", False],  # JPEG XR
    b"II\xbc\1": _LAYOUTS["<", False],
}
#: The types that entries may have.
TYPES = frozenset((*_SIZES, UTF8))
#: Characters of a whole number that is written as text.
_DIGITS = 18
#: Types that may hold text.
TEXTS = frozenset((ASCII, BYTE, UNDEFINED, UTF8))


class NotTiff(ValueError):
    """The stream does not start with a TIFF header."""


class Directory(dict[int, Entry]):
    """One directory: tag -> entry, the first of each tag; `next` is the following directory's offset or 0."""

    next = 0
    whole = True  # whether no entry is cut off


class TiffStream:
    """A TIFF stream over bytes or a `Reader`; `warn` receives each damage that costs a directory or value.

    Raises `NotTiff`.
    """

    def __init__(self, source: Reader | bytes, warn: Callable[[str], None], name: str = "EXIF") -> None:
        self.source: Reader = BytesReader(source) if isinstance(source, bytes) else source
        self._data = source if isinstance(source, bytes) else None
        self.name = name
        self._warn = warn
        head = self.read_at(0, 16)
        layout = _HEADERS.get(head[:4])
        if layout is None and head[:2] in (b"II", b"MM") and name == "EXIF":
            # Some writers put another number after the byte order; the offset still leads to the directory.
            layout = _LAYOUTS["<" if head[:2] == b"II" else ">", False]
        if layout is None or len(head) < 8:
            raise NotTiff(f"no TIFF header but {head[:4]!r}")
        (
            self.order,
            self.big,
            self._short,
            self._long,
            self._offset,
            self._count,
            self._entry,
            self._ratios,
        ) = layout
        at = 8 if self.big else 4
        self.first: int = self._offset.unpack_from(head, at)[0] if len(head) >= 2 * at else 0

    def read_at(self, offset: int, length: int) -> bytes:
        """Bytes [offset, offset+length) of the stream, shorter only at its end."""
        return (
            self.source.read_at(offset, length)
            if self._data is None
            else self._data[offset : offset + length]
        )

    def directory(self, offset: int, into: Directory | None = None) -> Directory:
        """The directory at `offset`, added to what `into` holds; what does not fit is left out, with a warning."""
        found = Directory() if into is None else into
        wide = self._count.size
        head = self.read_at(offset, wide)
        if len(head) < wide:
            self._warn(f"{self.name}: a directory lies outside the block")
            return found
        (count,) = self._count.unpack(head)
        if count > limits.MAX_IFD_ENTRIES:
            self._warn(f"{self.name}: a directory states {count} entries, more than are read")
            count = limits.MAX_IFD_ENTRIES
        size = self._entry.size
        length = count * size
        rows = self.read_at(offset + wide, length + self._offset.size)
        if len(rows) < length:
            self._warn(f"{self.name}: a directory is cut off")
            found.whole = False
            length = len(rows) // size * size
        elif len(rows) == length + self._offset.size:
            (found.next,) = self._offset.unpack_from(rows, length)
        keep = found.setdefault
        for entry in self._entry.iter_unpack(rows[:length]):
            keep(entry[0], entry)
        return found

    def place(self, entry: Entry) -> tuple[int, int] | None:
        """Where an entry's value lies outside the directory: (offset, length in bytes); None when inline."""
        _, kind, count, inline = entry
        length = _SIZES.get(kind, 1) * count
        if length <= len(inline):
            return None
        return self._offset.unpack(inline)[0], length

    def raw(self, entry: Entry, limit: int = limits.MAX_VALUE) -> bytes:
        """The value's bytes, at most `limit` of them and as many as the stream holds."""
        _, kind, count, inline = entry
        length = _SIZES.get(kind, 1) * count
        if length <= len(inline):
            return inline[:length]
        (offset,) = self._offset.unpack(inline)
        length = length if length < limit else limit
        return self.read_at(offset, length)

    def numbers(self, entry: Entry) -> tuple[Any, ...]:
        """The value as numbers; rationals as (numerator, denominator) pairs; () when cut off or no number."""
        _, kind, count, _ = entry
        if count == 0 or count > limits.MAX_VALUE:
            return ()
        if kind in (RATIONAL, SRATIONAL):
            data = self.raw(entry)
            return tuple(self._ratios[kind].iter_unpack(data[: len(data) & ~7]))
        code = _CODES.get(kind)
        if code is None:
            return tuple(self.raw(entry)) if kind == UNDEFINED else ()
        data = self.raw(entry)
        count = min(count, len(data) // _SIZES[kind])
        return struct.unpack(f"{self.order}{count}{code}", data[: count * _SIZES[kind]])

    def number(self, entry: Entry | None) -> Any:
        """The first number, or None; an ASCII value that spells a number counts."""
        if entry is None:
            return None
        _, kind, count, inline = entry
        if kind == SHORT and count == 1:
            return self._short.unpack_from(inline)[0]
        if kind == LONG and count == 1:
            return self._long.unpack_from(inline)[0]
        if kind == ASCII:
            text = self.text(entry) or ""
            try:
                return int(text) if len(text) <= _DIGITS else None
            except ValueError:
                return None
        values = self.numbers(entry)
        return values[0] if values else None

    def real(self, entry: Entry | None) -> float | None:
        """The first number as a float; None for a zero denominator."""
        if entry is None:
            return None
        ratio = self._ratios.get(entry[1])
        if ratio is not None and entry[2] == 1 and not self.big:
            offset = self._long.unpack(entry[3])[0]
            data = self.read_at(offset, 8)
            if len(data) < 8:
                return None
            above, below = ratio.unpack(data)
            return above / below if below else None
        if entry[1] == ASCII:
            return decimal(self.text(entry))
        value = self.number(entry)
        if isinstance(value, tuple):
            return value[0] / value[1] if value[1] else None
        return None if value is None else float(value)

    def text(self, entry: Entry | None) -> str | None:
        """A string up to its first NUL, without blanks around it; None when empty."""
        if entry is None:
            return None
        _, kind, count, inline = entry
        if kind not in TEXTS:
            return None
        if count > len(inline):
            length = count if count < limits.MAX_VALUE else limits.MAX_VALUE
            return decode(self.read_at(self._offset.unpack(inline)[0], length))
        return decode(inline[:count])
