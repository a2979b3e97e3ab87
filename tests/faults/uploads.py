"""What the API does with an upload, up to its record."""

from __future__ import annotations

from typing import Any

from image_catalogue.items import Item
from image_catalogue.records import record_of, timestamp
from image_metadata import EXTRACTOR_VERSION
from tests.unit.catalogue.conftest import BUCKET


def store(s3: Any, key: str, body: bytes) -> Item:
    """Put an image and answer the record that the API would catalogue; it does not know when S3 took the upload."""
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
