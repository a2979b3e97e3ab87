"""Files of the kinds that people have and few tests know: several, nested, packed and late blocks, odd texts."""

from __future__ import annotations

import zlib

import brotli

from .builders import (
    VP8,
    Value,
    box,
    chunk,
    directory,
    ftyp,
    iloc,
    infe,
    iptc,
    ispe,
    jpeg,
    meta,
    packet,
    png,
    resource,
    riff,
    segment,
    tiff,
    vp8x,
)

_XMP = packet(
    "<dc:title>Zoë</dc:title><exif:UserComment>remark</exif:UserComment>",
    'xmp:CreateDate="2024-05-06T07:08:09+02" exif:GPSLatitude="33,51.5" exif:GPSLongitude="151,12,30E"',
)
_EXIF = tiff(
    {0x010F: (2, "Acme"), 0x0132: (2, "2024:05:06 07:08:09"), 0x4746: (3, 65535), 0x8298: (2, b"Z\x9frich\0\xfc\0")},
    {0x9003: (2, "2024: 5: 6  7: 8: 9 PM"), 0x9286: (7, b"UNICODE\0" + "remark".encode("utf-16-be")),
     0x9012: (2, "-0000"), 0x9291: (2, "٤٥")},
    {2: (5, [(33, 1), (51, 1), (30, 1)]), 4: (5, [(151, 1), (12, 1), (0, 1)]), 6: (5, (4294967295, 1))},
)  # fmt: skip
_PROFILE = b"\nexif\n%8d\n%s\n" % (len(_EXIF), _EXIF.hex().encode())
_NESTED = b"\nexif\n%d\n%s00" % (len(_PROFILE), _PROFILE.hex().encode())
_JXR: dict[int, Value] = {
    0xBC01: (1, bytes.fromhex("24c3dd6f034efe4bb1853d77768dc90c")), 0xBC80: (4, 48), 0xBC81: (4, 32),
    0x010F: (2, "Acme"), 0x02BC: (1, _XMP),
}  # fmt: skip
_PAYLOAD = b"http://ns.adobe.com/xap/1.0/\0" + _XMP
_IPTC = iptc((5, b"\x93Z\xfcrich\x94"), (55, b"2024 5 6"), (60, b"07:08:09 PM"), utf8=False)

SAMPLES = {
    "two.jpg": jpeg(
        segment(0xE1, b"Exif\0\0" + tiff({0x0131: (2, "Tool")})),
        segment(0xE1, b"Exif\0\0" + _EXIF),
        segment(0xED, b"Photoshop 3.0\0" + resource(0x0404, b"\x1c\1\x5a\0\3\x1b-A" + _IPTC)),
        segment(0xFE, b"caf\x8e"),
        segment(0xEB, b"JP\0\1" + bytes(3000)) * 4,
        xmp=_XMP,
    ),
    "lossless.jls": jpeg(
        segment(0xF8, b"\1" + bytes(10)), tail=segment(0xF7, b"\x08\0\x20\0\x30\1\1\x11\0") + b"\xff\xd9"
    ),
    "profiles.png": png(
        chunk(b"PLTE", bytes(12)),
        chunk(b"tRNS", bytes(5)),
        chunk(b"zTXt", b"Raw profile type exif\0\0" + zlib.compress(_NESTED)),
        chunk(b"tEXt", b"creationtime\0Tue, 14 May 2024 10:11:12 PM -0000"),
        chunk(b"iCCP", b"a\0\0" + zlib.compress(bytes(140))),
        chunk(b"iCCP", b"b\0\0" + zlib.compress(bytes(140))),
        color=3,
    ),
    "late.webp": riff(vp8x(0x0E), *[(b"ANMF", bytes(4000))] * 18, (b"EXIF", _EXIF), (b"XMP ", _XMP)),
    "several.webp": riff(vp8x(0x0C), VP8, (b"EXIF", tiff({})), (b"EXIF", _EXIF), (b"XMP ", _XMP)),
    "named.heic": ftyp(b"heic", b"mif1") + meta(
        [infe(1, b"hvc1"), infe(2, b"uri ", mime=b"http://ns.adobe.com/xap/1.0/")], [ispe(40, 30)], {1: [1]},
        references=[(b"cdsc", 2, [1])], locations=iloc([(2, 1, [(0, 0, len(_PAYLOAD))])]), more=box(b"idat", _PAYLOAD),
    ),
    "packed.jxl": b"\0\0\0\x0cJXL \r\n\x87\n" + ftyp(b"jxl ", b"jxl ")
    + box(b"brob", b"Exif" + brotli.compress(bytes(4) + _EXIF)) + box(b"brob", b"xml " + brotli.compress(_XMP))
    + box(b"jxlc", bytes.fromhex("ff0af8be01001388020024c2070c00000000000000000000")),
    "comment.j2c": b"\xff\x4f\xff\x51\0\x2f" + bytes(2)
    + b"".join(number.to_bytes(4, "big") for number in (48, 32, 0, 0, 48, 32, 0, 0)) + b"\0\3" + b"\7\1\1" * 3
    + b"\xff\x64\0\x0a\0\1caf\xe9 b" + b"\xff\x90\0\x0a" + bytes(8),
    "comment.ppm": b"P6 # caf\xe9\n48 # wide\n32\n255\n" + bytes(30),
    "picture.jxr": b"II\xbc\1\x08\0\0\0" + directory(_JXR, 8),
    "style.svg": b'<svg xmlns="http://www.w3.org/2000/svg" style="width:10em;height:100%" viewBox="0 0 4 3"/>',
    "sizeless.svg": b'<svg xmlns="http://www.w3.org/2000/svg" width="100%" height="50vh"><path d="M0 0"/></svg>',
}  # fmt: skip
