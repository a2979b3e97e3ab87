"""XMP (ISO 16684-1): what a packet's properties state."""

from __future__ import annotations

import re
from collections.abc import Callable

from .. import limits
from ..model import Description
from .dates import parse
from .rdf import FIRED, Values, read_properties

_EXPOSURE = (
    ("time_s", "exif:ExposureTime"),
    ("f_number", "exif:FNumber"),
    ("iso", "exif:ISOSpeedRatings"),
    ("iso", "exifEX:PhotographicSensitivity"),
    ("focal_length_mm", "exif:FocalLength"),
    ("focal_length_35mm", "exif:FocalLengthIn35mmFilm"),
)
_GPS = re.compile(
    r"\s*([+-]?\d+(?:\.\d+)?)(?:[,\s]+(\d+(?:\.\d+)?))?(?:[,\s]+(\d+(?:\.\d+)?))?\s*([NSEWnsew])?\s*$"
)


def read_xmp(packet: bytes, warn: Callable[[str], None], extended: bytes | None = None) -> Description | None:
    """Read a packet and, where there is one, the packet that continues it; what stands before damage is kept."""
    properties = _properties(packet, warn)
    if extended is not None:
        for name, values in _properties(extended, warn).items():
            properties.setdefault(name, []).extend(values)
    return _told(properties, warn) if properties else None


def _properties(packet: bytes, warn: Callable[[str], None]) -> dict[str, Values]:
    if len(packet) > limits.MAX_XMP:
        warn("XMP: the packet is larger than is read")
        return {}
    start = packet.find(b"<")
    if start < 0:
        warn("XMP: the packet holds no XML")
        return {}
    return read_properties(_utf8(packet, start), warn)


def _utf8(part: bytes, start: int) -> bytes:
    """The packet's XML in UTF-8, whatever of the five encodings XMP allows it came in (part 1, 7.3.2)."""
    if part[start + 1 : start + 4] == b"\0\0\0":
        encoding = "utf-32-le"
    elif part[max(0, start - 3) : start] == b"\0\0\0":
        encoding, start = "utf-32-be", start - 3
    elif part[start + 1 : start + 2] == b"\0":
        encoding = "utf-16-le"
    elif start and part[start - 1] == 0:
        encoding, start = "utf-16-be", start - 1
    else:
        # Without the blanks that pad a packet for editing in place.
        end = part.find(b"</x:xmpmeta>", start)
        return part[start : end + 12 if end > 0 else part.rfind(b">") + 1]
    text = part[start:].decode(encoding, "replace")
    return text[: text.rfind(">") + 1].encode("utf-8", "replace")


def _told(properties: dict[str, Values], warn: Callable[[str], None]) -> Description:
    first: dict[str, str] = {}  # of several languages the default one
    for name, values in properties.items():
        first[name] = values[0][1]
        if len(values) > 1:
            first[name] = next((value for language, value in values if language == "x-default"), first[name])
    get = first.get
    xmp = Description()
    xmp.make, xmp.model = get("tiff:Make"), get("tiff:Model")
    xmp.lens = get("exifEX:LensModel") or get("aux:Lens")
    xmp.serial = get("exifEX:BodySerialNumber") or get("aux:SerialNumber")
    xmp.software = get("xmp:CreatorTool") or get("tiff:Software")
    xmp.title = get("dc:title")
    xmp.description = get("dc:description") or get("tiff:ImageDescription")
    xmp.copyright = get("dc:rights") or get("tiff:Copyright")
    xmp.taken = parse(get("exif:DateTimeOriginal"))
    xmp.created = parse(get("photoshop:DateCreated"))
    if xmp.taken is None and xmp.created is None:  # else nobody asks
        xmp.digitized = parse(get("exif:DateTimeDigitized"))
        xmp.made = parse(get("xmp:CreateDate"))
    xmp.artist = get("tiff:Artist")
    if "dc:creator" in properties:
        xmp.artist = "; ".join(value for _, value in properties["dc:creator"])
    if "dc:subject" in properties:
        xmp.keywords = [value for _, value in properties["dc:subject"]]
    orientation = _integer(get("tiff:Orientation"))
    if orientation is not None and 1 <= orientation <= 8:
        xmp.orientation = orientation
    rating = _real(get("xmp:Rating"))
    if rating is not None and -1 <= rating <= 100:
        xmp.rating = round(rating)
    if "tiff:XResolution" in first:
        xmp.dpi = _dpi(get("tiff:XResolution"), get("tiff:YResolution"), get("tiff:ResolutionUnit"))
    exposure = {}
    for field_name, tag in _EXPOSURE:
        if tag in first and field_name not in exposure:
            value = _real(first[tag])
            if value is not None and 0 < value < 1e7:
                value = float(f"{value:.6g}")
                exposure[field_name] = int(value) if value.is_integer() else value
    if FIRED in first:
        exposure["flash"] = first[FIRED].lower() == "true"
    xmp.exposure = exposure or None
    if "exif:GPSLatitude" in first or "exif:GPSLongitude" in first:
        xmp.gps = _gps(get, warn)
    return xmp


def _integer(text: str | None) -> int | None:
    return int(text) if text and text.isascii() and text.isdigit() and len(text) < 10 else None


def _real(text: str | None) -> float | None:
    """A decimal number or a rational; None for a zero denominator."""
    if text is None:
        return None
    number, slash, under = text.partition("/")
    try:
        below = float(under) if slash else 1.0
        return float(number) / below if below else None
    except (ValueError, OverflowError):
        return None


def _dpi(x: str | None, y: str | None, unit: str | None) -> tuple[float, float] | None:
    across, down = _real(x), _real(y)
    if (
        across is None
        or down is None
        or not (0 < across < 1e7 and 0 < down < 1e7)
        or unit not in (None, "2", "3")
    ):
        return None
    scale = 2.54 if unit == "3" else 1.0
    return round(across * scale, 4), round(down * scale, 4)


def _gps(text: Callable[..., str | None], warn: Callable[[str], None]) -> dict[str, float]:
    latitude = _coordinate(text("exif:GPSLatitude"), text("exif:GPSLatitudeRef"), 90.0)
    longitude = _coordinate(text("exif:GPSLongitude"), text("exif:GPSLongitudeRef"), 180.0)
    if latitude is None or longitude is None:
        if text("exif:GPSLatitude") or text("exif:GPSLongitude"):
            warn("GPS: the XMP position is no position")
        return {}
    told = {"latitude": latitude, "longitude": longitude}
    altitude = _real(text("exif:GPSAltitude"))
    if altitude is not None and abs(altitude) < 1e6:
        told["altitude_m"] = round(-altitude if text("exif:GPSAltitudeRef") == "1" else altitude, 3)
    return told


def _coordinate(text: str | None, ref: str | None, limit: float) -> float | None:
    """XMP's GPSCoordinate: DDD,MM,SSk or DDD,MM.mmk, and the signed decimals that some write."""
    match = _GPS.match(text) if text and len(text) <= 64 else None
    if match is None:
        return None
    degrees = abs(float(match[1])) + float(match[2] or 0) / 60 + float(match[3] or 0) / 3600
    letter = (match[4] or ref or "")[:1].upper()
    if letter in ("S", "W") or match[1].startswith("-"):
        degrees = -degrees
    return round(degrees, 8) if abs(degrees) <= limit else None
