"""PNG and APNG: chunks before and behind the image data, inflated within bounds."""

from __future__ import annotations

import struct
import zlib

import pytest

from image_metadata import RangeReader, extract, limits
from tests.support.builders import (
    chunk,
    damaged_twins,
    desc,
    iptc,
    metadata_of,
    packet,
    png,
    profile,
    resource,
    tiff,
)

EXIF = tiff({0x010F: (2, "Acme"), 0x0112: (3, 6)})


PALETTE = chunk(b"PLTE", bytes(3 * 4))


def text(keyword: str, value: str) -> bytes:
    return chunk(b"tEXt", keyword.encode() + b"\0" + value.encode("latin-1"))


def ztext(keyword: str, value: bytes) -> bytes:
    return chunk(b"zTXt", keyword.encode() + b"\0\0" + zlib.compress(value))


def itext(keyword: str, value: bytes, packed: bool = False) -> bytes:
    head = keyword.encode() + b"\0" + bytes([packed, 0]) + b"en\0translated\0"
    return chunk(b"iTXt", head + (zlib.compress(value) if packed else value))


@pytest.mark.parametrize(
    ("color", "depth", "mode", "alpha"),
    [(0, 1, "1", False), (0, 4, "L", False), (0, 8, "L", False), (0, 16, "I;16", False), (2, 8, "RGB", False),
     (2, 16, "RGB", False), (3, 2, "P", False), (4, 8, "LA", True), (6, 16, "RGBA", True)],
)  # fmt: skip
def test_modes_depths_and_alpha(color: int, depth: int, mode: str, alpha: bool) -> None:
    metadata = metadata_of(png(color=color, depth=depth))
    assert (metadata.color_mode, metadata.bit_depth, metadata.has_alpha) == (mode, depth, alpha)
    assert (metadata.width, metadata.height, metadata.frames, metadata.animated) == (48, 32, 1, False)


def test_transparent_colours_are_alpha() -> None:
    assert metadata_of(png(PALETTE, chunk(b"tRNS", b"\0"), color=3)).has_alpha is True


def test_density() -> None:
    assert metadata_of(png(chunk(b"pHYs", struct.pack(">IIB", 11811, 5906, 1)))).dpi == (299.9994, 150.0124)
    assert metadata_of(png(chunk(b"pHYs", struct.pack(">IIB", 3, 4, 0)))).dpi is None


@pytest.mark.parametrize("behind", [False, True])
def test_blocks_before_and_behind_the_image_data(behind: bool) -> None:
    blocks = (
        chunk(b"eXIf", EXIF),
        text("Title", "Tést"),
        ztext("Author", b"A. Person"),
        itext("Description", "Zoë's".encode(), packed=True),
        itext("XML:com.adobe.xmp", packet("<xmp:Rating>4</xmp:Rating>")),
    )
    metadata = metadata_of(png(after=blocks) if behind else png(*blocks))
    assert (metadata.title, metadata.artist, metadata.description, metadata.rating) == (
        "Tést",
        "A. Person",
        "Zoë's",
        4,
    )
    assert (metadata.camera, metadata.orientation, metadata.display_width) == ({"make": "Acme"}, 6, 32)
    assert metadata.warnings == []


@pytest.mark.parametrize(
    ("name", "block"), [("exif", b"Exif\0\0" + EXIF), ("APP1", b"Exif\0\0" + EXIF), ("exif", EXIF)]
)
def test_exif_as_a_raw_profile(name: str, block: bytes) -> None:
    lines = f"\n{name}\n{len(block):8}\n{block.hex()}\n".encode()
    assert metadata_of(png(ztext(f"Raw profile type {name}", lines))).camera == {"make": "Acme"}


@pytest.mark.parametrize("head", ["\ngeneric profile\n", "\r\nexif\r\n", "\n\n", "\n8bim\n", ""])
@pytest.mark.parametrize("end", ["\n", "\r\n", " \n"])
def test_raw_profiles_by_any_name_and_line_end(head: str, end: str) -> None:
    lines = f"{head}{len(EXIF):8}{end}{EXIF.hex()}{end}".encode()
    assert metadata_of(png(ztext("Raw profile type exif", lines))).camera == {"make": "Acme"}


def test_other_raw_profiles() -> None:
    blocks = {
        "xmp": packet("<xmp:Rating>2</xmp:Rating>"),
        "iptc": resource(0x0404, iptc((5, b"T"))),
        "icc": profile(desc("P3")),
    }
    metadata = metadata_of(
        png(
            *(
                ztext(f"Raw profile type {k}", f"\n{k}\n {len(v)}\n{v.hex()}\n".encode())
                for k, v in blocks.items()
            )
        )
    )
    assert (metadata.rating, metadata.title, metadata.color_profile) == (2, "T", "P3")


