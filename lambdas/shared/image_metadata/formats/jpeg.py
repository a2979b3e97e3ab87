"""JPEG (ITU-T T.81 annex B; JFIF; EXIF; CIPA DC-007 for multi-picture files): segments up to the first scan."""

from __future__ import annotations

import struct
from collections.abc import Callable, Iterator

from .. import limits
from ..blocks.icc import essence
from ..blocks.ifd import NotTiff, TiffStream
from ..blocks.photoshop import read_resources
from ..blocks.xmp import NAME as XMP_NAME
from ..characters import decode
from ..errors import BudgetExceeded, CorruptImage
from ..model import FileType, Found
from ..reader import Reader

JPEG = FileType("JPEG", "image/jpeg", "jpg")
MPO = FileType("MPO", "image/jpeg", "jpg")
JPEG_LS = FileType("JPEG-LS", "image/jls", "jls")
TYPES = (JPEG, MPO, JPEG_LS)

_SOI, _EOI, _SOS, _COM = 0xFFD8, 0xFFD9, 0xFFDA, 0xFFFE
_APP0, _APP1, _APP2, _APP13 = 0xFFE0, 0xFFE1, 0xFFE2, 0xFFED
_LOSSLESS = 0xFFF7  # the frame header of JPEG-LS (T.87 C.2.2)
_FRAMES = frozenset((*range(0xFFC0, 0xFFD0), _LOSSLESS)) - {0xFFC4, 0xFFC8, 0xFFCC}  # all but DHT, JPG, DAC
_PASSED = frozenset((0xFFDB, 0xFFC4, 0xFFDD))  # DQT, DHT, DRI
_ALONE = frozenset((0xFF00, 0xFF01, _SOI, *range(0xFFD0, 0xFFD8)))  # markers without a length
_APPLICATIONS = frozenset((_APP1, _APP2, _APP13))
_SMALL = frozenset((_APP0, _COM))
_DENSITY = struct.Struct(">BHH").unpack_from  # unit, across, down
_FRAME = struct.Struct(">BHHB").unpack_from  # bits per sample, height, width, number of components
_CARRIERS = _FRAMES | _APPLICATIONS | _SMALL  # of what is read
_SEGMENT = struct.Struct(">HH").unpack_from  # marker, length
_EXIF = (b"Exif\0", b"EXIF\0", b"exif\0")
_TIFF = (b"II*\0", b"MM\0*")
_XMP_EXTENDED = b"http://ns.adobe.com/xmp/extension/\0"
_ICC = b"ICC_PROFILE\0"
_MPF = b"MPF\0"
_PHOTOSHOP = b"Photoshop 3.0\0"
_ISO_GAIN_MAP = b"urn:iso:std:iso:ts:21496:-1\0"
END = b"\xff\xd9"
_APPLE = b"AMPF"  # at the end of JFIF: further pictures follow, which are Apple's gain maps and mattes
#: What XMP says, in the first picture or in the further one, where that is a gain map, a depth map or the like:
#: Adobe's and Apple's gain maps, Google's containers and dynamic depth, Apple's auxiliary images.
_AUXILIARY = (
    b"hdrgm:", b"ns.adobe.com/hdr-gain-map/", b"HDRGainMap", b"GainMap", b"ns.google.com/photos/1.0/container",
    b"ns.google.com/photos/dd/", b"GDepth:", b"apdi:",
)  # fmt: skip
#: Segments beyond the first bytes that cost the least request each; later reads take as much as the file had so far.
_FEW = 2
#: Bytes of a segment's header and of the name behind it: read apart, the name at a step's end costs a request.
_NAMED = 4 + 80


def matches(head: bytes, _: Reader) -> bool:
    """Whether the file starts as a JPEG."""
    return head[:3] == b"\xff\xd8\xff"


class _Blocks:
    """Blocks that span segments, gathered while the segments are walked."""

    __slots__ = (
        "auxiliary", "components", "exif", "extended", "extended_bytes", "icc", "jfif", "photoshop",
        "pictures",
    )  # fmt: skip

    def __init__(self) -> None:
        self.exif: list[bytes] = []
        self.icc: dict[int, tuple[int, int]] = {}
        self.photoshop: list[bytes] = []
        self.extended: dict[bytes, dict[int, bytes]] = {}
        self.extended_bytes = 0
        self.jfif = False
        self.components: list[int] = []
        self.pictures: list[
            tuple[int, int]
        ] = []  # type and place of the multi-picture index's, but the first one
        self.auxiliary = False  # whether those are said to be gain maps and the like


