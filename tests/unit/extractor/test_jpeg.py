"""JPEG: segments in every order and state, multi-picture files, blocks that span segments."""

from __future__ import annotations

import struct
from collections.abc import Sequence
from itertools import zip_longest

import pytest

from image_metadata import RangeReader, extract, limits
from image_metadata.model import ImageMetadata
from tests.support.builders import (
    JPEG_TAIL,
    damaged_twins,
    desc,
    iptc,
    jpeg,
    metadata_of,
    packet,
    profile,
    resource,
    segment,
    tiff,
)


def sof(marker: int = 0xC0, depth: int = 8, components: int = 3, height: int = 32) -> bytes:
    body = struct.pack(">BHHB", depth, height, 48, components) + b"\1\x22\0" * components
    return segment(marker, body) + b"\xff\xda\x00\x02\xff\xd9"


@pytest.mark.parametrize("marker", [0xC0, 0xC1, 0xC2, 0xC3, 0xC5, 0xC9, 0xCA, 0xCF])
def test_every_kind_of_frame(marker: int) -> None:
    metadata = metadata_of(jpeg(tail=sof(marker)))
    assert (metadata.width, metadata.height, metadata.bit_depth, metadata.color_mode) == (48, 32, 8, "RGB")
    assert (metadata.content_type, metadata.frames, metadata.animated, metadata.has_alpha) == (
        "image/jpeg",
        1,
        False,
        False,
    )


@pytest.mark.parametrize(("components", "mode"), [(1, "L"), (3, "RGB"), (4, "CMYK")])
def test_colour_modes_and_depths(components: int, mode: str) -> None:
    metadata = metadata_of(
        jpeg(segment(0xEE, b"Adobe\0\x64\0\0\0\0\2"), tail=sof(depth=12, components=components))
    )
    assert (metadata.color_mode, metadata.bit_depth) == (mode, 12)


@pytest.mark.parametrize(("unit", "dpi"), [(0, None), (1, (300.0, 150.0)), (2, (762.0, 381.0)), (7, None)])
def test_jfif_density(unit: int, dpi: tuple[float, float] | None) -> None:
    assert (
        metadata_of(jpeg(segment(0xE0, b"JFIF\0\1\1" + struct.pack(">BHH", unit, 300, 150) + b"\0\0"))).dpi
        == dpi
    )


def test_exif_resolution_outranks_jfif() -> None:
    exif = tiff({0x011A: (5, (240, 1)), 0x011B: (5, (240, 1)), 0x0128: (3, 2)})
    jfif = segment(0xE0, b"JFIF\0\1\1" + struct.pack(">BHH", 1, 72, 72) + b"\0\0")
    assert metadata_of(jpeg(jfif, exif=exif)).dpi == (240.0, 240.0)


def test_comments() -> None:
    assert metadata_of(jpeg(segment(0xFE, "Grüße\0".encode()))).description == "Grüße"
    assert metadata_of(jpeg(segment(0xFE, "Grüße".encode("latin-1")))).description == "Grüße"


def test_a_profile_in_segments_out_of_order() -> None:
    icc = profile(desc("Wide Gamut"), padding=300)
    parts = [icc[i : i + 200] for i in range(0, len(icc), 200)]
    named = [b"ICC_PROFILE\0" + bytes([n + 1, len(parts)]) + part for n, part in enumerate(parts)]
    segments = [segment(0xE2, part) for part in reversed(named)]
    assert metadata_of(jpeg(*segments)).color_profile == "Wide Gamut"


def test_xmp_iptc_and_extended_xmp_together() -> None:
    digest = b"0123456789ABCDEF0123456789ABCDEF"
    main = packet("<dc:title>T</dc:title>", f'xmpNote:HasExtendedXMP="{digest.decode()}"')
    more = packet("<xmp:Rating>4</xmp:Rating>")
    parts = [
        segment(
            0xE1,
            b"http://ns.adobe.com/xmp/extension/\0"
            + name
            + struct.pack(">II", len(more), at)
            + more[at : at + 300],
        )
        for name, at in [(digest, 300), (digest, 0), (b"F" * 32, 0), (digest, 600)]
    ]
    photoshop = segment(0xED, b"Photoshop 3.0\0" + resource(0x0404, iptc((120, b"D"), (55, b"20240506"))))
    metadata = metadata_of(jpeg(*parts, photoshop, xmp=main))
    assert (metadata.title, metadata.rating, metadata.description) == ("T", 4, "D")
    assert (metadata.taken_at, metadata.taken_at_source) == ("2024-05-06", "IPTC DateCreated")
    assert metadata.warnings == []


