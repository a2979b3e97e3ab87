"""JPEG 2000: the JP2 family's boxes (ISO/IEC 15444-1 annex I) and bare codestreams (annex A).

`jp2h` states size, depth, colour and resolution; EXIF, XMP and IPTC stand in `uuid` boxes, often behind the
codestream, which is stepped over. A codestream states the same in its SIZ marker, right at its start.
"""

from __future__ import annotations

import re

from .. import limits
from ..characters import decode
from ..errors import CorruptImage
from ..model import FileType, Found
from ..reader import Reader
from .boxes import BadBox, Box, walk, walk_bytes
from .cursors import Fields, Truncated

#: Bytes of one `jp2h` box that are read.
MAX_HEADER_BYTES = limits.MAX_ICC + 64 * 1024
MAX_EXIF_BYTES = 1 << 20
#: Components a codestream may have (annex A.5.1).
MAX_COMPONENTS = 16384
#: Bytes of a codestream's header in which comments are looked for.
MAX_CODESTREAM_HEADER = 4096
#: Bits per sample.
MAX_DEPTH = 38

_SIGNATURE = b"\0\0\0\x0cjP  \r\n\x87\n"
_CODESTREAM = b"\xff\x4f\xff\x51"
JP2 = FileType("JPEG2000", "image/jp2", "jp2")
JPX = FileType("JPEG2000", "image/jpx", "jpx")
JPM = FileType("JPEG2000", "image/jpm", "jpm")
JPH = FileType("JPEG2000", "image/jph", "jph")
CODESTREAM = FileType("JPEG2000", "image/j2c", "j2c")
TYPES = (JP2, JPX, JPM, JPH, CODESTREAM)
_BRANDS = {b"jpx ": JPX, b"jpm ": JPM, b"jph ": JPH}
_XMP = bytes.fromhex("be7acfcb97a942e89c71999491e3afac")
_IPTC = bytes.fromhex("33c7a4d2b81d4723a0baf1a3e097ad38")
_EXIF = (b"JpgTiffExif->JP2", bytes.fromhex("0537cdab9d0c4431a72afa561f2a113e"))
_CMYK, _GREY = 12, 17
_TILE, _COMMENT, _LATIN = 0xFF90, 0xFF64, 1  # markers of the codestream; a comment that is text
_METRE = 0.0254
#: What an XML box has that is an XMP packet.
_PACKET = re.compile(rb"<(?:x:xmpmeta|rdf:RDF)[\s>]")


def matches(head: bytes, source: Reader) -> bool:
    """Whether the file starts with the JP2 signature box or with SOC and SIZ."""
    if head[:12] == _SIGNATURE or head[:4] == _CODESTREAM:
        return True
    return source.size < 12 and len(head) >= 8 and _SIGNATURE.startswith(head)


def read(source: Reader, found: Found) -> None:
    """Fill `found` from a JP2, JPX or codestream. Raises `CorruptImage` when no size is stated."""
    if source.read_at(0, 4) == _CODESTREAM:
        found.be(CODESTREAM)
        _codestream(source, 0, found)
        _comment(source, 0, found)
    else:
        found.be(JP2)
        _boxes(source, found)
    if found.content_type not in (JPX.media_type, JPM.media_type):  # which may hold several
        found.frames, found.animated = 1, False
    if not found.width or not found.height:
        raise CorruptImage("neither an image header nor a codestream states a size")


def _boxes(source: Reader, found: Found) -> None:
    """Walk the top-level boxes up to the end of the file."""
    headed = False
    try:
        for box in walk(source, 0, source.size):
            if not box.whole:
                found.warn("the file is cut short")
            if box.kind == b"ftyp":
                found.be(_BRANDS.get(source.read_at(box.start, 4), JP2))
            elif box.kind == b"jp2h" and not headed:
                headed = True
                _header(source.read_at(box.start, min(box.size, MAX_HEADER_BYTES)), found)
            elif box.kind == b"jp2c":
                if found.width is None:
                    _codestream(source, box.start, found)
                _comment(source, box.start, found)
            elif box.kind == b"xml " and found.xmp is None:
                data = _block(source, box, limits.MAX_XMP, "XMP", found) or b""
                found.xmp = data if _PACKET.search(data) else None
            elif box.kind == b"uuid":
                _uuid(source, box, found)
    except BadBox as error:
        found.warn(str(error))


def _header(data: bytes, found: Found) -> None:
    """The JP2 header box: ihdr, bpcc, colr, pclr, cdef and res (I.5.3)."""
    components = 0
    palette = 0
    cmyk = False
    opacity: bool | None = None
    try:
        for box, body in walk_bytes(data):
            if box.kind == b"ihdr" and not components:
                fields = Fields(body)
                height, width = fields.u32(), fields.u32()
                if width and height:
                    found.width, found.height = width, height
                components = fields.u16()
                depth = fields.u8()
                if depth != 255:
                    _depth((depth & 0x7F) + 1, found)
            elif box.kind == b"bpcc" and body:
                _depth(max(value & 0x7F for value in body[:MAX_COMPONENTS]) + 1, found)
            elif box.kind == b"colr" and len(body) >= 3:
                cmyk = cmyk or (body[0] == 1 and body[3:7] == _CMYK.to_bytes(4, "big"))
                if body[0] in (2, 3) and len(body) > 3 and found.icc is None:
                    found.icc = body[3:]
                    cmyk = cmyk or body[19:23] == b"CMYK"
            elif box.kind == b"pclr" and len(body) >= 3:
                palette = body[2]
            elif box.kind == b"cdef":
                kinds = [
                    int.from_bytes(body[i + 2 : i + 4], "big") for i in range(2, min(len(body), 1024) - 5, 6)
                ]
                opacity = 1 in kinds or 2 in kinds
            elif box.kind == b"res ":
                found.dpi = _resolution(body)
    except (BadBox, Truncated) as error:
        found.warn(f"the image header is damaged: {error}")
    _colours(components, palette, cmyk, opacity, found)


