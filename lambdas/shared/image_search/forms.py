"""A record as others write one: a line of NDJSON, a GeoJSON feature, the cells of a CSV table."""

from __future__ import annotations

import json
from typing import Any

#: What spreadsheets take for the beginning of a formula (OWASP, "CSV Injection").
_FORMULA_BEGINS = ("=", "+", "-", "@", "＝", "＋", "－", "＠", "\t", "\r", "\n")
#: Texts that the product makes and that may begin so: `+02:00`, base64. Nothing in them can run.
_NEVER_FORMULAS = frozenset(("taken_at_offset", "pixels.thumbhash"))


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


def cell_of(name: str, value: Any) -> Any:
    """A column's value as a cell of CSV: lists as JSON, and `'` before a text that spreadsheets take for a formula."""
    if isinstance(value, list | bool):
        return json.dumps(value, ensure_ascii=False)
    if isinstance(value, str) and value.startswith(_FORMULA_BEGINS) and name not in _NEVER_FORMULAS:
        return f"'{value}"
    return value


def sql_text_cell(name: str, expression: str) -> str:
    """SQL that does the same to a text."""
    if name in _NEVER_FORMULAS:
        return expression
    begins = ", ".join(f"chr({ord(character)})" for character in _FORMULA_BEGINS)
    return f"if(left({expression}, 1) IN ({begins}), concat('''', {expression}), {expression})"


def _geometry(gps: dict[str, Any]) -> dict[str, Any] | None:
    if "longitude" not in gps or "latitude" not in gps:
        return None
    height = [gps["altitude_m"]] if "altitude_m" in gps else []
    return {"type": "Point", "coordinates": [gps["longitude"], gps["latitude"], *height]}
