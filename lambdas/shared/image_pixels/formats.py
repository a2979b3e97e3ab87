"""What is decoded, and by which decoder; kept apart from the decoders, which the decoding process alone imports."""

from __future__ import annotations

from image_metadata.errors import ImageTooLarge

from . import limits

#: The formats that are decoded, by the names that `image_metadata` gives them -> the only Pillow plugins that then see
#: the file. Pillow has others that start programs (EPS) or are of no use here. HEIF and PSD are not Pillow's.
PLUGINS: dict[str, tuple[str, ...]] = {
    "JPEG": ("JPEG",),
    "MPO": ("JPEG",),
    "PNG": ("PNG",),
    "GIF": ("GIF",),
    "WEBP": ("WEBP",),
    "AVIF": ("AVIF",),
    "HEIF": (),
    "TIFF": ("TIFF",),
    "BMP": ("BMP", "DIB"),
    "DIB": ("BMP", "DIB"),
    "PSD": (),
    "ICO": ("ICO",),
    "CUR": ("CUR",),
    "JPEG2000": ("JPEG2000",),
    "PPM": ("PPM",),
    "PCX": ("PCX",),
    "TGA": ("TGA",),
    "QOI": ("QOI",),
}
#: Formats that are decoded at a fraction of their size.
DRAFTED = frozenset(("JPEG", "MPO"))
#: Raw files, which show the largest JPEG that their camera put into them.
RAW = frozenset((
    "3FR", "ARW", "CR2", "CR3", "DCR", "DNG", "ERF", "FFF", "GPR", "IIQ", "KDC", "MEF", "MOS", "NEF", "NRW", "ORF",
    "PEF", "RAF", "RAW", "RW2", "RWL", "SR2", "SRF", "SRW", "X3F",
))  # fmt: skip


def check_pixels(file_format: str, width: int, height: int, drafted: bool = False) -> None:
    """Raise `ImageTooLarge` for more pixels than are decoded; `drafted`: the size is that at which it is decoded."""
    most = limits.MAX_PIXELS if drafted or file_format not in DRAFTED else limits.MAX_JPEG_PIXELS
    if width * height > most:
        raise ImageTooLarge(
            f"{width} x {height} pixels are more than are decoded of {file_format} ({most // 1_000_000} million)"
        )