class _Joined:
    """Ranges of a `Reader`, one after the other, read as one."""

    def __init__(self, source: Reader, ranges: list[tuple[int, int]]) -> None:
        self._source = source
        self._ranges = ranges
        self.size = sum(length for _, length in ranges)

    def read_at(self, offset: int, length: int) -> bytes:
        """Bytes [offset, offset+length) of the whole, shorter only at its end."""
        parts = []
        for start, there in self._ranges:
            if length <= 0:
                break
            if offset < there:
                parts.append(self._source.read_at(start + offset, min(length, there - offset)))
                length -= there - offset
                offset = there
            offset -= there
        return b"".join(parts)


def read(source: Reader, found: Found) -> None:
    """Walk the segments; raises `CorruptImage` where no frame header can be found."""
    found.be(JPEG)
    blocks = _Blocks()
    try:
        _walk(source, found, blocks)
    except BudgetExceeded as error:
        if found.width is None:
            raise
        found.warn(str(error))
    finally:
        _gather(source, found, blocks)
    if found.width is None:
        raise CorruptImage("no frame header before the image data")
    _count(source, found, blocks)
    _color(found, blocks)


def _count(source: Reader, found: Found, blocks: _Blocks) -> None:
    """Tell a multi-picture file from a JPEG with previews (type 0x01....), gain maps or depth maps behind it."""
    found.frames, found.animated = 1, False
    if not blocks.pictures:
        return
    views = sum(kind >> 16 == 2 for kind, _ in blocks.pictures)
    undefined = [place for kind, place in blocks.pictures if kind == 0]
    if undefined and not _has_auxiliary(found, blocks):
        alike = _is_view(source, undefined[0], found, blocks)
        views += len(undefined) if alike else 0
        if alike is None:
            found.frames = None
    if views:
        found.be(MPO)
        if found.frames is not None:
            found.frames = views + 1


def _has_auxiliary(found: Found, blocks: _Blocks) -> bool:
    packets = (found.xmp or b"", found.xmp_extended or b"")
    return blocks.auxiliary or any(sign in packet for sign in _AUXILIARY for packet in packets)


def _is_view(source: Reader, place: int, found: Found, blocks: _Blocks) -> bool | None:
    """Whether a picture of undefined type is a picture like the first: of its colours, about its size, no gain map.

    None where it is out of the budget's reach.
    """
    try:
        for marker, at, length in _inner_segments(source, place):
            if marker in _FRAMES:
                _, height, width, components = _FRAME(source.read_at(at, 6).ljust(6, b"\0"))
                alike: bool = 2 * width * height >= (found.width or 0) * (found.height or 0)
                return alike and components == len(blocks.components)
            if marker in (_APP1, _APP2) and _says_auxiliary(source, at, length):
                return False
    except BudgetExceeded as error:
        found.warn(f"MPF: the pictures were not counted: {error}")
        return None
    return False


def _says_auxiliary(source: Reader, start: int, length: int) -> bool:
    """Whether a segment of a further picture says that it is a gain map, a depth map or the like."""
    name = source.read_at(start, min(length, len(XMP_NAME)))
    if name != XMP_NAME:
        return name.startswith(_ISO_GAIN_MAP)
    packet = source.read_at(start, length)
    return any(sign in packet for sign in _AUXILIARY)


def _walk(source: Reader, found: Found, blocks: _Blocks) -> None:
    position = 2
    read_at = source.read_at
    window = read_at(0, limits.FIRST_BLOCK)
    size = len(window)
    inside = size - 4
    complete = True
    ahead, misses = size, 0  # where the last read ended; headers that lay behind it
    for _ in range(limits.MAX_SEGMENTS):
        if position <= inside:
            marker, length = _SEGMENT(window, position)
        else:
            if position + _NAMED > ahead:
                # Where segments of 64 KiB follow each other, a request each costs more than to read through them.
                misses += 1
                step = min(position, limits.MAX_SEGMENT_STEP) if misses > _FEW else limits.MIN_FETCH
                ahead = position + len(_most(read_at, position, step))
            head = read_at(position, 4)
            if len(head) < 2:
                if found.width is None:
                    raise CorruptImage("the file ends before the frame header")
                return
            complete = len(head) == 4
            marker, length = _SEGMENT(head.ljust(4, b"\0"))
        if marker in _PASSED:
            # Tables: the most frequent segments by far.
            position += 2 + (length if length > 2 else 2)
            continue
        if marker in _CARRIERS and length >= 2 and complete:
            start, position = position + 4, position + 2 + length
            if marker in _APPLICATIONS:
                _application(source, start, length - 2, marker, found, blocks)
            elif marker in _SMALL:
                data = window[start:position] if position <= size else read_at(start, length - 2)
                _small(data, marker, found, blocks)
            elif found.width is None:
                _frame(read_at(start, min(length - 2, 32)), found, blocks)
                if marker == _LOSSLESS:
                    found.be(JPEG_LS)
            continue
        if marker < 0xFF00:
            # Stray bytes between segments: go on at the next marker nearby.
            skipped = read_at(position, limits.MIN_FETCH)
            at = skipped.find(b"\xff")
            if at < 0:
                if found.width is None:
                    raise CorruptImage("no marker where a segment should start")
                return
            found.warn("JPEG: stray bytes between segments")
            position += at
            continue
        if marker == 0xFFFF:
            position += 1
            continue
        if marker in _ALONE:
            position += 2
            continue
        if marker == _EOI:
            if found.width is None:
                raise CorruptImage("the image ends before its frame header")
            return
        if not complete:
            if found.width is None:
                raise CorruptImage("the file ends before the frame header")
            return
        if marker == _SOS:
            if found.height == 0:
                found.height = _dnl(source, position + 2 + length)
            return
        if length < 2:
            found.warn("JPEG: a segment states an impossible length")
            position += 2
            continue
        position += 2 + length
    if found.width is None:
        raise CorruptImage("no frame header within the first segments")


