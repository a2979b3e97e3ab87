"""`extract`: from a file's bytes to the record's fields.

fields.py lists the blocks that a field is taken from; what the container states is dealt with here.
"""

from __future__ import annotations

import math
import os
from typing import Any, BinaryIO

from . import formats, limits
from .blocks.exif import read_exif
from .blocks.icc import description
from .blocks.iptc import read_iptc
from .blocks.text import read_texts
from .blocks.xmp import read_xmp
from .characters import clean
from .errors import BudgetExceeded, CorruptImage, ImageTooLarge, UnsupportedImage
from .fields import FIELDS, BlockName, Description, Kind, Moment, Position, Source
from .formats import pillow
from .model import Found, ImageMetadata
from .reader import FileReader, PathReader, Reader

#: Formats whose container states the turn; their EXIF orientation is to be ignored (HEIF, ISO 23008-12 6.5.10).
_OWN_ORIENTATION = frozenset(("AVIF", "HEIF", "HEIC", "JXL", "JPEGXL"))
#: Field, block and source of the dates: when the picture was taken, and what stands in, when it became a file.
_DATES = [
    (name, *stated)
    for name in ("taken", "created", "digitized", "made")
    for stated in FIELDS[name].blocks.items()
]
#: The blocks that state keywords.
_KEYWORDS = tuple(FIELDS["keywords"].blocks)
#: Characters of a date alone, and of one to the second.
_DAY, _SECOND = 10, 19
#: Degrees within which two sources mean the same place, if one of them is rounded to minutes.
_SAME_PLACE = 0.01
#: Block -> field -> how many blocks count before it for this field; all of them count for dates and keywords.
_RANKS: dict[BlockName, dict[str, int]] = {}
for _field in FIELDS.values():
    if _field.kind not in (Kind.MOMENT, Kind.WORDS):
        for _rank, _block in enumerate(_field.blocks):
            _RANKS.setdefault(_block, {})[_field.name] = _rank
#: Fields that go into the record as they were chosen, those with a rule of their own aside; and its groups' members.
_PLAIN = [
    name
    for name, field in FIELDS.items()
    if field.within is None
    and name in ImageMetadata.__dataclass_fields__
    and name not in ("orientation", "dpi", "keywords")
]
_GROUPS = {
    group: [name for name, field in FIELDS.items() if field.within == group]
    for group in ("camera", "exposure")
}

_Blocks = dict[BlockName, Description]


def extract(source: Reader | BinaryIO | str | os.PathLike[str]) -> ImageMetadata:
    """The metadata of one image.

    `source` is a `Reader`, any seekable binary file, or the path of a file. A bad image gives a record whose `status`
    says so; only `SourceError` (the bytes cannot be fetched) is raised, and what `open` raises for a path.
    """
    if hasattr(source, "seek"):
        return _extract(FileReader(source))  # type: ignore[arg-type]
    if hasattr(source, "read_at"):
        return _extract(source)  # type: ignore[arg-type]
    if isinstance(source, bytes):
        raise TypeError("bytes are no path; for an image in memory: extract(io.BytesIO(data))")
    reader = PathReader(source)
    try:
        return _extract(reader)
    finally:
        reader.close()


def _extract(reader: Reader) -> ImageMetadata:
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
        if found.sizeless:
            return
        raise CorruptImage("no size is stated")
    if width <= 0 or height <= 0:
        found.width = found.height = None
        raise CorruptImage(f"the size is stated as {width} x {height}")
    if width > limits.MAX_DIMENSION or height > limits.MAX_DIMENSION or width * height > limits.MAX_PIXELS:
        raise ImageTooLarge(f"{width} x {height} pixels are more than the limit")


def assemble(found: Found, status: str = "ok", error: str | None = None) -> ImageMetadata:
    """Parse the metadata blocks that a reader found and choose each field's source."""
    blocks = _read_blocks(found)
    chosen = _chosen(blocks)
    out = ImageMetadata(status=status, error=error, format=found.format, content_type=found.content_type)
    out.width, out.height = width, height = found.width, found.height
    out.orientation = found.orientation
    if out.orientation is None and found.format not in _OWN_ORIENTATION:
        out.orientation = chosen.get("orientation")
    if width is not None and height is not None:
        shown = found.crop or (width, height)
        turned = out.orientation is not None and out.orientation >= 5
        out.display_width, out.display_height = shown[::-1] if turned else shown
    out.color_mode, out.bit_depth, out.has_alpha = found.color_mode, found.bit_depth, found.has_alpha
    if found.icc:
        out.color_profile = description(found.icc, found.warn)
    # What editors copy into XMP is often of another file: the container's own value outranks it.
    exif = blocks.get("EXIF")
    out.dpi = (exif.dpi if exif else None) or found.dpi or chosen.get("dpi")
    out.frames, out.animated = found.frames, found.animated
    if found.animated:
        out.duration_ms, out.loop = found.duration_ms, found.loop
    if blocks:
        _describe(out, chosen)
        _collect_keywords(out, blocks)
        _date(out, blocks)
        if out.taken_at_source:
            out.taken_at_source = out.taken_at_source.replace("EXIF", found.exif_name)
    if status == "ok" or out.gps is not None:
        out.has_gps = out.gps is not None
    out.warnings = found.warnings[: limits.MAX_WARNINGS]
    return out


