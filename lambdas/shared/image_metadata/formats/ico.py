"""Windows icons and cursors: a directory of pictures, each a PNG or a bitmap without its file header.

The record describes the largest picture. A bitmap's header counts the transparency mask as further rows.
"""

from __future__ import annotations

from dataclasses import dataclass

from ..errors import BudgetExceeded, CorruptImage
from ..model import FileType, Found
from ..reader import Reader, WindowReader
from . import bmp, png
from .cursors import Fields

#: Directory entries looked at.
MAX_ENTRIES = 256
#: Pictures whose own header is read; the directory cannot state more than 256 pixels.
MAX_HEADERS = 16
#: Pictures that are tried to see whether the file is an icon at all.
MAX_TRIED = 4
#: Pixels along a side of a bitmap.
MAX_SIDE = 65535

ICO = FileType("ICO", "image/vnd.microsoft.icon", "ico")
CUR = FileType("CUR", "image/x-win-bitmap", "cur")
TYPES = (ICO, CUR)
_KINDS = {b"\0\0\1\0": ICO, b"\0\0\2\0": CUR}
_DEPTHS = frozenset((1, 2, 4, 8, 16, 24, 32))


@dataclass
class _Entry:
    """One picture of the directory."""

    width: int
    height: int
    bits: int
    length: int
    offset: int


def matches(head: bytes, source: Reader) -> bool:
    """Whether the signature is there, and a picture whose own header can be read.

    The signature is four small numbers, as Targa files and spreadsheets have them, and no directory states its pictures
    so exactly that it could be trusted: there are PNG icons with 256 planes and 500 bits per pixel.
    """
    return head[:4] in _KINDS and any(_picture(source, entry) for entry in _nearest(_entries(source), source))


def read(source: Reader, found: Found) -> None:
    """Fill `found` from an ICO or CUR file, by the largest picture. Raises `CorruptImage` when none can be read."""
    found.be(_KINDS[source.read_at(0, 4)])
    entries = _entries(source)
    count = int.from_bytes(source.read_at(4, 2), "little")
    if count > len(entries):
        found.warn(f"the directory states {count} pictures; {len(entries)} are looked at")
    entries.sort(key=lambda entry: (entry.width * entry.height, entry.bits), reverse=True)
    best: Found | None = None
    start = 0
    for entry in entries[:MAX_HEADERS]:
        if best is not None and entry.width * entry.height < entries[0].width * entries[0].height:
            break
        picture = _picture(source, entry)
        if picture is not None and (best is None or _rank(picture) > _rank(best)):
            best, start = picture, entry.offset
    if best is None:
        raise CorruptImage("none of the largest pictures has a header of its own")
    if png.matches(source.read_at(start, 8), source):
        whole = Found()
        try:
            png.read_colors(WindowReader(source, start), whole)
            best = whole
        except (BudgetExceeded, CorruptImage) as error:
            found.warn(f"PNG: {error}")
        for message in whole.warnings:
            found.warn(message)
    found.width, found.height = best.width, best.height
    found.bit_depth, found.color_mode, found.has_alpha = best.bit_depth, best.color_mode, best.has_alpha
    found.frames, found.animated = 1, False


def _entries(source: Reader) -> list[_Entry]:
    """The directory's entries, as many as there are and are looked at."""
    head = source.read_at(0, 6)
    cursor, count = head[2:3] == b"\2", int.from_bytes(head[4:], "little")
    entries = []
    fields = Fields(source.read_at(6, 16 * min(count, MAX_ENTRIES)), order="little")
    while fields.left >= 16:
        width, height = fields.u8() or 256, fields.u8() or 256
        fields.skip(4)
        bits = fields.u16()  # of a cursor half its hot spot
        entries.append(_Entry(width, height, 0 if cursor else bits, fields.u32(), fields.u32()))
    return entries


def _nearest(entries: list[_Entry], source: Reader) -> list[_Entry]:
    """The few pictures inside the file that lie closest to its start."""
    inside = [entry for entry in entries if entry.length and 0 < entry.offset < source.size]
    return sorted(inside, key=lambda entry: entry.offset)[:MAX_TRIED]


def _rank(picture: Found) -> tuple[int, int]:
    """Order of two pictures: area, then depth."""
    return ((picture.width or 0) * (picture.height or 0), picture.bit_depth or 0)


def _picture(source: Reader, entry: _Entry) -> Found | None:
    """What one picture's own header states; None when it is not there."""
    head = source.read_at(entry.offset, 40)
    if png.matches(head, source):
        return _png(head)
    try:
        bitmap = bmp.parse(head)
    except CorruptImage:
        return None
    height = abs(bitmap.height) // 2
    if bitmap.size not in (12, 40, 64, 108, 124) or bitmap.bits not in _DEPTHS:
        return None
    if not 0 < bitmap.width <= MAX_SIDE or not 0 < height <= MAX_SIDE:
        return None
    depth = bitmap.bits if 0 < bitmap.bits <= 8 else 5 if bitmap.bits == 16 else 8
    return Found(
        width=bitmap.width, height=height, bit_depth=depth, color_mode="RGBA", has_alpha=True
    )  # the mask makes every icon transparent somewhere


def _png(head: bytes) -> Found | None:
    """What a PNG's header chunk states, which is the first one; None when it is not there."""
    if head[12:16] != b"IHDR" or len(head) < 26:
        return None
    picture = Found()
    png.header(head[16:], picture)
    return picture if picture.width and picture.height else None
