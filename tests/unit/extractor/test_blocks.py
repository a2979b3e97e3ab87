"""XMP, IPTC, Photoshop resources and ICC profiles."""

from __future__ import annotations

import struct

import pytest

from image_metadata import limits
from image_metadata.blocks.icc import description, essence
from image_metadata.blocks.iptc import read_iptc
from image_metadata.blocks.photoshop import read_resources
from image_metadata.blocks.xmp import read_xmp
from image_metadata.fields import Description
from image_metadata.model import Found
from tests.support.builders import desc, iptc, mluc, packet, profile, resource


def read(data: bytes, extended: bytes | None = None) -> tuple[Description, list[str]]:
    warnings: list[str] = []
    return read_xmp(data, warnings.append, extended) or Description(), warnings


def quiet(message: str) -> None:
    """A warning nobody waits for."""


# --- XMP --------------------------------------------------------------------------------------------------


def test_properties_as_elements_and_as_attributes_say_the_same() -> None:
    element, _ = read(packet("<xmp:Rating>3</xmp:Rating><tiff:Make> Acme </tiff:Make>"))
    attribute, _ = read(packet("", 'xmp:Rating="3" tiff:Make="Acme"'))
    assert element == attribute
    assert (element.rating, element.make) == (3, "Acme")


def test_arrays_and_languages() -> None:
    xmp, warnings = read(
        packet(
            "<dc:title><rdf:Alt><rdf:li xml:lang='de'>Hafen</rdf:li>"
            "<rdf:li xml:lang='x-default'>Harbour</rdf:li></rdf:Alt></dc:title>"
            "<dc:creator><rdf:Seq><rdf:li>Zoë</rdf:li><rdf:li>Ann</rdf:li></rdf:Seq></dc:creator>"
            "<dc:subject><rdf:Bag><rdf:li>a &amp; b</rdf:li><rdf:li/><rdf:li>&#x1F600;</rdf:li></rdf:Bag></dc:subject>"
            "<dc:description><rdf:Alt><rdf:li xml:lang='fr'>Un port</rdf:li></rdf:Alt></dc:description>"
        )
    )
    assert (xmp.title, xmp.artist, xmp.keywords) == ("Harbour", "Zoë; Ann", ["a & b", "😀"])
    assert xmp.description == "Un port"
    assert warnings == []


@pytest.mark.parametrize("language", ["x-default", "X-Default"])
def test_the_default_language_in_any_case(language: str) -> None:
    items = f"<rdf:li xml:lang='de'>Hafen</rdf:li><rdf:li xml:lang='{language}'>Harbour</rdf:li>"
    assert read(packet(f"<dc:title><rdf:Alt>{items}</rdf:Alt></dc:title>"))[0].title == "Harbour"


@pytest.mark.parametrize(
    ("value", "fired"),
    [("True", True), ("true", True), ("1", True), ("False", False), ("0", False), ("yes", None)],
)
def test_a_flash_has_fired_or_not_or_it_is_not_known(value: str, fired: bool | None) -> None:
    assert read(packet(f'<exif:Flash exif:Fired="{value}"/>'))[0].flash is fired


@pytest.mark.parametrize(("value", "rating"), [("2.5", 3), ("3.5", 4), ("4.4", 4), ("-1", -1), ("5.1", None)])
def test_half_a_star_counts_as_one(value: str, rating: int | None) -> None:
    assert read(packet(f"<xmp:Rating>{value}</xmp:Rating>"))[0].rating == rating


def test_other_prefixes_for_the_same_namespaces() -> None:
    data = packet("<q:title>T</q:title>", namespaces='xmlns:q="http://purl.org/dc/elements/1.1/"')
    assert read(data)[0].title == "T"


def test_our_prefix_for_another_namespace_is_not_ours() -> None:
    data = packet("<dc:title>T</dc:title>").replace(
        b"http://purl.org/dc/elements/1.1/", b"http://example.org/"
    )
    assert read(data)[0].title is None


def test_an_undeclared_prefix_costs_nothing() -> None:
    data = packet("<foo:bar>x</foo:bar><dc:title>T</dc:title>")
    assert read(data) == (Description(title="T"), [])


def test_structures_within_properties_are_not_taken_for_them() -> None:
    xmp, _ = read(
        packet(
            "<dc:title><rdf:Description><dc:title>inner</dc:title></rdf:Description></dc:title>"
            "<xmpMM:History><rdf:Seq><rdf:li rdf:parseType='Resource'><xmp:Rating>1</xmp:Rating></rdf:li>"
            "</rdf:Seq></xmpMM:History>"
        )
    )
    assert (xmp.title, xmp.rating) == (None, None)