def test_resources_split_over_segments() -> None:
    block = resource(0x0404, iptc((5, b"A title")))
    first, second = (segment(0xED, b"Photoshop 3.0\0" + part) for part in (block[:15], block[15:]))
    assert metadata_of(jpeg(first, second)).title == "A title"


def test_exif_split_over_segments() -> None:
    exif = tiff({0x010F: (2, "Acme"), 0x0112: (3, 3), 0x0131: (2, "x" * 300)})
    second = segment(0xE1, b"Exif\0\0" + exif[100:])
    metadata = metadata_of(jpeg(second, exif=exif[:100]))
    assert metadata.camera == {"make": "Acme"}
    assert len(metadata.software or "") == 300


@pytest.mark.parametrize(
    "name", [b"XMP\0://ns.adobe.com/xap/1.0/\0", b"http://ns.adobe.com/xap/2.0/ \0", b""]
)
def test_xmp_under_a_damaged_name(name: bytes) -> None:
    assert metadata_of(jpeg(segment(0xE1, name + packet("<dc:title>T</dc:title>")))).title == "T"


# --- multi-picture files ----------------------------------------------------------------------------------


def mpf(*kinds: int, places: Sequence[int] = ()) -> bytes:
    """A multi-picture index; places count from its TIFF header."""
    rows = zip_longest(kinds, places, fillvalue=0)
    entries = b"".join(struct.pack("<IIIHH", kind, 100, place, 0, 0) for kind, place in rows)
    return segment(
        0xE2, b"MPF\0" + tiff({0xB000: (7, b"0100"), 0xB001: (4, len(kinds)), 0xB002: (7, entries)})
    )


def sized(width: int, height: int, components: int = 3) -> bytes:
    """The end of a JPEG of that size, from its frame header on."""
    frame = struct.pack(">BHHB", 8, height, width, components) + bytes(3 * components)
    return segment(0xC0, frame) + b"\xff\xda\0\2\xff\xd9"


def pair(second: bytes, *segments: bytes, kind: int = 0, xmp: bytes | None = None) -> ImageMetadata:
    """A JPEG of 480 x 320 pixels with another behind it, of undefined type, which is where most gain maps are."""

    def first(place: int) -> bytes:
        return jpeg(*segments, mpf(0x30000, kind, places=[0, place]), xmp=xmp, tail=sized(480, 320))

    header = first(0).index(b"MPF\0") + 4
    return metadata_of(first(len(first(0)) - header) + second)


@pytest.mark.parametrize(
    ("kinds", "form", "frames"),
    [
        ((0x30000, 0x20002), "MPO", 2),
        ((0x30000, 0), "JPEG", 1),
        ((0x30000, 0x20003, 0x20003, 0x20003), "MPO", 4),
        ((0x30000, 0x20002, 0x10001, 0x10001), "MPO", 2),
        ((0x30000, 0x20001, 0x20001), "MPO", 3),
        ((0x30000, 0x10001, 0x10002), "JPEG", 1),
        ((0x30000,), "JPEG", 1),
    ],
)
def test_pictures_and_previews(kinds: tuple[int, ...], form: str, frames: int) -> None:
    metadata = metadata_of(jpeg(mpf(*kinds)))
    assert (metadata.format, metadata.frames, metadata.content_type) == (form, frames, "image/jpeg")


