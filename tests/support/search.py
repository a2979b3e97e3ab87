"""A search bucket in memory, an engine over it, and rows as `publish_changes` writes them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from image_search import snapshot
from image_search.changes import CHANGES, change_row, padded, write_changes
from image_search.engine import Engine
from image_search.files import Files
from image_search.query import Query, search
from image_search.snapshot import Reader
from tests.support.fake_s3 import FakeS3
from tests.support.records import record

MEMORY_MB = 500
KEY = "search-bucket"


class Deployment:
    """The search bucket with what writes, merges and asks it."""

    def __init__(self, scratch: Path, client: Any = None) -> None:
        self.s3 = client or FakeS3()
        self.files = Files("search", self.s3)
        self.engine = Engine(self.files, scratch / "reader", MEMORY_MB, threads=2)
        self._scratch = scratch
        self._compactor: Engine | None = None
        self.reader = Reader(self.engine)
        self.sequence = 0

    def put(self, *records: dict[str, Any], part: str = "2026-11", change: str = "put") -> None:
        """One change file with these records."""
        rows = []
        for each in records:
            self.sequence += 1
            after = each if change == "put" else None
            rows.append(change_row(each["image_id"], part, padded(str(self.sequence)), after))
        write_changes(self.files, f"{rows[0]['sequence']}-{rows[-1]['sequence']}", rows)

    def remove(self, *image_ids: str, part: str = "2026-11") -> None:
        self.put(*({"image_id": image_id} for image_id in image_ids), part=part, change="removed")

    def compact(self) -> dict[str, int]:
        if self._compactor is None:
            self._compactor = Engine(self.files, self._scratch / "compactor", MEMORY_MB, threads=2)
        return snapshot.compact(self._compactor, self.files.listed(CHANGES))

    def ask(self, **asked: Any) -> dict[str, Any]:
        """The answer to a request with these members (`_` for `-`)."""
        members = {name.replace("_", "-"): value for name, value in asked.items()}
        return search(self.reader, Query.of(members, KEY), KEY)

    def ids(self, **asked: Any) -> list[str]:
        return [item["image_id"] for item in self.ask(**asked)["items"]]

    def close(self) -> None:
        self.engine.close()
        if self._compactor is not None:
            self._compactor.close()


def image(image_id: str, **more: Any) -> dict[str, Any]:
    """A record; members of its groups are given as `camera__make`."""
    flat = {name: value for name, value in more.items() if "__" not in name}
    whole = record(image_id, **flat)
    for name, value in more.items():
        group, _, member = name.partition("__")
        if member:
            whole.setdefault(group, {})[member] = value
    return whole
