"""Measures: what they say of pictures that anyone would agree on."""

from __future__ import annotations

import base64

import pytest
from PIL import Image, ImageFilter

from image_pixels.measures import measure

from .pictures import corners
from .test_hashes import scene


def test_the_fields_and_their_types() -> None:
    told = measure(scene(1))
    assert set(told) == {"phash", "thumbhash", "average_color", "brightness", "sharpness"}
    assert len(told["phash"]) == 16
    assert len(base64.b64decode(told["thumbhash"])) <= 25


@pytest.mark.parametrize(("shade", "brightness"), [(0, 0.0), (255, 1.0), (51, 0.2)])
def test_brightness(shade: int, brightness: float) -> None:
    assert measure(Image.new("RGB", (40, 40), (shade,) * 3))["brightness"] == brightness


def test_average_color() -> None:
    image = Image.new("RGB", (40, 40), (255, 0, 0))
    image.paste((0, 0, 255), (20, 0, 40, 40))
    assert measure(image)["average_color"] == "#800080"


def test_sharpness_falls_with_blur() -> None:
    sharp = corners(512, 384).filter(ImageFilter.DETAIL)
    found = [measure(sharp.filter(ImageFilter.GaussianBlur(radius)))["sharpness"] for radius in (0, 1, 2, 4)]
    assert found == sorted(found, reverse=True)
    assert found[0] > 4 * found[2]


def test_a_transparent_picture_is_measured_as_it_looks_on_white() -> None:
    logo = Image.new("RGBA", (40, 40), (0, 0, 0, 0))
    logo.paste((255, 0, 0, 255), (0, 0, 20, 40))
    told = measure(logo)
    assert told["average_color"] == "#ff8080"
    assert told["brightness"] > 0.5
    hidden = Image.new("RGBA", (40, 40), (0, 255, 0, 0))
    hidden.paste((255, 0, 0, 255), (0, 0, 20, 40))
    assert measure(hidden)["phash"] == told["phash"]


@pytest.mark.parametrize("size", [(1, 1), (1, 512), (512, 1), (2, 2), (3, 3)])
def test_tiny_pictures(size: tuple[int, int]) -> None:
    assert measure(Image.new("RGB", size, (10, 200, 30)))["sharpness"] == 0.0
