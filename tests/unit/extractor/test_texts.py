"""Texts in every character set that writers use: told as they are meant, and never with control characters."""

from __future__ import annotations

import json
import unicodedata
from collections.abc import Callable

import pytest

from image_metadata.characters import decode, decode_utf16
from tests.support.builders import (
    Value,
    box,
    chunk,
    damaged_twins,
    desc,
    gif,
    iptc,
    jpeg,
    metadata_of,
    packet,
    png,
    profile,
    resource,
    segment,
    tiff,
)

TEXTS = [
    "Zürich", "“Zürich” – €", "café", "Déjà vu à Orléans", "don’t", "Straße", "España 1990–2000", "Citroën C4…",
    "© Jörg Müller", "Œuvre – ‘naïve’", "Ærøskøbing", "£5 or €6 • now", "Łódź",
    "New York–London", "one—two…three", "„Wort“ »Wort« ‚Wort‘", "N° 5, 1ª, nº 5", "it´s THÉO D’ARC", "¿Qué? ¡No!",
    "Zé & Été",
]  # fmt: skip
#: What Mac Roman writes in places where Windows-1252 has other letters, so that only the words tell.
MAC_TEXTS = [
    "Zürich",
    "café",
    "Élève à l’école",
    "Château fort",
    "“Hello”",
    "don’t",
    "März",
    "São Tomé",
    "très où ça",
    "Noël",
    "naïve",
    "École",
    "Bjørn",
    "Øresund",
    "Über alles",
    "FRANÇOIS, 1990–2000",
    "un DÓLAR – Ü",
    "Israël, naïf",
]


def in_iptc(data: bytes, envelope: bytes = b"") -> str | None:
    sets = envelope + iptc((5, data), utf8=False)
    return metadata_of(jpeg(segment(0xED, b"Photoshop 3.0\0" + resource(0x0404, sets)))).title


def in_exif(data: bytes) -> str | None:
    return metadata_of(jpeg(exif=tiff({0x010E: (2, data + b"\0")}))).description


def in_copyright(data: bytes) -> str | None:
    return metadata_of(jpeg(exif=tiff({0x8298: (2, b" \0" + data + b"\0")}))).copyright


def in_comment(data: bytes) -> str | None:
    return metadata_of(jpeg(segment(0xFE, data))).description


def in_gif(data: bytes) -> str | None:
    return metadata_of(gif(b"\x21\xfe" + bytes([len(data)]) + data + b"\0")).description


def in_png(data: bytes) -> str | None:
    return metadata_of(png(chunk(b"tEXt", b"Title\0" + data))).title


BLOCKS: list[Callable[[bytes], str | None]] = [in_iptc, in_exif, in_copyright, in_comment, in_gif, in_png]


@pytest.mark.parametrize("told", BLOCKS)
@pytest.mark.parametrize("text", TEXTS)
def test_every_block_reads_utf8_and_windows_1252(told: Callable[[bytes], str | None], text: str) -> None:
    assert told(text.encode()) == text
    assert told(b"\xef\xbb\xbf" + text.encode()) == text
    if text != "Łódź":
        assert told(text.encode("cp1252")) == text


@pytest.mark.parametrize("told", BLOCKS)
@pytest.mark.parametrize("text", MAC_TEXTS)
def test_every_block_reads_mac_roman(told: Callable[[bytes], str | None], text: str) -> None:
    assert told(text.encode("mac_roman")) == text


@pytest.mark.parametrize("told", BLOCKS)
def test_no_byte_becomes_a_control_character(told: Callable[[bytes], str | None]) -> None:
    for code in range(1, 256):
        for data in (b"a%cb" % code, b"%c" % code, chr(code).encode() + b"x", b"\x8d%c" % code):
            text = told(data) or ""
            assert [
                char for char in text if unicodedata.category(char) == "Cc" and char not in "\t\r\n"
            ] == []


def test_a_text_that_was_cut_within_a_character_is_utf8() -> None:
    assert decode("Grüße aus Zürich".encode()[:-5]) == "Grüße aus Z"
    assert decode("Andr\xe9".encode("cp1252")) == "André"


