"""PC Paintbrush (ZSoft PCX File Format Technical Reference Manual): a header of 128 bytes, a palette at the end."""

from __future__ import annotations

from ..errors import CorruptImage
from ..model import FileType, Found
from ..reader import Reader
from .cursors import Fields, Truncated

PCX = FileType("PCX", "image/vnd.zbrush.pcx", "pcx")
TYPES = (PCX,)

_VERSIONS = (0, 2, 3, 4, 5)
_DEPTHS = (1, 2, 4, 8)
_PALETTE = 1 + 256 * 3


def matches(head: bytes, source: Reader) -> bool:
    """Whether manufacturer, version, encoding and depth are PCX's, and the window is not empty."""
    if len(head) < 12 or head[0] != 0x0A or head[1] not in _VERSIONS or head[2] not in (0, 1):
        return False
    if head[3] not in _DEPTHS:
        return False
    if len(head) < 64:
        return source.size < 64
    left, top, right, bottom = (int.from_bytes(head[i : i + 2], "little") for i in range(4, 12, 2))
    return right >= left and bottom >= top


def read(source: Reader, found: Found) -> None:
    """Fill `found` from a PCX file. Raises `CorruptImage` when the window is cut off."""
    found.be(PCX)
    found.frames, found.animated = 1, False
    fields = Fields(source.read_at(0, 128), 3, "little")
    try:
        bits = fields.u8()
        left, top, right, bottom = (fields.u16() for _ in range(4))
    except Truncated as error:
        raise CorruptImage(f"the PCX header is cut short: {error}") from error
    found.width, found.height = right - left + 1, bottom - top + 1
    if found.width <= 0 or found.height <= 0:
        raise CorruptImage(f"the PCX header states a size of {found.width} x {found.height}")
    try:
        across, down = fields.u16(), fields.u16()
        if across and down and (across, down) not in ((found.width, found.height), (right, bottom)):
            found.dpi = (float(across), float(down))
        fields.skip(49)
        planes = fields.u8()
    except Truncated:
        found.warn("the PCX header is cut short")
        return
    found.has_alpha = False
    if bits == 8 and planes in (3, 4):
        found.bit_depth, found.color_mode = 8, "RGB"
    elif bits * planes <= 8 and planes:
        found.bit_depth = bits * planes
        found.color_mode = "1" if bits * planes == 1 else _indexed_mode(source) if bits == 8 else "P"


def _indexed_mode(source: Reader) -> str:
    """ "L" when the palette at the file's end is a ramp of greys or is not there, else "P"."""
    palette = source.read_at(max(0, source.size - _PALETTE), _PALETTE)
    if len(palette) < _PALETTE or palette[0] != 0x0C:
        return "L"
    return "L" if all(palette[1 + 3 * i : 4 + 3 * i] == bytes((i,)) * 3 for i in range(256)) else "P"
