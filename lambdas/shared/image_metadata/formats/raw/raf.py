"""Fujifilm RAF: a header with the places of a JPEG preview, of a directory of sizes and of the sensor's data.

EXIF stands in the preview. The layout is known from ExifTool and LibRaw; numbers are big-endian.
"""

from __future__ import annotations

from ...blocks.ifd import Directory, NotTiff, TiffStream
from ...errors import BudgetExceeded, CorruptImage
from ...model import FileType, Found
from ...reader import Reader, WindowReader
from ..cursors import Fields, Truncated
from ..rasters import number
from .previews import take_blocks

#: Entries of the directory that are looked at.
MAX_ENTRIES = 255

RAF = FileType("RAF", "image/x-fuji-raf", "raf")
TYPES = (RAF,)
_MAGIC = b"FUJIFILMCCD-RAW "
_PLACES = 84  # of the preview, the directory and the sensor's data, each with its length
_FULL_SIZE, _SHOWN_SIZE, _SIZE = 0x0100, 0x0111, 0x0121
_SUB_DIRECTORY, _WIDTH, _HEIGHT, _BITS = 0xF000, 0xF001, 0xF002, 0xF003


def matches(head: bytes, _: Reader) -> bool:
    """Whether the file starts with Fujifilm's signature."""
    return head.startswith(_MAGIC)


def read(source: Reader, found: Found) -> None:
    """Fill `found` from a RAF file. Raises `CorruptImage` when its directory of sizes cannot be read."""
    found.be(RAF)
    found.frames, found.animated, found.has_alpha = 1, False, False
    fields = Fields(source.read_at(0, _PLACES + 24), _PLACES)
    try:
        preview, preview_length, directory, directory_length, data, data_length = (
            fields.u32() for _ in range(6)
        )
    except Truncated as error:
        raise CorruptImage("the header is cut off") from error
    if preview:
        take_blocks(source, preview, preview_length, found)
    sizes = _sizes(source, directory, directory_length, found) if directory else {}
    try:
        full = _sensor_data(source, data, data_length, found) if data else None
    except BudgetExceeded as error:
        found.warn(f"RAF: the sensor data's directory was not read: {error}")
        full = None
    size = sizes.get(_SHOWN_SIZE) or sizes.get(_FULL_SIZE) or sizes.get(_SIZE) or full
    if size is None:
        raise CorruptImage("no directory states the size of the raw image")
    found.width, found.height = size


def _sizes(source: Reader, start: int, length: int, found: Found) -> dict[int, tuple[int, int]]:
    """Width and height by tag."""
    sizes: dict[int, tuple[int, int]] = {}
    # The sizes come first, white balances and the like after them.
    fields = Fields(source.read_at(start, min(length, 4096)))
    try:
        for _ in range(min(fields.u32(), MAX_ENTRIES)):
            tag, size = fields.u16(), fields.u16()
            value = Fields(fields.take(size))
            if tag in (_FULL_SIZE, _SHOWN_SIZE, _SIZE) and size >= 4:
                height, width = value.u16(), value.u16()
                if width and height:
                    sizes.setdefault(tag, (width, height))
    except Truncated:
        if not sizes:
            found.warn("RAF: the directory of sizes is cut off")
    return sizes


def _sensor_data(source: Reader, start: int, length: int, found: Found) -> tuple[int, int] | None:
    """Depth, and the sensor's size, which newer cameras state in a TIFF stream before the data."""
    try:
        tiff = TiffStream(WindowReader(source, start, length), found.warn, "RAF")
    except NotTiff:
        return None
    place = number(tiff, tiff.directory(tiff.first), _SUB_DIRECTORY)
    tags = tiff.directory(place) if place else Directory()
    bits = number(tiff, tags, _BITS)
    found.bit_depth = bits if bits and 0 < bits <= 32 else None
    width, height = number(tiff, tags, _WIDTH), number(tiff, tags, _HEIGHT)
    return (width, height) if width and height and width > 0 and height > 0 else None
