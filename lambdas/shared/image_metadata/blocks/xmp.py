"""XMP (ISO 16684-1): how the values of a packet's properties are read; fields.py lists the properties."""

from __future__ import annotations

import math
import re
from collections.abc import Callable
from dataclasses import dataclass

from .. import limits
from ..fields import Description, Field, Kind, Moment, Position, Reads, Source, describe, rows
from .dates import parse
from .numbers import decimal, position, positive, resolution
from .rdf import Values, read_properties

#: What stands before a packet in a JPEG, and by mistake elsewhere.
NAME = b"http://ns.adobe.com/xap/1.0/\0"
_GPS = re.compile(
    r"\s*([+-]?\d+(?:\.\d+)?)(?:[,\s]+(\d+(?:\.\d+)?))?(?:[,\s]+(\d+(?:\.\d+)?))?\s*([NSEWnsew])?\s*$"
)

_READS = Reads()


@dataclass(slots=True)
class _Packet:
    """The properties of a packet."""

    properties: dict[str, Values]
    warn: Callable[[str], None]

    def first(self, name: str) -> str | None:
        """The property's first value; of several languages the default one."""
        values = self.properties.get(name)
        if not values:
            return None
        if len(values) > 1:
            default = (text for language, text in values if language and language.lower() == "x-default")
            return next(default, values[0][1])
        return values[0][1]


def read_xmp(packet: bytes, warn: Callable[[str], None], extended: bytes | None = None) -> Description | None:
    """Read a packet and, where there is one, the packet that continues it; what stands before damage is kept."""
    properties = _properties(packet, warn)
    if extended is not None:
        for name, values in _properties(extended, warn).items():
            properties.setdefault(name, []).extend(values)
    return describe(_ROWS, properties, _Packet(properties, warn)) if properties else None


def _properties(packet: bytes, warn: Callable[[str], None]) -> dict[str, Values]:
    if len(packet) > limits.MAX_XMP:
        warn("XMP: the packet is larger than is read")
        return {}
    packet = packet.removeprefix(NAME)
    start = packet.find(b"<")
    if start < 0:
        warn("XMP: the packet holds no XML")
        return {}
    return read_properties(_utf8(packet, start), warn)


def _utf8(part: bytes, start: int) -> bytes:
    """The packet's XML in UTF-8, whatever of the five encodings XMP allows it came in (part 1, 7.3.2)."""
    for wide, encoding in ((4, "utf-32"), (2, "utf-16")):
        zeros = bytes(wide - 1)
        if part[start + 1 : start + wide] == zeros:
            # From its low byte on, "<" looks the same in both byte orders.
            big = start >= wide - 1 and part[start - wide + 1 : start] == zeros
            start -= (wide - 1) * big
            encoding += "-be" if big else "-le"
            break
    else:
        # Without the blanks that pad a packet for editing in place.
        end = part.find(b"</x:xmpmeta>", start)
        return part[start : end + 12 if end > 0 else part.rfind(b">") + 1]
    text = part[start:].decode(encoding, "replace")
    return text[: text.rfind(">") + 1].encode("utf-8", "replace")


@_READS(Kind.TEXT)
def _text(packet: _Packet, _: Field, source: Source) -> str | None:
    return packet.first(source.name)


@_READS(Kind.NAMES)
def _names(packet: _Packet, field: Field, source: Source) -> str | None:
    return "; ".join(_words(packet, field, source))


@_READS(Kind.WORDS)
def _words(packet: _Packet, _: Field, source: Source) -> list[str]:
    return [text for _, text in packet.properties[source.name]]


@_READS(Kind.INTEGER)
def _integer(packet: _Packet, field: Field, source: Source) -> int | None:
    value = decimal(packet.first(source.name))
    if value is None:
        return None
    least, most = field.bounds or (value, value)
    return math.floor(value + 0.5) if least <= value <= most else None


@_READS(Kind.REAL)
def _real(packet: _Packet, _: Field, source: Source) -> float | int | None:
    return positive(decimal(packet.first(source.name)))


@_READS(Kind.FIRED)
def _fired(packet: _Packet, _: Field, source: Source) -> bool | None:
    return {"true": True, "1": True, "false": False, "0": False}.get(
        (packet.first(source.name) or "").lower()
    )


@_READS(Kind.RESOLUTION)
def _resolution(packet: _Packet, _: Field, source: Source) -> tuple[float, float] | None:
    x, y, unit = (decimal(packet.first(name)) for name in (source.name, *source.beside))
    return resolution(x, y, None if unit is None else round(unit))


@_READS(Kind.MOMENT)
def _moment(packet: _Packet, _: Field, source: Source) -> Moment | None:
    return parse(packet.first(source.name))


@_READS(Kind.POSITION)
def _position(packet: _Packet, _: Field, source: Source) -> Position | None:
    north, north_ref, east, east_ref, height, height_ref = (
        packet.first(name) for name in (source.name, *source.beside)
    )
    latitude, longitude = _coordinate(north, north_ref, "NS", 90.0), _coordinate(east, east_ref, "EW", 180.0)
    if latitude is None or longitude is None:
        packet.warn("GPS: the XMP position is no position")
        return None
    altitude = decimal(height)
    if altitude is not None and height_ref == "1":
        altitude = -abs(altitude)
    # Who writes one of the two with a sign writes both so.
    signed = all(each[1] for each in (latitude, longitude)) or min(latitude[0], longitude[0]) < 0
    return position(latitude[0], longitude[0], signed, altitude)


def _coordinate(text: str | None, ref: str | None, letters: str, limit: float) -> tuple[float, bool] | None:
    """XMP's GPSCoordinate (DDD,MM,SSk or DDD,MM.mmk) or signed decimals, as some write; and whether it has a sign."""
    match = _GPS.match(text) if text and len(text) <= 64 else None
    if match is None:
        return None
    minutes, seconds = match[2] or "0", match[3] or "0"
    degrees = abs(float(match[1])) + float(minutes) / 60 + float(seconds) / 3600
    # By the digits: as a float, 59.99999999999999999 is 60.
    if any(int(part.partition(".")[0]) >= 60 for part in (minutes, seconds)) or degrees > limit:
        return None
    letter = (match[4] or ref or "")[:1].upper()
    if letter == letters[1] or match[1].startswith("-"):
        degrees = -degrees
    return round(degrees, 8), not degrees or letter in tuple(letters) or match[1][0] in "+-"


_ROWS = rows("XMP", _READS)