def test_dates_and_offsets() -> None:
    xmp, _ = read(packet("", 'exif:DateTimeOriginal="2024-05-06T07:08:09.25+05:30"'))
    assert xmp.taken == ("2024-05-06T07:08:09.25", "+05:30")
    xmp, _ = read(packet("", 'xmp:CreateDate="2024-05"'))
    assert xmp.made == ("2024-05", None)


@pytest.mark.parametrize(
    ("latitude", "longitude", "expected"),
    [
        ("33,51.509S", "70,40.2W", (-33.85848333, -70.67)),
        ("33,51,30.54N", "70,40,12E", (33.85848333, 70.67)),
        ("-33.5", "70.25", (-33.5, 70.25)),
        ("0,0.0N", "0,0.0E", (0.0, 0.0)),
    ],
)
def test_positions(latitude: str, longitude: str, expected: tuple[float, float]) -> None:
    xmp, _ = read(
        packet(
            "",
            f'exif:GPSLatitude="{latitude}" exif:GPSLongitude="{longitude}"'
            ' exif:GPSAltitude="25/2" exif:GPSAltitudeRef="1"',
        )
    )
    assert (xmp.gps["latitude"], xmp.gps["longitude"], xmp.gps["altitude_m"]) == (*expected, -12.5)


@pytest.mark.parametrize("latitude", ["91,0N", "here", "33,51,", "1" * 400 + "N"])
def test_positions_that_are_none(latitude: str) -> None:
    xmp, warnings = read(packet("", f'exif:GPSLatitude="{latitude}" exif:GPSLongitude="1,0E"'))
    assert xmp.gps is None
    assert warnings == ["GPS: the XMP position is no position"]


def test_exposure_and_flash() -> None:
    xmp, _ = read(
        packet(
            '<exif:Flash rdf:parseType="Resource"><exif:Fired>True</exif:Fired><exif:Mode>1</exif:Mode></exif:Flash>'
            "<exif:ISOSpeedRatings><rdf:Seq><rdf:li>400</rdf:li></rdf:Seq></exif:ISOSpeedRatings>",
            'exif:ExposureTime="1/60" exif:FNumber="28/10" exif:FocalLength="35/0"',
        )
    )
    assert xmp == Description(time_s=0.0166667, f_number=2.8, iso=400, flash=True)


@pytest.mark.parametrize("encoding", ["utf-16-le", "utf-16-be", "utf-32-le", "utf-32-be"])
def test_the_other_encodings(encoding: str) -> None:
    for title in ("Zoë", "日本語", "Ж"):
        data = packet(f"<dc:title>{title}</dc:title>").decode().encode(encoding)
        assert read(data)[0].title == title
        assert read(b"http://ns.adobe.com/xap/1.0/\0" + data)[0].title == title


def test_an_entity_bomb_is_refused_before_it_grows() -> None:
    bomb = b'<?xml version="1.0"?><!DOCTYPE x [<!ENTITY a "' + b"A" * 1000 + b'">'
    for name, of in zip("bcdefgh", "abcdefg", strict=True):
        bomb += f'<!ENTITY {name} "{f"&{of};" * 10}">'.encode()
    xmp, warnings = read(bomb + b"]><x>&h;</x>")
    assert xmp == Description()
    assert warnings == ["XMP: the packet declares a document type, which is not read"]


def test_any_document_type_is_refused() -> None:
    assert read(b"<!DOCTYPE x>" + packet("<dc:title>T</dc:title>"))[0] == Description()


def test_an_external_entity_is_refused() -> None:
    xmp, warnings = read(
        b'<!DOCTYPE x [<!ENTITY e SYSTEM "file:///etc/passwd">]>' + packet("<dc:title>&e;</dc:title>")
    )
    assert xmp.title is None
    assert "document type" in warnings[0]


@pytest.mark.parametrize("around", ["dc:subject", "dc:subject xml:lang='en'"])
def test_depth_is_bounded(around: str) -> None:
    nested = "<a>" * 20_000 + "</a>" * 20_000
    xmp, warnings = read(packet(f"<dc:title>T</dc:title><{around}>{nested}</dc:subject>"))
    assert xmp == Description(title="T")
    assert "deeper" in warnings[0]


def test_a_packet_over_the_limit_is_not_read() -> None:
    assert read(b"<x>" + b" " * limits.MAX_XMP) == (Description(), ["XMP: the packet is larger than is read"])


def test_what_stands_before_the_damage_is_kept() -> None:
    data = packet("<dc:title>T</dc:title><xmp:Rating>5</xmp:Rating>")
    xmp, warnings = read(data[: data.index(b"<xmp:Rating>5") + 13])
    assert xmp.title == "T"
    assert "damaged" in warnings[0]


