"""Decoding: every format upright, in sRGB, with its alpha, at the size that was asked for."""

from __future__ import annotations

import struct
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from PIL import Image, ImageCms, ImageOps

from image_metadata.errors import CorruptImage, ImageTooLarge, UnsupportedImage
from image_pixels import limits
from image_pixels.decode import open_picture
from image_pixels.formats import PLUGINS
from tests.support.builders import chunk
from tests.support.pictures import saved

from . import pictures
from .pictures import YELLOW, colors, corners, heic, looks_upright, nearly, written

#: How to turn an upright picture so that the EXIF orientation turns it back.
TURNS: dict[int, Callable[[Image.Image], Image.Image]] = {
    1: lambda image: image,
    2: ImageOps.mirror,
    3: lambda image: image.rotate(180),
    4: ImageOps.flip,
    5: lambda image: image.transpose(Image.Transpose.TRANSPOSE),
    6: lambda image: image.transpose(Image.Transpose.ROTATE_90),
    7: lambda image: image.transpose(Image.Transpose.TRANSVERSE),
    8: lambda image: image.transpose(Image.Transpose.ROTATE_270),
}


def opened(folder: Path, data: bytes, file_format: str, most: int = 160, **more: Any) -> Image.Image:
    return open_picture(written(folder, data), file_format, most, **more)


@pytest.mark.parametrize(
    ("file_format", "data"),
    [
        ("JPEG", saved(corners(), "JPEG", quality=95)),
        ("JPEG", saved(corners(), "JPEG", quality=95, progressive=True)),
        ("MPO", saved(corners(), "MPO", quality=95, save_all=True, append_images=[corners()])),
        ("PNG", saved(corners(), "PNG")),
        ("PNG", saved(corners().quantize(8), "PNG")),
        ("GIF", saved(corners(), "GIF")),
        ("WEBP", saved(corners(), "WEBP", quality=95)),
        ("AVIF", saved(corners(), "AVIF", quality=95)),
        ("HEIF", heic(corners())),
        ("TIFF", saved(corners(), "TIFF")),
        ("TIFF", saved(corners(), "TIFF", compression="tiff_lzw")),
        ("BMP", saved(corners(), "BMP")),
        ("DIB", saved(corners(), "DIB")),
        ("ICO", saved(corners(256, 192), "ICO", sizes=[(256, 192)])),
        ("JPEG2000", saved(corners(), "JPEG2000")),
        ("PPM", saved(corners(), "PPM")),
        ("PCX", saved(corners(), "PCX")),
        ("TGA", saved(corners(), "TGA")),
    ],
)
def test_every_format_is_decoded_and_scaled(tmp_path: Path, file_format: str, data: bytes) -> None:
    picture = opened(tmp_path, data, file_format)
    assert (picture.mode, picture.size) == ("RGB", (160, 120))
    assert looks_upright(picture)


def test_nothing_is_scaled_up(tmp_path: Path) -> None:
    assert opened(tmp_path, saved(corners(100, 80), "PNG"), "PNG", 1280).size == (100, 80)


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("file_format", ["JPEG", "PNG", "WEBP", "TIFF", "AVIF"])
def test_exif_orientation_is_applied(tmp_path: Path, file_format: str, orientation: int) -> None:
    block = Image.Exif()
    block[0x0112] = orientation
    data = saved(TURNS[orientation](corners()), file_format, exif=block)
    picture = opened(tmp_path, data, file_format)
    assert picture.size == (160, 120)
    assert looks_upright(picture)


@pytest.mark.parametrize("orientation", [1, 3, 6, 8])
def test_heic_is_turned_once(tmp_path: Path, orientation: int) -> None:
    """The encoder writes the EXIF orientation as irot and imir, which the decoder applies."""
    block = Image.Exif()
    block[0x0112] = orientation
    image = TURNS[orientation](corners())
    picture = opened(tmp_path, heic(image, block), "HEIF")
    assert picture.size == (160, 120)
    assert looks_upright(picture)


def test_a_stated_orientation_outranks_the_files_own(tmp_path: Path) -> None:
    data = saved(TURNS[6](corners()), "JPEG", exif=pictures.exif(3))
    assert looks_upright(opened(tmp_path, data, "JPEG", orientation=6))


def test_a_profile_is_converted_to_srgb(tmp_path: Path) -> None:
    """A profile that swaps red and green: what it calls red is sRGB's green."""
    swapped = _swapped_profile()
    image = Image.new("RGB", (50, 50), (255, 0, 0))
    assert nearly(
        opened(tmp_path, saved(image, "PNG", icc_profile=swapped), "PNG").getpixel((9, 9)), (0, 255, 0)
    )