@pytest.mark.parametrize(
    ("envelope", "data", "text"),
    [
        (b"\x1b%G", "Łódź".encode(), "Łódź"),
        (b"\x1b%/I", "Łódź".encode(), "Łódź"),
        (b"\x1b-A", "Ã¼".encode("latin-1"), "Ã¼"),  # what would be UTF-8 is Latin-1 where that is declared
        (b"\x1b.A", "Zürich".encode("latin-1"), "Zürich"),
        (b"\x1b-B", "Łódź".encode("iso8859-2"), "Łódź"),
        (b"\x1b(B\x1b-L", "Москва".encode("iso8859-5"), "Москва"),
        (b"\x1b.F", "Αθήνα".encode("iso8859-7"), "Αθήνα"),
        (b"\x1b-M", "İstanbul şehri".encode("iso8859-9"), "İstanbul şehri"),
        (b"\x1b-b", "5 €".encode("iso8859-15"), "5 €"),
        # Declared and not so written.
        (b"\x1b%G", "Zürich".encode("cp1252"), "Zürich"),
        (b"\x1b%G", "Zürich".encode("mac_roman"), "Zürich"),
        (b"?", "Zürich".encode(), "Zürich"),
        (b"", "Zürich".encode(), "Zürich"),
    ],
)
def test_iptc_is_read_in_its_declared_set_first(envelope: bytes, data: bytes, text: str) -> None:
    assert in_iptc(data, b"\x1c\x01\x5a" + len(envelope).to_bytes(2, "big") + envelope) == text


def test_windows_1252_that_was_taken_for_latin_1_is_put_right() -> None:
    text = "“Zürich” – €"
    wrong = text.encode("cp1252").decode("latin-1")
    assert in_exif(wrong.encode()) == text
    assert metadata_of(jpeg(xmp=packet(f"<dc:title>{wrong}</dc:title>"))).title == text
    assert metadata_of(jpeg(xmp=packet(f"<dc:subject><rdf:Bag><rdf:li>{wrong}</rdf:li></rdf:Bag></dc:subject>"))
                       ).keywords == [text]  # fmt: skip


def test_byte_order_marks_are_gone() -> None:
    mark = "\ufeff"
    title = "<dc:title>{}</dc:title><dc:subject><rdf:Bag><rdf:li>{}</rdf:li><rdf:li>{}</rdf:li></rdf:Bag></dc:subject>"
    metadata = metadata_of(jpeg(xmp=packet(title.format(f"{mark}A title", f"{mark}one", mark))))
    assert (metadata.title, metadata.keywords) == ("A title", ["one"])
    assert in_exif("A title".encode("utf-16")) == "A title"
    assert in_comment(b"\xfe\xff" + "Zürich".encode("utf-16-be")) == "Zürich"
    windows: dict[int, Value] = {0x9C9B: (1, f"{mark}A title\0".encode("utf-16-le"))}
    assert metadata_of(jpeg(exif=tiff(windows))).title == "A title"
    assert metadata_of(png(chunk(b"iTXt", f"Title\0\0\0\0\0{mark}A title".encode()))).title == "A title"


def test_a_source_of_nothing_but_marks_gives_way() -> None:
    sets = segment(0xED, b"Photoshop 3.0\0" + resource(0x0404, iptc((5, b"of IPTC"))))
    metadata = metadata_of(jpeg(sets, xmp=packet("<dc:title>\ufeff \x7f\x81</dc:title>")))
    assert metadata.title == "of IPTC"


def test_the_names_of_profiles_are_texts_as_others() -> None:
    name = b"desc", b"desc\0\0\0\0\0\0\0\x09" + "Zürich".encode("cp1252") + b"\x99\0" + bytes(78)
    for tags, told in ((name, "Zürich™"), (desc("Plain"), "Plain")):
        icc = b"ICC_PROFILE\0\1\1" + profile(tags)
        assert metadata_of(jpeg(segment(0xE2, icc))).color_profile == told


