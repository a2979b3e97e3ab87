"""JPEG XL: the codestream's first bits (ISO/IEC 18181-1) and the container's boxes (18181-2).

Size, depth, alpha, orientation and animation are bit fields within the first few dozen bytes. EXIF and XMP are boxes
of the container, possibly behind the codestream, possibly compressed with Brotli.
"""

from __future__ import annotations

from .. import limits
from ..errors import CorruptImage
from ..model import FileType, Found
from ..reader import Reader
from .boxes import BadBox, Box, tiff_stream, walk
from .cursors import LowBits, Truncated

try:
    import brotli
except ImportError:  # the rest of a file is read without it
    brotli = None

JXL = FileType("JXL", "image/jxl", "jxl")
TYPES = (JXL,)

#: Bytes of the codestream's header that are read; extra channels may carry names.
MAX_CODESTREAM_BYTES = 4096
MAX_EXTRA_CHANNELS = 256
MAX_EXIF_BYTES = 1 << 20

_CONTAINER = b"\0\0\0\x0cJXL \r\n\x87\n"
_CODESTREAM = b"\xff\x0a"
_RATIOS = {1: (1, 1), 2: (12, 10), 3: (4, 3), 4: (3, 2), 5: (16, 9), 6: (5, 4), 7: (2, 1)}
_SIZES = ((1, 9), (1, 13), (1, 18), (1, 30))
_ENUM = ((0, 0), (1, 0), (2, 4), (18, 6))
_ALPHA, _SPOT, _BLACK, _CFA = 0, 2, 4, 5
_GREY_SPACE = 1
_NAMES = {b"Exif": "EXIF", b"xml ": "XMP"}
_LIMITS = {b"Exif": MAX_EXIF_BYTES, b"xml ": limits.MAX_XMP}


def matches(head: bytes, source: Reader) -> bool:
    """Whether the file starts with the container's signature box or with the codestream's two bytes."""
    return head[:12] == _CONTAINER or (head[:2] == _CODESTREAM and source.size > 2)


def read(source: Reader, found: Found) -> None:
    """Fill `found` from a JPEG XL file. Raises `CorruptImage` when the size header is missing."""
    found.be(JXL)
    if source.read_at(0, 2) == _CODESTREAM:
        _describe(source.read_at(0, MAX_CODESTREAM_BYTES), found)
        return
    codestream = b""
    described = False
    try:
        for box in walk(source, 0, source.size):
            if not box.whole:
                found.warn("the file is cut short")
            if box.kind in (b"jxlc", b"jxlp") and not described:
                skip = 4 if box.kind == b"jxlp" else 0
                codestream += source.read_at(
                    box.start + skip, max(0, min(box.size - skip, MAX_CODESTREAM_BYTES))
                )
                described = _try(codestream, found, last=box.kind == b"jxlc")
            elif box.kind in _NAMES:
                _block(box.kind, _payload(source, box, box.kind, 0, found), found)
            elif box.kind == b"brob":
                inner = source.read_at(box.start, min(box.size, 4))
                if inner in _NAMES:
                    data = _payload(source, box, inner, 4, found)
                    _block(inner, unpack(data, _NAMES[inner], _LIMITS[inner], found), found)
    except BadBox as error:
        found.warn(str(error))
    if not described:
        _describe(codestream, found)


def _payload(source: Reader, box: Box, kind: bytes, skip: int, found: Found) -> bytes:
    """A box's bytes but for the first `skip`; none, with a warning, where they are more than is read."""
    if box.size > _LIMITS[kind]:
        found.warn(f"{_NAMES[kind]} of {box.size} bytes is not read")
        return b""
    return source.read_at(box.start + skip, max(0, box.size - skip))


def unpack(data: bytes, name: str, limit: int, found: Found) -> bytes:
    """Undo Brotli (RFC 7932); what a damaged stream yields before its damage, nothing of more than `limit` bytes."""
    if brotli is None:
        found.warn(f"{name} is compressed with Brotli, which is not installed")
        return b""
    limit = min(limit, limits.MAX_INFLATED_TOTAL - found.inflated)
    if limit <= 0:
        found.warn("the file's blocks unpack to more than is read")
        return b""
    engine = brotli.Decompressor()
    out = bytearray()
    try:
        # Small steps, so that what stands before a damaged byte is kept.
        for start in range(0, len(data), 4096):
            out += engine.process(data[start : start + 4096], output_buffer_limit=limit)
            while len(out) <= limit and not engine.can_accept_more_data() and not engine.is_finished():
                out += engine.process(b"", output_buffer_limit=limit)
            if len(out) > limit:
                found.warn(f"{name} unpacks to more than is read")
                return b""
            if engine.is_finished():
                break
        else:
            found.warn(f"{name} is cut off")
    except brotli.error:
        found.warn(f"{name} is damaged: Brotli ends early")
    finally:
        found.inflated += len(out)
    return bytes(out)


