"""TIFF and BigTIFF (TIFF 6.0; TechNote 2), and the raw files that are TIFF streams: NEF, DNG, CR2, ORF and others.

`rasters` finds the image among the directories, `raw.kinds` names the raw files, `raw.sizes` knows which of them state
the size elsewhere.
"""

from __future__ import annotations

from .. import limits
from ..blocks.exif import EXIF_IFD, GPS_IFD, ICC_TAG, IPTC_TAG, PHOTOSHOP_TAG, XMP_TAG, exif_of
from ..blocks.icc import essence
from ..blocks.ifd import Directory, NotTiff, TiffStream
from ..blocks.photoshop import read_resources
from ..errors import BudgetExceeded, CorruptImage
from ..model import FileType, Found
from ..reader import Reader, WindowReader
from .rasters import BITS, PHOTOMETRIC, STRIPS, SUB_DIRECTORIES, TILES, Raster, Rasters, follow, number
from .raw import kinds
from .raw.sizes import complete, image_of

TIFF = FileType("TIFF", "image/tiff", "tif")
TYPES = (TIFF, *kinds.TYPES)
_SAMPLES, _EXTRA, _SAMPLE_FORMAT = 0x0115, 0x0152, 0x0153
_BLOCKS = (XMP_TAG, IPTC_TAG, PHOTOSHOP_TAG)
_DATA = (STRIPS, TILES, SUB_DIRECTORIES)
_MAGIC = (b"II*\0", b"MM\0*", b"II+\0", b"MM\0+", b"IIRO", b"IIRS", b"MMOR")


def matches(head: bytes, _: Reader) -> bool:
    """Whether the file starts as a TIFF, a BigTIFF, or a raw file of their family."""
    return head[:4] in _MAGIC


def has_data(source: Reader) -> bool:
    """Whether the first directory points at image data, or at sub-directories: a block of metadata does not."""
    try:
        tiff = TiffStream(source, lambda _: None, "TIFF")
    except NotTiff:
        return False
    main = tiff.directory(tiff.first)
    places = [tiff.number(main[tag]) for tag in _DATA if tag in main]
    return any(isinstance(place, int) and 0 < place < source.size for place in places)


def read(source: Reader, found: Found) -> None:
    """Read the directories, the largest full image's raster, and the blocks; raises `CorruptImage` without a size."""
    found.be(TIFF)
    try:
        tiff = TiffStream(source, found.warn, "TIFF")
    except NotTiff as error:
        raise CorruptImage(str(error)) from error
    main = tiff.directory(tiff.first)
    rasters = Rasters()
    try:
        _prefetch(source, tiff, main)
    except BudgetExceeded as error:
        found.warn(f"TIFF: {error}")
    try:
        follow(tiff, main, rasters, found.warn)
    except BudgetExceeded as error:
        found.warn(f"TIFF: some directories were not read: {error}")
    kind = kinds.kind_of(tiff, main, rasters)
    image = image_of(kind, rasters) if kind else _image(tiff, main, rasters)
    tags = main
    if image is not None:
        found.width, found.height = image.width, image.height
        found.frames, found.animated = rasters.frames, False
        _describe(tiff, image.tags, found)
        tags = Directory({**image.tags, **main} if kind else {**main, **image.tags})
    if kind is not None:
        found.be(kind)
        found.frames, found.animated = 1, False
    try:
        block = exif_of(tiff, tags, found.warn)
        found.add_exif(block)
        if kind is not None:
            complete(kind, tiff, tags, rasters, found, block)
        read_blocks(tiff, tags, found)
        found.icc = profile_of(tiff, main if kind or image is None else image.tags)
    except BudgetExceeded as error:
        found.warn(f"TIFF: some blocks were not read: {error}")
    if found.width is None or found.height is None:
        raise CorruptImage(
            "no directory states the size of a full image" if kind else "no directory states a size"
        )


def _image(tiff: TiffStream, main: Directory, rasters: Rasters) -> Raster | None:
    """The image of a file that no mark calls a raw file: where the mark may be cut off, no preview stands for it."""
    if not main.whole:
        return None
    places = filter(None, map(tiff.place, main.values()))
    cut_off = rasters.lost or any(start + length > tiff.source.size for start, length in places)
    return rasters.full if cut_off else rasters.image


def _prefetch(source: Reader, tiff: TiffStream, main: Directory) -> None:
    """Ask for everything the record needs and the first directory points to, in as few requests as possible."""
    ranges = []
    for tag, entry in main.items():
        place = tiff.place(entry)
        if place and tag == ICC_TAG:
            ranges.append((place[0], min(place[1], limits.MIN_FETCH)))
        elif place and (place[1] <= 1024 or (tag in _BLOCKS and place[1] <= limits.MAX_IPTC)):
            ranges.append(place)
    for tag in (EXIF_IFD, GPS_IFD):
        offset = tiff.number(main.get(tag))
        if isinstance(offset, int):
            ranges.append((offset, limits.MIN_FETCH))
    below = tiff.numbers(main[SUB_DIRECTORIES])[: limits.MAX_SUB_IFDS] if SUB_DIRECTORIES in main else ()
    ranges += [(offset, 512) for offset in (main.next, *below) if isinstance(offset, int) and offset > 0]
    source.prefetch(ranges)


def _describe(tiff: TiffStream, tags: Directory, found: Found) -> None:
    """Depth, mode and alpha of a directory's raster."""
    bits = tiff.numbers(tags[BITS]) if BITS in tags else ()
    samples = number(tiff, tags, _SAMPLES) or len(bits) or 1
    photometric = number(tiff, tags, PHOTOMETRIC)
    depth = max((each for each in bits if isinstance(each, int)), default=1)
    found.bit_depth = depth if 0 < depth <= 64 and (bits or photometric in (0, 1, None)) else None
    formats = tiff.numbers(tags[_SAMPLE_FORMAT]) if _SAMPLE_FORMAT in tags else ()
    extra = tiff.numbers(tags[_EXTRA]) if _EXTRA in tags else ()
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
    if photometric == 2 or (photometric == 34892 and samples == 3):
        return "RGBA" if alpha else "RGB"
    if photometric == 3:
        return "PA" if alpha else "P"
    if photometric == 4:
        return "1"
    return {5: "CMYK", 6: "YCbCr", 8: "LAB", 9: "LAB", 10: "LAB"}.get(photometric or -1)


def read_blocks(tiff: TiffStream, main: Directory, found: Found) -> None:
    """XMP, IPTC and Photoshop's resources, as a directory points at them."""
    found.xmp = _block(tiff, main, XMP_TAG, limits.MAX_XMP, "XMP", found)
    iptc = _block(tiff, main, IPTC_TAG, limits.MAX_IPTC, "IPTC", found)
    if iptc:
        if iptc[:1] != b"\x1c" and iptc[3:4] == b"\x1c" and iptc[:1] != b"8":
            # Written as LONGs in the other byte order.
            iptc = b"".join(iptc[at : at + 4][::-1] for at in range(0, len(iptc), 4))
        found.iptc = iptc
    resources = _block(tiff, main, PHOTOSHOP_TAG, limits.MAX_IPTC, "Photoshop", found)
    if resources:
        read_resources(resources, found)


def profile_of(tiff: TiffStream, main: Directory) -> bytes | None:
    """The colour profile that a directory points at, as far as its description needs."""
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
