"""PSD and SVG."""

from __future__ import annotations

import gzip
import struct
import time

import pytest

from image_metadata.errors import CorruptImage
from image_metadata.model import Found
from tests.support.builders import damaged_twins, metadata_of, resource
from tests.support.damage import CountingReader, endure, read, reader_of, recognised, survives

# --- PSD ------------------------------------------------------------------------------------------------


def psd(
    *resources: bytes,
    channels: int = 3,
    depth: int = 8,
    mode: int = 3,
    version: int = 1,
    size: tuple[int, int] = (40, 30),
) -> bytes:
    block = b"".join(resources)
    head = b"8BPS" + struct.pack(">H6xHIIHH", version, channels, size[1], size[0], depth, mode)
    return (
        head
        + struct.pack(">I", 768 if mode == 2 else 0)
        + bytes(768 if mode == 2 else 0)
        + struct.pack(">I", len(block))
        + block
        + bytes(20)
    )


@pytest.mark.parametrize("version", [1, 2])
@pytest.mark.parametrize(
    ("mode", "channels", "depth", "expected", "alpha"),
    [
        (0, 1, 1, "1", False),
        (1, 1, 8, "L", False),
        (1, 2, 8, "LA", True),
        (1, 1, 16, "I;16", False),
        (1, 1, 32, "F", False),
        (2, 1, 8, "P", False),
        (3, 3, 16, "RGB", False),
        (3, 4, 8, "RGBA", True),
        (4, 4, 8, "CMYK", False),
        (4, 5, 8, "CMYK", True),
        (8, 1, 8, "L", False),
        (9, 3, 8, "LAB", False),
        (7, 2, 8, None, None),
    ],
)
def test_psd_modes(version: int, mode: int, channels: int, depth: int, expected: str, alpha: bool) -> None:
    found = read("psd", psd(mode=mode, channels=channels, depth=depth, version=version))
    assert (found.format, found.content_type) == ("PSD", "image/vnd.adobe.photoshop")
    assert (found.width, found.height, found.bit_depth) == (40, 30, depth)
    assert (found.color_mode, found.has_alpha) == (expected, alpha)


def test_psd_resources() -> None:
    resolution = struct.pack(">IHHIHH", 300 << 16, 1, 1, 150 << 16, 1, 1)
    found = read(
        "psd",
        psd(
            resource(0x0409, bytes(200_000), b"thumbnail"),
            resource(0x03ED, resolution),
            resource(0x0404, b"\x1c\2\x05\0\1A"),
            resource(0x0422, b"MM\0*rest!", b"odd"),
            resource(0x0424, b"<x:xmpmeta/>"),
            resource(0x040F, b"PROFILE"),
            mode=2,
        ),
    )
    assert found.dpi == (300.0, 150.0)
    assert (found.iptc, found.exif, found.xmp, found.icc) == (
        b"\x1c\2\x05\0\1A",
        [b"MM\0*rest!"],
        b"<x:xmpmeta/>",
        b"PROFILE",
    )
    assert found.warnings == []


def test_psd_thumbnails_are_stepped_over() -> None:
    source = CountingReader(psd(resource(0x040C, bytes(3_000_000)), resource(0x0422, b"MM\0*")))
    found = Found()
    reader_of("psd").read(source, found)
    assert found.exif == [b"MM\0*"]
    assert source.asked < 100_000


@pytest.mark.parametrize("size", [(0, 30), (40, 0)])
def test_psd_without_a_size(size: tuple[int, int]) -> None:
    with pytest.raises(CorruptImage):
        read("psd", psd(size=size))
    with pytest.raises(CorruptImage):
        read("psd", psd()[:20])


def test_psd_oversized_and_cut_resources() -> None:
    data = psd(resource(0x0424, bytes(2_000_000)), resource(0x0422, b"MM\0*"))
    found = read("psd", data)
    assert (found.xmp, found.exif) == (None, [b"MM\0*"])
    assert found.warnings
    found = read("psd", psd(resource(0x0422, bytes(50)))[:60])
    assert found.width == 40
    assert found.warnings


def test_psd_zero_resolution_is_absent() -> None:
    assert read("psd", psd(resource(0x03ED, struct.pack(">IHHIHH", 1, 1, 1, 1, 1, 1)))).dpi is None


def test_psd_of_another_version_is_not_ours() -> None:
    assert not recognised("psd", psd(version=3))


