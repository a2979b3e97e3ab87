"""BMP, ICO, PCX, TGA, QOI, Netpbm, Radiance HDR and OpenEXR."""

from __future__ import annotations

import io
import struct

import pytest
from PIL import Image

from image_metadata.errors import CorruptImage
from image_metadata.model import Found
from tests.support.damage import CountingReader, endure, flips, read, reader_of, recognised, survives


def gradient(mode: str, fmt: str, size: tuple[int, int] = (21, 13), **options: object) -> bytes:
    out = io.BytesIO()
    Image.linear_gradient("L").resize(size).convert("RGB").convert(mode).save(out, fmt, **options)
    return out.getvalue()


# --- BMP ------------------------------------------------------------------------------------------------


def bmp(
    size: int, width: int, height: int, bits: int, *, compression: int = 0, ppm: tuple[int, int] = (0, 0),
    colors: int = 0, rest: bytes = b"", bare: bool = False,
) -> bytes:  # fmt: skip
    """A bitmap header of any version, `rest` following the first 40 bytes (12 for the core header)."""
    if size == 12:
        header = struct.pack("<IHHHH", size, width, height, 1, bits)
    else:
        header = struct.pack("<IiiHHIIIIII", size, width, height, 1, bits, compression, 0, *ppm, colors, 0)[
            :size
        ]
    return (b"" if bare else b"BM" + bytes(12)) + header + rest


def masks(*values: int) -> bytes:
    return struct.pack(f"<{len(values)}I", *values)


@pytest.mark.parametrize("mode", ["1", "L", "P", "RGB", "RGBA"])
def test_bmp_as_pillow_writes_it(mode: str) -> None:
    data = gradient(mode, "BMP", dpi=(144, 72))
    found = read("bmp", data)
    image = Image.open(io.BytesIO(data))
    assert (found.format, found.content_type) == ("BMP", "image/bmp")
    assert (found.width, found.height) == (21, 13)
    assert found.color_mode == image.mode
    assert found.bit_depth == (1 if mode == "1" else 8)
    assert found.dpi == pytest.approx((144, 72), abs=0.05)


@pytest.mark.parametrize("size", [12, 16, 40, 52, 56, 64, 108, 124])
@pytest.mark.parametrize("height", [30, -30])
def test_bmp_header_versions(size: int, height: int) -> None:
    if size == 12 and height < 0:
        return
    found = read("bmp", bmp(size, 40, height, 24, rest=bytes(200)))
    assert (found.width, found.height, found.color_mode, found.bit_depth) == (40, 30, "RGB", 8)
    assert (found.dpi, found.has_alpha) == (None, False)


@pytest.mark.parametrize(
    ("size", "bits", "compression", "rest", "mode", "depth"),
    [
        (40, 16, 0, b"", "RGB", 5),
        (40, 16, 3, masks(0xF800, 0x7E0, 0x1F), "RGB", 6),
        (40, 16, 6, masks(0xF00, 0xF0, 0xF, 0xF000), "RGBA", 4),
        (56, 32, 3, masks(0xFF0000, 0xFF00, 0xFF, 0xFF000000), "RGBA", 8),
        (56, 32, 3, masks(0xFF0000, 0xFF00, 0xFF, 0), "RGB", 8),
        (108, 32, 0, masks(0xFF0000, 0xFF00, 0xFF, 0xFF000000), "RGB", 8),
        (40, 32, 3, masks(0x3FF00000, 0xFFC00, 0x3FF), "RGB", 10),
        (40, 0, 4, b"", None, 8),
    ],
)
def test_bmp_masks(size: int, bits: int, compression: int, rest: bytes, mode: str | None, depth: int) -> None:
    found = read("bmp", bmp(size, 4, 4, bits, compression=compression, rest=rest + bytes(100)))
    assert (found.color_mode, found.bit_depth) == (mode, depth)
    assert found.has_alpha == (None if bits == 0 else mode == "RGBA")


