"""XMP (ISO 16684-1): the simple properties, arrays and language alternatives of one RDF packet.

Parsed by expat as a stream; a document type or an entity of its own is refused, so nothing expands. Prefixes are
resolved here, because packets with an undeclared prefix are common and lose nothing else.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any
from xml.etree import ElementTree
from xml.parsers import expat

from . import limits
from .dates import Moment, parse

_PREFIXES = {
    "http://www.w3.org/1999/02/22-rdf-syntax-ns#": "rdf",
    "http://purl.org/dc/elements/1.1/": "dc",
    "http://ns.adobe.com/xap/1.0/": "xmp",
    "http://ns.adobe.com/tiff/1.0/": "tiff",
    "http://ns.adobe.com/exif/1.0/": "exif",
    "http://cipa.jp/exif/1.0/": "exifEX",
    "http://ns.adobe.com/exif/1.0/aux/": "aux",
    "http://ns.adobe.com/photoshop/1.0/": "photoshop",
    "http://ns.adobe.com/xap/1.0/mm/": "xmpMM",
    "http://ns.microsoft.com/photo/1.0/": "MicrosoftPhoto",
    "http://ns.microsoft.com/photo/1.0": "MicrosoftPhoto",
}
_KNOWN_PREFIXES = frozenset(_PREFIXES.values())
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
_RDF = "{http://www.w3.org/1999/02/22-rdf-syntax-ns#}"
_LANGUAGE = "{http://www.w3.org/XML/1998/namespace}lang"
_FIRED = "{http://ns.adobe.com/exif/1.0/}Fired"
_EXPOSURE = (
    ("time_s", "exif:ExposureTime"),
    ("f_number", "exif:FNumber"),
    ("iso", "exif:ISOSpeedRatings", "exifEX:PhotographicSensitivity"),
    ("focal_length_mm", "exif:FocalLength"),
    ("focal_length_35mm", "exif:FocalLengthIn35mmFilm"),
)
#: The wanted properties under their full names.
_NAMES = {
    f"{{{uri}}}{name.partition(':')[2]}": name
    for uri, prefix in _PREFIXES.items()
    for name in _WANTED
    if name.startswith(prefix + ":")
}
#: Bytes of a packet that is read as a tree; larger ones are read as a stream with counted elements.
_SMALL = 64 * 1024
_GPS = re.compile(
    r"\s*([+-]?\d+(?:\.\d+)?)(?:[,\s]+(\d+(?:\.\d+)?))?(?:[,\s]+(\d+(?:\.\d+)?))?\s*([NSEWnsew])?\s*$"
)

#: One property's values in order, each with its language or None.
Values = list[tuple[str | None, str]]


@dataclass
class Xmp:
    """What a packet states, as values of the record."""

    orientation: int | None = None
    dpi: tuple[float, float] | None = None
    make: str | None = None
    model: str | None = None
    lens: str | None = None
    serial: str | None = None
    software: str | None = None
    title: str | None = None
    description: str | None = None
    artist: str | None = None
    copyright: str | None = None
    keywords: list[str] = field(default_factory=list)
    rating: int | None = None
    taken: Moment | None = None
    created: Moment | None = None
    digitized: Moment | None = None
    made: Moment | None = None
    exposure: dict[str, Any] = field(default_factory=dict)
    gps: dict[str, float] = field(default_factory=dict)


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
        xml = _utf8(part, start)
        if not _from_tree(xml, properties):
            _Parser(properties).run(xml, warn)
    return _told(properties, warn) if properties else None


def _from_tree(data: bytes, properties: dict[str, Values]) -> bool:
    """Read a small and sound packet from a tree that is built without a call per element; False for any other.

    Entities can be declared in a document type alone; what is damaged goes to the stream parser.
    """
    if len(data) > _SMALL or b"<!DOCTYPE" in data:
        return False
    parser = ElementTree.XMLParser(encoding="utf-8")  # noqa: S314 - no document type, see above
    try:
        parser.feed(data)
        root = parser.close()
    except ElementTree.ParseError:
        return False
    for rdf in (root,) if root.tag == _RDF + "RDF" else root.iter(_RDF + "RDF"):
        for description in rdf:
            if description.tag != _RDF + "Description":
                continue
            for attribute, value in description.attrib.items():
                name = _NAMES.get(attribute)
                if name is not None:
                    _add(properties, name, None, value)
            for child in description:
                name = _NAMES.get(child.tag)
                if name is not None:
                    _take(properties, name, child)
    return True


def _take(properties: dict[str, Values], name: str, element: ElementTree.Element) -> None:
    """One property: simple, an array, a language alternative, or the flash structure."""
    for attribute, value in element.attrib.items():
        if attribute in (_RDF + "resource", _RDF + "value"):
            _add(properties, name, None, value)
    if name == "exif:Flash":
        for part in element.iter():
            fired = part.text if part.tag == _FIRED else part.get(_FIRED)
            if fired:
                _add(properties, "exif:Fired", None, fired)
    elif len(element) == 0:
        if element.text:
            _add(properties, name, element.get(_LANGUAGE), element.text)
    else:
        for array in element:
            for item in array:
                if item.tag == _RDF + "li" and item.text and len(item) == 0:
                    _add(properties, name, item.get(_LANGUAGE), item.text)


def _add(properties: dict[str, Values], name: str, language: str | None, value: str) -> None:
    value = value.replace("\0", "").strip()
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


class _Parser:
    """Collects the top-level properties of every rdf:Description below rdf:RDF."""

    def __init__(self, properties: dict[str, Values]) -> None:
        self.properties = properties
        self.prefixes: dict[str, str] = {}
        self.names: dict[str, str] = {}  # as written -> with the prefixes used here
        self.depth = 0
        self.elements = 0
        self.top = -1  # depth of the open rdf:Description
        self.rdf = -1
        self.name: str | None = None
        self.language: str | None = None
        self.pieces: list[str] | None = None
        self.nested: str | None = None
        self.passing = False  # inside a property that the record has no place for

    def run(self, data: bytes, warn: Callable[[str], None]) -> None:
        self.parser = parser = expat.ParserCreate("UTF-8")
        parser.buffer_text = True
        parser.StartElementHandler = self._start
        parser.EndElementHandler = self._end
        parser.StartDoctypeDeclHandler = self._refuse
        parser.EntityDeclHandler = self._refuse
        try:
            parser.Parse(data, True)
        except expat.ExpatError as error:
            warn(f"XMP: the packet is damaged: {expat.errors.messages[error.code]}")
        except _Refused as error:
            warn(f"XMP: {error}")
        finally:
            del self.parser  # which holds on to this object

    def _refuse(self, *_: Any) -> None:
        raise _Refused("the packet declares a document type, which is not read")

    def _canonical(self, name: str) -> str:
        known = self.names.get(name)
        if known is None:
            prefix, colon, local = name.partition(":")
            known = self.names[name] = f"{self.prefixes.get(prefix, prefix)}:{local}" if colon else name
        return known

    def _declare(self, attributes: dict[str, str]) -> None:
        """Note which namespace each declared prefix stands for."""
        for attribute, value in attributes.items():
            if attribute.startswith("xmlns:"):
                prefix = attribute[6:]
                known = _PREFIXES.get(value)
                self.prefixes[prefix] = known or (value if prefix in _KNOWN_PREFIXES else prefix)
                self.names.clear()

    def _start(self, name: str, attributes: dict[str, str]) -> None:
        self.depth += 1
        self.elements += 1
        if self.depth > limits.MAX_XMP_DEPTH or self.elements > limits.MAX_XMP_ELEMENTS:
            raise _Refused("the packet is larger or deeper than is read")
        if self.passing:
            return
        if attributes:
            self._declare(attributes)
        name = self.names.get(name) or self._canonical(name)
        if self.name is not None:
            self._inside(name, attributes)
        elif self.top >= 0:
            self._property(name, attributes)
        elif name == "rdf:RDF":
            self.rdf = self.depth
        elif name == "rdf:Description" and self.depth == self.rdf + 1:
            self.top = self.depth
            for attribute, value in attributes.items():
                canonical = self._canonical(attribute)
                if canonical in _WANTED:
                    self._add(canonical, None, value)

    def _property(self, name: str, attributes: dict[str, str]) -> None:
        self.name = name
        if name not in _WANTED:
            self.passing = True
            return
        self._collect([])
        self.language = None
        for attribute, value in attributes.items():
            canonical = self._canonical(attribute)
            if canonical in ("rdf:resource", "rdf:value"):
                self._add(name, None, value)
            elif canonical == "exif:Fired":
                self._add("exif:Fired", None, value)
            elif attribute == "xml:lang":
                self.language = value

    def _inside(self, name: str, attributes: dict[str, str]) -> None:
        """An array, one of its items, or a field of a structure."""
        if name == "rdf:li" and self.depth == self.top + 3:
            self.language = attributes.get("xml:lang")
            self._collect([])
        elif name == "exif:Fired":
            self.nested = name
            self._collect([])
        else:
            self._collect(None)
            for attribute, value in attributes.items():
                if self._canonical(attribute) == "exif:Fired":
                    self._add("exif:Fired", None, value)

    def _collect(self, pieces: list[str] | None) -> None:
        """Gather the text that follows, or, with None, pass it over: the blanks between elements cost no call."""
        self.pieces = pieces
        self.parser.CharacterDataHandler = None if pieces is None else pieces.append

    def _end(self, _: str) -> None:
        if self.pieces is not None:
            if self.depth in (self.top + 1, self.top + 3) or self.nested:
                self._add(self.nested or self.name or "", self.language, "".join(self.pieces))
            self._collect(None)
            self.nested = None
        if self.depth == self.top + 1:
            self.name = None
            self.passing = False
        elif self.depth == self.top:
            self.top = -1
        elif self.depth == self.rdf:
            self.rdf = -1
        self.depth -= 1

    def _add(self, name: str, language: str | None, value: str) -> None:
        _add(self.properties, name, language, value)


def _told(properties: dict[str, Values], warn: Callable[[str], None]) -> Xmp:
    get = properties.get

    def text(*names: str) -> str | None:
        for name in names:
            values = get(name)
            if values is not None:
                for language, value in values:
                    if language == "x-default":
                        return value
                return values[0][1]
        return None

    def moment(*names: str) -> Moment | None:
        return next((told for told in (parse(text(name)) for name in names) if told), None)

    xmp = Xmp(
        make=text("tiff:Make"),
        model=text("tiff:Model"),
        lens=text("exifEX:LensModel", "aux:Lens"),
        serial=text("exifEX:BodySerialNumber", "aux:SerialNumber"),
        software=text("xmp:CreatorTool", "tiff:Software"),
        title=text("dc:title"),
        description=text("dc:description", "tiff:ImageDescription"),
        copyright=text("dc:rights", "tiff:Copyright"),
        taken=moment("exif:DateTimeOriginal"),
        created=moment("photoshop:DateCreated"),
        digitized=moment("exif:DateTimeDigitized"),
        made=moment("xmp:CreateDate"),
    )
    xmp.artist = "; ".join(value for _, value in properties.get("dc:creator", ())) or text("tiff:Artist")
    xmp.keywords = [value for _, value in properties.get("dc:subject", ())]
    orientation = _integer(text("tiff:Orientation"))
    if orientation is not None and 1 <= orientation <= 8:
        xmp.orientation = orientation
    rating = _real(text("xmp:Rating"))
    if rating is not None and -1 <= rating <= 100:
        xmp.rating = round(rating)
    if "tiff:XResolution" in properties:
        xmp.dpi = _dpi(text("tiff:XResolution"), text("tiff:YResolution"), text("tiff:ResolutionUnit"))
    for name, *tags in _EXPOSURE:
        value = _real(text(*tags))
        if value is not None and 0 < value < 1e7:
            value = float(f"{value:.6g}")
            xmp.exposure[name] = int(value) if value.is_integer() else value
    fired = text("exif:Fired")
    if fired:
        xmp.exposure["flash"] = fired.lower() == "true"
    if "exif:GPSLatitude" in properties or "exif:GPSLongitude" in properties:
        xmp.gps = _gps(text, warn)
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