ISO = b"urn:iso:std:iso:ts:21496:-1\0"
AMPF = segment(0xE0, b"JFIF\0\1\1\0\0H\0H\0\0AMPF")
HDRGM = packet("", 'hdrgm:Version="1.0"', 'xmlns:hdrgm="http://ns.adobe.com/hdr-gain-map/1.0/"')
PREFIXED = packet("", 'gain:Version="1.0"', 'xmlns:gain="http://ns.adobe.com/hdr-gain-map/1.0/"')
APPLE = packet(
    "<apdi:AuxiliaryImageType>urn:com:apple:photo:2020:aux:hdrgainmap</apdi:AuxiliaryImageType>",
    namespaces='xmlns:apdi="http://ns.apple.com/pixeldatainfo/1.0/"',
)
CONTAINER = packet("", namespaces='xmlns:Container="http://ns.google.com/photos/1.0/container/"')


@pytest.mark.parametrize(
    ("second", "first"),
    [
        (jpeg(segment(0xE2, ISO + bytes(66)), tail=sized(480, 320)), ()),  # full size, said by the second
        (jpeg(tail=sized(480, 320)), (segment(0xE2, ISO + bytes(4)),)),  # said by the first
        (jpeg(tail=sized(480, 320)), (AMPF,)),
        (jpeg(xmp=HDRGM, tail=sized(480, 320)), ()),
        (jpeg(xmp=PREFIXED, tail=sized(480, 320)), ()),
        (jpeg(exif=bytes(60_000), xmp=HDRGM, tail=sized(480, 320)), ()),  # said behind what fills a segment
        (jpeg(xmp=APPLE, tail=sized(480, 320)), ()),
        (jpeg(tail=sized(240, 160)), ()),  # a quarter of the pixels
        (jpeg(tail=sized(480, 320, components=1)), ()),  # gray beside colours: a depth map
        (b"", ()),
        (b"\xff\xd8\xff", ()),
        (bytes(3000), ()),
    ],
)  # fmt: skip
def test_a_gain_map_or_depth_map_behind_it_leaves_a_jpeg(second: bytes, first: tuple[bytes, ...]) -> None:
    metadata = pair(second, *first)
    assert (metadata.status, metadata.format, metadata.frames) == ("ok", "JPEG", 1)


@pytest.mark.parametrize("xmp", [HDRGM, CONTAINER])
def test_a_picture_behind_a_packet_that_explains_it_leaves_a_jpeg(xmp: bytes) -> None:
    assert pair(jpeg(tail=sized(480, 320)), xmp=xmp).format == "JPEG"


def test_a_like_picture_of_undefined_type_is_a_view() -> None:
    metadata = pair(jpeg(tail=sized(480, 320)))
    assert (metadata.format, metadata.frames, metadata.content_type) == ("MPO", 2, "image/jpeg")


def test_a_like_picture_behind_large_segments_is_a_view() -> None:
    large = [segment(0xE1, b"Exif\0\0" + bytes(60_000)), segment(0xE2, bytes(65_000))]
    assert pair(jpeg(*large, tail=sized(480, 320))).format == "MPO"


def test_views_beside_a_gain_map_are_views() -> None:
    xmp = HDRGM
    assert pair(jpeg(tail=sized(240, 160)), kind=0x20002, xmp=xmp).format == "MPO"


def test_a_gain_map_is_no_picture() -> None:
    xmp = packet("", 'hdrgm:Version="1.0"', 'xmlns:hdrgm="http://ns.adobe.com/hdr-gain-map/1.0/"')
    metadata = metadata_of(jpeg(mpf(0x30000, 0), xmp=xmp))
    assert (metadata.format, metadata.frames) == ("JPEG", 1)


@pytest.mark.parametrize(
    "data", [b"", b"II*\0", b"nonsense", tiff({0xB001: (4, 10**6)}), tiff({0xB001: (2, "x")})]
)
def test_a_damaged_index_costs_nothing(data: bytes) -> None:
    metadata = metadata_of(jpeg(segment(0xE2, b"MPF\0" + data)))
    assert (metadata.status, metadata.format, metadata.frames) == ("ok", "JPEG", 1)


# --- damage ------------------------------------------------------------------------------------------------


def corrupt(data: bytes) -> ImageMetadata:
    metadata = metadata_of(data)
    assert (metadata.status, metadata.format, metadata.content_type) == ("corrupt", "JPEG", "image/jpeg")
    assert metadata.error
    return metadata


