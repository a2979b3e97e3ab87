"""`extract` as a whole: statuses, precedence, the golden records, and files damaged at every byte."""

from __future__ import annotations

import importlib
import io
import json
import random
import sys
import time
from pathlib import Path
from pkgutil import walk_packages

import pytest

from image_metadata import EXTRACTOR_VERSION, FileReader, ImageMetadata, extract, formats, limits
from image_metadata.formats import pillow
from image_metadata.model import Found
from tests.support.builders import Value, chunk, iptc, jpeg, metadata_of, packet, png, resource, segment, tiff

IMAGES = Path(__file__).parents[2] / "images"
GOLDEN = json.loads((IMAGES / "golden.json").read_text(encoding="utf-8"))
STATUSES = {"ok", "unsupported", "corrupt", "too_large"}


def described(
    exif: dict[int, Value] | None = None, xmp: bytes | None = None, sets: bytes | None = None
) -> ImageMetadata:
    photoshop = [segment(0xED, b"Photoshop 3.0\0" + resource(0x0404, sets))] if sets else []
    return metadata_of(jpeg(*photoshop, exif=tiff(exif, exif) if exif else None, xmp=xmp))


# --- statuses -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"\0",
        b"hello, world\n" * 1000,
        b"%PDF-1.7\n",
        b"PK\3\4" + bytes(100),
        b"\x7fELF" + bytes(200),
        bytes(5000),
        b"<html><body>no</body></html>",
        b"\x1f\x8b\x08" + bytes(50),
        bytes(range(256)) * 50,
    ],
)
def test_what_is_no_image_is_unsupported(data: bytes) -> None:
    metadata = extract(io.BytesIO(data))
    assert (metadata.status, metadata.format, metadata.width) == ("unsupported", None, None)
    assert metadata.error


def test_a_record_holds_no_unknowns() -> None:
    metadata = metadata_of(jpeg())
    assert metadata.to_dict() == {
        "status": "ok", "format": "JPEG", "content_type": "image/jpeg", "width": 48, "height": 32, "display_width": 48,
        "display_height": 32, "color_mode": "RGB", "bit_depth": 8, "has_alpha": False, "frames": 1, "animated": False,
        "has_gps": False, "extractor_version": EXTRACTOR_VERSION,
    }  # fmt: skip


def test_limits_are_named_and_can_be_lowered(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "MAX_PIXELS", 48 * 32 - 1)
    metadata = metadata_of(jpeg(exif=tiff({0x010F: (2, "Acme")})))
    assert (metadata.status, metadata.width, metadata.camera) == ("too_large", 48, {"make": "Acme"})
    assert "limit" in (metadata.error or "")


def test_every_reader_has_its_own_first_bytes() -> None:
    """No sample is taken by two readers, so that their order hides nothing."""
    for name in GOLDEN:
        data = (IMAGES / name).read_bytes()
        reader = FileReader(io.BytesIO(data))
        head = data[: formats.HEAD]
        takers = [module.__name__ for module in formats.READERS if module.matches(head, reader)]
        assert len(takers) == 1, (name, takers)


def test_every_reader_is_registered() -> None:
    modules = [
        importlib.import_module(each.name) for each in walk_packages(formats.__path__, f"{formats.__name__}.")
    ]
    registered = (*formats.READERS, *formats.WITHOUT_SIGNATURE)
    assert {module for module in modules if hasattr(module, "matches")} == set(registered)


READ = [kind for module in (*formats.READERS, *formats.WITHOUT_SIGNATURE, pillow) for kind in module.TYPES]


def test_every_media_type_has_one_extension() -> None:
    named = {kind.media_type: kind.extension for kind in READ if kind.media_type}
    assert [kind for kind in READ if kind.media_type and kind.extension != named[kind.media_type]] == []
    assert all(kind.extension.isalnum() and kind.extension.islower() for kind in READ)
    assert {media_type: formats.extension(media_type) for media_type in named} == named


