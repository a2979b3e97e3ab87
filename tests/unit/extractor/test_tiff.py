"""TIFF and BigTIFF: the raster's tags, the pages, the blocks the directory points to."""

from __future__ import annotations

import struct
import tracemalloc

import pytest

from image_metadata import RangeReader, extract, limits
from image_metadata.model import ImageMetadata
from tests.support.builders import Value, desc, directory, iptc, metadata_of, packet, profile, resource, tiff
from tests.support.raws import raster, stream

SIZE: dict[int, Value] = {0x0100: (3, 48), 0x0101: (4, 32)}


def read(
    tags: dict[int, Value], exif: dict[int, Value] | None = None, gps: dict[int, Value] | None = None
) -> ImageMetadata:
    return metadata_of(tiff(SIZE | tags, exif, gps))


@pytest.mark.parametrize(
    ("photometric", "bits", "samples", "extra", "mode", "alpha"),
    [(1, [1], 1, None, "1", False), (0, [8], 1, None, "L", False), (1, [4], 1, None, "L", False),
     (1, [16], 1, None, "I;16", False), (2, [8, 8, 8], 3, None, "RGB", False), (2, [16] * 4, 4, 2, "RGBA", True),
     (2, [8] * 4, 4, 0, "RGB", False), (3, [8], 1, None, "P", False), (5, [8] * 4, 4, None, "CMYK", False),
     (6, [8] * 3, 3, None, "YCbCr", False), (8, [8] * 3, 3, None, "LAB", False), (1, [8, 8], 2, 1, "LA", True),
     (2, [5, 6, 5], 3, None, "RGB", False)],
)  # fmt: skip
def test_modes_and_depths(
    photometric: int, bits: list[int], samples: int, extra: int | None, mode: str, alpha: bool
) -> None:
    tags: dict[int, Value] = {0x0102: (3, bits), 0x0106: (3, photometric), 0x0115: (3, samples)}
    metadata = read(tags | ({0x0152: (3, extra)} if extra is not None else {}))
    assert (metadata.color_mode, metadata.bit_depth, metadata.has_alpha) == (mode, max(bits), alpha)


def test_a_size_of_400_digits_is_none() -> None:
    metadata = read({0x0100: (2, "9" * 400)})
    assert (metadata.status, metadata.width) == ("corrupt", None)


def test_floating_point_samples() -> None:
    assert read({0x0102: (3, 32), 0x0106: (3, 1), 0x0153: (3, 3)}).color_mode == "F"


def test_a_missing_depth_is_one_bit() -> None:
    assert (read({0x0106: (3, 0)}).bit_depth, read({0x0106: (3, 0)}).color_mode) == (1, "1")


@pytest.mark.parametrize("order", ["<", ">"])
def test_size_turn_and_camera_in_both_byte_orders(order: str) -> None:
    metadata = metadata_of(
        tiff(SIZE | {0x0112: (3, 6), 0x010F: (2, "Acme")}, {0x9003: (2, "2024:05:06 07:08:09")}, order=order)
    )
    assert (metadata.width, metadata.height, metadata.display_width, metadata.display_height) == (
        48,
        32,
        32,
        48,
    )
    assert (metadata.camera, metadata.taken_at) == ({"make": "Acme"}, "2024-05-06T07:08:09")


def test_blocks_of_every_kind() -> None:
    metadata = read(
        {0x02BC: (1, packet("<xmp:Rating>4</xmp:Rating>")), 0x83BB: (7, iptc((5, b"T"))),
         0x8773: (7, profile(desc("P3"))),
         0x8649: (1, resource(0x03ED, struct.pack(">IHHIHH", 300 << 16, 1, 1, 300 << 16, 1, 1)))},
        gps={1: (2, "S"), 2: (5, [(33, 1), (30, 1), (0, 1)]), 3: (2, "E"), 4: (5, [(151, 1)])},
    )  # fmt: skip
    assert (metadata.rating, metadata.title, metadata.color_profile, metadata.dpi) == (
        4,
        "T",
        "P3",
        (300.0, 300.0),
    )
    assert metadata.gps == {"latitude": -33.5, "longitude": 151.0}


def test_iptc_written_as_longs_of_the_other_order() -> None:
    block = iptc((5, b"A title"))
    block += b"\0" * (-len(block) % 4)
    swapped = [struct.unpack(">I", block[i : i + 4])[0] for i in range(0, len(block), 4)]
    assert read({0x83BB: (4, swapped)}).title == "A title"


