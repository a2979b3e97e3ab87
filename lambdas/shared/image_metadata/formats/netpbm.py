"""Netpbm's PBM, PGM, PPM, PAM (netpbm.sourceforge.net/doc/pbm.html and neighbours) and PFM.

All start with a letter, a kind and decimal numbers between white space and comments; PAM has named lines.
"""

from __future__ import annotations

import re

from ..characters import decode
from ..errors import CorruptImage
from ..model import FileType, Found
from ..reader import Reader

#: Bytes in which the header, comments included, must end.
MAX_HEADER_BYTES = 64 * 1024
FIRST_BYTES = 4096
MAX_DIGITS = 10

# Pillow calls them all PPM.
PBM = FileType("PPM", "image/x-portable-bitmap", "pbm")
PGM = FileType("PPM", "image/x-portable-graymap", "pgm")
PPM = FileType("PPM", "image/x-portable-pixmap", "ppm")
PAM = FileType("PPM", "image/x-portable-arbitrarymap", "pam")
PFM = FileType("PPM", "image/x-portable-floatmap", "pfm")
TYPES = (PBM, PGM, PPM, PAM, PFM)
_KINDS = {
    b"P1": (PBM, "1"),
    b"P4": (PBM, "1"),
    b"P2": (PGM, "L"),
    b"P5": (PGM, "L"),
    b"P3": (PPM, "RGB"),
    b"P6": (PPM, "RGB"),
    b"P7": (PAM, None),
    b"Pf": (PFM, "F"),
    b"PF": (PFM, "RGB"),
}
# Possessive throughout: blanks before what is no token must not be tried in every possible split.
_TOKEN = re.compile(rb"(?:[ \t\r\n\v\f]++|#[^\r\n]*+[\r\n])*+([^ \t\r\n\v\f#]++)(?=[ \t\r\n\v\f#])")
_COMMENT = re.compile(rb"#([^\r\n]*+)")
_TUPLES = {
    b"BLACKANDWHITE": "1",
    b"GRAYSCALE": "L",
    b"RGB": "RGB",
    b"BLACKANDWHITE_ALPHA": "LA",
    b"GRAYSCALE_ALPHA": "LA",
    b"RGB_ALPHA": "RGBA",
    b"CMYK": "CMYK",
}
_BY_DEPTH = {1: "L", 2: "LA", 3: "RGB", 4: "RGBA"}


def matches(head: bytes, source: Reader) -> bool:
    """Whether a magic number, white space and then a number or a comment (PAM: a keyword) start the file."""
    if head[:2] not in _KINDS or head[2:3] not in (b" ", b"\t", b"\r", b"\n", b"#", b""):
        return False
    if head[:2] == b"P7":
        return head[2:3] == b"\n" and head[3:4] in b"WHDMTE#"
    rest = head[2:].lstrip(b" \t\r\n\v\f")
    return rest[:1].isdigit() or rest[:1] in (b"#", b"-") or (not rest and source.size <= len(head))


def read(source: Reader, found: Found) -> None:
    """Fill `found` from a Netpbm picture. Raises `CorruptImage` when the size is missing or no number."""
    data = source.read_at(0, FIRST_BYTES)
    kind = data[:2]
    file_type, mode = _KINDS[kind]
    found.be(file_type)
    found.frames, found.animated = 1, False
    found.color_mode = mode
    try:
        _header(kind, data, found)
    except CorruptImage:
        if source.size <= FIRST_BYTES:
            raise
        _header(kind, source.read_at(0, MAX_HEADER_BYTES), found)


def _header(kind: bytes, data: bytes, found: Found) -> None:
    """Size, depth and mode from the header in `data`."""
    if kind == b"P7":
        _arbitrary(data, found)
    else:
        position, width = _number(data, 2)
        position, height = _number(data, position)
        found.width, found.height = width, height
        if kind in (b"P1", b"P4"):
            found.bit_depth = 1
        elif kind in (b"Pf", b"PF"):
            found.bit_depth = 32
        else:
            if _TOKEN.match(data, position):
                position, most = _number(data, position)
                found.bit_depth = most.bit_length()
            else:
                found.warn("the Netpbm header is cut short")
        _comment(data, position, found)
        found.has_alpha = False
    if found.color_mode == "L" and (found.bit_depth or 8) > 8:
        found.color_mode = "I"
    if (found.bit_depth or 1) > 16 and kind not in (b"Pf", b"PF"):
        found.warn(f"the header states {found.bit_depth} bits per sample")
        found.bit_depth = None


def _comment(data: bytes, end: int, found: Found) -> None:
    """The comments among the header's first `end` bytes."""
    lines = (decode(line) for line in _COMMENT.findall(data, 2, end))
    comment = "\n".join(filter(None, lines))
    if comment:
        found.text.setdefault("Comment", comment)


def _number(data: bytes, position: int) -> tuple[int, int]:
    """Position behind the next number, and the number. Raises `CorruptImage` when it is none above zero."""
    match = _TOKEN.match(data, position)
    if match is None:
        raise CorruptImage("the Netpbm header is cut short")
    return match.end(), _positive(match[1])


def _positive(text: bytes) -> int:
    """A decimal number above zero."""
    if not text.isdigit() or len(text) > MAX_DIGITS or int(text) == 0:
        raise CorruptImage(f"the Netpbm header states {text[:20]!r} where a number is due")
    return int(text)


def _arbitrary(data: bytes, found: Found) -> None:
    """PAM: lines of a keyword and its value, up to ENDHDR."""
    values: dict[bytes, bytes] = {}
    lines = data.split(b"\n")
    for line in filter(bytes.strip, lines[1:-1]):
        name, *value = line.split(None, 1)  # tabs part the two as blanks do
        if name == b"ENDHDR":
            _comment(data, data.find(b"ENDHDR"), found)
            break
        if not name.startswith(b"#"):
            values.setdefault(name, value[0].strip() if value else b"")
    found.width, found.height = _positive(values.get(b"WIDTH", b"")), _positive(values.get(b"HEIGHT", b""))
    try:
        found.bit_depth = _positive(values.get(b"MAXVAL", b"")).bit_length()
        channels = _positive(values.get(b"DEPTH", b""))
    except CorruptImage as error:
        found.warn(str(error))
        return
    found.color_mode = _TUPLES.get(values.get(b"TUPLTYPE", b"").upper()) or _BY_DEPTH.get(channels)
    found.has_alpha = found.color_mode in ("LA", "RGBA")
