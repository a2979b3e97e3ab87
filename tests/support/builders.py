"""Bytes of the formats and blocks under test, put together by hand so that a test can say exactly what is in them."""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterator, Sequence
from typing import Any

from image_metadata import extract
from image_metadata.model import ImageMetadata
from image_metadata.reader import BytesReader

Value = tuple[int, Any]  # (TIFF type, value): bytes, text, a number, a pair for a rational, or a list of them
_CODES = {1: "B", 3: "H", 4: "I", 6: "b", 8: "h", 9: "i", 11: "f", 12: "d", 13: "I", 16: "Q"}


def metadata_of(data: bytes) -> ImageMetadata:
    """What the extractor says of an image's bytes."""
    return extract(BytesReader(data))


def encode(value: Value, order: str = "<") -> tuple[int, int, bytes]:
    """(type, count, bytes) of a TIFF value."""
    kind, content = value
    if isinstance(content, str):
        content = content.encode() + b"\0"
    if isinstance(content, bytes):
        return kind, len(content), content
    items = content if isinstance(content, list) else [content]
    if kind in (5, 10):
        data = b"".join(struct.pack(order + ("II" if kind == 5 else "ii"), *item) for item in items)
    else:
        data = struct.pack(f"{order}{len(items)}{_CODES[kind]}", *items)
    return kind, len(items), data


def directory(
    entries: dict[int, Value], at: int, order: str = "<", following: int = 0, big: bool = False
) -> bytes:
    """One TIFF directory that stands at `at`, its values after it."""
    width, head = (8, "Q") if big else (4, "I")
    size = (8 if big else 2) + (20 if big else 12) * len(entries) + width
    out, values = struct.pack(order + ("Q" if big else "H"), len(entries)), b""
    for tag, value in sorted(entries.items()):
        kind, count, data = encode(value, order)
        if len(data) > width:
            place = struct.pack(order + head, at + size + len(values))
            values += data + b"\0" * (len(data) % 2)
        else:
            place = data.ljust(width, b"\0")
        out += struct.pack(order + "HH" + head, tag, kind, count) + place
    return out + struct.pack(order + head, following) + values


def tiff(
    main: dict[int, Value],
    exif: dict[int, Value] | None = None,
    gps: dict[int, Value] | None = None,
    order: str = "<",
) -> bytes:
    """A TIFF stream: the main directory and, where given, the EXIF and GPS directories below it."""
    out = (b"II*\0" if order == "<" else b"MM\0*") + struct.pack(order + "I", 8)
    main = dict(main)
    parts = [(tag, part) for tag, part in ((0x8769, exif), (0x8825, gps)) if part is not None]
    for tag, _ in parts:
        main[tag] = (4, 0)
    at = 8 + len(directory(main, 8, order))
    below = b""
    for tag, part in parts:
        main[tag] = (4, at)
        block = directory(part, at, order)
        below += block
        at += len(block)
    return out + directory(main, 8, order) + below


def segment(marker: int, data: bytes) -> bytes:
    """A JPEG segment."""
    return struct.pack(">BBH", 0xFF, marker, len(data) + 2) + data


def jpeg_tail(width: int = 48, height: int = 32) -> bytes:
    """A JPEG from its frame header on."""
    components = b"\x01\x22\x00\x02\x11\x01\x03\x11\x01"
    return segment(0xC0, struct.pack(">BHHB", 8, height, width, 3) + components) + b"\xff\xda\x00\x02\xff\xd9"


JPEG_TAIL = jpeg_tail()


def jpeg(
    *segments: bytes, exif: bytes | None = None, xmp: bytes | None = None, tail: bytes = JPEG_TAIL
) -> bytes:
    """A JPEG without image data; `tail` is its frame and what follows."""
    out = b"\xff\xd8"
    if exif is not None:
        out += segment(0xE1, b"Exif\0\0" + exif)
    if xmp is not None:
        out += segment(0xE1, b"http://ns.adobe.com/xap/1.0/\0" + xmp)
    return out + b"".join(segments) + tail


def chunk(kind: bytes, data: bytes) -> bytes:
    """A PNG chunk."""
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def png(
    *chunks: bytes,
    width: int = 48,
    height: int = 32,
    depth: int = 8,
    color: int = 2,
    after: Sequence[bytes] = (),
    pixels: int = 20,
) -> bytes:
    """A PNG; `after` stands behind the image data."""
    header = chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, depth, color, 0, 0, 0))
    body = b"".join(chunks) + chunk(b"IDAT", bytes(pixels)) + b"".join(after)
    return b"\x89PNG\r\n\x1a\n" + header + body + chunk(b"IEND", b"")