@pytest.mark.parametrize(
    "data",
    [b"\xff\xd8\xff", b"\xff\xd8\xff\xd9", b"\xff\xd8\xff\xe0\x00\x10JFIF", b"\xff\xd8\xff\xda\0\2",
     b"\xff\xd8" + segment(0xC0, b"\x08\0"), b"\xff\xd8\xff\xfe\0\2" + bytes(9000), b"\xff\xd8\xff" + b"\xff" * 5000],
)  # fmt: skip
def test_without_a_frame_header_the_size_is_unknown(data: bytes) -> None:
    corrupt(data)


def test_what_stands_before_the_damage_is_told() -> None:
    metadata = corrupt(jpeg(exif=tiff({0x010F: (2, "Acme")}), tail=b""))
    assert metadata.camera == {"make": "Acme"}


def test_a_size_of_zero_is_corrupt() -> None:
    corrupt(jpeg(tail=sof(height=0)))


def test_the_height_may_follow_the_first_scan() -> None:
    tail = sof(height=0)[:-2] + bytes(100) + b"\xff\xdc\0\4\0\x20\xff\xd9"
    assert metadata_of(jpeg(tail=tail)).height == 32


def test_stray_bytes_and_fill_bytes_between_segments() -> None:
    metadata = metadata_of(jpeg(segment(0xFE, b"x") + b"stray", b"\xff\xff\xff", segment(0xFE, b"y")))
    assert (metadata.status, metadata.width) == ("ok", 48)
    assert metadata.warnings == ["JPEG: stray bytes between segments"]


def test_a_segment_with_an_impossible_length_costs_itself() -> None:
    assert metadata_of(jpeg(b"\xff\xe5\0\0")).width == 48


def test_garbage_before_the_image() -> None:
    metadata = metadata_of(b"HTTP/1.1 200 OK\r\n\r\n" + jpeg(exif=tiff({0x0112: (3, 6)})))
    assert (metadata.status, metadata.format, metadata.width, metadata.orientation) == ("ok", "JPEG", 48, 6)
    assert metadata.warnings == ["19 bytes precede the image"]


def test_no_jpeg_is_seen_in_what_merely_holds_its_first_bytes() -> None:
    assert metadata_of(b"text \xff\xd8\xff and more text" * 9).status == "unsupported"


# --- cost --------------------------------------------------------------------------------------------------


def cost(data: bytes, total: int = 50_000_000) -> tuple[ImageMetadata, RangeReader]:
    reader = RangeReader(lambda start, end: data[start:end].ljust(min(end, total) - start, b"\0"), total)
    return extract(reader), reader


def test_a_large_jpeg_costs_one_request() -> None:
    metadata, reader = cost(jpeg(exif=tiff({0x010F: (2, "Acme")})))
    assert (metadata.width, reader.requests, reader.bytes_fetched) == (48, 1, limits.FIRST_BLOCK)


def test_long_segments_are_stepped_over() -> None:
    metadata, reader = cost(jpeg(*[segment(0xE5, bytes(65533))] * 10))
    assert metadata.width == 48
    assert reader.requests <= 5
    assert reader.bytes_fetched < 1_000_000


def test_a_large_profile_is_not_read_for_its_name() -> None:
    icc = profile(desc("Print"), (b"A2B0", bytes(400_000)))
    parts = [icc[i : i + 65000] for i in range(0, len(icc), 65000)]
    metadata, reader = cost(
        jpeg(*(segment(0xE2, b"ICC_PROFILE\0" + bytes([n + 1, len(parts)]) + p) for n, p in enumerate(parts)))
    )
    assert (metadata.width, metadata.color_profile) == (48, "Print")
    assert (reader.requests, reader.bytes_fetched < 700_000) == (5, True)


def test_the_budget_ends_an_endless_walk() -> None:
    endless = b"\xff\xd8" + segment(0xE5, bytes(65533)) * 200
    metadata, reader = cost(endless, len(endless))
    assert metadata.status == "corrupt"
    assert "budget" in (metadata.error or "")
    assert reader.requests <= limits.MAX_REQUESTS


def test_many_tiny_segments_end() -> None:
    assert metadata_of(b"\xff\xd8" + b"\xff\xe5\0\2" * 100_000 + JPEG_TAIL).status == "corrupt"


