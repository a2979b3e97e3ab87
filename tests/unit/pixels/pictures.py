"""Pictures whose every corner tells whether they came out right."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pillow_heif
from PIL import Image, ImageDraw

from tests.support.builders import Value, directory
from tests.support.pictures import saved

RED, GREEN, BLUE, YELLOW = (220, 30, 30), (30, 170, 60), (40, 60, 210), (230, 210, 40)


def corners(width: int = 400, height: int = 300) -> Image.Image:
    """Four quarters: red and green above, blue and yellow below."""
    image = Image.new("RGB", (width, height), RED)
    draw = ImageDraw.Draw(image)
    draw.rectangle((width // 2, 0, width, height // 2), fill=GREEN)
    draw.rectangle((0, height // 2, width // 2, height), fill=BLUE)
    draw.rectangle((width // 2, height // 2, width, height), fill=YELLOW)
    return image


def heic(image: Image.Image, block: Image.Exif | None = None) -> bytes:
    """Written by the package that also encodes; the EXIF orientation becomes irot and imir."""
    pillow_heif.register_heif_opener()
    if block:
        image.info["exif"] = block.tobytes()
    return saved(image, "HEIF", quality=90)


def written(folder: Path, data: bytes) -> Path:
    path = folder / "picture"
    path.write_bytes(data)
    return path


def exif(orientation: int, thumbnail: bytes = b"") -> bytes:
    """An EXIF block as JPEG carries it, with a thumbnail where one is given."""
    orientation_tag: dict[int, Value] = {0x0112: (3, orientation)}
    second = 8 + len(directory(orientation_tag, 8))
    start = second + len(directory({0x0201: (4, 0), 0x0202: (4, 0)}, second))
    first = b"II*\0\x08\0\0\0" + directory(orientation_tag, 8, following=second if thumbnail else 0)
    following = directory({0x0201: (4, start), 0x0202: (4, len(thumbnail))}, second) + thumbnail
    return b"Exif\0\0" + first + (following if thumbnail else b"")


def nearly(actual: Any, expected: tuple[int, ...], slack: int = 12) -> bool:
    return all(abs(one - other) <= slack for one, other in zip(actual, expected, strict=True))


def colors(picture: Image.Image) -> list[Any]:
    """The colours in the middle of the four quarters: above left, above right, below left, below right."""
    width, height = picture.size
    return [
        picture.getpixel((x, y)) for y in (height // 4, height * 3 // 4) for x in (width // 4, width * 3 // 4)
    ]


def looks_upright(picture: Image.Image) -> bool:
    return all(
        nearly(color[:3], expected)
        for color, expected in zip(colors(picture), (RED, GREEN, BLUE, YELLOW), strict=True)
    )
