"""PNG and APNG (W3C PNG third edition, sections 5 and 11): chunks, the text ones inflated with a cap."""

from __future__ import annotations

import re
import struct
import zlib

from .. import limits
from ..blocks.photoshop import read_resources
from ..characters import decode
from ..errors import BudgetExceeded, CorruptImage
from ..fields import keys
from ..model import FileType, Found
from ..reader import Reader

PNG = FileType("PNG", "image/png", "png")
TYPES = (PNG,)

_MAGIC = b"\x89PNG\r\n\x1a\n"
_MODES = {0: "L", 2: "RGB", 3: "P", 4: "LA", 6: "RGBA"}
_SIDE = frozenset((b"tEXt", b"zTXt", b"iTXt", b"eXIf", b"zxIf", b"iCCP", b"pHYs", b"acTL", b"fcTL"))
_TEXTS = frozenset((b"tEXt", b"zTXt", b"iTXt"))
#: The keywords of texts that are read, without case and blanks, in which writers differ -> as the record's fields say.
_KEYWORDS = {name.replace(" ", "").lower(): name for name in (*keys("PNG"), "XML:com.adobe.xmp")}
#: Image data chunks below this size are not stepped over one by one; how much of the end is looked at instead.
_MANY = 256 * 1024
_TAILS = (16 * 1024, 64 * 1024, 256 * 1024)
_END = b"\0\0\0\0IEND\xae\x42\x60\x82"
_CHUNK = re.compile(rb"IDAT|tEXt|iTXt|zTXt|eXIf|tIME|IEND")
#: Bytes of a compressed colour profile that are read: its description stands at the start.
_PROFILE_START = 64 * 1024
#: The largest number that a chunk may state (5.3).
_MAX_INTEGER = 2**31 - 1
_XMP = "XML:com.adobe.xmp"
#: A raw profile's name ("exif", "generic profile"), in lines of their own the length and then the bytes as hexadecimal
#: digits. Nothing is gone back over: a megabyte of line feeds would take hours.
_PROFILE_HEAD = re.compile(rb"\s*+(?:(?!\d{1,9}[ \t\r]*+\n)[^\n]*+\n\s*+)?+(\d{1,9})[ \t\r]*+\n")
_DIGITS = re.compile(rb"[\da-fA-F]*+")
_PROFILE = "raw profile type "


def matches(head: bytes, _: Reader) -> bool:
    """Whether the file starts as a PNG."""
    return head.startswith(_MAGIC)


def read(source: Reader, found: Found) -> None:
    """Walk the chunks; raises `CorruptImage` without an image header."""
    found.be(PNG)
    _walked(source, found, b"IEND").describe(found)


def read_colors(source: Reader, found: Found) -> None:
    """Read what stands before the image data, as of a PNG within an icon; raises `CorruptImage` as `read` does."""
    _walked(source, found, b"IDAT")


def _walked(source: Reader, found: Found, last: bytes) -> _Animation:
    """Walk the chunks up to one of the kind `last`."""
    animation = _Animation()
    try:
        _walk(source, found, animation, last)
    except BudgetExceeded as error:
        if found.width is None:
            raise
        found.warn(f"PNG: the end of the file was not searched for metadata: {error}")
    if found.width is None:
        raise CorruptImage("no image header")
    return animation


class _Animation:
    """The frames of an APNG: acTL's count, the fcTL delays."""

    def __init__(self) -> None:
        self.frames = 0
        self.plays = 0
        self.seen = 0
        self.seconds = 0.0

    def control(self, data: bytes) -> None:
        if len(data) >= 8 and not self.frames:
            frames, plays = struct.unpack(">II", data[:8])
            if max(frames, plays) <= _MAX_INTEGER:
                self.frames, self.plays = frames, plays

    def frame(self, data: bytes) -> None:
        if len(data) >= 24:
            number, under = struct.unpack(">HH", data[20:24])
            self.seen += 1
            self.seconds += number / (under or 100)

    def describe(self, found: Found) -> None:
        found.frames = self.frames or 1
        found.animated = self.frames > 1
        if self.frames:
            found.loop = self.plays
            if self.seen >= self.frames:
                found.duration_ms = round(self.seconds * 1000)


