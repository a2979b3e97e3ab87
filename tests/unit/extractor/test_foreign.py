"""What is no image, and the images that stand behind stray bytes."""

from __future__ import annotations

import io
import struct
import tarfile
import zipfile

import pytest

from image_metadata.formats import foreign
from tests.support.builders import jpeg, jpeg_tail, metadata_of, packet, segment, tiff
from tests.support.raws import camera, raster, stream

PICTURE = jpeg(exif=tiff({0x0112: (3, 6)}))
#: A TIFF whose image data lie inside it.
SCAN = stream(raster(4000, 3000) | camera("Acme"))


@pytest.mark.parametrize("begin", foreign.FIRST)
def test_a_picture_behind_a_known_beginning_is_part_of_something_else(begin: bytes) -> None:
    for image in (PICTURE, SCAN):
        told = metadata_of(begin + bytes(200) + image)
        assert (told.status, told.format, told.error) == (
            "unsupported",
            None,
            "the bytes are no image of a known kind",
        )


@pytest.mark.parametrize(("at", "name"), foreign.LATER)
def test_a_picture_behind_what_is_known_by_later_bytes_is_part_of_something_else(
    at: int, name: bytes
) -> None:
    data = (bytes(at - 1) + b"\x7b" + name).ljust(300, b"\0")
    for image in (PICTURE, SCAN):
        assert metadata_of(b"\1" + data[1:] + image).status == "unsupported"


@pytest.mark.parametrize("stray", [b"\0", b"\r\n\r\n", b"HTTP/1.1 200 OK\r\nContent-Type: image/jpeg\r\n\r\n",
                                   b"\x89\x02\x03" * 100, b"garbage" * 140])  # fmt: skip
def test_an_image_behind_stray_bytes(stray: bytes) -> None:
    told = metadata_of(stray + PICTURE)
    assert (told.status, told.format, told.width, told.orientation) == ("ok", "JPEG", 48, 6)
    assert told.warnings == [f"{len(stray)} bytes precede the image"]
    told = metadata_of(stray + SCAN)
    assert (told.status, told.format, told.width) == ("ok", "TIFF", 4000)
    assert f"{len(stray)} bytes precede the image" in told.warnings


def test_a_picture_in_the_middle_of_a_file_is_not_the_file() -> None:
    assert metadata_of(b"unknown" + PICTURE + b"more" * 100).status == "unsupported"
    assert metadata_of(b"unknown" + PICTURE + b"\r\n--end--\r\n").status == "ok"


def test_a_block_of_metadata_is_no_image() -> None:
    block = tiff({0x0100: (4, 6000), 0x0101: (4, 4000), 0x010F: (2, "Acme")})
    assert metadata_of(b"unknown" + block).status == "unsupported"
    assert metadata_of(segment(0xE1, b"Exif\0\0" + block)).status == "unsupported"


@pytest.mark.parametrize("before", [b"\r\n", b"\xef\xbb\xbf", b"MS-DOS text" * 90])
def test_a_picture_in_a_pdf_that_starts_behind_stray_bytes_is_not_the_pdf(before: bytes) -> None:
    assert metadata_of(before + b"%PDF-1.4\n1 0 obj stream\n" + PICTURE).status == "unsupported"


def test_the_thumbnail_of_a_jpeg_that_has_lost_its_start_is_not_the_jpeg() -> None:
    whole = jpeg(exif=tiff({0x010F: (2, "Acme")}) + PICTURE, tail=jpeg_tail(4000, 3000))
    assert metadata_of(whole[2:]).status == "unsupported"
    assert metadata_of(b"\n" + whole).width == 4000


@pytest.mark.parametrize("text", ["Subject: hi\r\nDate: x\r\n\x1a", "Name: x\n\x1a" + "\0" * 600])
def test_lines_of_names_and_values_are_no_im_image(text: str) -> None:
    assert metadata_of(text.encode()).status == "unsupported"
    header = "Image type: L image\r\nName: a.im\r\nImage size (x*y): 40*30\r\nFile size (no of images): 1\r\n"
    told = metadata_of(header.encode().ljust(511, b"\0") + b"\x1a" + bytes(1200))
    assert (told.status, told.format, told.width) == ("ok", "IM", 40)


@pytest.mark.parametrize("text", [b"P3 5 6 apples are nice", b"P6 12 24 -> 48\n", b"P2 2024 2025 was a year"])
def test_a_text_that_starts_as_a_netpbm_picture_is_none(text: bytes) -> None:
    assert metadata_of(text).status == "corrupt"


def test_a_picture_in_an_archive_is_not_the_archive() -> None:
    tape, pack = io.BytesIO(), io.BytesIO()
    with tarfile.open(fileobj=tape, mode="w") as archive:
        member = tarfile.TarInfo("a.jpg")
        member.size = len(PICTURE)
        archive.addfile(member, io.BytesIO(PICTURE))
    with zipfile.ZipFile(pack, "w") as bundle:
        bundle.writestr("a.jpg", PICTURE)
    assert metadata_of(tape.getvalue()).status == "unsupported"
    assert metadata_of(pack.getvalue()).status == "unsupported"
    # A tape of before POSIX has no signature but its checksum.
    old = bytearray(tape.getvalue()[:512])
    old[257:265] = bytes(8)
    old[148:156] = b" " * 8
    old[148:155] = f"{sum(old):06o}\0".encode()
    assert metadata_of(bytes(old) + PICTURE).status == "unsupported"
    old[148] ^= 1
    assert metadata_of(bytes(old) + PICTURE).status == "ok"


@pytest.mark.parametrize("data", [
    b"\0\0\2\0\6\4\6\0" + bytes(range(256)) * 20,  # Lotus 1-2-3
    b"%!PS-Adobe-3.0\n%%BoundingBox: 0 0 612 792\n%%Pages: 3\n",
    b"%PDF-1.7\n" + PICTURE,
    b"ID3\4\0\0\0\0\7\x76APIC\0\0\7\0\0\0\0image/jpeg\0\3\0" + PICTURE,
    struct.pack(">I", 24) + b"ftypqt  \0\0\2\0qt  mif1" + PICTURE,
    b"\0\1\0\0\0\x0b\0\x80\0\3\0\x30GSUB" + bytes(300),
    b"<?xml version='1.0'?><html><body><svg></svg></body></html>",
    packet("<dc:title>T</dc:title>"),
    b"BM" + b"text that begins like a bitmap " * 9,
    b"P5 is the name of a section\n" * 9,
    b"II*\0" + b"text " * 40,
    struct.pack("<IHHHHHHI", 400, 0xAF12, 2, 320, 200, 8, 3, 40).ljust(128, b"\0")
    + struct.pack("<IHH308x", 272, 0xF1FA, 1),  # FLC, a video
    b"",
    b"\xff\xd8",
])  # fmt: skip
def test_no_image(data: bytes) -> None:
    told = metadata_of(data)
    assert told.status in ("unsupported", "corrupt")
    assert told.error and told.width is None