def test_psd_damage() -> None:
    endure(
        "psd",
        psd(resource(0x03ED, bytes(16)), resource(0x0422, b"MM\0*abc"), resource(0x0424, b"<x/>", b"n")),
    )
    survives("psd", psd(resource(1, b"") * 30_000))


# --- SVG ------------------------------------------------------------------------------------------------

NS = 'xmlns="http://www.w3.org/2000/svg"'


def svg(attributes: str, prolog: str = "", encoding: str = "utf-8") -> bytes:
    return f"{prolog}<svg {NS} {attributes}><rect width='1'/></svg>".encode(encoding)


@pytest.mark.parametrize(
    ("attributes", "size"),
    [
        ('width="40" height="30"', (40, 30)),
        ("width='40px' height='30PX'", (40, 30)),
        ('width=" 40.4 " height="30.5px"', (40, 30)),
        ('width="1in" height="2.54cm"', (96, 96)),
        ('width="25.4mm" height="101.6Q"', (96, 96)),
        ('width="72pt" height="6pc"', (96, 96)),
        ('width="4e1" height="+30"', (40, 30)),
        ('viewBox="0 0 24 12"', (24, 12)),
        ('viewBox="-5,-5, 24.0,12"', (24, 12)),
        ('width="100%" height="100%" viewBox="0 0 24 12"', (24, 12)),
        ('width="48" viewBox="0 0 24 12"', (48, 24)),
        ('height="48" viewBox="0 0 24 12"', (96, 48)),
        ('width="10em" height="20" viewBox="0 0 1 2"', (160, 20)),
        ('width="0.2" height="0.2"', (1, 1)),
        ('data-x="a > b" width="40" height="30"', (40, 30)),
    ],
)
def test_svg_sizes(attributes: str, size: tuple[int, int]) -> None:
    found = read("svg", svg(attributes))
    assert (found.format, found.content_type) == ("SVG", "image/svg+xml")
    assert (found.width, found.height) == size


@pytest.mark.parametrize(
    "prolog",
    [
        '<?xml version="1.0" encoding="UTF-8" standalone="no"?>\n',
        "\n  \t",
        "<!-- Generator: a program > 1.0 <svg width='1' height='1'> -->",
        '<!DOCTYPE svg PUBLIC "-//W3C//DTD SVG 1.1//EN" "http://www.w3.org/Graphics/SVG/1.1/DTD/svg11.dtd">\n',
        '<!DOCTYPE svg [ <!ENTITY ns_svg "http://>"> <!-- ]> it\'s --> <!ATTLIST svg a CDATA #IMPLIED> ]>',
        "<?xml version='1.0'?><?xml-stylesheet href='a>b'?>" + "<!--" + "x" * 100_000 + "-->",
    ],
)
def test_svg_prologs(prolog: str) -> None:
    found = read("svg", svg('width="40" height="30"', prolog))
    assert (found.width, found.height) == (40, 30)


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "latin-1"])
def test_svg_encodings(encoding: str) -> None:
    found = read("svg", svg('width="40" height="30"', '<?xml version="1.0"?><!-- \u00e9 -->', encoding))
    assert (found.width, found.height) == (40, 30)


def test_svg_with_a_prefix() -> None:
    data = b'<s:svg xmlns:s="http://www.w3.org/2000/svg" width="40" height="30"/>'
    assert read("svg", data).width == 40


def test_gzipped_svg() -> None:
    found = read("svg", gzip.compress(svg('width="40" height="30"') + b" " * 10_000))
    assert (found.width, found.height, found.content_type) == (40, 30, "image/svg+xml")


def test_gzip_bomb_is_inflated_no_further_than_needed() -> None:
    started = time.process_time()
    bomb = gzip.compress(b"<!--" + b" " * 50_000_000)
    assert not recognised("svg", bomb)
    found = read("svg", gzip.compress(svg('width="4" height="3"') + b" " * 50_000_000))
    assert found.width == 4
    assert time.process_time() - started < 3


def test_entities_are_not_expanded() -> None:
    laughs = "".join(f'<!ENTITY l{n} "{f"&l{n - 1};" * 10}">' for n in range(1, 10))
    prolog = f'<!DOCTYPE svg [<!ENTITY l0 "lol"><!ENTITY w SYSTEM "file:///etc/passwd">{laughs}]>'
    found = read("svg", svg('a="&l9;" width="40" height="30"', prolog))
    assert (found.width, found.height) == (40, 30)
    assert read("svg", svg('width="&w;" height="30"', prolog)).sizeless


