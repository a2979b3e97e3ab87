"""IPTC-IIM 4.2: data sets of the application record, in the character set that the envelope record names."""

from __future__ import annotations

import re
import struct
from collections.abc import Callable

from .. import limits
from ..fields import Description, Field, Kind, Moment, Source, describe, keys, rows
from .dates import in_ascii, parse

_HEAD = struct.Struct(">BBBH").unpack_from  # marker, record, data set, length
_WANTED = keys("IPTC")
#: Data set -> its texts.
_Texts = dict[int, list[str]]
_DATE = re.compile(r"(\d{4})[-:]?(\d\d| \d)[-:]?(\d\d| \d)")
_TIME = re.compile(r"(\d\d):?(\d\d):?(\d\d.*)")  # what follows the seconds: the offset, the half of the day
_UTF8 = (b"\x1b%G", b"\x1b%/I")


def read_iptc(data: bytes, warn: Callable[[str], None]) -> Description:
    """Parse the data sets (IIM chapter 3); a damaged one ends the walk and keeps those before it."""
    sets: dict[int, list[bytes]] = {}
    utf8 = False
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
            utf8 = data.startswith(_UTF8, start, position)

    texts = {
        number: [text for text in (_decode(value, utf8) for value in values) if text]
        for number, values in sets.items()
    }
    return describe(_ROWS, texts, texts)


def _decode(value: bytes, utf8: bool) -> str | None:
    value = value.replace(b"\0", b"")
    try:
        text = value.decode("utf-8")
    except UnicodeDecodeError:
        text = value.decode("utf-8", "replace") if utf8 else value.decode("latin-1")
    return text.strip() or None


def _text(texts: _Texts, _: Field, source: Source) -> str | None:
    return next(iter(texts[source.key]), None)


def _names(texts: _Texts, _: Field, source: Source) -> str | None:
    return "; ".join(texts[source.key]) or None


def _words(texts: _Texts, _: Field, source: Source) -> list[str]:
    return texts[source.key]


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
    return parse(f"{year}-{month}-{day}T{':'.join(clock.groups())}")


_ROWS = rows("IPTC", {Kind.TEXT: _text, Kind.NAMES: _names, Kind.WORDS: _words, Kind.MOMENT: _moment})
