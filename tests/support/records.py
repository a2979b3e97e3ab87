"""Catalogue records as the API or the indexer would write them, and what the API does with an upload."""

from __future__ import annotations

from typing import Any

from image_catalogue.items import Item
from image_catalogue.records import record_of, timestamp
from image_metadata import EXTRACTOR_VERSION

from .table import BUCKET


def record(image_id: str, **more: Any) -> Item:
    """A small record; `more` adds to its fields or replaces them."""
    return {
        "image_id": image_id,
        "bucket": BUCKET,
        "size": 100,
        "etag": f"etag-{image_id}",
        "uploaded_at": "2026-11-21T10:00:00.000Z",
        "filename": image_id.rsplit("/", 1)[-1],
        "status": "ok",
        "content_type": "image/png",
        "width": 3,
        "height": 2,
        "extractor_version": 1,
    } | more


def photograph(number: int) -> Item:
    """A record as large as a photograph's usually is; each number has its own id, time and size."""
    return record(
        f"uploads/{number:07d}.jpg",
        size=1_000_000 + number * 7919 % 5_000_000,
        etag=f"{number:032x}",
        uploaded_at=f"2026-11-21T10:{number // 60_000 % 60:02d}:{number // 1000 % 60:02d}.{number % 1000:03d}Z",
        format="JPEG",
        content_type=("image/jpeg", "image/png", "image/webp")[number % 3],
        width=6000,
        height=4000,
        camera={"make": "Canon", "model": "Canon EOS R5", "lens": "RF24-105mm F4 L IS USM"},
        exposure={"time_s": 0.004, "f_number": 5.6, "iso": 100, "focal_length_mm": 50.0},
        gps={"latitude": 48.858222, "longitude": 2.2945, "altitude_m": 35.0},
        taken_at="2026-05-17T09:30:00.120",
    )


def upload(s3: Any, key: str, body: bytes) -> Item:
    """Put an image as the API does and return its record: without `last_modified`, which the API does not learn."""
    put = s3.put_object(Bucket=BUCKET, Key=key, Body=body)
    head = s3.head_object(Bucket=BUCKET, Key=key)
    return record_of(
        {"status": "ok", "content_type": "image/png", "extractor_version": EXTRACTOR_VERSION},
        image_id=key,
        bucket=BUCKET,
        size=len(body),
        etag=put["ETag"].strip('"'),
        version_id=put.get("VersionId"),
        uploaded_at=timestamp(head["LastModified"]),
    )