@pytest.mark.parametrize(
    ("media_type", "suffix"),
    [
        ("image/jpeg", "jpg"),
        ("image/tiff", "tif"),
        ("image/svg+xml", "svg"),
        ("image/vnd.adobe.photoshop", "psd"),
        ("image/vnd.zbrush.pcx", "pcx"),
        ("image/x-icon", "ico"),
        # Stated by clients, read by none of ours.
        ("image/vnd.example.fancy+xml", "fancy"),
        ("application/pdf", "pdf"),
        ("image/../../a b", "ab"),
    ],
)
def test_extensions(media_type: str, suffix: str) -> None:
    assert formats.extension(media_type) == suffix


def test_the_name_says_nothing(tmp_path: Path) -> None:
    path = tmp_path / "picture.png"
    path.write_bytes(jpeg())
    assert extract(path).format == "JPEG"


@pytest.mark.parametrize("orientation", range(1, 9))
def test_a_quarter_turn_swaps_the_shown_size(orientation: int) -> None:
    metadata = metadata_of(jpeg(exif=tiff({0x0112: (3, orientation)})))
    shown = (metadata.display_width, metadata.display_height)
    assert shown == ((32, 48) if orientation in (5, 6, 7, 8) else (48, 32))
    assert (metadata.width, metadata.height, metadata.orientation) == (48, 32, orientation)


# --- precedence ----------------------------------------------------------------------------------------------

XMP = packet(
    "<dc:title>x title</dc:title><dc:description>x text</dc:description><dc:creator>x artist</dc:creator>"
    "<dc:rights>x rights</dc:rights><dc:subject>"
    "<rdf:Bag><rdf:li>one</rdf:li><rdf:li>two</rdf:li></rdf:Bag></dc:subject>",
    'tiff:Make="x make" tiff:Model="x model" tiff:Orientation="3" xmp:Rating="5" xmp:CreatorTool="x tool"'
    ' exif:DateTimeOriginal="2021-01-01T01:01:01" exif:GPSLatitude="1,0N" exif:GPSLongitude="2,0E" exif:FNumber="4/1"',
)
EXIF: dict[int, Value] = {
    0x010F: (2, "e make"), 0x0112: (3, 6), 0x010E: (2, "e text"), 0x013B: (2, "e artist"), 0x8298: (2, "e rights"),
    0x9C9B: (1, "e title".encode("utf-16-le")), 0x9C9E: (1, "two;four".encode("utf-16-le")), 0x4746: (3, 1),
    0x0131: (2, "e tool"), 0x9003: (2, "2020:01:01 01:01:01"), 0x829D: (5, (28, 10)), 0x829A: (5, (1, 60)),
}  # fmt: skip
IPTC = iptc(
    (5, b"i title"),
    (120, b"i text"),
    (80, b"i artist"),
    (116, b"i rights"),
    (25, b"two"),
    (25, b"three"),
    (55, b"20220101"),
)


def test_texts_come_from_xmp_then_iptc_then_exif() -> None:
    every, two, one = described(EXIF, XMP, IPTC), described(EXIF, None, IPTC), described(EXIF)
    for metadata, letter in ((every, "x"), (two, "i"), (one, "e")):
        assert (metadata.title, metadata.description) == (f"{letter} title", f"{letter} text")
        assert (metadata.artist, metadata.copyright) == (f"{letter} artist", f"{letter} rights")
    assert every.keywords == ["one", "two", "three", "four"]
    assert (every.rating, one.rating) == (5, 1)


def test_camera_turn_and_exposure_come_from_exif_then_xmp() -> None:
    both, xmp = described(EXIF, XMP), described(None, XMP)
    assert both.camera == {"make": "e make", "model": "x model"}
    assert both.exposure == {"f_number": 2.8, "time_s": 0.0166667}
    assert (both.orientation, both.software) == (6, "e tool")
    assert (xmp.camera, xmp.orientation, xmp.software) == (
        {"make": "x make", "model": "x model"},
        3,
        "x tool",
    )
    assert xmp.exposure == {"f_number": 4}
    assert both.gps == xmp.gps == {"latitude": 1.0, "longitude": 2.0}
    assert both.has_gps is True


