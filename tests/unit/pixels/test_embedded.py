"""The JPEGs inside files: EXIF's thumbnail, and the previews of raw files in each container."""

from __future__ import annotations

import struct
from importlib import import_module
from pkgutil import iter_modules

import pytest

from image_metadata.formats import raw
from image_metadata.model import FileType, ImageMetadata
from image_metadata.reader import BytesReader
from image_pixels import embedded
from image_pixels.embedded import Embedded, choose, is_upright_copy
from image_pixels.formats import PLUGINS, RAW
from tests.support.builders import Value, directory
from tests.support.pictures import saved

from .pictures import corners, exif

LARGE, MIDDLE, SMALL = (saved(corners(*size), "JPEG") for size in ((1500, 1000), (600, 400), (160, 120)))


def tiff(
    tags: dict[int, Value], at: dict[int, bytes] | None = None, magic: bytes = b"II*\0", following: int = 0
) -> bytes:
    """A little-endian TIFF stream: its first directory, and what stands at given places."""
    out = magic + struct.pack("<I", 8) + directory(tags, 8, following=following)
    for place, data in sorted((at or {}).items()):
        assert len(out) <= place
        out = out.ljust(place, b"\0") + data
    return out


def found(data: bytes, file_format: str) -> list[tuple[int, int]]:
    source = BytesReader(data)
    return [(each.width, each.height) for each in embedded.previews(source, file_format)]


def jpeg_at(place: int, data: bytes) -> dict[int, Value]:
    return {0x201: (4, place), 0x202: (4, len(data))}


def test_interchange_jpegs_of_the_chain_and_of_sub_directories() -> None:
    """As NEF, ARW and PEF have them."""
    data = tiff(
        {0x14A: (4, 2048)} | jpeg_at(4096, SMALL),
        {
            1024: directory(jpeg_at(8192, MIDDLE), 1024),
            2048: directory(jpeg_at(65536, LARGE), 2048),
            4096: SMALL,
            8192: MIDDLE,
            65536: LARGE,
        },
        following=1024,
    )
    assert sorted(found(data, "NEF")) == [(160, 120), (600, 400), (1500, 1000)]


def strip(data: bytes, compression: int) -> bytes:
    tags: dict[int, Value] = {0x103: (3, compression), 0x111: (4, 4096), 0x117: (4, len(data))}
    return tiff(tags, {4096: data})


def test_a_strip_that_is_a_jpeg() -> None:
    """As CR2 and DNG have it."""
    assert [found(strip(LARGE, kind), "DNG") for kind in (1, 6, 7)] == [[], [(1500, 1000)], [(1500, 1000)]]


def test_lossless_jpegs_are_what_the_sensor_saw() -> None:
    sensor = bytearray(LARGE)
    at = sensor.index(b"\xff\xc0")
    sensor[at + 1] = 0xC3
    assert found(strip(bytes(sensor), 7), "DNG") == []


def test_panasonic() -> None:
    assert found(tiff({0x2E: (7, LARGE)}, magic=b"IIU\0"), "RW2") == [(1500, 1000)]


def test_olympus_note() -> None:
    """Offsets in the note count from its start."""
    note, settings, place = 1024, 256, 4096
    inner = b"OLYMPUS\0II\x03\0" + directory({0x2020: (13, settings)}, 0)
    inner = inner.ljust(settings, b"\0") + directory({0x101: (4, place - note), 0x102: (4, len(LARGE))}, 0)
    block = bytearray(directory({0x927C: (7, inner)}, 512))
    block[10:14] = struct.pack("<I", note)
    data = tiff({0x8769: (4, 512)}, {512: bytes(block[:18]), note: inner, place: LARGE}, magic=b"IIRO")
    assert found(data, "ORF") == [(1500, 1000)]


def test_fujifilm() -> None:
    data = b"FUJIFILMCCD-RAW ".ljust(84, b"\0") + struct.pack(">II", 200, len(LARGE))
    assert found(data.ljust(200, b"\0") + LARGE, "RAF") == [(1500, 1000)]


def test_canon_cr3() -> None:
    preview = bytes.fromhex("eaf42b5e1c984b88b9fbb7dc406e4d16") + b"\0" * 8
    preview += struct.pack(">I4sIHHHHI", 24 + len(LARGE), b"PRVW", 0, 1, 1500, 1000, 1, len(LARGE)) + LARGE
    boxes = struct.pack(">I4s8s", 16, b"ftyp", b"crx \0\0\0\1") + struct.pack(">I4s", 100, b"moov").ljust(
        100, b"\0"
    )
    assert found(boxes + struct.pack(">I4s", 8 + len(preview), b"uuid") + preview, "CR3") == [(1500, 1000)]


