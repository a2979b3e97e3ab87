"""The small JPEGs that files carry: EXIF's thumbnail, and the previews that cameras write into raw files.

A raw file's own pixels are not decoded: what its camera made of them is the picture to show. Offsets are those of the
TIFF tags, and for the other containers those that ExifTool and LibRaw document.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from image_metadata.blocks.exif import EXIF_IFD
from image_metadata.blocks.ifd import Directory, NotTiff, TiffStream
from image_metadata.errors import BudgetExceeded, CorruptImage
from image_metadata.formats import jpeg
from image_metadata.formats.rasters import COMPRESSION, JPEG_FILE, STRIPS, SUB_DIRECTORIES, number
from image_metadata.formats.raw.rw2 import PREVIEW
from image_metadata.formats.raw.sizes import MAKER_NOTE
from image_metadata.model import Found, ImageMetadata
from image_metadata.reader import BytesReader, Reader

_STRIP_LENGTHS, _JPEG_LENGTH = 0x117, 0x202
_JPEG_COMPRESSIONS = (6, 7)
#: Olympus' maker note: a TIFF stream after 12 bytes, whose offsets count from the note's start.
_OLYMPUS, _OLYMPUS_SETTINGS, _OLYMPUS_JPEG, _OLYMPUS_LENGTH = b"OLYMPUS\0", 0x2020, 0x101, 0x102
_CR3_PREVIEW = bytes.fromhex("eaf42b5e1c984b88b9fbb7dc406e4d16")
_X3F_JPEG = (2, 18)
_MAX_DIRECTORIES, _MAX_BOXES, _MAX_SECTIONS, _MAX_SEGMENTS = 32, 64, 64, 200
#: Frames that every JPEG decoder takes: baseline, extended and progressive. Sensors' data come as lossless JPEG.
_DECODABLE_FRAMES = (0xC0, 0xC1, 0xC2)
#: How far a copy's proportions may be from the picture's: rounding, and a few rows that cameras cut off. Thumbnails
#: with black bars are further off.
_ASPECT_TOLERANCE = 0.02


@dataclass(frozen=True)
class Embedded:
    """A JPEG inside a file: its place (or its bytes, where they lie inside a block) and its size in pixels."""

    width: int
    height: int
    offset: int
    length: int
    data: bytes | None = None


def thumbnails(source: Reader) -> list[Embedded]:
    """The thumbnail in a JPEG's EXIF block, if there is one."""
    found = Found()
    try:
        jpeg.read(source, found)
        block = found.exif[0] if found.exif else b""
        if not isinstance(block, bytes):
            return []
        tiff = TiffStream(block, found.warn)
        second = tiff.directory(tiff.first).next
        tags = tiff.directory(second) if second else Directory()
    except (CorruptImage, BudgetExceeded, NotTiff):
        return []
    start, length = _whole(tiff, tags, JPEG_FILE), _whole(tiff, tags, _JPEG_LENGTH)
    if not start or not length:
        return []
    data = block[start : start + length]
    return [Embedded(*size, 0, len(data), data) for size in _sizes(BytesReader(data), 0, len(data))]


def previews(source: Reader, file_format: str) -> list[Embedded]:
    """The JPEGs that a raw file holds, as far as its structure is known and whole."""
    places: dict[tuple[int, int], None] = {}
    try:
        for place in _FINDERS.get(file_format, _in_tiff)(source):
            places[place] = None
    except (BudgetExceeded, NotTiff, IndexError):
        pass  # with what was found before
    found = []
    for offset, length in places:
        if offset > 0 and length > 0:
            length = min(length, source.size - offset)
            found += [Embedded(*size, offset, length) for size in _sizes(source, offset, length)]
    return found


def choose(candidates: list[Embedded], metadata: ImageMetadata, most: int, any_size: bool) -> Embedded | None:
    """The smallest candidate that is large enough; with `any_size` else the largest. None where none fits."""
    by_size = sorted(candidates, key=lambda each: each.width * each.height)
    shaped = [each for each in by_size if is_upright_copy(each, metadata) is not None]
    enough = next((each for each in shaped if max(each.width, each.height) >= most), None)
    if enough or not (any_size and by_size):
        return enough
    return (shaped or by_size)[-1]


def is_upright_copy(embedded: Embedded, metadata: ImageMetadata) -> bool | None:
    """Whether a candidate has the proportions of the picture once turned (True) or as stored (False); else None."""
    width, height = metadata.width, metadata.height
    if not width or not height or not embedded.width or not embedded.height:
        return None
    aspect = embedded.width / embedded.height
    turned = metadata.orientation is not None and metadata.orientation >= 5
    for upright, expected in ((False, width / height), (True, height / width)):
        slack = max(_ASPECT_TOLERANCE, 1 / min(embedded.width, embedded.height))
        if abs(aspect / expected - 1) <= slack and (turned or not upright):
            return upright
    return None


