"""A record as others write one: a line of NDJSON, a GeoJSON feature."""

from __future__ import annotations

import json
from typing import Any


def compact(value: Any) -> str:
    """JSON without blanks, in which every character stands for itself."""
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def line_of(record: dict[str, Any]) -> str:
    """The record as a line of NDJSON."""
    return compact(record) + "\n"


def feature_of(record: dict[str, Any], properties: dict[str, Any] | None = None) -> dict[str, Any]:
    """The record as a GeoJSON feature (RFC 7946), without geometry where its position is unknown.

    Its properties are the record, or what is given of it.
    """
    return {
        "type": "Feature",
        "id": record["image_id"],
        "geometry": _geometry(record.get("gps") or {}),
        "properties": record if properties is None else properties,
    }


def _geometry(gps: dict[str, Any]) -> dict[str, Any] | None:
    if "longitude" not in gps or "latitude" not in gps:
        return None
    height = [gps["altitude_m"]] if "altitude_m" in gps else []
    return {"type": "Point", "coordinates": [gps["longitude"], gps["latitude"], *height]}
