"""The JPEG previews inside raw files: never taken for the image, but some makers keep EXIF and XMP there alone."""

from __future__ import annotations

from ...errors import BudgetExceeded, CorruptImage
from ...model import Found
from ...reader import Reader, WindowReader
from .. import jpeg


def take_blocks(source: Reader, start: int, length: int, found: Found) -> None:
    """Take the EXIF and XMP blocks of the JPEG at `start` into `found`, and nothing of its picture."""
    preview = Found()
    try:
        jpeg.read(WindowReader(source, start, length), preview)
    except CorruptImage as error:
        preview.warn(f"the preview is damaged: {error}")
    except BudgetExceeded as error:
        preview.warn(f"the preview's metadata were not all read: {error}")
    for block in preview.exif:
        found.add_exif(block)
    found.xmp, found.xmp_extended = preview.xmp, preview.xmp_extended
    for warning in preview.warnings:
        found.warn(f"{found.format}: {warning}")
