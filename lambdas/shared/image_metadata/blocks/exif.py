"""EXIF (CIPA DC-008-2023): how the values of its tags are read; fields.py lists the tags.

Input is a TIFF stream; what is absent or broken is not stated.
"""

from __future__ import annotations

import codecs
import re
import struct
from collections.abc import Callable
from dataclasses import dataclass

from ..characters import decode, decode_utf16, shown_big_endian
from ..fields import Description, Field, Kind, Moment, Position, Reads, Source, describe, rows
from ..reader import Reader
from .dates import exif_moment
from .ifd import ASCII, TEXTS, Directory, Entry, NotTiff, TiffStream
from .numbers import position, positive, resolution

EXIF_IFD, GPS_IFD = 0x8769, 0x8825
#: Blocks of other standards that a TIFF stream may hold.
XMP_TAG, IPTC_TAG, PHOTOSHOP_TAG, ICC_TAG = 0x02BC, 0x83BB, 0x8649, 0x8773

_COPYRIGHT, _SENSITIVITY, _USER_COMMENT, _DATE_TIME = 0x8298, 0x8827, 0x9286, 0x0132
#: The bytes that texts have: no control characters but tab, line feed and carriage return.
_TEXT_BYTES = bytes((9, 10, 13, *range(32, 127), *range(128, 255)))
#: Texts as Windows writes them.
_UTF16 = range(0x9C9B, 0x9CA0)
#: Tags that state a power of two (APEX): exposure time, aperture.
_APEX = {0x9201: lambda value: 2.0**-value, 0x9202: lambda value: 2.0 ** (value / 2)}
_APEX_RANGE = 30
#: Where a sensitivity stands that the two bytes of its own tag have no room for.
_LARGE_SENSITIVITIES = frozenset((0x8831, 0x8832, 0x8833))
#: Characters of a coordinate that is written as text.
_LONGEST = 64
_NUMBERS = re.compile(r"\d+(?:\.\d+)?")
_READS = Reads()
_GPS_RANGE = {"latitude": 90.0, "longitude": 180.0}


@dataclass(slots=True)
class _Values:
    """The directories of a block, those of EXIF and of the main image as one."""

    tiff: TiffStream
    tags: Directory
    warn: Callable[[str], None]


def read_exif(source: Reader | bytes, warn: Callable[[str], None]) -> Description | None:
    """Parse an EXIF block (a TIFF stream); None, with a warning, where the bytes are not one."""
    try:
        tiff = TiffStream(source, warn)
    except NotTiff as error:
        warn(f"EXIF: {error}")
        return None
    return exif_of(tiff, tiff.directory(tiff.first), warn)


def exif_of(tiff: TiffStream, tags: Directory, warn: Callable[[str], None]) -> Description:
    """What the main directory, and the EXIF and GPS directories below it, state; `tags` grows by those of EXIF."""
    # Writers put tags into the wrong one of the two directories; their numbers do not overlap.
    _below(tiff, tags.get(EXIF_IFD), tags)
    return describe(_ROWS, tags, _Values(tiff, tags, warn))


def _below(tiff: TiffStream, entry: Entry | None, into: Directory) -> Directory:
    offset = tiff.number(entry)
    return tiff.directory(offset, into) if isinstance(offset, int) and offset > 0 else into


@_READS(Kind.TEXT, Kind.NAMES)
def _text(values: _Values, _: Field, source: Source) -> str | None:
    entry = values.tags[source.key]
    if source.key in _UTF16:
        return decode_utf16(values.tiff.raw(entry), False)
    if source.key == _USER_COMMENT:
        return _user_comment(values.tiff, entry)
    if source.key == _COPYRIGHT:
        return _copyright(values.tiff, entry)
    return values.tiff.text(entry)


def _copyright(tiff: TiffStream, entry: Entry) -> str | None:
    """Photographer's and editor's copyright, parted by a NUL (EXIF 4.6.5.2)."""
    stated = [decode(part) for part in tiff.raw(entry).split(b"\0")[:2]]
    return "; ".join(filter(None, stated)) or None


def _user_comment(tiff: TiffStream, entry: Entry) -> str | None:
    """A text behind eight bytes that name its character set (EXIF 4.6.6.5.1); many cameras fill it with noise."""
    data = tiff.raw(entry)
    # Some pad the name with blanks.
    code, text = data[:8].rstrip(b"\0 ").upper(), data[8:]
    if code == b"UNICODE":
        return decode_utf16(text, shown_big_endian(text, tiff.order == ">"))
    if code == b"JIS":
        return decode(text, "iso2022_jp" if b"\x1b" in text else "shift_jis")
    if code not in (b"ASCII", b""):
        text = data
    if text.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return decode(text)
    noise = text.partition(b"\0")[0].translate(None, _TEXT_BYTES)
    return None if noise else decode(text)


@_READS(Kind.WORDS)
def _words(values: _Values, field: Field, source: Source) -> list[str] | None:
    words = (_text(values, field, source) or "").split(";")
    return [word.strip() for word in words if word.strip()] or None


def _whole(tiff: TiffStream, entry: Entry) -> int | None:
    """A whole number, of whichever type it is written in."""
    value = tiff.number(entry)
    if isinstance(value, int):
        return value
    real = tiff.real(entry)
    return int(real) if real is not None and real.is_integer() else None