def _walk(source: Reader, found: Found, animation: _Animation, last: bytes) -> None:
    position = 8
    palette: int | None = None  # entries
    pixels = searched = False
    read_at = source.read_at
    for _ in range(limits.MAX_CHUNKS):
        head = read_at(position, 8)
        if len(head) < 8:
            if found.width is not None:
                found.warn("PNG: the file is cut off")
            return
        length, kind = struct.unpack(">I4s", head)
        if kind in (last, b"IEND"):
            return
        if kind == b"IHDR":
            data = read_at(position + 8, length if length <= 13 else 13)
            if len(data) < 13:
                raise CorruptImage("the image header is cut off")
            if found.width is None:
                header(data, found)
        elif kind == b"PLTE":
            palette = length // 3
        elif kind == b"tRNS":
            _transparency(length, palette, pixels, found)
        elif kind == b"acTL" and pixels:
            found.warn("PNG: an acTL chunk is out of place")  # decoders pass over it (11.3.6.1)
        elif kind in _SIDE:
            if found.width is None:
                found.warn("PNG: a chunk stands before the image header")
            if kind not in _TEXTS or _wanted(read_at(position + 8, min(length, 80))):
                _take(source, position + 8, length, kind, found, animation)
        elif not all(65 <= byte <= 90 or 97 <= byte <= 122 for byte in kind):
            found.warn("PNG: the chunks are damaged")
            return
        elif (
            kind == b"IDAT"
            and not animation.frames
            and not searched
            and length < _MANY
            and position + length > limits.FIRST_BLOCK
        ):
            # Image data in many small chunks: a request for each would cost more than the end of the file.
            searched = True
            ahead = _last_chunks(source, position, found)
            if ahead:
                position = ahead
                length = _length(read_at(position, 4)) if read_at(position + 4, 4) == b"IDAT" else -12
        pixels = pixels or kind == b"IDAT"
        position += 12 + length
    found.warn("PNG: more chunks than are read")


def _last_chunks(source: Reader, position: int, found: Found) -> int:
    """Where a chain of chunks starts that leads to the end of the file, an image data chunk first if it can be.

    0 when `position` is near enough to the end to go on chunk by chunk, and when no chain is found.
    """
    start = 0
    for length in _TAILS:
        passed: set[int] = set()
        if source.size - length - position < limits.FIRST_BLOCK:
            return start
        base = source.size - length
        tail = source.read_at(base, length)
        for match in _CHUNK.finditer(tail):
            at = match.start() - 4
            if at >= 0 and _leads_to_end(tail, at, passed):
                start = base + at
                break
        if start and match.group() == b"IDAT":
            return start
    found.warn("PNG: the end of the file was searched only in part for metadata")
    return start


def _leads_to_end(tail: bytes, position: int, passed: set[int]) -> bool:
    """Whether a chain of chunks from there ends the file; `passed` are places from which others have not got there."""
    while position <= len(tail) - 8 and position not in passed:
        kind = tail[position + 4 : position + 8]
        if kind == b"IEND":
            return tail[position : position + 12] == _END
        if not kind.isalpha():
            return False
        passed.add(position)
        position += 12 + _length(tail[position : position + 4])
    return False


def _length(data: bytes) -> int:
    return int.from_bytes(data, "big")


def _wanted(start: bytes) -> bool:
    """Whether a text chunk's keyword is one that the record has a place for."""
    return _known(start.partition(b"\0")[0]) is not None


def _known(key: bytes) -> str | None:
    """The keyword as the record's fields name it, a raw profile's in lower case; None for any other."""
    keyword = key.decode("latin-1").lower()
    return keyword if keyword.startswith(_PROFILE) else _KEYWORDS.get(keyword.replace(" ", ""))


def _take(source: Reader, start: int, length: int, kind: bytes, found: Found, animation: _Animation) -> None:
    """Read one chunk of interest, as far as its limit allows."""
    wanted = length
    if kind == b"iCCP":
        wanted = min(length, _PROFILE_START)
    elif length > (limits.MAX_EXIF if kind == b"eXIf" else limits.MAX_INFLATED):
        found.warn(f"PNG: a {kind.decode()} chunk is larger than is read")
        return
    data = source.read_at(start, wanted)
    if len(data) < wanted:
        found.warn(f"PNG: a {kind.decode()} chunk is cut off")
    _side(kind, data, found, animation)


def header(data: bytes, found: Found) -> None:
    """Fill in what the ten bytes and more of an image header state (11.2.1)."""
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


