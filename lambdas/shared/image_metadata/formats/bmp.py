"""Windows and OS/2 bitmaps, every header version from BITMAPCOREHEADER (1987) to BITMAPV5HEADER.

14 bytes of file header, then a header that states its own size: 12 (core), 16 to 64 (OS/2 2.x), 40, 52, 56,
108 (V4), 124 (V5). Also read without the file header, as it stands inside an ICO.
"""

from __future__ import annotations

from dataclasses import dataclass

from ..blocks.icc import essence
from ..errors import CorruptImage
from ..model import FileType, Found
from ..reader import Reader
from .cursors import Fields, Truncated

BMP = FileType("BMP", "image/bmp", "bmp")
DIB = FileType("DIB", "image/bmp", "bmp")  # without a file header
TYPES = (BMP, DIB)

_FILE_HEADER = 14
_CORE = 12
#: Pixels per metre; more is damage.
MAX_DENSITY = 1 << 26
#: In use are 12, 16 to 64, 52, 56, 108 and 124; what a damaged size leaves readable is read.
_HEADER_SIZES = range(12, 256)
_DEPTHS = frozenset((0, 1, 2, 4, 8, 16, 24, 32))
_RGB, _BITFIELDS, _ALPHABITFIELDS = 0, 3, 6
_EMBEDDED_PROFILE = 0x4D424544  # "MBED"
_INCH = 0.0254


@dataclass(frozen=True, slots=True)
class Bitmap:
    """What a bitmap header states."""

    size: int  # of the header, in bytes
    width: int
    height: int  # negative where the rows run from top to bottom
    bits: int  # per pixel
    compression: int
    across: int  # pixels per metre
    down: int
    colors: int
    masks: tuple[int, ...]  # red, green, blue, alpha


def matches(head: bytes, source: Reader) -> bool:
    """Whether the file starts with "BM" and a header of a known size, or is such a header without "BM" (DIB)."""
    if head[:2] != b"BM":
        return _is_bare(head)
    if len(head) < 18:
        return source.size <= 18 and head[6:10] == bytes(len(head[6:10]))
    return int.from_bytes(head[14:18], "little") in _HEADER_SIZES


def _is_bare(head: bytes) -> bool:
    """Whether a bitmap header stands at the start: one plane, a known depth, known compression."""
    if len(head) < 40 or head[:4] not in (b"\x28\0\0\0", b"\x6c\0\0\0", b"\x7c\0\0\0"):
        return False
    bits, compression = int.from_bytes(head[14:16], "little"), int.from_bytes(head[16:20], "little")
    return head[12:14] == b"\1\0" and bits in _DEPTHS and compression <= _ALPHABITFIELDS


def read(source: Reader, found: Found) -> None:
    """Fill `found` from a BMP file. Raises `CorruptImage` when the size is cut off or not positive."""
    bare = source.read_at(0, 2) != b"BM"
    found.be(DIB if bare else BMP)
    found.frames, found.animated = 1, False
    start = 0 if bare else _FILE_HEADER
    data = source.read_at(start, 124)
    bitmap = parse(data)
    found.width, found.height = bitmap.width, abs(bitmap.height)
    if not found.width or not found.height:
        raise CorruptImage(f"the BMP header states a size of {bitmap.width} x {bitmap.height}")
    if 0 < bitmap.across < MAX_DENSITY and 0 < bitmap.down < MAX_DENSITY:
        found.dpi = (round(bitmap.across * _INCH, 4), round(bitmap.down * _INCH, 4))
    _describe(source, start, bitmap, found)
    if bitmap.size >= 124:
        _profile(source, start, data, found)


def parse(data: bytes) -> Bitmap:
    """The header at the start of `data`. Raises `CorruptImage` when its size fields are cut off."""
    fields = Fields(data, order="little")
    try:
        size = fields.u32()
        if size == _CORE:
            width, height = fields.u16(), fields.u16()
        else:
            width, height = fields.u32(), fields.sint(4)
            if width >= 1 << 31:
                width = (1 << 32) - width  # seen negative, like the height
    except Truncated as error:
        raise CorruptImage(f"the BMP header is cut short: {error}") from error
    bits = compression = across = down = colors = 0
    masks: tuple[int, ...] = ()
    try:
        fields.skip(2)
        bits = fields.u16()
        if size >= 40:
            compression = fields.u32()
            fields.skip(4)
            across, down, colors = fields.u32(), fields.u32(), fields.u32()
            fields.skip(4)
            if (size != 64 and compression in (_BITFIELDS, _ALPHABITFIELDS)) or size >= 108:
                has_alpha = size >= 56 or compression == _ALPHABITFIELDS
                masks = tuple(fields.u32() for _ in range(4 if has_alpha else 3))
    except Truncated:
        pass  # the size is known; what follows it is not
    return Bitmap(size, width, height, bits, compression, across, down, colors, masks)


def _describe(source: Reader, start: int, bitmap: Bitmap, found: Found) -> None:
    """Depth, alpha and colour mode; a palette of greys makes the picture grey."""
    if bitmap.bits not in _DEPTHS:
        found.warn(f"the BMP header states {bitmap.bits} bits per pixel")
        return
    if bitmap.bits == 0:  # a JPEG or PNG inside
        found.bit_depth = 8
        return
    masked = bitmap.compression in (_BITFIELDS, _ALPHABITFIELDS)
    found.has_alpha = masked and len(bitmap.masks) == 4 and bitmap.masks[3] != 0
    if bitmap.bits > 8:
        found.color_mode = "RGBA" if found.has_alpha else "RGB"
        depths = [mask.bit_count() for mask in bitmap.masks[:3]] if masked else []
        found.bit_depth = max(depths, default=0) or (5 if bitmap.bits == 16 else 8)
        return
    found.bit_depth = bitmap.bits
    found.color_mode = _indexed_mode(source, start, bitmap)


def _indexed_mode(source: Reader, start: int, bitmap: Bitmap) -> str:
    """Mode of a picture with a palette: "1" or "L" when the palette is a plain ramp of greys, else "P"."""
    colors = bitmap.colors if 0 < bitmap.colors <= 1 << bitmap.bits else 1 << bitmap.bits
    width = 3 if bitmap.size == _CORE else 4
    place = start + bitmap.size
    if bitmap.size == 40 and bitmap.compression == _BITFIELDS:
        place += 12
    palette = source.read_at(place, colors * width)
    ramp = (0, 255) if colors == 2 else range(colors)
    for number, grey in enumerate(ramp):
        if palette[number * width : number * width + 3] != bytes((grey,)) * 3:
            return "P"
    return "1" if colors <= 2 else "L"


def _profile(source: Reader, start: int, header: bytes, found: Found) -> None:
    """The ICC profile embedded in a V5 bitmap; its offset counts from the header's start."""
    fields = Fields(header, 56, "little")
    try:
        if fields.u32() != _EMBEDDED_PROFILE:
            return
        fields.position = 112
        offset, length = fields.u32(), fields.u32()
    except Truncated:
        return
    if not length or start + offset + length > source.size:
        found.warn("the ICC profile is not there")
    else:
        found.icc = essence(lambda at, count: source.read_at(start + offset + at, count), length)
