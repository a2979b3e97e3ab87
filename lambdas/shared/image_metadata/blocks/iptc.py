"""IPTC-IIM 4.2: data sets of the application record, in the character set that the envelope record names."""

from __future__ import annotations

import re
import struct
from collections.abc import Callable

from .. import limits
from ..characters import decode
from ..fields import Description, Field, Kind, Moment, Reads, Source, describe, keys, rows
from .dates import in_ascii, parse

_HEAD = struct.Struct(">BBBH").unpack_from  # marker, record, data set, length
_WANTED = keys("IPTC")
_READS = Reads()
#: Data set -> its texts.
_Texts = dict[int, list[str]]
_DATE = re.compile(r"(\d{4})[-:]?(\d\d| \d)[-:]?(\d\d| \d)")
_TIME = re.compile(r"(\d\d):?(\d\d)(?::?(\d\d))?(.*)")  # last: the offset, the half of the day
_UTF8 = (b"\x1b%G", b"\x1b%/G", b"\x1b%/H", b"\x1b%/I")
#: The parts of ISO 8859 by the last byte of the sequence that makes them the upper half (ISO/IEC 2022: ESC - A).
_ISO_8859 = {
    b"A": "cp1252", b"B": "iso8859-2", b"C": "iso8859-3", b"D": "iso8859-4", b"L": "iso8859-5", b"G": "iso8859-6",
    b"F": "iso8859-7", b"H": "iso8859-8", b"M": "iso8859-9", b"V": "iso8859-10", b"Y": "iso8859-13",
    b"_": "iso8859-14", b"b": "iso8859-15", b"f": "iso8859-16",
}  # fmt: skip


def read_iptc(data: bytes, warn: Callable[[str], None]) -> Description:
    """Parse the data sets (IIM chapter 3); a damaged one ends the walk and keeps those before it."""
    sets: dict[int, list[bytes]] = {}
    declared: str | None = None
    position, size = 0, len(data)
    while position + 5 <= size:
        marker, record, number, length = _HEAD(data, position)
        if marker != 0x1C:
            if data[position:].strip(b"\0"):
                warn("IPTC: the block is damaged")
            break
        position += 5
        if length & 0x8000:
            width = length & 0x7FFF
            if width > 4:
                warn("IPTC: a data set is longer than is read")
                break
            length = int.from_bytes(data[position : position + width], "big")
            position += width
        start, position = position, position + length
        if position > size:
            warn("IPTC: the block is cut off")
            break
        if record == 2 and number in _WANTED:
            values = sets.setdefault(number, [])
            if len(values) < limits.MAX_KEYWORDS:
                values.append(data[start:position])
        elif record == 1 and number == 90:
            declared = _character_set(data[start:position])

    texts = {
        number: [text for value in values if (text := decode(value.replace(b"\0", b""), declared))]
        for number, values in sets.items()
    }
    return describe(_ROWS, texts, texts)


def _character_set(value: bytes) -> str | None:
    """The set that the envelope's data set 1:90 declares by its sequences of ISO/IEC 2022; None for one not known."""
    if value.startswith(_UTF8):
        return "utf-8"
    upper_half = re.search(rb"\x1b[-./](.)", value)
    return _ISO_8859.get(upper_half[1]) if upper_half else None


@_READS(Kind.TEXT)
def _text(texts: _Texts, _: Field, source: Source) -> str | None:
    return next(iter(texts[source.key]), None)


@_READS(Kind.NAMES)
def _names(texts: _Texts, _: Field, source: Source) -> str | None:
    return "; ".join(texts[source.key]) or None


@_READS(Kind.WORDS)
def _words(texts: _Texts, _: Field, source: Source) -> list[str]:
    return texts[source.key]


@_READS(Kind.MOMENT)
def _moment(texts: _Texts, _: Field, source: Source) -> Moment | None:
    date, time = (next(iter(texts.get(number, ())), None) for number in (source.key, *source.beside))
    return _date_and_time(date, time)


def _date_and_time(date: str | None, time: str | None) -> Moment | None:
    """CCYYMMDD and HHMMSS±HHMM (data sets 2:55 and 2:60); 00 for an unknown month or day."""
    if date is None:
        return None
    stated = _DATE.fullmatch(in_ascii(date))
    if stated is None:
        return parse(date)
    year, month, day = (part.replace(" ", "0") for part in stated.groups())
    if month == "00":
        return parse(year)
    if day == "00":
        return parse(f"{year}-{month}")
    clock = _TIME.match(in_ascii(time)) if time else None
    if clock is None:
        return parse(f"{year}-{month}-{day}")
    *parts, rest = clock.groups()
    return parse(f"{year}-{month}-{day}T{':'.join(filter(None, parts))}{rest}")


_ROWS = rows("IPTC", _READS)