def _read_blocks(found: Found) -> _Blocks:
    """What each metadata block states that the file has."""
    blocks: _Blocks = {}
    stated = [
        parsed
        for block in found.exif
        if (parsed := read_exif(block, found.warn) if isinstance(block, bytes) else block) is not None
    ]
    if stated:
        blocks["EXIF"] = first = stated[0]
        for block in stated[1:]:
            first.gps = _settled(first.gps, block.gps)
            first.fill(block)
    if found.xmp and (packet := read_xmp(found.xmp, found.warn, found.xmp_extended)) is not None:
        blocks["XMP"] = packet
    if found.iptc:
        blocks["IPTC"] = read_iptc(found.iptc, found.warn)
    if found.text:
        blocks["PNG"] = read_texts(found.text)
    return blocks


def _chosen(blocks: _Blocks) -> dict[str, Any]:
    """Of every field that is stated the value of the first block that counts for it."""
    chosen: dict[str, Any] = {}
    rank: dict[str, int] = {}
    for block, stated in blocks.items():
        ranks = _RANKS[block]
        for name, value in vars(stated).items():
            if value is not None and name in ranks and (name not in rank or ranks[name] < rank[name]):
                chosen[name], rank[name] = value, ranks[name]
    if "gps" in chosen:
        for stated in blocks.values():
            chosen["gps"] = _settled(chosen["gps"], stated.gps)
    if "remark" in chosen:
        chosen.setdefault("description", chosen["remark"])
    return chosen


def _settled(place: Position | None, other: Position | None) -> Position | None:
    """The position, on the halves of the Earth that another source states for the same degrees."""
    if not place or not other or not place.get("unsigned") or other.get("unsigned"):
        return place
    north, east = other["latitude"], other["longitude"]
    if max(abs(place["latitude"] - abs(north)), abs(place["longitude"] - abs(east))) > _SAME_PLACE:
        return place
    settled = place | Position(
        latitude=math.copysign(place["latitude"], north) + 0.0,
        longitude=math.copysign(place["longitude"], east) + 0.0,
    )
    settled.pop("unsigned")
    return settled


def _describe(out: ImageMetadata, chosen: dict[str, Any]) -> None:
    """The fields that the metadata blocks alone state."""
    longest = limits.MAX_TEXT
    for name, value in chosen.items():
        if isinstance(value, str) and len(value) > longest:
            chosen[name] = value[:longest]
    for name in _PLAIN:
        if name in chosen:
            setattr(out, name, chosen[name])
    for group, names in _GROUPS.items():
        setattr(out, group, {name: chosen[name] for name in names if name in chosen} or None)


def _collect_keywords(out: ImageMetadata, blocks: _Blocks) -> None:
    stated = [word for name in _KEYWORDS if name in blocks for word in blocks[name].keywords]
    if stated:
        words = filter(None, map(clean, stated))
        out.keywords = list(dict.fromkeys(word[:256] for word in words))[: limits.MAX_KEYWORDS]


def _date(out: ImageMetadata, blocks: _Blocks) -> None:
    """When the picture was taken; failing that, when it was digitized or made."""
    stated: list[tuple[Moment, Source]] = []
    for name, block, source in _DATES:
        if block in blocks:
            moment = getattr(blocks[block], name)
            if moment is not None:
                stated.append((moment, source))
    if not stated:
        return
    chosen, source = stated[0]
    if len(chosen.local) == _DAY:
        # A date alone gives way to what states the time of the day as well.
        same_day = (each for each in stated if each[0].local.startswith(f"{chosen.local}T"))
        chosen, source = next(same_day, stated[0])
    moments = [moment for moment, _ in stated]
    moments += [block.changed for block in blocks.values() if block.changed is not None]
    out.taken_at, out.taken_at_offset = _completed(chosen, moments)
    out.taken_at_source = str(source)


def _completed(chosen: Moment, moments: list[Moment]) -> Moment:
    """The chosen moment, with the offset and the fraction that others state for the very same second."""
    local, offset = chosen
    second = local[:_SECOND]
    if len(second) == _SECOND:
        for other in moments:
            if other.local[:_SECOND] == second:
                local = local if len(local) > _SECOND else other.local
                offset = offset or other.offset
    return Moment(local, offset)
