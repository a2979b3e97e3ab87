"""Photoshop composites: depths, packings, colour modes, alpha; and documents that hold none."""

from __future__ import annotations

import struct
from pathlib import Path

import pytest
from PIL import Image

from image_metadata.errors import CorruptImage, ImageMetadataError, ImageTooLarge, UnsupportedImage
from image_pixels.decode import open_picture

from .pictures import colors, corners, looks_upright, nearly, written

GREY, INDEXED, RGB, CMYK, LAB = 1, 2, 3, 4, 9


def document(
    planes: list[bytes],
    size: tuple[int, int],
    mode: int = RGB,
    depth: int = 8,
    *,
    version: int = 1,
    packed: bool = False,
    layers: int | None = None,
    palette: bytes = b"",
    resources: bytes = b"",
) -> bytes:
    width, height = size
    head = struct.pack(">4sH6xHIIHH", b"8BPS", version, len(planes), height, width, depth, mode)
    wide = ">Q" if version == 2 else ">I"
    block = b""
    if layers is not None and depth == 16:
        block = (
            struct.pack(wide, 0)
            + struct.pack(">I", 0)
            + b"8BIMLr16"
            + struct.pack(wide, 2)
            + struct.pack(">h", layers)
        )
    elif layers is not None:
        block = struct.pack(wide, 2) + struct.pack(">h", layers)
    data = b"".join(planes)
    if packed:
        row = width * depth // 8
        rows = [_packbits(plane[at : at + row]) for plane in planes for at in range(0, row * height, row)]
        counts = struct.pack(f">{len(rows)}{'I' if version == 2 else 'H'}", *map(len, rows))
        data = counts + b"".join(rows)
    return b"".join(
        (
            head,
            struct.pack(">I", len(palette)) + palette,
            struct.pack(">I", len(resources)) + resources,
            struct.pack(wide, len(block)) + block,
            struct.pack(">H", packed) + data,
        )
    )


def _packbits(row: bytes) -> bytes:
    """Literal runs alone: valid, if not short."""
    runs = [row[at : at + 128] for at in range(0, len(row), 128)]
    return b"".join(bytes([len(run) - 1]) + run for run in runs)


def planes_of(image: Image.Image, depth: int = 8) -> list[bytes]:
    bands = [band.tobytes() for band in image.split()]
    return bands if depth == 8 else [bytes(byte for value in band for byte in (value, 99)) for band in bands]


@pytest.mark.parametrize("version", [1, 2])
@pytest.mark.parametrize("depth", [8, 16])
@pytest.mark.parametrize("packed", [False, True])
def test_colour_of_every_depth_and_packing(tmp_path: Path, version: int, depth: int, packed: bool) -> None:
    image = corners(80, 60)
    data = document(planes_of(image, depth), image.size, depth=depth, version=version, packed=packed)
    picture = open_picture(written(tmp_path, data), "PSD", 160)
    assert (picture.mode, picture.size) == ("RGB", (80, 60))
    assert looks_upright(picture)


def test_grey_and_many_channels(tmp_path: Path) -> None:
    data = document([bytes([77]) * 400, bytes([200]) * 400], (20, 20), GREY)
    assert open_picture(written(tmp_path, data), "PSD", 160).getpixel((3, 3)) == (77, 77, 77)


def test_indexed(tmp_path: Path) -> None:
    palette = bytes(range(256)) + bytes(255 - value for value in range(256)) + bytes([7]) * 256
    data = document([bytes([200]) * 400], (20, 20), INDEXED, palette=palette)
    assert open_picture(written(tmp_path, data), "PSD", 160).getpixel((3, 3)) == (200, 55, 7)


def test_ink_is_where_bytes_are_low(tmp_path: Path) -> None:
    planes = [bytes([value]) * 400 for value in (255, 0, 0, 255)]  # magenta and yellow make red
    picture = open_picture(written(tmp_path, document(planes, (20, 20), CMYK)), "PSD", 160)
    assert nearly(picture.getpixel((3, 3)), (255, 0, 0), 6)


def test_bitmap(tmp_path: Path) -> None:
    picture = open_picture(written(tmp_path, document([b"\xf0" * 8], (8, 8), 0, 1)), "PSD", 160)
    assert [picture.getpixel((x, 3)) for x in (0, 7)] == [(0, 0, 0), (255, 255, 255)]


def test_lab(tmp_path: Path) -> None:
    planes = [bytes([value]) * 400 for value in (128, 128, 128)]
    picture = open_picture(written(tmp_path, document(planes, (20, 20), LAB)), "PSD", 160)
    assert nearly(picture.getpixel((3, 3)), (119, 119, 119), 4)


@pytest.mark.parametrize("depth", [8, 16])
@pytest.mark.parametrize(("layers", "mode"), [(-1, "RGBA"), (1, "RGB"), (None, "RGB")])
def test_a_further_channel_is_alpha_only_where_the_layers_say_so(
    tmp_path: Path, depth: int, layers: int | None, mode: str
) -> None:
    image = corners(80, 60)
    image.putalpha(Image.new("L", image.size, 100))
    data = document(planes_of(image, depth), image.size, depth=depth, layers=layers)
    picture = open_picture(written(tmp_path, data), "PSD", 160)
    assert picture.mode == mode
    if mode == "RGBA":
        assert colors(picture)[0][3] == 100


def test_a_document_without_its_composite_is_unsupported(tmp_path: Path) -> None:
    resource = b"8BIM" + struct.pack(">HHI", 0x0421, 0, 6) + struct.pack(">IBx", 1, 0)
    data = document(planes_of(corners(20, 20)), (20, 20), resources=resource)
    with pytest.raises(UnsupportedImage, match="composite"):
        open_picture(written(tmp_path, data), "PSD", 160)


@pytest.mark.parametrize(("mode", "depth"), [(RGB, 32), (5, 8), (0, 8), (GREY, 1)])
def test_modes_that_are_not_decoded_are_unsupported(tmp_path: Path, mode: int, depth: int) -> None:
    data = document([b"\0" * 4000] * 3, (20, 20), mode, depth)
    with pytest.raises(UnsupportedImage):
        open_picture(written(tmp_path, data), "PSD", 160)


def test_every_truncation_is_a_typed_error(tmp_path: Path) -> None:
    data = document(planes_of(corners(12, 9)), (12, 9), packed=True, layers=-1)
    for length in range(len(data) - 1):
        with pytest.raises(ImageMetadataError):
            open_picture(written(tmp_path, data[:length]), "PSD", 160)


def test_fewer_channels_than_colours_is_corrupt(tmp_path: Path) -> None:
    with pytest.raises(CorruptImage, match="2 of 3"):
        open_picture(written(tmp_path, document([b"\0" * 400] * 2, (20, 20))), "PSD", 160)


def test_a_bomb_is_refused_by_its_header(tmp_path: Path) -> None:
    head = struct.pack(">4sH6xHIIHH", b"8BPS", 2, 3, 300_000, 300_000, 8, RGB)
    with pytest.raises(ImageTooLarge):
        open_picture(written(tmp_path, head + b"\0" * 100), "PSD", 160)
