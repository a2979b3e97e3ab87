"""OpenEXR: the attributes of the first part's header (OpenEXR file layout, sections "Header" and "Multi-part").

Attributes are (name, type, size, value); an empty name ends a header, and in a multi-part file an empty header ends
the list of parts. The stored size is that of the data window.
"""

from __future__ import annotations

import math
import struct

from ..characters import decode
from ..errors import CorruptImage
from ..model import FileType, Found
from ..reader import Reader
from .cursors import Fields, Truncated

EXR = FileType("EXR", "image/x-exr", "exr")
TYPES = (EXR,)

#: Bytes of all headers that are read, parts that are counted, attributes of one part.
MAX_HEADER_BYTES = 256 * 1024
FIRST_BYTES = 16 * 1024
MAX_PARTS = 1000
MAX_ATTRIBUTES = 2000

_MAGIC = b"\x76\x2f\x31\x01"
_LONG_NAMES, _MULTI_PART = 0x400, 0x1000
_DEPTHS = {0: 32, 1: 16, 2: 32}  # unsigned, half, float
_TEXTS = {"owner": "Copyright", "comments": "Comment", "software": "Software"}


def matches(head: bytes, source: Reader) -> bool:
    """Whether the file starts with OpenEXR's magic number and version 1 or 2."""
    return head[:4] == _MAGIC and (head[4:5] in (b"\1", b"\2") or source.size < 5)


def read(source: Reader, found: Found) -> None:
    """Fill `found` from an OpenEXR file. Raises `CorruptImage` when no window is stated."""
    found.be(EXR)
    fields = Fields(source.read_at(0, FIRST_BYTES), 4, "little")
    attributes: dict[str, tuple[str, bytes]] = {}
    flags = 0
    try:
        try:
            flags = fields.u32()
            _header(fields, attributes)
        except Truncated:
            if source.size <= FIRST_BYTES:
                raise
            attributes.clear()
            fields = Fields(source.read_at(0, MAX_HEADER_BYTES), 8, "little")
            _header(fields, attributes)
    except Truncated as error:
        found.warn(f"the header is cut short: {error}")
    size = _window(attributes.get("dataWindow")) or _window(attributes.get("displayWindow"))
    if size is None:
        raise CorruptImage("the header states neither a data window nor a display window")
    found.width, found.height = size
    _channels(attributes.get("channels"), found)
    density = _float(attributes.get("xDensity"))
    if density:
        aspect = _float(attributes.get("pixelAspectRatio")) or 1.0
        found.dpi = (round(density, 4), round(density * aspect, 4))
    for name, keyword in _TEXTS.items():
        kind, value = attributes.get(name, ("", b""))
        if kind == "string":
            found.text[keyword] = decode(value) or ""
    found.frames = _parts(fields) if flags & _MULTI_PART else 1
    found.animated = False


def _header(fields: Fields, attributes: dict[str, tuple[str, bytes]]) -> None:
    """The attributes of one part, up to the empty name."""
    for _ in range(MAX_ATTRIBUTES):
        name = fields.cstring()
        if fields.left == 0 and not name and fields.position > len(fields.data):
            raise Truncated("no end of the header")
        if not name:
            return
        if len(name) > 255:
            raise Truncated("an attribute's name has no end")
        kind = fields.cstring()
        value = fields.take(fields.u32())
        attributes.setdefault(name.decode("utf-8", "replace"), (kind.decode("utf-8", "replace"), value))
    raise Truncated("more attributes than the limit")


def _parts(fields: Fields) -> int | None:
    """How many parts there are, the first one's header being read; None when they end nowhere."""
    count = 1
    try:
        while count < MAX_PARTS:
            attributes: dict[str, tuple[str, bytes]] = {}
            _header(fields, attributes)
            if not attributes:
                return count
            count += 1
    except Truncated:
        pass
    return None


def _window(attribute: tuple[str, bytes] | None) -> tuple[int, int] | None:
    """Width and height of a box2i attribute, whose corners are inclusive."""
    if attribute is None or len(attribute[1]) < 16:
        return None
    left, top, right, bottom = struct.unpack("<4i", attribute[1][:16])
    width, height = right - left + 1, bottom - top + 1
    return (width, height) if width > 0 and height > 0 else None


def _float(attribute: tuple[str, bytes] | None) -> float | None:
    """A positive finite float attribute."""
    if attribute is None or attribute[0] != "float" or len(attribute[1]) < 4:
        return None
    value: float = struct.unpack("<f", attribute[1][:4])[0]
    return value if math.isfinite(value) and 0 < value < 1e6 else None


def _channels(attribute: tuple[str, bytes] | None, found: Found) -> None:
    """Depth, mode and alpha from the channel list; "layer.R" counts like "R"."""
    if attribute is None:
        return
    fields = Fields(attribute[1], order="little")
    names: set[str] = set()
    depths: set[int] = set()
    try:
        while fields.left:
            name = fields.cstring()
            if not name or len(names) > 1024:
                break
            names.add(name.decode("utf-8", "replace").rpartition(".")[2])
            depths.add(_DEPTHS.get(fields.u32(), 0))
            fields.skip(12)
    except Truncated:
        found.warn("the channel list is cut short")
    found.bit_depth = max(depths, default=0) or None
    if not names:
        return
    found.has_alpha = "A" in names
    if names & {"R", "G", "B", "RY", "BY"}:
        found.color_mode = "RGBA" if found.has_alpha else "RGB"
    elif "Y" in names or len(names - {"A"}) == 1:
        found.color_mode = "LA" if found.has_alpha else "F"
