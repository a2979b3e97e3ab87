"""Canon CRW: a CIFF heap (Canon's specification, version 1.0 r4): values first, then the directory that lists them."""

from __future__ import annotations

import struct
from collections.abc import Callable
from typing import Any

from ...blocks.dates import unix_moment
from ...blocks.numbers import positive
from ...characters import decode
from ...errors import BudgetExceeded, CorruptImage
from ...fields import Description
from ...model import FileType, Found
from ...reader import Reader

#: Entries of one directory, directories of one file, and how deep they nest.
MAX_ENTRIES = 1000
MAX_DIRECTORIES = 64
MAX_DEPTH = 8
#: Bytes of one value that are read.
MAX_VALUE_BYTES = 512

CRW = FileType("CRW", "image/x-canon-crw", "crw")
TYPES = (CRW,)
_IN_PLACE, _NUMBER, _KIND = 0x4000, 0x3FFF, 0x3800
_HEAPS = (0x2800, 0x3000)
_MAKE_MODEL, _OWNER, _SERIAL, _TIME, _IMAGE, _EXPOSURE, _ISO = (
    0x080A,
    0x0810,
    0x180B,
    0x180E,
    0x1810,
    0x1818,
    0x101C,
)
_WANTED = frozenset((_MAKE_MODEL, _OWNER, _SERIAL, _TIME, _IMAGE, _EXPOSURE, _ISO))
_MAKE_BYTES = 6  # "Canon" and its NUL; what follows is the model
_APEX_RANGE = 30
_ORIENTATIONS = {0: 1, 90: 6, 180: 3, 270: 8}


def matches(head: bytes, _: Reader) -> bool:
    """Whether the file starts with a byte order and the signature of a heap with a raw image."""
    return head[:2] in (b"II", b"MM") and head[6:14] == b"HEAPCCDR"


def read(source: Reader, found: Found) -> None:
    """Fill `found` from a CRW file. Raises `CorruptImage` when no image record states a size."""
    found.be(CRW)
    found.frames, found.animated, found.has_alpha = 1, False, False
    head = source.read_at(0, 6)
    order = "<" if head[:2] == b"II" else ">"
    values: dict[int, bytes] = {}
    try:
        start = struct.unpack(order + "I", head[2:])[0]
        _heap(source, order, start, max(0, source.size - start), values, set(), found.warn)
    except BudgetExceeded as error:
        found.warn(f"CRW: some records were not read: {error}")
    _size(values.get(_IMAGE, b""), order, found)
    found.add_exif(_describe(values, order))
    found.exif_name = "CIFF"
    if found.width is None:
        raise CorruptImage("no record states the size of the raw image")


def _heap(
    source: Reader, order: str, start: int, length: int, values: dict[int, bytes], seen: set[int],
    warn: Callable[[str], None], depth: int = 0,
) -> None:  # fmt: skip
    """Collect the wanted values of a heap and of those inside it; its last four bytes lead to its directory."""
    tail = source.read_at(start + length - 4, 4)
    at = start + struct.unpack(order + "I", tail)[0] if len(tail) == 4 else -1
    head = source.read_at(at, 2)
    if at in seen or len(head) < 2 or depth >= MAX_DEPTH or len(seen) >= MAX_DIRECTORIES:
        warn("CRW: a directory is missing, or leads back to itself")
        return
    seen.add(at)
    count = min(struct.unpack(order + "H", head)[0], MAX_ENTRIES)
    rows = source.read_at(at + 2, 10 * count)
    if len(rows) < 10 * count:
        warn("CRW: a directory is cut off")
    for row in range(0, len(rows) - 9, 10):
        tag, size, place = struct.unpack_from(order + "HII", rows, row)
        if tag & _IN_PLACE:
            value = rows[row + 2 : row + 10]
        elif tag & _KIND in _HEAPS:
            _heap(source, order, start + place, size, values, seen, warn, depth + 1)
            continue
        else:
            value = b""
            if tag & _NUMBER in _WANTED:
                value = source.read_at(start + place, min(size, MAX_VALUE_BYTES))
        if tag & _NUMBER in _WANTED:
            values.setdefault(tag & _NUMBER, value)


def _size(image: bytes, order: str, found: Found) -> None:
    """The image record: width, height, the shape of a pixel, the turn in degrees."""
    if len(image) < 16:
        return
    width, height, rotation = struct.unpack_from(order + "II4xi", image)
    if width and height:
        found.width, found.height = width, height
    found.orientation = _ORIENTATIONS.get(rotation % 360)


def _describe(values: dict[int, bytes], order: str) -> Description:
    def number(tag: int, form: str, at: int = 0) -> Any:
        value = values.get(tag, b"")
        return (
            struct.unpack_from(order + form, value, at)[0]
            if len(value) >= at + struct.calcsize(form)
            else None
        )

    names = values.get(_MAKE_MODEL, b"")
    make, model = names[:_MAKE_BYTES], names[_MAKE_BYTES:]
    stated = Description(make=decode(make), model=decode(model), artist=decode(values.get(_OWNER, b"")))
    stated.taken = unix_moment(number(_TIME, "I") or 0)
    if "EOS" in (stated.model or "") and number(_SERIAL, "I") is not None:
        stated.serial = f"{number(_SERIAL, 'I'):010d}"
    stated.iso = number(_ISO, "H") or None
    time, aperture = number(_EXPOSURE, "f", 4), number(_EXPOSURE, "f", 8)
    if time is not None and abs(time) < _APEX_RANGE:
        stated.time_s = positive(2.0**-time)
    if aperture is not None and 0 < aperture < _APEX_RANGE:
        stated.f_number = positive(2.0 ** (aperture / 2))
    return stated