def riff(*chunks: tuple[bytes, bytes]) -> bytes:
    """A WebP of the chunks."""
    body = b"".join(
        kind + struct.pack("<I", len(data)) + data + b"\0" * (len(data) % 2) for kind, data in chunks
    )
    return b"RIFF" + struct.pack("<I", len(body) + 4) + b"WEBP" + body


def vp8x(flags: int, width: int = 48, height: int = 32) -> tuple[bytes, bytes]:
    """The header chunk of an extended WebP."""
    return b"VP8X", bytes([flags, 0, 0, 0]) + (width - 1).to_bytes(3, "little") + (height - 1).to_bytes(
        3, "little"
    )


VP8 = (b"VP8 ", b"\x30\x01\x00\x9d\x01\x2a\x30\x00\x20\x00" + bytes(10))


def packet(properties: str, attributes: str = "", namespaces: str = "") -> bytes:
    """An XMP packet with properties as elements and as attributes."""
    return f"""<?xpacket begin="" id="W5M0MpCehiHzreSzNTczkc9d"?><x:xmpmeta xmlns:x="adobe:ns:meta/">
    <rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#"><rdf:Description rdf:about=""
    xmlns:dc="http://purl.org/dc/elements/1.1/" xmlns:xmp="http://ns.adobe.com/xap/1.0/"
    xmlns:tiff="http://ns.adobe.com/tiff/1.0/" xmlns:exif="http://ns.adobe.com/exif/1.0/"
    xmlns:photoshop="http://ns.adobe.com/photoshop/1.0/" {namespaces} {attributes}>
    {properties}</rdf:Description></rdf:RDF>
    </x:xmpmeta>{" " * 200}<?xpacket end="w"?>""".encode()


def iptc(*sets: tuple[int, bytes], utf8: bool = True) -> bytes:
    """IPTC data sets of the application record."""
    out = b"\x1c\x01\x5a\x00\x03\x1b%G" if utf8 else b""
    return out + b"".join(struct.pack(">BBBH", 0x1C, 2, number, len(data)) + data for number, data in sets)


def resource(number: int, data: bytes, name: bytes = b"") -> bytes:
    """A Photoshop image resource."""
    label = bytes((len(name),)) + name + b"\0" * ((len(name) + 1) % 2)
    return (
        b"8BIM"
        + struct.pack(">H", number)
        + label
        + struct.pack(">I", len(data))
        + data
        + b"\0" * (len(data) % 2)
    )


def profile(*tags: tuple[bytes, bytes], padding: int = 0) -> bytes:
    """An ICC profile with the tags, `padding` bytes before their values."""
    at = 132 + 12 * len(tags) + padding
    table, values = struct.pack(">I", len(tags)), b""
    for name, data in tags:
        table += struct.pack(">4sII", name, at + len(values), len(data))
        values += data
    return b"\0" * 36 + b"acsp" + b"\0" * 88 + table + b"\0" * padding + values


def desc(text: str) -> tuple[bytes, bytes]:
    """A version 2 description tag."""
    return b"desc", b"desc\0\0\0\0" + struct.pack(">I", len(text) + 1) + text.encode() + b"\0" + bytes(78)


def mluc(*texts: tuple[bytes, str]) -> tuple[bytes, bytes]:
    """A version 4 description tag: (language and country, text)."""
    at, rows, values = 16 + 12 * len(texts), b"", b""
    for language, text in texts:
        data = text.encode("utf-16-be")
        rows += language + struct.pack(">II", len(data), at + len(values))
        values += data
    return b"desc", b"mluc\0\0\0\0" + struct.pack(">II", len(texts), 12) + rows + values


def gif(*blocks: bytes, width: int = 48, height: int = 32, packed: int = 0x80) -> bytes:
    """A GIF of the blocks, with a palette of two colours."""
    palette = bytes(3 << (packed & 7) + 1) if packed & 0x80 else b""
    return b"GIF89a" + struct.pack("<HHBBB", width, height, packed, 0, 0) + palette + b"".join(blocks) + b";"


def frame(delay: int = 10, transparent: bool = False, data: bytes = b"\2\2\x44\1\0") -> bytes:
    """A GIF frame with its control extension."""
    control = b"\x21\xf9\x04" + struct.pack("<BHBB", int(transparent), delay, 0, 0)
    return control + b"," + struct.pack("<HHHHB", 0, 0, 48, 32, 0) + data


def looping(count: int) -> bytes:
    """The Netscape loop extension."""
    return b"\x21\xff\x0bNETSCAPE2.0\x03\x01" + struct.pack("<H", count) + b"\0"


# --- ISO-BMFF: HEIF, AVIF, JPEG 2000, JPEG XL -----------------------------------------------------------------