@pytest.mark.parametrize(("gamma", "expected"), [(100_000, 188), (45_455, 128), (1, 128), (0, 128)])
def test_the_gamma_of_a_png_counts_without_a_profile(tmp_path: Path, gamma: int, expected: int) -> None:
    """Half of the light is 188 in sRGB."""
    data = saved(Image.new("RGB", (50, 50), (128, 128, 128)), "PNG")
    chunks = chunk(b"gAMA", struct.pack(">I", gamma))
    stated = data[:33] + chunks + data[33:]
    assert nearly(opened(tmp_path, stated, "PNG").getpixel((9, 9)), (expected,) * 3, 1)
    outranked = data[:33] + chunks + chunk(b"sRGB", b"\0") + data[33:]
    assert opened(tmp_path, outranked, "PNG").getpixel((9, 9)) == (128,) * 3


def _without_names() -> bytes:
    """sRGB's profile, its colour space no text."""
    profile = bytearray(ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes())
    profile[16:20] = b"\xff\xfe\0\1"
    return bytes(profile)


@pytest.mark.parametrize("profile", [b"", b"no profile", b"\0" * 400, _without_names()])
def test_a_broken_profile_costs_nothing(tmp_path: Path, profile: bytes) -> None:
    data = saved(corners(), "PNG", icc_profile=profile)
    assert looks_upright(opened(tmp_path, data, "PNG"))


def test_a_profile_of_another_colour_space_is_ignored(tmp_path: Path) -> None:
    grey = Image.new("L", (50, 50), 130)
    data = saved(grey, "PNG", icc_profile=ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes())
    assert opened(tmp_path, data, "PNG").getpixel((9, 9)) == (130, 130, 130)


@pytest.mark.parametrize("file_format", ["PNG", "WEBP", "TIFF", "AVIF"])
def test_alpha_is_kept(tmp_path: Path, file_format: str) -> None:
    image = corners().convert("RGBA")
    image.paste((0, 0, 0, 0), (0, 0, 200, 150))
    options = {"lossless": True} if file_format == "WEBP" else {}
    picture = opened(tmp_path, saved(image, file_format, **options), file_format)
    assert picture.mode == "RGBA"
    assert colors(picture)[0][3] == 0
    assert nearly(colors(picture)[3], (*YELLOW, 255))


def test_hidden_colours_do_not_bleed_into_the_edge(tmp_path: Path) -> None:
    """Green under full transparency beside red: the scaled edge is red, more or less opaque."""
    image = Image.new("RGBA", (400, 400), (0, 255, 0, 0))
    image.paste((255, 0, 0, 255), (0, 0, 201, 400))
    picture = opened(tmp_path, saved(image, "PNG"), "PNG", 40)
    edge = [picture.getpixel((x, 20)) for x in range(40)]
    assert all(green < 30 for _, green, _, alpha in edge if alpha > 20)


@pytest.mark.parametrize("mode", ["P", "L", "RGB", "1"])
def test_transparent_colours_of_png_and_gif_become_alpha(tmp_path: Path, mode: str) -> None:
    image = Image.new(mode, (60, 60), 0)
    image.paste(1 if mode in "1P" else (200, 200, 200) if mode == "RGB" else 200, (30, 0, 60, 60))
    key: Any = (0, 0, 0) if mode == "RGB" else 0
    picture = opened(tmp_path, saved(image, "PNG", transparency=key), "PNG")
    assert picture.mode == "RGBA"
    assert [picture.getpixel((x, 30))[3] for x in (5, 50)] == [0, 255]


def test_opaque_alpha_is_dropped(tmp_path: Path) -> None:
    assert opened(tmp_path, saved(corners().convert("RGBA"), "PNG"), "PNG").mode == "RGB"


def test_sixteen_bit_grey_keeps_its_range(tmp_path: Path) -> None:
    """Pillow's own conversion would make every value above 255 white."""
    image = Image.new("I;16", (64, 64), 32768)
    for file_format in ("PNG", "TIFF"):
        assert nearly(
            opened(tmp_path, saved(image, file_format), file_format).getpixel((9, 9)), (127,) * 3, 1
        )


def test_sixteen_bit_colour(tmp_path: Path) -> None:
    rows = b"".join(b"\0" + struct.pack(">3H", 0xFFFF, 0x8000, 0x0100) * 20 for _ in range(20))
    data = _png(struct.pack(">IIBBBBB", 20, 20, 16, 2, 0, 0, 0), zlib.compress(rows))
    assert nearly(opened(tmp_path, data, "PNG").getpixel((5, 5)), (255, 128, 1), 2)


def test_floating_point_grey_is_stretched(tmp_path: Path) -> None:
    image = Image.new("F", (60, 20), -3.0)
    image.paste(1.0, (20, 0, 40, 20))
    image.paste(5.0, (40, 0, 60, 20))
    picture = opened(tmp_path, saved(image, "TIFF"), "TIFF")
    assert [picture.getpixel((x, 9))[0] for x in (5, 30, 55)] == pytest.approx([0, 127, 255], abs=2)