@pytest.mark.parametrize(("bits", "colors"), [(1, 2), (2, 4), (4, 16), (8, 256), (8, 3)])
def test_bmp_palettes(bits: int, colors: int) -> None:
    palette = b"".join(bytes((i, i + 1 & 255, i, 0)) for i in range(colors))
    found = read("bmp", bmp(40, 4, 4, bits, colors=colors, rest=palette))
    assert (found.color_mode, found.bit_depth, found.has_alpha) == ("P", bits, False)
    ramp = (0, 255) if colors == 2 else range(colors)
    grey = b"".join(bytes((i, i, i, 0)) for i in ramp)
    assert read("bmp", bmp(40, 4, 4, bits, colors=colors, rest=grey)).color_mode == (
        "1" if colors == 2 else "L"
    )


def test_bmp_profile() -> None:
    def v5(kind: int, offset: int, length: int) -> bytes:
        header = (
            masks(0, 0, 0, 0) + struct.pack("<I", kind) + bytes(48) + struct.pack("<III", 0, offset, length)
        )
        return bmp(124, 4, 4, 24, rest=header + bytes(4) + b"PROFILE")

    assert read("bmp", v5(0x4D424544, 124, 7)).icc == b"PROFILE"
    assert read("bmp", v5(0x4C494E4B, 124, 7)).icc is None
    for offset, length in ((124, 8), (1 << 31, 7), (124, 0xFFFFFFFF), (124, 0)):
        found = read("bmp", v5(0x4D424544, offset, length))
        assert found.icc is None
        assert found.warnings


def test_bmp_density() -> None:
    assert read("bmp", bmp(40, 4, 4, 24, ppm=(2835, 11811))).dpi == (72.009, 299.9994)
    for density in ((0, 2835), (0x80000001, 2835), (0xFFFFFFFF, 0xFFFFFFFF)):
        rest = struct.pack("<IIII", *density, 0, 0)
        data = bmp(40, 4, 4, 24)
        assert read("bmp", data[:38] + rest).dpi is None


def test_dib_without_file_header() -> None:
    found = read("bmp", bmp(40, 40, 30, 24, bare=True, rest=bytes(40)))
    assert (found.format, found.content_type, found.width, found.height) == ("DIB", "image/bmp", 40, 30)


@pytest.mark.parametrize(
    "data",
    [b"BMW is a car, and this a text", b"BM" + bytes(40), b"BM" + b"\xff" * 40, b"(\0\0\0 and so on" * 9],
)
def test_bmp_look_alikes(data: bytes) -> None:
    assert not recognised("bmp", data)


@pytest.mark.parametrize(
    "data", [bmp(40, 0, 30, 24), bmp(40, 40, 0, 24), bmp(40, 40, 30, 24)[:20], b"BM" + bytes(11)]
)
def test_bmp_without_a_size(data: bytes) -> None:
    with pytest.raises(CorruptImage):
        read("bmp", data)


def test_bmp_with_absurd_depth_keeps_its_size() -> None:
    found = read("bmp", bmp(40, 40, 30, 30000))
    assert (found.width, found.height, found.bit_depth) == (40, 30, None)
    assert found.warnings


# --- ICO ------------------------------------------------------------------------------------------------


def ico(*pictures: tuple[int, int, int, bytes], kind: int = 1) -> bytes:
    """An icon of (width, height, bits, data) pictures."""
    offset = 6 + 16 * len(pictures)
    directory, data = b"", b""
    for width, height, bits, picture in pictures:
        directory += struct.pack(
            "<BBBBHHII", width & 255, height & 255, 0, 0, 1, bits, len(picture), offset + len(data)
        )
        data += picture
    return struct.pack("<HHH", 0, kind, len(pictures)) + directory + data


def dib(width: int, height: int, bits: int) -> bytes:
    return bmp(40, width, 2 * height, bits, bare=True)


