"""What the items of a `meta` box state (ISO/IEC 23008-12): the primary picture's raster and turn, EXIF, XMP and ICC."""

from __future__ import annotations

import zlib
from collections.abc import Callable
from dataclasses import dataclass

from ... import limits
from ...blocks.exif import read_exif
from ...blocks.xmp import NAME as XMP_NAME
from ...model import Found
from ...reader import Reader, WindowReader
from ..boxes import tiff_stream
from ..cursors import Fields, Truncated, inflate
from .meta import MAX_ITEM_DEPTH, Item, Meta, item_data, segments

#: Bytes of one EXIF item that are read: the directories come first, maker notes and thumbnails after.
MAX_EXIF_BYTES = 1 << 20
#: A larger EXIF item is not read as a whole.
LARGE_EXIF_BYTES = 1 << 16

#: Item types that hold no picture of their own.
DATA_ITEMS = frozenset((b"Exif", b"mime", b"uri "))
#: References that make their source (or, for dimg, their target) a part of another picture.
PART_OF = frozenset((b"thmb", b"auxl"))
ALPHA_URNS = (b"urn:mpeg:mpegB:cicp:systems:auxiliary:alpha", b"urn:mpeg:hevc:2015:auxid:1",
              b"urn:mpeg:avc:2015:auxid:1")  # fmt: skip
XMP_TYPES = (b"application/rdf+xml", b"text/xml", b"application/xml")

# Linear maps (a, b, c, d): (x, y) -> (ax + by, cx + dy), y pointing down, and the EXIF orientation each is.
_IDENTITY = (1, 0, 0, 1)
_QUARTER_LEFT = (0, 1, -1, 0)
_MIRRORS = {0: (1, 0, 0, -1), 1: (-1, 0, 0, 1)}  # imir: 0 swaps top and bottom, 1 left and right
ORIENTATIONS = {
    (1, 0, 0, 1): 1, (-1, 0, 0, 1): 2, (-1, 0, 0, -1): 3, (1, 0, 0, -1): 4,
    (0, 1, 1, 0): 5, (0, -1, 1, 0): 6, (0, -1, -1, 0): 7, (0, 1, -1, 0): 8,
}  # fmt: skip


def describe_primary(source: Reader, meta: Meta, found: Found) -> None:
    """Size, depth, colour, alpha, orientation and number of pictures, from the primary item's properties."""
    item = _primary(meta, found)
    if item is None:
        return
    meta.primary = item
    properties = meta.properties_of(item)
    tiles = _tiles(meta, item)
    size = _size(properties)
    if size is None and meta.items.get(item, Item(b"")).kind == b"grid":
        try:
            size = _grid_size(item_data(source, meta, item, 12))
        except Truncated as error:
            found.warn(f"grid: {error}")
    if size is None and len(tiles) == 1:
        size = _size(meta.properties_of(tiles[0]))
    if size is not None:
        found.width, found.height = size
    all_properties = properties + [p for tile in tiles[:1] for p in meta.properties_of(tile)]
    config = decoder_config(all_properties)
    found.bit_depth = _pixel_depth(properties) or config.depth or _pixel_depth(all_properties)
    found.has_alpha = config.alpha or _has_alpha(meta, {item, *tiles})
    if config.known or found.bit_depth:
        found.color_mode = color_mode(config.monochrome, bool(found.has_alpha), found.bit_depth)
    _orient(properties, found)
    found.frames = _pictures(meta, item)
    found.animated = False
    _check_data(source, meta, tiles[0] if tiles else item, found)


def _primary(meta: Meta, found: Found) -> int | None:
    """The primary item's number, or that of the first picture when `pitm` names none that exists."""
    if meta.primary is not None and (meta.primary in meta.items or meta.primary in meta.associations):
        return meta.primary
    for number, item in meta.items.items():
        if item.kind not in DATA_ITEMS and _size(meta.properties_of(number)):
            found.warn("no primary item; the first picture stands in")
            return number
    return None