def _most(read_at: Callable[[int, int], bytes], position: int, length: int) -> bytes:
    """As many of the bytes as the budget has room for, in quarters; none where it has no room for the last of them."""
    while length >= limits.MIN_FETCH:
        try:
            return read_at(position, length)
        except BudgetExceeded:
            length //= 4
    return b""


def _frame(data: bytes, found: Found, blocks: _Blocks) -> None:
    """SOFn (T.81 B.2.2)."""
    if len(data) < 6:
        raise CorruptImage("the frame header is cut off")
    found.bit_depth, found.height, found.width, count = _FRAME(data)
    blocks.components = list(data[6 : 6 + 3 * count : 3])
    if len(blocks.components) < count:
        found.warn("JPEG: the frame header is cut off")
        blocks.components = list(range(1, count + 1))


def frame_header(source: Reader, start: int) -> tuple[int, int, int, int] | None:
    """Depth, height, width and number of components of the JPEG at `start`; None where no frame header is near."""
    for marker, at, _ in _inner_segments(source, start):
        if marker in _FRAMES:
            data = source.read_at(at, 6)
            return _FRAME(data) if len(data) == 6 else None
    return None


def _inner_segments(source: Reader, start: int) -> Iterator[tuple[int, int, int]]:
    """Marker, place and length of the segments before the image data of the JPEG at `start`, up to damage."""
    position = start + 2 if source.read_at(start, 2) == b"\xff\xd8" else source.size
    for _ in range(limits.MAX_INNER_SEGMENTS):
        head = source.read_at(position, 10)[:4]
        if len(head) < 4:
            return
        marker, length = _SEGMENT(head)
        if marker < 0xFF00 or marker == _SOS or length < 2:
            return
        yield marker, position + 4, length - 2
        position += 2 + length


def _dnl(source: Reader, position: int) -> int | None:
    """The height of a frame that leaves it to the DNL segment after the first scan (T.81 B.2.5)."""
    data = source.read_at(position, limits.MAX_XMP)
    at = data.find(b"\xff\xdc\0\4")
    return struct.unpack(">H", data[at + 4 : at + 6])[0] if 0 <= at <= len(data) - 6 else None


def _application(source: Reader, start: int, length: int, marker: int, found: Found, blocks: _Blocks) -> None:
    if marker == _APP1:
        name = source.read_at(start, min(length, 36))
        if name.startswith(_EXIF):
            data = source.read_at(start + 6, length - 6)
            if len(data) < length - 6:
                found.warn("EXIF: the block is cut off")
            blocks.exif.append(data)
        elif name.startswith(XMP_NAME):
            if found.xmp is None:
                found.xmp = source.read_at(start + len(XMP_NAME), length - len(XMP_NAME))
        elif name.startswith(_XMP_EXTENDED):
            _extended(source, start, length, found, blocks)
        elif found.xmp is None:
            # Packets under a damaged or missing name.
            name = source.read_at(start, min(length, 80))
            if b"<?xpacket" in name or b"<x:xmpmeta" in name:
                data = source.read_at(start, length)
                found.xmp = data[data.find(b"<") :]
    elif marker == _APP2:
        name = source.read_at(start, min(length, 14))
        if name.startswith(_ICC) and len(name) == 14:
            blocks.icc.setdefault(name[12], (start + 14, length - 14))
        elif name.startswith(_MPF):
            _pictures(source.read_at(start, length)[4:], start + 4, found, blocks)
        elif _ISO_GAIN_MAP.startswith(name):
            blocks.auxiliary = blocks.auxiliary or source.read_at(start, length).startswith(_ISO_GAIN_MAP)
    else:
        name = source.read_at(start, min(length, 20))
        if name.startswith(_PHOTOSHOP):
            if sum(map(len, blocks.photoshop)) + length > limits.MAX_IPTC:
                found.warn("IPTC: the block is larger than is read")
                return
            blocks.photoshop.append(source.read_at(start + len(_PHOTOSHOP), length - len(_PHOTOSHOP)))
        elif name.startswith(b"Adobe_Photoshop2.5:"):
            blocks.photoshop.append(source.read_at(start, length)[21:])
        elif name.startswith(b"\x1c\x02") and found.iptc is None:
            found.iptc = source.read_at(start, length)