@pytest.mark.parametrize(
    "attributes",
    ["", 'width="100%" height="100%"', 'width="40"', 'width="-4" height="30"', 'width="0" height="0"',
     'width="auto" height="3"', 'width="50vw" height="50vh"', 'style="width:100%;height:auto"',
     'viewBox="0 0 0 12"', 'style="' + ";" * 1000 + '"', 'style="width:4px"',
     'viewBox="1 2 3"', 'width="1e999" height="1"', 'width="nan" height="inf"', "width=40 height=30",
     'width="1e-300" viewBox="0 0 1e-300 1e300"'],
)  # fmt: skip
def test_svg_without_a_size_is_as_large_as_what_shows_it(attributes: str) -> None:
    metadata = metadata_of(svg(attributes))
    assert (metadata.status, metadata.content_type, metadata.error) == ("ok", "image/svg+xml", None)
    assert (metadata.width, metadata.height, metadata.display_width) == (None, None, None)
    assert (metadata.frames, metadata.has_gps) == (1, False)


@pytest.mark.parametrize(
    ("attributes", "size"),
    [
        ('width="10em" height="5em"', (160, 80)),
        ('width="10ex" height="5rem"', (80, 80)),
        ('width="10ch" height="5ic"', (80, 80)),
        ('width="1in" height="2.54CM"', (96, 96)),
        ('style="width: 40px; height: 30px"', (40, 30)),
        ('style="fill:red;WIDTH:10EM ; height:1in !important" width="4" height="3"', (160, 96)),
        ('style="width:100%;height:100%" width="40" height="30"', (40, 30)),
        ('width="100%" height="100%" viewBox="0 0 40 30"', (40, 30)),
        ('width="50%" height="3em" viewBox="0 0 40 30"', (64, 48)),
        ('style="width:20em" viewBox="0,0,40,30"', (320, 240)),
        ('width="10vw" height="10vh" viewBox="-5 -5 40 30"', (40, 30)),
    ],
)
def test_svg_sizes_in_every_unit(attributes: str, size: tuple[int, int]) -> None:
    metadata = metadata_of(svg(attributes))
    assert (metadata.status, metadata.width, metadata.height) == ("ok", *size)
    assert (metadata.display_width, metadata.display_height) == size


def test_svg_whose_start_tag_is_cut_off_is_corrupt() -> None:
    whole = svg('style="width:10em" data-a="x>y" id="b"').partition(b">y")[2]
    tag = svg('style="width:10em" data-a="x>y" id="b"')[: -len(whole)]
    assert metadata_of(tag).status == "corrupt"
    metadata = metadata_of(b"<svg xmlns='http://www.w3.org/2000/svg' ")
    assert (metadata.status, metadata.format, metadata.width) == ("corrupt", "SVG", None)
    assert metadata.error == "the root element is cut off before it states a size"
    for attributes in ("", 'width="10em" height="5em"', 'style="width:1em;height:2em" viewBox="0 0 4 3"'):
        for twin in damaged_twins(svg(attributes)):
            told = metadata_of(twin)
            assert told.status in ("ok", "corrupt", "unsupported", "too_large")


@pytest.mark.parametrize(
    "data",
    [b"<html><svg width='1' height='1'/></html>", b"<svgs width='1'/>",
     b"<?xml version='1.0'?><x:xmpmeta/>", b"text <svg/>",
     b"<", b"<!-- <svg>", b"", gzip.compress(b"text", mtime=0), b"\x1f\x8b\x08 not a stream",
     b"<!DOCTYPE svg [", b"<?xml"],
)  # fmt: skip
def test_not_svg(data: bytes) -> None:
    assert not recognised("svg", data)


@pytest.mark.parametrize("unit", ["<!-", "<?", "[", "'", "<!DOCTYPE [", "<!--->", "<!>", "<svg ", "a='"])
def test_svg_hostile_prologs_take_little_time(unit: str) -> None:
    started = time.process_time()
    for data in ("<" + unit * 100_000, "<!DOCTYPE " + unit * 100_000, "<svg " + unit * 100_000):
        survives("svg", data.encode())
    assert time.process_time() - started < 3


def test_svg_damage() -> None:
    endure(
        "svg",
        svg('width="40" height="30"', '<?xml version="1.0"?><!DOCTYPE svg [<!ENTITY a "b">]><!-- c -->'),
    )
    endure("svg", gzip.compress(svg('width="40" height="30"'), mtime=0))


