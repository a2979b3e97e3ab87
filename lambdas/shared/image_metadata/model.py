"""What a reader finds in a file, and the typed result the package returns.

Unknown is `None` everywhere: no -1, no empty string, no "unknown".
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, NamedTuple, get_type_hints

from . import limits
from .fields import FIELDS, Description, Position
from .versions import EXTRACTOR_VERSION

_EXIF = b"Exif\0\0"


class FileType(NamedTuple):
    """What a kind of file is called."""

    format: str  # Pillow's names: JPEG, MPO, PNG, GIF, WEBP, AVIF, HEIF, TIFF, BMP, ...
    media_type: str | None  # IANA's, else the one in use; None where there is none
    extension: str  # of a file's name, without a dot


@dataclass
class Found:
    """What one container reader collects while it walks a file.

    A reader sets what the container itself states and hands the metadata blocks over as raw bytes;
    `extract` parses those blocks once, for every format alike.
    """

    format: str | None = None  # a FileType's, as the next
    content_type: str | None = None
    width: int | None = None  # pixels as stored
    height: int | None = None
    sizeless: bool = False  # whether the picture has no size of its own (SVG)
    bit_depth: int | None = None  # bits per channel
    color_mode: str | None = None  # Pillow's mode names: 1, L, LA, P, RGB, RGBA, CMYK, YCbCr, LAB, I;16, F
    has_alpha: bool | None = None
    frames: int | None = None
    animated: bool | None = None
    duration_ms: int | None = None  # one pass through the animation
    loop: int | None = None  # 0: for ever
    dpi: tuple[float, float] | None = None
    orientation: int | None = None  # of the container (irot/imir, TIFF tag 274): outranks the EXIF block
    crop: tuple[int, int] | None = None  # the shown part (HEIF clean aperture), before orientation
    # TIFF streams without "Exif\0\0", or what they state where they were read in place: the first, and those that fill
    # its gaps.
    exif: list[bytes | Description] = field(default_factory=list)
    xmp: bytes | None = None  # the packet
    xmp_extended: bytes | None = None  # a second packet that continues the first (JPEG)
    iptc: bytes | None = None  # IIM data sets
    icc: bytes | None = None  # the profile
    exif_name: str = "EXIF"  # of what states the same in a format that is older than EXIF, or has none
    text: dict[str, str] = field(default_factory=dict)  # PNG text chunks, comments: keyword -> text
    warnings: list[str] = field(default_factory=list)
    inflated: int = 0  # bytes that compressed blocks came to so far (limits.MAX_INFLATED_TOTAL)

    def be(self, kind: FileType) -> None:
        """Name the kind of file."""
        self.format, self.content_type = kind.format, kind.media_type

    def add_exif(self, block: bytes | Description | None) -> None:
        """Keep an EXIF block, the first or a further one."""
        if isinstance(block, bytes):
            at = 0
            while block.startswith(_EXIF, at):
                at += len(_EXIF)
            block = block[at:]
        if block and len(self.exif) < limits.MAX_EXIF_BLOCKS:
            self.exif.append(block)

    def warn(self, message: str) -> None:
        """Note damage that cost one block or field; the same message is kept once."""
        if message not in self.warnings:
            self.warnings.append(message)


@dataclass
class ImageMetadata:
    """The metadata of one image; `None` is unknown. The fields are those of the record (README), in its order."""

    status: str = "ok"  # ok | unsupported | corrupt | too_large
    error: str | None = None
    format: str | None = None
    content_type: str | None = None
    width: int | None = None
    height: int | None = None
    orientation: int | None = None
    display_width: int | None = None
    display_height: int | None = None
    color_mode: str | None = None
    bit_depth: int | None = None
    has_alpha: bool | None = None
    color_profile: str | None = None
    dpi: tuple[float, float] | None = None
    frames: int | None = None
    animated: bool | None = None
    duration_ms: int | None = None
    loop: int | None = None
    taken_at: str | None = None
    taken_at_offset: str | None = None
    taken_at_source: str | None = None
    camera: dict[str, Any] | None = None
    exposure: dict[str, Any] | None = None
    gps: Position | None = None
    has_gps: bool | None = None
    title: str | None = None
    description: str | None = None
    artist: str | None = None
    copyright: str | None = None
    keywords: list[str] = field(default_factory=list)
    rating: int | None = None
    software: str | None = None
    warnings: list[str] = field(default_factory=list)
    extractor_version: int = EXTRACTOR_VERSION

    def to_dict(self) -> dict[str, Any]:
        """The record's fields as JSON types; what is unknown or empty is absent."""
        # None, which most are, is sorted out by the cheapest of the tests.
        out = {
            name: value for name, value in vars(self).items() if value is not None and (value or value == 0)
        }
        if self.dpi is not None:
            out["dpi"] = list(self.dpi)
        return out


def record_fields() -> dict[str, Any]:
    """Every field that `to_dict` may hold, a group's members by dotted names (`camera.make`): name -> type."""
    stated = get_type_hints(Description)
    found: dict[str, Any] = {}
    for name, hint in get_type_hints(ImageMetadata).items():
        members = {each.name: stated[each.name] for each in FIELDS.values() if each.within == name}
        if name == "gps":
            members = get_type_hints(Position)
        found |= {f"{name}.{member}": stated for member, stated in members.items()} or {name: hint}
    return found