def pages(count: int, last: int = 0, big: bool = False) -> bytes:
    head = b"II+\0\x08\0\0\0" + struct.pack("<Q", 16) if big else b"II*\0" + struct.pack("<I", 8)
    out = head
    for number in range(count):
        size = len(directory(SIZE, len(out), big=big))
        following = len(out) + size if number + 1 < count else last
        out += directory(SIZE, len(out), following=following, big=big)
    return out


@pytest.mark.parametrize("big", [False, True])
def test_pages(big: bool) -> None:
    metadata = metadata_of(pages(5, big=big))
    assert (metadata.format, metadata.width, metadata.height, metadata.frames) == ("TIFF", 48, 32, 5)
    assert metadata.animated is False


def test_pages_in_a_circle_end() -> None:
    assert metadata_of(pages(3, last=8)).frames == 3


def test_a_last_page_outside_the_file_is_none() -> None:
    assert metadata_of(pages(3, last=10**6)).frames == 3


FULL, LEVEL, MASK = raster(4000, 3000, 0), raster(2000, 1500, 1), raster(4000, 3000, 4, 1, 1, 4)
#: As EXIF writes one: a JPEG file, no strips.
THUMBNAIL: dict[int, Value] = {
    0x0100: (4, 160), 0x0101: (4, 120), 0x0103: (3, 6), 0x0201: (4, 8), 0x0202: (4, 50)
}  # fmt: skip
OLD_COPY = raster(2000, 1500) | {0x00FF: (3, 2)}


@pytest.mark.parametrize(
    ("directories", "frames"),
    [
        ([FULL, LEVEL, raster(1000, 750, 1), raster(500, 375, 1)], 1),  # a pyramid
        ([FULL, MASK], 1),
        ([FULL, MASK, LEVEL, raster(2000, 1500, 5, 1, 1, 4)], 1),  # levels of the mask as well
        ([raster(160, 120, 1), FULL], 1),  # the thumbnail first
        ([FULL, THUMBNAIL], 1),
        ([THUMBNAIL, FULL, FULL], 2),
        ([FULL | {0x0201: (4, 8)}, FULL | {0x0201: (4, 8)}], 2),  # pages compressed as TIFF 6.0 did
        ([OLD_COPY, raster(4000, 3000) | {0x00FF: (3, 1)}], 1),  # the older tag
        ([raster(4000, 3000) | {0x00FF: (3, 3)}, FULL, OLD_COPY], 2),
        ([raster(4000, 3000, 2), raster(4000, 3000, 2)], 2),  # pages of several
        ([raster(160, 120), FULL], 2),  # neither says that it is a copy
        ([FULL, {0x010E: (2, "no raster")}, {0x0100: (4, 0), 0x0101: (4, 0)}], 1),
    ],
)
@pytest.mark.parametrize("order", "<>")
def test_copies_and_masks_are_no_pages(directories: list[dict[int, Value]], frames: int, order: str) -> None:
    metadata = metadata_of(stream(directories[0], chain=directories[1:], order=order))
    assert (metadata.status, metadata.width, metadata.height, metadata.frames) == ("ok", 4000, 3000, frames)
    assert metadata.bit_depth == 8


def test_levels_in_sub_directories_are_no_pages() -> None:
    metadata = metadata_of(stream(FULL, [LEVEL, raster(1000, 750, 1)], [FULL]))
    assert (metadata.width, metadata.frames) == (4000, 2)


def test_the_image_below_a_thumbnail() -> None:
    metadata = metadata_of(stream(raster(160, 120, 1), [FULL | {0x0112: (3, 6), 0x011A: (5, (300, 1))}]))
    assert (metadata.width, metadata.frames, metadata.orientation, metadata.dpi) == (
        4000,
        1,
        6,
        (300.0, 300.0),
    )


def test_where_all_are_copies_the_largest_is_the_image() -> None:
    metadata = metadata_of(stream(raster(160, 120, 1), chain=[LEVEL]))
    assert (metadata.status, metadata.width, metadata.frames) == ("ok", 2000, 1)


@pytest.mark.parametrize(
    "noise", [b"\xff" * 4000, b"\x12\x34\x56\x78" * 1000, bytes(4000), b"\5\0" + b"\xc3" * 90]
)
def test_a_last_page_that_is_noise_is_none(noise: bytes) -> None:
    head = stream(FULL)
    following = len(head)
    linked = (
        head[: 8 + 2 + 12 * len(FULL)] + struct.pack("<I", following) + head[8 + 2 + 12 * len(FULL) + 4 :]
    )
    reader = RangeReader(lambda a, b: (linked + noise)[a:b], len(linked + noise), first_block=256)
    metadata = extract(reader)
    assert (metadata.status, metadata.width, metadata.frames) == ("ok", 4000, 1)
    assert reader.requests < 8


