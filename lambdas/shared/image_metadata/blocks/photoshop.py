"""Photoshop image resources (Adobe Photoshop File Formats Specification, Image Resources Section)."""

from __future__ import annotations

import struct

from ..model import Found

_SIGNATURES = frozenset((b"8BIM", b"PHUT", b"DCSR", b"AgHg", b"MeSa"))
_RESOLUTION, _IPTC, _ICC, _EXIF, _XMP = 0x03ED, 0x0404, 0x040F, 0x0422, 0x0424
_HEAD = struct.Struct(">4sHHI").unpack_from  # signature, number, empty name, length
_LENGTH = struct.Struct(">I").unpack_from
_READ = frozenset((_RESOLUTION, _IPTC, _ICC, _EXIF, _XMP))


def read_resources(data: bytes, found: Found) -> None:
    """Hand the metadata blocks among the resources over to `found`, where it holds none of them yet."""
    position = 0
    size = len(data)
    while position + 12 <= size:
        # Signature, number, name (padded to an even length with its count), length, value (padded as well).
        signature, number, name, length = _HEAD(data, position)
        if signature not in _SIGNATURES:
            if data[position:].strip(b"\0"):
                found.warn("Photoshop: the resources are damaged")
            return
        start = position + 12
        if name > 0xFF:
            start += (name >> 8) & ~1
            if start > size:
                found.warn("Photoshop: the resources are cut off")
                return
            (length,) = _LENGTH(data, start - 4)
        end = start + length
        position = end + (length & 1)
        if end > size:
            found.warn("Photoshop: the resources are cut off")
        if number not in _READ:
            continue
        value = data[start : start + length]
        if number == _IPTC and found.iptc is None:
            found.iptc = value
        elif number == _XMP and found.xmp is None:
            found.xmp = value
        elif number == _EXIF:
            found.add_exif(value)
        elif number == _ICC and found.icc is None:
            found.icc = value
        elif number == _RESOLUTION and found.dpi is None and len(value) >= 12:
            across, down = struct.unpack(">I", value[:4])[0], struct.unpack(">I", value[8:12])[0]
            if across and down:
                found.dpi = (round(across / 65536, 4), round(down / 65536, 4))