def is_av1(meta: Meta) -> bool:
    """Whether the primary picture is coded as AV1."""
    if meta.primary is None:
        return False
    parts = (meta.primary, *_tiles(meta, meta.primary))
    return any(meta.items.get(number, Item(b"")).kind == b"av01" for number in parts)


def _tiles(meta: Meta, item: int) -> tuple[int, ...]:
    """The coded pictures a derived item (grid, overlay, identity, tone map) is made of, itself left out."""
    seen = {item}
    level = [item]
    for _ in range(MAX_ITEM_DEPTH):
        following = [t for part in level[:1] for t in meta.targets(b"dimg", part) if t not in seen]
        if not following:
            break
        seen.update(following)
        level = following
    return tuple(level) if level != [item] else ()


def _size(properties: list[tuple[bytes, bytes]]) -> tuple[int, int] | None:
    """Width and height of `ispe` (23008-12, 6.5.3), if both are positive."""
    for kind, body in properties:
        if kind == b"ispe" and len(body) >= 12:
            width, height = int.from_bytes(body[4:8], "big"), int.from_bytes(body[8:12], "big")
            if width and height:
                return width, height
    return None


def _grid_size(data: bytes) -> tuple[int, int] | None:
    """Output size stated by a grid's own data (23008-12, 6.6.2.3)."""
    wide = 4 if data[1:2] and data[1] & 1 else 2
    if len(data) < 4 + 2 * wide:
        return None
    width = int.from_bytes(data[4 : 4 + wide], "big")
    height = int.from_bytes(data[4 + wide : 4 + 2 * wide], "big")
    return (width, height) if width and height else None


def _pixel_depth(properties: list[tuple[bytes, bytes]]) -> int | None:
    """Bits per channel of `pixi` (23008-12, 6.5.6): the most any channel has."""
    for kind, body in properties:
        if kind == b"pixi" and len(body) >= 6 and body[4]:
            return max(body[5 : 5 + body[4]]) or None
    return None


@dataclass
class Config:
    """What a decoder configuration says of the samples."""

    depth: int | None = None
    monochrome: bool = False
    alpha: bool = False
    known: bool = False


def decoder_config(properties: list[tuple[bytes, bytes]]) -> Config:
    """Depth and chroma of the first av1C, hvcC, vvcC, avcC or uncC among the properties."""
    for kind, body in properties:
        if kind == b"av1C" and len(body) >= 3:  # AV1-ISOBMFF 2.3.3
            high, twelve, mono = body[2] & 0x40, body[2] & 0x20, body[2] & 0x10
            return Config((12 if twelve else 10) if high else 8, bool(mono), known=True)
        if kind == b"hvcC" and len(body) >= 18:  # 14496-15, 8.3.3
            return Config(8 + (body[17] & 7), body[16] & 3 == 0, known=True)
        if kind == b"vvcC" and len(body) >= 8 and body[4] & 1:  # 14496-15, 11.2.4
            return Config(8 + (body[7] >> 5), body[6] & 3 == 0, known=True)
        if kind == b"avcC" and len(body) >= 4:
            return Config(8, known=True)
        if kind == b"uncC":  # 23001-17, 5.2
            return _uncompressed(body, properties)
    return Config()


def _uncompressed(body: bytes, properties: list[tuple[bytes, bytes]]) -> Config:
    """Depth and channels of uncompressed video from `uncC` and `cmpd` (0 mono, 1 luma, 7 alpha)."""
    fields = Fields(body)
    config = Config(known=True)
    try:
        version = fields.u32() >> 24
        profile = fields.take(4)
        if version == 1:
            return Config(8, alpha=profile in (b"rgba", b"abgr"), known=True)
        kinds = [int.from_bytes(b[i : i + 2], "big") for k, b in properties if k == b"cmpd"
                 for i in range(4, min(len(b), 68) - 1, 2)]  # fmt: skip
        present = []
        for _ in range(min(fields.u32(), 32)):
            index = fields.u16()
            config.depth = max(config.depth or 0, fields.u8() + 1)
            fields.skip(2)
            if index < len(kinds):
                present.append(kinds[index])
    except Truncated:
        return config
    config.alpha = 7 in present
    config.monochrome = bool(present) and set(present) <= {0, 1, 7}
    return config


