"""PNG and APNG (W3C PNG third edition, sections 5 and 11): chunks, the text ones inflated with a cap."""

from __future__ import annotations

import struct
import zlib

from .. import limits
from ..errors import BudgetExceeded, CorruptImage
from ..model import Found
from ..photoshop import read_resources
from ..reader import Reader

_MAGIC = b"\x89PNG\r\n\x1a\n"
_MODES = {0: "L", 2: "RGB", 3: "P", 4: "LA", 6: "RGBA"}
_SIDE = frozenset((b"tEXt", b"zTXt", b"iTXt", b"eXIf", b"zxIf", b"iCCP", b"pHYs", b"tRNS", b"acTL", b"fcTL"))
_TEXTS = frozenset((b"tEXt", b"zTXt", b"iTXt"))
_KEYWORDS = frozenset(
    (
        "XML:com.adobe.xmp",
        "Title",
        "Description",
        "Author",
        "Copyright",
        "Software",
        "Creation Time",
        "Comment",
    )
)
#: Image data chunks stepped over by a request each before the file's end is looked at instead; bytes of that end.
_MAX_HOPS = 2
_TAIL = 32 * 1024
_MAX_CANDIDATES = 64
_XMP = "XML:com.adobe.xmp"
_PROFILE = "Raw profile type "


def matches(head: bytes, _: Reader) -> bool:
    """Whether the file starts as a PNG."""
    return head.startswith(_MAGIC)


def read(source: Reader, found: Found) -> None:
    """Walk the chunks; raises `CorruptImage` without an image header."""
    found.format, found.content_type = "PNG", "image/png"
    animation = _Animation()
    try:
        _walk(source, found, animation)
    except BudgetExceeded as error:
        if found.width is None:
            raise
        found.warn(f"PNG: the end of the file was not searched for metadata: {error}")
    if found.width is None:
        raise CorruptImage("no image header")
    animation.tell(found)


class _Animation:
    """The frames of an APNG: acTL's count, the fcTL delays."""

    def __init__(self) -> None:
        self.frames = 0
        self.plays = 0
        self.seen = 0
        self.seconds = 0.0

    def control(self, data: bytes) -> None:
        if len(data) >= 8 and not self.frames:
            self.frames, self.plays = struct.unpack(">II", data[:8])

    def frame(self, data: bytes) -> None:
        if len(data) >= 24:
            number, under = struct.unpack(">HH", data[20:24])
            self.seen += 1
            self.seconds += number / (under or 100)

    def tell(self, found: Found) -> None:
        found.frames = self.frames or 1
        found.animated = self.frames > 1
        if self.frames:
            found.loop = self.plays
            if self.seen >= self.frames:
                found.duration_ms = round(self.seconds * 1000)


def _walk(source: Reader, found: Found, animation: _Animation) -> None:
    position = 8
    hops = 0
    read_at = source.read_at
    for _ in range(limits.MAX_CHUNKS):
        head = read_at(position, 8)
        if len(head) < 8:
            if found.width is not None:
                found.warn("PNG: the file is cut off")
            return
        length, kind = struct.unpack(">I4s", head)
        if kind == b"IEND":
            return
        if kind == b"IHDR":
            _header(read_at(position + 8, length if length <= 13 else 13), found)
        elif kind in _SIDE:
            if found.width is None:
                found.warn("PNG: a chunk stands before the image header")
            if kind not in _TEXTS or _wanted(read_at(position + 8, min(length, 80))):
                cap = limits.MAX_EXIF if kind == b"eXIf" else limits.MAX_INFLATED
                if length > cap:
                    found.warn(f"PNG: a {kind.decode()} chunk is larger than is read")
                    if kind != b"iCCP":
                        position += 12 + length
                        continue
                data = read_at(position + 8, min(length, cap))
                if len(data) < min(length, cap):
                    found.warn(f"PNG: a {kind.decode()} chunk is cut off")
                _side(kind, data, found, animation)
        elif not all(65 <= byte <= 90 or 97 <= byte <= 122 for byte in kind):
            found.warn("PNG: the chunks are damaged")
            return
        elif kind == b"IDAT" and not animation.frames:
            if position + 20 + length > limits.FIRST_BLOCK:
                hops += 1
            if hops > _MAX_HOPS and source.size - position > 2 * _TAIL:
                position = _last_chunks(source, source.size - _TAIL)
                if not position:
                    found.warn("PNG: the end of the file was not searched for metadata")
                    return
                hops = -limits.MAX_CHUNKS
                continue
        position += 12 + length
    found.warn("PNG: more chunks than are read")


def _last_chunks(source: Reader, start: int) -> int:
    """Where the first chunk starts within the last bytes, found by chunks that lead to the end; 0 if none do."""
    tail = source.read_at(start, source.size - start)
    at = tail.find(b"IDAT")
    for _ in range(_MAX_CANDIDATES):
        if at < 4:
            at = tail.find(b"IDAT", at + 1) if at >= 0 else -1
            if at < 0:
                return 0
            continue
        position = at - 4
        while 0 <= position <= len(tail) - 8:
            length, kind = struct.unpack(">I4s", tail[position : position + 8])
            if kind == b"IEND":
                return start + at - 4
            if not kind.isalpha():
                break
            position += 12 + length
        at = tail.find(b"IDAT", at + 1)
        if at < 0:
            return 0
    return 0