def test_ico_as_pillow_writes_it() -> None:
    data = gradient("RGBA", "ICO", (64, 64), sizes=[(16, 16), (64, 64), (32, 32)])
    found = read("ico", data)
    assert (found.format, found.content_type) == ("ICO", "image/vnd.microsoft.icon")
    assert (found.width, found.height, found.color_mode, found.has_alpha) == (64, 64, "RGBA", True)
    assert (found.bit_depth, found.frames, found.animated) == (8, 1, False)


def test_ico_describes_its_largest_and_deepest_picture() -> None:
    found = read(
        "ico", ico((16, 16, 32, dib(16, 16, 32)), (48, 48, 4, dib(48, 48, 4)), (48, 48, 8, dib(48, 48, 8)))
    )
    assert (found.width, found.height, found.bit_depth, found.color_mode) == (48, 48, 8, "RGBA")


def test_ico_with_a_png_larger_than_the_directory_can_say() -> None:
    found = read("ico", ico((16, 16, 32, dib(16, 16, 32)), (0, 0, 32, gradient("RGB", "PNG", (512, 300)))))
    assert (found.width, found.height, found.color_mode, found.has_alpha) == (512, 300, "RGB", False)


@pytest.mark.parametrize("mode", ["1", "L", "P", "RGB", "LA", "RGBA", "I;16"])
@pytest.mark.parametrize("transparent", [False, True])
def test_the_png_of_an_ico_has_the_colours_of_any_png(mode: str, transparent: bool) -> None:
    key: object = (1, 2, 3) if mode == "RGB" else 0
    options = {"transparency": key} if transparent and mode not in ("LA", "RGBA") else {}
    picture = gradient(mode, "PNG", (48, 30), **options)
    image = Image.open(io.BytesIO(picture))
    found = read("ico", ico((16, 16, 32, dib(16, 16, 32)), (48, 30, 32, picture)))
    assert (found.color_mode, found.has_alpha) == (image.mode, image.has_transparency_data)
    assert found.bit_depth == {"1": 1, "I;16": 16}.get(mode, 8)
    assert (found.dpi, found.warnings) == (None, [])


def test_the_png_of_an_ico_is_read_up_to_its_pixels() -> None:
    picture = gradient("P", "PNG", (48, 30), transparency=0)
    start = picture.index(b"tRNS") - 4
    late = picture[:start] + picture[start + 13 :]
    at = late.index(b"IEND") - 4
    found = read("ico", ico((48, 30, 32, late[:at] + picture[start : start + 13] + late[at:])))
    assert (found.has_alpha, found.warnings) == (False, [])
    found = read("ico", ico((48, 30, 32, picture[: start + 4])))
    assert (found.width, found.has_alpha, found.warnings) == (48, False, ["PNG: the file is cut off"])


def test_cursor() -> None:
    found = read("ico", ico((32, 32, 7, dib(32, 32, 1)), kind=2))
    assert (found.format, found.content_type) == ("CUR", "image/x-win-bitmap")
    assert (found.width, found.height, found.bit_depth) == (32, 32, 1)


@pytest.mark.parametrize("length", [0, 12])
@pytest.mark.parametrize("second", [False, True])
def test_the_damaged_png_of_an_ico_has_what_its_header_states(length: int, second: bool) -> None:
    picture = gradient("RGBA", "PNG", (48, 30))
    if second:  # a further header, cut short
        picture = (
            picture[:33]
            + length.to_bytes(4, "big")
            + b"IHDR"
            + picture[16 : 16 + length]
            + bytes(4)
            + picture[33:]
        )
    else:
        picture = picture[:8] + length.to_bytes(4, "big") + picture[12:]
    found = read("ico", ico((48, 30, 32, picture)))
    assert (found.width, found.height, found.color_mode, found.has_alpha) == (48, 30, "RGBA", True)
    assert found.warnings == ["PNG: the image header is cut off"]


def test_ico_whose_png_ends_within_its_header() -> None:
    found = read("ico", ico((48, 30, 32, gradient("RGBA", "PNG", (48, 30))[:26])))
    assert (found.width, found.color_mode, found.warnings) == (
        48,
        "RGBA",
        ["PNG: the image header is cut off"],
    )


