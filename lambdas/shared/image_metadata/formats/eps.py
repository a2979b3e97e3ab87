"""Encapsulated PostScript (Adobe technical note 5002): the header comments, bare or behind a DOS EPS header.

The size is that of the raster where the file states one (`%ImageData`), else of the bounding box in points.
"""

from __future__ import annotations

import math
import re

from .. import limits
from ..characters import decode
from ..errors import CorruptImage
from ..model import FileType, Found
from ..reader import Reader

EPS = FileType("EPS", "application/postscript", "eps")
TYPES = (EPS,)

#: Bytes of the header comments that are searched, and of the trailer where the header points there.
MAX_HEADER_BYTES = 32 * 1024
MAX_TRAILER_BYTES = 8 * 1024

_DOS = b"\xc5\xd0\xd3\xc6"
_NUMBER = rb"-?\d{1,9}(?:\.\d{0,9})?"
_BOX = re.compile(
    rb"(?:^|[\r\n])%%(HiRes)?BoundingBox:[ \t]*("
    + _NUMBER
    + rb"(?:[ \t]+"
    + _NUMBER
    + rb"){3})[ \t]*(?=[\r\n])"
)
_AT_END = re.compile(rb"(?:^|[\r\n])%%BoundingBox:[ \t]*\(atend\)")
_IMAGE = re.compile(rb"(?:^|[\r\n])%ImageData:[ \t]*(\d{1,9})[ \t]+(\d{1,9})[ \t]+(\d{1,2})[ \t]+(\d)[ \t]")
_TEXT = re.compile(rb"(?:^|[\r\n])%%(Title|Creator|Copyright):([^\r\n]++)(?=[\r\n])")
_MODES = {1: "L", 2: "LAB", 3: "RGB", 4: "CMYK"}
_KEYWORDS = {b"Title": "Title", b"Creator": "Software", b"Copyright": "Copyright"}


def matches(head: bytes, source: Reader) -> bool:
    """Whether the file is a DOS EPS, or calls itself EPSF: PostScript that does not is a document."""
    if head[:4] == _DOS:
        return source.size >= 30
    line = head.splitlines()[0] if head else b""
    if not line.startswith(b"%!PS-Adobe-"):
        return False
    return b"EPSF" in line


def read(source: Reader, found: Found) -> None:
    """Fill `found` from an EPS file. Raises `CorruptImage` when neither raster nor bounding box is stated."""
    found.be(EPS)
    found.frames, found.animated = 1, False
    start, length = 0, source.size
    head = source.read_at(0, 12)
    if head[:4] == _DOS:
        start, length = (int.from_bytes(head[i : i + 4], "little") for i in (4, 8))
        length = max(0, min(length, source.size - start))
    header = source.read_at(start, min(length, MAX_HEADER_BYTES))
    size = _raster(header, found)
    if size is None and _AT_END.search(header):
        tail = max(start, start + length - MAX_TRAILER_BYTES)
        size = _box(source.read_at(tail, start + length - tail))
    size = size or _box(header)
    if size is None:
        raise CorruptImage("neither a raster nor a bounding box states a size")
    found.width, found.height = size
    for name, value in _TEXT.findall(header):
        value = value.strip()
        if value.startswith(b"(") and value.endswith(b")"):
            value = value[1:-1]
        found.text.setdefault(_KEYWORDS[name], decode(value) or "")
    found.xmp = _packet(header)


def _raster(header: bytes, found: Found) -> tuple[int, int] | None:
    """Columns and rows of the raster that Photoshop states, with its depth and mode."""
    match = _IMAGE.search(header)
    if match is None:
        return None
    width, height, depth, mode = (int(value) for value in match.groups())
    if not width or not height:
        return None
    found.bit_depth = depth if 0 < depth <= 32 else None
    found.color_mode = "1" if depth == 1 and mode == 1 else _MODES.get(mode)
    return width, height


def _box(text: bytes) -> tuple[int, int] | None:
    """The bounding box's size in whole points."""
    for match in _BOX.finditer(text):
        left, bottom, right, top = (float(value) for value in match[2].split())
        width, height = math.ceil(right) - math.floor(left), math.ceil(top) - math.floor(bottom)
        if not match[1] and width > 0 and height > 0:
            return width, height
    return None


def _packet(header: bytes) -> bytes | None:
    """An XMP packet among the header comments, if it is whole."""
    start = header.find(b"<?xpacket begin")
    end = header.find(b"<?xpacket end", start)
    return header[start:end] if 0 <= start < end <= start + limits.MAX_XMP else None
