"""A record as others write one: a GeoJSON feature."""

from __future__ import annotations

from typing import Any


def feature_of(record: dict[str, Any]) -> dict[str, Any]:
    """The record as a GeoJSON feature (RFC 7946), without geometry where its position is unknown."""
    return {
        "type": "Feature",
        "id": record["image_id"],
        "geometry": _geometry(record.get("gps") or {}),
        "properties": record,
    }


def _geometry(gps: dict[str, Any]) -> dict[str, Any] | None:
    if "longitude" not in gps or "latitude" not in gps:
        return None
    height = [gps["altitude_m"]] if "altitude_m" in gps else []
    return {"type": "Point", "coordinates": [gps["longitude"], gps["latitude"], *height]}
