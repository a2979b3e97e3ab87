"""What only pixels tell, as the record's `pixels` field."""

from __future__ import annotations

import base64
from typing import Any

from PIL import Image, ImageFilter, ImageStat

from .hashes import phash, thumbhash

#: The longest side of the picture that is measured: sharpness depends on it.
SIDE = 512
#: How far a pixel is from its neighbours' mean; around a middle grey, so that both signs fit.
_LAPLACIAN = ImageFilter.Kernel((3, 3), (0, 1, 0, 1, -4, 1, 0, 1, 0), scale=4, offset=128)
_LAPLACIAN_SCALE = 4


def measure(picture: Image.Image) -> dict[str, Any]:
    """The measures of a picture of at most `SIDE` pixels a side, as it looks on white."""
    shown = picture
    if picture.mode == "RGBA":
        shown = Image.alpha_composite(Image.new("RGBA", picture.size, "white"), picture).convert("RGB")
    grey = shown.convert("L")
    return {
        "phash": phash(shown),
        "thumbhash": base64.b64encode(thumbhash(picture)).decode(),
        "average_color": "#" + "".join(f"{round(value):02x}" for value in ImageStat.Stat(shown).mean),
        "brightness": round(ImageStat.Stat(grey).mean[0] / 255, 3),
        "sharpness": sharpness(grey),
    }


def sharpness(grey: Image.Image) -> float:
    """The variance of the Laplacian: some hundreds for a sharp photograph, under 20 for a blurred one."""
    if min(grey.size) < 3:
        return 0.0
    edges = grey.filter(_LAPLACIAN).crop((1, 1, grey.width - 1, grey.height - 1))  # the rim is not filtered
    return round(ImageStat.Stat(edges).var[0] * _LAPLACIAN_SCALE**2, 1)