def test_a_damaged_raw_profile_costs_itself() -> None:
    metadata = metadata_of(png(text("Raw profile type exif", "\nexif\n 4\nzz"), text("Title", "T")))
    assert (metadata.status, metadata.title) == ("ok", "T")
    assert metadata.warnings == ["PNG: a raw profile (exif) is damaged"]


def raw_profile(name: str, block: bytes, behind: str = "\n", stated: int | None = None) -> bytes:
    length = len(block) if stated is None else stated
    digits = "\n".join(block.hex()[at : at + 72] for at in range(0, 2 * len(block), 72))
    return f"\n{name}\n{length:8}\n{digits}{behind}".encode()


@pytest.mark.parametrize(
    "behind", ["", "\n", "0" * 99, "\n\n  zzzz ", "\nff00" * 20, "\0" * 40, "\nexif\n 4\n00"]
)
@pytest.mark.parametrize("name", ["exif", "APP1", "EXIF"])
def test_what_stands_behind_a_raw_profiles_length_is_none_of_it(name: str, behind: str) -> None:
    metadata = metadata_of(png(ztext(f"Raw profile type {name}", raw_profile(name, EXIF, behind))))
    assert (metadata.camera, metadata.orientation, metadata.warnings) == ({"make": "Acme"}, 6, [])
    sets = raw_profile("iptc", iptc((5, b"A title")), behind)
    metadata = metadata_of(png(ztext("Raw profile type iptc", sets)))
    assert (metadata.title, metadata.warnings) == ("A title", [])


@pytest.mark.parametrize("levels", [1, 2, 3])
@pytest.mark.parametrize("prefix", [b"", b"Exif\0\0", b"Exif\0\0Exif\0\0"])
def test_raw_profiles_nested_in_themselves(levels: int, prefix: bytes) -> None:
    block = prefix + EXIF
    for _ in range(levels):
        block = raw_profile("exif", block)
    metadata = metadata_of(png(ztext("Raw profile type exif", block)))
    assert (metadata.camera, metadata.warnings) == ({"make": "Acme"}, [])
    nested = raw_profile("iptc", raw_profile("iptc", resource(0x0404, iptc((5, b"A title")))))
    assert metadata_of(png(ztext("Raw profile type iptc", nested))).title == "A title"


def test_a_raw_profile_ends_where_its_damage_begins() -> None:
    block = raw_profile("xmp", packet("<dc:title>T</dc:title>")).replace(b"3c2f783a786d706d657461", b"zz")
    metadata = metadata_of(png(ztext("Raw profile type xmp", block)))
    assert metadata.title == "T" and "PNG: a raw profile (xmp) is damaged" in metadata.warnings
    for value in (b"", b"\n", b"\nexif\n", b"\nexif\nmany\nff", b"\nexif\n 0\n", b"\nexif\n99999999\nff",
                  raw_profile("exif", b"\nexif\n 9\n" * 50)):  # fmt: skip
        assert metadata_of(png(ztext("Raw profile type exif", value))).status == "ok"


def test_damaged_twins_of_a_raw_profile() -> None:
    data = png(text("Raw profile type exif", raw_profile("exif", raw_profile("exif", EXIF)).decode()))
    for twin in damaged_twins(data):
        assert metadata_of(twin).status in ("ok", "corrupt", "unsupported", "too_large")


def test_the_first_of_two_profiles_counts() -> None:
    first, second = (
        chunk(b"iCCP", b"ICC\0\0" + zlib.compress(profile(desc(name)))) for name in ("One", "Two")
    )
    assert metadata_of(png(first, second)).color_profile == "One"
    assert metadata_of(png(chunk(b"iCCP", b"ICC\0\0"), second)).color_profile == "Two"


def test_several_exif_blocks_fill_each_others_gaps() -> None:
    software, camera = tiff({0x0131: (2, "Tool"), 0x0112: (3, 3)}), EXIF
    for blocks in (
        (chunk(b"eXIf", software), chunk(b"eXIf", camera)),
        (chunk(b"eXIf", software), ztext("Raw profile type exif", raw_profile("exif", camera))),
        (ztext("Raw profile type APP1", raw_profile("APP1", b"Exif\0\0" + software)), chunk(b"eXIf", camera)),
        (chunk(b"eXIf", b"Exif\0\0" + software), chunk(b"zxIf", bytes(5) + zlib.compress(camera))),
    ):
        metadata = metadata_of(png(*blocks))
        assert (metadata.software, metadata.camera, metadata.orientation) == ("Tool", {"make": "Acme"}, 3)