def test_the_image_s_own_tags_come_first_and_the_first_directory_s_fill_their_gaps() -> None:
    first = raster(160, 120, 1) | {0x0112: (3, 8), 0x010F: (2, "Acme"), 0x8773: (7, profile(desc("Preview")))}
    metadata = metadata_of(stream(first, chain=[FULL | {0x0112: (3, 3)}]))
    assert (metadata.orientation, metadata.camera, metadata.color_profile) == (3, {"make": "Acme"}, None)


@pytest.mark.parametrize("length", [20, 60, 110])
def test_a_first_directory_that_is_cut_off_is_no_image(length: int) -> None:
    metadata = metadata_of(stream(FULL)[:length])
    assert (metadata.status, metadata.format, metadata.width) == ("corrupt", "TIFF", None)


def test_many_pages_with_many_entries_cost_little_memory() -> None:
    page = SIZE | {0xC000 + n: (4, n) for n in range(1000)}
    data = stream(page, chain=[page] * 300)
    tracemalloc.start()
    metadata = metadata_of(data)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert metadata.frames == 301
    assert peak < 2_000_000


def test_more_pages_than_are_read_have_no_count() -> None:
    metadata = metadata_of(pages(limits.MAX_IFDS + 5))
    assert (metadata.status, metadata.frames, metadata.warnings) == (
        "ok",
        None,
        ["TIFF: more directories than are read"],
    )


def test_directories_at_the_end_of_a_large_file_cost_few_requests() -> None:
    start = 20_000_000
    block = packet("<xmp:Rating>4</xmp:Rating>")
    main = directory(
        SIZE | {0x02BC: (1, block), 0x010F: (2, "Acme Corporation"), 0x8769: (4, start + 5000)}, start
    )
    data = b"II*\0" + struct.pack("<I", start) + bytes(start - 8) + main
    data = data.ljust(start + 5000, b"\0") + directory({0x9003: (2, "2024:05:06 07:08:09")}, start + 5000)
    reader = RangeReader(lambda a, b: data[a:b], len(data))
    metadata = extract(reader)
    assert (metadata.rating, metadata.camera, metadata.taken_at) == (
        4,
        {"make": "Acme Corporation"},
        "2024-05-06T07:08:09",
    )
    assert reader.requests <= 3
    assert reader.bytes_fetched < 90_000


def test_a_large_profile_is_not_read_for_its_name() -> None:
    data = tiff(SIZE | {0x8773: (7, profile(desc("Print"), (b"A2B0", bytes(900_000))))})
    reader = RangeReader(lambda a, b: data[a:b], len(data))
    assert extract(reader).color_profile == "Print"
    assert reader.bytes_fetched < 80_000


def test_a_block_over_its_limit_is_passed_over() -> None:
    metadata = read({0x02BC: (1, bytes(limits.MAX_XMP + 1))})
    assert (metadata.width, metadata.warnings) == (48, ["XMP: the block is larger than is read"])


def test_a_raw_file_whose_first_directory_states_no_size() -> None:
    out = b"II*\0\x08\0\0\0"
    main = {0x010F: (2, "Acme Corp"), 0x014A: (4, 0)}
    at = 8 + len(directory(main, 8))
    main[0x014A] = (4, at)
    metadata = metadata_of(out + directory(main, 8) + directory(SIZE, at))
    assert (metadata.status, metadata.width, metadata.camera) == ("ok", 48, {"make": "Acme Corp"})


@pytest.mark.parametrize(
    "data",
    [
        b"II*\0",
        b"II*\0\xff\xff\xff\xff",
        b"MM\0*\0\0\0\x08\0\0",
        b"II+\0\x08\0\0\0",
        tiff({0x010F: (2, "x")}),
    ],
)
def test_tiffs_without_a_size(data: bytes) -> None:
    metadata = metadata_of(data)
    assert (metadata.status, metadata.format, metadata.content_type) == ("corrupt", "TIFF", "image/tiff")


def test_size_tags_of_the_wrong_type_are_no_size() -> None:
    assert metadata_of(tiff({0x0100: (5, (48, 1)), 0x0101: (2, "tall")})).status == "corrupt"
