"""The metadata record: what the object store says of an object, joined with what the extractor read."""

from __future__ import annotations

import math
from datetime import UTC, datetime
from typing import Any

#: Longest text kept per field, and most entries per list: a record stays far below DynamoDB's 400 KB.
MAX_TEXT = 4096
MAX_LIST = 100
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
    record = {name: _bounded(value) for name, value in metadata.items()}
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
    if declared_content_type and declared_content_type != record.get("content_type"):
        record["declared_content_type"] = declared_content_type[:MAX_TEXT]
    if last_modified:
        record["last_modified"] = last_modified  # internal: tells two uploads of the same bytes apart
    return _with_gps_policy(record, gps)


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
    return record | {"gps": coarse}


def _bounded(value: Any) -> Any:
    if isinstance(value, str):
        return value[:MAX_TEXT].encode("utf-8", "replace").decode()
    if isinstance(value, float) and not math.isfinite(value):
        return None
    if isinstance(value, list | tuple):
        return [_bounded(entry) for entry in value[:MAX_LIST]]
    if isinstance(value, dict):
        return {name: _bounded(entry) for name, entry in value.items()}
    return value
