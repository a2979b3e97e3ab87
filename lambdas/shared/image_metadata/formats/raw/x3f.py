"""Sigma X3F (Foveon's published layout, version 1.0 to 2.2; later versions by ExifTool): header, sections, directory.

The directory of the sections stands at the end. Older cameras state all they know as properties, in UTF-16; newer ones
in the EXIF block of a JPEG preview.
"""

from __future__ import annotations

from ...blocks.dates import unix_moment
from ...blocks.numbers import positive
from ...characters import decode_utf16
from ...errors import BudgetExceeded, CorruptImage
from ...fields import Description
from ...model import FileType, Found
from ...reader import Reader
from ..cursors import Fields, Truncated
from .previews import take_blocks

#: Sections and properties looked at, and bytes of the property section that are read.
MAX_SECTIONS = 64
MAX_PROPERTIES = 256
MAX_PROPERTY_BYTES = 64 * 1024
MAX_DIGITS = 10

X3F = FileType("X3F", "image/x-sigma-x3f", "x3f")
TYPES = (X3F,)
_MAGIC = b"FOVb"
_VERSION_4 = 4 << 16
_ORIENTATIONS = {0: 1, 90: 6, 180: 3, 270: 8}
_PREVIEW, _JPEG = 2, 18  # what the image of a section is for, and its format


def matches(head: bytes, _: Reader) -> bool:
    """Whether the file starts with Foveon's signature."""
    return head[:4] == _MAGIC


def read(source: Reader, found: Found) -> None:
    """Fill `found` from an X3F file. Raises `CorruptImage` when nothing states the size of the raw image."""
    found.be(X3F)
    found.frames, found.animated, found.has_alpha = 1, False, False
    fields = Fields(source.read_at(0, 64), 4, "little")
    try:
        version = fields.u32()
        fields.position = 40 if version >= _VERSION_4 else 28
        width, height, rotation = fields.u32(), fields.u32(), fields.u32()
    except Truncated as error:
        raise CorruptImage("the header is cut off") from error
    if width and height:
        found.width, found.height = width, height
    found.orientation = _ORIENTATIONS.get(rotation)
    properties: list[Description] = []
    try:
        _sections(source, found, properties)
    except Truncated as error:
        found.warn(f"X3F: the directory is damaged: {error}")
    except BudgetExceeded as error:
        found.warn(f"X3F: some sections were not read: {error}")
    if properties and not found.exif:  # a preview's EXIF states the same, and more
        found.add_exif(properties[0])
        found.exif_name = "X3F"
    if found.width is None:
        raise CorruptImage("neither the header nor a section states the size of the raw image")


def _sections(source: Reader, found: Found, properties: list[Description]) -> None:
    """Go through the directory that the file's last four bytes lead to, and add what the properties state.

    The largest raw image has the size where the header does not state one.
    """
    start = Fields(source.read_at(max(0, source.size - 4), 4), order="little").u32()
    fields = Fields(source.read_at(start, 12 + 12 * MAX_SECTIONS), order="little")
    if fields.take(4) != b"SECd":
        raise Truncated("no directory where the file's end says")
    fields.skip(4)
    stated = found.width is not None
    for _ in range(min(fields.u32(), MAX_SECTIONS)):
        place, length, kind = fields.u32(), fields.u32(), fields.take(4)
        if kind == b"PROP" and not properties:
            properties.append(_properties(source.read_at(place, min(length, MAX_PROPERTY_BYTES))))
        elif kind in (b"IMAG", b"IMA2") and not (found.exif and stated):
            image = Fields(source.read_at(place, 28), 8, "little")
            use, form, width, height = (image.u32() for _ in range(4))
            if use != _PREVIEW and width * height > (found.width or 0) * (found.height or 0) and not stated:
                found.width, found.height = width, height
            if (use, form) == (_PREVIEW, _JPEG) and not found.exif:
                take_blocks(source, place + 28, max(0, length - 28), found)


def _properties(data: bytes) -> Description:
    """The property section: pairs of places in a heap of UTF-16 strings, counted in characters."""
    fields = Fields(data, order="little")
    if fields.take(4) != b"SECp":
        raise Truncated("no property section where the directory says")
    fields.skip(4)
    count = min(fields.u32(), MAX_PROPERTIES)
    fields.skip(12)
    pairs = [(fields.u32(), fields.u32()) for _ in range(count)]
    heap = data[fields.position :]
    return _describe({_string(heap, name): _string(heap, value) for name, value in pairs})


def _string(heap: bytes, place: int) -> str:
    return decode_utf16(heap[2 * place : 2 * place + 512], False) or ""


def _describe(properties: dict[str, str]) -> Description:
    seconds = properties.get("TIME", "")
    stated = Description(
        make=properties.get("CAMMANUF") or None,
        model=properties.get("CAMMODEL") or None,
        serial=properties.get("CAMSERIAL") or None,
        taken=unix_moment(int(seconds)) if _is_number(seconds) else None,
        time_s=_number(properties.get("SHUTTER")),
        f_number=_number(properties.get("APERTURE")),
        focal_length_mm=_number(properties.get("FLENGTH")),
        focal_length_35mm=_number(properties.get("FLEQ35MM")),
    )
    sensitivity = properties.get("ISO", "")
    if _is_number(sensitivity):
        stated.iso = int(sensitivity) or None
    return stated


def _is_number(text: str) -> bool:
    return text.isascii() and text.isdecimal() and len(text) <= MAX_DIGITS


def _number(text: str | None) -> float | int | None:
    try:
        return positive(float(text or ""))
    except ValueError:
        return None