def _has_alpha(meta: Meta, pictures: set[int]) -> bool:
    """Whether an auxiliary alpha picture belongs to one of `pictures` (23008-12, 6.5.8)."""
    for (kind, source), targets in meta.references.items():
        if kind == b"auxl" and not pictures.isdisjoint(targets) and is_alpha(meta.properties_of(source)):
            return True
    return False


def is_alpha(properties: list[tuple[bytes, bytes]]) -> bool:
    """Whether the properties hold an `auxC` (or a track's `auxi`) of an alpha type."""
    return any(kind in (b"auxC", b"auxi") and body[4:].startswith(ALPHA_URNS) for kind, body in properties)


def color_mode(monochrome: bool, alpha: bool, depth: int | None) -> str:
    """Pillow's mode name for what a decoder would yield."""
    if not monochrome:
        return "RGBA" if alpha else "RGB"
    if alpha:
        return "LA"
    return "I;16" if depth and depth > 8 else "L"


def _orient(properties: list[tuple[bytes, bytes]], found: Found) -> None:
    """EXIF orientation from `irot` and `imir` in their order of application (23008-12, 6.5.10 and 6.5.12)."""
    total = _IDENTITY
    turned = False
    for kind, body in properties:
        if kind == b"irot" and body:
            turned = True
            for _ in range(body[0] & 3):
                total = _after(_QUARTER_LEFT, total)
        elif kind == b"imir" and body:
            turned = True
            total = _after(_MIRRORS[body[0] & 1], total)
        elif kind == b"clap":
            _note_aperture(body, found, sideways=total[0] == 0)
    if turned:
        found.orientation = ORIENTATIONS[total]


def _after(second: tuple[int, int, int, int], first: tuple[int, int, int, int]) -> tuple[int, int, int, int]:
    """The map that applies `first`, then `second`."""
    a, b, c, d = second
    e, f, g, h = first
    return (a * e + b * g, a * f + b * h, c * e + d * g, c * f + d * h)


def _note_aperture(body: bytes, found: Found, sideways: bool) -> None:
    """Note a clean aperture (14496-12, 12.1.4) that shows less than the picture, which may lie `sideways` by then."""
    fields = Fields(body)
    try:
        across, across_by, down, down_by = (fields.u32() for _ in range(4))
    except Truncated:
        found.warn("clap is cut short")
        return
    if not across_by or not down_by:
        found.warn("clap divides by zero")
        return
    width, height = across // across_by, down // down_by
    if sideways:
        width, height = height, width
    if not 0 < width <= (found.width or 0) or not 0 < height <= (found.height or 0):
        found.warn("clap shows more than the picture holds")
    elif (width, height) != (found.width, found.height):
        found.crop = (width, height)


def _pictures(meta: Meta, primary: int) -> int:
    """How many pictures the file offers: not the hidden ones, not the parts of other pictures."""
    parts = {s for kind, s in meta.references if kind in PART_OF}
    parts.update(t for (kind, _), to in meta.references.items() if kind == b"dimg" for t in to)
    count = 1
    for number, item in meta.items.items():
        if item.kind in DATA_ITEMS or item.kind == b"tmap" or item.hidden:
            continue
        if number != primary and number not in parts and _size(meta.properties_of(number)):
            count += 1
    return count


