"""Change files: what happened to images, in the order of `sequence`; written here, merged and read by `snapshot`.

A function that only writes them needs no DuckDB.
"""

from __future__ import annotations

import gzip
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from typing import Any

from .columns import row_of
from .files import Files, Stored
from .forms import line_of

CHANGES = "changes/"
#: A compaction is due when the waiting changes are this many, this large, or this old.
DUE_FILES, DUE_BYTES, DUE_AGE = 100, 16 * 1024**2, timedelta(hours=1)
_NDJSON = "application/x-ndjson"
#: Sequences are the stream's numbers, of at most 40 digits (Amazon DynamoDB Streams, "StreamRecord"), padded.
SEQUENCE_DIGITS = 40
#: Of rows from a scan: every change of the stream comes after it.
FIRST_SEQUENCE = "0" * SEQUENCE_DIGITS


def padded(sequence: str) -> str:
    """The stream's sequence number as a text whose order is the numbers' order."""
    return sequence.zfill(SEQUENCE_DIGITS)


def after(sequence: str) -> str:
    """A sequence right after `sequence`: it wins over what has that one and over nothing that came later."""
    return sequence + "~"


def change_row(
    image_id: str, part: str, sequence: str, record: dict[str, Any] | None, revision: str | None = None
) -> dict[str, Any]:
    """One line of a change file: the image's record after the change (None: it was removed)."""
    row: dict[str, Any] = {"image_id": image_id} if record is None else row_of(record)
    if revision:
        row["revision"] = revision
    return row | {"change": "removed" if record is None else "put", "part": part, "sequence": sequence}


def write_changes(files: Files, name: str, rows: Iterable[dict[str, Any]]) -> None:
    """Put a change file; the same rows under the same name may be put again at any time."""
    data = gzip.compress("".join(map(line_of, rows)).encode("utf-8", "replace"), 6, mtime=0)
    files.put(f"{CHANGES}{name}.ndjson.gz", data, _NDJSON)


def is_waiting(files: Files, now: bool = False) -> bool:
    """Whether there are changes that it is time to merge; with `now`, whether there are any."""
    waiting = files.listed(CHANGES)
    return bool(waiting) and (now or is_due(waiting, datetime.now(UTC)))


def is_due(changes: list[Stored], now: datetime) -> bool:
    """Whether the waiting changes are many, large or old enough to be merged."""
    return (
        len(changes) >= DUE_FILES
        or sum(entry.size for entry in changes) >= DUE_BYTES
        or any(now - entry.modified >= DUE_AGE for entry in changes)
    )
