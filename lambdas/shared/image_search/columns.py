"""The columns of the catalogue: one vocabulary for rows, Parquet, SQL, `/search/queryables` and the Glue table.

A column is named as the record names the field: `camera.make` is the member `make` of the struct `camera`. A new field
of the record is one line here; tests/contract/test_columns.py names it until it stands here.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

TEXT, INTEGER, NUMBER, BOOLEAN = "text", "integer", "number", "boolean"
TEXTS, NUMBERS = "texts", "numbers"
#: Times are texts whose order is the order of time: in UTC with milliseconds, or local and as precise as is known.
TIME, LOCAL_TIME = "time", "local time"

_SQL_TYPES = {
    TEXT: "VARCHAR",
    INTEGER: "BIGINT",
    NUMBER: "DOUBLE",
    BOOLEAN: "BOOLEAN",
    TEXTS: "VARCHAR[]",
    NUMBERS: "DOUBLE[]",
    TIME: "VARCHAR",
    LOCAL_TIME: "VARCHAR",
}
_GLUE_TYPES = {
    "VARCHAR": "string",
    "BIGINT": "bigint",
    "DOUBLE": "double",
    "BOOLEAN": "boolean",
    "VARCHAR[]": "array<string>",
    "DOUBLE[]": "array<double>",
}
_JSON_SCHEMAS: dict[str, dict[str, Any]] = {
    TEXT: {"type": "string"},
    INTEGER: {"type": "integer"},
    NUMBER: {"type": "number"},
    BOOLEAN: {"type": "boolean"},
    TEXTS: {"type": "array", "items": {"type": "string"}},
    NUMBERS: {"type": "array", "items": {"type": "number"}},
    TIME: {"type": "string", "format": "date-time"},
    LOCAL_TIME: {"type": "string", "pattern": "^[0-9]{4}(-[0-9]{2}(-[0-9]{2}(T.*)?)?)?$"},
}
_LARGEST_INTEGER = 2**63 - 1


@dataclass(frozen=True)
class Column:
    """One field of the record; `few`: it takes few values, so that counting images by value says something."""

    name: str
    kind: str
    meaning: str
    few: bool = False

    @property
    def path(self) -> tuple[str, ...]:
        """Where the record holds it: ("camera", "make")."""
        return tuple(self.name.split("."))

    @property
    def sql(self) -> str:
        """The column in SQL."""
        return ".".join(f'"{step}"' for step in self.path)


COLUMNS: tuple[Column, ...] = (
    Column("image_id", TEXT, "the object's key"),
    Column("bucket", TEXT, "the object's bucket", few=True),
    Column("size", INTEGER, "bytes"),
    Column("etag", TEXT, "the object's ETag; equal size and ETag are equal bytes"),
    Column("version_id", TEXT, "the object's version, in a versioned bucket"),
    Column("uploaded_at", TIME, "when it was uploaded, in UTC"),
    Column("filename", TEXT, "the file's name at its uploader"),
    Column("status", TEXT, "ok, unsupported, corrupt or too_large", few=True),
    Column("error", TEXT, "why the status is not ok"),
    Column("format", TEXT, "JPEG, PNG, HEIF, ...", few=True),
    Column("content_type", TEXT, "media type, judged from the bytes", few=True),
    Column("declared_content_type", TEXT, "what the uploader claimed, when that differs", few=True),
    Column("width", INTEGER, "pixels as stored"),
    Column("height", INTEGER, "pixels as stored"),
    Column("orientation", INTEGER, "EXIF 1 to 8", few=True),
    Column("display_width", INTEGER, "pixels as shown"),
    Column("display_height", INTEGER, "pixels as shown"),
    Column("color_mode", TEXT, "RGB, RGBA, CMYK, L, P, ...", few=True),
    Column("bit_depth", INTEGER, "bits per channel", few=True),
    Column("has_alpha", BOOLEAN, "whether it has transparency", few=True),
    Column("color_profile", TEXT, "the ICC profile's description", few=True),
    Column("dpi", NUMBERS, "resolution in x and y"),
    Column("frames", INTEGER, "pictures or pages in the file"),
    Column("animated", BOOLEAN, "whether it moves", few=True),
    Column("duration_ms", INTEGER, "one pass through the animation"),
    Column("loop", INTEGER, "how often the animation is played; 0: for ever", few=True),
    Column("taken_at", LOCAL_TIME, "the camera's local time"),
    Column("taken_at_offset", TEXT, "its offset from UTC, where stated", few=True),
    Column("taken_at_source", TEXT, "where the time was read", few=True),
    Column("camera.make", TEXT, "maker", few=True),
    Column("camera.model", TEXT, "model", few=True),
    Column("camera.lens", TEXT, "lens", few=True),
    Column("camera.serial", TEXT, "serial number", few=True),
    Column("exposure.time_s", NUMBER, "seconds"),
    Column("exposure.f_number", NUMBER, "aperture"),
    Column("exposure.iso", INTEGER, "sensitivity"),
    Column("exposure.focal_length_mm", NUMBER, "focal length"),
    Column("exposure.focal_length_35mm", NUMBER, "the same for a 35 mm film"),
    Column("exposure.flash", BOOLEAN, "whether it fired", few=True),
    Column("gps.latitude", NUMBER, "degrees, north positive"),
    Column("gps.longitude", NUMBER, "degrees, east positive"),
    Column("gps.altitude_m", NUMBER, "metres above the sea"),
    Column("gps.unsigned", BOOLEAN, "true where the file does not state whether south or west", few=True),
    Column("has_gps", BOOLEAN, "whether the file states a position", few=True),
    Column("title", TEXT, "title"),
    Column("description", TEXT, "description"),
    Column("artist", TEXT, "author", few=True),
    Column("copyright", TEXT, "copyright notice", few=True),
    Column("keywords", TEXTS, "keywords", few=True),
    Column("rating", INTEGER, "stars", few=True),
    Column("software", TEXT, "what wrote the file", few=True),
    Column("warnings", TEXTS, "damage that cost a block of metadata", few=True),
    Column(
        "pixels.phash",
        TEXT,
        "64 bits of a perceptual hash, in hexadecimal; alike in few bits is alike to look at",
    ),
    Column("pixels.thumbhash", TEXT, "a blurred picture in 25 bytes (ThumbHash), in base64"),
    Column("pixels.average_color", TEXT, "as #rrggbb"),
    Column("pixels.brightness", NUMBER, "0 (black) to 1 (white)"),
    Column("pixels.sharpness", NUMBER, "some hundreds for a sharp photograph, under 20 for a blurred one"),
    Column("pixels.error", TEXT, "why nothing is known of the pixels"),
    Column("extractor_version", INTEGER, "which extractor wrote the record", few=True),
)
BY_NAME = {column.name: column for column in COLUMNS}

#: Columns beside the record's. `words`: what a search for words looks in (`fold`). `revision`: the item's, by which
#: table and snapshot are compared. `sequence`: the change's place in the table's stream; an image's highest counts.
INTERNAL = ("words", "revision", "sequence")
_WORDS_OF = ("title", "description", "keywords", "filename")


def sql_types() -> dict[str, str]:
    """DuckDB's type of every top-level column of the snapshot, in order."""
    types: dict[str, str] = {}
    for name, members in _top_level():
        if name in BY_NAME:
            types[name] = _SQL_TYPES[BY_NAME[name].kind]
        else:
            fields = (f'"{column.path[1]}" {_SQL_TYPES[column.kind]}' for column in members)
            types[name] = f"STRUCT({', '.join(fields)})"
    return types | dict.fromkeys(INTERNAL, "VARCHAR")


