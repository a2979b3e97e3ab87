"""Truevision TGA (Truevision TGA File Format Specification, version 2.0).

There is no signature at the start: every field of the header is held against the values it may have, and the footer
that version 2 puts at the file's end is looked for.
"""

from __future__ import annotations

from dataclasses import dataclass

from ..errors import CorruptImage
from ..model import FileType, Found
from ..reader import Reader
from .cursors import Fields

TGA = FileType("TGA", "image/x-tga", "tga")
TYPES = (TGA,)

_HEADER = 18
_FOOTER = 26
_SIGNATURE = b"TRUEVISION-XFILE.\0"
_EXTENSION_SIZE = 495
_MAPPED, _COLOURED, _GREY = (1, 9), (2, 10), (3, 11)
_DEPTHS = {1: (8, 16), 9: (8, 16), 2: (15, 16, 24, 32), 10: (15, 16, 24, 32), 3: (1, 8, 16), 11: (8, 16)}
_MAP_DEPTHS = (15, 16, 24, 32)
_NO_ALPHA, _ALPHA = (0, 1, 2), (3, 4)


@dataclass(frozen=True, slots=True)
class _Header:
    """The 18 bytes at the start."""

    id_length: int
    mapped: int
    kind: int
    map_start: int
    map_length: int
    map_depth: int
    width: int
    height: int
    depth: int
    descriptor: int

    @property
    def alpha_bits(self) -> int:
        """Attribute bits per pixel."""
        return self.descriptor & 15


def _parse(head: bytes) -> _Header:
    """The header of at least 18 bytes."""
    fields = Fields(head, order="little")
    first = (fields.u8(), fields.u8(), fields.u8(), fields.u16(), fields.u16(), fields.u8())
    fields.skip(4)
    return _Header(*first, fields.u16(), fields.u16(), fields.u8(), fields.u8())


def matches(head: bytes, source: Reader) -> bool:
    """Whether every header field holds one of its few possible values."""
    if len(head) < _HEADER:
        return False
    header = _parse(head)
    if (
        header.kind not in _DEPTHS
        or header.depth not in _DEPTHS[header.kind]
        or not header.width
        or not header.height
    ):
        return False
    if header.descriptor & 0xC0 or header.alpha_bits > 8 or header.alpha_bits >= header.depth:
        return False
    if header.kind in _MAPPED:
        return (
            header.mapped == 1
            and header.map_depth in _MAP_DEPTHS
            and 0 < header.map_length <= 1 << header.depth
            # A map may hold a part of the table alone, from an entry that no pixel goes below.
            and (
                header.map_start < header.map_length
                or header.map_start + header.map_length <= 1 << header.depth
            )
            and source.size > _HEADER + header.id_length + header.map_length * ((header.map_depth + 7) // 8)
        )
    if header.mapped == 0:
        unused = header.map_start == header.map_length == 0 and header.map_depth in (0, *_MAP_DEPTHS)
        return unused or _has_footer(source)
    return header.mapped == 1 and header.map_depth in _MAP_DEPTHS and _has_footer(source)


def read(source: Reader, found: Found) -> None:
    """Fill `found` from a TGA file. Raises `CorruptImage` when the header is cut short."""
    found.be(TGA)
    found.frames, found.animated = 1, False
    head = source.read_at(0, _HEADER)
    if len(head) < _HEADER:
        raise CorruptImage("the TGA header is cut short")
    header = _parse(head)
    found.width, found.height = header.width, header.height
    attributes = _attributes_type(source)
    alpha = header.alpha_bits > 0 or header.depth == 32
    if attributes in _NO_ALPHA:
        alpha = False
    if header.kind in _MAPPED:
        found.color_mode, found.bit_depth = "P", 8
        found.has_alpha = header.map_depth == 32 and attributes not in _NO_ALPHA
    elif header.kind in _COLOURED:
        found.bit_depth = 5 if header.depth <= 16 else 8
        found.has_alpha = alpha
        found.color_mode = "RGBA" if alpha else "RGB"
    else:
        found.bit_depth = min(header.depth, 8)
        found.has_alpha = header.depth == 16 and attributes not in _NO_ALPHA
        found.color_mode = {1: "1", 8: "L", 16: "LA"}.get(header.depth)


def _footer(source: Reader) -> bytes:
    """The last 26 bytes of a version 2 file, else nothing."""
    if source.size < _HEADER + _FOOTER:
        return b""
    footer = source.read_at(source.size - _FOOTER, _FOOTER)
    return footer if footer[8:] == _SIGNATURE else b""


def _has_footer(source: Reader) -> bool:
    """Whether the file ends like version 2."""
    return bool(_footer(source))


def _attributes_type(source: Reader) -> int | None:
    """What the extension area says the attribute bits are: 0 to 2 nothing of use, 3 and 4 alpha."""
    offset = int.from_bytes(_footer(source)[:4], "little")
    if not _HEADER <= offset <= source.size - _EXTENSION_SIZE:
        return None
    area = source.read_at(offset, _EXTENSION_SIZE)
    if int.from_bytes(area[:2], "little") < _EXTENSION_SIZE or area[494] not in _NO_ALPHA + _ALPHA:
        return None
    return area[494]
