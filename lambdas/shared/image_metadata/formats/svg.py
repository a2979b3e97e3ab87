"""SVG and gzipped SVG: the root element's start tag, and nothing behind it.

The prolog is stepped over and the root's attributes are taken as they stand: no entity is expanded, no DTD read, so
nothing can expand, and a document that is not well-formed further down costs nothing.
"""

from __future__ import annotations

import re
import zlib

from ..errors import CorruptImage
from ..model import FileType, Found
from ..reader import Reader
from .cursors import Truncated, inflate

SVG = FileType("SVG", "image/svg+xml", "svg")
TYPES = (SVG,)

#: Bytes in which the root's start tag must end; editors write long comments and doctypes before it.
MAX_PROLOG_BYTES = 256 * 1024
#: Bytes in which most files show it, fetched first.
FIRST_BYTES = 32 * 1024

_GZIP = b"\x1f\x8b\x08"
_BOMS = ((b"\xef\xbb\xbf", "utf-8"), (b"\xff\xfe", "utf-16-le"), (b"\xfe\xff", "utf-16-be"))
_SPACE = re.compile(r"\s*")
_NAME = re.compile(r"<(?:[\w.-]+:)?([\w.-]+)(?=[\s/>]|$)")
_ATTRIBUTE = re.compile(r"""\s*([\w:.-]+)\s*=\s*(?:"([^"<]*)"|'([^'<]*)')""")
_TAG_END = re.compile(r"""[^<>"']*>""")
_LENGTH = re.compile(r"\s*\+?(\d*\.?\d+(?:[eE][+-]?\d{1,3})?|\d+\.)\s*([a-zA-Z%]*)\s*$")
#: Characters of a style attribute that are read.
_MAX_STYLE = 16 * 1024
#: CSS pixels per unit (CSS Values 4, section 6); those of a font by the size that a browser starts with. What depends
#: on the window (%, vw, vh) is no size of the picture's own.
_UNITS = {
    "": 1.0,
    "px": 1.0,
    "pt": 96 / 72,
    "pc": 16.0,
    "in": 96.0,
    "cm": 96 / 2.54,
    "mm": 96 / 25.4,
    "q": 96 / 101.6,
    "em": 16.0,
    "rem": 16.0,
    "ic": 16.0,
    "ex": 8.0,
    "ch": 8.0,
}


def matches(head: bytes, source: Reader) -> bool:
    """Whether the root element is `svg`, plain or gzipped."""
    if head[:3] != _GZIP and not _may_be_markup(head):
        return False
    return _root(_text(source, FIRST_BYTES)) is not None or (
        source.size > FIRST_BYTES and head[:3] != _GZIP and _root(_text(source, MAX_PROLOG_BYTES)) is not None
    )


def read(source: Reader, found: Found) -> None:
    """Fill `found` from an SVG. Raises `CorruptImage` when the root's start tag is cut off."""
    found.be(SVG)
    found.frames = 1
    text = _text(source, FIRST_BYTES)
    start = _root(text)
    if start is None or text.find(">", start) < 0:
        text = _text(source, MAX_PROLOG_BYTES)
        start = _root(text)
    if start is None:
        raise CorruptImage("the root element is not reached")
    attributes, end = _attributes(text, start)
    size = _size(attributes | _style(attributes.get("style", "")))
    if size is not None:
        found.width, found.height = (max(1, round(value)) for value in size)
    elif not _TAG_END.match(text, end):
        raise CorruptImage("the root element is cut off before it states a size")
    else:
        found.sizeless = True  # as large as what it is shown in


def _may_be_markup(head: bytes) -> bool:
    """Whether the first character that is no space is "<", in UTF-8 or UTF-16."""
    for mark, _ in _BOMS:
        if head.startswith(mark):
            head = head[len(mark) :]
            break
    start = head.replace(b"\0", b"").lstrip(b" \t\r\n")[:1]
    return start == b"<" or (not start and len(head) > 0 and not head.strip(b" \t\r\n"))


