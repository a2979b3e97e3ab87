"""AVIF, HEIC and every other HEIF (ISO/IEC 23008-12): stills, collections, grids, image sequences.

`ftyp` names the brands, `meta` describes the items (`pitm`, `iinf`, `iref`, `iprp`, `iloc`; their data lie in
`mdat` or `idat`), `moov` describes sequences. Only those boxes and the EXIF, XMP and ICC blocks they point at
are read; `mdat` is stepped over.
"""

from __future__ import annotations

import zlib
from collections.abc import Callable
from dataclasses import dataclass, field

from .. import limits
from ..blocks.exif import read_exif
from ..errors import CorruptImage
from ..model import Found
from ..reader import Reader, WindowReader
from .boxes import BadBox, Box, tiff_stream, walk, walk_bytes
from .fields import Fields, Truncated, inflate

#: Bytes of one description box (iinf, iloc, iref, ipco, ipma, stts) that are read at most.
MAX_TABLE_BYTES = 1 << 20
#: Bytes of `meta` or `moov` fetched in one go, so that their children cost no request each.
PREFETCH_BYTES = 1 << 18
#: Bytes of `ftyp` that are read.
MAX_BRAND_BYTES = 1024
#: Items, properties, associations and references kept at most.
MAX_ITEMS = 1 << 14
MAX_PROPERTIES = 1 << 12
MAX_ASSOCIATIONS = 1 << 16
MAX_REFERENCES = 1 << 16
#: Extents of all items, of one item, and items an item may be built from one inside the other (construction method 2).
MAX_ALL_EXTENTS = 1 << 16
MAX_EXTENTS = 64
MAX_ITEM_DEPTH = 4
#: Tracks of one `moov`, boxes of one track, and lines of one time-to-sample table.
MAX_TRACKS = 64
MAX_TRACK_BOXES = 256
MAX_TIMES = 1 << 16
#: Bytes of one EXIF item that are read: the directories come first, maker notes and thumbnails after.
MAX_EXIF_BYTES = 1 << 20
#: A larger EXIF item is not read as a whole.
LARGE_EXIF_BYTES = 1 << 16

AVIF_BRANDS = frozenset((b"avif", b"avis"))
SEQUENCE_BRANDS = frozenset(
    (
        b"avis", b"msf1", b"hevc", b"hevx", b"hevm", b"hevs", b"avcs", b"jpgs", b"j2is",
        b"vvis", b"evbs", b"evms",
    )
)  # fmt: skip
STILL_BRANDS = frozenset(
    (
        b"avif", b"mif1", b"mif2", b"heic", b"heix", b"heim", b"heis", b"avci", b"jpeg", b"j2ki",
        b"vvic", b"evbi", b"evmi", b"1pic",
    )
)  # fmt: skip
IMAGE_BRANDS = STILL_BRANDS | SEQUENCE_BRANDS
#: Major brands of files that are something else although they may list an image brand as compatible.
FOREIGN_BRANDS = frozenset((b"crx ",))

#: IANA media types by major brand; any other HEIF is image/heif.
CONTENT_TYPES = {
    b"avif": "image/avif",
    b"avis": "image/avif",
    b"heic": "image/heic",
    b"heix": "image/heic",
    b"heim": "image/heic",
    b"heis": "image/heic",
    b"hevc": "image/heic-sequence",
    b"hevx": "image/heic-sequence",
    b"hevm": "image/heic-sequence",
    b"hevs": "image/heic-sequence",
    b"msf1": "image/heif-sequence",
    b"avci": "image/avci",
    b"avcs": "image/avcs",
    b"j2ki": "image/hej2k",
}

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
_ORIENTATIONS = {
    (1, 0, 0, 1): 1, (-1, 0, 0, 1): 2, (-1, 0, 0, -1): 3, (1, 0, 0, -1): 4,
    (0, 1, 1, 0): 5, (0, -1, 1, 0): 6, (0, -1, -1, 0): 7, (0, 1, -1, 0): 8,
}  # fmt: skip