def test_sigma() -> None:
    image = b"SECi" + struct.pack("<IIIIII", 0x20000, 2, 18, 1500, 1000, 0) + LARGE
    directory = b"SECd" + struct.pack("<II", 0x20000, 1) + struct.pack("<II4s", 64, len(image), b"IMA2")
    data = b"FOVb".ljust(64, b"\0") + image
    assert found(data + directory + struct.pack("<I", len(data)), "X3F") == [(1500, 1000)]


@pytest.mark.parametrize("file_format", sorted(RAW))
def test_damage_is_no_crash(file_format: str) -> None:
    far = 0xFFFFFFF0
    loop = tiff({0x14A: (4, 8), 0x201: (4, far), 0x202: (4, far), 0x2E: (4, [8, far])})
    for data in (b"", b"II*\0", loop, loop[:20], b"\0" * 5000, b"\xff" * 5000):
        assert found(data, file_format) == []


def test_every_raw_format_that_is_read_has_its_previews_looked_for() -> None:
    """But two whose cameras were sold until 2005."""
    modules = [import_module(each.name) for each in iter_modules(raw.__path__, f"{raw.__name__}.")]
    values = [value for module in modules for value in vars(module).values()]
    assert {value.format for value in values if isinstance(value, FileType)} == RAW | {"CRW", "MRW"}
    assert not RAW & PLUGINS.keys()


def test_the_thumbnail_of_a_jpeg() -> None:
    data = saved(corners(1600, 1200), "JPEG", exif=exif(6, SMALL))
    assert [(each.width, each.height, each.data) for each in embedded.thumbnails(BytesReader(data))] == [
        (160, 120, SMALL)
    ]
    for without in (saved(corners(), "JPEG"), saved(corners(), "JPEG", exif=exif(6)), b"\xff\xd8\xff"):
        assert embedded.thumbnails(BytesReader(without)) == []
    broken = saved(corners(), "JPEG", exif=exif(1, b"\xff\xd8\xff no JPEG"))
    assert embedded.thumbnails(BytesReader(broken)) == []


def shown(width: int, height: int, orientation: int | None = None) -> ImageMetadata:
    return ImageMetadata(width=width, height=height, orientation=orientation)


def test_the_smallest_that_is_large_enough_is_chosen() -> None:
    candidates = [Embedded(1500, 1000, 1, 1), Embedded(160, 107, 2, 1), Embedded(600, 400, 3, 1)]
    for most, offset in ((160, 2), (320, 3), (600, 3), (640, 1), (1280, 1)):
        chosen = choose(candidates, shown(6000, 4000), most, any_size=False)
        assert chosen is not None and chosen.offset == offset
    assert choose(candidates, shown(6000, 4000), 1600, any_size=False) is None
    largest = choose(candidates, shown(6000, 4000), 1600, any_size=True)
    assert largest is not None and largest.offset == 1


def test_a_thumbnail_with_black_bars_is_not_the_picture() -> None:
    bars = Embedded(160, 120, 1, 1)
    assert choose([bars], shown(6000, 4000), 160, any_size=False) is None
    assert choose([bars], shown(6000, 4000), 160, any_size=True) is bars
    assert choose([bars, Embedded(600, 400, 2, 1)], shown(6000, 4000), 1280, any_size=True) != bars


def test_a_copy_that_is_turned_already_is_told_by_its_proportions() -> None:
    assert is_upright_copy(Embedded(160, 107, 1, 1), shown(6000, 4000, 6)) is False
    assert is_upright_copy(Embedded(107, 160, 1, 1), shown(6000, 4000, 6)) is True
    assert is_upright_copy(Embedded(107, 160, 1, 1), shown(6000, 4000, 1)) is None
    assert is_upright_copy(Embedded(100, 100, 1, 1), shown(4000, 4000, 6)) is False


def test_a_picture_smaller_than_asked_is_decoded_itself() -> None:
    """Its thumbnail would save little, and has been compressed much."""
    assert choose([Embedded(100, 75, 1, 1)], shown(100, 75), 160, any_size=False) is None
