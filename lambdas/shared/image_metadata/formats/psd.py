"""Photoshop documents, PSD and PSB (Adobe Photoshop File Formats Specification).

A fixed header, the colour mode block, then the image resources, which hold EXIF, XMP, IPTC, ICC and resolution.
Resources that are not wanted (thumbnails, paths) are stepped over.
"""

from __future__ import annotations

from .. import limits
from ..blocks.icc import essence
from ..blocks.photoshop import read_resources
from ..errors import CorruptImage
from ..model import FileType, Found
from ..reader import Reader
from .cursors import Fields, Truncated

PSD = FileType("PSD", "image/vnd.adobe.photoshop", "psd")
TYPES = (PSD,)

#: Resources looked at.
MAX_RESOURCES = 2000
#: Bytes of the resources fetched in one go.
PREFETCH_BYTES = 64 * 1024

_ICC = 0x040F
_WANTED = {
    0x03ED: 64,  # resolution
    0x0404: limits.MAX_IPTC,
    _ICC: limits.MAX_ICC,
    0x0422: 1 << 20,  # EXIF
    0x0424: limits.MAX_XMP,
}
# Mode number -> Pillow's mode and the channels that are colour.
_MODES = {0: ("1", 1), 1: ("L", 1), 2: ("P", 1), 3: ("RGB", 3), 4: ("CMYK", 4), 8: ("L", 1), 9: ("LAB", 3)}
_ALPHA = {"L": "LA", "RGB": "RGBA"}


def matches(head: bytes, source: Reader) -> bool:
    """Whether the file starts with "8BPS" and version 1 (PSD) or 2 (PSB)."""
    return head[:4] == b"8BPS" and (head[4:6] in (b"\0\1", b"\0\2") or source.size < 6)


def read(source: Reader, found: Found) -> None:
    """Fill `found` from a PSD or PSB file. Raises `CorruptImage` when the header is cut short."""
    found.be(PSD)
    found.frames, found.animated = 1, False
    fields = Fields(source.read_at(0, 30), 12)
    try:
        channels = fields.u16()
        height, width = fields.u32(), fields.u32()
    except Truncated as error:
        raise CorruptImage(f"the PSD header is cut short: {error}") from error
    if not width or not height:
        raise CorruptImage(f"the PSD header states a size of {width} x {height}")
    found.width, found.height = width, height
    try:
        depth, mode = fields.u16(), fields.u16()
        _describe(mode, depth, channels, found)
        _resources(source, 30 + fields.u32(), found)
    except Truncated as error:
        found.warn(f"the file is cut short: {error}")


def _describe(mode: int, depth: int, channels: int, found: Found) -> None:
    """Depth, colour mode and alpha: channels beyond the mode's own are alpha channels."""
    if depth in (1, 8, 16, 32):
        found.bit_depth = depth
    else:
        found.warn(f"the PSD header states a depth of {depth}")
    name, colors = _MODES.get(mode, (None, 0))
    if name is None:
        return
    found.has_alpha = channels > colors and name not in ("1", "P")
    if name == "L" and depth > 8 and not found.has_alpha:
        name = "I;16" if depth == 16 else "F"
    found.color_mode = _ALPHA.get(name, name) if found.has_alpha else name


def _resources(source: Reader, start: int, found: Found) -> None:
    """Walk the image resources and hand the wanted ones over."""
    length = Fields(source.read_at(start, 4)).u32()
    position, end = start + 4, min(start + 4 + length, source.size)
    if start + 4 + length > source.size:
        found.warn("the image resources are cut short")
    source.read_at(position, max(0, min(end - position, PREFETCH_BYTES)))
    for _ in range(MAX_RESOURCES):
        if end - position < 12:
            return
        fields = Fields(source.read_at(position, 6 + 256 + 4))
        try:
            fields.skip(4)
            number = fields.u16()
            name = fields.u8()
            fields.skip(name + (1 - name % 2))
            size = fields.u32()
        except Truncated:
            return
        header = fields.position
        if number in _WANTED:
            if number == _ICC and found.icc is None:
                found.icc = _profile(source, position + header, size)
            elif size > _WANTED[number]:
                found.warn(f"image resource {number} of {size} bytes is not read")
            else:
                read_resources(source.read_at(position, header + size + size % 2), found)
                if found.dpi and min(found.dpi) <= 0:
                    found.dpi = None
        position += header + size + size % 2
    found.warn(f"more than {MAX_RESOURCES} image resources")


def _profile(source: Reader, start: int, length: int) -> bytes | None:
    """What holds an ICC profile's name; the tables of a CMYK profile take half a megabyte."""
    length = max(0, min(length, source.size - start))
    return essence(lambda offset, count: source.read_at(start + offset, count), length) or None
