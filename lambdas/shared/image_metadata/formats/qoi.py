"""QOI, the Quite OK Image format: 14 bytes of header (qoiformat.org specification, version 1.0)."""

from __future__ import annotations

from ..errors import CorruptImage
from ..model import FileType, Found
from ..reader import Reader
from .cursors import Fields, Truncated

QOI = FileType("QOI", "image/qoi", "qoi")
TYPES = (QOI,)

_MODES = {3: "RGB", 4: "RGBA"}


def matches(head: bytes, source: Reader) -> bool:
    """Whether the file starts with "qoif" and, as far as it goes, a valid channel count and colour space."""
    return head[:4] == b"qoif" and (source.size < 14 or (head[12] in _MODES and head[13] in (0, 1)))


def read(source: Reader, found: Found) -> None:
    """Fill `found` from a QOI file. Raises `CorruptImage` when the header is cut short or states no area."""
    found.be(QOI)
    found.frames, found.animated = 1, False
    fields = Fields(source.read_at(4, 10))
    try:
        width, height = fields.u32(), fields.u32()
    except Truncated as error:
        raise CorruptImage(f"the QOI header is cut short: {error}") from error
    if not width or not height:
        raise CorruptImage(f"the QOI header states a size of {width} x {height}")
    found.width, found.height = width, height
    found.bit_depth = 8
    if fields.left:
        found.color_mode = _MODES.get(fields.u8())
        found.has_alpha = found.color_mode == "RGBA"
