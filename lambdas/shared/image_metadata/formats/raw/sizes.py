"""What TIFF-based raw files state outside the directory of their raster: a size, a depth, the part that is shown."""

from __future__ import annotations

import struct

from ...blocks.ifd import Directory, TiffStream
from ...characters import decode
from ...fields import Description
from ...model import FileType, Found
from .. import jpeg
from ..rasters import BITS, STRIPS, Raster, Rasters, number, raster_of
from .kinds import ARW, CR2, DNG, GPR, IIQ, KDC, SR2, SRF

_EXIF_WIDTH, _EXIF_HEIGHT = 0xA002, 0xA003
_CROP_SIZE, _UNIQUE_MODEL, _SERIAL = 0xC620, 0xC614, 0xC62F
MAKER_NOTE, _CANON_LENS = 0x927C, 0x0095
#: Kinds whose directories may describe previews alone; what EXIF states is then the size of the raw image.
_BY_EXIF = (CR2, IIQ, KDC, ARW, SR2, SRF)
#: Bytes of Phase One's directory that are read, and the tags that are used of it.
MAX_PHASE_ONE_BYTES = 64 * 1024
_PHASE_SIZE, _PHASE_LENS = (0x010C, 0x010D), 0x0412


def image_of(kind: FileType, rasters: Rasters) -> Raster | None:
    """The raw image among a raw file's rasters; None where it stands elsewhere, or was not reached."""
    if rasters.sensor is not None:
        return rasters.sensor
    return None if rasters.lost or kind in _BY_EXIF else rasters.full


def complete(
    kind: FileType, tiff: TiffStream, tags: Directory, rasters: Rasters, found: Found, block: Description
) -> None:
    """Add to `found` and its EXIF `block` what a kind states in its own way; `tags` are the block's."""
    if kind in (DNG, GPR):
        _digital_negative(tiff, tags, found, block)
    elif kind == IIQ:
        _phase_one(tiff, found, block)
    elif kind == CR2 and rasters.canon is not None:
        raster = raster_of(tiff, rasters.canon)
        if raster is not None:
            found.width, found.height = raster.width, raster.height
            found.bit_depth = number(tiff, rasters.canon, BITS)
    if found.width is None and kind in _BY_EXIF:
        width, height = number(tiff, tags, _EXIF_WIDTH), number(tiff, tags, _EXIF_HEIGHT)
        if width and height and width > 0 and height > 0:
            found.width, found.height = width, height
    if kind == CR2:
        block.lens = block.lens or _canon_lens(tiff, tags)
        _canon(tiff, rasters, found)


def _digital_negative(tiff: TiffStream, tags: Directory, found: Found, block: Description) -> None:
    """The part that is shown (DNG 1.7, DefaultCropSize), and the camera where EXIF leaves it open."""
    sides = [
        side[0] / side[1] if isinstance(side, tuple) and side[1] else side
        for side in (tiff.numbers(tags[_CROP_SIZE]) if _CROP_SIZE in tags else ())
    ]
    if len(sides) == 2 and all(isinstance(side, (int, float)) and side >= 1 for side in sides):
        across, down = round(sides[0]), round(sides[1])
        if found.width and found.height and across <= found.width and down <= found.height:
            found.crop = across, down
    block.model = block.model or tiff.text(tags.get(_UNIQUE_MODEL))
    block.serial = block.serial or tiff.text(tags.get(_SERIAL))


def _canon(tiff: TiffStream, rasters: Rasters, found: Found) -> None:
    """Depth, and failing all else the size, from the header of the lossless JPEG that the raw image is."""
    start = number(tiff, rasters.canon, STRIPS) if rasters.canon is not None else None
    frame = jpeg.frame_header(tiff.source, start) if start else None
    if frame is None:
        if found.bit_depth is None:
            found.warn("CR2: the raw image's own header was not found, which states its depth")
        return
    found.bit_depth, height, width, components = frame
    if found.width is None:
        # The samples of a line are dealt out to two or four components.
        found.width, found.height = width * components, height


def _canon_lens(tiff: TiffStream, tags: Directory) -> str | None:
    """The lens by Canon's maker note, a directory of the same stream: older cameras state it there alone."""
    place = tiff.place(tags[MAKER_NOTE]) if MAKER_NOTE in tags else None
    if place is None or not 0 < place[0] < tiff.source.size:
        return None
    return tiff.text(tiff.directory(place[0]).get(_CANON_LENS))


def _phase_one(tiff: TiffStream, found: Found, block: Description) -> None:
    """Phase One's own directory, at byte 8 (its layout is known from ExifTool and LibRaw only)."""
    head = tiff.read_at(8, 12)
    order = "<" if head[:4] == b"IIII" else ">"
    if len(head) < 12:
        return
    at = 8 + struct.unpack_from(order + "I", head, 8)[0]
    count = tiff.read_at(at, 4)
    if len(count) < 4:
        found.warn("IIQ: the raw image's directory lies outside the file")
        return
    rows = tiff.read_at(at + 8, min(16 * struct.unpack(order + "I", count)[0], MAX_PHASE_ONE_BYTES))
    entries = {row[0]: row for row in struct.iter_unpack(order + "4I", rows[: len(rows) // 16 * 16])}
    width, height = (entries[tag][3] if tag in entries else 0 for tag in _PHASE_SIZE)
    if width and height:
        found.width, found.height = width, height
    if _PHASE_LENS in entries and not block.lens:
        length, place = entries[_PHASE_LENS][2:]
        if 4 < length <= 256:
            block.lens = decode(tiff.read_at(8 + place, length))
