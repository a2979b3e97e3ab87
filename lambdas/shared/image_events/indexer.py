"""From one job to one catalogue item: look at the object, and make the item say what is there.

Whatever an event says, the bucket is asked (S3 reads are strongly consistent). So the item follows the bucket
instead of the events about it, and versions, delete markers and restores need no code of their own.
"""

from __future__ import annotations

import time
from typing import Any

from image_catalogue.catalogue import Catalogue
from image_catalogue.items import Item, normalise_sequencer
from image_catalogue.records import record_of, timestamp
from image_metadata import RangeReader, SourceChanged, SourceError, extract
from image_metadata.model import ImageMetadata

from .events import Job
from .source import ObjectGone, S3Object, UnreadableObject

#: How often an object that changes while it is read is read again; after that, the event of the change comes anyway.
_READ_ATTEMPTS = 3


class Indexer:
    """Does jobs against one bucket, prefix and catalogue; safe to share between threads."""

    def __init__(self, s3: Any, catalogue: Catalogue, bucket: str, prefix: str, gps: str = "exact") -> None:
        self._s3 = s3
        self._catalogue = catalogue
        self._bucket = bucket
        self._prefix = prefix
        self._gps = gps

    def process(self, job: Job, deadline: float | None = None) -> dict[str, Any]:
        """Do one job; returns the fields of its log line.

        `deadline` is in `time.monotonic()` seconds. Raises `CatalogueBusy`, `SourceError` (worth a retry).
        """
        started = time.monotonic()
        if job.bucket != self._bucket or not job.key.startswith(self._prefix) or is_folder(job.key):
            return {"event": job.name, "image_id": job.key, "outcome": "ignored"}
        cost: dict[str, Any] = {}

        def look() -> Item | None:
            return self.look(job, cost, deadline)

        if job.repair:
            outcome = self._catalogue.repair(job.key, look, job.revision, deadline)
        else:
            sequencer = normalise_sequencer(job.sequencer)
            outcome = self._catalogue.apply(job.key, look, sequencer, deadline, job.created)
        elapsed = round((time.monotonic() - started) * 1000)
        return {"event": job.name, "image_id": job.key, "outcome": outcome, **cost, "ms": elapsed}

    def look(
        self, job: Job, cost: dict[str, Any] | None = None, deadline: float | None = None
    ) -> Item | None:
        """The record of what the bucket holds under the job's key; None where it holds nothing."""
        for attempt in range(_READ_ATTEMPTS):
            entity = S3Object(self._s3, job.bucket, job.key, deadline)
            reader = RangeReader(entity.fetch, entity.size)
            try:
                metadata = extract(reader)
                break
            except ObjectGone:
                return None
            except UnreadableObject as error:
                metadata = ImageMetadata(status="unsupported", error=str(error))
                break
            except SourceChanged:
                if attempt == _READ_ATTEMPTS - 1:
                    raise
        if cost is not None:
            cost |= {"status": metadata.status, "requests": reader.requests, "bytes": reader.bytes_fetched}
        head = entity.head
        if head is None:
            raise SourceError("the object was never read")
        # The event's time has milliseconds, S3's only seconds. But where the same bytes were put twice, the event may
        # be of the first put: its time is then before the object's.
        event_time = job.time if job.created and job.etag == head.etag else None
        uploaded = max(event_time, head.last_modified) if event_time else head.last_modified
        return record_of(
            metadata.to_dict(),
            image_id=job.key,
            bucket=job.bucket,
            size=head.size,
            etag=head.etag,
            version_id=head.version_id,
            uploaded_at=timestamp(uploaded),
            filename=head.filename,
            declared_content_type=head.declared_content_type,
            last_modified=timestamp(head.last_modified),
            gps=self._gps,
        )


def is_folder(key: str) -> bool:
    """Whether a key is one of the empty objects that the S3 console shows as a folder; never an image."""
    return key.endswith("/")
