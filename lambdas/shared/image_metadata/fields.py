"""What metadata blocks state about an image: every field with its sources, the best one first.

A new field is one line of `Description`. The readers of the blocks look for the sources named there, `extract` chooses
among them in that order, and a test holds docs/extractor.md to it.
"""

# ruff: noqa: RUF009 - `_stated` returns a new dataclasses.field each time
from __future__ import annotations

import dataclasses
from collections.abc import Callable, Container
from dataclasses import dataclass
from enum import Enum, auto
from typing import Any, Literal, NamedTuple, NotRequired, TypedDict, TypeVar

from .characters import clean

BlockName = Literal["EXIF", "XMP", "IPTC", "PNG"]


class Kind(Enum):
    """How a value is written in the record; each block has one function per kind that it can hold."""

    TEXT = auto()
    NAMES = auto()  # one text of several names
    WORDS = auto()  # a list of texts
    INTEGER = auto()  # within `bounds`
    REAL = auto()  # over zero, six significant digits
    FIRED = auto()  # whether a flash was
    RESOLUTION = auto()  # dots per inch; read with it: the other axis, the unit
    MOMENT = auto()  # read with it: what holds the time of the day, fractions of a second, the offset to UTC
    POSITION = auto()  # read with it: latitude, longitude and altitude, each with its reference


@dataclass(frozen=True, slots=True)
class Source:
    """Where a block holds a value."""

    block: BlockName
    key: Any  # tag, property, data set, keyword
    name: str  # in the words of the block's standard
    beside: tuple[Any, ...] = ()  # the keys of what is read with it

    def __str__(self) -> str:
        return f"{self.block} {self.name}"


def _exif(tag: int, name: str, *beside: int) -> Source:
    return Source("EXIF", tag, name, beside)


def _xmp(name: str, *beside: str) -> Source:
    """A property; `property/field` is a field of a structure."""
    return Source("XMP", name, name, beside)


def _iptc(number: int, name: str, *beside: int) -> Source:
    """A data set of the application record (2:NN)."""
    return Source("IPTC", number, name, beside)


def _png(keyword: str) -> Source:
    """A PNG text; the comments of other formats have the keyword Comment."""
    return Source("PNG", keyword, keyword)


def _stated(
    kind: Kind, *sources: Source, within: str | None = None, bounds: tuple[int, int] | None = None
) -> Any:
    """A field of `Description`; `within` is the record's group that it belongs to."""
    about = {"kind": kind, "sources": sources, "within": within, "bounds": bounds}
    if kind is Kind.WORDS:
        return dataclasses.field(default_factory=list, metadata=about)
    return dataclasses.field(default=None, metadata=about)


class Moment(NamedTuple):
    """A local time as far as it is stated (ISO 8601: 2024, 2024-05, ..., 2024-05-06T07:08:09.12), and its offset."""

    local: str
    offset: str | None = None  # +02:00


class Position(TypedDict):
    """A place on Earth (WGS 84)."""

    latitude: float  # degrees, south is negative
    longitude: float  # degrees, west is negative
    altitude_m: NotRequired[float]  # below the sea is negative
    unsigned: NotRequired[bool]  # True where it is not stated whether south or west


