"""The package's own exceptions; each failure has its named cause, and none of them knows AWS or HTTP."""


class ImageMetadataError(Exception):
    """Base of everything this package raises."""


class CorruptImage(ImageMetadataError):
    """The kind of file is known, and its size in pixels cannot be read; the message says why."""


class UnsupportedImage(ImageMetadataError):
    """The bytes are no image that the package knows."""


class ImageTooLarge(ImageMetadataError):
    """The image is over a stated limit (pixels, dimensions)."""


class BudgetExceeded(ImageMetadataError):
    """Reading on would cost more bytes or requests than the budget allows."""


class SourceError(ImageMetadataError):
    """The bytes could not be fetched; nothing is said about the image. Worth a retry."""


class SourceChanged(SourceError):
    """The object was overwritten or removed while it was being read."""
