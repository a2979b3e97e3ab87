"""JPEG XR (ITU-T T.832 annex A): a TIFF-like directory that states size, pixel format and the metadata blocks."""

from __future__ import annotations

import struct

from ..blocks.exif import exif_of
from ..blocks.ifd import NotTiff, TiffStream
from ..errors import BudgetExceeded, CorruptImage
from ..model import FileType, Found
from ..reader import Reader
from .rasters import number
from .tiff import profile_of, read_blocks

JXR = FileType("JXR", "image/jxr", "jxr")
TYPES = (JXR,)

_PIXEL_FORMAT, _WIDTH, _HEIGHT, _DPI, _ALPHA = 0xBC01, 0xBC80, 0xBC81, (0xBC82, 0xBC83), 0xBCC2
#: What the pixel formats (A.7.18) have in common; the last byte tells them apart.
_FORMATS = bytes.fromhex("24c3dd6f034efe4bb1853d77768dc9")
#: Last byte -> mode, bits per channel.
_MODES = {
    0x05: ("1", 1), 0x08: ("L", 8), 0x0B: ("I;16", 16), 0x3E: ("F", 16), 0x11: ("F", 32),
    0x09: ("RGB", 5), 0x0A: ("RGB", 6), 0x0C: ("RGB", 8), 0x0D: ("RGB", 8), 0x0E: ("RGB", 8), 0x14: ("RGB", 10),
    0x15: ("RGB", 16), 0x12: ("RGB", 16), 0x43: ("RGB", 16), 0x42: ("RGB", 16), 0x1B: ("RGB", 32), 0x3D: ("RGB", 8),
    0x0F: ("RGBA", 8), 0x10: ("RGBA", 8), 0x16: ("RGBA", 16), 0x17: ("RGBA", 16), 0x3A: ("RGBA", 16),
    0x19: ("RGBA", 32), 0x1A: ("RGBA", 32), 0x1C: ("CMYK", 8), 0x1F: ("CMYK", 16),
}  # fmt: skip


def matches(head: bytes, _: Reader) -> bool:
    """Whether the file starts as a JPEG XR: the byte order, which is always the same, a magic byte, a version."""
    return head[:3] == b"II\xbc" and head[3:4] in (b"\0", b"\1")


def read(source: Reader, found: Found) -> None:
    """Read the directory; raises `CorruptImage` without a size."""
    found.be(JXR)
    found.frames, found.animated = 1, False
    try:
        tiff = TiffStream(source, found.warn, "JPEG XR")
    except NotTiff as error:
        raise CorruptImage("the header is cut off") from error
    tags = tiff.directory(tiff.first)
    width, height = number(tiff, tags, _WIDTH), number(tiff, tags, _HEIGHT)
    if not width or not height or width < 0 or height < 0:
        raise CorruptImage("the directory states no size")
    found.width, found.height = width, height
    kind = tiff.raw(tags[_PIXEL_FORMAT], 16) if _PIXEL_FORMAT in tags else b""
    if len(kind) == 16 and kind[:15] == _FORMATS and kind[15] in _MODES:
        found.color_mode, found.bit_depth = _MODES[kind[15]]
        found.has_alpha = found.color_mode == "RGBA" or _ALPHA in tags
    dpi = [tiff.real(tags.get(tag)) or 0 for tag in _DPI]
    if all(0 < each < 1e7 for each in dpi):
        found.dpi = round(dpi[0], 4), round(dpi[1], 4)
    try:
        found.add_exif(exif_of(tiff, tags, found.warn))
        read_blocks(tiff, tags, found)
        found.icc = profile_of(tiff, tags)
    except (BudgetExceeded, struct.error) as error:
        found.warn(f"JPEG XR: some blocks were not read: {error}")
