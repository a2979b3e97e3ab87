"""JPEG XL: headers that libjxl wrote, bit fields built by hand, containers, damage."""

from __future__ import annotations

import random
import struct

import brotli
import pytest

from image_metadata.errors import CorruptImage
from image_metadata.formats import jxl
from tests.support.builders import box, damaged_twins, metadata_of, packet, tiff
from tests.support.damage import endure, read, recognised, survives

SIGNATURE = b"\0\0\0\x0cJXL \r\n\x87\n" + b"\0\0\0\x14ftypjxl \0\0\0\0jxl "
TIFF = b"MM\0*\0\0\0\x08\0\0"
#: The first bytes of what libjxl 0.11 encoded: header, size, mode, depth, alpha, animation.
WRITTEN = [
    ("ff0af8be01001388020024c2070c00000000000000000000", (640, 480), "RGB", 8, False, False),
    ("ff0ada2ee87c8095080810001c000000c0011cc0011cc001", (1000, 1500), "RGBA", 8, True, False),
    ("ff0a60000c80a0b8110800010018004b188b158201", (7, 13), "L", 8, False, False),
    ("ff0a7fc0a2b8110808100018004b188b158201", (256, 256), "LA", 8, True, False),
    ("ff0a9840fc00458b0804010018004b188b158201", (30, 20), "I;16", 16, False, False),
    ("ff0a98407200458b0804010018004b188b158201", (30, 20), "RGB", 32, False, False),
    ("ff0a984014142d020804010018004b188b158201", (30, 20), "I;16", 10, False, False),
    ("ff0a9840411300880908040100c90f4b384186772b93e3c2", (30, 20), "RGB", 8, False, True),
]