def test_creation_time() -> None:
    metadata = metadata_of(png(text("Creation Time", "Tue, 14 May 2024 10:11:12 +0200")))
    assert (metadata.taken_at, metadata.taken_at_offset) == ("2024-05-14T10:11:12", "+02:00")
    assert metadata.taken_at_source == "PNG Creation Time"


def test_profile_names() -> None:
    assert (
        metadata_of(
            png(chunk(b"iCCP", b"ICC\0\0" + zlib.compress(profile(desc("Display P3")))))
        ).color_profile
        == "Display P3"
    )


def test_a_profile_without_its_checksum_is_read() -> None:
    assert (
        metadata_of(png(chunk(b"iCCP", b"ICC\0\0" + zlib.compress(profile(desc("P3")))[:-4]))).color_profile
        == "P3"
    )


def test_a_profile_that_inflates_to_more_than_is_read_keeps_its_name() -> None:
    large = zlib.compress(profile(desc("Wide"), (b"A2B0", bytes(2 * limits.MAX_INFLATED))))
    metadata = metadata_of(png(chunk(b"iCCP", b"ICC\0\0" + large)))
    assert (metadata.color_profile, metadata.warnings) == ("Wide", [])


def test_wrong_checksums_cost_nothing() -> None:
    data = bytearray(png(text("Title", "T")))
    data[29:33] = b"\0\0\0\0"
    assert (metadata_of(bytes(data)).width, metadata_of(bytes(data)).title) == (48, "T")


# --- animation ----------------------------------------------------------------------------------------------


def control(delay: int, under: int) -> bytes:
    return chunk(b"fcTL", struct.pack(">IIIIIHHBB", 0, 48, 32, 0, 0, delay, under, 0, 0))


def test_an_animation_without_the_default_image() -> None:
    actl = chunk(b"acTL", struct.pack(">II", 2, 5))
    metadata = metadata_of(
        png(actl, after=[control(1, 10), chunk(b"fdAT", bytes(9)), control(25, 0), chunk(b"fdAT", bytes(9))])
    )
    assert (metadata.frames, metadata.animated, metadata.duration_ms, metadata.loop) == (2, True, 350, 5)


def test_an_animation_that_is_stated_behind_the_pixels_is_none() -> None:
    actl = chunk(b"acTL", struct.pack(">II", 2, 3))
    metadata = metadata_of(png(after=[actl, control(1, 10), chunk(b"fdAT", bytes(9)), control(1, 10)]))
    assert (metadata.frames, metadata.animated, metadata.loop, metadata.duration_ms) == (1, False, None, None)
    assert metadata.warnings == ["PNG: an acTL chunk is out of place"]


@pytest.mark.parametrize("numbers", [(2**31, 0), (2, 2**31)])
def test_numbers_that_no_chunk_may_state_are_not_read(numbers: tuple[int, int]) -> None:
    metadata = metadata_of(png(chunk(b"acTL", struct.pack(">II", *numbers))))
    assert (metadata.frames, metadata.animated, metadata.loop) == (1, False, None)


def test_one_frame_is_no_animation() -> None:
    metadata = metadata_of(png(chunk(b"acTL", struct.pack(">II", 1, 0)), control(1, 10)))
    assert (metadata.frames, metadata.animated, metadata.loop) == (1, False, None)


def test_a_duration_is_told_only_when_every_frame_was_seen() -> None:
    metadata = metadata_of(png(chunk(b"acTL", struct.pack(">II", 3, 0)), control(1, 10)))
    assert (metadata.frames, metadata.duration_ms) == (3, None)


# --- bounds and damage ---------------------------------------------------------------------------------------


def test_compressed_text_is_inflated_within_a_bound() -> None:
    bomb = zlib.compress(bytes(200_000_000), 9)
    metadata = metadata_of(png(chunk(b"zTXt", b"Comment\0\0" + bomb), text("Title", "T")))
    assert (metadata.description, metadata.title) == (None, "T")
    assert metadata.warnings == ["PNG text: a block inflates to more than is read"]


def test_damaged_text_gives_what_stands_before_the_damage() -> None:
    packed = zlib.compress(bytes(range(65, 91)) * 1000, 0)
    packed = packed[:9000] + b"\xff" * 8 + packed[9008:]
    metadata = metadata_of(png(chunk(b"zTXt", b"Comment\0\0" + packed[:8000])))
    assert (metadata.description or "").startswith("ABCDEFGHIJ")


def test_unwanted_text_is_not_read() -> None:
    data = png(text("workflow", "x" * 600_000), text("Title", "T"))
    reader = RangeReader(lambda start, end: data[start:end], len(data))
    assert extract(reader).title == "T"
    assert reader.bytes_fetched < 80_000