def _transparency(length: int, palette: int | None, pixels: bool, found: Found) -> None:
    """What a tRNS chunk says of alpha: decoders pass over one that is out of place or of a wrong length (11.3.1.1)."""
    if found.color_mode == "P":
        fits = palette is not None and 0 < length <= palette
    else:
        fits = length == {"RGB": 6, "RGBA": 0, "LA": 0}.get(found.color_mode or "", 2)
    if pixels or not fits:
        found.warn("PNG: a tRNS chunk is out of place or of a wrong length")
    elif length:
        found.has_alpha = True


def _side(kind: bytes, data: bytes, found: Found, animation: _Animation) -> None:
    if kind == b"acTL":
        animation.control(data)
    elif kind == b"fcTL":
        animation.frame(data)
    elif kind == b"pHYs":
        if len(data) >= 9:
            x, y, unit = struct.unpack(">IIB", data[:9])
            if unit == 1 and x and y:
                found.dpi = (round(x * 0.0254, 4), round(y * 0.0254, 4))
    elif kind == b"eXIf":
        found.add_exif(data)
    elif kind == b"zxIf":
        block = inflate(data[5:], "EXIF", found) if data[:1] == b"\0" else None
        if block:
            found.add_exif(block)
    elif kind == b"iCCP" and found.icc is None:
        name, _, rest = data.partition(b"\0")
        profile = inflate(rest[1:], "ICC", found, cut=True)
        if profile and name:
            found.icc = profile
    elif kind in _TEXTS:
        _text(kind, data, found)


def inflate(data: bytes, name: str, found: Found, cut: bool = False) -> bytes | None:
    """Inflate a zlib stream; what a damaged one yields before its damage.

    One that inflates to more than the cap, or than what is left to the file, gives None, or with `cut` its start.
    """
    cap = min(limits.MAX_INFLATED, limits.MAX_INFLATED_TOTAL - found.inflated)
    if cap <= 0:
        found.warn("PNG: the file's blocks inflate to more than is read")
        return None
    engine = zlib.decompressobj()
    out = bytearray()
    try:
        # Small steps, so that what stands before a damaged byte is kept.
        for start in range(0, len(data), 4096):
            piece = data[start : start + 4096]
            while piece and not engine.eof:
                out += engine.decompress(piece, cap + 1 - len(out))
                if len(out) > cap and cut:
                    return bytes(out)
                if len(out) > cap:
                    found.warn(f"{name}: a block inflates to more than is read")
                    return None
                piece = engine.unconsumed_tail
            if engine.eof:
                break
    except zlib.error:
        found.warn(f"{name}: a compressed block is damaged")
    finally:
        found.inflated += len(out)
    return bytes(out) or None


def _text(kind: bytes, data: bytes, found: Found) -> None:
    """tEXt, zTXt, iTXt (section 11.3.3), and the profiles ImageMagick writes into them."""
    key, _, rest = data.partition(b"\0")
    keyword = _known(key)
    if keyword is None:
        return
    if kind == b"tEXt":
        value: bytes | None = rest
    elif kind == b"zTXt":
        value = inflate(rest[1:], "PNG text", found)
    else:
        if len(rest) < 2:
            return
        _, _, after = rest[2:].partition(b"\0")
        _, _, value = after.partition(b"\0")
        if rest[0]:
            value = inflate(value, "PNG text", found)
    if not value:
        return
    if keyword == _XMP:
        if found.xmp is None:
            found.xmp = value
    elif keyword.startswith(_PROFILE):
        _profile(keyword[len(_PROFILE) :].strip(), value, found)
    elif keyword not in found.text:
        # Latin-1 by the specification, but for iTXt; many write UTF-8 into all of them.
        text = decode(value[: limits.MAX_TEXT])
        if text:
            found.text[keyword] = text


def _profile(name: str, value: bytes, found: Found) -> None:
    """A block as hexadecimal lines: newline, name, newline, length, newline, digits."""
    block = value
    for _ in range(limits.MAX_NESTED_PROFILES):
        head = _PROFILE_HEAD.match(block)
        if head is None:
            break
        # What stands behind the stated length is none of the profile's.
        wanted = 2 * int(head[1])
        digits = block[head.end() :].translate(None, b" \t\r\n")[:wanted]
        whole = len(_DIGITS.match(digits)[0]) & ~1  # type: ignore[index]
        if whole < wanted:
            found.warn(f"PNG: a raw profile ({name}) is damaged")
        block = bytes.fromhex(digits[:whole].decode())
    if block is value or not block:
        return
    if name in ("exif", "app1"):
        if block[:4] == b"http" and found.xmp is None:
            found.xmp = block.partition(b"\0")[2]
        elif block[:4] != b"http":
            found.add_exif(block)
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