@dataclass
class _Item:
    """One entry of `iinf` (section 8.11.6 of 14496-12)."""

    kind: bytes
    hidden: bool = False
    content_type: bytes = b""
    encoding: bytes = b""


@dataclass
class _Location:
    """One entry of `iloc` (section 8.11.3 of 14496-12)."""

    method: int  # 0: file offsets, 1: offsets into idat, 2: offsets into other items
    external: bool
    extents: list[tuple[int, int, int]]  # (index, offset, length); length 0: up to the end


@dataclass
class _Meta:
    """The `meta` box, parsed as far as it could be."""

    primary: int | None = None
    items: dict[int, _Item] = field(default_factory=dict)
    references: dict[tuple[bytes, int], list[int]] = field(default_factory=dict)
    properties: list[tuple[bytes, bytes]] = field(default_factory=list)
    associations: dict[int, list[int]] = field(default_factory=dict)
    locations: dict[int, _Location] = field(default_factory=dict)
    idat: Box | None = None

    def properties_of(self, item: int) -> list[tuple[bytes, bytes]]:
        """(type, payload) of the item's properties, in their order of application."""
        count = len(self.properties)
        return [self.properties[i - 1] for i in self.associations.get(item, ()) if 1 <= i <= count]

    def targets(self, kind: bytes, source: int) -> list[int]:
        """What `source` refers to by references of that kind."""
        return self.references.get((kind, source), [])

    def sources(self, kind: bytes, target: int) -> list[int]:
        """What refers to `target` by references of that kind."""
        return [s for (k, s), to in self.references.items() if k == kind and target in to]


@dataclass
class _Track:
    """One `trak` of a sequence."""

    number: int = 0
    handler: bytes = b""
    width: int = 0
    height: int = 0
    orientation: int | None = None
    duration: int = 0  # of the track header, in movie time
    endless: bool = False
    segment: int = 0  # first edit's length, in movie time
    repeats: bool | None = None
    samples: int = 0
    ticks: int = 0  # length in media time
    timescale: int = 0
    times: Box | None = None  # stts
    entry: bytes = b""  # sample entry type
    config: list[tuple[bytes, bytes]] = field(default_factory=list)  # its boxes
    references: dict[bytes, list[int]] = field(default_factory=dict)

    @property
    def duration_ms(self) -> int | None:
        """Play time of one pass."""
        if self.timescale <= 0 or self.ticks <= 0:
            return None
        return round(self.ticks * 1000 / self.timescale)


def matches(head: bytes, source: Reader) -> bool:
    """Whether the file starts with an `ftyp` box that names an image brand."""
    if head[4:8] != b"ftyp":
        return False
    brands = _brands(source.read_at(0, MAX_BRAND_BYTES))
    return bool(brands) and brands[0] not in FOREIGN_BRANDS and not IMAGE_BRANDS.isdisjoint(brands)


def read(source: Reader, found: Found) -> None:
    """Fill `found` from a HEIF or AVIF file.

    Raises `CorruptImage` when neither the primary item nor a track states a size.
    """
    brands = _brands(source.read_at(0, MAX_BRAND_BYTES))
    major = brands[0] if brands else b""
    found.format = "AVIF" if major in AVIF_BRANDS else "HEIF"
    found.content_type = CONTENT_TYPES.get(major, "image/heif")

    meta_box, moov_box = _find(source, found, sequence=major in SEQUENCE_BRANDS)
    meta = _Meta()
    if meta_box is not None:
        meta = _parse_meta(source, meta_box, found)
        _describe_primary(source, meta, found)
        if found.format == "HEIF" and _is_av1(meta) and not AVIF_BRANDS.isdisjoint(brands):
            found.format, found.content_type = "AVIF", "image/avif"
    if found.width is None and moov_box is None:
        _, moov_box = _find(source, found, sequence=True)
    if moov_box is not None and (major in SEQUENCE_BRANDS or found.width is None):
        _describe_sequence(source, moov_box, found)
    if not found.width or not found.height:
        raise CorruptImage("no item and no track states the image's size")
    if meta.primary is not None:
        _metadata(source, meta, meta.primary, found)