def test_ico_whose_pictures_have_no_headers_is_none() -> None:
    assert not recognised("ico", ico((24, 20, 32, b"nothing of the kind")))
    assert not recognised("ico", ico((24, 20, 32, b"")))


def test_ico_that_is_cut_anywhere_is_its_picture_or_none() -> None:
    data = ico((24, 20, 32, dib(24, 20, 32)), (24, 20, 8, gradient("RGBA", "PNG", (24, 20))))
    for length in range(len(data)):
        if recognised("ico", data[:length]):
            found = read("ico", data[:length])
            assert (found.width, found.height) == (24, 20), length


@pytest.mark.parametrize(("planes", "bits"), [(256, 500), (0, 0), (1, 32), (65535, 65535)])
@pytest.mark.parametrize("kind", [1, 2])
def test_ico_whose_directory_is_wrong_but_whose_picture_is_right(planes: int, bits: int, kind: int) -> None:
    data = bytearray(ico((48, 30, 32, gradient("RGBA", "PNG", (48, 30))), kind=kind))
    struct.pack_into("<HH", data, 10, planes, bits)
    found = read("ico", bytes(data))
    assert (found.width, found.height, found.color_mode) == (48, 30, "RGBA")


@pytest.mark.parametrize(
    "header",
    [
        struct.pack("<IiiHH", 40, 0, 64, 1, 32),
        struct.pack("<IiiHH", 40, 32, 0, 1, 32),
        struct.pack("<IiiHH", 40, 32, 64, 1, 77),
        struct.pack("<IiiHH", 41, 32, 64, 1, 32),
        struct.pack("<IiiHH", 40, 70000, 64, 1, 32),
        b"\x89PNG\r\n\x1a\n\0\0\0\rIDAT" + bytes(20),
        b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR" + bytes(20),
    ],
)
def test_ico_whose_picture_contradicts_itself_is_none(header: bytes) -> None:
    assert not recognised("ico", ico((32, 32, 32, header.ljust(60, b"\0"))))


def test_a_spreadsheet_that_begins_as_a_cursor_is_none() -> None:
    lotus = b"\0\0\2\0\6\4\6\0\x08\0\0\0\0\0\x96\0\1\0\0\0" + bytes(range(256)) * 40
    assert not recognised("ico", lotus)


def test_tga_with_an_icon_s_signature_is_no_icon() -> None:
    head = bytes.fromhex("0000010000d4002000000000300030000800") + bytes(4000)
    assert not recognised("ico", head)


def test_ico_with_65535_entries_reads_few() -> None:
    picture = dib(16, 16, 32)
    rows = struct.pack("<BBBBHHII", 16, 16, 0, 0, 1, 32, len(picture), 6 + 16 * 65535) * 65535
    source = CountingReader(b"\0\0\1\0\xff\xff" + rows + picture)
    assert recognised("ico", source.data)
    reader_of("ico").read(source, Found())
    assert source.asked < 8192


# --- TGA ------------------------------------------------------------------------------------------------


