"""Windows icons and cursors: a directory of pictures, each a PNG or a bitmap without its file header.

The record describes the largest picture. A bitmap's header counts the transparency mask as further rows.
"""

from __future__ import annotations

from dataclasses import dataclass

from ..errors import CorruptImage
from ..model import FileType, Found
from ..reader import Reader
from . import bmp
from .cursors import Fields, Truncated

#: Directory entries looked at.
MAX_ENTRIES = 256
#: Planes a directory entry may state; 0 and 1 are in use.
MAX_PLANES = 4
#: Pictures whose own header is read; the directory cannot state more than 256 pixels.
MAX_HEADERS = 16

ICO = FileType("ICO", "image/vnd.microsoft.icon", "ico")
CUR = FileType("CUR", "image/x-win-bitmap", "cur")
TYPES = (ICO, CUR)
_KINDS = {b"\0\0\1\0": ICO, b"\0\0\2\0": CUR}
_PNG = b"\x89PNG\r\n\x1a\n"
_PNG_MODES = {0: "L", 2: "RGB", 3: "P", 4: "LA", 6: "RGBA"}


@dataclass
class _Entry:
    """One picture of the directory."""

    width: int
    height: int
    bits: int
    length: int
    offset: int


def matches(head: bytes, source: Reader) -> bool:
    """Whether the signature, a count and a plausible first entry are there (TGA files start alike)."""
    if head[:4] not in _KINDS or len(head) < 6:
        return False
    count = int.from_bytes(head[4:6], "little")
    if count == 0:
        return False
    if len(head) < 22:
        return source.size == len(head)
    planes, bits = int.from_bytes(head[10:12], "little"), int.from_bytes(head[12:14], "little")
    if head[2] == 1 and (planes > MAX_PLANES or bits > 32):  # a cursor's hot spot stands there
        return False
    length, offset = int.from_bytes(head[14:18], "little"), int.from_bytes(head[18:22], "little")
    return head[9] in (0, 255) and length > 0 and 6 + 16 * min(count, MAX_ENTRIES) <= max(offset, 22)


def read(source: Reader, found: Found) -> None:
    """Fill `found` from an ICO or CUR file. Raises `CorruptImage` when no entry is whole."""
    head = source.read_at(0, 6)
    found.be(_KINDS[head[:4]])
    cursor = found.format == "CUR"
    count = int.from_bytes(head[4:6], "little")
    if count > MAX_ENTRIES:
        found.warn(f"the directory states {count} pictures; {MAX_ENTRIES} are looked at")
    entries = []
    fields = Fields(source.read_at(6, 16 * min(count, MAX_ENTRIES)), order="little")
    try:
        for _ in range(min(count, MAX_ENTRIES)):
            width, height = fields.u8() or 256, fields.u8() or 256
            fields.skip(4)
            bits = fields.u16()
            entries.append(_Entry(width, height, 0 if cursor else bits, fields.u32(), fields.u32()))
    except Truncated:
        found.warn("the directory is cut short")
    if not entries:
        raise CorruptImage("the directory holds no picture")
    entries.sort(key=lambda entry: (entry.width * entry.height, entry.bits), reverse=True)
    best: Found | None = None
    for entry in entries[:MAX_HEADERS]:
        if best is not None and entry.width * entry.height < entries[0].width * entries[0].height:
            break
        picture = _picture(source, entry)
        if picture is not None and (best is None or _rank(picture) > _rank(best)):
            best = picture
    if best is None:
        found.warn("no picture's own header is readable; the directory's size stands in")
        best = Found(width=entries[0].width, height=entries[0].height)
    found.width, found.height = best.width, best.height
    found.bit_depth, found.color_mode, found.has_alpha = best.bit_depth, best.color_mode, best.has_alpha
    found.frames, found.animated = 1, False


def _rank(picture: Found) -> tuple[int, int]:
    """Order of two pictures: area, then depth."""
    return ((picture.width or 0) * (picture.height or 0), picture.bit_depth or 0)


def _picture(source: Reader, entry: _Entry) -> Found | None:
    """What one picture's own header states; None when it is not there."""
    head = source.read_at(entry.offset, 40)
    if head.startswith(_PNG):
        return _png(head)
    try:
        bitmap = bmp.parse(head)
    except CorruptImage:
        return None
    height = abs(bitmap.height) // 2
    if bitmap.size not in (12, 40, 64, 108, 124) or not bitmap.width or not height:
        return None
    depth = bitmap.bits if 0 < bitmap.bits <= 8 else 5 if bitmap.bits == 16 else 8
    return Found(
        width=bitmap.width, height=height, bit_depth=depth, color_mode="RGBA", has_alpha=True
    )  # the mask makes every icon transparent somewhere


def _png(head: bytes) -> Found | None:
    """A PNG's header chunk (PNG 11.2.1)."""
    fields = Fields(head, 12)
    try:
        if fields.take(4) != b"IHDR":
            return None
        width, height, depth, kind = fields.u32(), fields.u32(), fields.u8(), fields.u8()
    except Truncated:
        return None
    if not width or not height:
        return None
    return Found(
        width=width,
        height=height,
        bit_depth=depth,
        color_mode=_PNG_MODES.get(kind),
        has_alpha=kind in (4, 6),
    )
