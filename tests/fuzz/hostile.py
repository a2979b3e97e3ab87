"""Files made to cost memory or time: what they are, and what each costs.

`PYTHONPATH=lambdas/shared python -m tests.fuzz.hostile` prints the table. Every file is read in a process of its own (a
fork of one that holds nothing else), once as from S3, by ranges, and once as a local file, where no budget of bytes
helps.
"""

from __future__ import annotations

import gzip
import json
import os
import random
import resource
import struct
import subprocess
import sys
import tempfile
import time
import traceback
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import quote_plus

import brotli

from tests.support import raws
from tests.support.builders import (
    box,
    chunk,
    ftyp,
    full,
    gif,
    infe,
    ispe,
    jpeg,
    jpeg_tail,
    packet,
    png,
    riff,
    segment,
)  # fmt: skip

ROOT = Path(__file__).resolve().parents[2]
MIB = 1024 * 1024
_MIB_OF_ZEROS = bytes(MIB)
#: More than a function has; an extraction that wants more dies by MemoryError.
ADDRESS_SPACE = 1024 * MIB
#: Seconds of processor time after which the child is killed.
PATIENCE = 20

_FILES: dict[str, Callable[[], bytes]] = {}


def hostile(make: Callable[[], bytes]) -> Callable[[], bytes]:
    """Register a file under its function's name."""
    _FILES[make.__name__] = make
    return make


