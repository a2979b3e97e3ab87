"""TIFF and BigTIFF (TIFF 6.0; TechNote 2): the directories, and the metadata blocks they point to."""

from __future__ import annotations

from typing import Any

from .. import limits
from ..blocks.exif import ICC_TAG, IPTC_TAG, PHOTOSHOP_TAG, XMP_TAG, exif_of
from ..blocks.icc import essence
from ..blocks.ifd import Directory, NotTiff, TiffStream
from ..blocks.photoshop import read_resources
from ..errors import BudgetExceeded, CorruptImage
from ..model import FileType, Found
from ..reader import RangeReader, Reader, WindowReader

TIFF = FileType("TIFF", "image/tiff", "tif")
TYPES = (TIFF,)

_WIDTH, _HEIGHT, _BITS, _COMPRESSION, _PHOTOMETRIC = 0x0100, 0x0101, 0x0102, 0x0103, 0x0106
_SAMPLES, _EXTRA, _SAMPLE_FORMAT, _SUBFILE, _SUB_IFDS = 0x0115, 0x0152, 0x0153, 0x00FE, 0x014A
_EXIF_IFD, _GPS_IFD = 0x8769, 0x8825
_BLOCKS = (XMP_TAG, IPTC_TAG, PHOTOSHOP_TAG)


def matches(head: bytes, _: Reader) -> bool:
    """Whether the file starts as a TIFF, a BigTIFF, or a raw file of their family."""
    return head[:4] in (b"II*\0", b"MM\0*", b"II+\0", b"MM\0+")


def read(source: Reader, found: Found) -> None:
    """Read the first directory, its blocks, and count the pages; raises `CorruptImage` without a size."""
    found.be(TIFF)
    try:
        tiff = TiffStream(source, found.warn, "TIFF")
    except NotTiff as error:
        raise CorruptImage(str(error)) from error
    main = tiff.directory(tiff.first)
    _raster(tiff, main, found)
    if found.width is None or found.height is None:
        _from_sub_images(tiff, main, found)
    if found.width is None or found.height is None:
        raise CorruptImage("the first directory states no size")
    try:
        _prefetch(source, tiff, main)
        found.exif_block = exif_of(tiff, Directory(main), found.warn)
        _blocks(tiff, main, found)
        _pages(tiff, main, found)
    except BudgetExceeded as error:
        found.warn(f"TIFF: some directories were not read: {error}")


def _prefetch(source: Reader, tiff: TiffStream, main: Directory) -> None:
    """Ask for everything the record needs and the first directory points to, in as few requests as possible."""
    if not isinstance(source, (RangeReader, WindowReader)):
        return
    ranges = []
    for tag, entry in main.items():
        place = tiff.place(entry)
        if place and tag == ICC_TAG:
            ranges.append((place[0], min(place[1], limits.MIN_FETCH)))
        elif place and (place[1] <= 1024 or (tag in _BLOCKS and place[1] <= limits.MAX_IPTC)):
            ranges.append(place)
    for tag in (_EXIF_IFD, _GPS_IFD):
        offset = tiff.number(main.get(tag))
        if isinstance(offset, int):
            ranges.append((offset, limits.MIN_FETCH))
    if main.next:
        ranges.append((main.next, 512))
    source.prefetch(ranges)


def _number(tiff: TiffStream, directory: Directory, tag: int) -> int | None:
    value: Any = tiff.number(directory.get(tag))
    return value if isinstance(value, int) else None


def _raster(tiff: TiffStream, main: Directory, found: Found) -> None:
    found.width = _number(tiff, main, _WIDTH)
    found.height = _number(tiff, main, _HEIGHT)
    bits = tiff.numbers(main[_BITS]) if _BITS in main else ()
    samples = _number(tiff, main, _SAMPLES) or len(bits) or 1
    depth = bits[0] if bits and isinstance(bits[0], int) else 1
    found.bit_depth = depth if 0 < depth <= 64 else None
    photometric = _number(tiff, main, _PHOTOMETRIC)
    formats = tiff.numbers(main[_SAMPLE_FORMAT]) if _SAMPLE_FORMAT in main else ()
    extra = tiff.numbers(main[_EXTRA]) if _EXTRA in main else ()
    alpha = any(kind in (1, 2) for kind in extra)
    found.has_alpha = alpha
    found.color_mode = _mode(photometric, depth, samples, formats[0] if formats else 1, alpha)