def _in_tiff(source: Reader) -> Iterator[tuple[int, int]]:
    tiff = TiffStream(source, lambda _: None, "TIFF")
    waiting, seen = [tiff.first], set[int]()
    while waiting and len(seen) < _MAX_DIRECTORIES:
        offset = waiting.pop(0)
        if offset in seen or not 0 < offset < source.size:
            continue
        seen.add(offset)
        tags = tiff.directory(offset)
        waiting += (
            [place for place in tiff.numbers(tags[SUB_DIRECTORIES]) if isinstance(place, int)]
            if SUB_DIRECTORIES in tags
            else []
        )
        waiting.append(tags.next)
        yield _whole(tiff, tags, JPEG_FILE), _whole(tiff, tags, _JPEG_LENGTH)
        if (
            tiff.number(tags.get(COMPRESSION)) in _JPEG_COMPRESSIONS
            and STRIPS in tags
            and tags[STRIPS][2] == 1
        ):
            yield _whole(tiff, tags, STRIPS), _whole(tiff, tags, _STRIP_LENGTHS)
        if PREVIEW in tags:  # Panasonic
            yield tiff.place(tags[PREVIEW]) or (0, 0)
        exif = _whole(tiff, tags, EXIF_IFD)
        if exif:
            yield from _in_olympus_note(tiff, tiff.directory(exif))


def _in_olympus_note(tiff: TiffStream, exif: Directory) -> Iterator[tuple[int, int]]:
    place = tiff.place(exif[MAKER_NOTE]) if MAKER_NOTE in exif else None
    if place is None or tiff.read_at(place[0], 8) != _OLYMPUS:
        return
    start = place[0]
    note = tiff.directory(start + 12)
    settings = _whole(tiff, note, _OLYMPUS_SETTINGS)
    if settings:
        tags = tiff.directory(start + settings)
        yield start + _whole(tiff, tags, _OLYMPUS_JPEG), _whole(tiff, tags, _OLYMPUS_LENGTH)


def _in_raf(source: Reader) -> Iterator[tuple[int, int]]:
    head = source.read_at(84, 8)
    yield int.from_bytes(head[:4], "big"), int.from_bytes(head[4:], "big")


def _in_cr3(source: Reader) -> Iterator[tuple[int, int]]:
    """The preview box among the top-level boxes (ISO 14496-12); its header's length depends on the camera's age."""
    at = 0
    for _ in range(_MAX_BOXES):
        head = source.read_at(at, 128)
        if len(head) < 24:
            return
        length = int.from_bytes(head[:4], "big")
        if length == 1:
            length = int.from_bytes(head[8:16], "big")
        start = head.find(b"\xff\xd8\xff")
        if head[4:8] == b"uuid" and head[8:24] == _CR3_PREVIEW and start > 0:
            yield at + start, length - start
        if length < 8:
            return
        at += length


def _in_x3f(source: Reader) -> Iterator[tuple[int, int]]:
    directory = int.from_bytes(source.read_at(source.size - 4, 4), "little")
    count = min(int.from_bytes(source.read_at(directory + 8, 4), "little"), _MAX_SECTIONS)
    for at in range(directory + 12, directory + 12 + 12 * count, 12):
        row = source.read_at(at, 12)
        place, length = int.from_bytes(row[:4], "little"), int.from_bytes(row[4:8], "little")
        head = source.read_at(place, 28)
        kind = int.from_bytes(head[8:12], "little"), int.from_bytes(head[12:16], "little")
        if row[8:] in (b"IMAG", b"IMA2") and kind == _X3F_JPEG:
            yield place + 28, length - 28


_FINDERS: dict[str, Callable[[Reader], Iterator[tuple[int, int]]]] = {
    "RAF": _in_raf,
    "CR3": _in_cr3,
    "X3F": _in_x3f,
}


def _whole(tiff: TiffStream, tags: Directory, tag: int) -> int:
    return number(tiff, tags, tag) or 0


def _sizes(source: Reader, offset: int, length: int) -> Iterator[tuple[int, int]]:
    """Width and height of the JPEG at `offset`, where it is one that is decoded."""
    at, end = offset + 2, offset + length
    if source.read_at(offset, 3) != b"\xff\xd8\xff":
        return
    for _ in range(_MAX_SEGMENTS):
        head = source.read_at(at, 9)
        if len(head) < 9 or head[0] != 0xFF or at + 9 > end:
            return
        if head[1] in _DECODABLE_FRAMES:
            yield int.from_bytes(head[7:9], "big"), int.from_bytes(head[5:7], "big")
        if 0xC0 <= head[1] <= 0xCF and head[1] not in (0xC4, 0xC8, 0xCC):
            return
        at += 2 + int.from_bytes(head[2:4], "big")