def _deflated(size: int, start: bytes = b"") -> bytes:
    """A zlib stream (RFC 1950) of `start` and then `size` zeros, a MiB of which is compressed once and repeated."""
    squeeze = zlib.compressobj(9, zlib.DEFLATED, -zlib.MAX_WBITS)
    parts = [squeeze.compress(start) + squeeze.flush(zlib.Z_FULL_FLUSH)]
    parts += [squeeze.compress(_MIB_OF_ZEROS) + squeeze.flush(zlib.Z_FULL_FLUSH)] * (size // MIB)
    check = zlib.adler32(start)
    for _ in range(size // MIB):
        check = zlib.adler32(_MIB_OF_ZEROS, check)
    return b"\x78\xda" + b"".join(parts) + squeeze.flush() + check.to_bytes(4, "big")


def _xmp(body: str, doctype: str = "") -> bytes:
    return doctype.encode() + packet(body)


def _png_xmp(packet: bytes, packed: bool = False) -> bytes:
    data = zlib.compress(packet) if packed else packet
    return png(chunk(b"iTXt", b"XML:com.adobe.xmp\0" + bytes([packed]) + b"\0\0\0" + data))


def _laughs() -> str:
    entities = "".join(f'<!ENTITY l{n} "{f"&l{n - 1};" * 10}">' for n in range(1, 12))
    return f'<!DOCTYPE lolz [<!ENTITY l0 "lol">{entities}]>'


def _entry(tag: int, kind: int, count: int, value: int) -> bytes:
    return struct.pack("<HHII", tag, kind, count, value)


_SIZE = _entry(256, 4, 1, 48) + _entry(257, 4, 1, 32)


def _tiff(count: int, entries: bytes, following: int = 0, rest: bytes = b"") -> bytes:
    return b"II*\0" + struct.pack("<IH", 8, count) + entries + struct.pack("<I", following) + rest


_FTYP = ftyp(b"avif", b"mif1", b"avif", b"avis")


def _avif(width: int, height: int, *more: bytes, kind: bytes = b"av01") -> bytes:
    properties = box(
        b"iprp",
        box(b"ipco", ispe(width, height)),
        full(b"ipma", struct.pack(">IHBB", 1, 1, 1, 1)),
    )
    parts = [
        full(b"hdlr", b"\0\0\0\0pict" + bytes(13)),
        full(b"pitm", struct.pack(">H", 1)),
        *(
            []
            if any(each[4:8] == b"iinf" for each in more)
            else [full(b"iinf", struct.pack(">H", 1) + infe(1, kind))]
        ),
        properties,
        *more,
    ]
    return _FTYP + full(b"meta", b"".join(parts))


def _nested(kind: bytes, depth: int) -> bytes:
    """Boxes within each other, written without building each one of them."""
    return b"".join(struct.pack(">I4s", 8 * (depth - level), kind) for level in range(depth))


def _webp(*chunks: bytes, width: int = 48, height: int = 32) -> bytes:
    size = (width - 1).to_bytes(3, "little") + (height - 1).to_bytes(3, "little")
    body = b"VP8X\x0a\0\0\0" + b"\x2e\0\0\0" + size + b"".join(chunks)
    return b"RIFF" + struct.pack("<I", len(body) + 4) + b"WEBP" + body


def _psd(resources: bytes, width: int = 48, height: int = 32, stated: int | None = None) -> bytes:
    head = b"8BPS\0\1" + bytes(6) + struct.pack(">HIIHH", 3, height, width, 8, 3) + bytes(4)
    return head + struct.pack(">I", len(resources) if stated is None else stated) + resources + bytes(8)


# -- bombs: a small file that states, or unpacks to, a very large image ----------------------------------


@hostile
def jpeg_65535_squared() -> bytes:
    return jpeg(tail=jpeg_tail(65535, 65535))


@hostile
def jpeg_progressive_scans() -> bytes:
    scan = b"\xff\xda\0\x08\1\1\0\0\0\0\0"
    return jpeg()[:-4] + scan * 500_000


@hostile
def jpeg_fill_bytes() -> bytes:
    return b"\xff\xd8" + b"\xff" * (16 * MIB) + jpeg()[2:]


@hostile
def png_profile_of_a_mebibyte_of_line_feeds() -> bytes:
    return png(chunk(b"zTXt", b"Raw profile type exif\0\0" + zlib.compress(b"\n" * (MIB - 1))))


@hostile
def png_profile_of_a_mebibyte_of_blanks() -> bytes:
    text = b"\nexif" + b" " * (MIB // 2) + b"\n" + b"\t" * (MIB // 4)
    return png(chunk(b"zTXt", b"Raw profile type exif\0\0" + zlib.compress(text)))


@hostile
def eps_title_of_blanks() -> bytes:
    return b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n%%Title:" + b" " * 30_000 + b"x" * 600 + b"\n"


@hostile
def png_65535_squared() -> bytes:
    data = chunk(b"IDAT", _deflated(256 * MIB))
    return png(width=65535, height=65535)[:33] + data + chunk(b"IEND", b"")


@hostile
def png_2_to_31() -> bytes:
    return png(width=2**31 - 1, height=2**31 - 1)


@hostile
def png_over_2_to_31() -> bytes:
    return png(width=2**32 - 1, height=2**32 - 1)


@hostile
def tiff_2_to_32() -> bytes:
    return _tiff(2, _entry(256, 4, 1, 2**32 - 1) + _entry(257, 4, 1, 2**32 - 1))


@hostile
def bmp_2_to_31() -> bytes:
    return b"BM" + struct.pack("<IIIIiiHHI", 0, 0, 54, 40, 2**31 - 1, -(2**31), 1, 24, 0) + bytes(20)


@hostile
def webp_largest() -> bytes:
    return _webp(width=2**24, height=2**24)


@hostile
def gif_largest() -> bytes:
    return gif(b",\0\0\0\0\xff\xff\xff\xff\0\2\1\0\0", width=65535, height=65535)


@hostile
def avif_2_to_32() -> bytes:
    return _avif(2**32 - 1, 2**32 - 1)


@hostile
def heic_grid_of_65536_tiles() -> bytes:
    grid = b"\0\1\xff\xff" + struct.pack(">II", 2**32 - 1, 2**32 - 1)
    location = full(b"iloc", struct.pack(">BBHHHHHII", 0x44, 0, 1, 1, 1, 0, 1, 0, len(grid)), version=1)
    tiles = full(
        b"iref", box(b"dimg", struct.pack(">HH", 1, 65535) + struct.pack(">65535H", *range(1, 65536)))
    )
    return _avif(2**16, 2**16, location, box(b"idat", grid), tiles, kind=b"grid")


@hostile
def qoi_largest() -> bytes:
    return b"qoif" + struct.pack(">II", 2**32 - 1, 2**32 - 1) + b"\4\0"


@hostile
def psb_largest() -> bytes:
    return b"8BPS\0\2" + bytes(6) + struct.pack(">HIIHH", 56, 300_000, 300_000, 32, 3) + bytes(20)


@hostile
def netpbm_of_a_million_digits() -> bytes:
    return b"P6 " + b"9" * MIB + b" 9 255\n"


@hostile
def icns_stating_huge_pictures() -> bytes:
    return b"icns" + struct.pack(">I", 2**32 - 1) + (b"ic10" + struct.pack(">I", 2**31)) * 10_000


@hostile
def dds_2_to_32() -> bytes:
    return b"DDS " + struct.pack("<IIII", 124, 0x1007, 2**32 - 1, 2**32 - 1) + bytes(108)


# -- compressed blocks -----------------------------------------------------------------------------------


@hostile
def png_ztxt_of_256_mib() -> bytes:
    return png(chunk(b"zTXt", b"Comment\0\0" + _deflated(256 * MIB)))


@hostile
def png_itxt_of_256_mib() -> bytes:
    return png(chunk(b"iTXt", b"Title\0\1\0\0\0" + _deflated(256 * MIB)))


@hostile
def png_iccp_of_256_mib() -> bytes:
    return png(chunk(b"iCCP", b"icc\0\0" + _deflated(256 * MIB, struct.pack(">I", 2**28) + bytes(124))))


@hostile
def png_raw_profile_of_256_mib() -> bytes:
    start = b"\nexif\n 268435456\n45786966"
    return png(chunk(b"zTXt", b"Raw profile type exif\0\0" + _deflated(256 * MIB, start)))


@hostile
def png_raw_profiles_in_raw_profiles() -> bytes:
    block = bytes(1000)
    for _ in range(10):
        block = b"\nexif\n%d\n%s" % (len(block), block.hex().encode())
    return png(*[chunk(b"zTXt", b"Raw profile type exif\0\0" + zlib.compress(block))] * 8)


@hostile
def png_a_thousand_bombs() -> bytes:
    bomb = _deflated(4 * MIB)
    return png(*(chunk(b"zTXt", b"Comment\0\0" + bomb) for _ in range(1000)))


@hostile
def png_a_thousand_blocks_within_the_cap() -> bytes:
    block = _deflated(0, bytes(MIB - 1))
    return png(*(chunk(b"zTXt", b"Comment\0\0" + block) for _ in range(1000)))


@hostile
def avif_a_thousand_packed_xmp() -> bytes:
    many = range(2, 1002)
    bomb = _deflated(256 * MIB)
    items = b"".join(infe(n, b"mime", mime=b"application/rdf+xml", encoding=b"deflate") for n in many)
    locations = struct.pack(">BBH", 0x44, 0, 1000) + b"".join(
        struct.pack(">HHHHII", n, 1, 0, 1, 0, len(bomb)) for n in many
    )
    references = b"".join(box(b"cdsc", struct.pack(">HHH", n, 1, 1)) for n in many)
    return _avif(
        48,
        32,
        full(b"iinf", struct.pack(">H", 1001) + infe(1, b"av01") + items),
        full(b"iloc", locations, version=1),
        full(b"iref", references),
        box(b"idat", bomb),
    )


@hostile
def svgz_of_256_mib() -> bytes:
    return _gzipped(b'<svg width="48" height="32" xmlns="http://www.w3.org/2000/svg"><!--', b"-->")


@hostile
def svgz_without_a_root() -> bytes:
    return _gzipped(b"<?xml version='1.0'?><!--", b"")


@hostile
def svgz_in_svgz() -> bytes:
    data = b"<svg width='4' height='4'/>"
    for _ in range(50):
        data = gzip.compress(data)
    return data


def _gzipped(start: bytes, end: bytes) -> bytes:
    squeeze = zlib.compressobj(9, zlib.DEFLATED, 31)
    parts = [squeeze.compress(start)] + [squeeze.compress(b" " * MIB) for _ in range(256)]
    return b"".join(parts) + squeeze.compress(end) + squeeze.flush()


# -- text and XML ----------------------------------------------------------------------------------------


@hostile
def png_text_of_16_mib() -> bytes:
    return png(chunk(b"tEXt", b"Comment\0" + b"a" * (16 * MIB)))


@hostile
def png_400000_texts() -> bytes:
    return png(chunk(b"tEXt", b"Title\0t") * 400_000)


@hostile
def xmp_billion_laughs() -> bytes:
    return _png_xmp(_xmp("<dc:title>&l11;</dc:title>", _laughs()))


@hostile
def xmp_quadratic_blowup() -> bytes:
    packet = _xmp(f"<dc:title>{'&a;' * 50_000}</dc:title>", f'<!DOCTYPE x [<!ENTITY a "{"a" * 50_000}">]>')
    return _png_xmp(packet, packed=True)


@hostile
def xmp_external_entity() -> bytes:
    body = "<dc:title>&file;</dc:title><dc:description>&parameter;</dc:description>"
    return _png_xmp(
        _xmp(
            body,
            '<!DOCTYPE x [<!ENTITY file SYSTEM "file:///etc/passwd"><!ENTITY % p SYSTEM "http://127.0.0.1:1/">%p;]>',
        )
    )


@hostile
def xmp_deep() -> bytes:
    return _png_xmp(_xmp("<dc:a>" * 60_000), packed=True)


@hostile
def xmp_wide() -> bytes:
    return _png_xmp(
        _xmp(f"<dc:subject><rdf:Bag>{'<rdf:li>k</rdf:li>' * 55_000}</rdf:Bag></dc:subject>"), packed=True
    )


@hostile
def xmp_attributes() -> bytes:
    attributes = "".join(f' dc:a{n}="1"' for n in range(60_000))
    return _png_xmp(_xmp(f"<dc:title{attributes}/>"), packed=True)


@hostile
def xmp_namespaces() -> bytes:
    spaces = "".join(f' xmlns:n{n}="u{n}"' for n in range(40_000))
    return _png_xmp(_xmp(f"<dc:title{spaces}/>"), packed=True)


@hostile
def xmp_extended_of_4_gib() -> bytes:
    guid = b"0123456789ABCDEF0123456789ABCDEF"
    main = segment(
        0xE1,
        b"http://ns.adobe.com/xap/1.0/\0"
        + _xmp(
            f"<n:HasExtendedXMP xmlns:n='http://ns.adobe.com/xmp/note/'>{guid.decode()}</n:HasExtendedXMP>"
        ),
    )
    parts = [
        segment(
            0xE1,
            b"http://ns.adobe.com/xmp/extension/\0"
            + guid
            + struct.pack(">II", 2**32 - 1, (n * 65000) % 2**32)
            + bytes(65000),
        )
        for n in range(500)
    ]
    return jpeg(main, *parts)


@hostile
def svg_billion_laughs() -> bytes:
    return (_laughs().replace("lolz", "svg") + '<svg width="&l11;" height="&l11;"/>').encode()


@hostile
def svg_attribute_of_8_mib() -> bytes:
    return b"<svg id='" + b"a" * (8 * MIB) + b"' width='48' height='32'/>"


@hostile
def svg_a_million_attributes() -> bytes:
    return b"<svg " + b"".join(b"a%d='' " % n for n in range(1_000_000)) + b"width='48' height='32'/>"


@hostile
def eps_line_of_8_mib() -> bytes:
    return b"%!PS-Adobe-3.0 EPSF-3.0\n%%Title: " + b"(" * (8 * MIB) + b"\n%%BoundingBox: 0 0 48 32\n"


@hostile
def png_small_pieces_of_an_image_that_is_cut_off() -> bytes:
    return png()[:33] + (b"\0\0\0\0IDAT" + bytes(4)) * 60_000


@hostile
def png_pixels_in_small_pieces_cut_off() -> bytes:
    data = random.Random(1).randbytes(600_000)
    pieces = (chunk(b"IDAT", data[at : at + 1024]) for at in range(0, len(data), 1024))
    return png()[:33] + b"".join(pieces)[:-1000]


@hostile
def png_texts_in_no_character_set() -> bytes:
    """Profiles of dates and texts that are all the same long one, of which no character set makes sense."""
    dates = (0x0132, 0x9003, 0x9004, 0x9010, 0x9011, 0x9012, 0x9290, 0x9291, 0x9292)
    tags = sorted((*dates, 0x010E, 0x9286))
    entries = b"".join(_entry(tag, 2, 64_000, 10 + 12 * len(tags)) for tag in tags)
    block = b"II*\0\x08\0\0\0" + struct.pack("<H", len(tags)) + entries + b"\xe9" * 64_000
    text = b"\nexif\n%d\n" % len(block) + block.hex().encode()
    return png(*[chunk(b"zTXt", b"Raw profile type exif\0\0" + zlib.compress(text))] * 8)


@hostile
def tiff_numbers_of_400_digits() -> bytes:
    at = 10 + 12 * 6
    numbers = b"".join(_entry(tag, 2, 401, at) for tag in (256, 257, 0x0112, 0x011A, 0x829A, 0x8827))
    return b"II*\0\x08\0\0\0" + struct.pack("<H", 6) + numbers + b"9" * 400 + b"\0"


# -- structures without end ------------------------------------------------------------------------------


@hostile
def tiff_directories_in_a_circle() -> bytes:
    second = 8 + 2 + 24 + 4
    return _tiff(2, _SIZE, second, struct.pack("<H", 2) + _SIZE + struct.pack("<I", 8))


@hostile
def tiff_100000_directories() -> bytes:
    size = 2 + 24 + 4
    return b"II*\0\x08\0\0\0" + b"".join(
        struct.pack("<H", 2) + _SIZE + struct.pack("<I", 8 + size * (n + 1)) for n in range(100_000)
    )


@hostile
def tiff_65535_entries_of_4_gib() -> bytes:
    return _tiff(65535, _SIZE + b"".join(_entry(258 + n % 60_000, 7, 2**32 - 1, 8) for n in range(65533)))


@hostile
def tiff_2000_entries_of_one_long_text() -> bytes:
    at = 8 + 2 + 12 * 2000 + 4
    entries = _SIZE + b"".join(_entry(258 + n, 2, 65000, at) for n in range(1998))
    return _tiff(2000, entries, 0, b"a" * 65000)


@hostile
def tiff_that_is_its_own_exif() -> bytes:
    own = _entry(0x014A, 4, 1, 8) + _entry(0x8769, 4, 1, 8) + _entry(0x8825, 4, 1, 8)
    return _tiff(5, _SIZE + own, 8)


@hostile
def tiff_10000_sub_directories() -> bytes:
    entries = _SIZE + _entry(0x014A, 4, 10_000, 8 + 2 + 36 + 4)
    return _tiff(3, entries, 0, struct.pack("<I", 8) * 10_000)


@hostile
def bigtiff_of_2_to_60_entries() -> bytes:
    return b"II+\0\x08\0\0\0" + struct.pack("<QQ", 16, 2**60) + bytes(4 * MIB)


@hostile
def jpeg_exif_of_many_entries() -> bytes:
    block = _tiff(5000, b"".join(_entry(0x9000 + n, 2, 60_000, 100) for n in range(5000)))
    return jpeg(segment(0xE1, b"Exif\0\0" + block[:65000]))


@hostile
def jpeg_900_full_exif_segments() -> bytes:
    return jpeg(segment(0xE1, (b"Exif\0\0" + b"II*\0" + b"Exif\0\0" * 10_000).ljust(65533, b"\0")) * 900)


@hostile
def jpeg_500000_segments() -> bytes:
    return jpeg(b"\xff\xe5\0\2" * 500_000)


@hostile
def jpeg_profile_of_255_parts() -> bytes:
    part = b"ICC_PROFILE\0%c\xff" + b"\0" * 65000
    return jpeg(*(segment(0xE2, part.replace(b"%c", bytes([n]))) for n in range(1, 256)))


@hostile
def jpeg_mpf_of_2_to_31_images() -> bytes:
    block = _tiff(2, _entry(0xB001, 4, 1, 2**31) + _entry(0xB002, 7, 2**32 - 16, 8))
    return jpeg(segment(0xE2, b"MPF\0" + block))


@hostile
def jpeg_resources_of_nothing() -> bytes:
    return jpeg(*(segment(0xED, b"Photoshop 3.0\0" + b"8BIM\4\4\0\0\0\0\0\0" * 5400) for _ in range(100)))


@hostile
def gif_4_million_blocks() -> bytes:
    return gif(b",\0\0\0\0\1\0\1\0\0\2" + b"\1\1" * 4_000_000 + b"\0")


@hostile
def gif_a_million_frames() -> bytes:
    return gif(b",\0\0\0\0\1\0\1\0\0\2\1\0\0" * 1_000_000)


@hostile
def gif_a_million_comments() -> bytes:
    return gif(b"!\xfe\x08comments\0" * 1_000_000)


@hostile
def png_2_million_chunks() -> bytes:
    return png(chunk(b"prVt", b"") * 2_000_000)


@hostile
def webp_of_false_ends() -> bytes:
    return _webp(riff((b"ANMF", bytes(70_000)))[12:] * 17 + b"EXIF\0\0\0\0" * 40_000)


@hostile
def webp_a_million_frames() -> bytes:
    return _webp(b"ANIM\6\0\0\0" + bytes(6), b"ANMF\x10\0\0\0" + bytes(16), b"ANMF\0\0\0\0" * 1_000_000)


@hostile
def psd_2_million_resources() -> bytes:
    return _psd(b"8BIM\4\4\0\0\0\0\0\0" * 2_000_000)


@hostile
def psd_resource_of_4_gib() -> bytes:
    return _psd(b"8BIM\4\4\0\0" + struct.pack(">I", 2**32 - 1) + bytes(1000), stated=2**32 - 1)


@hostile
def avif_100000_boxes_deep() -> bytes:
    return _FTYP + _nested(b"meta", 50_000) + _nested(b"moov", 100_000)


@hostile
def avif_iprp_deep() -> bytes:
    return _avif(48, 32, _nested(b"iprp", 50_000), _nested(b"ipco", 50_000))


@hostile
def avif_2_million_boxes() -> bytes:
    return _FTYP + box(b"free") * 2_000_000


@hostile
def avif_box_of_2_to_63() -> bytes:
    return _FTYP + struct.pack(">I4sQ", 1, b"free", 2**63) + _avif(48, 32)[len(_FTYP) :]


@hostile
def avif_meta_of_16_mib() -> bytes:
    return _avif(48, 32, box(b"free", bytes(16 * MIB)))


@hostile
def avif_65535_items() -> bytes:
    return _avif(48, 32, full(b"iinf", struct.pack(">H", 65535) + infe(1, b"Exif") * 65535))


@hostile
def avif_sequence_of_2_to_32_samples() -> bytes:
    tables = box(
        b"stbl",
        full(b"stsd", struct.pack(">I", 2**32 - 1)),
        full(b"stts", struct.pack(">I", 2**32 - 1) + struct.pack(">II", 2**32 - 1, 2**32 - 1) * 100_000),
        full(b"stsz", struct.pack(">II", 1, 2**32 - 1)),
    )
    track = box(b"trak", box(b"mdia", full(b"hdlr", b"\0\0\0\0pict" + bytes(13)), box(b"minf", tables)))
    return _FTYP + box(b"moov", track * 20)


@hostile
def jxl_brotli_of_256_mib() -> bytes:
    bomb = brotli.compress(b"<x:xmpmeta>" + bytes(256 * MIB), quality=5)
    boxes = box(b"brob", b"xml " + bomb) + box(b"brob", b"Exif" + bomb)
    return (
        b"\0\0\0\x0cJXL \r\n\x87\n"
        + box(b"ftyp", b"jxl \0\0\0\0jxl ")
        + boxes * 200
        + box(b"jxlc", b"\xff\x0a\x41")
    )


@hostile
def jxl_a_million_boxes() -> bytes:
    return (
        b"\0\0\0\x0cJXL \r\n\x87\n" + box(b"ftyp", b"jxl \0\0\0\0jxl ") + box(b"jxlp", bytes(4)) * 1_000_000
    )


@hostile
def jp2_boxes_deep() -> bytes:
    return b"\0\0\0\x0cjP  \r\n\x87\n" + box(b"ftyp", b"jp2 \0\0\0\0jp2 ") + _nested(b"jp2h", 100_000)


@hostile
def jpeg2000_a_million_markers() -> bytes:
    return b"\xff\x4f" + b"\xff\x64\0\2" * 1_000_000


@hostile
def exr_a_million_attributes() -> bytes:
    return b"v/1\1\2\0\0\0" + b"a\0int\0\4\0\0\0\0\0\0\0" * 1_000_000


@hostile
def exr_attribute_of_2_gib() -> bytes:
    return b"v/1\1\2\0\0\0" + b"dataWindow\0box2i\0" + struct.pack("<i", 2**31 - 1) + bytes(64)


@hostile
def hdr_header_without_an_end() -> bytes:
    return b"#?RADIANCE\n" + b"EXPOSURE=1\n" * 3_000_000


@hostile
def netpbm_comment_without_an_end() -> bytes:
    return b"P6\n#" + b"c" * (8 * MIB)


@hostile
def ico_of_65535_icons() -> bytes:
    return b"\0\0\1\0\xff\xff" + b"\0\0\0\0\1\0\x20\0\xff\xff\xff\xff\x16\0\0\0" * 65535


@hostile
def icon_holding_itself() -> bytes:
    return b"\0\0\1\0\1\0" + b"\0\0\0\0\1\0\x20\0" + struct.pack("<II", 1000, 0) + bytes(1000)


@hostile
def tiff_pages_of_as_many_entries_as_are_read() -> bytes:
    length = 2 + 12 * 2000 + 4
    entries = _SIZE + b"".join(_entry(1000 + n, 4, 1, n) for n in range(1998))
    page = struct.pack("<H", 2000) + entries
    return b"II*\0\x08\0\0\0" + b"".join(page + struct.pack("<I", 8 + length * (n + 1)) for n in range(300))


@hostile
def dng_of_a_million_sub_directories() -> bytes:
    entries = _entry(0xFE, 4, 1, 1) + _SIZE + _entry(0x14A, 4, 1_000_000, 70) + _entry(0xC612, 1, 4, 1)
    return _tiff(5, entries, rest=struct.pack("<I", 8) * 1_000_000)


@hostile
def raw_directory_that_is_its_own_sub_directory() -> bytes:
    return _tiff(4, _entry(0xFE, 4, 1, 1) + _SIZE + _entry(0x14A, 4, 1, 8), following=8)


@hostile
def crw_of_heaps_in_heaps() -> bytes:
    inner = raws.heap([(0x300A, b"")] * 900)
    for _ in range(20):
        inner = raws.heap([(0x300A, inner), (0x300A, inner[-8000:])])[:4_000_000]
    return b"II\x1a\0\0\0HEAPCCDR" + bytes(12) + inner


@hostile
def cr3_of_a_million_tracks() -> bytes:
    tracks = box(b"trak", box(b"mdia", box(b"minf", box(b"stbl", box(b"stsd", b"CMP1" * 9))))) * 60_000
    return box(b"ftyp", b"crx \0\0\0\1crx ") + box(b"moov", tracks)


@hostile
def raf_directory_of_4_gib() -> bytes:
    head = b"FUJIFILMCCD-RAW ".ljust(84, b"\0") + struct.pack(
        ">6I", 108, 2**32 - 1, 108, 2**32 - 1, 108, 2**32 - 1
    )
    return head + b"\xff" * MIB


@hostile
def x3f_of_many_sections() -> bytes:
    head = (b"FOVb" + struct.pack("<I", 0x20002)).ljust(28, b"\0") + struct.pack("<III", 10, 10, 0)
    section = (
        b"SECi"
        + struct.pack("<6I", 0x20000, 2, 18, 1, 1, 0)
        + b"\xff\xd8"
        + b"\xff\xe1\xff\xff"
        + bytes(65533)
    )
    rows = (struct.pack("<II", 40, len(section)) + b"IMA2") * 100_000
    listed = b"SECd" + struct.pack("<II", 0x20000, 100_000) + rows
    return head + section + listed + struct.pack("<I", len(head + section))


@hostile
def mrw_of_a_million_blocks() -> bytes:
    return b"\0MRM" + struct.pack(">I", 8_000_000) + b"\0PAD\0\0\0\0" * 1_000_000


@hostile
def jpeg_of_a_thousand_pictures() -> bytes:
    rows = struct.pack("<IIIHH", 0, 100, 0, 0, 0) * 1000
    index = _tiff(2, _entry(0xB001, 4, 1, 1000) + _entry(0xB002, 7, len(rows), 38), rest=rows)
    return jpeg(segment(0xE2, b"MPF\0" + index))


@hostile
def garbage_of_8_mib() -> bytes:
    return b"\xff\xd9" * (4 * MIB)


@hostile
def html_with_script() -> bytes:
    return b"<!doctype html><script>alert(1)</script>" * 100_000


def quoted(key: str) -> str:
    """A key as S3 writes it into an event."""
    return quote_plus(key, safe="/")


# -- measuring -------------------------------------------------------------------------------------------


def names() -> list[str]:
    """Every hostile file's name."""
    return list(_FILES)


def make_all(folder: Path) -> None:
    """Write every hostile file into a new folder."""
    folder.mkdir()
    for name, make in _FILES.items():
        (folder / name).write_bytes(make())


def _peak() -> int:
    """The most memory that this process had at once, in bytes."""
    status = Path("/proc/self/status")
    if status.exists():
        line = next(line for line in status.read_text().splitlines() if line.startswith("VmHWM"))
        return int(line.split()[1]) * 1024
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak if sys.platform == "darwin" else peak * 1024


def _extract(path: Path, by_ranges: bool) -> dict[str, Any]:
    from image_metadata import RangeReader, extract

    with path.open("rb") as file:

        def fetch(start: int, end: int) -> bytes:
            file.seek(start)
            return file.read(end - start)

        started, wall = time.process_time(), time.perf_counter()
        metadata = extract(RangeReader(fetch, path.stat().st_size) if by_ranges else path)
        seconds = time.process_time() - started
    record = metadata.to_dict()
    return {
        "status": metadata.status,
        "seconds": round(seconds, 3),
        "wall": round(time.perf_counter() - wall, 3),
        "peak": _peak(),
        "record_bytes": len(json.dumps(record, allow_nan=False)),
        "text": json.dumps(record)[:4000],
        "width": metadata.width,
        "height": metadata.height,
        "said": metadata.error or "; ".join(metadata.warnings)[:120],
    }


def _address_space() -> int:
    """Bytes of address space this process has already, as a test process that ran much before has many."""
    try:
        return int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
    except OSError:
        return 0


def _forked(path: Path, by_ranges: bool) -> dict[str, Any]:
    """Extract in a fork; what kills it is its result."""
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        os.close(reading)
        try:
            limit = _address_space() + ADDRESS_SPACE
            resource.setrlimit(resource.RLIMIT_AS, (limit, limit))
            resource.setrlimit(resource.RLIMIT_CPU, (PATIENCE, PATIENCE))
            answer = _extract(path, by_ranges)
        except BaseException as error:  # noqa: BLE001 - whatever it is, it is the result
            answer = {"status": f"raised {type(error).__name__}", "said": traceback.format_exc()[-600:]}
        os.write(writing, json.dumps(answer).encode())
        os._exit(0)
    os.close(writing)
    with os.fdopen(reading, "rb") as pipe:
        answer = pipe.read()
    _, status = os.waitpid(child, 0)
    if not answer:
        return {"status": f"killed by signal {os.waitstatus_to_exitcode(status)}", "said": ""}
    result: dict[str, Any] = json.loads(answer)
    return result


def measure(folder: Path) -> dict[str, list[dict[str, Any]]]:
    """Name -> what reading the file of that name in `folder` cost: by ranges, then as a file."""
    import image_metadata  # noqa: F401 - loaded once, before the forks

    return {path.name: [_forked(path, True), _forked(path, False)] for path in sorted(folder.iterdir())}


def table(results: dict[str, list[dict[str, Any]]], folder: Path) -> str:
    """The results for people to read."""
    lines = [
        f"{'file':38} {'bytes':>9}  {'status':12} {'seconds':>7} {'MB':>4}  as file: status, seconds, MB"
    ]
    for name, (ranged, whole) in results.items():
        size = (folder / name).stat().st_size
        cells = [
            f"{one['status']:12} {one.get('seconds', 99):7.3f} {one.get('peak', 0) / 1e6:4.0f}"
            for one in (ranged, whole)
        ]
        lines.append(f"{name:38} {size:9}  {cells[0]}  {cells[1]}  {ranged['said'].strip()[-60:]}")
    return "\n".join(lines)


def measure_apart(folder: Path) -> dict[str, list[dict[str, Any]]]:
    """`measure` in a process that never held the files."""
    done = subprocess.run(
        [sys.executable, "-m", "tests.fuzz.hostile", str(folder)],
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(ROOT / "lambdas/shared")},
        capture_output=True,
        check=True,
    )
    results: dict[str, list[dict[str, Any]]] = json.loads(done.stdout)
    return results


def main() -> None:
    """Measure the files of a folder as JSON, or (without a folder) make them all and print the table."""
    if len(sys.argv) > 1:
        json.dump(measure(Path(sys.argv[1])), sys.stdout)
        return
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary) / "hostile"
        make_all(folder)
        print(table(measure_apart(folder), folder))


if __name__ == "__main__":
    main()
