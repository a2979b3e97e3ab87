"""JPEG 2000: what OpenJPEG writes through Pillow, boxes built by hand, damage."""

from __future__ import annotations

import io
import struct

import pytest
from PIL import Image

from image_metadata.errors import CorruptImage
from tests.support.builders import box
from tests.support.damage import endure, read

SIGNATURE = b"\0\0\0\x0cjP  \r\n\x87\n"
XMP_UUID = bytes.fromhex("be7acfcb97a942e89c71999491e3afac")
IPTC_UUID = bytes.fromhex("33c7a4d2b81d4723a0baf1a3e097ad38")


def ihdr(width: int = 40, height: int = 30, components: int = 3, depth: int = 7) -> bytes:
    return box(b"ihdr", struct.pack(">IIHBBBB", height, width, components, depth, 7, 0, 0))


def colr(space: int = 16) -> bytes:
    return box(b"colr", b"\1\0\0", struct.pack(">I", space))


def siz(width: int, height: int, *depths: int, left: int = 0, top: int = 0) -> bytes:
    body = struct.pack(">H8IH", 0, width, height, left, top, 16, 16, 0, 0, len(depths))
    body += b"".join(bytes((depth, 1, 1)) for depth in depths)
    return b"\xff\x4f\xff\x51" + struct.pack(">H", 2 + len(body)) + body


def jp2(*header: bytes, before: bytes = b"", after: bytes = b"", brand: bytes = b"jp2 ") -> bytes:
    stream = box(b"jp2c", siz(40, 30, 7, 7, 7), bytes(50))
    return SIGNATURE + box(b"ftyp", brand, bytes(4), brand) + before + box(b"jp2h", *header) + stream + after


def encoded(mode: str, suffix: str = "jp2", **options: object) -> bytes:
    out = io.BytesIO()
    out.name = f"x.{suffix}"
    Image.new(mode, (61, 37)).save(out, "JPEG2000", **options)
    return out.getvalue()


@pytest.mark.parametrize("suffix", ["jp2", "j2k"])
@pytest.mark.parametrize(("mode", "depth", "alpha"), [("L", 8, False), ("LA", 8, True), ("RGB", 8, False),
                                                      ("RGBA", 8, True), ("I;16", 16, False)])  # fmt: skip
def test_what_an_encoder_writes(mode: str, depth: int, alpha: bool, suffix: str) -> None:
    found = read("jp2", encoded(mode, suffix))
    assert found.format == "JPEG2000"
    assert found.content_type == {"jp2": "image/jp2", "j2k": "image/j2c"}[suffix]
    assert (found.width, found.height, found.bit_depth) == (61, 37, depth)
    assert (found.color_mode, found.has_alpha) == (mode, alpha)
    assert found.warnings == []


def test_cmyk() -> None:
    assert read("jp2", encoded("CMYK")).color_mode == "CMYK"


@pytest.mark.parametrize(("brand", "content_type"), [(b"jp2 ", "image/jp2"), (b"jpx ", "image/jpx"),
                                                     (b"jph ", "image/jph")])  # fmt: skip
def test_brands(brand: bytes, content_type: str) -> None:
    assert read("jp2", jp2(ihdr(), colr(), brand=brand)).content_type == content_type


def test_offset_of_the_image_area_is_taken_off() -> None:
    found = read("jp2", siz(140, 90, 11, left=40, top=10) + bytes(20))
    assert (found.width, found.height, found.bit_depth, found.color_mode) == (100, 80, 12, "I;16")


def test_depth_per_component() -> None:
    found = read("jp2", jp2(ihdr(depth=255), box(b"bpcc", bytes((7, 0x8B, 9))), colr()))
    assert found.bit_depth == 12


def test_palette() -> None:
    pclr = box(b"pclr", struct.pack(">HB", 2, 3), bytes((7, 7, 7)), bytes(6))
    found = read("jp2", jp2(ihdr(components=1), colr(), pclr))
    assert (found.color_mode, found.has_alpha) == ("P", False)


