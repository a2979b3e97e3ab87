"""Radiance HDR (RGBE and XYZE): header lines, an empty line, a resolution line (Radiance file formats, section 2)."""

from __future__ import annotations

import re

from ..characters import decode
from ..errors import CorruptImage
from ..model import FileType, Found
from ..reader import Reader

HDR = FileType("HDR", "image/vnd.radiance", "hdr")
TYPES = (HDR,)

#: Bytes in which the resolution line must end.
MAX_HEADER_BYTES = 64 * 1024

_SIGNATURES = (b"#?RADIANCE", b"#?RGBE")
_RESOLUTION = re.compile(rb"([+-])([XY])[ \t]+(\d{1,9})[ \t]+([+-])([XY])[ \t]+(\d{1,9})[ \t\r]*\n")
# Signs of Y and X, rows first -> EXIF orientation: -Y +X is top to bottom, left to right.
_ORIENTATIONS = {(b"-", b"+"): 1, (b"-", b"-"): 2, (b"+", b"-"): 3, (b"+", b"+"): 4}


def matches(head: bytes, source: Reader) -> bool:
    """Whether the file starts with "#?RADIANCE" or "#?RGBE" on a line of its own."""
    if any(head.startswith(name) and head[len(name) :][:1] in (b"\n", b"\r") for name in _SIGNATURES):
        return True
    return source.size == len(head) and head in _SIGNATURES


def read(source: Reader, found: Found) -> None:
    """Fill `found` from a Radiance picture. Raises `CorruptImage` when no resolution line is there."""
    found.be(HDR)
    found.frames, found.animated = 1, False
    data = source.read_at(0, 4096)
    match = _resolution(data)
    if match is None and source.size > len(data):
        data = source.read_at(0, MAX_HEADER_BYTES)
        match = _resolution(data)
    if match is None:
        raise CorruptImage("no resolution line follows the header")
    first, axis, size, second, other, across = match.groups()
    if axis == other:
        raise CorruptImage("the resolution line states one axis twice")
    width, height = (int(across), int(size)) if axis == b"Y" else (int(size), int(across))
    if not width or not height:
        raise CorruptImage(f"the resolution line states a size of {width} x {height}")
    found.width, found.height = width, height
    if axis == b"Y" and (first, second) != (b"-", b"+"):
        found.orientation = _ORIENTATIONS[first, second]
    found.bit_depth = 8  # mantissa bits per channel, beside one shared exponent
    found.color_mode, found.has_alpha = "RGB", False
    for line in data[: match.start()].split(b"\n"):
        name, _, value = line.partition(b"=")
        if name.strip().upper() == b"SOFTWARE" and value.strip():
            found.text.setdefault("Software", decode(value) or "")


def _resolution(data: bytes) -> re.Match[bytes] | None:
    """The resolution line behind the header's empty line."""
    for end in re.finditer(rb"\n\r?\n", data):
        match = _RESOLUTION.match(data, end.end())
        if match:
            return match
    return None