def tga(
    kind: int,
    depth: int,
    *,
    alpha: int = 0,
    mapped: int = 0,
    map_start: int = 0,
    map_length: int = 0,
    map_depth: int = 0,
) -> bytes:
    header = struct.pack(
        "<BBBHHBHHHHBB", 0, mapped, kind, map_start, map_length, map_depth, 0, 0, 40, 30, depth, alpha | 0x20
    )
    return header + bytes(map_length * ((map_depth + 7) // 8)) + bytes(40 * 30 * ((depth + 7) // 8))


def extended(data: bytes, attributes: int) -> bytes:
    area = struct.pack("<H", 495) + bytes(492) + bytes((attributes,))
    return data + area + struct.pack("<II", len(data), 0) + b"TRUEVISION-XFILE.\0"


@pytest.mark.parametrize("compression", [None, "tga_rle"])
@pytest.mark.parametrize("mode", ["1", "L", "LA", "P", "RGB", "RGBA"])
def test_tga_as_pillow_writes_it(mode: str, compression: str | None) -> None:
    if mode == "1" and compression:
        return  # Pillow writes none
    data = gradient(mode, "TGA", compression=compression)
    found = read("tga", data)
    assert (found.format, found.content_type, found.width, found.height) == ("TGA", "image/x-tga", 21, 13)
    assert found.color_mode == Image.open(io.BytesIO(data)).mode
    assert found.bit_depth == (1 if mode == "1" else 8)


@pytest.mark.parametrize(
    ("data", "mode", "depth", "alpha"),
    [
        (tga(2, 16), "RGB", 5, False),
        (tga(2, 16, alpha=1), "RGBA", 5, True),
        (tga(10, 32, alpha=8), "RGBA", 8, True),
        (extended(tga(2, 32, alpha=8), 3), "RGBA", 8, True),
        (extended(tga(2, 32, alpha=8), 0), "RGB", 8, False),
        (extended(tga(2, 32), 99), "RGBA", 8, True),
        (tga(1, 8, mapped=1, map_length=256, map_depth=24), "P", 8, False),
        (tga(9, 8, mapped=1, map_length=256, map_depth=32), "P", 8, True),
        (tga(1, 8, mapped=1, map_start=200, map_length=56, map_depth=24), "P", 8, False),
        (tga(1, 16, mapped=1, map_start=342, map_length=72, map_depth=24), "P", 8, False),
    ],
)
def test_tga_alpha(data: bytes, mode: str, depth: int, alpha: bool) -> None:
    found = read("tga", data)
    assert (found.color_mode, found.bit_depth, found.has_alpha) == (mode, depth, alpha)


def test_tga_is_not_claimed_lightly() -> None:
    good = tga(2, 24)
    assert recognised("tga", good)
    for place, value in (
        (1, 2),
        (2, 7),
        (3, 1),
        (5, 1),
        (7, 9),
        (12, 0),
        (14, 0),
        (16, 23),
        (17, 0xC0),
        (17, 9),
    ):
        damaged = bytearray(good)
        damaged[place] = value
        assert not recognised("tga", bytes(damaged)), place
    assert not recognised("tga", bytes(4096))
    assert not recognised("tga", b"\0\0\1\0\1\0\x10\x10\0\0\1\0\x20\0" + bytes(99))
    assert not recognised("tga", b"plain text, nothing else, but long enough")
    assert not recognised("tga", good[:17])
    assert not recognised("tga", tga(1, 8, mapped=1, map_start=200, map_length=57, map_depth=24))


# --- PCX ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("mode", ["1", "L", "P", "RGB"])
def test_pcx_as_pillow_writes_it(mode: str) -> None:
    data = gradient(mode, "PCX")
    found = read("pcx", data)
    image = Image.open(io.BytesIO(data))
    assert (found.format, found.content_type) == ("PCX", "image/vnd.zbrush.pcx")
    assert (found.width, found.height, found.color_mode) == (21, 13, image.mode)
    assert found.bit_depth == (1 if mode == "1" else 8)
    assert found.dpi == (100.0, 100.0)


def test_pcx_palette_at_the_end() -> None:
    data = gradient("P", "PCX")[:-768]
    assert read("pcx", data + bytes(range(256)) * 3).color_mode == "P"
    assert read("pcx", data + b"".join(bytes((i, i, i)) for i in range(256))).color_mode == "L"


def test_pcx_density_that_is_a_size_is_no_density() -> None:
    data = bytearray(gradient("RGB", "PCX"))
    data[12:16] = struct.pack("<HH", 21, 13)
    assert read("pcx", bytes(data)).dpi is None


@pytest.mark.parametrize(
    "data", [b"\n", b"\n\5\1\x08", b"\n\n\nA text after empty lines, long enough to look at " * 3,
             b"\n\5\1\x08" + struct.pack("<4H", 10, 10, 9, 20) + bytes(116)]
)  # fmt: skip
def test_pcx_look_alikes(data: bytes) -> None:
    assert not recognised("pcx", data)


# --- QOI ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("mode", ["RGB", "RGBA"])
def test_qoi(mode: str) -> None:
    found = read("qoi", gradient(mode, "QOI"))
    assert (found.format, found.content_type, found.width, found.height) == ("QOI", "image/qoi", 21, 13)
    assert (found.color_mode, found.has_alpha, found.bit_depth) == (mode, mode == "RGBA", 8)


def test_qoi_damage() -> None:
    with pytest.raises(CorruptImage):
        read("qoi", b"qoif\0\0\0\1")
    with pytest.raises(CorruptImage):
        read("qoi", b"qoif" + bytes(8) + b"\4\0")
    assert not recognised("qoi", b"qoif" + b"\0\0\0\1" * 2 + b"\5\0")


# --- Netpbm ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("data", "content_type", "mode", "depth", "alpha"),
    [
        (b"P1\n40 30\n1 0", "image/x-portable-bitmap", "1", 1, False),
        (b"P4 40 30\n\0", "image/x-portable-bitmap", "1", 1, False),
        (b"P2\n# a comment\n40\t30 15\n1", "image/x-portable-graymap", "L", 4, False),
        (b"P5\n40 30\n255\n\0", "image/x-portable-graymap", "L", 8, False),
        (b"P5\n40 30\n65535\n\0", "image/x-portable-graymap", "I", 16, False),
        (b"P3\r\n40 30\r\n255\r\n1", "image/x-portable-pixmap", "RGB", 8, False),
        (b"P6#x\n40#y\n30#z\n1023\n", "image/x-portable-pixmap", "RGB", 10, False),
        (b"Pf\n40 30\n-1.0\n", "image/x-portable-floatmap", "F", 32, False),
        (b"PF\n40 30\n1.0\n", "image/x-portable-floatmap", "RGB", 32, False),
        (
            b"P7\nWIDTH 40\n# c\nHEIGHT 30\nDEPTH 4\nMAXVAL 255\nTUPLTYPE RGB_ALPHA\nENDHDR\n",
            "image/x-portable-arbitrarymap",
            "RGBA",
            8,
            True,
        ),
        (
            b"P7\nWIDTH\t40\n\nHEIGHT \t30\nDEPTH\t3\nMAXVAL\t1023\nTUPLTYPE\tRGB\nENDHDR\n",
            "image/x-portable-arbitrarymap",
            "RGB",
            10,
            False,
        ),
        (
            b"P7\nHEIGHT 30\nWIDTH 40\nDEPTH 2\nMAXVAL 255\nENDHDR\n",
            "image/x-portable-arbitrarymap",
            "LA",
            8,
            True,
        ),
    ],
)
def test_netpbm(data: bytes, content_type: str, mode: str, depth: int, alpha: bool) -> None:
    found = read("netpbm", data)
    assert (found.format, found.content_type) == ("PPM", content_type)
    assert (found.width, found.height, found.color_mode, found.bit_depth) == (40, 30, mode, depth)
    assert found.has_alpha == alpha
    assert found.warnings == []


@pytest.mark.parametrize("mode", ["1", "L", "RGB", "I;16"])
def test_netpbm_as_pillow_writes_it(mode: str) -> None:
    data = gradient(mode, "PPM")
    found = read("netpbm", data)
    image = Image.open(io.BytesIO(data))
    assert ((found.width, found.height), found.color_mode) == (image.size, image.mode)


def test_netpbm_long_comment() -> None:
    found = read("netpbm", b"P6\n#" + b"x" * 20_000 + b"\n40 30 255\n")
    assert (found.width, found.height, found.bit_depth) == (40, 30, 8)


@pytest.mark.parametrize(
    "data", [b"P6\n", b"P6\n40 x 255\n", b"P6\n-4 30 255\n", b"P6\n0 30 255\n", b"P6\n40 99999999999 255\n",
     b"P6\n40 30",
             b"P7\nWIDTH 40\nENDHDR\n", b"P5\n#" + b"x" * 70_000, b"P5 " + "４".encode() * 3 + b" 4 4\n"]
)  # fmt: skip
def test_netpbm_without_a_size(data: bytes) -> None:
    if recognised("netpbm", data):
        with pytest.raises(CorruptImage):
            read("netpbm", data)


@pytest.mark.parametrize(
    "data", [b"P6 is a peak", b"P60\n1 2", b"P8\n1 1\n", b"P7 332\n80 60", b"PF is not ours"]
)
def test_netpbm_look_alikes(data: bytes) -> None:
    assert not recognised("netpbm", data)


def test_netpbm_absurd_maximum_costs_only_the_depth() -> None:
    found = read("netpbm", b"P5\n40 30 9999999\n")
    assert (found.width, found.height, found.bit_depth) == (40, 30, None)
    assert found.warnings


# --- Radiance -------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("line", "size", "orientation"),
    [
        (b"-Y 30 +X 40", (40, 30), None),
        (b"-Y 30 -X 40", (40, 30), 2),
        (b"+Y 30 -X 40", (40, 30), 3),
        (b"+Y 30 +X 40", (40, 30), 4),
        (b"+X 40 -Y 30", (40, 30), None),
    ],
)
@pytest.mark.parametrize("first", [b"#?RADIANCE", b"#?RGBE"])
def test_hdr(first: bytes, line: bytes, size: tuple[int, int], orientation: int | None) -> None:
    data = first + b"\n# made by hand\nSOFTWARE=rad\nFORMAT=32-bit_rle_rgbe\n\n" + line + b"\n" + bytes(30)
    found = read("hdr", data)
    assert (found.format, found.content_type) == ("HDR", "image/vnd.radiance")
    assert ((found.width, found.height), found.orientation) == (size, orientation)
    assert (found.color_mode, found.bit_depth, found.has_alpha) == ("RGB", 8, False)
    assert found.text == {"Software": "rad"}