def test_the_extended_packet_adds_to_the_first() -> None:
    xmp, _ = read(packet("<dc:title>T</dc:title>"), packet("<xmp:Rating>2</xmp:Rating>"))
    assert (xmp.title, xmp.rating) == ("T", 2)


# --- IPTC and Photoshop -----------------------------------------------------------------------------------


def test_iptc_data_sets() -> None:
    sets = iptc((5, b"T"), (120, "Ü".encode()), (80, b"A"), (80, b"B"), (25, b"one"), (25, b"two"), (116, b"C"),
                (55, b"20240506"), (60, b"070809-0330"))  # fmt: skip
    stated = read_iptc(sets, quiet)
    assert (stated.title, stated.description, stated.artist, stated.copyright) == ("T", "Ü", "A; B", "C")
    assert stated.keywords == ["one", "two"]
    assert stated.created == ("2024-05-06T07:08:09", "-03:30")


@pytest.mark.parametrize(
    ("date", "time", "local"),
    [(b"20240500", None, "2024-05"), (b"20240000", None, "2024"), (b"20240506", b"bad", "2024-05-06"),
     (b"2024:05:06", None, "2024-05-06"), (b"20240506", b"070809", "2024-05-06T07:08:09"),
     (b"20240506", b"0708", "2024-05-06T07:08"), (b"20240506", b"07:08+0200", "2024-05-06T07:08")],
)  # fmt: skip
def test_partial_iptc_dates(date: bytes, time: bytes | None, local: str) -> None:
    stated = read_iptc(iptc((55, date), *([(60, time)] if time else [])), quiet)
    assert stated.created is not None
    assert stated.created.local == local


def test_zero_iptc_dates_are_none() -> None:
    assert read_iptc(iptc((55, b"00000000")), quiet).created is None


def test_iptc_without_a_character_set_may_be_latin_1() -> None:
    assert read_iptc(iptc((5, "Ü".encode("latin-1")), utf8=False), quiet).title == "Ü"


def test_extended_lengths_and_damage() -> None:
    long = b"\x1c\x02\x78\x80\x04" + struct.pack(">I", 40000) + b"x" * 40000
    assert len(read_iptc(long, quiet).description or "") == 40000
    warnings: list[str] = []
    assert read_iptc(iptc((5, b"T"), (120, b"cut off"))[:-2], warnings.append).title == "T"
    assert read_iptc(iptc((5, b"T")) + b"?????", warnings.append).title == "T"
    assert warnings == ["IPTC: the block is cut off", "IPTC: the block is damaged"]


def test_resources_hand_over_the_blocks_in_them() -> None:
    found = Found()
    resolution = struct.pack(">IHHIHH", 300 << 16, 1, 1, 150 << 16, 1, 1)
    read_resources(
        resource(0x03ED, resolution)
        + resource(0x0404, b"iptc!")
        + resource(0x0424, b"xmp")
        + resource(1, b""),
        found,
    )
    assert (found.dpi, found.iptc, found.xmp, found.warnings) == ((300.0, 150.0), b"iptc!", b"xmp", [])


def test_damaged_resources_keep_those_before() -> None:
    found = Found()
    read_resources(resource(0x0404, b"iptc") + b"8BIM\x04", found)
    read_resources(resource(0x0424, b"xmp") + b"JUNKJUNKJUNKJUNK", found)
    assert (found.iptc, found.xmp, found.warnings) == (
        b"iptc",
        b"xmp",
        ["Photoshop: the resources are damaged"],
    )


# --- ICC --------------------------------------------------------------------------------------------------


def test_descriptions_of_both_versions() -> None:
    assert description(profile(desc("sRGB IEC61966-2.1")), quiet) == "sRGB IEC61966-2.1"
    assert (
        description(profile((b"cprt", b"text"), mluc((b"deDE", "Anzeige"), (b"enUS", "Display P3"))), quiet)
        == "Display P3"
    )
    assert description(profile(mluc((b"deDE", "Anzeige"))), quiet) == "Anzeige"
    assert description(profile(mluc((b"deDE", "Anzeige"), (b"enGB", "Colour"))), quiet) == "Colour"


@pytest.mark.parametrize(
    "data", [b"", bytes(131), profile(), profile((b"desc", b"")), profile((b"desc", b"what????????"))]
)
def test_profiles_without_a_description_are_said(data: bytes) -> None:
    warnings: list[str] = []
    assert description(data, warnings.append) is None
    assert len(warnings) == 1


def test_only_the_description_of_a_large_profile_is_read() -> None:
    data = profile(desc("Wide"), (b"A2B0", bytes(500_000)), padding=200_000)
    asked: list[int] = []

    def read_at(offset: int, length: int) -> bytes:
        asked.append(length)
        return data[offset : offset + length]

    assert description(essence(read_at, len(data)), quiet) == "Wide"
    assert sum(asked) < 1000