@_READS(Kind.INTEGER)
def _integer(values: _Values, field: Field, source: Source) -> int | None:
    value = _whole(values.tiff, values.tags[source.key])
    if value is None:
        return None
    if source.key == _SENSITIVITY and value == 0xFFFF and not _LARGE_SENSITIVITIES.isdisjoint(values.tags):
        return None
    least, most = field.bounds or (value, value)
    if least <= value <= most:
        return value
    if value:
        values.warn(f"EXIF: {source.name} is {value}, which is not within {least} to {most}")
    return None


@_READS(Kind.REAL)
def _real(values: _Values, _: Field, source: Source) -> float | int | None:
    value = values.tiff.real(values.tags[source.key])
    if value is not None and source.key in _APEX:
        value = _APEX[source.key](value) if abs(value) < _APEX_RANGE else None
    return positive(value)


@_READS(Kind.FIRED)
def _fired(values: _Values, _: Field, source: Source) -> bool | None:
    value = _whole(values.tiff, values.tags[source.key])
    return bool(value & 1) if value is not None and 0 <= value < 0xFFFF else None


@_READS(Kind.RESOLUTION)
def _resolution(values: _Values, _: Field, source: Source) -> tuple[float, float] | None:
    tiff, get = values.tiff, values.tags.get
    other_axis, unit = source.beside
    stated = tiff.number(get(unit))
    return resolution(
        tiff.real(get(source.key)), tiff.real(get(other_axis)), stated if isinstance(stated, int) else None
    )


@_READS(Kind.MOMENT)
def _moment(values: _Values, _: Field, source: Source) -> Moment | None:
    text, get = values.tiff.text, values.tags.get
    fraction, offset = source.beside
    if source.key == _DATE_TIME and fraction not in values.tags and offset not in values.tags:
        return None  # when the file was written is of no other use
    digits = text(get(fraction))
    if digits is None and fraction in values.tags:
        digits = _digits(values.tiff, values.tags[fraction])
    return exif_moment(text(get(source.key)), digits, text(get(offset)))


def _digits(tiff: TiffStream, entry: Entry) -> str | None:
    """The digits of a fraction that is written as a number, against the standard: 5 is .5, as exiftool reads it."""
    value = None if entry[1] in TEXTS else _whole(tiff, entry)
    return None if value is None or value < 0 else str(value)


@_READS(Kind.POSITION)
def _position(values: _Values, _: Field, source: Source) -> Position | None:
    tiff, warn = values.tiff, values.warn
    gps = _below(tiff, values.tags[source.key], Directory())
    north, north_ref, east, east_ref, height, height_ref = (gps.get(tag) for tag in source.beside)
    latitude = _coordinate(tiff, north, north_ref, "latitude", "NS", warn)
    longitude = _coordinate(tiff, east, east_ref, "longitude", "EW", warn)
    if latitude is None or longitude is None:
        return None
    altitude = tiff.real(height)
    if altitude is not None:
        ref = tiff.number(height_ref) if height_ref else 0
        if isinstance(ref, tuple):
            ref = ref[0]
        altitude = -abs(altitude) if ref in (1, 3, 49) else altitude
    return position(latitude[0], longitude[0], latitude[1] and longitude[1], altitude)


def _coordinate(
    tiff: TiffStream,
    value: Entry | None,
    ref: Entry | None,
    name: str,
    letters: str,
    warn: Callable[[str], None],
) -> tuple[float, bool] | None:
    """Signed degrees of degrees, minutes, seconds and their ref, and whether it has a sign; None for no position."""
    if value is None:
        return None
    try:
        parts = tiff.numbers(value)
    except struct.error:
        parts = ()
    letter = (tiff.text(ref) or "")[:1].upper() if ref is not None else ""
    if not parts and value[1] == ASCII:
        # Written as text, against the standard.
        text = tiff.text(value) or ""
        parts = tuple(float(word) for word in _NUMBERS.findall(text[:_LONGEST])[:3])
        letter = letter or text[-1:].upper()
        if letter.isdigit():
            letter = {"+": letters[0], "-": letters[1]}.get(text[:1], "")
    degrees = 0.0
    stated = 0
    for part, scale in zip(parts, (1.0, 60.0, 3600.0), strict=False):
        number, under = part if isinstance(part, tuple) else (part, 1)
        if under:
            degrees += number / under / scale
            stated += 1
        elif stated == 0 or number:
            # 0/0 minutes or seconds are not stated; without degrees there is no position.
            stated = 0
            break
    if not stated:
        if any(part[0] if isinstance(part, tuple) else part for part in parts):
            warn(f"GPS: the {name} is no number")
        return None
    if letter == "":
        warn(f"GPS: the {name} has no reference, taken as {'north' if name == 'latitude' else 'east'}")
    elif letter == letters[1]:
        degrees = -abs(degrees)
    elif letter != letters[0]:
        warn(f"GPS: the {name}'s reference is unknown")
    if not abs(degrees) <= _GPS_RANGE[name]:
        warn(f"GPS: the {name} is out of range")
        return None
    return round(degrees, 8), degrees <= 0 or letter in tuple(letters)


_ROWS = rows("EXIF", _READS)
