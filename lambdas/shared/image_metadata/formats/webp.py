"""WebP (RFC 9649): RIFF chunks; image data and frames are passed over by their lengths."""

from __future__ import annotations

import re
import struct

from .. import limits
from ..blocks.icc import essence
from ..errors import BudgetExceeded, CorruptImage
from ..model import FileType, Found
from ..reader import Reader, WindowReader

WEBP = FileType("WEBP", "image/webp", "webp")
TYPES = (WEBP,)

_ANIMATION, _ALPHA = 0x02, 0x10
_XMP = (b"XMP ", b"XMP\0")
#: Frames after which the end of the file is searched for what stands behind all of them, and how much of it, at most.
_MANY = 16
_TAILS = (16 * 1024, 64 * 1024, 256 * 1024)
_LAST = re.compile(rb"EXIF|XMP[ \0]")


def matches(head: bytes, _: Reader) -> bool:
    """Whether the file starts as a WebP."""
    return head[:4] == b"RIFF" and head[8:12] == b"WEBP"


def read(source: Reader, found: Found) -> None:
    """Walk the chunks; raises `CorruptImage` where none of them states the size."""
    found.be(WEBP)
    found.bit_depth = 8
    try:
        frames, duration, flags = _walk(source, found)
    except BudgetExceeded as error:
        if found.width is None:
            raise
        found.warn(f"WebP: frames were not counted to the end of the file: {error}")
        return
    if found.width is None:
        raise CorruptImage("no chunk states the size")
    if (flags is not None and flags & _ANIMATION) or frames:
        found.frames = max(frames, 1)
        found.animated = frames > 1
        if frames:
            found.duration_ms = duration
    else:
        found.frames, found.animated = 1, False


def _walk(source: Reader, found: Found) -> tuple[int, int, int | None]:
    """(ANMF frames, their duration in ms, VP8X flags or None)."""
    read_at = source.read_at
    # The RIFF length is not relied on: files that were appended to keep an old one.
    end = source.size
    frames = duration = 0
    flags: int | None = None
    searched = end
    position = 12
    for _ in range(limits.MAX_CHUNKS):
        if position >= end:
            break
        head = read_at(position, 8)
        if len(head) < 8:
            break
        kind, length = struct.unpack("<4sI", head)
        start = position + 8
        if kind == b"VP8X":
            data = read_at(start, min(length, 10))
            if len(data) < 10:
                raise CorruptImage("the extended header is cut off")
            flags = data[0]
            found.width = int.from_bytes(data[4:7], "little") + 1
            found.height = int.from_bytes(data[7:10], "little") + 1
            _alpha(bool(flags & _ALPHA), found)
            if flags & _ANIMATION:
                found.animated = True
        elif kind == b"VP8 ":
            if found.width is None:
                _lossy(read_at(start, min(length, 10)), found)
        elif kind == b"VP8L":
            _lossless(read_at(start, min(length, 5)), found)
        elif kind == b"ALPH":
            _alpha(True, found)
        elif kind == b"ANIM":
            data = read_at(start, min(length, 6))
            if len(data) == 6:
                found.loop = struct.unpack("<H", data[4:6])[0]
        elif kind == b"ANMF":
            data = read_at(start, min(length, 16))
            if len(data) == 16:
                frames += 1
                duration += int.from_bytes(data[12:15], "little")
            else:
                found.warn("WebP: a frame is cut off")
            if frames == _MANY and position > limits.FIRST_BLOCK:
                searched = _search_end(source, position, found)
        elif kind == b"EXIF" or kind in _XMP:
            if position < searched:
                _described(source, kind, start, length, found)
        elif kind == b"ICCP" and found.icc is None:
            window = WindowReader(source, start, length)
            found.icc = essence(window.read_at, window.size)
        position = start + length + (length & 1)
    else:
        raise BudgetExceeded("the file has more chunks than are read")
    if position > source.size:
        found.warn("WebP: the file is cut off")
    return frames, duration, flags


def _search_end(source: Reader, position: int, found: Found) -> int:
    """Read the blocks of the chain of chunks that leads to the end of the file; where it starts, or the end itself."""
    for length in _TAILS:
        base = max(position, source.size - length)
        tail = source.read_at(base, source.size - base)
        for match in _LAST.finditer(tail):
            chain = _chain(tail, match.start())
            if chain:
                for kind, start, size in chain:
                    _described(source, kind, base + start, size, found)
                return base + match.start()
        if base == position:
            break
    return source.size


def _chain(tail: bytes, position: int) -> list[tuple[bytes, int, int]]:
    """Kind, place and length of the chunks from `position` on; none where they do not end with the file."""
    chunks: list[tuple[bytes, int, int]] = []
    while position + 8 <= len(tail):
        kind, length = struct.unpack_from("<4sI", tail, position)
        if not kind.strip(b"\0").isascii() or len(chunks) == _MANY:
            return []
        chunks.append((kind, position + 8, length))
        position += 8 + length + (length & 1)
    # The last byte may be missing that makes a length even.
    return chunks if position in (len(tail), len(tail) + 1) else []


def _described(source: Reader, kind: bytes, start: int, length: int, found: Found) -> None:
    """An EXIF or XMP chunk."""
    if kind == b"EXIF":
        block = _block(source, start, length, limits.MAX_EXIF, "EXIF", found)
        if block:
            found.add_exif(block)
    elif kind in _XMP and found.xmp is None:
        found.xmp = _block(source, start, length, limits.MAX_XMP, "XMP", found)


def _block(source: Reader, start: int, length: int, limit: int, name: str, found: Found) -> bytes | None:
    if length > limit:
        found.warn(f"{name}: the block is larger than is read")
        return None
    data = source.read_at(start, length)
    if len(data) < length:
        found.warn(f"{name}: the block is cut off")
    return data or None


def _lossy(data: bytes, found: Found) -> None:
    """VP8 key frame header (RFC 6386 section 9.1)."""
    if len(data) < 10 or data[3:6] != b"\x9d\x01\x2a":
        raise CorruptImage("the VP8 frame header is damaged")
    width, height = struct.unpack("<HH", data[6:10])
    found.width, found.height = width & 0x3FFF, height & 0x3FFF
    found.has_alpha, found.color_mode = False, "RGB"


def _lossless(data: bytes, found: Found) -> None:
    """VP8L header (RFC 9649 section 3.4); the picture knows its alpha, whatever the extended header says of it."""
    if len(data) < 5 or data[0] != 0x2F:
        if found.width is None:
            raise CorruptImage("the VP8L header is damaged")
        return
    bits = struct.unpack("<I", data[1:5])[0]
    if found.width is None:
        found.width, found.height = (bits & 0x3FFF) + 1, (bits >> 14 & 0x3FFF) + 1
    if not found.animated:
        _alpha(bool(bits >> 28 & 1), found)


def _alpha(transparent: bool, found: Found) -> None:
    found.has_alpha, found.color_mode = transparent, "RGBA" if transparent else "RGB"