@pytest.mark.parametrize("values", [(float("nan"), 1.0), (float("inf"), 1.0), (2.0, 2.0)])
def test_floating_point_without_a_range_is_no_crash(tmp_path: Path, values: tuple[float, float]) -> None:
    image = Image.new("F", (20, 20), values[0])
    image.paste(values[1], (10, 0, 20, 20))
    try:
        picture = opened(tmp_path, saved(image, "TIFF"), "TIFF")
    except CorruptImage:
        return
    assert picture.size == (20, 20)


@pytest.mark.parametrize("file_format", ["JPEG", "TIFF"])
def test_cmyk_without_a_profile(tmp_path: Path, file_format: str) -> None:
    image = Image.merge("CMYK", [Image.new("L", (40, 40), value) for value in (0, 255, 255, 0)])
    assert nearly(opened(tmp_path, saved(image, file_format), file_format).getpixel((9, 9)), (255, 0, 0), 6)


def test_lab(tmp_path: Path) -> None:
    image = Image.frombytes("LAB", (20, 20), bytes((128, 0, 0)) * 400)
    assert nearly(opened(tmp_path, saved(image, "TIFF"), "TIFF").getpixel((9, 9)), (119, 119, 119), 4)


def test_the_first_frame_alone_is_decoded(tmp_path: Path) -> None:
    for file_format in ("GIF", "WEBP", "PNG", "AVIF"):
        data = saved(corners(), file_format, save_all=True, append_images=[Image.new("RGB", (400, 300))] * 3)
        assert looks_upright(opened(tmp_path, data, file_format))


def test_a_large_text_block_does_not_cost_the_picture(tmp_path: Path) -> None:
    text = chunk(b"zTXt", b"Comment\0\0" + zlib.compress(b"x" * 5_000_000))
    data = saved(corners(), "PNG")
    assert looks_upright(opened(tmp_path, data[:33] + text + data[33:], "PNG"))


@pytest.mark.parametrize("file_format", ["JPEG", "PNG", "GIF", "WEBP", "AVIF", "TIFF", "BMP", "HEIF"])
@pytest.mark.parametrize("part", [0.2, 0.6, 0.95])
def test_truncated_files_are_typed_errors(tmp_path: Path, file_format: str, part: float) -> None:
    noise = Image.effect_noise((200, 200), 90).convert("RGB")
    data = heic(noise) if file_format == "HEIF" else saved(noise, file_format)
    with pytest.raises((CorruptImage, UnsupportedImage)):
        opened(tmp_path, data[: int(len(data) * part)], file_format)


def test_a_header_that_states_too_many_pixels_is_refused_before_decoding(tmp_path: Path) -> None:
    huge = _png(struct.pack(">IIBBBBB", 65535, 65535, 8, 2, 0, 0, 0), zlib.compress(b""))
    with pytest.raises(ImageTooLarge):
        opened(tmp_path, huge, "PNG")


def test_the_limit_of_pixels_is_exact(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    data = saved(corners(20, 10), "PNG")
    monkeypatch.setattr(limits, "MAX_PIXELS", 200)
    opened(tmp_path, data, "PNG")
    monkeypatch.setattr(limits, "MAX_PIXELS", 199)
    with pytest.raises(ImageTooLarge, match="20 x 10"):
        opened(tmp_path, data, "PNG")


def test_a_jpeg_over_the_limit_is_decoded_at_a_fraction(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(limits, "MAX_PIXELS", 500_000)
    data = saved(corners(1600, 1200), "JPEG")
    assert opened(tmp_path, data, "JPEG").size == (160, 120)
    monkeypatch.setattr(limits, "MAX_PIXELS", 400_000)
    with pytest.raises(ImageTooLarge, match="800 x 600"):
        opened(tmp_path, data, "JPEG")


def test_only_the_plugin_of_the_format_sees_a_file(tmp_path: Path) -> None:
    """A PostScript file would be handed to Ghostscript by Pillow's own choice of plugin."""
    postscript = b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n%%EndComments\nshowpage\n"
    for file_format, plugins in PLUGINS.items():
        if plugins:
            with pytest.raises((CorruptImage, UnsupportedImage)):
                opened(tmp_path, postscript, file_format)


def _png(header: bytes, data: bytes) -> bytes:
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", data) + chunk(b"IEND", b"")


def _swapped_profile() -> bytes:
    """sRGB with the tags of its red and green colorants exchanged."""
    profile = bytearray(ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes())
    red, green = profile.index(b"rXYZ"), profile.index(b"gXYZ")
    profile[red : red + 4], profile[green : green + 4] = b"gXYZ", b"rXYZ"
    return bytes(profile)
