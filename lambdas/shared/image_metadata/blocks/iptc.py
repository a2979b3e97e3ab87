"""IPTC-IIM 4.2: data sets of the application record, and the coded character set of the envelope record."""

from __future__ import annotations

import struct
from collections.abc import Callable

from .. import limits
from ..model import Description, Moment
from .dates import parse, parse_offset

_HEAD = struct.Struct(">BBBH").unpack_from  # marker, record, data set, length
#: Title, keywords, dates and times created and digitized, by-line, copyright, caption.
_WANTED = frozenset((5, 25, 55, 60, 62, 63, 80, 116, 120))
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

    iptc = Description()
    if not sets:
        return iptc
    told = {
        number: [text for text in (_decode(value, utf8) for value in values) if text]
        for number, values in sets.items()
    }

    def first(number: int) -> str | None:
        texts = told.get(number)
        return texts[0] if texts else None

    iptc.title, iptc.description, iptc.copyright = first(5), first(120), first(116)
    iptc.artist = "; ".join(told.get(80, ())) or None
    iptc.keywords = told.get(25, [])
    iptc.created = _moment(first(55), first(60))
    iptc.digitized = _moment(first(62), first(63))
    return iptc


def _decode(value: bytes, utf8: bool) -> str | None:
    value = value.replace(b"\0", b"")
    try:
        text = value.decode("utf-8")
    except UnicodeDecodeError:
        text = value.decode("utf-8", "replace") if utf8 else value.decode("latin-1")
    return text.strip() or None


def _moment(date: str | None, time: str | None) -> Moment | None:
    """CCYYMMDD and HHMMSS±HHMM (data sets 2:55 and 2:60); 00 for an unknown month or day."""
    if date is None:
        return None
    digits = date.replace("-", "").replace(":", "")
    if len(digits) != 8 or not digits.isdigit():
        return parse(date)
    year, month, day = digits[:4], digits[4:6], digits[6:]
    if month == "00":
        return parse(year)
    if day == "00":
        return parse(f"{year}-{month}")
    if time is None or len(time) < 6 or not time[:6].replace(":", "0").isdigit():
        return parse(f"{year}-{month}-{day}")
    clock = time.replace(":", "")
    moment = parse(f"{year}-{month}-{day}T{clock[:2]}:{clock[2:4]}:{clock[4:6]}")
    if moment is None:
        return None
    return Moment(moment.local, parse_offset(clock[6:]))