@pytest.mark.parametrize(
    "line", [b"", b"-Y 30 +Y 40\n", b"-Y 0 +X 40\n", b"30 40\n", b"-Y 99999999999 +X 4\n"]
)
def test_hdr_without_a_size(line: bytes) -> None:
    with pytest.raises(CorruptImage):
        read("hdr", b"#?RADIANCE\nFORMAT=x\n\n" + line)


def test_hdr_long_header_and_look_alike() -> None:
    assert read("hdr", b"#?RGBE\nVIEW=" + b"v" * 9000 + b"\n\n-Y 3 +X 4\n").width == 4
    assert not recognised("hdr", b"#?RADIANCES\n\n")


# --- OpenEXR --------------------------------------------------------------------------------------------


def attribute(name: bytes, kind: bytes, value: bytes) -> bytes:
    return name + b"\0" + kind + b"\0" + struct.pack("<I", len(value)) + value


def window(name: bytes, *corners: int) -> bytes:
    return attribute(name, b"box2i", struct.pack("<4i", *corners))


def channels(*names: bytes, kind: int = 1) -> bytes:
    body = b"".join(name + b"\0" + struct.pack("<IIII", kind, 0, 1, 1) for name in names)
    return attribute(b"channels", b"chlist", body + b"\0")


def exr(*parts: bytes, flags: int = 0) -> bytes:
    return b"\x76\x2f\x31\x01" + struct.pack("<I", 2 | flags) + b"".join(part + b"\0" for part in parts)