# --- several EXIF blocks, and many segments before the frame header -------------------------------------------


def exif_segments(*blocks: bytes) -> bytes:
    return jpeg(*(segment(0xE1, b"Exif\0\0" + block) for block in blocks))


def test_several_exif_blocks_fill_each_others_gaps_and_the_first_wins() -> None:
    first = tiff({0x0131: (2, "Tool"), 0x010F: (2, "First")})
    second = tiff({0x010F: (2, "Second"), 0x0110: (2, "Model"), 0x0112: (3, 6)}, {0x9003: (2, "2024:05:06 07:08:09")},
                  {1: (2, "S"), 2: (5, [(1, 1)]), 3: (2, "E"), 4: (5, [(2, 1)])}, order=">")  # fmt: skip
    metadata = metadata_of(exif_segments(first, second))
    assert (metadata.camera, metadata.software) == ({"make": "First", "model": "Model"}, "Tool")
    assert (metadata.orientation, metadata.taken_at) == (6, "2024-05-06T07:08:09")
    assert metadata.gps == {"latitude": -1.0, "longitude": 2.0}
    assert metadata.warnings == []


def test_exif_among_photoshops_resources_fills_gaps() -> None:
    block = resource(0x0422, tiff({0x010F: (2, "Second"), 0x0110: (2, "Model")}))
    metadata = metadata_of(jpeg(segment(0xED, b"Photoshop 3.0\0" + block), exif=tiff({0x010F: (2, "First")})))
    assert metadata.camera == {"make": "First", "model": "Model"}


@pytest.mark.parametrize("first", [b"", b"II*", b"\0\0\0\0\0\0\0\0\0\0\0\0", tiff({})])
def test_a_block_of_nothing_before_the_block(first: bytes) -> None:
    metadata = metadata_of(exif_segments(first, tiff({0x010F: (2, "Acme")})))
    assert metadata.camera == {"make": "Acme"}


def test_a_block_over_64_kib_goes_on_in_the_next_segment() -> None:
    block = tiff({0x010F: (2, "Acme"), 0x9286: (7, bytes(70_000)), 0x013B: (2, "x" * 100 + " An artist")})
    metadata = metadata_of(exif_segments(block[:65_000], block[65_000:], tiff({0x0131: (2, "Tool")})))
    assert (metadata.camera, (metadata.artist or "")[-6:], metadata.software) == (
        {"make": "Acme"},
        "artist",
        "Tool",
    )


@pytest.mark.parametrize("name", [b"EXIF\0\0", b"exif\0\0", b"Exif\0\xff"])
def test_exif_by_a_name_in_another_case(name: bytes) -> None:
    block = tiff({0x010F: (2, "Acme")})
    assert metadata_of(jpeg(segment(0xE1, name + block))).camera == {"make": "Acme"}


def test_more_exif_blocks_than_are_read() -> None:
    blocks = [tiff({0x010F: (2, "Acme")})] * 7 + [tiff({0x0110: (2, "Eighth")}), tiff({0x0131: (2, "Ninth")})]
    metadata = metadata_of(exif_segments(*blocks))
    assert (metadata.camera, metadata.software) == ({"make": "Acme", "model": "Eighth"}, None)


FULL = 65_533
CREDENTIALS = segment(0xEB, (b"JP\0\1\0\0\0\1" + bytes(16)).ljust(FULL, b"c"))
DEPTH = segment(0xE1, b"http://ns.adobe.com/xmp/extension/\0".ljust(FULL, b"d"))
OTHER = segment(0xE2, b"FPXR\0".ljust(FULL, b"f"))


