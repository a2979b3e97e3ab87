"""The composite of a Photoshop document, PSD or PSB (Adobe Photoshop File Formats Specification).

Pillow reads the common 8-bit modes of PSD alone, after walking all layers. The composite follows three blocks whose
lengths are stated, its channels one after the other, each plain or in PackBits.
"""

from __future__ import annotations

import struct
from pathlib import Path
from typing import BinaryIO

from PIL import Image, ImageChops

from image_metadata.errors import CorruptImage, UnsupportedImage

from .formats import check_pixels

_HEADER = struct.Struct(">4sH6xHIIHH")  # signature, version, channels, height, width, depth, mode
_BITMAP, _INDEXED, _CMYK, _LAB = 0, 2, 4, 9
#: The document's mode -> Pillow's, of 8 bits a channel. Duotones and the first of many channels count as grey.
_MODES = {_BITMAP: "1", 1: "L", _INDEXED: "P", 3: "RGB", _CMYK: "CMYK", 7: "L", 8: "L", _LAB: "LAB"}
_ALPHA = {"L": "LA", "RGB": "RGBA"}
_ICC, _VERSION = 0x040F, 0x0421  # image resources
_MAX_RESOURCES, _MAX_RESOURCE_BYTES = 2000, 4_000_000
_PLAIN, _PACKBITS = 0, 1


def open_composite(path: Path) -> Image.Image:
    """The composite, with `icc_profile` in its `info`. Raises `CorruptImage`, `UnsupportedImage`."""
    with path.open("rb") as file:
        _, version, channels, height, width, depth, kind = _HEADER.unpack(_take(file, _HEADER.size))
        mode = _MODES.get(kind)
        if (
            mode is None
            or depth not in ((1,) if kind == _BITMAP else (8, 16))
            or not width * height * channels
        ):
            raise UnsupportedImage(f"Photoshop documents of mode {kind} with {depth} bits are not decoded")
        check_pixels("PSD", width, height)
        palette = _take(file, _number(file, 4))
        profile = _resources(file)
        transparent = _layers(file, wide=version == 2)
        bands = len(Image.new(mode, (0, 0)).getbands())
        if channels < bands:
            raise CorruptImage(f"the document has {channels} of {bands} channels")
        if transparent and mode in _ALPHA and channels > bands:
            mode, bands = _ALPHA[mode], bands + 1
        planes = _planes(file, bands, channels, (width, height), depth, wide=version == 2)
    image = planes[0] if bands == 1 else Image.merge(mode, planes)
    if kind == _INDEXED and len(palette) == 768:  # all reds, all greens, all blues
        image.putpalette(palette, "RGB;L")
    if kind in (_BITMAP, _CMYK):  # ink where bits and bytes are 1 and 0
        image = ImageChops.invert(image)
    image.info["icc_profile"] = profile
    return image


def _planes(
    file: BinaryIO, wanted: int, channels: int, size: tuple[int, int], depth: int, wide: bool
) -> list[Image.Image]:
    """The first `wanted` channels, of 8 bits a pixel: the higher byte of 16."""
    width, height = size
    row = (width * depth + 7) // 8
    packing = _number(file, 2)
    if packing == _PLAIN:
        return [_plane(_take(file, row * height), size, depth) for _ in range(wanted)]
    if packing != _PACKBITS:
        raise UnsupportedImage(f"a composite packed by method {packing} is not decoded")
    count = struct.Struct(">I" if wide else ">H")
    table = _take(file, count.size * height * channels)
    lengths = [length for (length,) in count.iter_unpack(table)]
    planes = []
    for at in range(wanted):
        data = _take(file, sum(lengths[at * height : (at + 1) * height]))
        plain = Image.frombytes("L", (row, height), data, "packbits", "L").tobytes()
        planes.append(_plane(plain, size, depth))
    return planes


def _plane(data: bytes, size: tuple[int, int], depth: int) -> Image.Image:
    if depth == 1:
        return Image.frombytes("1", size, data)
    return Image.frombytes("L", size, data if depth == 8 else data[::2])


def _resources(file: BinaryIO) -> bytes | None:
    """The ICC profile. Raises `UnsupportedImage` where the document says that it holds no composite."""
    end = _number(file, 4)
    end += file.tell()
    profile = None
    for _ in range(_MAX_RESOURCES):
        if end - file.tell() < 12:
            break
        _take(file, 4)
        kind, name = _number(file, 2), _number(file, 1)
        _take(file, name + 1 - name % 2)
        length = _number(file, 4)
        if kind in (_ICC, _VERSION) and length <= _MAX_RESOURCE_BYTES:
            data = _take(file, length)
            file.seek(length % 2, 1)
            if kind == _ICC:
                profile = data
            elif len(data) > 4 and not data[4]:
                raise UnsupportedImage("the document was saved without its composite")
        else:
            file.seek(length + length % 2, 1)
    file.seek(end)
    return profile


def _layers(file: BinaryIO, wide: bool) -> bool:
    """Step over the layers; whether the first channel behind the colours is the composite's transparency.

    That is so where the number of layers is negative. Documents of 16 bits keep their layers in a tagged block.
    """
    width = 8 if wide else 4
    end = _number(file, width)
    end += file.tell()
    head = file.read(min(64 * 1024, max(0, end - file.tell())))
    file.seek(end)
    at = width
    if not int.from_bytes(head[:width], "big"):
        tagged = head.find(b"Lr16")
        at = tagged + 4 + width if tagged >= 0 else len(head)
    return int.from_bytes(head[at : at + 2], "big", signed=True) < 0


def _number(file: BinaryIO, length: int) -> int:
    return int.from_bytes(_take(file, length), "big")


def _take(file: BinaryIO, length: int) -> bytes:
    data = file.read(length)
    if len(data) < length:
        raise CorruptImage("the document is cut short")
    return data
