"""The `meta` box (ISO/IEC 14496-12, 8.11): the tables of the items, and where in the file their data lie."""

from __future__ import annotations

from dataclasses import dataclass, field

from ...model import Found
from ...reader import Reader
from ..boxes import BadBox, Box, walk, walk_bytes
from ..cursors import Fields, Truncated

#: Bytes of one description box (iinf, iloc, iref, ipco, ipma, stts) that are read at most.
MAX_TABLE_BYTES = 1 << 20
#: Bytes of `meta` or `moov` fetched in one go, so that their children cost no request each.
PREFETCH_BYTES = 1 << 18
#: Items, properties, associations and references kept at most.
MAX_ITEMS = 1 << 14
MAX_PROPERTIES = 1 << 12
MAX_ASSOCIATIONS = 1 << 16
MAX_REFERENCES = 1 << 16
#: Extents of all items, of one item, and items an item may be built from one inside the other (construction method 2).
MAX_ALL_EXTENTS = 1 << 16
MAX_EXTENTS = 64
MAX_ITEM_DEPTH = 4


@dataclass
class Item:
    """One entry of `iinf` (section 8.11.6 of 14496-12)."""

    kind: bytes
    hidden: bool = False
    content_type: bytes = b""  # or the URI that says what the item is
    encoding: bytes = b""


@dataclass
class Location:
    """One entry of `iloc` (section 8.11.3 of 14496-12)."""

    method: int  # 0: file offsets, 1: offsets into idat, 2: offsets into other items
    external: bool
    extents: list[tuple[int, int, int]]  # (index, offset, length); length 0: up to the end


@dataclass
class Meta:
    """The `meta` box, parsed as far as it could be."""

    primary: int | None = None
    items: dict[int, Item] = field(default_factory=dict)
    references: dict[tuple[bytes, int], list[int]] = field(default_factory=dict)
    properties: list[tuple[bytes, bytes]] = field(default_factory=list)
    associations: dict[int, list[int]] = field(default_factory=dict)
    locations: dict[int, Location] = field(default_factory=dict)
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


def find(source: Reader, found: Found, *, sequence: bool) -> tuple[Box | None, Box | None]:
    """The top-level `meta` and `moov` boxes; `moov` is looked for only in files that may hold one."""
    meta = moov = None
    try:
        for box in walk(source, 0, source.size):
            if box.kind == b"meta" and meta is None:
                meta = box
            elif box.kind == b"moov" and moov is None:
                moov = box
            if not box.whole:
                found.warn(f"the file is cut short inside its {name_of(box.kind)} box")
            if meta and (moov or not sequence):
                break
    except BadBox as error:
        found.warn(str(error))
    return meta, moov


def name_of(kind: bytes) -> str:
    """A box type as text for a message."""
    return kind.decode("ascii", "backslashreplace")


def parse_meta(source: Reader, box: Box, found: Found) -> Meta:
    """The item tables of a `meta` box; a damaged table is kept as far as it goes, with a warning."""
    meta = Meta()
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
                f"{name_of(kind)} is cut short" if not table.whole else f"{name_of(kind)} is over the limit"
            )
        try:
            parse(source.read_at(table.start, min(table.size, MAX_TABLE_BYTES)), meta)
        except (Truncated, BadBox) as error:
            found.warn(f"{name_of(kind)} is damaged: {error}")
    return meta


def _parse_pitm(data: bytes, meta: Meta) -> None:
    """Primary item number (14496-12, 8.11.4)."""
    fields = Fields(data)
    version = fields.u32() >> 24
    meta.primary = fields.uint(2 if version == 0 else 4)


def _parse_iinf(data: bytes, meta: Meta) -> None:
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
            meta.items.setdefault(number, Item(b"mime", False, entry.cstring(), entry.cstring()))
            continue
        number = entry.uint(2 if version == 2 else 4)
        entry.skip(2)
        item = Item(entry.take(4), bool(flags & 1))
        if item.kind in (b"mime", b"uri "):
            entry.cstring()
            item.content_type = entry.cstring()
            item.encoding = entry.cstring() if item.kind == b"mime" else b""
        meta.items.setdefault(number, item)


def _parse_iref(data: bytes, meta: Meta) -> None:
    """Item references (14496-12, 8.11.12)."""
    wide = 2 if Fields(data).u32() >> 24 == 0 else 4
    left = MAX_REFERENCES
    for box, body in walk_bytes(data[4:], MAX_ITEMS):
        fields = Fields(body)
        source = fields.uint(wide)
        count = min(fields.u16(), left, fields.left // wide)
        meta.references.setdefault((box.kind, source), []).extend(fields.uint(wide) for _ in range(count))
        left -= count


def _parse_iprp(data: bytes, meta: Meta) -> None:
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


def _parse_iloc(data: bytes, meta: Meta) -> None:
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
        meta.locations.setdefault(item, Location(method, external, extents))


_TABLES = {
    b"pitm": _parse_pitm,
    b"iinf": _parse_iinf,
    b"iref": _parse_iref,
    b"iprp": _parse_iprp,
    b"iloc": _parse_iloc,
}


def item_data(source: Reader, meta: Meta, item: int, limit: int) -> bytes:
    """At most `limit` bytes of an item's data. Raises `Truncated` when none can be found."""
    parts: list[bytes] = []
    left = limit
    for start, length in segments(source, meta, item, 0, {}):
        parts.append(source.read_at(start, min(length, left)))
        left -= len(parts[-1])
        if left <= 0 or len(parts[-1]) < length:
            break
    data = b"".join(parts)
    if not data:
        raise Truncated("its data are missing")
    return data


def segments(
    source: Reader, meta: Meta, item: int, depth: int, known: dict[int, list[tuple[int, int]]]
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
            space = segments(source, meta, targets[nth], depth + 1, known) if nth < len(targets) else []
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