def many(name: str, megabytes: float) -> bytes:
    count = round(megabytes * 1_000_000 / (FULL + 4))
    if name == "profile":
        parts = min(count, 255)
        whole = profile(desc("A profile"), padding=2000).ljust(parts * (FULL - 14), b"i")
        pieces = [whole[at : at + FULL - 14] for at in range(0, len(whole), FULL - 14)]
        return b"".join(
            segment(0xE2, b"ICC_PROFILE\0" + bytes([at + 1, parts]) + piece)
            for at, piece in enumerate(pieces)
        )
    if name == "extended":
        # Parts of a packet whose first part follows them, of a length by which each name crosses a step's end.
        return segment(0xE1, (DEPTH[4:39] + b"A" * 32 + bytes(8)).ljust(65_075, b"x")) * count
    one = {"credentials": [CREDENTIALS], "depth": [DEPTH], "mixed": [CREDENTIALS, DEPTH, OTHER]}[name]
    return b"".join(one[at * len(one) // count] for at in range(count))


@pytest.mark.parametrize("megabytes", [1, 4, 8])
@pytest.mark.parametrize("name", ["credentials", "depth", "profile", "mixed", "extended"])
def test_hundreds_of_full_segments_before_the_frame_header(name: str, megabytes: float) -> None:
    behind = packet("<xmp:Rating>3</xmp:Rating>")
    data = jpeg(
        many(name, megabytes),
        segment(0xE1, b"http://ns.adobe.com/xap/1.0/\0" + behind),
        exif=tiff({0x010F: (2, "Acme")}),
    ) + bytes(3_000_000)
    reader = RangeReader(lambda start, end: data[start:end], len(data))
    metadata = extract(reader)
    assert (metadata.status, metadata.width, metadata.camera, metadata.rating) == (
        "ok",
        48,
        {"make": "Acme"},
        3,
    )
    assert metadata.color_profile == ("A profile" if name == "profile" else None)
    assert reader.requests <= 12
    assert reader.bytes_fetched <= min(len(data), limits.MAX_BYTES)


def test_a_few_segments_are_not_read_through() -> None:
    data = jpeg(OTHER, OTHER) + bytes(3_000_000)
    reader = RangeReader(lambda start, end: data[start:end], len(data))
    assert extract(reader).width == 48
    assert (reader.requests, reader.bytes_fetched < 90_000) == (3, True)


def test_segments_past_the_budget_are_corrupt_with_the_reason() -> None:
    data = jpeg(many("credentials", 20))
    reader = RangeReader(lambda start, end: data[start:end], len(data))
    metadata = extract(reader)
    assert (metadata.status, metadata.width) == ("corrupt", None)
    assert "budget" in (metadata.error or "")
    assert reader.bytes_fetched <= limits.MAX_BYTES and reader.requests <= 16


def test_damaged_twins_of_several_exif_blocks() -> None:
    data = exif_segments(tiff({0x0131: (2, "Tool")}), tiff({0x010F: (2, "Acme")}), b"tail")
    for twin in damaged_twins(data):
        assert metadata_of(twin).status in ("ok", "corrupt", "unsupported", "too_large")


@pytest.mark.parametrize(
    ("components", "depth", "mode"), [(1, 8, "L"), (3, 8, "RGB"), (1, 12, "L"), (3, 16, "RGB")]
)
def test_jpeg_ls_by_name(components: int, depth: int, mode: str) -> None:
    parameters = segment(0xF8, b"\1" + bytes(10))
    data = jpeg(parameters, exif=tiff({0x010F: (2, "Acme")}), tail=sof(0xF7, depth, components))
    metadata = metadata_of(data)
    assert (metadata.status, metadata.format, metadata.content_type) == ("ok", "JPEG-LS", "image/jls")
    assert (metadata.width, metadata.height, metadata.bit_depth, metadata.color_mode) == (48, 32, depth, mode)
    assert (metadata.camera, metadata.frames) == ({"make": "Acme"}, 1)
    for twin in damaged_twins(data):
        assert metadata_of(twin).status in ("ok", "corrupt", "unsupported", "too_large")


def test_pictures_past_the_budget_are_not_counted() -> None:
    index = tiff(
        {
            0xB001: (4, 2),
            0xB002: (7, struct.pack("<4I", 0x30000, 0, 0, 0) + struct.pack("<4I", 0, 0, 2**24, 0)),
        }
    )
    data = jpeg(segment(0xE2, b"MPF\0" + index)) + bytes(200_000)
    reader = RangeReader(lambda start, end: data[start:end], len(data) + 2**25, max_requests=1)
    metadata = extract(reader)
    assert (metadata.status, metadata.width, metadata.frames) == ("ok", 48, None)
    assert "the pictures were not counted" in metadata.warnings[0]
