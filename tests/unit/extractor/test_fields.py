"""The table of fields: every source in it is read, and docs/extractor.md lists them all."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

from image_metadata.fields import FIELDS, Field, Kind, Source
from image_metadata.model import ImageMetadata, record_fields
from tests.support.builders import Value, chunk, iptc, jpeg, metadata_of, packet, png, resource, segment, tiff
from tests.support.fields import name_in_record

DOCUMENT = Path(__file__).parents[3] / "docs" / "extractor.md"
DATES = ("taken", "created", "digitized", "made")
#: What states nothing in the record by itself, and which tests cover it.
HELPERS = {
    "remark": "test_texts.test_a_user_comment_stands_in_for_a_description",
    "changed": "test_extract.test_offset_and_fraction_come_from_every_source_of_the_very_same_second",
}
SOURCES = [
    (field, source) for field in FIELDS.values() if field.name not in HELPERS for source in field.sources
]
#: What states no field of its own in any block.
OF_THE_READING = {"status", "error", "warnings", "extractor_version"}

#: Kind -> how a block writes a value, and the value.
EXIF: dict[Kind, tuple[Value, Any]] = {
    Kind.TEXT: ((2, "Zoë"), "Zoë"),
    Kind.NAMES: ((2, "Zoë"), "Zoë"),
    Kind.INTEGER: ((3, 3), 3),
    Kind.REAL: ((5, (4, 2)), 2),
    Kind.FIRED: ((3, 1), True),
    Kind.RESOLUTION: ((5, (300, 1)), (300.0, 300.0)),
    Kind.MOMENT: ((2, "2024:05:06 07:08:09"), "2024-05-06T07:08:09"),
}
TEXTS: dict[Kind, tuple[str, Any]] = {
    Kind.TEXT: ("Zoë", "Zoë"),
    Kind.NAMES: ("Zoë", "Zoë"),
    Kind.WORDS: ("Zoë", ["Zoë"]),
    Kind.INTEGER: ("3", 3),
    Kind.REAL: ("4/2", 2),
    Kind.FIRED: ("True", True),
    Kind.MOMENT: ("2024-05-06T07:08:09", "2024-05-06T07:08:09"),
}
PLACE = {"latitude": 33.5, "longitude": 70.5}


def bounded(bounds: tuple[int, int], value: int) -> int:
    """The value, or the nearest within the bounds."""
    least, most = bounds
    return min(max(value, least), most)


def exif(field: Field, source: Source) -> tuple[bytes, Any]:
    if field.kind is Kind.POSITION:
        return jpeg(
            exif=tiff({}, None, {1: (2, "N"), 2: (5, [(67, 2)]), 3: (2, "E"), 4: (5, [(141, 2)])})
        ), PLACE
    if source.name.startswith("XP"):
        value = (1, "Zoë\0".encode("utf-16-le"))
        return jpeg(exif=tiff({source.key: value})), ["Zoë"] if field.kind is Kind.WORDS else "Zoë"
    value, expected = EXIF[field.kind]
    if field.bounds:
        expected = bounded(field.bounds, expected)
        value = (value[0], expected)
    if source.name == "ShutterSpeedValue":
        expected = 0.25  # 2 to the power of -2
    return jpeg(exif=tiff({source.key: value})), expected


def xmp(field: Field, source: Source) -> tuple[bytes, Any]:
    name, _, part = source.name.partition("/")
    if field.kind is Kind.POSITION:
        return jpeg(xmp=packet("", 'exif:GPSLatitude="33,30N" exif:GPSLongitude="70,30E"')), PLACE
    if field.kind is Kind.RESOLUTION:
        return jpeg(xmp=packet("", f'{name}="300" {source.beside[0]}="300"')), (300.0, 300.0)
    text, expected = TEXTS[field.kind]
    if field.bounds:
        expected = bounded(field.bounds, expected)
        text = str(expected)
    text = f"<{part}>{text}</{part}>" if part else text
    return jpeg(
        xmp=packet(
            f"<{name} rdf:parseType='Resource'>{text}</{name}>" if part else f"<{name}>{text}</{name}>"
        )
    ), expected


def iptc_set(field: Field, source: Source) -> tuple[bytes, Any]:
    text, expected = ("20240506", "2024-05-06") if field.kind is Kind.MOMENT else TEXTS[field.kind]
    sets = iptc((source.key, text.encode()))
    return jpeg(segment(0xED, b"Photoshop 3.0\0" + resource(0x0404, sets))), expected


def png_text(field: Field, source: Source) -> tuple[bytes, Any]:
    text, expected = TEXTS[field.kind]
    return png(chunk(b"iTXt", source.name.encode() + b"\0\0\0\0\0" + text.encode())), expected


def value_of(metadata: ImageMetadata, field: Field) -> Any:
    if field.name in DATES:
        return metadata.taken_at
    return getattr(metadata, field.within)[field.name] if field.within else getattr(metadata, field.name)


@pytest.mark.parametrize(
    ("field", "source"), SOURCES, ids=[f"{field.name}-{source}" for field, source in SOURCES]
)
def test_every_source_is_read(field: Field, source: Source) -> None:
    make = {"EXIF": exif, "XMP": xmp, "IPTC": iptc_set, "PNG": png_text}[source.block]
    data, expected = make(field, source)
    metadata = metadata_of(data)
    assert value_of(metadata, field) == expected
    assert metadata.warnings == []
    if field.name in DATES:
        assert metadata.taken_at_source == str(source)


def test_every_field_has_its_place_in_the_record() -> None:
    names = set(map(name_in_record, FIELDS.values()))
    assert names - set(DATES) - set(HELPERS) - {"gps"} <= set(record_fields())


# --- the document -------------------------------------------------------------------------------------------


def documented() -> dict[str, str]:
    """Field -> its cell of sources."""
    text = DOCUMENT.read_text(encoding="utf-8")
    table = text[text.index("| field | sources, in order |") :].partition("\n\n")[0]
    rows = [line.strip("| ").split(" | ") for line in table.splitlines()[2:]]
    return {name: cell for names, cell in rows for name in names.split(", ")}


def test_the_document_lists_every_field_of_the_record() -> None:
    assert set(documented()) == set(record_fields()) - OF_THE_READING


@pytest.mark.parametrize("field", [name for name in record_fields() if name not in OF_THE_READING])
def test_the_document_lists_the_sources_in_order(field: str) -> None:
    last = field.rpartition(".")[2]
    names = {
        "taken_at": DATES,
        "taken_at_source": DATES,
        "taken_at_offset": ("changed",),
        "description": ("description", "remark"),
    }.get(field, ("gps",) if field.startswith("gps.") else (last,))
    expected = [str(source) for name in names if name in FIELDS for source in FIELDS[name].sources]
    assert field in documented(), f"docs/extractor.md has no row of {field}"
    assert re.findall(r"`((?:EXIF|XMP|IPTC|PNG) [^`]+)`", documented()[field]) == expected