def _text(source: Reader, limit: int) -> str:
    """The document's first `limit` bytes as text, inflated where the file is gzipped."""
    data = source.read_at(0, min(limit, source.size))
    if data.startswith(_GZIP):
        try:
            data = inflate(data, limit, zlib.MAX_WBITS | 16)
        except Truncated:
            return ""
    for mark, encoding in _BOMS:
        if data.startswith(mark):
            return data[len(mark) :].decode(encoding, "replace")
    if data[:4] == b"<\0?\0" or data[:4] == b"<\0s\0":
        return data.decode("utf-16-le", "replace")
    if data[:4] == b"\0<\0?" or data[:4] == b"\0<\0s":
        return data.decode("utf-16-be", "replace")
    return data.decode("utf-8", "replace")


def _root(text: str) -> int | None:
    """Where the attributes of the `svg` root element start; None when the root is another or not reached."""
    position = _end_of_space(text, 0)
    while text.startswith("<", position):
        if text.startswith("<!--", position):
            end = text.find("-->", position + 4) + 3
            if end < 3:
                return None
        elif text.startswith("<?", position):
            end = text.find("?>", position + 2) + 2
            if end < 2:
                return None
        elif text.startswith("<!", position):
            end = _doctype(text, position)
            if end < 0:
                return None
        else:
            name = _NAME.match(text, position)
            return name.end() if name and name[1] == "svg" else None
        position = _end_of_space(text, end)
    return None


def _end_of_space(text: str, position: int) -> int:
    """The first position that holds no space."""
    space = _SPACE.match(text, position)
    return space.end() if space else position


def _doctype(text: str, position: int) -> int:
    """The end of a doctype whose internal subset may hold quoted ">" and comments; -1 when it is not there."""
    depth = 0
    while position < len(text):
        found = _DOCTYPE_STOPS.search(text, position)
        if found is None:
            return -1
        mark = found[0]
        position = found.end()
        if mark in ("'", '"'):
            position = text.find(mark, position) + 1
            if position == 0:
                return -1
        elif mark == "<!--":
            position = text.find("-->", position) + 3
            if position < 3:
                return -1
        elif mark in "[<":
            depth += 1
        elif mark == "]":
            depth -= 1
        elif mark == ">":
            depth -= 1
            if depth <= 0:
                return position
    return -1


_DOCTYPE_STOPS = re.compile("""<!--|['"\\[\\]<>]""")


def _attributes(text: str, position: int) -> tuple[dict[str, str], int]:
    """The attributes of a start tag, as far as they are written properly, and where they end."""
    out: dict[str, str] = {}
    while match := _ATTRIBUTE.match(text, position):
        out.setdefault(match[1], match[2] if match[2] is not None else match[3])
        position = match.end()
    return out, position


def _style(text: str) -> dict[str, str]:
    """Width and height of a style attribute, which outrank the attributes of these names (SVG 2, 8.2)."""
    declared = (part.partition(":") for part in text[:_MAX_STYLE].split(";"))
    stated = {name.strip().lower(): value.partition("!")[0] for name, _, value in declared}
    return {name: stated[name] for name in ("width", "height") if _pixels(stated.get(name))}


def _size(attributes: dict[str, str]) -> tuple[float, float] | None:
    """Width and height in CSS pixels; what is missing follows from the viewBox."""
    width, height = _pixels(attributes.get("width")), _pixels(attributes.get("height"))
    box = _view_box(attributes.get("viewBox"))
    if width and height:
        return width, height
    if box is None:
        return None
    if width:
        return width, width * box[1] / box[0]
    if height:
        return height * box[0] / box[1], height
    return box


def _pixels(value: str | None) -> float | None:
    """A length in CSS pixels; None for relative, negative, absurd or missing ones."""
    match = _LENGTH.match(value[:64]) if value else None
    if match is None or match[2].lower() not in _UNITS:
        return None
    pixels = float(match[1]) * _UNITS[match[2].lower()]
    return pixels if 1e-6 < pixels < 1e9 else None


def _view_box(value: str | None) -> tuple[float, float] | None:
    """Width and height of a viewBox: four numbers between spaces or commas."""
    parts = re.split(r"[\s,]+", value[:256].strip()) if value else []
    if len(parts) != 4:
        return None
    width, height = _pixels(parts[2]), _pixels(parts[3])
    return (width, height) if width and height else None