def glue_columns() -> list[tuple[str, str]]:
    """Name and type of every top-level column as the Glue table (Athena) has them."""
    columns: list[tuple[str, str]] = []
    for name, members in _top_level():
        if name in BY_NAME:
            columns.append((name, _GLUE_TYPES[_SQL_TYPES[BY_NAME[name].kind]]))
        else:
            fields = (f"{column.path[1]}:{_GLUE_TYPES[_SQL_TYPES[column.kind]]}" for column in members)
            columns.append((name, f"struct<{','.join(fields)}>"))
    return columns + [(name, "string") for name in INTERNAL]


def queryables() -> dict[str, Any]:
    """The JSON Schema of what a filter may name (OGC API Features part 3, "Queryables").

    Its `$id` is relative to the address that it is read from, so that it is right behind every stage and domain.
    """
    properties = {
        column.name: _JSON_SCHEMAS[column.kind] | {"description": column.meaning} for column in COLUMNS
    }
    properties["gps"] = {
        "description": "the position, for S_INTERSECTS",
        "$ref": "https://geojson.org/schema/Point.json",
    }
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$id": "queryables",
        "type": "object",
        "title": "Images",
        "properties": properties,
        "additionalProperties": False,
    }


def row_of(record: dict[str, Any]) -> dict[str, Any]:
    """The record as a row: every column that it fills, in its column's type; what does not fit the type is left out."""
    row: dict[str, Any] = {}
    for column in COLUMNS:
        value = _typed(value_of(record, column.path), column.kind)
        if value is None:
            continue
        if len(column.path) == 1:
            row[column.name] = value
        else:
            row.setdefault(column.path[0], {})[column.path[1]] = value
    if words := words_of(row):
        row["words"] = words
    return row


