"""A preview: the picture in WebP, without any of the file's metadata."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING

if TYPE_CHECKING:  # the sizes are known where nothing is decoded
    from PIL import Image

#: Longest sides, in pixels.
SIZES = (160, 320, 640, 1280)
CONTENT_TYPE = "image/webp"
_QUALITY = 85
_METHOD = 4  # of 0 (fast) to 6 (small)


def encode(picture: Image.Image) -> bytes:
    """The picture as WebP."""
    out = io.BytesIO()
    picture.save(out, "WEBP", quality=_QUALITY, method=_METHOD)
    return out.getvalue()
