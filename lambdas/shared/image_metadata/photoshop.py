"""Photoshop image resources (Adobe Photoshop File Formats Specification, Image Resources Section)."""

from __future__ import annotations

import struct

from .model import Found

_SIGNATURES = (b"8BIM", b"PHUT", b"DCSR", b"AgHg", b"MeSa")
_RESOLUTION, _IPTC, _COPYRIGHTED, _ICC, _EXIF, _XMP = 0x03ED, 0x0404, 0x040A, 0x040F, 0x0422, 0x0424


def read_resources(data: bytes, found: Found) -> None:
    """Hand the metadata blocks among the resources over to `found`, where it holds none of them yet."""
    position = 0
    while position + 12 <= len(data):
        if data[position : position + 4] not in _SIGNATURES:
            if data[position:].strip(b"\0"):
                found.warn("Photoshop: the resources are damaged")
            return
        number = struct.unpack(">H", data[position + 4 : position + 6])[0]
        name = data[position + 6]
        position += 6 + (name + 2 & ~1)
        if position + 4 > len(data):
            found.warn("Photoshop: the resources are cut off")
            return
        length = struct.unpack(">I", data[position : position + 4])[0]
        value = data[position + 4 : position + 4 + length]
        if len(value) < length:
            found.warn("Photoshop: the resources are cut off")
        position += 4 + (length + 1 & ~1)
        if number == _IPTC and found.iptc is None:
            found.iptc = value
        elif number == _XMP and found.xmp is None:
            found.xmp = value
        elif number == _EXIF and found.exif is None:
            found.exif = value
        elif number == _ICC and found.icc is None:
            found.icc = value
        elif number == _RESOLUTION and found.dpi is None and len(value) >= 12:
            across, down = struct.unpack(">I", value[:4])[0], struct.unpack(">I", value[8:12])[0]
            if across and down:
                found.dpi = (round(across / 65536, 4), round(down / 65536, 4))
