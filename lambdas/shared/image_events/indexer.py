"""From one job to one catalogue item: look at the object, and make the item say what is there.

Whatever an event says, the bucket is asked (S3 reads are strongly consistent). So the item follows the bucket
instead of the events about it, and versions, delete markers and restores need no code of their own.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from image_catalogue.catalogue import Catalogue, Change
from image_catalogue.errors import CatalogueBusy
from image_catalogue.items import Item, normalise_sequencer
from image_catalogue.previews import Previews
from image_catalogue.records import record_of, timestamp
from image_catalogue.source import Head, ObjectGone, S3Object, UnreadableObject
from image_metadata import RangeReader, SourceChanged, SourceError, extract
from image_metadata.model import ImageMetadata
from image_metadata.reader import first_block

from .events import Job

#: How often an object that changes while it is read is read again; after that, the event of the change comes anyway.
_READ_ATTEMPTS = 3
#: How often the images of a batch are written together, before those that others keep changing are written alone.
_ROUNDS_TOGETHER = 2

#: Calls a function for each of many arguments and returns what it returns, in their order: `map`, or a pool's.
Each = Callable[[Callable[[Any], Any], Iterable[Any]], Iterable[Any]]


@dataclass(eq=False)
class _Work:
    """A job that has begun."""

    job: Job
    started: float
    change: Change | None = None
    error: Exception | None = None
    outcome: str = ""
    cost: dict[str, Any] = field(default_factory=dict)


class Indexer:
    """Does jobs against one bucket, its prefixes and a catalogue; safe to share between threads."""

    def __init__(
        self,
        s3: Any,
        catalogue: Catalogue,
        bucket: str,
        prefixes: tuple[str, ...],
        gps: str = "exact",
        previews: Previews | None = None,
    ) -> None:
        self._s3 = s3
        self._catalogue = catalogue
        self._bucket = bucket
        self._prefixes = prefixes
        self._gps = gps
        self._previews = previews

    def process(self, job: Job, deadline: float | None = None) -> dict[str, Any]:
        """Do one job; returns the fields of its log line.

        `deadline` is in `time.monotonic()` seconds. Raises `CatalogueBusy`, `SourceError` (worth a retry).
        """
        return self._finish(self._begin(job, deadline), deadline)

    def process_all(
        self, jobs: list[Job], deadline: float, each: Each = map
    ) -> list[dict[str, Any] | Exception]:
        """Do many jobs, each failing alone; returns for each the fields of its log line, or what it failed with.

        The images that change what counts are written together, so the counters are written once for all of them.
        What finds its item changed by others is looked at and written together once more, then one by one.
        `each` is `map`, or a thread pool's.
        """
        begun = list(each(partial(_attempt, self._begin, deadline=deadline), jobs))
        pending = [work for work in begun if isinstance(work, _Work) and work.change]
        for _ in range(_ROUNDS_TOGETHER):
            met = self._catalogue.finish_together([work.change for work in pending if work.change], deadline)
            pending = [work for work in pending if work.change in met]
            for work, result in zip(
                pending, each(partial(_attempt, self._meet, deadline=deadline), pending), strict=True
            ):
                work.error = result
        return list(each(partial(_attempt, self._finish, deadline=deadline), begun))

    def _begin(self, job: Job, deadline: float | None) -> _Work:
        """The first half of a job: what is to be written."""
        work = _Work(job, time.monotonic())
        if job.bucket != self._bucket or not job.key.startswith(self._prefixes) or is_folder(job.key):
            work.outcome = "ignored"
            return work
        if deadline is not None and work.started >= deadline:
            raise CatalogueBusy("the invocation's time is used up")

        def look() -> Item | None:
            return self.look(job, work.cost, deadline)

        if job.repair:
            work.outcome = self._catalogue.repair(job.key, look, job.revision, deadline)
        else:
            sequencer = normalise_sequencer(job.sequencer)
            work.change = self._catalogue.begin(job.key, look, sequencer, job.created)
        return work

    def _meet(self, work: _Work, deadline: float | None) -> None:  # noqa: ARG002 - the halves of a job take the same
        if work.change:
            self._catalogue.meet(work.change)

    def _finish(self, work: _Work, deadline: float | None) -> dict[str, Any]:
        """The second half of a job; returns the fields of its log line."""
        if work.error:
            raise work.error
        if work.change:
            work.outcome = self._catalogue.finish(work.change, deadline)
        fields = {"event": work.job.name, "image_id": work.job.key, "outcome": work.outcome}
        if work.outcome == "ignored":
            return fields
        job = work.job
        if self._previews is not None and (work.outcome == "removed" or not (job.created or job.repair)):
            # Also where the API has noted the removal already, or an earlier attempt came as far as this.
            self._previews.forget(job.key)
        return fields | work.cost | {"ms": round((time.monotonic() - work.started) * 1000)}

    def look(
        self, job: Job, cost: dict[str, Any] | None = None, deadline: float | None = None
    ) -> Item | None:
        """The record of what the bucket holds under the job's key; None where it holds nothing."""
        for attempt in range(_READ_ATTEMPTS):
            entity = S3Object(self._s3, job.bucket, job.key, deadline)
            reader = RangeReader(entity.fetch, entity.size, first_block=first_block(job.key, job.size))
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
        if metadata.status == "unsupported" and entity.head is not None and _is_encoded(entity.head):
            metadata.error = f"the file is stored {entity.head.encoding}-encoded, so its image is not read"
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


def _is_encoded(head: Head) -> bool:
    """Whether the bytes are not the file's own but those of an encoding (`aws s3 cp --content-encoding gzip`)."""
    return head.encoding not in (None, "identity", "aws-chunked")


def is_folder(key: str) -> bool:
    """Whether a key is one of the empty objects that the S3 console shows as a folder; never an image."""
    return key.endswith("/")


def _attempt(do: Callable[..., Any], subject: Any, deadline: float) -> Any:
    """What `do` returns for the subject, or what it raises, so that the others go on; what had failed stays so."""
    if isinstance(subject, Exception):
        return subject
    try:
        return do(subject, deadline)
    except Exception as error:  # noqa: BLE001 - a bug fails the job that meets it, and only that one
        return error