@pytest.mark.parametrize(
    ("kind", "alpha", "mode"), [(1, True, "RGBA"), (2, True, "RGBA"), (65535, False, "RGB")]
)
def test_channel_definition_outranks_the_count(kind: int, alpha: bool, mode: str) -> None:
    cdef = box(b"cdef", struct.pack(">H", 2), struct.pack(">3H", 0, 0, 1), struct.pack(">3H", 3, kind, 0))
    found = read("jp2", jp2(ihdr(components=4), colr(), cdef))
    assert (found.has_alpha, found.color_mode) == (alpha, mode)


def res(kind: bytes, down: tuple[int, int, int], across: tuple[int, int, int]) -> bytes:
    return box(kind, struct.pack(">4H2b", down[0], down[1], across[0], across[1], down[2], across[2]))


def test_resolution_as_captured_outranks_display() -> None:
    both = box(b"res ", res(b"resd", (1, 1, 3), (1, 1, 3)), res(b"resc", (11811, 1, 0), (5906, 100, 2)))
    assert read("jp2", jp2(ihdr(), colr(), both)).dpi == (150.0124, 299.9994)
    display = box(b"res ", res(b"resd", (11811, 1, 0), (11811, 1, 0)))
    assert read("jp2", jp2(ihdr(), colr(), display)).dpi == (299.9994, 299.9994)


@pytest.mark.parametrize("values", [(0, 1, 0), (1, 0, 0), (1, 1, 100), (1, 60000, -19)])
def test_impossible_resolutions_are_absent(values: tuple[int, int, int]) -> None:
    assert read("jp2", jp2(ihdr(), colr(), box(b"res ", res(b"resc", values, values)))).dpi is None


def test_blocks_before_and_behind_the_codestream() -> None:
    icc = bytes(16) + b"GRAY" + bytes(20)
    found = read(
        "jp2",
        jp2(
            ihdr(),
            box(b"colr", b"\2\0\0", icc),
            before=box(b"uuid", XMP_UUID, b"<x:xmpmeta/>"),
            after=box(b"uuid", b"JpgTiffExif->JP2", b"II*\0abcd") + box(b"uuid", IPTC_UUID, b"\x1c\2\0"),
        ),
    )
    assert (found.xmp, found.exif, found.iptc, found.icc) == (
        b"<x:xmpmeta/>",
        [b"II*\0abcd"],
        b"\x1c\2\0",
        icc,
    )


def test_exif_that_is_none_is_a_warning() -> None:
    found = read("jp2", jp2(ihdr(), after=box(b"uuid", b"JpgTiffExif->JP2", b"nothing")))
    assert found.exif == []
    assert found.warnings == ["EXIF has no TIFF header"]


def test_codestream_stands_in_for_a_missing_header() -> None:
    found = read("jp2", SIGNATURE + box(b"jp2c", siz(50, 60, 7, 7, 7)))
    assert (found.width, found.height, found.color_mode, found.bit_depth) == (50, 60, "RGB", 8)


@pytest.mark.parametrize(
    "data",
    [SIGNATURE, SIGNATURE + box(b"jp2h", ihdr(0, 30)), siz(40, 0, 7), siz(40, 30, 7, left=40), SIGNATURE[:9]],
)
def test_no_size_is_corrupt(data: bytes) -> None:
    with pytest.raises(CorruptImage):
        read("jp2", data)


def test_absurd_depth_is_a_warning() -> None:
    found = read("jp2", siz(40, 30, 127, 127, 127))
    assert found.bit_depth is None
    assert found.warnings


def test_damage() -> None:
    endure("jp2", encoded("RGBA"))
    endure("jp2", encoded("L", "j2k"))
    endure("jp2", jp2(ihdr(depth=255), box(b"bpcc", b"\7\7\7"), colr(12),
                      box(b"res ", res(b"resc", (1, 1, 1), (1, 1, 1))),
                      after=box(b"uuid", b"JpgTiffExif->JP2", b"II*\0abcd")))  # fmt: skip