def _mode(photometric: int | None, depth: int, samples: int, sample_format: int, alpha: bool) -> str | None:
    if photometric in (0, 1):
        if samples == 1 or (not alpha and samples < 3):
            if sample_format == 3:
                return "F"
            if depth == 1:
                return "1"
            return "L" if depth <= 8 else "I;16" if depth <= 16 else "I"
        return "LA" if alpha else "L"
    if photometric == 2:
        return "RGBA" if alpha else "RGB"
    if photometric == 3:
        return "PA" if alpha else "P"
    if photometric == 4:
        return "1"
    return {5: "CMYK", 6: "YCbCr", 8: "LAB", 9: "LAB", 10: "LAB"}.get(photometric or -1)


def _from_sub_images(tiff: TiffStream, main: Directory, found: Found) -> None:
    """Raw files whose first directory is a bare frame: the size stands in a sub-directory or a later one."""
    offsets = list(tiff.numbers(main[_SUB_IFDS]))[:8] if _SUB_IFDS in main else []
    if main.next:
        offsets.append(main.next)
    for offset in offsets:
        if isinstance(offset, int):
            directory = tiff.directory(offset)
            if _WIDTH in directory and _HEIGHT in directory:
                _raster(tiff, directory, found)
                return


def _blocks(tiff: TiffStream, main: Directory, found: Found) -> None:
    found.xmp = _block(tiff, main, XMP_TAG, limits.MAX_XMP, "XMP", found)
    found.icc = _profile(tiff, main)
    iptc = _block(tiff, main, IPTC_TAG, limits.MAX_IPTC, "IPTC", found)
    if iptc:
        if iptc[:1] != b"\x1c" and iptc[3:4] == b"\x1c" and iptc[:1] != b"8":
            # Written as LONGs in the other byte order.
            iptc = b"".join(iptc[at : at + 4][::-1] for at in range(0, len(iptc), 4))
        found.iptc = iptc
    resources = _block(tiff, main, PHOTOSHOP_TAG, limits.MAX_IPTC, "Photoshop", found)
    if resources:
        read_resources(resources, found)


def _profile(tiff: TiffStream, main: Directory) -> bytes | None:
    entry = main.get(ICC_TAG)
    place = tiff.place(entry) if entry else None
    if place is None:
        return None
    window = WindowReader(tiff.source, *place)
    return essence(window.read_at, window.size) or None


def _block(tiff: TiffStream, main: Directory, tag: int, limit: int, name: str, found: Found) -> bytes | None:
    entry = main.get(tag)
    if entry is None:
        return None
    place = tiff.place(entry)
    if place and place[1] > limit:
        found.warn(f"{name}: the block is larger than is read")
        return None
    return tiff.raw(entry, limit) or None


def _pages(tiff: TiffStream, main: Directory, found: Found) -> None:
    """Count the pages: directories in the chain that are no reduced copy of another (NewSubfileType bit 0)."""
    found.frames, found.animated = None, False
    count = 1
    seen = {tiff.first}
    offset = main.next
    while offset and offset not in seen:
        if len(seen) >= limits.MAX_IFDS:
            found.warn("TIFF: more directories than are read")
            return
        seen.add(offset)
        page = _step(tiff, offset)
        if page is None:
            break
        following, counted = page
        count += counted
        offset = following
    found.frames = count


def _step(tiff: TiffStream, offset: int) -> tuple[int, bool] | None:
    """(next directory, whether this one is a page); None outside the file."""
    if not 0 < offset < tiff.source.size - 2:
        return None
    directory = tiff.directory(offset)
    if not directory:
        return None
    return directory.next, True
