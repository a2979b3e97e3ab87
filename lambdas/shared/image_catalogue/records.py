"""The metadata record: what S3 says about an object, joined with what the extractor read from it."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

#: A page of 100 records must fit into the 6 MB that a function may answer.
MAX_RECORD_BYTES = 32 * 1024
#: Longest text and most list entries that are kept; the next pair where the record is over its size with these.
_TEXT_AND_LIST_LIMITS = ((4096, 100), (1024, 50), (256, 20), (64, 5))
#: DynamoDB keeps numbers of 1E-130 to 1E126 with 38 digits; no quantity of an image comes near either end.
_SMALLEST_NUMBER, _LARGEST_NUMBER = 1e-100, 1e37
#: What clients send, and S3 puts, where nothing is claimed.
_NO_CLAIM = frozenset(
    (
        "",
        "application/octet-stream",
        "binary/octet-stream",
        "application/x-www-form-urlencoded",
        "multipart/form-data",
    )
)
_MAX_MEDIA_TYPE = 255
#: The members of `pixels`: what is found out about a picture after its record was written (`image_pixels.measures`),
#: and `error`, why nothing could be.
PIXELS: dict[str, type] = {
    "phash": str,
    "thumbhash": str,
    "average_color": str,
    "brightness": float,
    "sharpness": float,
    "error": str,
}
#: Two decimals of a degree are about 1.1 km.
COARSE_DECIMALS = 2


def record_of(
    metadata: dict[str, Any],
    *,
    image_id: str,
    bucket: str,
    size: int,
    etag: str,
    uploaded_at: str,
    version_id: str | None = None,
    filename: str | None = None,
    declared_content_type: str | None = None,
    last_modified: str | None = None,
    gps: str = "exact",
) -> dict[str, Any]:
    """One record of JSON types; what is unknown is absent.

    `metadata` is `ImageMetadata.to_dict()`, `etag` comes without quotes, `uploaded_at` is RFC 3339 UTC,
    `gps` is the policy (`exact`, `coarse`, `none`).
    """
    record = _fitting(metadata)
    record |= {
        "image_id": image_id,
        "bucket": bucket,
        "size": size,
        "etag": etag,
        "uploaded_at": uploaded_at,
        "filename": filename or image_id.rsplit("/", 1)[-1],
    }
    if version_id and version_id != "null":
        record["version_id"] = version_id
    claim = _claim(declared_content_type)
    if claim and claim != record.get("content_type"):
        record["declared_content_type"] = claim
    if last_modified:
        record["last_modified"] = last_modified  # internal: distinguishes two uploads of the same bytes
    return _with_gps_policy(record, gps)


def _claim(content_type: str | None) -> str | None:
    """The media type that a Content-Type header states: in lower case, without parameters."""
    media_type = (content_type or "").partition(";")[0].strip().lower()
    return None if media_type in _NO_CLAIM else media_type[:_MAX_MEDIA_TYPE]


def timestamp(moment: datetime) -> str:
    """RFC 3339 in UTC with milliseconds, so that text order is time order."""
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.") + f"{moment.microsecond // 1000:03d}Z"


def parse_timestamp(text: str) -> datetime:
    """The moment an RFC 3339 text names; raises `ValueError`."""
    moment = datetime.fromisoformat(text)
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def _with_gps_policy(record: dict[str, Any], policy: str) -> dict[str, Any]:
    position = record.get("gps")
    if not position or policy == "exact":
        return record
    if policy == "none":
        return {name: value for name, value in record.items() if name != "gps"}
    coarse = {
        name: round(position[name], COARSE_DECIMALS) for name in ("latitude", "longitude") if name in position
    }
    if "unsigned" in position:
        coarse["unsigned"] = position["unsigned"]
    return record | {"gps": coarse}


def _fitting(metadata: dict[str, Any]) -> dict[str, Any]:
    """The metadata without what a record cannot store, its texts and lists cut as far as its size demands."""
    record: dict[str, Any] = {}
    for text, entries in _TEXT_AND_LIST_LIMITS:
        record = _bounded(metadata, text, entries)
        if len(json.dumps(record, ensure_ascii=False).encode()) <= MAX_RECORD_BYTES:
            break
    return record


def _bounded(value: Any, text: int, entries: int) -> Any:
    """`value` with texts and lists cut, and None in the place of a number that DynamoDB cannot hold."""
    if isinstance(value, str):
        return value[:text].encode("utf-8", "replace").decode()
    if isinstance(value, int | float):
        return value if value == 0 or _SMALLEST_NUMBER <= abs(value) <= _LARGEST_NUMBER else None
    if isinstance(value, list | tuple):
        kept = [_bounded(entry, text, entries) for entry in value[:entries]]
        return [entry for entry in kept if entry is not None]
    if isinstance(value, dict):
        pairs = ((name, _bounded(entry, text, entries)) for name, entry in value.items())
        return {name: entry for name, entry in pairs if entry is not None}
    return value
