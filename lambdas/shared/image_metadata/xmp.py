"""XMP (ISO 16684-1): the simple properties, arrays and language alternatives of one RDF packet.

Parsed by expat as a stream; a document type or an entity of its own is refused, so nothing expands. Prefixes are
resolved here, because packets with an undeclared prefix are common and lose nothing else.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any
from xml.parsers import expat

from . import limits
from .dates import Moment, parse
from .model import Description

_PREFIXES = {
    "http://www.w3.org/1999/02/22-rdf-syntax-ns#": "rdf",
    "http://purl.org/dc/elements/1.1/": "dc",
    "http://ns.adobe.com/xap/1.0/": "xmp",
    "http://ns.adobe.com/tiff/1.0/": "tiff",
    "http://ns.adobe.com/exif/1.0/": "exif",
    "http://cipa.jp/exif/1.0/": "exifEX",
    "http://ns.adobe.com/exif/1.0/aux/": "aux",
    "http://ns.adobe.com/photoshop/1.0/": "photoshop",
}
#: The prefixes that writers use for them: the same, and xap of old.
_USUAL_PREFIXES = {prefix: prefix for prefix in _PREFIXES.values()} | {"xap": "xmp"}
_USUAL_DECLARATIONS = {
    f"xmlns:{written}": uri
    for uri, prefix in _PREFIXES.items()
    for written, meant in _USUAL_PREFIXES.items()
    if meant == prefix
}
#: The properties that the record has a place for; all others are passed over unread.
_WANTED = frozenset(
    (
        "tiff:Make", "tiff:Model", "tiff:Orientation", "tiff:Software", "tiff:ImageDescription", "tiff:Artist",
        "tiff:Copyright", "tiff:XResolution", "tiff:YResolution", "tiff:ResolutionUnit",
        "exif:DateTimeOriginal", "exif:DateTimeDigitized", "exif:ExposureTime", "exif:FNumber",
        "exif:ISOSpeedRatings", "exif:FocalLength", "exif:FocalLengthIn35mmFilm", "exif:Flash", "exif:GPSLatitude",
        "exif:GPSLatitudeRef", "exif:GPSLongitude", "exif:GPSLongitudeRef", "exif:GPSAltitude", "exif:GPSAltitudeRef",
        "exifEX:LensModel", "exifEX:BodySerialNumber", "exifEX:PhotographicSensitivity",
        "aux:Lens", "aux:SerialNumber", "photoshop:DateCreated", "xmp:CreateDate", "xmp:CreatorTool", "xmp:Rating",
        "dc:title", "dc:description", "dc:creator", "dc:rights", "dc:subject",
    )
)  # fmt: skip
_FIRED = "exif:Fired"  # a field of the structure exif:Flash
_EXPOSURE = (
    ("time_s", "exif:ExposureTime"),
    ("f_number", "exif:FNumber"),
    ("iso", "exif:ISOSpeedRatings"),
    ("iso", "exifEX:PhotographicSensitivity"),
    ("focal_length_mm", "exif:FocalLength"),
    ("focal_length_35mm", "exif:FocalLengthIn35mmFilm"),
)
#: All that the parser looks for, by prefix: local name -> name.
_NAMES: dict[str, dict[str, str]] = {prefix: {} for prefix in _PREFIXES.values()}
for _name in (*_WANTED, _FIRED, "rdf:RDF", "rdf:Description", "rdf:li", "rdf:resource", "rdf:value"):
    _NAMES[_name.partition(":")[0]][_name.partition(":")[2]] = _name
#: The same as they are written with the usual prefixes -> name.
_USUAL_NAMES = {
    f"{written}:{local}": name
    for written, prefix in _USUAL_PREFIXES.items()
    for local, name in _NAMES[prefix].items()
}
_GPS = re.compile(
    r"\s*([+-]?\d+(?:\.\d+)?)(?:[,\s]+(\d+(?:\.\d+)?))?(?:[,\s]+(\d+(?:\.\d+)?))?\s*([NSEWnsew])?\s*$"
)

#: The depth of what is not open.
_NONE = 1 << 30

#: One property's values in order, each with its language or None.
Values = list[tuple[str | None, str]]


@dataclass(init=False)
class Xmp(Description):
    """What a packet states."""

    created: Moment | None = None  # photoshop:DateCreated
    made: Moment | None = None  # xmp:CreateDate


class _Refused(Exception):
    """The packet does what no XMP packet may do."""


def read_xmp(packet: bytes, warn: Callable[[str], None], extended: bytes | None = None) -> Xmp | None:
    """Parse a packet and, where there is one, the packet that continues it; what stands before damage is kept."""
    properties: dict[str, Values] = {}
    for part in (packet, extended):
        if part is None:
            continue
        if len(part) > limits.MAX_XMP:
            warn("XMP: the packet is larger than is read")
            continue
        start = part.find(b"<")
        if start < 0:
            warn("XMP: the packet holds no XML")
            continue
        _parse(_utf8(part, start), properties, warn)
    return _told(properties, warn) if properties else None


def _add(properties: dict[str, Values], name: str, language: str | None, value: str) -> None:
    value = value.strip()
    if value:
        properties.setdefault(name, []).append((language, value[: limits.MAX_TEXT]))


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


def _parse(data: bytes, properties: dict[str, Values], warn: Callable[[str], None]) -> None:
    """Collect the wanted top-level properties of every rdf:Description below rdf:RDF.

    A level counts from rdf:RDF (0): a description is at 1, a property at 2, its array at 3, an item at 4.
    """
    parser = expat.ParserCreate("UTF-8")
    names = _USUAL_NAMES  # as they are written here -> as we call them
    renamed: set[str] = set()  # declarations of prefixes that do not mean the usual
    depth, most_depth = 0, limits.MAX_XMP_DEPTH
    rdf = passed = _NONE  # depth of the open rdf:RDF, and of the open element that is passed over with all it holds
    described = False  # inside of an rdf:Description
    name = nested = ""  # the open property and, where it is wanted, the open field of its structure
    language: str | None = None
    simple = False  # the element that opened last is wanted and still open
    text: list[str] = []

    def start(written: str, attributes: dict[str, str]) -> None:
        nonlocal depth, rdf, passed, described, name, nested, names, simple, language
        depth += 1
        if depth > passed:
            if depth > most_depth:
                raise _Refused("the packet is deeper than is read")
            return
        for attribute, uri in attributes.items():
            usual = _USUAL_DECLARATIONS.get(attribute)
            if usual is None:
                if attribute[:6] != "xmlns:" or (uri not in _PREFIXES and attribute not in renamed):
                    continue
            elif uri == usual and attribute not in renamed:
                continue
            renamed.add(attribute)
            names = _renamed(names, attribute[6:], uri)
        known = names.get(written)
        level = depth - rdf
        if level == 2:
            if described and known in _WANTED:
                name, simple = known or "", True
                text.clear()
                parser.CharacterDataHandler = text.append
                language = None
                if attributes:
                    told(attributes)
            else:
                passed = depth
        elif level == 1:
            described = known == "rdf:Description"
            if described:
                for attribute, value in attributes.items():
                    if attribute in names and names[attribute] in _WANTED:
                        _add(properties, names[attribute], None, value)
        elif level < 0:
            if known == "rdf:RDF":
                rdf = depth
        else:
            simple = known == _FIRED or (level == 4 and known == "rdf:li")
            text.clear()
            if known == _FIRED:
                nested = known
            elif level > 4:
                passed = depth
            else:
                language = None
                if attributes:
                    told(attributes)

    def told(attributes: dict[str, str]) -> None:
        """What the attributes of a property, an item or a structure state."""
        nonlocal language
        for attribute, value in attributes.items():
            known = names.get(attribute)
            if attribute == "xml:lang":
                language = value
            elif known == _FIRED:
                _add(properties, _FIRED, None, value)
            elif known in ("rdf:resource", "rdf:value") and depth == rdf + 2:
                _add(properties, name, None, value)

    def end(_: str) -> None:
        nonlocal depth, rdf, passed, described, nested, simple
        level = depth - rdf
        depth -= 1
        if depth >= passed:
            return
        passed = _NONE
        if simple:
            _add(properties, nested or name, language, "".join(text))
            simple, nested = False, ""
        if level == 2:
            parser.CharacterDataHandler = None  # the blanks between properties cost no call
        elif level == 1:
            described = False
        elif level == 0:
            rdf = _NONE

    def refuse(*_: Any) -> None:
        raise _Refused("the packet declares a document type, which is not read")

    parser.StartElementHandler, parser.EndElementHandler = start, end
    parser.StartDoctypeDeclHandler = parser.EntityDeclHandler = refuse
    try:
        parser.Parse(data, True)
    except expat.ExpatError as error:
        warn(f"XMP: the packet is damaged: {expat.errors.messages[error.code]}")
    except _Refused as error:
        warn(f"XMP: {error}")
    finally:
        # The handlers hold on to the parser: let it go of them.
        parser.StartElementHandler = parser.EndElementHandler = parser.CharacterDataHandler = None


def _renamed(names: dict[str, str], prefix: str, uri: str) -> dict[str, str]:
    """The names to look for after a declaration that gives `prefix` another meaning."""
    others = {written: name for written, name in names.items() if not written.startswith(prefix + ":")}
    meant = _NAMES.get(_PREFIXES.get(uri, ""), {})
    return others | {f"{prefix}:{local}": name for local, name in meant.items()}


def _told(properties: dict[str, Values], warn: Callable[[str], None]) -> Xmp:
    first: dict[str, str] = {}  # of several languages the default one
    for name, values in properties.items():
        first[name] = values[0][1]
        if len(values) > 1:
            first[name] = next((value for language, value in values if language == "x-default"), first[name])
    get = first.get
    xmp = Xmp()
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
    xmp.artist = "; ".join(value for _, value in properties.get("dc:creator", ())) or get("tiff:Artist")
    xmp.keywords = tuple(value for _, value in properties.get("dc:subject", ()))
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
    if _FIRED in first:
        exposure["flash"] = first[_FIRED].lower() == "true"
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
