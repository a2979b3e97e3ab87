"""Random access to a file's bytes, with a block cache, counters and a budget.

Every format reader sees a `Reader`; whether a local file, bytes in memory or ranged S3 requests lie
under it is one `fetch(start, end)` callable's affair.
"""

from __future__ import annotations

from typing import Protocol


class Reader(Protocol):
    """What a format reader may ask for."""

    size: int

    def read_at(self, offset: int, length: int) -> bytes:
        """Bytes [offset, offset+length), shorter only at the end of the file.

        Raises `BudgetExceeded` where fetching them would pass the budget and `SourceError` where the
        source fails. Free when the bytes were fetched before.
        """
        ...
