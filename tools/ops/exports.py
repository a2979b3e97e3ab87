"""Records on their way out: the files that map, catalogue and machine-learning tools read, one image at a time."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import quote

from image_search.forms import compact, feature_of, line_of

Record = dict[str, Any]
#: Where on Earth a local time can be: of an unknown offset, the moment lies between these.
_EARLIEST, _LATEST = timedelta(hours=-14), timedelta(hours=12)


def address(record: Record) -> str:
    """Where the image is, as the AWS command line and S3 libraries take it."""
    return f"s3://{record['bucket']}/{record['image_id']}"


def ndjson(records: Iterable[Record]) -> Iterator[str]:
    """One record a line."""
    return map(line_of, records)


def geojson(records: Iterable[Record]) -> Iterator[str]:
    """A FeatureCollection (RFC 7946)."""
    yield from _collection(feature_of(record) for record in records)


def stac(records: Iterable[Record]) -> Iterator[str]:
    """A collection of STAC items (version 1.1): what `pystac.ItemCollection` and stac-geoparquet read."""
    yield from _collection(_item(record) for record in records)


def coco(records: Iterable[Record]) -> Iterator[str]:
    """The images of a COCO data set, to be annotated; those of unknown size are left out."""
    entries = (
        {
            "id": number,
            "file_name": record["image_id"],
            "width": record["width"],
            "height": record["height"],
            "coco_url": record.get("address"),
        }
        | ({"date_captured": record["taken_at"]} if "taken_at" in record else {})
        for number, record in enumerate((each for each in records if "width" in each and "height" in each), 1)
    )
    yield '{"info":{},"licenses":[],"images":['
    yield from _joined(entries)
    yield '],"annotations":[],"categories":[]}\n'


#: Each form that is made of records, by its name.
FORMS: dict[str, Callable[[Iterable[Record]], Iterator[str]]] = {
    "ndjson": ndjson,
    "geojson": geojson,
    "stac": stac,
    "coco": coco,
}


def _collection(features: Iterable[dict[str, Any]]) -> Iterator[str]:
    yield '{"type":"FeatureCollection","features":['
    yield from _joined(features)
    yield "]}\n"


def _joined(entries: Iterable[dict[str, Any]]) -> Iterator[str]:
    for number, entry in enumerate(entries):
        yield (",\n" if number else "\n") + compact(entry)


# -- STAC ----------------------------------------------------------------------------------------------


def _item(record: Record) -> dict[str, Any]:
    """https://github.com/radiantearth/stac-spec/blob/v1.1.0/item-spec/item-spec.md"""
    feature = feature_of(record)
    said = {name: value for name, value in record.items() if name not in ("image_id", "address")}
    item = feature | {
        "stac_version": "1.1.0",
        "stac_extensions": [],
        "properties": said | _moments(record) | {"created": record["uploaded_at"]},
        "links": [],
        "assets": {
            "image": {
                # An address is an IRI there; S3's own names of objects are not.
                "href": "s3://" + quote(f"{record['bucket']}/{record['image_id']}"),
                "roles": ["data"],
            }
            | ({"type": record["content_type"]} if "content_type" in record else {})
        },
    }
    if feature["geometry"] is not None:
        longitude, latitude = feature["geometry"]["coordinates"][:2]
        item["bbox"] = [longitude, latitude, longitude, latitude]
    return item


def _moments(record: Record) -> dict[str, Any]:
    """`datetime`, or where the camera's time is not exact in UTC, between which moments it was."""
    taken = record.get("taken_at")
    if taken is None:
        return {"datetime": record["uploaded_at"]}  # there must be one
    offset = record.get("taken_at_offset")
    try:
        start, end = (_moment(taken, rest) for rest in ("0001-01-01T00:00:00", "9999-12-31T23:59:59"))
        if offset:
            zone = datetime.fromisoformat(f"2000-01-01T00:00:00{offset}").utcoffset() or timedelta()
            start, end = start - zone, end - zone
        else:
            start, end = start + _EARLIEST, end + _LATEST
    except (ValueError, OverflowError):
        return {"datetime": record["uploaded_at"]}
    if start == end:
        return {"datetime": _utc(start)}
    return {"datetime": None, "start_datetime": _utc(start), "end_datetime": _utc(end)}


def _moment(taken: str, rest: str) -> datetime:
    """A time that is known to the year, the month, ... as the earliest or latest moment that it can be."""
    whole = taken + rest[len(taken) :]
    year, month, day = whole[:4], whole[5:7], whole[8:10]
    for last in (day, "30", "29", "28"):  # of a month that has no 31st
        try:
            return datetime.fromisoformat(f"{year}-{month}-{last}{whole[10:]}").replace(tzinfo=UTC)
        except ValueError:
            if len(taken) > 7:
                raise
    raise ValueError(taken)


def _utc(moment: datetime) -> str:
    return moment.isoformat().replace("+00:00", "Z")