# --- EPS ------------------------------------------------------------------------------------------------


def eps(
    *comments: str, first: str = "%!PS-Adobe-3.0 EPSF-3.0", newline: str = "\n", body: str = "showpage"
) -> bytes:
    return newline.join([first, *comments, "%%EndComments", body, "%%EOF", ""]).encode()


@pytest.mark.parametrize("newline", ["\n", "\r", "\r\n"])
@pytest.mark.parametrize(
    ("comments", "size"),
    [
        (["%%BoundingBox: 0 0 40 30"], (40, 30)),
        (["%%BoundingBox: -10 10 30 40  "], (40, 30)),
        (["%%HiResBoundingBox: 0 0 39.2 29.5", "%%BoundingBox: 0 0 39.2 29.5"], (40, 30)),
        (["%%BoundingBox: 0 0 4 3", '%ImageData: 40 30 8 3 0 1 2 "beginimage"'], (40, 30)),
        (["%%BoundingBox: 0 0 0 0", "%%BoundingBox: 0 0 40 30"], (40, 30)),
    ],
)
def test_eps(comments: list[str], size: tuple[int, int], newline: str) -> None:
    found = read("eps", eps(*comments, newline=newline))
    assert (found.format, found.content_type) == ("EPS", "application/postscript")
    assert (found.width, found.height) == size


def test_eps_box_at_the_end_and_texts() -> None:
    inner = "%%BoundingBox: 0 0 1 1\n" + "x" * 90_000 + "\n%%Trailer\n%%BoundingBox: 0 0 40 30"
    found = read("eps", eps("%%Title: (A title)", "%%Creator: hand", "%%BoundingBox: (atend)", body=inner))
    assert (found.width, found.height) == (40, 30)
    assert found.text == {"Title": "A title", "Software": "hand"}


@pytest.mark.parametrize(
    ("written", "title"),
    [("(A title)", "A title"), ("Cover (1).eps", "Cover (1).eps"), ("Cover (1)", "Cover (1)"), ("(A (b))", "A (b)"),
     ("x" * 600, "x" * 600)],
)  # fmt: skip
def test_eps_title_with_parentheses(written: str, title: str) -> None:
    assert read("eps", eps(f"%%Title:   {written}  ", "%%BoundingBox: 0 0 40 30")).text == {"Title": title}


def test_dos_eps_is_no_tiff() -> None:
    inner = eps(
        "%%BoundingBox: 0 0 40 30",
        '%ImageData: 7 5 1 1 0 1 2 "x"',
        body="<?xpacket begin='' id=''?><x/><?xpacket end='w'?>",
    )
    data = (
        b"\xc5\xd0\xd3\xc6"
        + struct.pack("<6I2x", 30, len(inner), 0, 0, 30 + len(inner), 8)
        + inner
        + b"II*\0\x08\0\0\0"
    )
    found = read("eps", data)
    assert (found.width, found.height, found.color_mode, found.bit_depth) == (7, 5, "1", 1)
    assert found.xmp == b"<?xpacket begin='' id=''?><x/>"


def test_eps_without_a_size_and_look_alikes() -> None:
    with pytest.raises(CorruptImage):
        read("eps", eps("%%BoundingBox: 0 0 0 0"))
    with pytest.raises(CorruptImage):
        read("eps", eps("%%BoundingBox: (atend)"))
    for box in ("1234", "1 2 3", "0 0 a b", "0 0 1e9 3", "0 0 99999999999 1", "9 9 1 1"):
        with pytest.raises(CorruptImage):
            read("eps", eps(f"%%BoundingBox: {box}"))
    assert not recognised("eps", eps("%%Pages: 3", first="%!PS-Adobe-2.0"))
    assert not recognised("eps", eps("%%BoundingBox: 0 0 9 9", first="%!PS-Adobe-2.0"))
    assert not recognised("eps", b"%PDF-1.4\n%%BoundingBox: 0 0 9 9\n")


def test_eps_damage() -> None:
    endure("eps", eps("%%Title: t", "%%BoundingBox: 0 0 40 30", '%ImageData: 7 5 1 1 0 1 2 "x"'))
    started = time.process_time()
    survives("eps", eps("%%BoundingBox: (atend)", body="\n%%BoundingBox: 0 0 0 " * 100_000))
    survives("eps", eps("%%Title: " + "(" * 40_000, "%%BoundingBox:" + " 1" * 40_000))
    assert time.process_time() - started < 3