def test_exr() -> None:
    data = exr(
        attribute(b"owner", b"string", b"me")
        + attribute(b"comments", b"string", b"hello")
        + attribute(b"xDensity", b"float", struct.pack("<f", 72))
        + attribute(b"pixelAspectRatio", b"float", struct.pack("<f", 0.5))
        + channels(b"A", b"B", b"G", b"R")
        + window(b"displayWindow", 0, 0, 99, 99)
        + window(b"dataWindow", -10, 5, 29, 34)
    )
    found = read("exr", data + bytes(40))
    assert (found.format, found.content_type) == ("EXR", "image/x-exr")
    assert (found.width, found.height, found.bit_depth, found.color_mode) == (40, 30, 16, "RGBA")
    assert (found.has_alpha, found.frames, found.dpi) == (True, 1, (72.0, 36.0))
    assert found.text == {"Copyright": "me", "Comment": "hello"}


@pytest.mark.parametrize(
    ("names", "kind", "mode", "depth"),
    [((b"Y",), 2, "F", 32), ((b"A", b"Y"), 1, "LA", 16), ((b"left.B", b"left.G", b"left.R"), 1, "RGB", 16),
     ((b"Z",), 0, "F", 32), ((b"u", b"v"), 2, None, 32)],
)  # fmt: skip
def test_exr_channels(names: tuple[bytes, ...], kind: int, mode: str | None, depth: int) -> None:
    found = read("exr", exr(channels(*names, kind=kind) + window(b"dataWindow", 0, 0, 3, 3)))
    assert (found.color_mode, found.bit_depth) == (mode, depth)


