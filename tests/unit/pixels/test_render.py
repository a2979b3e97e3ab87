"""From an original to its preview and measures: what is read of it, what is refused before it is."""

from __future__ import annotations

import io
import struct
import zlib
from collections.abc import Iterator

import pytest
from PIL import Image

from image_metadata.errors import (
    CorruptImage,
    ImageMetadataError,
    ImageTooLarge,
    SourceError,
    UnsupportedImage,
)
from image_pixels import limits
from image_pixels.render import measures, preview
from image_pixels.worker import Decoder
from tests.support.builders import Value, chunk, directory
from tests.support.pictures import saved

from . import pictures
from .pictures import corners, exif, looks_upright
from .test_decode import TURNS
from .test_embedded import LARGE, SMALL, tiff


class Bytes:
    """An original in memory that counts what is fetched of it."""

    def __init__(self, data: bytes) -> None:
        self.data = data
        self.fetched: list[tuple[int, int]] = []

    def size(self) -> int | None:
        return len(self.data) if self.fetched else None

    def fetch(self, start: int, end: int) -> bytes:
        self.fetched.append((start, end))
        return self.data[start:end]


@pytest.fixture(scope="module")
def decoder() -> Iterator[Decoder]:
    decoder = Decoder()
    yield decoder
    decoder.close()


def rendered(data: bytes, most: int, decoder: Decoder) -> Image.Image:
    with Image.open(io.BytesIO(preview(Bytes(data), most, decoder)), formats=("WEBP",)) as image:
        image.load()
        return image.copy()