@pytest.mark.parametrize(
    ("keyword", "field"),
    [
        ("title", "title"), ("TITLE", "title"), ("author", "artist"), ("COPYRIGHT", "copyright"),
        ("comment", "description"), ("description", "description"), ("software", "software"),
        ("CreationTime", "taken_at"), ("creation time", "taken_at"), ("Creation Time", "taken_at"),
    ],
)  # fmt: skip
@pytest.mark.parametrize("kind", [b"tEXt", b"iTXt"])
def test_png_keywords_in_any_case(keyword: str, field: str, kind: bytes) -> None:
    value = "2024-05-06T07:08:09"
    between = b"\0" if kind == b"tEXt" else b"\0\0\0\0\0"
    metadata = metadata_of(png(after=[chunk(kind, keyword.encode() + between + value.encode())]))
    assert getattr(metadata, field) == value
    if field == "taken_at":
        assert metadata.taken_at_source == "PNG Creation Time"


def test_the_first_of_two_png_texts_counts() -> None:
    texts = [chunk(b"tEXt", b"title\0 "), chunk(b"tEXt", b"TITLE\0first"), chunk(b"tEXt", b"Title\0second")]
    assert metadata_of(png(*texts)).title == "first"


# --- the user comment ----------------------------------------------------------------------------------------


def remarked(value: bytes, order: str = "<", kind: int = 7) -> str | None:
    return metadata_of(jpeg(exif=tiff({}, {0x9286: (kind, value)}, order=order))).description


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (b"ASCII\0\0\0A remark", "A remark"),
        (b"ASCII\0\0\0A remark\0\0\0   ", "A remark"),
        (b"ASCII\0\0\0" + "Zürich".encode(), "Zürich"),
        (b"ASCII\0\0\0" + "Zürich".encode("cp1252"), "Zürich"),
        (bytes(8) + "Zürich".encode(), "Zürich"),
        (b"UNICODE\0" + "Zürich".encode("utf-16-le"), "Zürich"),
        (b"UNICODE\0" + "Zürich".encode("utf-16-be"), "Zürich"),
        (b"UNICODE\0" + "Zürich".encode("utf-16"), "Zürich"),
        (b"Unicode\0" + "Zürich".encode("utf-16-le"), "Zürich"),
        (b"JIS\0\0\0\0\0" + "日本語".encode("iso2022_jp"), "日本語"),
        (b"JIS\0\0\0\0\0" + "日本語".encode("shift_jis"), "日本語"),
        (b"A remark without a code", "A remark without a code"),
        (b"ASCII   A remark", "A remark"),
        (b"UNICODE " + "Zürich".encode("utf-16-le"), "Zürich"),
        (b"JIS     " + "日本語".encode("iso2022_jp"), "日本語"),
        (b"ASCII\0\0\0" + "Zürich".encode("utf-16"), "Zürich"),
        (b"ASCII\0", None),
        # Not stated: blanks, zeros, noise, a code alone.
        (b"ASCII\0\0\0" + b" " * 40, None),
        (bytes(264), None),
        (bytes(8) + b"\xff" * 30, None),
        (bytes(8) + bytes(range(1, 60)), None),
        (b"\x08\x01\x02\x7f\x90\x03" + bytes(20), None),
        (b"ASCII\0\0\0", None),
        (b"UNICODE\0", None),
        (b"ASC", "ASC"),
        (b"", None),
    ],
)
@pytest.mark.parametrize("order", ["<", ">"])
def test_a_user_comment_stands_in_for_a_description(value: bytes, text: str | None, order: str) -> None:
    assert remarked(value, order) == text


def test_any_other_description_goes_before_the_user_comment() -> None:
    exif = tiff({}, {0x9286: (7, b"ASCII\0\0\0remark")})
    assert metadata_of(jpeg(segment(0xFE, b"of the file"), exif=exif)).description == "of the file"
    assert (
        metadata_of(jpeg(exif=exif, xmp=packet("<dc:description>of XMP</dc:description>"))).description
        == "of XMP"
    )
    xmp = packet(
        '<exif:UserComment><rdf:Alt><rdf:li xml:lang="x-default">of XMP</rdf:li></rdf:Alt></exif:UserComment>'
    )
    assert metadata_of(jpeg(exif=exif, xmp=xmp)).description == "remark"
    assert metadata_of(jpeg(xmp=xmp)).description == "of XMP"