@pytest.mark.parametrize("size", [8192, 30_000])
def test_image_data_in_many_chunks_costs_one_look_at_the_end(size: int) -> None:
    pieces = [chunk(b"IDAT", bytes(size))] * (6_000_000 // size)
    data = png(after=[*pieces, chunk(b"eXIf", EXIF), text("Title", "T")])
    reader = RangeReader(lambda start, end: data[start:end], len(data))
    metadata = extract(reader)
    assert (metadata.title, metadata.orientation, metadata.warnings) == ("T", 6, [])
    assert reader.requests <= 3
    assert reader.bytes_fetched <= 160_000


def test_image_data_in_one_chunk_is_stepped_over() -> None:
    data = png(pixels=9_000_000, after=[text("Title", "T")])
    reader = RangeReader(lambda start, end: data[start:end], len(data))
    assert extract(reader).title == "T"
    assert (reader.requests, reader.bytes_fetched < 70_000) == (2, True)


def test_chunk_names_within_image_data_do_not_mislead() -> None:
    decoy = (b"IDAT" + b"IEND" * 10 + struct.pack(">I", 3) + b"tEXtxIEND") * 100
    pieces = [chunk(b"IDAT", decoy)] * 500
    data = png(after=[*pieces, text("Title", "T")])
    reader = RangeReader(lambda start, end: data[start:end], len(data))
    assert extract(reader).title == "T"


@pytest.mark.parametrize("length", [8, 16, 20, 28])
def test_a_cut_off_header_is_corrupt(length: int) -> None:
    metadata = metadata_of(png()[:length])
    assert (metadata.status, metadata.format) == ("corrupt", "PNG")


def test_zero_size_is_corrupt_and_a_huge_one_too_large() -> None:
    data = bytearray(png())
    data[16:20] = bytes(4)
    assert metadata_of(bytes(data)).status == "corrupt"
    data[16:24] = b"\x7f\xff\xff\xff" * 2
    metadata = metadata_of(bytes(data))
    assert (metadata.status, metadata.width) == ("too_large", 0x7FFFFFFF)


def test_a_chunk_longer_than_the_file() -> None:
    data = png()[:33] + struct.pack(">I", 0xFFFFFFF0) + b"tEXtTitle\0T"
    assert (metadata_of(data).status, metadata_of(data).width) == ("ok", 48)


def test_a_block_over_its_limit_is_passed_over() -> None:
    metadata = metadata_of(png(chunk(b"eXIf", bytes(limits.MAX_EXIF + 1)), text("Title", "T")))
    assert (metadata.title, metadata.warnings) == ("T", ["PNG: a eXIf chunk is larger than is read"])


@pytest.mark.parametrize(
    ("color", "chunks", "alpha"),
    [
        (0, [chunk(b"tRNS", bytes(2))], True),
        (2, [chunk(b"tRNS", bytes(6))], True),
        (3, [PALETTE, chunk(b"tRNS", bytes(4))], True),
        (3, [PALETTE, chunk(b"tRNS", bytes(1))], True),
        # Of a wrong length.
        (0, [chunk(b"tRNS", bytes(1))], False),
        (0, [chunk(b"tRNS", bytes(6))], False),
        (2, [chunk(b"tRNS", bytes(2))], False),
        (2, [chunk(b"tRNS", bytes(7))], False),
        (3, [PALETTE, chunk(b"tRNS", bytes(5))], False),
        (3, [PALETTE, chunk(b"tRNS", bytes(256))], False),
        (3, [PALETTE, chunk(b"tRNS", b"")], False),
        # Out of place.
        (3, [chunk(b"tRNS", bytes(4)), PALETTE], False),
        (3, [chunk(b"tRNS", bytes(4))], False),
        # Beside an alpha channel it says nothing.
        (6, [chunk(b"tRNS", bytes(6))], True),
        (4, [chunk(b"tRNS", bytes(2))], True),
    ],
)
def test_alpha_by_a_transparency_chunk(color: int, chunks: list[bytes], alpha: bool) -> None:
    metadata = metadata_of(png(*chunks, color=color))
    assert metadata.has_alpha is alpha
    assert bool(metadata.warnings) is (not alpha or color in (4, 6))


@pytest.mark.parametrize(("color", "length"), [(0, 2), (2, 6), (3, 4)])
def test_a_transparency_chunk_behind_the_pixels_is_passed_over(color: int, length: int) -> None:
    before = [PALETTE] if color == 3 else []
    metadata = metadata_of(png(*before, color=color, after=[chunk(b"tRNS", bytes(length))]))
    assert metadata.has_alpha is False
    assert metadata.warnings == ["PNG: a tRNS chunk is out of place or of a wrong length"]