def record_of_row(row: dict[str, Any]) -> dict[str, Any]:
    """The record that a row of the snapshot holds: what is unknown is absent, a whole number is one."""
    record: dict[str, Any] = {}
    for name, value in row.items():
        value = _told(value)
        if value is not None and value != {} and name not in INTERNAL:
            record[name] = value
    return record


def flat_names(fields: Sequence[str] = ()) -> list[str]:
    """The columns that these fields are, a group being all of its members; all columns where there are none."""
    if not fields:
        return list(BY_NAME)
    wanted = ("image_id", *fields)
    return [name for name in BY_NAME if name in wanted or name.split(".")[0] in wanted]


def words_of(row: dict[str, Any]) -> str:
    """The words of an image's title, description, keywords and file name, folded, each after a space."""
    texts: list[str] = []
    for name in _WORDS_OF:
        value = row.get(name) or ()
        texts += [value] if isinstance(value, str) else value
    words = dict.fromkeys(word for text in texts for word in split_words(text))
    return "".join(f" {word}" for word in words)


def split_words(text: str) -> list[str]:
    """The words of a text, folded: `Crème brûlée_2.JPG` is creme, brulee, 2, jpg."""
    return "".join(char if char.isalnum() else " " for char in fold(text)).split()


def fold(text: str) -> str:
    """The text without case and accents (Unicode, section 3.13: compatibility decomposition, case folding)."""
    decomposed = unicodedata.normalize("NFKD", text.casefold())
    return "".join(char for char in decomposed if not unicodedata.combining(char))


def _top_level() -> Iterator[tuple[str, list[Column]]]:
    groups: dict[str, list[Column]] = {}
    for column in COLUMNS:
        groups.setdefault(column.path[0], []).append(column)
    yield from groups.items()


def value_of(record: Any, path: tuple[str, ...]) -> Any:
    """What a record holds at a column's path; None: nothing."""
    for step in path:
        record = record.get(step) if isinstance(record, dict) else None
    return record


def _typed(value: Any, kind: str) -> Any:
    if kind in (TEXTS, NUMBERS):
        if not isinstance(value, list | tuple):
            return None
        entries = [_typed(entry, TEXT if kind == TEXTS else NUMBER) for entry in value]
        return [entry for entry in entries if entry is not None] or None
    if kind == BOOLEAN:
        return value if isinstance(value, bool) else None
    if kind in (INTEGER, NUMBER):
        if isinstance(value, bool) or not isinstance(value, int | float):
            return None
        if kind == NUMBER:
            return float(value) if abs(value) < float("inf") else None
        return int(value) if value == value // 1 and abs(value) <= _LARGEST_INTEGER else None
    return value if isinstance(value, str) else None


def _told(value: Any) -> Any:
    if isinstance(value, float):
        return int(value) if value.is_integer() else value
    if isinstance(value, list):
        return [_told(entry) for entry in value]
    if isinstance(value, dict):
        return {name: _told(entry) for name, entry in value.items() if entry is not None}
    return value