def _brands(head: bytes) -> list[bytes]:
    """Major brand, then the compatible ones, of the `ftyp` box at the start of `head`."""
    size = int.from_bytes(head[:4], "big")
    first = 8
    if size == 1:
        size, first = int.from_bytes(head[8:16], "big"), 16
    body = head[first : max(size, first + 4)]
    return [body[:4]] + [body[i : i + 4] for i in range(8, len(body) - 3, 4)]


def _find(source: Reader, found: Found, *, sequence: bool) -> tuple[Box | None, Box | None]:
    """The top-level `meta` and `moov` boxes; `moov` is looked for only in files that may hold one."""
    meta = moov = None
    try:
        for box in walk(source, 0, source.size):
            if box.kind == b"meta" and meta is None:
                meta = box
            elif box.kind == b"moov" and moov is None:
                moov = box
            if not box.whole:
                found.warn(f"the file is cut short inside its {_name(box.kind)} box")
            if meta and (moov or not sequence):
                break
    except BadBox as error:
        found.warn(str(error))
    return meta, moov


def _name(kind: bytes) -> str:
    """A box type as text for a message."""
    return kind.decode("ascii", "backslashreplace")


# --- meta ---------------------------------------------------------------------------------------------


def _parse_meta(source: Reader, box: Box, found: Found) -> _Meta:
    """The item tables of a `meta` box; a damaged table is kept as far as it goes, with a warning."""
    meta = _Meta()
    start = box.start + 4  # a FullBox; a QuickTime meta has no version and starts with a child
    head = source.read_at(box.start, min(box.size, PREFETCH_BYTES))
    if head[4:8] in (b"hdlr", b"pitm", b"iinf"):
        start = box.start
    tables: dict[bytes, Box] = {}
    try:
        for child in walk(source, start, box.end):
            tables.setdefault(child.kind, child)
    except BadBox as error:
        found.warn(f"meta: {error}")
    meta.idat = tables.get(b"idat")
    for kind, parse in _TABLES.items():
        if kind not in tables:
            continue
        table = tables[kind]
        if not table.whole or table.size > MAX_TABLE_BYTES:
            found.warn(
                f"{_name(kind)} is cut short" if not table.whole else f"{_name(kind)} is over the limit"
            )
        try:
            parse(source.read_at(table.start, min(table.size, MAX_TABLE_BYTES)), meta)
        except (Truncated, BadBox) as error:
            found.warn(f"{_name(kind)} is damaged: {error}")
    return meta


def _parse_pitm(data: bytes, meta: _Meta) -> None:
    """Primary item number (14496-12, 8.11.4)."""
    fields = Fields(data)
    version = fields.u32() >> 24
    meta.primary = fields.uint(2 if version == 0 else 4)


def _parse_iinf(data: bytes, meta: _Meta) -> None:
    """Item information (14496-12, 8.11.6)."""
    fields = Fields(data)
    version = fields.u32() >> 24
    count = fields.uint(2 if version == 0 else 4)
    for box, body in walk_bytes(data[fields.position :], min(count, MAX_ITEMS)):
        if box.kind != b"infe":
            continue
        entry = Fields(body)
        flags = entry.u32()
        version = flags >> 24
        if version < 2:
            number = entry.u16()
            entry.skip(2)
            entry.cstring()
            meta.items.setdefault(number, _Item(b"mime", False, entry.cstring(), entry.cstring()))
            continue
        number = entry.uint(2 if version == 2 else 4)
        entry.skip(2)
        item = _Item(entry.take(4), bool(flags & 1))
        if item.kind == b"mime":
            entry.cstring()
            item.content_type = entry.cstring()
            item.encoding = entry.cstring()
        meta.items.setdefault(number, item)


