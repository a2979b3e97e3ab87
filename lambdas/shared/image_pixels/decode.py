"""From a file to one picture: its first frame, upright, in sRGB, scaled down while it is decoded.

Runs in the decoding process (`worker`), never beside credentials.
"""

from __future__ import annotations

import io
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from PIL import ExifTags, Image, ImageCms, ImageOps, PngImagePlugin, UnidentifiedImageError

from image_metadata.errors import CorruptImage, ImageTooLarge, UnsupportedImage
from image_metadata.formats.pillow import FAILURES

from . import limits
from .formats import DRAFTED, PLUGINS, check_pixels
from .psd import open_composite

#: Resizing in two steps, the last one by this factor: no difference to see, and a JPEG is decoded that much smaller.
_REDUCING_GAP = 3.0
#: Gammas that a PNG may mean; others are damage.
_LEAST_GAMMA, _MOST_GAMMA = 0.1, 5.0
_SRGB = ImageCms.createProfile("sRGB")
#: An ICC profile's colour space -> the mode of the pictures that it is for.
_SPACES = {"RGB": "RGB", "GRAY": "L", "CMYK": "CMYK", "Lab": "LAB"}

Image.MAX_IMAGE_PIXELS = limits.MAX_JPEG_PIXELS // 2  # Pillow warns from here on and raises at twice as many
PngImagePlugin.MAX_TEXT_CHUNK = PngImagePlugin.MAX_TEXT_MEMORY = limits.MAX_PNG_TEXT


def open_picture(path: Path, file_format: str, most: int, orientation: int | None = None) -> Image.Image:
    """The picture in the file, RGB or RGBA, its longer side `most` pixels, or fewer where it has fewer.

    `orientation` (EXIF, 1 to 8) is for files that do not state their own. Raises `UnsupportedImage`, `CorruptImage`,
    `ImageTooLarge`.
    """
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        plugins = PLUGINS[file_format]
        with _decoding():
            opened = _open(path, file_format, plugins)
        with opened:
            check_pixels(file_format, *opened.size)
            with _decoding():
                if file_format in DRAFTED:
                    opened.draft(None, (int(most * _REDUCING_GAP), int(most * _REDUCING_GAP)))
                check_pixels(file_format, *opened.size, drafted=True)
                opened.load()
                picture = _resizable(opened)
                picture.thumbnail((most, most), Image.Resampling.LANCZOS, reducing_gap=_REDUCING_GAP)
                if orientation is not None:
                    picture.getexif()[ExifTags.Base.Orientation] = orientation
                picture = ImageOps.exif_transpose(picture)
            picture = _to_srgb(picture, opened.info.get("icc_profile"), _gamma(opened))
        return _without_empty_alpha(picture)


@contextmanager
def _decoding() -> Iterator[None]:
    """Pillow's failures on a file, as ours."""
    try:
        yield
    except Image.DecompressionBombError as error:
        raise ImageTooLarge("the image has more pixels than are decoded") from error
    except UnidentifiedImageError as error:
        # The header was read before: it is a variety that the decoder lacks, or too damaged to tell.
        raise UnsupportedImage(
            "the decoder does not take this variety of the format, or the file is damaged"
        ) from error
    except MemoryError as error:
        raise ImageTooLarge("decoding the image takes more memory than it may") from error
    except FAILURES as error:
        raise CorruptImage(f"the image cannot be decoded: {_reason(error)}") from error


def _open(path: Path, file_format: str, plugins: tuple[str, ...]) -> Image.Image:
    if file_format == "HEIF":
        import pi_heif  # only the functions that decode have it

        heif = pi_heif.open_heif(path, convert_hdr_to_8bit=True)
        check_pixels(file_format, *heif.size)
        picture: Image.Image = heif.to_pillow()  # turned by irot and imir, and says so
        return picture
    if file_format == "PSD":
        return open_composite(path)
    return Image.open(path, formats=plugins)


def _resizable(image: Image.Image) -> Image.Image:
    """The same picture in L, LA, RGB, RGBA, CMYK or LAB, 8 bits a channel."""
    mode = image.mode
    if mode in ("P", "PA"):
        return image.convert("RGBA" if mode == "PA" or "transparency" in image.info else "RGB")
    if mode in ("1", "L", "RGB") and "transparency" in image.info:  # one colour is transparent (PNG tRNS)
        return image.convert("RGBA")
    if mode.startswith("I;16"):
        # Converted straight, every value over 255 would become 255.
        return image.convert("I").point(lambda value: value * (1 / 257)).convert("L")
    if mode in ("I", "F"):
        return _stretched(image)
    if mode in ("L", "LA", "RGB", "RGBA", "CMYK", "LAB"):
        return image
    return image.convert({"1": "L", "La": "LA", "RGBa": "RGBA"}.get(mode, "RGB"))


def _stretched(image: Image.Image) -> Image.Image:
    """Grey of 32 bits, whose black and white nothing states: the least value becomes black, the greatest white."""
    low, high = image.getextrema()
    if not isinstance(low, int | float) or not isinstance(high, int | float) or not high - low < float("inf"):
        raise ValueError("the values have no range")
    scale = 255 / (high - low) if high > low else 1.0
    return image.convert("F").point(lambda value: value * scale - low * scale).convert("L")


def _gamma(image: Image.Image) -> float | None:
    """The exponent that a PNG states instead of a profile (gAMA; sRGB and iCCP outrank it); None for sRGB's own."""
    gamma = image.info.get("gamma")
    if not isinstance(gamma, float) or "srgb" in image.info or "icc_profile" in image.info:
        return None
    return gamma if _LEAST_GAMMA < gamma < _MOST_GAMMA and abs(gamma - 1 / 2.2) > 0.005 else None


def _to_srgb(image: Image.Image, profile: bytes | None, gamma: float | None) -> Image.Image:
    """The picture in sRGB by its ICC profile; one that is missing, broken or of another colour space counts as sRGB."""
    alpha = image.getchannel("A") if image.mode in ("LA", "RGBA") else None
    colors = image.convert(image.mode[:-1]) if alpha else image
    colors = _by_profile(colors, profile) or colors.convert("RGB")
    if gamma is not None:
        curve = [round(255 * _encoded((value / 255) ** (1 / gamma))) for value in range(256)]
        colors = colors.point(curve * 3)
    if alpha:
        colors.putalpha(alpha)
    return colors


def _encoded(light: float) -> float:
    """Linear light in sRGB's transfer function (IEC 61966-2-1)."""
    return 12.92 * light if light <= 0.0031308 else 1.055 * light ** (1 / 2.4) - 0.055


def _by_profile(colors: Image.Image, profile: bytes | None) -> Image.Image | None:
    source: Any = None
    try:
        if colors.mode == "LAB":
            source = ImageCms.createProfile("LAB")
        elif profile:
            source = ImageCms.ImageCmsProfile(io.BytesIO(profile))
            if _SPACES.get(source.profile.xcolor_space.strip()) != colors.mode:
                return None
        if source is None:
            return None
        flags = ImageCms.Flags.BLACKPOINTCOMPENSATION
        return ImageCms.profileToProfile(colors, source, _SRGB, outputMode="RGB", flags=flags)
    except (OSError, ValueError, ImageCms.PyCMSError):  # ValueError: its names are no text
        return None


def _without_empty_alpha(image: Image.Image) -> Image.Image:
    opaque = image.mode == "RGBA" and image.getchannel("A").getextrema() == (255, 255)
    return image.convert("RGB") if opaque else image


def _reason(error: Exception) -> str:
    return str(error)[:200] or type(error).__name__