def _block(kind: bytes, data: bytes, found: Found) -> None:
    """An Exif box (a 32-bit offset leads to the TIFF header) or an XMP packet."""
    if not data:
        return
    if kind == b"xml ":
        found.xmp = found.xmp or data
        return
    try:
        found.add_exif(tiff_stream(data))
    except Truncated as error:
        found.warn(f"EXIF is unreadable: {error}")


def _try(codestream: bytes, found: Found, *, last: bool) -> bool:
    """Whether the codestream so far is enough; a partial one may go on in the next box."""
    if len(codestream) < 64 and not last:
        return False
    _describe(codestream, found)
    return True


def _describe(data: bytes, found: Found) -> None:
    """Signature, SizeHeader and ImageMetadata (18181-1, sections D.2 and D.3)."""
    bits = LowBits(data[:MAX_CODESTREAM_BYTES])
    try:
        if data[:2] != _CODESTREAM:
            raise Truncated("no codestream")
        bits.bits(16)
        found.width, found.height = _size(bits)
    except Truncated as error:
        raise CorruptImage(f"the size header is not there: {error}") from error
    found.orientation = 1
    try:
        _metadata(bits, found)
    except Truncated as error:
        found.warn(f"the image header is cut short: {error}")


def _u32(bits: LowBits, choices: tuple[tuple[int, int], ...]) -> int:
    """A U32 field: two bits choose an offset and the number of bits added to it."""
    base, count = choices[bits.bits(2)]
    return base + bits.bits(count)


def _size(bits: LowBits) -> tuple[int, int]:
    """SizeHeader: height, then a ratio or the width."""
    small = bits.flag()
    height = 8 * (1 + bits.bits(5)) if small else _u32(bits, _SIZES)
    ratio = bits.bits(3)
    if ratio:
        across, down = _RATIOS[ratio]
        return max(1, height * across // down), height
    return (8 * (1 + bits.bits(5)) if small else _u32(bits, _SIZES)), height


def _metadata(bits: LowBits, found: Found) -> None:
    """ImageMetadata: orientation, preview, animation, depth, extra channels, colour space."""
    grey = False
    kinds: list[int] = []
    found.animated, found.frames = False, 1
    depth = 8
    if not bits.flag():
        if bits.flag():
            found.orientation = 1 + bits.bits(3)
            if bits.flag():
                _size(bits)  # intrinsic size
            if bits.flag():
                _preview(bits)
            if bits.flag():
                _animation(bits, found)
        depth = _depth(bits)
        bits.bits(1)  # 16-bit buffers suffice
        count = _u32(bits, ((0, 0), (1, 0), (2, 4), (1, 12)))
        if count > MAX_EXTRA_CHANNELS:
            raise Truncated(f"{count} extra channels")
        kinds = [_extra_channel(bits) for _ in range(count)]
        bits.bits(1)  # XYB
        if not bits.flag():
            bits.bits(1)  # an ICC profile follows the header, compressed
            grey = _u32(bits, _ENUM) == _GREY_SPACE
    found.bit_depth = depth
    found.has_alpha = _ALPHA in kinds
    if _BLACK in kinds:
        found.color_mode = "CMYK"
    elif grey:
        found.color_mode = "LA" if found.has_alpha else "I;16" if depth > 8 else "L"
    else:
        found.color_mode = "RGBA" if found.has_alpha else "RGB"


def _depth(bits: LowBits) -> int:
    """BitDepth: bits per sample of integers or floats."""
    if bits.flag():
        depth = _u32(bits, ((32, 0), (16, 0), (24, 0), (1, 6)))
        bits.bits(4)
        return depth
    return _u32(bits, ((8, 0), (10, 0), (12, 0), (1, 6)))


def _preview(bits: LowBits) -> None:
    """PreviewHeader; only its length matters here."""
    if bits.flag():
        choices = ((16, 0), (32, 0), (1, 5), (33, 9))
    else:
        choices = ((1, 6), (65, 8), (321, 10), (1345, 12))
    _u32(bits, choices)
    if not bits.bits(3):
        _u32(bits, choices)


def _animation(bits: LowBits, found: Found) -> None:
    """AnimationHeader: ticks per second, loops; how many frames follow it does not say."""
    found.animated, found.frames = True, None
    _u32(bits, ((100, 0), (1000, 0), (1, 10), (1, 30)))
    _u32(bits, ((1, 0), (1001, 0), (1, 8), (1, 10)))
    found.loop = _u32(bits, ((0, 0), (0, 3), (0, 16), (0, 32)))
    bits.bits(1)


def _extra_channel(bits: LowBits) -> int:
    """ExtraChannelInfo: the channel's type."""
    if bits.flag():
        return _ALPHA
    kind = _u32(bits, _ENUM)
    _depth(bits)
    _u32(bits, ((0, 0), (3, 0), (4, 0), (1, 3)))
    name = _u32(bits, ((0, 0), (0, 4), (16, 5), (48, 10)))
    bits.bits(8 * name)
    if kind == _ALPHA:
        bits.bits(1)
    elif kind == _SPOT:
        bits.bits(64)
    elif kind == _CFA:
        _u32(bits, ((1, 0), (0, 2), (3, 4), (19, 8)))
    return kind