def test_exr_parts_are_counted() -> None:
    part = window(b"dataWindow", 0, 0, 3, 3)
    assert read("exr", exr(part, part, part, b"", flags=0x1000)).frames == 3
    assert read("exr", exr(part, part, flags=0x1000) + b"cut").frames is None


def test_exr_large_attribute_before_the_window() -> None:
    data = exr(attribute(b"preview", b"preview", bytes(50_000)) + window(b"dataWindow", 0, 0, 3, 3))
    assert read("exr", data).width == 4


@pytest.mark.parametrize(
    "header", [b"", window(b"dataWindow", 0, 0, -5, 3), attribute(b"dataWindow", b"box2i", b"short"),
               attribute(b"x", b"y", b"")[:-4] + b"\xff\xff\xff\xff", b"n" * 300]
)  # fmt: skip
def test_exr_without_a_size(header: bytes) -> None:
    with pytest.raises(CorruptImage):
        read("exr", exr(header))


def test_exr_floats_that_are_none() -> None:
    for value in (float("nan"), float("inf"), -1.0, 0.0):
        data = exr(
            attribute(b"xDensity", b"float", struct.pack("<f", value)) + window(b"dataWindow", 0, 0, 3, 3)
        )
        assert read("exr", data).dpi is None


# --- damage ---------------------------------------------------------------------------------------------

GOOD = {
    "bmp": [gradient("P", "BMP"), bmp(124, 4, 4, 24, rest=masks(0, 0, 0, 0, 0x4D424544) + bytes(48) +
                                   struct.pack("<III", 0, 124, 7) + b"PROFILE....")],
    "ico": [gradient("RGBA", "ICO", (16, 16)), ico((16, 16, 32, dib(16, 16, 32)), kind=2)],
    "tga": [gradient("RGBA", "TGA"), extended(tga(2, 32, alpha=8), 3)],
    "pcx": [gradient("P", "PCX"), gradient("1", "PCX")],
    "qoi": [gradient("RGB", "QOI")],
    "netpbm": [gradient("RGB", "PPM"),
               b"P7\nWIDTH 4\nHEIGHT 3\nDEPTH 1\nMAXVAL 255\nTUPLTYPE GRAYSCALE\nENDHDR\n" + bytes(12)],
    "hdr": [b"#?RADIANCE\nFORMAT=32-bit_rle_rgbe\n\n-Y 3 +X 4\n" + bytes(48)],
    "exr": [exr(channels(b"B", b"G", b"R") + window(b"dataWindow", 0, 0, 3, 3), window(b"dataWindow", 0, 0, 3, 3), b"",
                flags=0x1000)],
}  # fmt: skip


@pytest.mark.parametrize("name", list(GOOD))
def test_damage(name: str) -> None:
    for data in GOOD[name]:
        endure(name, data)


@pytest.mark.parametrize("name", list(GOOD))
def test_another_format_s_bytes(name: str) -> None:
    for other, files in GOOD.items():
        for data in files:
            if other != name:
                assert not recognised(name, data), other
    for data in flips(bytes(200), 300):
        survives(name, data)