def _parse_iref(data: bytes, meta: _Meta) -> None:
    """Item references (14496-12, 8.11.12)."""
    wide = 2 if Fields(data).u32() >> 24 == 0 else 4
    left = MAX_REFERENCES
    for box, body in walk_bytes(data[4:], MAX_ITEMS):
        fields = Fields(body)
        source = fields.uint(wide)
        count = min(fields.u16(), left, fields.left // wide)
        meta.references.setdefault((box.kind, source), []).extend(fields.uint(wide) for _ in range(count))
        left -= count


def _parse_iprp(data: bytes, meta: _Meta) -> None:
    """Properties and which item has which (23008-12, 9.3)."""
    left = MAX_ASSOCIATIONS
    damage: ValueError | None = None
    for box, body in walk_bytes(data):
        if box.kind == b"ipco":
            try:
                for child, payload in walk_bytes(body, MAX_PROPERTIES):
                    meta.properties.append((child.kind, payload))
            except BadBox as error:
                damage = error
        elif box.kind == b"ipma":
            fields = Fields(body)
            flags = fields.u32()
            for _ in range(fields.u32()):
                item = fields.uint(2 if flags >> 24 == 0 else 4)
                indices = meta.associations.setdefault(item, [])
                for _ in range(fields.u8()):
                    indices.append(fields.u16() & 0x7FFF if flags & 1 else fields.u8() & 0x7F)
                    left -= 1
                if left < 0:
                    raise Truncated("more associations than the limit")
    if damage is not None:
        raise damage


def _parse_iloc(data: bytes, meta: _Meta) -> None:
    """Item locations (14496-12, 8.11.3)."""
    fields = Fields(data)
    version = fields.u32() >> 24
    sizes = fields.u16()
    offset_size, length_size, base_size = sizes >> 12, sizes >> 8 & 15, sizes >> 4 & 15
    index_size = sizes & 15 if version in (1, 2) else 0
    wide = 4 if version == 2 else 2
    left = MAX_ALL_EXTENTS
    for _ in range(min(fields.uint(wide), MAX_ITEMS)):
        item = fields.uint(wide)
        method = fields.u16() & 15 if version in (1, 2) else 0
        external = fields.u16() != 0
        base = fields.uint(base_size)
        extents = []
        for number in range(fields.u16()):
            extent = (fields.uint(index_size), base + fields.uint(offset_size), fields.uint(length_size))
            if number < MAX_EXTENTS:
                extents.append(extent)
            left -= 1  # an extent may take no byte at all: only counting bounds them
            if left < 0:
                raise Truncated("more extents than the limit")
        meta.locations.setdefault(item, _Location(method, external, extents))


_TABLES = {
    b"pitm": _parse_pitm,
    b"iinf": _parse_iinf,
    b"iref": _parse_iref,
    b"iprp": _parse_iprp,
    b"iloc": _parse_iloc,
}


# --- the primary item -----------------------------------------------------------------------------------


def _describe_primary(source: Reader, meta: _Meta, found: Found) -> None:
    """Size, depth, colour, alpha, orientation and number of pictures, from the primary item's properties."""
    item = _primary(meta, found)
    if item is None:
        return
    meta.primary = item
    properties = meta.properties_of(item)
    tiles = _tiles(meta, item)
    size = _size(properties)
    if size is None and meta.items.get(item, _Item(b"")).kind == b"grid":
        try:
            size = _grid_size(_item_data(source, meta, item, 12))
        except Truncated as error:
            found.warn(f"grid: {error}")
    if size is None and len(tiles) == 1:
        size = _size(meta.properties_of(tiles[0]))
    if size is not None:
        found.width, found.height = size
    all_properties = properties + [p for tile in tiles[:1] for p in meta.properties_of(tile)]
    config = _config(all_properties)
    found.bit_depth = _pixel_depth(properties) or config.depth or _pixel_depth(all_properties)
    found.has_alpha = config.alpha or _has_alpha(meta, {item, *tiles})
    if config.known or found.bit_depth:
        found.color_mode = _mode(config.monochrome, bool(found.has_alpha), found.bit_depth)
    _orient(properties, found)
    found.frames = _pictures(meta, item)
    found.animated = False
    _check_data(source, meta, tiles[0] if tiles else item, found)


def _primary(meta: _Meta, found: Found) -> int | None:
    """The primary item's number, or that of the first picture when `pitm` names none that exists."""
    if meta.primary is not None and (meta.primary in meta.items or meta.primary in meta.associations):
        return meta.primary
    for number, item in meta.items.items():
        if item.kind not in DATA_ITEMS and _size(meta.properties_of(number)):
            found.warn("no primary item; the first picture stands in")
            return number
    return None


def _is_av1(meta: _Meta) -> bool:
    """Whether the primary picture is coded as AV1."""
    if meta.primary is None:
        return False
    parts = (meta.primary, *_tiles(meta, meta.primary))
    return any(meta.items.get(number, _Item(b"")).kind == b"av01" for number in parts)


def _tiles(meta: _Meta, item: int) -> tuple[int, ...]:
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
class _Config:
    """What a decoder configuration says of the samples."""

    depth: int | None = None
    monochrome: bool = False
    alpha: bool = False
    known: bool = False


def _config(properties: list[tuple[bytes, bytes]]) -> _Config:
    """Depth and chroma of the first av1C, hvcC, vvcC, avcC or uncC among the properties."""
    for kind, body in properties:
        if kind == b"av1C" and len(body) >= 3:  # AV1-ISOBMFF 2.3.3
            high, twelve, mono = body[2] & 0x40, body[2] & 0x20, body[2] & 0x10
            return _Config((12 if twelve else 10) if high else 8, bool(mono), known=True)
        if kind == b"hvcC" and len(body) >= 18:  # 14496-15, 8.3.3
            return _Config(8 + (body[17] & 7), body[16] & 3 == 0, known=True)
        if kind == b"vvcC" and len(body) >= 8 and body[4] & 1:  # 14496-15, 11.2.4
            return _Config(8 + (body[7] >> 5), body[6] & 3 == 0, known=True)
        if kind == b"avcC" and len(body) >= 4:
            return _Config(8, known=True)
        if kind == b"uncC":  # 23001-17, 5.2
            return _uncompressed(body, properties)
    return _Config()


def _uncompressed(body: bytes, properties: list[tuple[bytes, bytes]]) -> _Config:
    """Depth and channels of uncompressed video from `uncC` and `cmpd` (0 mono, 1 luma, 7 alpha)."""
    fields = Fields(body)
    config = _Config(known=True)
    try:
        version = fields.u32() >> 24
        profile = fields.take(4)
        if version == 1:
            return _Config(8, alpha=profile in (b"rgba", b"abgr"), known=True)
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


def _has_alpha(meta: _Meta, pictures: set[int]) -> bool:
    """Whether an auxiliary alpha picture belongs to one of `pictures` (23008-12, 6.5.8)."""
    for (kind, source), targets in meta.references.items():
        if kind == b"auxl" and not pictures.isdisjoint(targets) and _is_alpha(meta.properties_of(source)):
            return True
    return False


def _is_alpha(properties: list[tuple[bytes, bytes]]) -> bool:
    """Whether the properties hold an `auxC` (or a track's `auxi`) of an alpha type."""
    return any(kind in (b"auxC", b"auxi") and body[4:].startswith(ALPHA_URNS) for kind, body in properties)


def _mode(monochrome: bool, alpha: bool, depth: int | None) -> str:
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
            _note_aperture(body, found)
    if turned:
        found.orientation = _ORIENTATIONS[total]


def _after(second: tuple[int, int, int, int], first: tuple[int, int, int, int]) -> tuple[int, int, int, int]:
    """The map that applies `first`, then `second`."""
    a, b, c, d = second
    e, f, g, h = first
    return (a * e + b * g, a * f + b * h, c * e + d * g, c * f + d * h)


def _note_aperture(body: bytes, found: Found) -> None:
    """Note a clean aperture (14496-12, 12.1.4) that shows less than the stored picture."""
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
    if not 0 < width <= (found.width or 0) or not 0 < height <= (found.height or 0):
        found.warn("clap shows more than the picture holds")
    elif (width, height) != (found.width, found.height):
        found.crop = (width, height)


def _pictures(meta: _Meta, primary: int) -> int:
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


def _check_data(source: Reader, meta: _Meta, item: int, found: Found) -> None:
    """Warn when the picture's data lie past the end of the file."""
    location = meta.locations.get(item)
    if location is None or location.method != 0 or location.external:
        return
    if any(offset + length > source.size for _, offset, length in location.extents):
        found.warn("the file is cut short: image data lie past its end")


# --- EXIF, XMP, ICC --------------------------------------------------------------------------------------


def _metadata(source: Reader, meta: _Meta, primary: int, found: Found) -> None:
    """Hand over the primary item's ICC profile, EXIF and XMP."""
    for number in (primary, *_tiles(meta, primary)[:1]):
        if found.icc is None:
            found.icc = _icc(meta.properties_of(number), found)
    exif = _described_by(meta, primary, lambda item: item.kind == b"Exif")
    if exif is not None:
        try:
            _exif(source, meta, exif, found)
        except Truncated as error:
            found.warn(f"EXIF is unreadable: {error}")
    xmp = _described_by(meta, primary, lambda item: item.kind == b"mime" and item.content_type in XMP_TYPES)
    if xmp is not None:
        try:
            found.xmp = (
                _decoded(_item_data(source, meta, xmp, limits.MAX_XMP), meta.items[xmp].encoding) or None
            )
        except Truncated as error:
            found.warn(f"XMP is unreadable: {error}")
    if found.orientation is None and (found.exif or found.exif_block or found.xmp):
        found.orientation = 1  # HEIF 6.5: without irot and imir nothing turns, whatever EXIF and XMP say


def _exif(source: Reader, meta: _Meta, item: int, found: Found) -> None:
    """The EXIF item: a large one (maker notes, previews) is walked in place, any other read."""
    pieces = _segments(source, meta, item, 0, {})
    if len(pieces) != 1 or pieces[0][1] <= LARGE_EXIF_BYTES:
        found.exif = tiff_stream(_item_data(source, meta, item, MAX_EXIF_BYTES))
        return
    start, length = pieces[0]
    head = source.read_at(start, limits.MIN_FETCH)
    skip = len(head) - len(tiff_stream(head))
    found.exif_block = read_exif(WindowReader(source, start + skip, length - skip), found.warn)


def _icc(properties: list[tuple[bytes, bytes]], found: Found) -> bytes | None:
    """The ICC profile of a `colr` box, if one holds any (14496-12, 12.1.5)."""
    for kind, body in properties:
        if kind == b"colr" and body[:4] in (b"prof", b"rICC") and len(body) > 4:
            if len(body) - 4 > limits.MAX_ICC:
                found.warn("ICC profile is over the limit")
                return None
            return body[4:]
    return None


def _described_by(meta: _Meta, primary: int, wanted: Callable[[_Item], bool]) -> int | None:
    """The first wanted item that describes the primary one; else the first that describes nothing."""
    numbers = [number for number, item in meta.items.items() if wanted(item)]
    about = set(meta.sources(b"cdsc", primary))
    bound = {s for kind, s in meta.references if kind == b"cdsc"}
    tiles = set(_tiles(meta, primary))
    for number in numbers:
        if number in about:
            return number
    for number in numbers:
        if number not in bound or not tiles.isdisjoint(meta.targets(b"cdsc", number)):
            return number
    return None


def _item_data(source: Reader, meta: _Meta, item: int, limit: int) -> bytes:
    """At most `limit` bytes of an item's data. Raises `Truncated` when none can be found."""
    parts: list[bytes] = []
    left = limit
    for start, length in _segments(source, meta, item, 0, {}):
        parts.append(source.read_at(start, min(length, left)))
        left -= len(parts[-1])
        if left <= 0 or len(parts[-1]) < length:
            break
    data = b"".join(parts)
    if not data:
        raise Truncated("its data are missing")
    return data


def _segments(
    source: Reader, meta: _Meta, item: int, depth: int, known: dict[int, list[tuple[int, int]]]
) -> list[tuple[int, int]]:
    """Where in the file an item's data lie: (offset, length) pieces, clipped to what exists."""
    if item in known:
        return known[item]
    location = meta.locations.get(item)
    if location is None or location.external or depth >= MAX_ITEM_DEPTH:
        return []
    known[item] = []  # an item that is made of itself has no data
    pieces: list[tuple[int, int]] = []
    targets = meta.targets(b"iloc", item)
    for index, offset, length in location.extents:
        if location.method == 1:
            space = [(meta.idat.start, meta.idat.size)] if meta.idat else []
        elif location.method == 2:
            nth = max(index, 1) - 1
            space = _segments(source, meta, targets[nth], depth + 1, known) if nth < len(targets) else []
        else:
            space = [(0, source.size)]
        pieces.extend(_cut(space, offset, length))
        if len(pieces) >= MAX_EXTENTS:
            break
    known[item] = pieces[:MAX_EXTENTS]
    return known[item]


def _cut(space: list[tuple[int, int]], offset: int, length: int) -> list[tuple[int, int]]:
    """[offset, offset+length) of a space that is itself made of pieces; length 0 is "to the end"."""
    out = []
    total = sum(size for _, size in space)
    stop = total if length == 0 else min(offset + length, total)
    position = 0
    for start, size in space:
        first, last = max(offset, position), min(stop, position + size)
        if last > first:
            out.append((start + first - position, last - first))
        position += size
    return out


def _decoded(data: bytes, encoding: bytes) -> bytes:
    """An item's data with its content encoding undone."""
    if not encoding or encoding == b"identity":
        return data
    if encoding in (b"deflate", b"compress_zlib"):
        return inflate(data, limits.MAX_XMP)
    if encoding == b"gzip":
        return inflate(data, limits.MAX_XMP, zlib.MAX_WBITS | 16)
    raise Truncated(f"content encoding {encoding[:16]!r}")


# --- sequences -------------------------------------------------------------------------------------------


def _describe_sequence(source: Reader, moov: Box, found: Found) -> None:
    """Frames, duration and loop of the first picture track, and what the still part left unknown."""
    source.read_at(moov.start, min(moov.size, PREFETCH_BYTES))
    tracks: list[_Track] = []
    try:
        for box in walk(source, moov.start, moov.end):
            if box.kind == b"trak" and len(tracks) < MAX_TRACKS:
                tracks.append(_parse_track(source, box, found))
    except BadBox as error:
        found.warn(f"moov: {error}")
    pictures = [t for t in tracks if t.handler in (b"pict", b"vide") and not t.references.keys() & PART_OF]
    if not pictures:
        found.warn("no picture track in moov")
        return
    main = next((t for t in pictures if t.handler == b"pict"), pictures[0])
    if found.width is None:
        if main.width and main.height:
            found.width, found.height = main.width, main.height
        found.orientation = main.orientation
    if found.bit_depth is None:
        config = _config(main.config)
        found.bit_depth = config.depth
        found.has_alpha = any(
            main.number in t.references.get(b"auxl", ()) and (t.handler == b"auxv" or _is_alpha(t.config))
            for t in tracks
        )
        found.color_mode = _mode(config.monochrome, found.has_alpha, config.depth) if config.known else None
    if found.icc is None:
        found.icc = _icc(main.config, found)
    if main.entry == b"av01" and found.content_type == "image/heif-sequence":
        found.format, found.content_type = "AVIF", "image/avif"
    if not main.samples:
        found.warn("the picture track states no samples")
        return
    if main.times is not None:
        main.ticks = _time(source, main.times) or main.ticks
    found.frames = main.samples
    found.animated = main.samples > 1
    found.duration_ms = main.duration_ms if found.animated else None
    found.loop = _loop(main) if found.animated else None


def _loop(track: _Track) -> int | None:
    """How often the sequence plays: 0 for ever, None unknown (edit lists; 23008-12, 7.2.1)."""
    if track.repeats is None:
        return None
    if not track.repeats:
        return 1
    if track.endless or track.segment <= 0:
        return 0
    return max(1, -(-track.duration // track.segment))


def _parse_track(source: Reader, trak: Box, found: Found) -> _Track:
    """One `trak` box; what is damaged in it stays unknown."""
    track = _Track()
    stack = [(trak, 0)]
    left = MAX_TRACK_BOXES
    seen: set[bytes] = set()
    while stack:
        parent, depth = stack.pop()
        try:
            for box in walk(source, parent.start, parent.end, left):
                left -= 1
                if box.kind in (b"mdia", b"minf", b"stbl", b"edts") and depth < 4:
                    stack.append((box, depth + 1))
                elif box.kind == b"stts":
                    track.times = track.times or box
                elif box.kind in _TRACK_BOXES and box.kind not in seen:
                    seen.add(box.kind)
                    limit = MAX_TABLE_BYTES if box.kind == b"stsd" else 256
                    _TRACK_BOXES[box.kind](source.read_at(box.start, min(box.size, limit)), track)
        except (BadBox, Truncated) as error:
            found.warn(f"track: {error}")
    return track


def _parse_tkhd(data: bytes, track: _Track) -> None:
    """Track header (14496-12, 8.3.2)."""
    fields = Fields(data)
    wide = 8 if fields.u32() >> 24 else 4
    fields.skip(2 * wide)
    track.number = fields.u32()
    fields.skip(4)
    track.duration = fields.uint(wide)
    track.endless = track.duration == (1 << 8 * wide) - 1
    fields.skip(16)
    matrix = [fields.sint(4) for _ in range(9)]
    unit = tuple((v > 0) - (v < 0) for v in (matrix[0], matrix[3], matrix[1], matrix[4]))
    track.orientation = _ORIENTATIONS.get(unit)  # type: ignore[arg-type]
    track.width, track.height = track.width or fields.u32() >> 16, track.height or fields.u32() >> 16


def _parse_mdhd(data: bytes, track: _Track) -> None:
    """Media header (14496-12, 8.4.2)."""
    fields = Fields(data)
    wide = 8 if fields.u32() >> 24 else 4
    fields.skip(2 * wide)
    track.timescale = fields.u32()
    duration = fields.uint(wide)
    if duration != (1 << 8 * wide) - 1:
        track.ticks = track.ticks or duration


def _parse_hdlr(data: bytes, track: _Track) -> None:
    """Handler type (14496-12, 8.4.3)."""
    track.handler = data[8:12]


def _parse_elst(data: bytes, track: _Track) -> None:
    """First edit (14496-12, 8.6.6); flag 1 repeats the list."""
    fields = Fields(data)
    flags = fields.u32()
    track.repeats = bool(flags & 1)
    if fields.u32():
        track.segment = fields.uint(8 if flags >> 24 else 4)


def _parse_stsz(data: bytes, track: _Track) -> None:
    """Number of samples (14496-12, 8.7.3; the same place in `stz2`)."""
    fields = Fields(data)
    fields.skip(8)
    track.samples = fields.u32()


def _time(source: Reader, box: Box) -> int:
    """Total time of the samples (14496-12, 8.6.1), 0 where the table is damaged or long."""
    fields = Fields(source.read_at(box.start, min(box.size, 8 + 8 * MAX_TIMES)), 4)
    try:
        count = fields.u32()
        return sum(fields.u32() * fields.u32() for _ in range(count)) if count <= MAX_TIMES else 0
    except Truncated:
        return 0


def _parse_stsd(data: bytes, track: _Track) -> None:
    """First visual sample entry (14496-12, 12.1.3): coded size, then its boxes."""
    for box, body in walk_bytes(data[8:], 1):
        fields = Fields(body)
        fields.skip(24)
        track.width, track.height = fields.u16(), fields.u16()
        fields.skip(50)
        track.entry = box.kind
        track.config = [(child.kind, payload) for child, payload in walk_bytes(body[fields.position :], 64)]


def _parse_tref(data: bytes, track: _Track) -> None:
    """References to other tracks (14496-12, 8.3.3)."""
    for box, body in walk_bytes(data, 16):
        track.references[box.kind] = [
            int.from_bytes(body[i : i + 4], "big") for i in range(0, len(body) - 3, 4)
        ]


_TRACK_BOXES = {
    b"tkhd": _parse_tkhd,
    b"mdhd": _parse_mdhd,
    b"hdlr": _parse_hdlr,
    b"elst": _parse_elst,
    b"stsz": _parse_stsz,
    b"stz2": _parse_stsz,
    b"stsd": _parse_stsd,
    b"tref": _parse_tref,
}