def _check_data(source: Reader, meta: Meta, item: int, found: Found) -> None:
    """Warn when the picture's data lie past the end of the file."""
    location = meta.locations.get(item)
    if location is None or location.method != 0 or location.external:
        return
    if any(offset + length > source.size for _, offset, length in location.extents):
        found.warn("the file is cut short: image data lie past its end")


def hand_over_blocks(source: Reader, meta: Meta, primary: int, found: Found) -> None:
    """Hand over the primary item's ICC profile, EXIF and XMP."""
    for number in (primary, *_tiles(meta, primary)[:1]):
        if found.icc is None:
            found.icc = icc_profile(meta.properties_of(number), found)
    for exif in _describing(meta, primary, lambda item: item.kind == b"Exif")[: limits.MAX_EXIF_BLOCKS]:
        try:
            _exif(source, meta, exif, found)
        except Truncated as error:
            found.warn(f"EXIF is unreadable: {error}")
    for xmp in _describing(meta, primary, _is_xmp)[:1]:
        try:
            found.xmp = (
                _decoded(item_data(source, meta, xmp, limits.MAX_XMP), meta.items[xmp].encoding) or None
            )
        except Truncated as error:
            found.warn(f"XMP is unreadable: {error}")
    if found.orientation is None and (found.exif or found.xmp):
        found.orientation = 1  # HEIF 6.5: without irot and imir nothing turns, whatever EXIF and XMP say


def _is_xmp(item: Item) -> bool:
    """Whether an item is an XMP packet, by its media type or by the name of XMP itself."""
    kind = item.content_type.partition(b";")[0].strip().lower()
    return (item.kind == b"mime" and kind in XMP_TYPES) or (
        item.kind in (b"mime", b"uri ") and kind == XMP_NAME.rstrip(b"\0")
    )


def _exif(source: Reader, meta: Meta, item: int, found: Found) -> None:
    """The EXIF item: a large one (maker notes, previews) is walked in place, any other read."""
    pieces = segments(source, meta, item, 0, {})
    if len(pieces) != 1 or pieces[0][1] <= LARGE_EXIF_BYTES:
        found.add_exif(tiff_stream(item_data(source, meta, item, MAX_EXIF_BYTES)))
        return
    start, length = pieces[0]
    head = source.read_at(start, limits.MIN_FETCH)
    skip = len(head) - len(tiff_stream(head))
    found.add_exif(read_exif(WindowReader(source, start + skip, length - skip), found.warn))


def icc_profile(properties: list[tuple[bytes, bytes]], found: Found) -> bytes | None:
    """The ICC profile of a `colr` box, if one holds any (14496-12, 12.1.5)."""
    for kind, body in properties:
        if kind == b"colr" and body[:4] in (b"prof", b"rICC") and len(body) > 4:
            if len(body) - 4 > limits.MAX_ICC:
                found.warn("ICC profile is over the limit")
                return None
            return body[4:]
    return None


def _describing(meta: Meta, primary: int, wanted: Callable[[Item], bool]) -> list[int]:
    """The wanted items that describe the primary one; where there are none, the first that describes nothing."""
    numbers = [number for number, item in meta.items.items() if wanted(item)]
    about = set(meta.sources(b"cdsc", primary))
    bound = {s for kind, s in meta.references if kind == b"cdsc"}
    tiles = set(_tiles(meta, primary))
    describing = [number for number in numbers if number in about]
    for number in numbers if not describing else ():
        if number not in bound or not tiles.isdisjoint(meta.targets(b"cdsc", number)):
            return [number]
    return describing


def _decoded(data: bytes, encoding: bytes) -> bytes:
    """An item's data with its content encoding undone."""
    if not encoding or encoding == b"identity":
        return data
    if encoding in (b"deflate", b"compress_zlib"):
        return inflate(data, limits.MAX_XMP)
    if encoding == b"gzip":
        return inflate(data, limits.MAX_XMP, zlib.MAX_WBITS | 16)
    raise Truncated(f"content encoding {encoding[:16]!r}")
