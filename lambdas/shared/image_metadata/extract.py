"""`extract`: from a file's bytes to the record's fields.

Which block a field is taken from is listed in docs/extractor.md and stands here in the order of the calls.
"""

from __future__ import annotations

from typing import Any, BinaryIO

from . import formats, limits
from .blocks.exif import read_exif
from .blocks.icc import description
from .blocks.iptc import read_iptc
from .blocks.text import loose_date
from .blocks.xmp import read_xmp
from .errors import BudgetExceeded, CorruptImage, ImageTooLarge, UnsupportedImage
from .formats import pillow
from .model import Description, Found, ImageMetadata, Moment
from .reader import FileReader, Reader

#: Formats whose container states the turn; their EXIF orientation is to be ignored (HEIF, ISO 23008-12 6.5.10).
_OWN_ORIENTATION = frozenset(("AVIF", "HEIF", "HEIC", "JXL", "JPEGXL"))
#: The sources of the date, the first one that states it counts: when the picture was taken, when it was made.
_TAKEN = (
    "EXIF DateTimeOriginal",
    "XMP exif:DateTimeOriginal",
    "XMP photoshop:DateCreated",
    "IPTC DateCreated",
)
_MADE = (
    "EXIF DateTimeDigitized", "XMP exif:DateTimeDigitized", "XMP xmp:CreateDate", "IPTC DigitalCreationDate",
    "PNG Creation Time",
)  # fmt: skip
#: What a block states that a file does not have.
_NOTHING = Description()


def extract(source: Reader | BinaryIO) -> ImageMetadata:
    """The metadata of one image.

    `source` is a `Reader` or any seekable binary file. A bad image gives a record whose `status` says so;
    only `SourceError` (the bytes cannot be fetched) is raised.
    """
    reader: Reader = FileReader(source) if hasattr(source, "seek") else source  # type: ignore[arg-type]
    found = Found()
    status, error = "ok", None
    try:
        found = _read(reader, found)
        _check_size(found)
    except UnsupportedImage as problem:
        return ImageMetadata(
            status="unsupported", error=str(problem), warnings=found.warnings[: limits.MAX_WARNINGS]
        )
    except ImageTooLarge as problem:
        status, error = "too_large", str(problem)
    except CorruptImage as problem:
        status, error = "corrupt", str(problem)
    except BudgetExceeded as problem:
        if found.width is None or found.height is None:
            status, error = "corrupt", f"the size was not found: {problem}"
        else:
            found.warn(str(problem))
    return assemble(found, status, error)


def _read(reader: Reader, found: Found) -> Found:
    """Fill `found`; it is another one that is filled where the image starts behind other bytes."""
    if reader.size == 0:
        raise UnsupportedImage("the file is empty")
    module = formats.reader_for(reader)
    if module is not None:
        module.read(reader, found)
    elif not pillow.read(reader, found):
        behind = formats.read_behind_garbage(reader)
        if behind is not None:
            return behind
        formats.read_without_signature(reader, found)
    return found


def _check_size(found: Found) -> None:
    width, height = found.width, found.height
    if width is None or height is None:
        raise CorruptImage("no size is stated")
    if width <= 0 or height <= 0:
        found.width = found.height = None
        raise CorruptImage(f"the size is stated as {width} x {height}")
    if width > limits.MAX_DIMENSION or height > limits.MAX_DIMENSION or width * height > limits.MAX_PIXELS:
        raise ImageTooLarge(f"{width} x {height} pixels are more than the limit")