def test_dates_come_from_exif_then_xmp_then_iptc() -> None:
    assert described(EXIF, XMP, IPTC).taken_at == "2020-01-01T01:01:01"
    assert described(None, XMP, IPTC).taken_at == "2021-01-01T01:01:01"
    metadata = described(None, None, IPTC)
    assert (metadata.taken_at, metadata.taken_at_source) == ("2022-01-01", "IPTC DateCreated")


def test_when_it_was_taken_goes_before_when_it_was_digitized() -> None:
    metadata = described({0x9004: (2, "2024:01:01 00:00:00")}, packet("", 'photoshop:DateCreated="1950-07"'))
    assert (metadata.taken_at, metadata.taken_at_source) == ("1950-07", "XMP photoshop:DateCreated")
    assert described({0x9004: (2, "2024:01:01 00:00:00")}).taken_at_source == "EXIF DateTimeDigitized"


def test_the_file_change_date_is_no_date_of_taking() -> None:
    assert described({0x0132: (2, "2024:01:01 00:00:00")}).taken_at is None


def test_a_zero_date_gives_way_to_the_next() -> None:
    assert (
        described({0x9003: (2, "0000:00:00 00:00:00"), 0x9004: (2, "2024:01:01 00:00:00")}).taken_at
        == "2024-01-01T00:00:00"
    )


def test_the_offset_of_the_same_second_completes_the_date() -> None:
    xmp = packet("", 'exif:DateTimeOriginal="2020-01-01T01:01:01.75+09:30"')
    metadata = described(EXIF, xmp)
    assert (metadata.taken_at, metadata.taken_at_offset) == ("2020-01-01T01:01:01.75", "+09:30")
    assert metadata.taken_at_source == "EXIF DateTimeOriginal"
    later = packet("", 'exif:DateTimeOriginal="2020-01-01T01:01:02.75+09:30"')
    assert described(EXIF, later).taken_at_offset is None


SECOND: tuple[int, Value] = (0x9003, (2, "2020:01:01 01:01:01"))


@pytest.mark.parametrize(
    ("exif", "xmp"),
    [
        ({0x9004: (2, "2020:01:01 01:01:01"), 0x9292: (2, "75"), 0x9012: (2, "+09:30")}, None),
        ({0x0132: (2, "2020:01:01 01:01:01"), 0x9290: (2, "75"), 0x9010: (2, "+09:30")}, None),
        # The offset by one tag, the fraction by another.
        ({0x9291: (2, "75"), 0x9004: (2, "2020:01:01 01:01:01"), 0x9012: (2, "+0930")}, None),
        ({}, 'xmp:CreateDate="2020-01-01T01:01:01.75+09:30"'),
        ({}, 'exif:DateTimeDigitized="2020-01-01T01:01:01.75+09:30"'),
        ({}, 'photoshop:DateCreated="2020-01-01T01:01:01.75+09:30"'),
        ({}, 'xmp:ModifyDate="2020-01-01T01:01:01.75+09:30"'),
        ({}, 'xmp:CreateDate="2020-01-01T01:01:01.75" xmp:ModifyDate="2020-01-01T01:01:01+09:30"'),
    ],
)
def test_offset_and_fraction_come_from_every_source_of_the_very_same_second(
    exif: dict[int, Value], xmp: str | None
) -> None:
    metadata = described(dict([SECOND]) | exif, packet("", xmp) if xmp else None)
    assert (metadata.taken_at, metadata.taken_at_offset) == ("2020-01-01T01:01:01.75", "+09:30")
    assert metadata.taken_at_source == "EXIF DateTimeOriginal"
    # Of another second they say nothing.
    metadata = described({0x9003: (2, "2020:01:01 01:01:02")} | {tag: exif[tag] for tag in exif if tag != 0x9291},
                         packet("", xmp) if xmp else None)  # fmt: skip
    assert (metadata.taken_at, metadata.taken_at_offset) == ("2020-01-01T01:01:02", None)


