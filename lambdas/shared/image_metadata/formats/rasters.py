"""The rasters that the directories of a TIFF stream describe, and which of them is the image.

A directory is the image, a further page, a reduced copy of another (thumbnail, preview, pyramid level), or a mask:
NewSubfileType says so, or the older SubfileType (TIFF 6.0 page 36 and 40; DNG 1.7 adds further uses). Raw files keep
the sensor's raster in a sub-directory of the first directory, or further down the chain.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from .. import limits
from ..blocks.ifd import TYPES, Directory, TiffStream

NEW_SUBFILE, OLD_SUBFILE, WIDTH, HEIGHT, BITS, COMPRESSION, PHOTOMETRIC = (
    0xFE,
    0xFF,
    0x100,
    0x101,
    0x102,
    0x103,
    0x106,
)
STRIPS, TILES, SUB_DIRECTORIES, SLICES = 0x111, 0x144, 0x14A, 0xC640
JPEG_FILE = 0x201
#: A page of several: the one bit of NewSubfileType that leaves a directory an image of its own.
_PAGE = 2
_REDUCED = 1
_OLD_REDUCED = 2
#: Photometric interpretations of masks: transparency, depth map, semantic mask.
_MASKS = frozenset((4, 51177, 52527))
#: Colour filter array and linear raw: what a sensor saw.
_SENSOR = frozenset((32803, 34892))
PENTAX = 65535
#: Compressions that one maker's raw files alone have.
SENSOR_COMPRESSIONS = {34713: "NIKON", 32767: "SONY", 32770: "SAMSUNG", PENTAX: "PENTAX", 65000: "KODAK"}


def number(tiff: TiffStream, tags: Directory, tag: int) -> int | None:
    """A tag's first value where it is a whole number."""
    value: Any = tiff.number(tags.get(tag))
    return value if isinstance(value, int) else None


@dataclass(frozen=True, slots=True)
class Raster:
    """One directory that states a size."""

    tags: Directory
    width: int
    height: int
    use: int  # NewSubfileType
    photometric: int | None
    compression: int | None

    @property
    def full(self) -> bool:
        """Whether this is an image of its own, not a reduced copy or a mask."""
        return self.use & ~_PAGE == 0 and self.photometric not in _MASKS

    @property
    def sensor(self) -> bool:
        """Whether this is what a sensor saw."""
        return self.photometric in _SENSOR or self.compression in SENSOR_COMPRESSIONS

    @property
    def area(self) -> int:
        """Pixels."""
        return self.width * self.height


@dataclass(slots=True)
class Rasters:
    """What the directories of one stream describe: of each sort the largest, the first of equals."""

    full: Raster | None = None
    copy: Raster | None = None  # full or reduced
    mask: Raster | None = None
    sensor: Raster | None = None  # one that is no reduced copy where there is any
    pages: int = 0  # full ones of the chain
    lost: int = 0  # sub-directories that could not be read
    counted: bool = False  # whether the chain was followed to its end
    directories: int = 0  # of the chain
    canon: Directory | None = (
        None  # where Canon's raw image stands, which states no size: slices, or the fourth
    )

    @property
    def frames(self) -> int | None:
        """How many pages the file has; None where the chain was not followed to its end."""
        return max(1, self.pages) if self.counted else None

    @property
    def image(self) -> Raster | None:
        """The image of a file that is no raw file."""
        return self.full or self.copy or self.mask

    def add(self, raster: Raster) -> None:
        """Keep a raster where it is the largest of its sort."""
        if raster.photometric in _MASKS:
            self.mask = _larger(self.mask, raster)
            return
        self.copy = _larger(self.copy, raster)
        if raster.full:
            self.full = _larger(self.full, raster)
        if raster.sensor and (self.sensor is None or raster.full >= self.sensor.full):
            newly_full = self.sensor is not None and raster.full > self.sensor.full
            self.sensor = raster if newly_full else _larger(self.sensor, raster)


def _larger(kept: Raster | None, other: Raster) -> Raster:
    return other if kept is None or other.area > kept.area else kept


def raster_of(tiff: TiffStream, tags: Directory) -> Raster | None:
    """The raster that a directory describes; None where it states no size."""
    width, height = number(tiff, tags, WIDTH), number(tiff, tags, HEIGHT)
    if not width or not height or width < 0 or height < 0:
        return None
    use = number(tiff, tags, NEW_SUBFILE)
    if use is None:
        reduced = number(tiff, tags, OLD_SUBFILE) == _OLD_REDUCED or _is_exif_thumbnail(tags)
        use = _REDUCED if reduced else 0
    return Raster(tags, width, height, use, number(tiff, tags, PHOTOMETRIC), number(tiff, tags, COMPRESSION))


def _is_exif_thumbnail(tags: Directory) -> bool:
    """Whether a directory has a JPEG file for its raster (EXIF 4.5.8): an image has strips or tiles (TIFF 6.0)."""
    return JPEG_FILE in tags and STRIPS not in tags and TILES not in tags


def follow(tiff: TiffStream, main: Directory, rasters: Rasters, warn: Callable[[str], None]) -> None:
    """Collect what the first directory, its sub-directories and the chain behind it describe.

    `rasters` is filled as far as the budget reaches. A directory without a size is no page, whatever it is.
    """
    _page(tiff, main, rasters)
    if SUB_DIRECTORIES in main:
        _sub_directories(tiff, main, rasters, warn)
    seen = {tiff.first}
    offset = main.next
    while offset and offset not in seen:
        if len(seen) >= limits.MAX_IFDS:
            warn("TIFF: more directories than are read")
            return
        seen.add(offset)
        tags = tiff.directory(offset) if offset < tiff.source.size else Directory()
        if not _sane(tags) or not tags.whole:
            warn("TIFF: a page's directory is missing or damaged")
            break
        _page(tiff, tags, rasters)
        offset = tags.next
    rasters.counted = True


def _page(tiff: TiffStream, tags: Directory, rasters: Rasters) -> None:
    raster = raster_of(tiff, tags)
    if raster is not None:
        rasters.add(raster)
        rasters.pages += raster.full
    rasters.directories += 1
    if SLICES in tags or (rasters.directories == 4 and rasters.canon is None):
        rasters.canon = tags


def _sane(tags: Directory) -> bool:
    """Whether at least half of the entries have a known type: an offset into anything else leads to noise."""
    return 2 * sum(entry[1] in TYPES for entry in tags.values()) >= max(1, len(tags))


def _sub_directories(
    tiff: TiffStream, main: Directory, rasters: Rasters, warn: Callable[[str], None]
) -> None:
    offsets = tiff.numbers(main[SUB_DIRECTORIES])
    if len(offsets) > limits.MAX_SUB_IFDS:
        warn("TIFF: more sub-directories than are read")
    rasters.lost = max(0, main[SUB_DIRECTORIES][2] - min(len(offsets), limits.MAX_SUB_IFDS))
    for offset in offsets[: limits.MAX_SUB_IFDS]:
        tags = Directory()
        if isinstance(offset, int) and 0 < offset < tiff.source.size:
            tags = tiff.directory(offset)
        if not _sane(tags) or not tags.whole:
            rasters.lost += 1
            continue
        raster = raster_of(tiff, tags)
        if raster is not None:
            rasters.add(raster)