@pytest.mark.parametrize("most", [160, 320, 640, 1280])
def test_a_preview(decoder: Decoder, most: int) -> None:
    picture = rendered(saved(corners(1600, 1200), "JPEG"), most, decoder)
    assert picture.size == (most, most * 3 // 4)
    assert looks_upright(picture)


def test_an_original_longer_than_the_first_block_is_read_whole(decoder: Decoder) -> None:
    noise = Image.effect_noise((700, 500), 80)
    original = Bytes(saved(noise, "PNG"))
    assert len(original.data) > 300_000
    assert measures(original, 512, decoder)["phash"]
    assert original.fetched[-1] == (0, len(original.data))


@pytest.mark.parametrize("orientation", [1, 3, 6, 8])
def test_the_thumbnail_is_used_where_it_is_enough(decoder: Decoder, orientation: int) -> None:
    """The thumbnail is the picture, the rest of the file is grey: it shows which one was decoded."""
    stored = TURNS[orientation](corners(1600, 1200))
    turned = orientation >= 5
    thumbnail = saved(stored.resize((120, 160) if turned else (160, 120)), "JPEG")
    grey = Image.new("RGB", stored.size, (90, 90, 90))
    data = saved(grey, "JPEG", exif=exif(orientation, thumbnail))
    small = rendered(data, 160, decoder)
    assert small.size == (160, 120)
    assert looks_upright(small)
    assert not looks_upright(rendered(data, 320, decoder))


def test_measures_are_those_of_the_picture_and_not_of_its_thumbnail(decoder: Decoder) -> None:
    black = saved(Image.new("RGB", (640, 480)), "JPEG")
    data = saved(corners(1600, 1200), "JPEG", exif=exif(1, black))
    assert measures(Bytes(data), 512, decoder)["brightness"] > 0.3


def dng(orientation: int, picture: bytes, size: tuple[int, int]) -> bytes:
    """The first directory holds the preview, far behind which the rest of the file lies."""
    below: dict[int, Value] = {0x100: (4, 6000), 0x101: (4, 4000), 0x103: (3, 1), 0x106: (3, 32803)}
    tags: dict[int, Value] = {
        0xFE: (4, 1), 0x100: (4, size[0]), 0x101: (4, size[1]), 0x103: (3, 7), 0x111: (4, 200_000),
        0x112: (3, orientation), 0x117: (4, len(picture)), 0x14A: (4, 2048), 0xC612: (1, [1, 4, 0, 0]),
    }  # fmt: skip
    return tiff(tags, at={2048: directory(below, 2048), 200_000: picture, 3_000_000: b"end"})


def test_a_raw_file_shows_its_cameras_preview(decoder: Decoder) -> None:
    """No more than that is read of it."""
    original = Bytes(dng(1, LARGE, (1500, 1000)))
    with Image.open(io.BytesIO(preview(original, 640, decoder))) as image:
        assert image.size == (640, 427)
        assert looks_upright(image.convert("RGB"))
    assert sum(end - start for start, end in original.fetched) < 200_000 + len(LARGE)


@pytest.mark.parametrize("turned_already", [False, True])
def test_a_raw_files_preview_is_turned_once(decoder: Decoder, turned_already: bool) -> None:
    upright = corners(1000, 1500)
    picture = upright if turned_already else TURNS[6](upright)
    small = rendered(dng(6, saved(picture, "JPEG"), picture.size), 320, decoder)
    assert small.size == (213, 320)
    assert looks_upright(small)


def test_a_raw_file_without_a_preview_is_unsupported(decoder: Decoder) -> None:
    tags: dict[int, Value] = {
        0x100: (4, 6000), 0x101: (4, 4000), 0x106: (3, 32803), 0xC612: (1, [1, 4, 0, 0]),
    }  # fmt: skip
    with pytest.raises(UnsupportedImage, match="no preview"):
        preview(Bytes(tiff(tags)), 160, decoder)


@pytest.mark.parametrize(
    ("data", "error", "reason"),
    [
        (b"", UnsupportedImage, "empty"),
        (b"plain text, no image", UnsupportedImage, "no image"),
        (b'<svg xmlns="http://www.w3.org/2000/svg" width="9" height="9"/>', UnsupportedImage, "SVG"),
        (b"\xff\xd8\xff\xe0\0\x10JFIF\0", CorruptImage, "frame header"),
        (b"GIF89a\xff\xff\xff\xff\0\0\0", ImageTooLarge, "65535 x 65535"),
        (
            b"BM" + struct.pack("<IIIIiiHHI", 0, 0, 54, 40, 1 << 30, 2, 1, 24, 0).ljust(60, b"\0"),
            ImageTooLarge,
            "limit",
        ),
    ],
)
def test_what_the_header_says_is_refused_undecoded(
    decoder: Decoder, data: bytes, error: type[ImageMetadataError], reason: str
) -> None:
    with pytest.raises(error, match=reason):
        preview(Bytes(data), 160, decoder)


def test_a_bomb_of_65535_by_65535_pixels_costs_its_header(decoder: Decoder) -> None:
    header = struct.pack(">IIBBBBB", 65535, 65535, 8, 6, 0, 0, 0)
    body = zlib.compress(bytes(4_000_000)) * 20
    original = Bytes(
        b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", body) + chunk(b"IEND", b"")
    )
    with pytest.raises(ImageTooLarge, match="65535 x 65535"):
        preview(original, 160, decoder)
    assert sum(end - start for start, end in original.fetched) < 130_000


def test_a_file_too_long_is_refused_unread(decoder: Decoder, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "MAX_FILE_BYTES", 100_000)
    original = Bytes(saved(Image.effect_noise((900, 900), 80), "PNG"))
    with pytest.raises(ImageTooLarge, match="bytes"):
        preview(original, 160, decoder)
    assert sum(end - start for start, end in original.fetched) < 130_000


def test_a_source_that_fails_is_not_the_images_fault(decoder: Decoder) -> None:
    class Failing(Bytes):
        def fetch(self, start: int, end: int) -> bytes:
            if self.fetched:
                raise SourceError("the connection broke")
            return super().fetch(start, end)

    with pytest.raises(SourceError):
        preview(Failing(saved(Image.effect_noise((500, 500), 80), "PNG")), 160, decoder)


def test_fuzzed_files_are_typed_errors_or_previews(decoder: Decoder) -> None:
    """Every format with bytes changed at places spread over the file."""
    noise = Image.effect_noise((90, 60), 90).convert("RGB")
    files = [
        saved(noise, name)
        for name in ("JPEG", "PNG", "GIF", "WEBP", "AVIF", "TIFF", "BMP", "JPEG2000", "TGA")
    ]
    files += [pictures.heic(noise), saved(noise, "JPEG", exif=exif(6, SMALL))]
    outcomes = set()
    for data in files:
        for step in range(12):
            damaged = bytearray(data)
            for at in range(step, min(len(damaged), 2000), 61 + 7 * step):
                damaged[at] ^= 1 << step % 8
            try:
                outcomes.add(type(preview(Bytes(bytes(damaged)), 160, decoder)))
            except ImageMetadataError as error:
                outcomes.add(type(error))
    assert {bytes, CorruptImage, UnsupportedImage} <= outcomes
