"""Image metadata from as few bytes as possible: `extract(path).to_dict()`.

Pure Python over a path or any seekable source, no pixel decoded, no file read whole. See docs/extractor.md.
"""

from __future__ import annotations

from .errors import (
    BudgetExceeded,
    CorruptImage,
    ImageMetadataError,
    ImageTooLarge,
    SourceChanged,
    SourceError,
    UnsupportedImage,
)
from .extract import extract
from .formats import extension
from .model import ImageMetadata
from .reader import FileReader, PathReader, RangeReader, Reader
from .versions import EXTRACTOR_VERSION

__all__ = [
    "EXTRACTOR_VERSION",
    "BudgetExceeded",
    "CorruptImage",
    "FileReader",
    "ImageMetadata",
    "ImageMetadataError",
    "ImageTooLarge",
    "PathReader",
    "RangeReader",
    "Reader",
    "SourceChanged",
    "SourceError",
    "UnsupportedImage",
    "extension",
    "extract",
]
