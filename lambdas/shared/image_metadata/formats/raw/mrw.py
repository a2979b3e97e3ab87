"""Minolta MRW: a header of named blocks, one of them with the sizes, one a TIFF stream with EXIF."""

from __future__ import annotations

from ...blocks.exif import read_exif
from ...errors import BudgetExceeded, CorruptImage
from ...model import FileType, Found
from ...reader import Reader, WindowReader
from ..cursors import Fields, Truncated

#: Blocks looked at; real files hold five.
MAX_BLOCKS = 64

MRW = FileType("MRW", "image/x-minolta-mrw", "mrw")
TYPES = (MRW,)
_ORDERS = {b"\0MRM": "big", b"\0MRI": "little"}


def matches(head: bytes, _: Reader) -> bool:
    """Whether the file starts with Minolta's signature, of either byte order."""
    return head[:4] in _ORDERS


def read(source: Reader, found: Found) -> None:
    """Fill `found` from an MRW file. Raises `CorruptImage` when the block of sizes is missing."""
    found.be(MRW)
    found.frames, found.animated, found.has_alpha = 1, False, False
    order = _ORDERS[source.read_at(0, 4)]
    end = 8 + int.from_bytes(source.read_at(4, 4), order)  # type: ignore[arg-type]
    position = 8
    for _ in range(MAX_BLOCKS):
        head = source.read_at(position, 8)
        if position >= end or len(head) < 8:
            break
        name, length = head[1:4], int.from_bytes(head[4:], order)  # type: ignore[arg-type]
        if name == b"PRD":
            _sizes(source.read_at(position + 8, min(length, 24)), order, found)
        elif name == b"TTW":
            try:
                found.add_exif(read_exif(WindowReader(source, position + 8, length), found.warn))
            except BudgetExceeded as error:
                found.warn(f"MRW: EXIF was not all read: {error}")
        position += 8 + length
    if found.width is None:
        raise CorruptImage("no block states the size of the raw image")


def _sizes(data: bytes, order: str, found: Found) -> None:
    """The size of the picture, not of the sensor, and the depth."""
    fields = Fields(data, 12, order)
    try:
        height, width = fields.u16(), fields.u16()
        fields.skip(1)
        bits = fields.u8()
    except Truncated:
        found.warn("MRW: the block of sizes is cut off")
        return
    if width and height:
        found.width, found.height = width, height
    found.bit_depth = bits if 0 < bits <= 32 else None