@pytest.mark.parametrize("text", ["第一天", "一", "Ā", "开;需;最", "대한민국", "N"])
def test_utf16_is_read_in_its_blocks_byte_order_where_zeros_tell_little(text: str) -> None:
    little, big = text.encode("utf-16-le"), text.encode("utf-16-be")
    stored = metadata_of(jpeg(exif=tiff({0x9C9B: (1, little + bytes(2))})))
    assert stored.title == text
    assert decode_utf16(big, True) == decode_utf16(little, False) == text
    assert remarked(b"UNICODE\0" + little) == remarked(b"UNICODE\0" + big, ">") == text


def test_the_character_set_is_told_by_what_stands_behind_much_ascii() -> None:
    written = "a" * 5_000 + " Zürich"
    assert in_exif(written.encode("mac_roman")) == written == in_exif(written.encode("cp1252"))


def test_utf16_shows_its_byte_order() -> None:
    assert decode_utf16("日本".encode("utf-16-be"), True) == "日本"
    assert decode_utf16("日本".encode("utf-16-le"), False) == "日本"
    assert decode_utf16(b"\0", False) is None


# --- comments of JPEG 2000 and Netpbm ------------------------------------------------------------------------

SIZ = b"\xff\x4f\xff\x51\0\x2f" + bytes(2) + b"".join(
    number.to_bytes(4, "big") for number in (48, 32, 0, 0, 48, 32, 0, 0)
) + b"\0\3" + b"\7\1\1" * 3  # fmt: skip


def comment(text: bytes, kind: int = 1) -> bytes:
    return b"\xff\x64" + (len(text) + 4).to_bytes(2, "big") + kind.to_bytes(2, "big") + text


def jp2(codestream: bytes, *boxes: bytes) -> bytes:
    header = box(b"ihdr", (32).to_bytes(4, "big"), (48).to_bytes(4, "big"), b"\0\3\7\7\0\0")
    start = b"\0\0\0\x0cjP  \r\n\x87\n" + box(b"ftyp", b"jp2 ", bytes(4), b"jp2 ")
    return start + box(b"jp2h", header) + b"".join(boxes) + box(b"jp2c", codestream)


@pytest.mark.parametrize("wrap", [lambda codestream: codestream, jp2])
def test_comments_of_jpeg_2000(wrap: Callable[[bytes], bytes]) -> None:
    style = b"\xff\x52\0\x0c" + bytes(10)
    tile = b"\xff\x90\0\x0a" + bytes(8)
    data = wrap(
        SIZ + style + comment(b"\1\2\3", 0) + comment("Zürich".encode("latin-1")) + comment(b"more") + tile
    )
    metadata = metadata_of(data)
    assert (metadata.status, metadata.width, metadata.description) == ("ok", 48, "Zürich\nmore")
    assert metadata_of(wrap(SIZ + tile + comment(b"pixels"))).description is None
    for twin in damaged_twins(data):
        assert metadata_of(twin).status in ("ok", "corrupt", "unsupported", "too_large")


def test_xmp_of_jpeg_2000_stands_in_an_xml_box_too() -> None:
    assert metadata_of(jp2(SIZ, box(b"xml ", packet("<dc:title>T</dc:title>")))).title == "T"
    assert (
        metadata_of(
            jp2(SIZ, box(b"xml ", b"<gml:grid/>"), box(b"xml ", packet("<dc:title>T</dc:title>")))
        ).title
        == "T"
    )


@pytest.mark.parametrize(
    ("data", "text"),
    [
        (b"P6\n# Created by GIMP\n48 32\n255\n" + bytes(48), "Created by GIMP"),
        (b"P5 48 #width\n32 # height\n255\n#pixels", "width\nheight"),
        (b"P4\n# " + "Zürich".encode("cp1252") + b"\n48 32\n" + bytes(9), "Zürich"),
        (b"P6\n#\n48 32\n255\n", None),
        (b"P7\n# A PAM\nWIDTH 48\nHEIGHT 32\n#more\nDEPTH 3\nMAXVAL 255\nENDHDR\n#pixels\n", "A PAM\nmore"),
    ],
)
def test_comments_of_netpbm(data: bytes, text: str | None) -> None:
    metadata = metadata_of(data)
    assert (metadata.width, metadata.height, metadata.description) == (48, 32, text)
    for twin in damaged_twins(data):
        json.dumps(metadata_of(twin).to_dict())
