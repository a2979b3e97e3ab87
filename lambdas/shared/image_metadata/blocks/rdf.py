"""RDF as XMP writes it (ISO 16684-1 clause 7): the simple properties, arrays and language alternatives of one packet.

Nearly all packets are plain, and what is wanted of them is little: that is looked up, and the rest passed over unread.
Any other packet, and any that is in doubt, is parsed by expat; a document type or an entity of its own is refused, so
nothing expands. Prefixes are resolved here, because packets with an undeclared prefix are common and lose nothing else.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any
from xml.parsers import expat

from .. import limits

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
#: A field of the structure exif:Flash.
FIRED = "exif:Fired"
#: All that the parser looks for, by prefix: local name -> name.
_NAMES: dict[str, dict[str, str]] = {prefix: {} for prefix in _PREFIXES.values()}
for _name in (*_WANTED, FIRED, "rdf:RDF", "rdf:Description", "rdf:li", "rdf:resource", "rdf:value"):
    _NAMES[_name.partition(":")[0]][_name.partition(":")[2]] = _name
#: The same as they are written with the usual prefixes -> name.
_USUAL_NAMES = {
    f"{written}:{local}": name
    for written, prefix in _USUAL_PREFIXES.items()
    for local, name in _NAMES[prefix].items()
}
#: The same again, for the reader of plain packets.
_PLAIN_NAMES = {written.encode(): name for written, name in _USUAL_NAMES.items()} | {b"xml:lang": "xml:lang"}
_PLAIN_WANTED = {written: name for written, name in _PLAIN_NAMES.items() if name in _WANTED}
_PLAIN_DECLARATIONS = {written.encode(): uri.encode() for written, uri in _USUAL_DECLARATIONS.items()}
_URIS = frozenset(uri.encode() for uri in _PREFIXES)
_DESCRIPTION = b"<rdf:Description"
#: What stands before and behind the descriptions of a plain packet.
_HEAD = re.compile(
    rb"""
    (?:<\?[^>]*\?>\s*)*
    (?:<x:x[am]pmeta\s+xmlns:x=["']adobe:ns:meta/["'](?:\s+x:x[am]ptk=(?:"[^"<>]*"|'[^'<>]*'))?\s*>\s*)?
    <rdf:RDF\s+xmlns:rdf=["']http://www\.w3\.org/1999/02/22-rdf-syntax-ns\#["']
    (?:\s+xmlns:iX=["']http://ns\.adobe\.com/iX/1\.0/["'])?\s*>
    """,
    re.VERBOSE,
)
_TAIL = re.compile(rb"""</rdf:RDF>\s*(?:</x:x[am]pmeta>\s*)?(?:<\?[^>]*\?>\s*)?""")
#: A property of text; an array of texts, and its items: language and text.
_SIMPLE = re.compile(rb"\s*<([^\s<>/=]+)>([^<]*)</\1>")
_OPENING = rb"""<rdf:li(?:\s+xml:lang=["']([\w-]+)["'])?>"""
_ITEM = re.compile(_OPENING + rb"([^<]*)<")
_ARRAY = re.compile(
    rb"\s*<(rdf:Alt|rdf:Bag|rdf:Seq)(?:\s*/>|>((?:\s*" + _OPENING + rb"[^<]*</rdf:li>)*)\s*</\1>)\s*"
)
#: Characters that XML has no place for, and the carriage return, which it reads as another (XML 1.0, 2.2 and 2.11).
_NO_TEXT = re.compile(r"[\0-\x08\x0b-\x1f\ufffe\uffff]")
#: One property's values in order, each with its language or None.
Values = list[tuple[str | None, str]]

#: The depth of what is not open.
_NONE = 1 << 30


class _Refused(Exception):
    """The packet does what no XMP packet may do."""


class _NotPlain(Exception):
    """The packet is to be parsed."""


def read_properties(data: bytes, warn: Callable[[str], None]) -> dict[str, Values]:
    """The wanted top-level properties of a packet in UTF-8, by name; `warn` is told what damage ends it."""
    try:
        return _look_up(data)
    except (_NotPlain, UnicodeDecodeError):
        return _parse(data, warn)


def _add(properties: dict[str, Values], name: str, language: str | None, value: str) -> None:
    value = value.strip()
    if value:
        properties.setdefault(name, []).append((language, value[: limits.MAX_TEXT]))


def _look_up(data: bytes) -> dict[str, Values]:
    """The wanted properties of a plain packet; raises `_NotPlain`, in doubt too, for any other.

    Plain is a packet of one rdf:RDF with the usual prefixes, whose wanted properties are attributes, texts or arrays of
    texts without references, and which has no comments, CDATA or processing instructions. Of what is not wanted no more
    is looked at than where it ends: damage there goes unnoticed and costs nothing.
    """
    head, end = _HEAD.match(data), data.rfind(b"</rdf:RDF>")
    if not head or not _TAIL.fullmatch(data, end):
        raise _NotPlain
    find, stop = data.find, head.end()
    for mark in (b"!", b"?"):
        if find(mark, stop, end) >= 0 and find(b"<" + mark, stop, end) >= 0:
            raise _NotPlain
    properties: dict[str, Values] = {}
    while True:
        at = find(b"<", stop)
        if at == end:
            return properties
        stop = find(b">", at) + 1
        name, tag = data[at : at + len(_DESCRIPTION)], data[at + len(_DESCRIPTION) : stop - 1]
        if name != _DESCRIPTION or not (tag[:1].isspace() or tag in (b"", b"/")):
            raise _NotPlain
        for attribute, value in _attributes(tag):
            if attribute in _WANTED:
                _add(properties, attribute, None, _plain_attribute(value))
        if tag[-1:] != b"/":
            stop = _description(data, stop, properties)


def _description(data: bytes, stop: int, properties: dict[str, Values]) -> int:
    """Look up the properties of the rdf:Description whose tag ends before `stop`; answers what follows its end tag."""
    find = data.find
    while True:
        simple = _SIMPLE.match(data, stop)
        if simple:
            written, value = simple.groups()
            if written in _PLAIN_WANTED:
                _add(properties, _PLAIN_WANTED[written], None, _plain(value))
            stop = simple.end()
            continue
        at = find(b"<", stop)
        stop = find(b">", at) + 1
        tag = data[at + 1 : stop - 1]
        if tag == b"/rdf:Description":
            return stop
        empty = tag[-1:] == b"/"
        words = (tag[:-1] if empty else tag).split(None, 1)
        if at < 0 or not words:
            raise _NotPlain
        written = words[0]
        name = _PLAIN_WANTED.get(written)
        attributes = _attributes(words[1]) if len(words) > 1 else []
        if name:
            for attribute, value in attributes:
                if attribute not in (FIRED, "rdf:resource", "rdf:value"):
                    raise _NotPlain
                _add(properties, FIRED if attribute == FIRED else name, None, _plain_attribute(value))
        if empty:
            continue
        # If this is the end tag of an element of the same name within, the outer one's is met later on, as the tag
        # of an element called "/name" that never ends.
        close = find(b"</" + written, stop)
        ended = close + len(written) + 2
        if close < 0 or data[ended : ended + 1] != b">":
            raise _NotPlain
        if name and find(b"<", stop, close) < 0:
            _add(properties, name, None, _plain(data[stop:close]))
        elif name:
            _items(data[stop:close], name, properties)
        stop = ended + 1


def _items(data: bytes, name: str, properties: dict[str, Values]) -> None:
    """Look up the items of the array that `data` is, blanks around it."""
    array = _ARRAY.fullmatch(data)
    if not array:
        raise _NotPlain
    for language, value in _ITEM.findall(array[2] or b""):
        _add(properties, name, language.decode() or None, _plain(value))


def _attributes(data: bytes) -> list[tuple[str, bytes]]:
    """The attributes that have a name of ours.

    Raises `_NotPlain` where a prefix does not mean the usual, and where blanks or two kinds of quotes leave a doubt.
    """
    if not data or data == b"/":
        return []
    quote = b'"' if b'"' in data else b"'"
    parts = data.split(quote)
    written, values = parts[::2], parts[1::2]
    if written.pop().strip() not in (b"", b"/") or len(written) != len(values):
        raise _NotPlain
    if quote == b'"' and b"'" in data and b"'" in b"".join(written):
        raise _NotPlain
    found = []
    for before, value in zip(written, values, strict=True):
        if before[-1:] != b"=":
            raise _NotPlain
        attribute = before[:-1].strip()
        name = _PLAIN_NAMES.get(attribute)
        if name is not None:
            found.append((name, value))
        elif attribute[:6] == b"xmlns:":
            unusual = value in _URIS or b"&" in value
            if attribute in _PLAIN_DECLARATIONS:
                unusual = value != _PLAIN_DECLARATIONS[attribute]
            if unusual:
                raise _NotPlain
    return found


def _plain(value: bytes) -> str:
    """Text that says what it is: no references, no line ends of other systems, nothing that XML has no place for."""
    text = value.decode()
    if "&" in text or (not text.isprintable() and _NO_TEXT.search(text)):
        raise _NotPlain
    return text


def _plain_attribute(value: bytes) -> str:
    """The same of an attribute, in which line ends and tabs stand for blanks."""
    if b"\n" in value or b"\t" in value:
        raise _NotPlain
    return _plain(value)


def _parse(data: bytes, warn: Callable[[str], None]) -> dict[str, Values]:
    """The wanted top-level properties of every rdf:Description below rdf:RDF, as far as the packet is well-formed.

    A level counts from rdf:RDF (0): a description is at 1, a property at 2, its array at 3, an item at 4.
    """
    properties: dict[str, Values] = {}
    parser = expat.ParserCreate("UTF-8")
    names = _USUAL_NAMES  # as they are written here -> as we call them
    declarations = 0  # how often a prefix was given another meaning
    renamed: set[str] = set()  # declarations of prefixes that do not mean the usual
    depth, most_depth = 0, limits.MAX_XMP_DEPTH
    # Depth of the open rdf:RDF, and of the open element that is passed over with all it holds.
    rdf = passed = _NONE
    described = False  # inside of an rdf:Description
    name = nested = ""  # the open property and, where it is wanted, the open field of its structure
    language: str | None = None
    simple = False  # the element that opened last is wanted and still open
    text: list[str] = []

    def start(written: str, attributes: dict[str, str]) -> None:
        nonlocal depth, rdf, passed, described, name, nested, names, simple, language, declarations
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
            declarations += 1
            if declarations > limits.MAX_XMP_DECLARATIONS:
                raise _Refused("more prefixes are declared than are read")
            renamed.add(attribute)
            names = _renamed(names, attribute[6:], uri)
        known = names.get(written)
        level = depth - rdf
        if level == 2:
            if described and known in _WANTED:
                name, nested, simple = known or "", "", True
                text.clear()
                parser.CharacterDataHandler = text.append
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
            nested = FIRED if known == FIRED else ""
            simple = bool(nested) or (level == 4 and known == "rdf:li")
            text.clear()
            if nested:
                language = None
            elif level > 4:
                passed = depth
            else:
                told(attributes)

    def told(attributes: dict[str, str]) -> None:
        """What the attributes of a property, an item or a structure state."""
        nonlocal language
        language = attributes.get("xml:lang")
        for attribute, value in attributes.items():
            known = names.get(attribute)
            if known == FIRED:
                _add(properties, FIRED, None, value)
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
    return properties


def _renamed(names: dict[str, str], prefix: str, uri: str) -> dict[str, str]:
    """The names to look for after a declaration that gives `prefix` another meaning."""
    others = {written: name for written, name in names.items() if not written.startswith(prefix + ":")}
    meant = _NAMES.get(_PREFIXES.get(uri, ""), {})
    return others | {f"{prefix}:{local}": name for local, name in meant.items()}