def _wanted(start: bytes) -> bool:
    """Whether a text chunk's keyword is one that the record has a place for."""
    keyword = start.split(b"\0", 1)[0].decode("latin-1")
    return keyword in _KEYWORDS or keyword.startswith(_PROFILE)


def _header(data: bytes, found: Found) -> None:
    if len(data) < 13:
        raise CorruptImage("the image header is cut off")
    if found.width is not None:
        return
    found.width, found.height, depth, kind = struct.unpack(">IIBB", data[:10])
    if kind in _MODES:
        found.color_mode = _MODES[kind]
        if kind == 0 and depth == 1:
            found.color_mode = "1"
        elif kind == 0 and depth == 16:
            found.color_mode = "I;16"
        found.has_alpha = kind in (4, 6)
    else:
        found.warn(f"PNG: colour type {kind} is unknown")
    if depth in (1, 2, 4, 8, 16):
        found.bit_depth = depth
    else:
        found.warn(f"PNG: bit depth {depth} is impossible")


def _side(kind: bytes, data: bytes, found: Found, animation: _Animation) -> None:
    if kind == b"tRNS":
        found.has_alpha = True
    elif kind == b"acTL":
        animation.control(data)
    elif kind == b"fcTL":
        animation.frame(data)
    elif kind == b"pHYs":
        if len(data) >= 9:
            x, y, unit = struct.unpack(">IIB", data[:9])
            if unit == 1 and x and y:
                found.dpi = (round(x * 0.0254, 4), round(y * 0.0254, 4))
    elif kind == b"eXIf":
        found.exif = data[6:] if data[:6] == b"Exif\0\0" else data
    elif kind == b"zxIf":
        block = inflate(data[5:], "EXIF", found) if data[:1] == b"\0" else None
        if block and found.exif is None:
            found.exif = block
    elif kind == b"iCCP":
        name, _, rest = data.partition(b"\0")
        profile = inflate(rest[1:], "ICC", found, cut=True)
        if profile and name:
            found.icc = profile
    else:
        _text(kind, data, found)


def inflate(data: bytes, name: str, found: Found, cut: bool = False) -> bytes | None:
    """Inflate a zlib stream; what a damaged one yields before its damage.

    One that inflates to more than the cap gives None, or with `cut` its start.
    """
    engine = zlib.decompressobj()
    out = bytearray()
    try:
        # Small steps, so that what stands before a damaged byte is kept.
        for start in range(0, len(data), 4096):
            piece = data[start : start + 4096]
            while piece and not engine.eof:
                out += engine.decompress(piece, limits.MAX_INFLATED + 1 - len(out))
                if len(out) > limits.MAX_INFLATED and cut:
                    return bytes(out)
                if len(out) > limits.MAX_INFLATED:
                    found.warn(f"{name}: a block inflates to more than is read")
                    return None
                piece = engine.unconsumed_tail
            if engine.eof:
                break
    except zlib.error:
        found.warn(f"{name}: a compressed block is damaged")
    return bytes(out) or None


def _text(kind: bytes, data: bytes, found: Found) -> None:
    """tEXt, zTXt, iTXt (section 11.3.3), and the profiles ImageMagick writes into them."""
    key, _, rest = data.partition(b"\0")
    keyword = key.decode("latin-1")
    if kind == b"tEXt":
        value: bytes | None = rest
        encoding = "latin-1"
    elif kind == b"zTXt":
        value = inflate(rest[1:], "PNG text", found)
        encoding = "latin-1"
    else:
        if len(rest) < 2:
            return
        _, _, after = rest[2:].partition(b"\0")
        _, _, value = after.partition(b"\0")
        encoding = "utf-8"
        if rest[0]:
            value = inflate(value, "PNG text", found)
    if not value:
        return
    if keyword == _XMP:
        if found.xmp is None:
            found.xmp = value
    elif keyword.startswith(_PROFILE):
        _profile(keyword[len(_PROFILE) :], value, found)
    elif keyword not in found.text and len(found.text) < limits.MAX_TEXTS:
        found.text[keyword] = value[: limits.MAX_TEXT].decode(encoding, "replace")


def _profile(name: str, value: bytes, found: Found) -> None:
    """A block as hexadecimal lines: newline, name, newline, length, newline, digits."""
    parts = value.split(b"\n", 3)
    if len(parts) < 4:
        return
    try:
        block = bytes.fromhex(parts[3].decode("ascii"))
    except ValueError:
        found.warn(f"PNG: the raw profile {name} is damaged")
        return
    name = name.strip().lower()
    if name in ("exif", "app1"):
        if block[:4] == b"http" and found.xmp is None:
            found.xmp = block.partition(b"\0")[2]
        elif found.exif is None:
            found.exif = block[6:] if block[:6] == b"Exif\0\0" else block
    elif name == "xmp" and found.xmp is None:
        found.xmp = block
    elif name in ("iptc", "8bim"):
        if block[:4] == b"8BIM":
            read_resources(block, found)
        elif block[:14] == b"Photoshop 3.0\0":
            read_resources(block[14:], found)
        elif found.iptc is None:
            found.iptc = block
    elif name in ("icc", "icm") and found.icc is None:
        found.icc = block