def test_a_chosen_dates_own_offset_and_fraction_stand() -> None:
    own: dict[int, Value] = {0x9291: (2, "5"), 0x9011: (2, "-01:00")}
    metadata = described(dict([SECOND]) | own, packet("", 'xmp:CreateDate="2020-01-01T01:01:01.75+09:30"'))
    assert (metadata.taken_at, metadata.taken_at_offset) == ("2020-01-01T01:01:01.5", "-01:00")


@pytest.mark.parametrize(
    ("first", "others", "taken_at", "source"),
    [
        ({0x9003: (2, "2020:01:01")}, 'exif:DateTimeOriginal="2020-01-01T05:06:07"', "2020-01-01T05:06:07",
         "XMP exif:DateTimeOriginal"),
        ({0x9003: (2, "2020:01:01")}, 'xmp:CreateDate="2020-01-01T05:06"', "2020-01-01T05:06", "XMP xmp:CreateDate"),
        ({0x9003: (2, "2020:01:01   :  :  "), 0x9004: (2, "2020:01:01 05:06:07")}, "", "2020-01-01T05:06:07",
         "EXIF DateTimeDigitized"),
        ({}, 'photoshop:DateCreated="2020-01-01" exif:DateTimeDigitized="2020-01-01T05:06:07"',
         "2020-01-01T05:06:07", "XMP exif:DateTimeDigitized"),
        # Of another day, or no more precise: the first stands.
        ({0x9003: (2, "2020:01:01")}, 'exif:DateTimeOriginal="2020-01-02T05:06:07"', "2020-01-01",
         "EXIF DateTimeOriginal"),
        ({0x9003: (2, "2020:01:01")}, 'xmp:CreateDate="2020-01-01"', "2020-01-01", "EXIF DateTimeOriginal"),
        # The day on which the file was last written is no witness.
        ({0x9003: (2, "2020:01:01"), 0x0132: (2, "2020:01:01 05:06:07")}, "", "2020-01-01", "EXIF DateTimeOriginal"),
    ],
)  # fmt: skip
def test_a_date_alone_gives_way_to_date_and_time_of_the_same_day(
    first: dict[int, Value], others: str, taken_at: str, source: str
) -> None:
    metadata = described(first or None, packet("", others) if others else None)
    assert (metadata.taken_at, metadata.taken_at_source) == (taken_at, source)


def test_iptc_dates_are_read_as_the_others() -> None:
    for date, clock, taken_at, offset in (
        (b"20240506", b"070809+0200", "2024-05-06T07:08:09", "+02:00"),
        (b"20240506", b"070809-0000", "2024-05-06T07:08:09", None),
        (b"20240506", b"07:08:09 PM", "2024-05-06T19:08:09", None),
        (b"20240506", b"240809", "2024-05-06T00:08:09", None),
        (b"2024 5 6", b"070809", "2024-05-06T07:08:09", None),
        ("٢٠٢٤٠٥٠٦".encode(), "٠٧٠٨٠٩".encode(), "2024-05-06T07:08:09", None),
        (b"2024:05:06", b"soon", "2024-05-06", None),
    ):
        metadata = described(sets=iptc((55, date), (60, clock)))
        assert (metadata.taken_at, metadata.taken_at_offset) == (taken_at, offset)


def test_no_offset_is_ever_made_up() -> None:
    assert described({0x9003: (2, "2020:01:01 01:01:01")}).taken_at_offset is None


def test_png_text_comes_last() -> None:
    text = (
        chunk(b"tEXt", b"Title\0p title"),
        chunk(b"tEXt", b"Author\0p artist"),
        chunk(b"tEXt", b"Software\0p tool"),
    )
    metadata = metadata_of(png(*text, chunk(b"eXIf", tiff({0x013B: (2, "e artist")}))))
    assert (metadata.title, metadata.artist, metadata.software) == ("p title", "e artist", "p tool")


def test_texts_are_bounded() -> None:
    metadata = described(None, packet(f"<dc:title>{'x' * 50_000}</dc:title>"))
    assert len(metadata.title or "") == limits.MAX_TEXT