def box(kind: bytes, *parts: bytes) -> bytes:
    """A box of ISO/IEC 14496-12."""
    body = b"".join(parts)
    return struct.pack(">I4s", 8 + len(body), kind) + body


def full(kind: bytes, *parts: bytes, version: int = 0, flags: int = 0) -> bytes:
    """A box with a version and flags."""
    return box(kind, struct.pack(">I", version << 24 | flags), *parts)


def ftyp(major: bytes, *compatible: bytes) -> bytes:
    """The box of a file's brands."""
    return box(b"ftyp", major, bytes(4), *compatible)


def infe(
    number: int, kind: bytes, *, hidden: bool = False, mime: bytes = b"", encoding: bytes = b""
) -> bytes:
    """One item's entry; `mime` is the URI of one that is known by it."""
    tail = b"\0" + (mime + b"\0" if kind in (b"mime", b"uri ") else b"")
    tail += encoding + b"\0" if kind == b"mime" else b""
    return full(b"infe", struct.pack(">HH4s", number, 0, kind), tail, version=2, flags=int(hidden))


def ispe(width: int, height: int) -> bytes:
    """The size of a picture."""
    return full(b"ispe", struct.pack(">II", width, height))


def pixi(*depths: int) -> bytes:
    """The bits of each channel."""
    return full(b"pixi", bytes([len(depths), *depths]))


def meta(
    items: Sequence[bytes],
    properties: Sequence[bytes],
    associations: dict[int, Sequence[int]],
    *,
    primary: int | None = 1,
    references: Sequence[tuple[bytes, int, Sequence[int]]] = (),
    locations: bytes = b"",
    more: bytes = b"",
) -> bytes:
    """The box that describes items: their entries, properties, and which item has which of them."""
    ipma = struct.pack(">I", len(associations)) + b"".join(
        struct.pack(">HB", item, len(indices)) + bytes(indices) for item, indices in associations.items()
    )
    iref = b"".join(
        box(kind, struct.pack(f">HH{len(to)}H", source, len(to), *to)) for kind, source, to in references
    )
    return full(
        b"meta",
        full(b"hdlr", bytes(4), b"pict", bytes(13)),
        full(b"pitm", struct.pack(">H", primary)) if primary is not None else b"",
        full(b"iinf", struct.pack(">H", len(items)), *items),
        full(b"iref", iref) if references else b"",
        box(b"iprp", box(b"ipco", *properties), full(b"ipma", ipma)),
        locations,
        more,
    )


def iloc(entries: Sequence[tuple[int, int, Sequence[tuple[int, int, int]]]]) -> bytes:
    """Version 1: (item, construction method, extents of (index, offset, length))."""
    out = struct.pack(">HH", 0x4404, len(entries))
    for item, method, extents in entries:
        out += struct.pack(">HHHH", item, method, 0, len(extents))
        for index, offset, length in extents:
            out += struct.pack(">III", index, offset, length)
    return full(b"iloc", out, version=1)


def still(*properties: bytes, major: bytes = b"avif", kind: bytes = b"av01") -> bytes:
    """One picture of 40x30 with further properties."""
    every = [ispe(40, 30), *properties]
    return ftyp(major, b"mif1", b"miaf") + meta([infe(1, kind)], every, {1: list(range(1, len(every) + 1))})


def with_exif(method: int, payload: bytes) -> bytes:
    """A picture whose Exif item is stored by the given construction method."""
    head = ftyp(b"heic", b"mif1")
    items = [infe(1, b"hvc1"), infe(2, b"Exif"), infe(3, b"hvc1", hidden=True)]

    def build(start: int) -> bytes:
        extents = {
            0: [(2, 0, [(0, start, 5), (0, start + 5, len(payload) - 5)])],
            1: [(2, 1, [(0, 0, len(payload))])],
            2: [(2, 2, [(1, 3, len(payload))]), (3, 0, [(0, start - 3, len(payload) + 3)])],
        }[method]
        body = meta(
            items,
            [ispe(40, 30)],
            {1: [1]},
            references=[(b"cdsc", 2, [1]), (b"iloc", 2, [3])],
            locations=iloc(extents),
            more=box(b"idat", payload),
        )
        return head + body + box(b"mdat", payload)

    return build(len(build(9)) - len(payload))


# --- damage ---------------------------------------------------------------------------------------------------


def damaged_twins(data: bytes) -> Iterator[bytes]:
    """The file cut off at every byte, and with each of its bytes in turn a count or an offset that breaks readers."""
    for end in range(len(data)):
        yield data[:end]
    for at in range(len(data) - 3):
        for edge in (b"\0\0\0\0", b"\xff\xff\xff\xff", b"\x7f\xff", b"\1"):
            yield data[:at] + edge + data[at + len(edge) :]
