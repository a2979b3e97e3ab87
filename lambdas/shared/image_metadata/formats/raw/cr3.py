"""Canon CR3: the boxes of a movie (ISO/IEC 14496-12); the raw image is a track, EXIF stands in a box of Canon's own.

Canon publishes nothing; the layout is known from Laurent Clévy's description, ExifTool and LibRaw.
"""

from __future__ import annotations

import struct

from ...blocks.exif import GPS_IFD, exif_of
from ...blocks.ifd import LONG, Directory, NotTiff, TiffStream
from ...errors import BudgetExceeded, CorruptImage, UnsupportedImage
from ...limits import MAX_XMP
from ...model import FileType, Found
from ...reader import Reader, WindowReader
from ..boxes import BadBox, Box, walk
from ..cursors import Fields, Truncated
from ..rasters import HEIGHT, WIDTH, number

#: Bytes of `moov` fetched in one go, so that its boxes cost no request each.
PREFETCH_BYTES = 1 << 18
#: Bytes of a track's sample description that are read.
MAX_ENTRY_BYTES = 4096

CR3 = FileType("CR3", "image/x-canon-cr3", "cr3")
TYPES = (CR3,)
_CANON = bytes.fromhex("85c0b687820f11e08111f4ce462b6a48")
_XMP = bytes.fromhex("be7acfcb97a942e89c71999491e3afac")
_TRACK = (b"mdia", b"minf", b"stbl")


def matches(head: bytes, _: Reader) -> bool:
    """Whether the file starts with an `ftyp` box of Canon's raw brand."""
    return head[4:12] == b"ftypcrx "


def read(source: Reader, found: Found) -> None:
    """Fill `found` from a CR3 file. Raises `CorruptImage` when no size is stated, `UnsupportedImage` for a movie."""
    found.be(CR3)
    found.frames, found.animated, found.has_alpha = 1, False, False
    tracks: list[tuple[int, int, int, int]] = []
    try:
        for box in walk(source, 0, source.size):
            if box.kind == b"moov":
                _movie(source, box, found, tracks)
            elif box.kind == b"uuid" and box.uuid == _XMP and box.size <= MAX_XMP:
                found.xmp = source.read_at(box.start, box.size) or None
            if box.kind == b"mdat" or (tracks and found.xmp):
                break
    except (BadBox, Truncated) as error:
        found.warn(f"CR3: {error}")
    except BudgetExceeded as error:
        found.warn(f"CR3: some boxes were not read: {error}")
    if tracks:
        # The largest track is the raw image; the others are previews.
        width, height, depth, samples = max(tracks)
        found.bit_depth, found.frames = depth or None, max(1, samples)
        if found.width is None:
            found.width, found.height = width, height
    if found.width is None:
        raise CorruptImage("neither EXIF nor a track states the size of the raw image")


def _movie(source: Reader, movie: Box, found: Found, tracks: list[tuple[int, int, int, int]]) -> None:
    """Canon's box and the tracks."""
    source.read_at(movie.start, min(movie.size, PREFETCH_BYTES))
    for box in walk(source, movie.start, movie.end):
        if box.kind == b"uuid" and box.uuid == _CANON:
            for part in walk(source, box.start, box.end):
                if part.kind == b"CNCV" and source.read_at(part.start, 8) == b"CanonCRM":
                    raise UnsupportedImage("a movie in Canon's raw format")
                if part.kind in (b"CMT1", b"CMT2", b"CMT4"):
                    _exif(source, part, found)
        elif box.kind == b"trak":
            track = _track(source, box)
            if track is not None:
                tracks.append(track)


def _exif(source: Reader, part: Box, found: Found) -> None:
    """One of EXIF's directories (main, EXIF, GPS), each a TIFF stream of its own."""
    try:
        tiff = TiffStream(WindowReader(source, part.start, part.size), found.warn, "EXIF")
    except NotTiff as error:
        found.warn(f"EXIF: {error}")
        return
    if part.kind == b"CMT4":
        # A BigTIFF's directory can be stated beyond 32 bits, which is outside of the part in any case.
        place = struct.pack(tiff.order + "I", min(tiff.first, 0xFFFFFFFF))
        tags = Directory({GPS_IFD: (GPS_IFD, LONG, 1, place)})
    else:
        tags = tiff.directory(tiff.first)
    if part.kind == b"CMT1":
        width, height = number(tiff, tags, WIDTH), number(tiff, tags, HEIGHT)
        if width and height and width > 0 and height > 0:
            found.width, found.height = width, height
    found.add_exif(exif_of(tiff, tags, found.warn))


def _track(source: Reader, track: Box) -> tuple[int, int, int, int] | None:
    """Width, height, depth (0: not stated) and number of samples of a track of raw images; None for any other."""
    box: Box | None = track
    for kind in _TRACK:
        box = (
            next((child for child in walk(source, box.start, box.end) if child.kind == kind), None)
            if box
            else None
        )
    if box is None:
        return None
    tables = {child.kind: child for child in walk(source, box.start, box.end)}
    if b"stsd" not in tables:
        return None
    entry = source.read_at(tables[b"stsd"].start, min(tables[b"stsd"].size, MAX_ENTRY_BYTES))
    counts = Fields(source.read_at(tables[b"stsz"].start, 12), 8) if b"stsz" in tables else None
    samples = counts.u32() if counts and counts.left >= 4 else 1
    header, raw = entry.find(b"CMP1"), entry.find(b"CRAW")
    if header >= 0:
        fields = Fields(entry, header + 12)
        width, height = fields.u32(), fields.u32()
        fields.skip(8)
        return width, height, fields.u8(), samples
    if raw >= 0 and b"JPEG" not in entry:
        fields = Fields(entry, raw + 28)
        return fields.u16(), fields.u16(), 0, samples
    return None