@dataclass
class Description:
    """What one block states, as values of the record; `None` is not stated."""

    orientation: int | None = _stated(
        Kind.INTEGER, _exif(0x0112, "Orientation"), _xmp("tiff:Orientation"), bounds=(1, 8)
    )
    dpi: tuple[float, float] | None = _stated(
        Kind.RESOLUTION,
        _exif(0x011A, "XResolution", 0x011B, 0x0128),
        _exif(0x011B, "YResolution", 0x011A, 0x0128),
        _xmp("tiff:XResolution", "tiff:YResolution", "tiff:ResolutionUnit"),
    )
    # When the picture was taken; `created` is the same for what may be no photograph.
    taken: Moment | None = _stated(
        Kind.MOMENT, _exif(0x9003, "DateTimeOriginal", 0x9291, 0x9011), _xmp("exif:DateTimeOriginal")
    )
    created: Moment | None = _stated(Kind.MOMENT, _xmp("photoshop:DateCreated"), _iptc(55, "DateCreated", 60))
    # When it became a file.
    digitized: Moment | None = _stated(
        Kind.MOMENT, _exif(0x9004, "DateTimeDigitized", 0x9292, 0x9012), _xmp("exif:DateTimeDigitized")
    )
    made: Moment | None = _stated(
        Kind.MOMENT, _xmp("xmp:CreateDate"), _iptc(62, "DigitalCreationDate", 63), _png("Creation Time")
    )
    # When the file was last written: no date of the picture, but its offset and fraction count for the same second.
    changed: Moment | None = _stated(
        Kind.MOMENT, _exif(0x0132, "DateTime", 0x9290, 0x9010), _xmp("xmp:ModifyDate")
    )
    make: str | None = _stated(Kind.TEXT, _exif(0x010F, "Make"), _xmp("tiff:Make"), within="camera")
    model: str | None = _stated(Kind.TEXT, _exif(0x0110, "Model"), _xmp("tiff:Model"), within="camera")
    lens: str | None = _stated(
        Kind.TEXT, _exif(0xA434, "LensModel"), _xmp("exifEX:LensModel"), _xmp("aux:Lens"), within="camera"
    )
    serial: str | None = _stated(
        Kind.TEXT,
        _exif(0xA431, "BodySerialNumber"),
        _xmp("exifEX:BodySerialNumber"),
        _xmp("aux:SerialNumber"),
        within="camera",
    )
    time_s: float | None = _stated(
        Kind.REAL,
        _exif(0x829A, "ExposureTime"),
        _exif(0x9201, "ShutterSpeedValue"),
        _xmp("exif:ExposureTime"),
        within="exposure",
    )
    f_number: float | None = _stated(
        Kind.REAL,
        _exif(0x829D, "FNumber"),
        _exif(0x9202, "ApertureValue"),
        _xmp("exif:FNumber"),
        within="exposure",
    )
    iso: int | None = _stated(
        Kind.INTEGER,
        _exif(0x8827, "PhotographicSensitivity"),
        _exif(0x8833, "ISOSpeed"),
        _exif(0x8832, "RecommendedExposureIndex"),
        _exif(0x8831, "StandardOutputSensitivity"),
        _xmp("exif:ISOSpeedRatings"),
        _xmp("exifEX:PhotographicSensitivity"),
        within="exposure",
        bounds=(1, 0xFFFFFFFF),
    )
    focal_length_mm: float | None = _stated(
        Kind.REAL, _exif(0x920A, "FocalLength"), _xmp("exif:FocalLength"), within="exposure"
    )
    focal_length_35mm: float | None = _stated(
        Kind.REAL,
        _exif(0xA405, "FocalLengthIn35mmFilm"),
        _xmp("exif:FocalLengthIn35mmFilm"),
        within="exposure",
    )
    flash: bool | None = _stated(
        Kind.FIRED, _exif(0x9209, "Flash"), _xmp("exif:Flash/exif:Fired"), within="exposure"
    )
    gps: Position | None = _stated(
        Kind.POSITION,
        _exif(0x8825, "GPSInfo", 2, 1, 4, 3, 6, 5),
        _xmp(
            "exif:GPSLatitude", "exif:GPSLatitudeRef", "exif:GPSLongitude", "exif:GPSLongitudeRef",
            "exif:GPSAltitude", "exif:GPSAltitudeRef",
        ),
    )  # fmt: skip
    title: str | None = _stated(
        Kind.TEXT,
        _xmp("dc:title"),
        _iptc(5, "ObjectName"),
        _exif(0xA436, "ImageTitle"),
        _exif(0x9C9B, "XPTitle"),
        _png("Title"),
    )
    description: str | None = _stated(
        Kind.TEXT,
        _xmp("dc:description"),
        _xmp("tiff:ImageDescription"),
        _iptc(120, "Caption"),
        _exif(0x010E, "ImageDescription"),
        _exif(0x9C9C, "XPComment"),
        _png("Description"),
        _png("Comment"),
    )
    artist: str | None = _stated(
        Kind.NAMES,
        _xmp("dc:creator"),
        _xmp("tiff:Artist"),
        _iptc(80, "By-line"),
        _exif(0x013B, "Artist"),
        _exif(0x9C9D, "XPAuthor"),
        _png("Author"),
    )
    copyright: str | None = _stated(
        Kind.TEXT,
        _xmp("dc:rights"),
        _xmp("tiff:Copyright"),
        _iptc(116, "CopyrightNotice"),
        _exif(0x8298, "Copyright"),
        _png("Copyright"),
    )
    # What stands in for a description where nothing else is one.
    remark: str | None = _stated(Kind.TEXT, _exif(0x9286, "UserComment"), _xmp("exif:UserComment"))
    keywords: list[str] = _stated(
        Kind.WORDS, _xmp("dc:subject"), _iptc(25, "Keywords"), _exif(0x9C9E, "XPKeywords")
    )
    rating: int | None = _stated(Kind.INTEGER, _xmp("xmp:Rating"), _exif(0x4746, "Rating"), bounds=(-1, 5))
    software: str | None = _stated(
        Kind.TEXT,
        _exif(0x0131, "Software"),
        _xmp("xmp:CreatorTool"),
        _xmp("tiff:Software"),
        _png("Software"),
    )

    def fill(self, other: Description) -> None:
        """Take from another block of the same kind what this one does not state."""
        for line in dataclasses.fields(self):
            if getattr(self, line.name) in (None, []):
                setattr(self, line.name, getattr(other, line.name))