class Bits:
    """Writes bit fields, least significant bit first."""

    def __init__(self) -> None:
        self.value = 0
        self.length = 0

    def put(self, *fields: tuple[int, int]) -> Bits:
        for value, count in fields:
            self.value |= value << self.length
            self.length += count
        return self

    def bytes(self) -> bytes:
        return b"\xff\x0a" + self.value.to_bytes((self.length + 7) // 8 + 4, "little")


def size(width: int, height: int) -> list[tuple[int, int]]:
    """A SizeHeader with both sides written out in 13 bits."""
    return [(0, 1), (1, 2), (height - 1, 13), (0, 3), (1, 2), (width - 1, 13)]


@pytest.mark.parametrize(("header", "dimensions", "mode", "depth", "alpha", "animated"), WRITTEN)
def test_headers_from_an_encoder(
    header: str, dimensions: tuple[int, int], mode: str, depth: int, alpha: bool, animated: bool
) -> None:
    found = read("jxl", bytes.fromhex(header))
    assert (found.format, found.content_type) == ("JXL", "image/jxl")
    assert ((found.width, found.height), found.color_mode, found.bit_depth) == (dimensions, mode, depth)
    assert (found.has_alpha, found.animated, found.orientation) == (alpha, animated, 1)
    assert found.frames == (None if animated else 1)
    assert found.warnings == []


@pytest.mark.parametrize(
    ("ratio", "width"), [(1, 240), (2, 288), (3, 320), (4, 360), (5, 426), (6, 300), (7, 480)]
)
def test_widths_by_ratio(ratio: int, width: int) -> None:
    found = read("jxl", Bits().put((1, 1), (29, 5), (ratio, 3), (1, 1)).bytes())
    assert (found.width, found.height) == (width, 240)
    assert (found.bit_depth, found.color_mode, found.has_alpha) == (8, "RGB", False)


@pytest.mark.parametrize("orientation", range(1, 9))
def test_orientation_intrinsic_size_preview_and_animation(orientation: int) -> None:
    bits = Bits().put(*size(300, 200), (0, 1), (1, 1), (orientation - 1, 3))
    bits.put((1, 1), *size(30, 20))
    bits.put((1, 1), (1, 1), (0, 2), (1, 3))  # a preview of 128 x 128
    bits.put((1, 1), (0, 2), (0, 2), (1, 2), (5, 3), (0, 1))  # 100 ticks a second, 5 loops
    bits.put((0, 1), (1, 2), (1, 1), (0, 2), (1, 1), (1, 1))  # 10 bits, no extra channel, XYB, sRGB
    found = read("jxl", bits.bytes())
    assert (found.width, found.height, found.orientation) == (300, 200, orientation)
    assert (found.animated, found.loop, found.bit_depth, found.color_mode) == (True, 5, 10, "RGB")


def test_extra_channels_with_names() -> None:
    bits = Bits().put(*size(30, 20), (0, 1), (0, 1), (0, 1), (0, 2), (1, 1))
    bits.put((2, 2), (1, 4))  # three of them: depth, a named spot colour, alpha
    bits.put((0, 1), (1, 2), (0, 1), (0, 2), (0, 2), (0, 2))
    bits.put((0, 1), (2, 2), (0, 4), (0, 1), (0, 2), (0, 2), (1, 2), (3, 4), (0x636261, 24), (0, 64))
    bits.put((1, 1))
    bits.put((1, 1), (0, 1), (0, 1), (1, 2))  # XYB, an own colour encoding, no profile, grey
    found = read("jxl", bits.bytes())
    assert (found.has_alpha, found.color_mode) == (True, "LA")


def test_black_channel_is_cmyk() -> None:
    bits = Bits().put(*size(30, 20), (0, 1), (0, 1), (0, 1), (0, 2), (1, 1), (1, 2))
    bits.put((0, 1), (2, 2), (2, 4), (0, 1), (0, 2), (0, 2), (0, 2), (0, 1), (1, 1))
    assert read("jxl", bits.bytes()).color_mode == "CMYK"


@pytest.mark.parametrize("prefix", [b"\0\0\0\0", b"\0\0\0\6Exif\0\0", b""])
def test_container_with_exif_and_xmp_behind_the_codestream(prefix: bytes) -> None:
    data = SIGNATURE + box(b"jxll", b"\5") + box(b"jxlc", bytes.fromhex(WRITTEN[0][0])) + bytes(0)
    data += box(b"Exif", prefix + TIFF) + box(b"xml ", b"<x:xmpmeta/>")
    found = read("jxl", data)
    assert (found.width, found.height, found.exif, found.xmp) == (640, 480, [TIFF], b"<x:xmpmeta/>")


def test_partial_codestreams_are_joined() -> None:
    stream = bytes.fromhex(WRITTEN[1][0])
    parts = b"".join(box(b"jxlp", struct.pack(">I", n) + stream[n : n + 1]) for n in range(len(stream)))
    found = read("jxl", SIGNATURE + parts)
    assert (found.width, found.height, found.has_alpha) == (1000, 1500, True)


CODESTREAM = box(b"jxlc", bytes.fromhex(WRITTEN[0][0]))
EXIF = bytes(4) + tiff({0x010F: (2, "Acme")}, {0x9003: (2, "2024:05:06 07:08:09")})


def packed(kind: bytes, data: bytes, quality: int = 11) -> bytes:
    return box(b"brob", kind + brotli.compress(data, quality=quality))


@pytest.mark.parametrize("prefix", [b"", CODESTREAM])
def test_brotli_boxes_are_unpacked(prefix: bytes) -> None:
    data = SIGNATURE + prefix + packed(b"Exif", EXIF) + packed(b"xml ", packet("<xmp:Rating>3</xmp:Rating>"))
    metadata = metadata_of(data + packed(b"jumb", b"credentials") + (b"" if prefix else CODESTREAM))
    assert (metadata.camera, metadata.taken_at, metadata.rating) == (
        {"make": "Acme"},
        "2024-05-06T07:08:09",
        3,
    )
    assert metadata.warnings == []


def test_packed_and_plain_boxes_fill_each_others_gaps() -> None:
    plain = box(b"Exif", bytes(4) + tiff({0x0131: (2, "Tool")}))
    for boxes in (plain + packed(b"Exif", EXIF), packed(b"Exif", EXIF) + plain):
        metadata = metadata_of(SIGNATURE + CODESTREAM + boxes)
        assert (metadata.camera, metadata.software) == ({"make": "Acme"}, "Tool")


def test_a_large_packed_block_is_read_whole() -> None:
    title = "<dc:title>T</dc:title>"
    plain = packet(title + f"<exif:MakerNote>{random.Random(1).randbytes(200_000).hex()}</exif:MakerNote>")
    metadata = metadata_of(SIGNATURE + CODESTREAM + packed(b"xml ", plain))
    assert (metadata.title, metadata.warnings) == ("T", [])


def test_a_brotli_bomb_costs_itself() -> None:
    data = SIGNATURE + packed(b"xml ", bytes(200_000_000), quality=1) + packed(b"Exif", EXIF) + CODESTREAM
    metadata = metadata_of(data)
    assert (metadata.camera, metadata.warnings) == ({"make": "Acme"}, ["XMP unpacks to more than is read"])


def test_damaged_brotli_yields_what_stands_before_the_damage() -> None:
    noise = random.Random(1).randbytes(30_000)
    whole = packed(b"Exif", EXIF + noise)
    for end, warning in ((20_000, "EXIF is cut off"), (len(whole), "EXIF is damaged: Brotli ends early")):
        body = bytearray(whole[8:end])
        if end == len(whole):
            body[25_000:25_100] = b"\xff" * 100
        metadata = metadata_of(SIGNATURE + CODESTREAM + box(b"brob", bytes(body)))
        assert (metadata.status, metadata.camera) == ("ok", {"make": "Acme"})
        assert end == len(whole) or metadata.warnings == [warning]
    for body in (b"", b"Exif", b"Exif\0", b"Exif" + b"\xff" * 9, b"xml " + b"\0"):
        metadata = metadata_of(SIGNATURE + box(b"brob", body) + CODESTREAM)
        assert (metadata.status, metadata.camera) == ("ok", None)


def test_without_brotli_its_boxes_are_a_warning(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(jxl, "brotli", None)
    metadata = metadata_of(SIGNATURE + packed(b"Exif", EXIF) + packed(b"jumb", b"credentials") + CODESTREAM)
    assert (metadata.status, metadata.camera) == ("ok", None)
    assert metadata.warnings == ["EXIF is compressed with Brotli, which is not installed"]


def test_damaged_twins_of_brotli_boxes() -> None:
    data = SIGNATURE + packed(b"Exif", EXIF) + packed(b"xml ", packet("<dc:title>T</dc:title>")) + CODESTREAM
    for twin in damaged_twins(data):
        assert metadata_of(twin).status in ("ok", "corrupt", "unsupported", "too_large")


@pytest.mark.parametrize(
    "data",
    [
        SIGNATURE,
        SIGNATURE + box(b"jxlc", b"\xff"),
        b"\xff\x0a\0",
        SIGNATURE + struct.pack(">I4s", 3, b"jxlc"),
    ],
)
def test_no_size_is_corrupt(data: bytes) -> None:
    with pytest.raises(CorruptImage):
        read("jxl", data)


def test_a_header_cut_behind_the_size_costs_only_the_rest() -> None:
    found = read("jxl", bytes.fromhex(WRITTEN[1][0])[:7])
    assert (found.width, found.height) == (1000, 1500)
    assert found.warnings


def test_a_jpeg_is_not_ours() -> None:
    assert not recognised("jxl", b"\xff\xd8\xff\xe0")


def test_damage() -> None:
    data = SIGNATURE + box(b"Exif", bytes(4) + TIFF) + box(b"jxlc", bytes.fromhex(WRITTEN[1][0]))
    endure("jxl", data)
    for header, *_ in WRITTEN:
        endure("jxl", bytes.fromhex(header))
    survives("jxl", SIGNATURE + box(b"jxlp", b"") * 3000)