def _depth(bits: int, found: Found) -> None:
    """Set the depth, unless it is more than the standard allows (A.5.1)."""
    if bits > MAX_DEPTH:
        found.warn(f"the header states {bits} bits per sample")
    else:
        found.bit_depth = bits


def _colours(components: int, palette: int, cmyk: bool, opacity: bool | None, found: Found) -> None:
    """Mode and alpha from the number of components and what the header says of them."""
    if not components:
        return
    if palette and components in (1, 2):
        found.has_alpha = components == 2 or palette == 4
        found.color_mode = "PA" if components == 2 else "P"
        return
    guess = components == 2 or (components == 4 and not cmyk)
    found.has_alpha = guess if opacity is None else opacity
    if cmyk:
        found.color_mode = "CMYK"
    elif components <= 2:
        found.color_mode = _grey(components, found)
    else:
        found.color_mode = "RGBA" if found.has_alpha else "RGB"


def _grey(components: int, found: Found) -> str:
    """Mode of a picture of one or two components."""
    if components == 2 and found.has_alpha:
        return "LA"
    return "I;16" if (found.bit_depth or 8) > 8 else "L"


def _resolution(data: bytes) -> tuple[float, float] | None:
    """Dots per inch from a resolution box: as captured, else as to be displayed (I.5.3.7)."""
    stated: dict[bytes, tuple[float, float]] = {}
    try:
        for box, body in walk_bytes(data, 8):
            fields = Fields(body)
            down, down_by, across, across_by = (fields.u16() for _ in range(4))
            down_power, across_power = fields.sint(1), fields.sint(1)
            if down and down_by and across and across_by and max(abs(down_power), abs(across_power)) < 20:
                x = across / across_by * 10.0**across_power * _METRE
                y = down / down_by * 10.0**down_power * _METRE
                stated[box.kind] = (round(x, 4), round(y, 4))
    except (BadBox, Truncated):
        pass
    dpi = stated.get(b"resc") or stated.get(b"resd")
    return dpi if dpi and dpi[0] > 0 and dpi[1] > 0 else None


def _uuid(source: Reader, box: Box, found: Found) -> None:
    """EXIF, XMP or IPTC in a uuid box."""
    if box.uuid == _XMP and found.xmp is None:
        found.xmp = _block(source, box, limits.MAX_XMP, "XMP", found)
    elif box.uuid == _IPTC and found.iptc is None:
        found.iptc = _block(source, box, limits.MAX_IPTC, "IPTC", found)
    elif box.uuid in _EXIF:
        data = _block(source, box, MAX_EXIF_BYTES, "EXIF", found)
        if data:
            data = data.removeprefix(b"Exif\0\0")
            if data[:2] in (b"II", b"MM"):
                found.add_exif(data)
            else:
                found.warn("EXIF has no TIFF header")


def _block(source: Reader, box: Box, limit: int, name: str, found: Found) -> bytes | None:
    """A box's payload, unless it is over the limit."""
    if box.size > limit:
        found.warn(f"{name} of {box.size} bytes is not read")
        return None
    return source.read_at(box.start, box.size) or None


def _codestream(source: Reader, start: int, found: Found) -> None:
    """Size, depth and components of the SIZ marker (A.5.1)."""
    head = source.read_at(start, 42)
    fields = Fields(head, 8)
    try:
        if head[:4] != _CODESTREAM:
            raise Truncated("no SIZ marker")
        right, bottom, left, top = (fields.u32() for _ in range(4))
    except Truncated as error:
        found.warn(f"the codestream is damaged: {error}")
        return
    if right <= left or bottom <= top:
        found.warn("the codestream states an empty area")
        return
    found.width, found.height = right - left, bottom - top
    try:
        fields.skip(16)
        components = fields.u16()
    except Truncated:
        return
    if not 0 < components <= MAX_COMPONENTS:
        found.warn(f"the codestream states {components} components")
        return
    depths = source.read_at(start + 42, 3 * min(components, 16))[::3]
    if depths and found.bit_depth is None:
        _depth(max(value & 0x7F for value in depths) + 1, found)
    if found.color_mode is None:
        _colours(components, 0, False, None, found)


def _comment(source: Reader, start: int, found: Found) -> None:
    """The text of the codestream's comment markers (A.9.2), where its header is among the first bytes of the file."""
    if start + MAX_CODESTREAM_HEADER > limits.FIRST_BLOCK:
        return
    header = source.read_at(start, MAX_CODESTREAM_HEADER)
    position, lines = 2, []
    while position + 6 <= len(header):
        marker, length, kind = (
            int.from_bytes(header[position + at : position + at + 2], "big") for at in (0, 2, 4)
        )
        if marker == _TILE or marker < 0xFF00 or length < 2:
            break
        if marker == _COMMENT and kind == _LATIN:
            lines.append(decode(header[position + 6 : position + 2 + length]))
        position += 2 + length
    text = "\n".join(filter(None, lines))
    if text:
        found.text.setdefault("Comment", text)