def assemble(found: Found, status: str = "ok", error: str | None = None) -> ImageMetadata:
    """Parse the metadata blocks that a reader found and choose each field's source."""
    warn = found.warn
    exif = found.exif_block or (read_exif(found.exif, warn) if found.exif else None) or _NOTHING
    xmp = (read_xmp(found.xmp, warn, found.xmp_extended) if found.xmp else None) or _NOTHING
    iptc = (read_iptc(found.iptc, warn) if found.iptc else None) or _NOTHING
    out = ImageMetadata(status, error)
    out.format, out.content_type = found.format, found.content_type
    out.width, out.height = width, height = found.width, found.height
    orientation = found.orientation
    if orientation is None and found.format not in _OWN_ORIENTATION:
        orientation = exif.orientation or xmp.orientation
    out.orientation = orientation
    if width is not None and height is not None:
        shown = found.crop or (width, height)
        turned = orientation is not None and orientation >= 5
        out.display_width, out.display_height = shown[::-1] if turned else shown
    out.color_mode, out.bit_depth, out.has_alpha = found.color_mode, found.bit_depth, found.has_alpha
    if found.icc:
        out.color_profile = description(found.icc, warn)
    out.dpi = exif.dpi or found.dpi or xmp.dpi
    out.frames, out.animated = found.frames, found.animated
    if found.animated:
        out.duration_ms, out.loop = found.duration_ms, found.loop
    if exif is not _NOTHING or xmp is not _NOTHING or iptc is not _NOTHING or found.text:
        _describe(out, exif, xmp, iptc, found.text)
    if status == "ok":
        out.has_gps = out.gps is not None
    out.warnings = found.warnings[: limits.MAX_WARNINGS]
    return out


def _describe(
    out: ImageMetadata, exif: Description, xmp: Description, iptc: Description, text: dict[str, str]
) -> None:
    """The fields that the metadata blocks alone state."""
    _dates(out, exif, xmp, iptc, text)
    out.camera = _camera(exif, xmp)
    out.exposure = {**(xmp.exposure or {}), **(exif.exposure or {})} or None
    out.gps = exif.gps or xmp.gps or None
    get = text.get
    out.title = _clip(xmp.title or iptc.title or exif.title or get("Title"))
    out.description = _clip(
        xmp.description or iptc.description or exif.description or get("Description") or get("Comment")
    )
    out.artist = _clip(xmp.artist or iptc.artist or exif.artist or get("Author"))
    out.copyright = _clip(xmp.copyright or iptc.copyright or exif.copyright or get("Copyright"))
    out.software = _clip(exif.software or xmp.software or get("Software"))
    if xmp.keywords or iptc.keywords or exif.keywords:
        words = dict.fromkeys(word[:256] for word in (*xmp.keywords, *iptc.keywords, *exif.keywords))
        out.keywords = list(words)[: limits.MAX_KEYWORDS]
    out.rating = xmp.rating if xmp.rating is not None else exif.rating


def _camera(exif: Description, xmp: Description) -> dict[str, Any] | None:
    told = {
        "make": _clip(exif.make or xmp.make),
        "model": _clip(exif.model or xmp.model),
        "lens": _clip(exif.lens or xmp.lens),
        "serial": _clip(exif.serial or xmp.serial),
    }
    return {name: value for name, value in told.items() if value} or None


def _dates(
    out: ImageMetadata, exif: Description, xmp: Description, iptc: Description, text: dict[str, str]
) -> None:
    """When the picture was taken; failing that, when it was digitized or made."""
    taken = (exif.taken, xmp.taken, xmp.created, iptc.created)
    stated = [(source, moment) for source, moment in zip(_TAKEN, taken, strict=True) if moment is not None]
    if not stated:
        written = loose_date(text.get("Creation Time"))
        made = (exif.digitized, xmp.digitized, xmp.made, iptc.digitized, written)
        stated = [(source, moment) for source, moment in zip(_MADE, made, strict=True) if moment is not None]
    if stated:
        out.taken_at, out.taken_at_offset = _completed([moment for _, moment in stated])
        out.taken_at_source = stated[0][0]


def _completed(moments: list[Moment]) -> Moment:
    """The first moment, with the offset and the fraction that another block states for the same second."""
    local, offset = moments[0]
    second = local[:19]
    if len(second) == 19:
        for other in moments[1:]:
            if other.local[:19] == second:
                local = local if len(local) > 19 else other.local
                offset = offset or other.offset
    return Moment(local, offset)


def _clip(text: str | None) -> str | None:
    if text is None:
        return None
    return text.strip().replace("\0", "")[: limits.MAX_TEXT] or None
