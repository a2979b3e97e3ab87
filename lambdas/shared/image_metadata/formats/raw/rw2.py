"""Panasonic RW2, the older RAW, and Leica's RWL: a TIFF stream with a magic number and tags of its own."""

from __future__ import annotations

from ...blocks.exif import XMP_TAG, exif_of
from ...blocks.ifd import Directory, NotTiff, TiffStream
from ...errors import BudgetExceeded, CorruptImage
from ...limits import MAX_XMP
from ...model import FileType, Found
from ...reader import Reader
from ..rasters import number
from .previews import take_blocks

RW2 = FileType("RW2", "image/x-panasonic-rw2", "rw2")
RAW = FileType("RAW", "image/x-panasonic-rw", "raw")
RWL = FileType("RWL", "image/x-leica-rwl", "rwl")
TYPES = (RW2, RAW, RWL)
_WIDTH, _HEIGHT, _TOP, _LEFT, _BOTTOM, _RIGHT, _BITS, PREVIEW = 2, 3, 4, 5, 6, 7, 10, 0x2E
_MAKE = 0x010F
#: Tags that mean something else in the first directory of these files.
_NO_RESOLUTION = (0x011A, 0x011B, 0x0128)
_OLD = b"IIU\0\x08\0\0\0"


def matches(head: bytes, _: Reader) -> bool:
    """Whether the file starts with Panasonic's magic number."""
    return head[:4] == b"IIU\0"


def read(source: Reader, found: Found) -> None:
    """Fill `found` from a Panasonic raw file. Raises `CorruptImage` when the sensor's size is not stated."""
    found.be(RW2)
    found.frames, found.animated, found.has_alpha = 1, False, False
    try:
        tiff = TiffStream(source, found.warn, "RW2")
    except NotTiff as error:
        raise CorruptImage(str(error)) from error
    tags = tiff.directory(tiff.first)
    if source.read_at(0, 8) == _OLD:
        found.be(RAW)
    elif (tiff.text(tags.get(_MAKE)) or "").upper().startswith("LEICA"):
        found.be(RWL)
    _size(tiff, tags, found)
    try:
        preview = tiff.place(tags[PREVIEW]) if PREVIEW in tags else None
        known = {tag: entry for tag, entry in tags.items() if tag not in _NO_RESOLUTION}
        found.add_exif(exif_of(tiff, Directory(known), found.warn))
        if XMP_TAG in tags:
            found.xmp = tiff.raw(tags[XMP_TAG], MAX_XMP) or None
        if preview:
            own = found.xmp
            take_blocks(source, *preview, found)
            found.xmp = own or found.xmp
    except BudgetExceeded as error:
        found.warn(f"{found.format}: some blocks were not read: {error}")
    if found.width is None:
        raise CorruptImage("the directory does not state the sensor's size")


def _size(tiff: TiffStream, tags: Directory, found: Found) -> None:
    """The part of the sensor between its borders; all of it where they are not stated."""
    width, height, top, left, bottom, right, bits = (
        number(tiff, tags, tag) or 0 for tag in (_WIDTH, _HEIGHT, _TOP, _LEFT, _BOTTOM, _RIGHT, _BITS)
    )
    if 0 <= left < right and 0 <= top < bottom:
        width, height = right - left, bottom - top
    if width > 0 and height > 0:
        found.width, found.height = width, height
    found.bit_depth = bits if 0 < bits <= 32 else None