def test_warnings_are_bounded_and_said_once() -> None:
    found = Found()
    for number in range(100):
        found.warn(f"{number % 50}")
    assert len(found.warnings) == 50
    sets = b"".join(segment(0xFE, b"x") + bytes([number, 1, 2]) for number in range(1, 60))
    assert len(metadata_of(jpeg(sets)).warnings) <= limits.MAX_WARNINGS


@pytest.mark.parametrize(
    "data",
    [
        b"P6\n3" + b" " * 60_000,
        b"P6\n" + b" \t" * 30_000 + b"\xff",
        b"P5" + b"\n#" * 30_000,
        b"P7\n" + b"WIDTH " * 10_000,
        b"#?RADIANCE\n\n-Y" + b" " * 60_000,
        b"<svg " + b"a" * 60_000,
        b'<svg width="' + b"1" * 60_000 + b'!">',
        b"<!DOCTYPE " + b"[" * 60_000,
        b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox:" + b" 1" * 30_000,
        b"#define a_width" + b" " * 60_000,
        jpeg(xmp=packet("", f'exif:GPSLatitude="1{" " * 30_000}x" exif:GPSLongitude="1"')),
        jpeg(xmp=packet("", f'xmp:CreateDate="2024:05:06{" T" * 15_000}x"')),
        png(chunk(b"tEXt", b"Creation Time\0" + b"1 " * 15_000)),
        png(chunk(b"tEXt", b"Creation Time\0" + b"2024 a. p." * 5_000)),
        jpeg(xmp=packet("", f'xmp:CreateDate="2024:05:06{" p. m" * 12_000}x"')),
        jpeg(exif=tiff({}, {0x9003: (2, "2024: 5: 7" + " :" * 15_000), 0x9011: (2, "+ " * 15_000)})),
    ],
)
def test_no_pattern_is_slow_on_long_text(data: bytes) -> None:
    started = time.process_time()
    metadata_of(data)
    assert time.process_time() - started < 1


# --- golden records and damage -------------------------------------------------------------------------------


@pytest.mark.parametrize("name", sorted(GOLDEN))
def test_golden(name: str) -> None:
    record = json.loads(json.dumps(extract(IMAGES / name).to_dict()))
    assert record == GOLDEN[name] | {"extractor_version": EXTRACTOR_VERSION}


def test_every_image_has_a_golden_record() -> None:
    assert {p.name for p in IMAGES.iterdir() if p.suffix not in (".py", ".json", "")} == set(GOLDEN)


def sound(metadata: ImageMetadata) -> None:
    """What holds for every record, whatever the bytes."""
    assert metadata.status in STATUSES
    assert (metadata.error is None) == (metadata.status == "ok")
    assert (metadata.status == "unsupported") == (metadata.format is None)
    if metadata.status == "ok":
        assert metadata.width is not None and metadata.height is not None
        assert metadata.width > 0 and metadata.height > 0
    assert len(metadata.warnings) <= limits.MAX_WARNINGS
    json.dumps(metadata.to_dict(), allow_nan=False)


@pytest.mark.parametrize("name", sorted(GOLDEN))
def test_cut_off_at_every_byte(name: str) -> None:
    data = (IMAGES / name).read_bytes()
    for end in range(len(data)):
        sound(metadata_of(data[:end]))


@pytest.mark.parametrize("name", sorted(GOLDEN))
def test_flipped_bits(name: str) -> None:
    data = (IMAGES / name).read_bytes()
    generator = random.Random(name)
    for _ in range(400):
        damaged = bytearray(data)
        for _ in range(generator.choice((1, 1, 2, 5))):
            damaged[generator.randrange(len(data))] ^= 1 << generator.randrange(8)
        sound(metadata_of(bytes(damaged)))


def test_importing_the_package_needs_no_pillow() -> None:
    import subprocess

    code = "import sys, image_metadata, image_metadata.extract; sys.exit('PIL' in sys.modules)"
    path = str(Path(__file__).parents[3] / "lambdas" / "shared")
    assert subprocess.run([sys.executable, "-c", code], env={"PYTHONPATH": path}, check=False).returncode == 0