def _small(data: bytes, marker: int, found: Found, blocks: _Blocks) -> None:
    if marker == _APP0:
        if data[:5] == b"JFIF\0" and len(data) >= 12:
            blocks.jfif = True
            blocks.auxiliary = blocks.auxiliary or data.endswith(_APPLE)
            unit, x, y = _DENSITY(data, 7)
            if (unit == 1 or unit == 2) and x and y and found.dpi is None:
                found.dpi = (float(x), float(y)) if unit == 1 else (round(x * 2.54, 4), round(y * 2.54, 4))
    elif "Comment" not in found.text:
        text = decode(data[: limits.MAX_TEXT])
        if text:
            found.text["Comment"] = text


def _extended(source: Reader, start: int, length: int, found: Found, blocks: _Blocks) -> None:
    """One part of an XMP packet over 64 KiB (XMP part 3, 1.1.3.1): digest, full length, offset, bytes."""
    head = source.read_at(start, min(length, 75))[35:]
    if len(head) < 40:
        found.warn("XMP: an extended part is cut off")
        return
    digest, (total, offset) = head[:32], struct.unpack(">II", head[32:40])
    if found.xmp is not None and digest not in found.xmp:
        return
    if total > limits.MAX_XMP or blocks.extended_bytes + length > limits.MAX_XMP:
        found.warn("XMP: the extended packet is larger than is read")
        return
    blocks.extended_bytes += length
    blocks.extended.setdefault(digest, {})[offset] = source.read_at(start, length)[75:]


def _pictures(data: bytes, base: int, found: Found, blocks: _Blocks) -> None:
    """The multi-picture index (CIPA DC-007 5.2.3): which images the file holds; places count from its TIFF header."""
    try:
        tiff = TiffStream(data, found.warn, "MPF")
    except NotTiff as error:
        found.warn(f"MPF: {error}")
        return
    index = tiff.directory(tiff.first)
    count = tiff.number(index.get(0xB001))
    if not isinstance(count, int) or not 1 < count <= 1000:
        return
    entries = tiff.raw(index[0xB002]) if 0xB002 in index else b""
    rows = struct.iter_unpack(tiff.order + "III4x", entries[: len(entries) // 16 * 16])
    blocks.pictures = [(kind & 0xFFFFFF, base + place) for kind, _, place in rows][1:count]


def _gather(source: Reader, found: Found, blocks: _Blocks) -> None:
    # A block over 64 KiB goes on in the next segment, which then starts with no header of its own.
    joined: list[bytes] = []
    for data in blocks.exif:
        if not joined or data.startswith(_TIFF):
            joined.append(data)
        else:
            joined[-1] += data
    for data in joined:
        found.add_exif(data)
    if blocks.icc:
        profile = _Joined(source, [blocks.icc[number] for number in sorted(blocks.icc)])
        try:
            found.icc = essence(profile.read_at, profile.size)
        except BudgetExceeded as error:
            found.warn(f"ICC: the profile was not read: {error}")
    if blocks.photoshop:
        read_resources(b"".join(blocks.photoshop), found)
    if blocks.extended and found.xmp is not None:
        for digest, parts in blocks.extended.items():
            if digest in found.xmp:
                found.xmp_extended = b"".join(parts[offset] for offset in sorted(parts))


def _color(found: Found, blocks: _Blocks) -> None:
    found.has_alpha = False
    count = len(blocks.components)
    if count == 1:
        found.color_mode = "L"
    elif count == 3:
        found.color_mode = "RGB"
    elif count == 4:
        found.color_mode = "CMYK"
    elif count == 2:
        found.color_mode = "LA"
        found.has_alpha = None
