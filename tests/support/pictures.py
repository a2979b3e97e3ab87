"""Real image files, as an encoder writes them."""

from __future__ import annotations

import io
from typing import Any

from PIL import Image


def saved(image: Image.Image, kind: str, **options: Any) -> bytes:
    """The file that Pillow makes of a picture."""
    out = io.BytesIO()
    image.save(out, kind, **options)
    return out.getvalue()


def picture(width: int = 3, height: int = 2, kind: str = "PNG", **options: Any) -> bytes:
    """An image file of that size in pixels."""
    return saved(Image.new("RGB", (width, height), (width % 256, height % 256, 0)), kind, **options)


def numbered_picture(number: int) -> bytes:
    """A PNG that no other number makes: its size in pixels is the number."""
    return saved(Image.new("L", (1 + number % 251, 1 + number // 251)), "PNG")


def distance(one: str, other: str) -> int:
    """In how many of the 64 bits two perceptual hashes differ."""
    return (int(one, 16) ^ int(other, 16)).bit_count()