@dataclass(frozen=True, slots=True)
class Field:
    """One line of the table above."""

    name: str
    kind: Kind
    sources: tuple[Source, ...]
    within: str | None
    bounds: tuple[int, int] | None
    #: The blocks that may state it and what each calls it, the best one first.
    blocks: dict[BlockName, Source]


def _field(line: dataclasses.Field[Any]) -> Field:
    blocks: dict[BlockName, Source] = {}
    for source in line.metadata["sources"]:
        blocks.setdefault(source.block, source)
    return Field(line.name, blocks=blocks, **line.metadata)


FIELDS = {line.name: _field(line) for line in dataclasses.fields(Description)}

#: Reads one field: (the block's values, field, source) -> value, or None for not stated.
Read = Callable[[Any, Field, Source], Any]
_AnyRead = TypeVar("_AnyRead", bound=Read)
#: What a block's reader goes through: key, the field's name, how to read it, field, source.
Rows = tuple[tuple[Any, str, Read, Field, Source], ...]


class Reads(dict[Kind, Read]):
    """A block's functions: each is put before the kinds of field that it reads."""

    def __call__(self, *kinds: Kind) -> Callable[[_AnyRead], _AnyRead]:
        """Register the function that follows for these kinds."""

        def register(function: _AnyRead) -> _AnyRead:
            self.update(dict.fromkeys(kinds, function))
            return function

        return register


def rows(block: BlockName, functions: dict[Kind, Read]) -> Rows:
    """The block's part of the table, with the block's function for each kind of field."""
    return tuple(
        (source.key, field.name, functions[field.kind], field, source)
        for field in FIELDS.values()
        for source in field.sources
        if source.block == block
    )


def keys(block: BlockName) -> frozenset[Any]:
    """All that is read of a block."""
    sources = [source for field in FIELDS.values() for source in field.sources if source.block == block]
    return frozenset(key for source in sources for key in (source.key, *source.beside))


def describe(table: Rows, present: Container[Any], values: Any) -> Description:
    """What a block states, of each field by the first of its sources that is `present` and states a value."""
    stated: dict[str, Any] = {}
    for key, name, read, field, source in table:
        if key in present and name not in stated:
            value = read(values, field, source)
            if isinstance(value, str) and not value.isprintable():
                value = clean(value) or None
            if value is not None:
                stated[name] = value
    return Description(**stated)
