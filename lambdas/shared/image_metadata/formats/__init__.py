"""The readers, one per container, in the order they are asked whether a file is theirs.

Each module has `TYPES`, the kinds of file that it reads, `matches(head, source) -> bool`, on the first bytes, and
`read(source, found)`.
"""

from __future__ import annotations

from types import ModuleType

from .. import limits
from ..errors import CorruptImage, UnsupportedImage
from ..model import Found
from ..reader import Reader, WindowReader
from . import (
    bmp,
    eps,
    exr,
    foreign,
    gif,
    hdr,
    ico,
    isobmff,
    jp2,
    jpeg,
    jxl,
    jxr,
    netpbm,
    pcx,
    pillow,
    png,
    psd,
    qoi,
    svg,
    tga,
    tiff,
    webp,
)
from .raw import ciff, cr3, mrw, raf, rw2, x3f

#: Bytes that `matches` may look at.
HEAD = 64

READERS: tuple[ModuleType, ...] = (
    jpeg, png, gif, webp, cr3, isobmff, tiff, rw2, raf, ciff, x3f, mrw,
    bmp, jxl, jxr, jp2, psd, exr, hdr, qoi, ico, netpbm, pcx, svg, eps,
)  # fmt: skip
#: Asked when nothing else knows the file: formats whose first bytes only make them likely.
WITHOUT_SIGNATURE: tuple[ModuleType, ...] = (tga,)
#: Media type -> the extension of a file's name. Of what clients state there is more than we find.
EXTENSIONS: dict[str, str] = {"image/x-icon": "ico", "image/x-portable-anymap": "pnm"} | {
    kind.media_type: kind.extension
    for module in (*READERS, *WITHOUT_SIGNATURE, pillow)
    for kind in module.TYPES
    if kind.media_type
}


def reader_for(source: Reader) -> ModuleType | None:
    """The module that reads this file; None when no signature is known."""
    head = source.read_at(0, HEAD)
    for module in READERS:
        if module.matches(head, source):
            return module
    return None


def read_behind_garbage(source: Reader) -> Found | None:
    """Read a JPEG or TIFF that starts some bytes into the file; None when there is none, or it is part of another file.

    A JPEG that belongs to what stands before it (a cover, a page's picture) does not end with the file; a TIFF stream
    that is a block of metadata has no raster.
    """
    head = source.read_at(0, limits.MAX_LEADING_GARBAGE)
    for signature, module in ((b"\xff\xd8\xff", jpeg), (b"II*\0", tiff), (b"MM\0*", tiff)):
        at = head.find(signature, 1)
        if at < 0 or foreign.is_known(source):
            continue
        window = WindowReader(source, at)
        if not (foreign.ends_with(source, jpeg.END) if module is jpeg else tiff.has_data(window)):
            continue
        found = Found()
        try:
            module.read(window, found)
        except CorruptImage:
            continue
        found.warn(f"{at} bytes precede the image")
        return found
    return None


def read_without_signature(source: Reader, found: Found) -> None:
    """The last resort, formats that have no signature; raises `UnsupportedImage` when none fits."""
    head = source.read_at(0, HEAD)
    for module in WITHOUT_SIGNATURE:
        if module.matches(head, source):
            module.read(source, found)
            return
    raise UnsupportedImage("the bytes are no image of a known kind")


def extension(media_type: str) -> str:
    """The file extension for a media type, without a dot; of one that no reader names, a guess by the type's name."""
    subtype = media_type.rpartition("/")[2].partition("+")[0].removeprefix("x-").rpartition(".")[2]
    return EXTENSIONS.get(media_type, "".join(char for char in subtype if char.isalnum())[:12])
