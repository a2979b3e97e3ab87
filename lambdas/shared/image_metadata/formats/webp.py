"""WebP (RFC 9649): RIFF chunks; image data and frames are passed over by their lengths."""

from __future__ import annotations

import struct

from .. import limits
from ..blocks.icc import essence
from ..errors import BudgetExceeded, CorruptImage
from ..model import FileType, Found
from ..reader import Reader, WindowReader

WEBP = FileType("WEBP", "image/webp", "webp")
TYPES = (WEBP,)

_ANIMATION, _ALPHA = 0x02, 0x10


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
        found.warn(f"WebP: the end of the file was not searched: {error}")
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
            found.has_alpha = bool(flags & _ALPHA)
            found.color_mode = "RGBA" if found.has_alpha else "RGB"
            if flags & _ANIMATION:
                found.animated = True
        elif kind == b"VP8 ":
            if found.width is None:
                _lossy(read_at(start, min(length, 10)), found)
        elif kind == b"VP8L":
            if found.width is None:
                _lossless(read_at(start, min(length, 5)), found)
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
        elif kind == b"EXIF":
            block = _block(source, start, length, limits.MAX_EXIF, "EXIF", found)
            if block:
                found.exif = block[6:] if block[:6] == b"Exif\0\0" else block
        elif kind in (b"XMP ", b"XMP\0"):
            found.xmp = _block(source, start, length, limits.MAX_XMP, "XMP", found)
        elif kind == b"ICCP":
            window = WindowReader(source, start, length)
            found.icc = essence(window.read_at, window.size)
        position = start + length + (length & 1)
    if position > source.size:
        found.warn("WebP: the file is cut off")
    return frames, duration, flags


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
    """VP8L header (RFC 9649 section 3.4)."""
    if len(data) < 5 or data[0] != 0x2F:
        raise CorruptImage("the VP8L header is damaged")
    bits = struct.unpack("<I", data[1:5])[0]
    found.width, found.height = (bits & 0x3FFF) + 1, (bits >> 14 & 0x3FFF) + 1
    found.has_alpha = bool(bits >> 28 & 1)
    found.color_mode = "RGBA" if found.has_alpha else "RGB"
