"""GIF (GIF89a specification, appendix; Netscape loop and XMP extensions): blocks, image data passed over."""

from __future__ import annotations

import struct

from .. import limits
from ..characters import decode
from ..errors import BudgetExceeded, CorruptImage
from ..model import FileType, Found
from ..reader import Reader

GIF = FileType("GIF", "image/gif", "gif")
TYPES = (GIF,)

#: How much the walk takes of the source at a time.
_WINDOW = 32 * 1024
_XMP = b"XMP DataXMP"
_ICC = b"ICCRGBG1012"


def matches(head: bytes, _: Reader) -> bool:
    """Whether the file starts as a GIF."""
    return head[:6] in (b"GIF87a", b"GIF89a")


def read(source: Reader, found: Found) -> None:
    """Read the screen and walk the blocks; raises `CorruptImage` without a logical screen."""
    found.be(GIF)
    screen = source.read_at(6, 7)
    if len(screen) < 7:
        raise CorruptImage("the logical screen is cut off")
    found.width, found.height, packed = struct.unpack("<HHB", screen[:5])
    found.color_mode = "P"
    found.bit_depth = (packed & 7) + 1
    found.has_alpha = False
    # A walk to the end gains nothing by smaller requests.
    source.prefetch([(0, limits.MAX_COUNTED + _WINDOW)])
    walk = _Walk(source, found)
    position = 13 + (3 << (packed & 7) + 1 if packed & 0x80 else 0)
    try:
        ended = walk.run(position, bool(packed & 0x80))
    except BudgetExceeded as error:
        found.warn(f"GIF: frames and duration were not counted: {error}")
        if walk.frames > 1:
            found.animated, found.loop = True, walk.loop
        return
    if not ended:
        found.warn("GIF: the file is cut off")
    found.frames = max(walk.frames, 1)
    found.animated = walk.frames > 1
    if found.animated:
        found.duration_ms = walk.duration * 10
        found.loop = walk.loop if walk.loop is not None else 1


class _Walk:
    """One pass over the blocks."""

    def __init__(self, source: Reader, found: Found) -> None:
        self.source = source
        self.found = found
        self.frames = 0
        self.duration = 0  # hundredths of a second
        self.loop: int | None = None
        self._start = 0
        self._window = b""

    def _bytes(self, position: int, length: int) -> bytes:
        """Bytes out of a window that moves through the file; one call of the source per window."""
        at = position - self._start
        if at < 0 or at + length > len(self._window):
            if position > limits.MAX_COUNTED:
                raise BudgetExceeded(f"that would take more than {limits.MAX_COUNTED} bytes")
            self._start = position
            self._window = self.source.read_at(position, min(_WINDOW, self.source.size - position))
            if len(self._window) < length:
                self._window = self.source.read_at(position, length)
            at = 0
        return self._window[at : at + length]

    def run(self, position: int, has_palette: bool) -> bool:
        """Count what the blocks say; True when the trailer was met."""
        for _ in range(limits.MAX_GIF_BLOCKS):
            head = self._bytes(position, 2)
            if not head:
                return False
            if head[0] == 0x3B:
                return True
            if head[0] == 0x2C:
                descriptor = self._bytes(position, 10)
                if len(descriptor) < 10:
                    return False
                packed = descriptor[9]
                self.frames += 1
                if packed & 0x80 and not has_palette and self.frames == 1:
                    self.found.bit_depth = (packed & 7) + 1
                position += 11 + (3 << (packed & 7) + 1 if packed & 0x80 else 0)
                skipped = self._skip(position)
            elif head[0] == 0x21 and len(head) == 2:
                skipped = self._extension(position + 2, head[1])
            elif head[0] == 0:
                skipped = position + 1
            else:
                self.found.warn("GIF: the blocks are damaged")
                return True
            if skipped is None:
                return False
            position = skipped
        raise BudgetExceeded("the file has more blocks than are read")

    def _skip(self, position: int) -> int | None:
        """Pass over sub-blocks; where the next block starts."""
        while True:
            at = position - self._start
            window = self._window
            if 0 <= at < len(window):
                end = len(window)
                while at < end:
                    length = window[at]
                    at += length + 1
                    if not length:
                        return self._start + at
                position = self._start + at
            elif not self._bytes(position, 1):
                return None

    def _data(self, position: int, limit: int) -> tuple[bytes, int | None]:
        """The joined sub-blocks, at most `limit` bytes of them, and where the next block starts."""
        parts: list[bytes] = []
        total = 0
        while total <= limit:
            length = self._bytes(position, 1)
            if not length:
                return b"".join(parts), None
            if not length[0]:
                return b"".join(parts), position + 1
            parts.append(self._bytes(position + 1, length[0]))
            total += length[0]
            position += 1 + length[0]
        return b"".join(parts), self._skip(position)

    def _extension(self, position: int, label: int) -> int | None:
        if label == 0xF9:
            data, after = self._data(position, 256)
            if len(data) >= 4:
                self.duration += struct.unpack("<H", data[1:3])[0]
                if data[0] & 1:
                    self.found.has_alpha = True
            return after
        if label == 0xFE and "Comment" not in self.found.text:
            data, after = self._data(position, limits.MAX_TEXT)
            text = decode(data)
            if text:
                self.found.text["Comment"] = text
            return after
        if label == 0xFF:
            name = self._bytes(position, 12)
            if name[:1] == b"\x0b":
                start = position + 12
                if name[1:] in (b"NETSCAPE2.0", b"ANIMEXTS1.0"):
                    data, after = self._data(start, 256)
                    if len(data) >= 3 and data[0] & 7 == 1 and self.loop is None:
                        self.loop = struct.unpack("<H", data[1:3])[0]
                    return after
                if name[1:] == _XMP and self.found.xmp is None:
                    return self._xmp(start)
                if name[1:] == _ICC and self.found.icc is None:
                    data, after = self._data(start, limits.MAX_ICC)
                    self.found.icc = data
                    return after
        return self._skip(position)

    def _xmp(self, position: int) -> int | None:
        """A packet that stands unblocked, followed by 258 bytes that lead a decoder to its end."""
        after = self._skip(position)
        if after is None:
            return None
        if after - position > limits.MAX_XMP:
            self.found.warn("XMP: the packet is larger than is read")
            return after
        data = self.source.read_at(position, after - position)
        end = data.rfind(b"\x01\xff\xfe")
        self.found.xmp = data[: end if end > 0 else len(data)]
        return after
