"""Hashes against the published implementations: ImageHash, and ThumbHash's own package."""

from __future__ import annotations

import random
from collections.abc import Callable
from pathlib import Path

import imagehash
import pytest
from PIL import Image, ImageEnhance, ImageFilter

from image_pixels.hashes import dct, phash, thumbhash
from tests.support.pictures import distance

IMAGES = Path(__file__).parents[2] / "images"


def scene(seed: int, width: int = 240, height: int = 180) -> Image.Image:
    """A picture with structure at every scale, another one for every seed."""
    chance = random.Random(seed)
    image = Image.new("RGB", (width, height))
    for side in (4, 9, 21, 60):
        patch = Image.frombytes("RGB", (side, side), chance.randbytes(3 * side * side))
        image = Image.blend(image, patch.resize((width, height), Image.Resampling.BICUBIC), 0.45)
    return image


@pytest.mark.parametrize("seed", range(12))
def test_phash_is_imagehashs(seed: int) -> None:
    picture = scene(seed, 120 + 37 * seed, 300 - 11 * seed)
    assert phash(picture) == str(imagehash.phash(picture))


@pytest.mark.parametrize("name", ["camera.jpg", "described.jpg", "text.png", "lossless.webp"])
def test_phash_of_files_is_imagehashs(name: str) -> None:
    with Image.open(IMAGES / name) as image:
        picture = image.convert("RGB")
    assert phash(picture) == str(imagehash.phash(picture))


def test_a_plain_picture_has_no_bits_from_rounding() -> None:
    assert {phash(Image.new("RGB", (60, 40), (shade,) * 3)) for shade in range(1, 256, 7)} == {
        "8000000000000000"
    }


def test_dct_of_known_values() -> None:
    assert dct([1.0, 2.0, 3.0, 4.0]) == pytest.approx([20.0, -6.308644, 0.0, -0.448341], abs=1e-6)


@pytest.mark.parametrize(
    ("change", "most"),
    [
        (lambda image: image.resize((97, 73)), 4),
        (lambda image: image.filter(ImageFilter.GaussianBlur(1)), 4),
        (lambda image: ImageEnhance.Brightness(image).enhance(1.2), 8),
        (lambda image: image.convert("L"), 4),
    ],
)
def test_small_changes_move_few_bits(change: Callable[[Image.Image], Image.Image], most: int) -> None:
    assert all(distance(phash(scene(seed)), phash(change(scene(seed)))) <= most for seed in range(5))


def test_other_pictures_are_far_away() -> None:
    hashes = [phash(scene(seed)) for seed in range(12)]
    assert all(distance(one, other) > 14 for at, one in enumerate(hashes) for other in hashes[:at])


# What rgbaToThumbHash of the npm package thumbhash 0.1.1 gives for the same pixels.
@pytest.mark.parametrize(
    ("width", "height", "pixel", "expected"),
    [
        (
            60,
            40,
            lambda x, y: (x * 4 + y, x * y, y * 6 + 3 * x, 255),
            "9f270a3d90506667367778748968797660c50a9897",
        ),
        (30, 90, lambda x, y: (x * x + y, y * y + x, x * y + y, 255), "dcf7050a0800303586609432039b1e70b6"),
        (
            48,
            48,
            lambda x, y: (x * x, y * y + x, x * y, x * y + y * y),
            "dce78105060730407588956967d5f503b4a975775076510715",
        ),
    ],
)
def test_thumbhash_is_the_published_one(
    width: int, height: int, pixel: Callable[[int, int], tuple[int, ...]], expected: str
) -> None:
    data = bytes(value % 256 for y in range(height) for x in range(width) for value in pixel(x, y))
    assert thumbhash(Image.frombytes("RGBA", (width, height), data)).hex() == expected


@pytest.mark.parametrize("size", [(1, 1), (1, 500), (500, 1), (2000, 3), (640, 480), (99, 100)])
@pytest.mark.parametrize("mode", ["RGB", "RGBA"])
def test_thumbhash_has_at_most_25_bytes(size: tuple[int, int], mode: str) -> None:
    noise = Image.effect_noise(size, 100).convert(mode)
    if mode == "RGBA":
        noise.putalpha(Image.effect_noise(size, 100))
    assert 5 <= len(thumbhash(noise)) <= 25


def test_thumbhash_of_nothing_visible() -> None:
    assert len(thumbhash(Image.new("RGBA", (30, 30), (9, 9, 9, 0)))) <= 25
