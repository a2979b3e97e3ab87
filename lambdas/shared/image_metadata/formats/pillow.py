"""The long tail: formats that Pillow opens by their header alone.

Only plugins that were seen to stop at the header are listed. Each reads through the same budget as our own readers.
"""

from __future__ import annotations

import io
import struct
import warnings
from typing import IO, Any, cast

from ..errors import CorruptImage, SourceError
from ..model import FileType, Found
from ..reader import Reader

TYPES = (
    FileType("DDS", "image/vnd.ms-dds", "dds"),
    FileType("SGI", "image/x-sgi", "sgi"),
    FileType("ICNS", "image/x-icns", "icns"),
    FileType("FITS", "image/fits", "fits"),
    FileType("PIXAR", None, "pxr"),
    FileType("SUN", "image/x-sun-raster", "ras"),
    FileType("XBM", "image/x-xbitmap", "xbm"),
    FileType("XPM", "image/x-xpixmap", "xpm"),
    FileType("DCX", "image/x-dcx", "dcx"),
    FileType("BLP", None, "blp"),
    FileType("FTEX", None, "ftc"),
    FileType("GBR", "image/x-gimp-gbr", "gbr"),
    FileType("IM", None, "im"),
    FileType("MSP", None, "msp"),
    FileType("MCIDAS", None, "area"),
    FileType("PCD", "image/x-photo-cd", "pcd"),
    FileType("XVTHUMB", None, "xv"),
    FileType("WMF", "image/wmf", "wmf"),
)
#: What a plugin raises on bytes it cannot make sense of.
FAILURES = (
    SyntaxError,
    OSError,
    EOFError,
    ValueError,
    struct.error,
    IndexError,
    KeyError,
    TypeError,
    OverflowError,
    ZeroDivisionError,
    AttributeError,
    AssertionError,
    RuntimeError,
)
#: What the head of a file must hold for a plugin whose own test passes on any lines of names and values.
_MARKS = {"IM": b"Image type"}
_HEAD = 512
_READ_LIMIT = 256 * 1024


class _File(io.RawIOBase):
    """A binary file over a `Reader`, as Pillow's plugins expect one."""

    def __init__(self, source: Reader) -> None:
        self._source = source
        self._position = 0

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def tell(self) -> int:
        return self._position

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        base = (0, self._position, self._source.size)[whence]
        self._position = max(0, base + offset)
        return self._position

    def read(self, size: int | None = -1) -> bytes:
        """At most `_READ_LIMIT` bytes at once: no plugin listed needs more to know the header."""
        wanted = _READ_LIMIT if size is None or size < 0 else min(size, _READ_LIMIT)
        data = self._source.read_at(self._position, wanted)
        self._position += len(data)
        return data

    def readline(self, size: int | None = -1) -> bytes:
        data = self._source.read_at(self._position, 4096 if size is None or size < 0 else min(size, 4096))
        end = data.find(b"\n") + 1
        data = data[:end] if end else data
        self._position += len(data)
        return data


def read(source: Reader, found: Found) -> bool:
    """Let Pillow's header-only plugins try; False when none of them takes the file, or Pillow is not installed."""
    try:
        from PIL import Image
    except ImportError:
        return False

    Image.init()
    head = source.read_at(0, 16)
    for kind in TYPES:
        name = kind.format
        if name not in Image.OPEN:
            continue
        if _MARKS.get(name, b"") not in source.read_at(0, _HEAD):
            continue
        factory, accept = Image.OPEN[name]
        file = _File(source)
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                if accept is not None:
                    accepted = accept(head)
                    if not accepted or isinstance(accepted, str):
                        continue
                image: Any = factory(cast(IO[bytes], file), "")
        except SourceError:
            raise
        except Image.DecompressionBombError:
            # Raised by GBR alone, whose signature is four small numbers: hardly ever a GBR.
            continue
        except FAILURES:
            if accept is not None and name in ("DDS", "SGI", "ICNS", "SUN"):
                found.be(kind)
                raise CorruptImage(f"the {name} header is damaged") from None
            continue
        found.be(kind)
        found.width, found.height = image.size
        found.color_mode = image.mode
        found.has_alpha = image.mode in ("RGBA", "LA", "PA", "RGBa", "La")
        found.bit_depth = {"1": 1, "I;16": 16, "I;16B": 16, "I": 32, "F": 32}.get(image.mode, 8)
        found.frames, found.animated = getattr(image, "n_frames", 1) if name == "DCX" else 1, False
        return True
    return False
