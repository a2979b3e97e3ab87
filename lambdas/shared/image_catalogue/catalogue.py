"""The catalogue: one DynamoDB table of image records that equals the bucket, whatever order events come in.

Every write is conditional on the item still being what the writer saw (`revision`), and changes the summary by its
difference in the same transaction, so the counters cannot drift from the items. `items` says what an item is.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from botocore.exceptions import ClientError

from . import settings
from .dynamodb import Table
from .errors import CatalogueBusy, ImageNotFound
from .groups import groups
from .items import (
    Item,
    count_difference,
    follow,
    forgotten,
    is_record,
    is_same_object,
    outcome,
    public,
    removed,
    says_the_same,
    uploaded,
)
from .settings import DEFAULT_COUNTER_SHARDS

#: DynamoDB, "TransactWriteItems": 100 actions and 4 MB in all. One action changes the counters, and the items' types
#: take room as well.
MOST_TOGETHER = 99
MOST_BYTES_TOGETHER = 3_000_000

#: Asks the bucket: the record of what it holds under one key now, or None where it holds nothing.
Look = Callable[[], Item | None]


@dataclass(eq=False)
class Change:
    """One image's way to what the bucket holds: what was read, what is to be written, and what came of it."""

    image_id: str
    look: Look
    sequencer: str | None
    old: Item | None
    seen: Item | None = None
    #: What is to take the place of `old`; None where nothing is, or no longer.
    new: Item | None = None
    #: What was there instead of `old`.
    found: Item | None = None
    outcome: str = "unchanged"

    def size(self) -> int:
        """About how many bytes `new` takes in a request."""
        return len(json.dumps(self.new, ensure_ascii=False).encode())

    def done(self) -> None:
        """`new` was written."""
        if self.new is not None:
            self.outcome, self.new = outcome(self.old, self.new), None


class Catalogue:
    """The table `table_name`; `client` is a boto3 DynamoDB client (the shared one by default)."""

    def __init__(
        self,
        table_name: str,
        index_shards: int = 1,
        client: Any = None,
        search_parts: int = 1,
        counter_shards: int = DEFAULT_COUNTER_SHARDS,
    ) -> None:
        self.table = Table(table_name, client, counter_shards)
        self.index_shards = index_shards
        self.search_parts = search_parts

    @classmethod
    def of_settings(cls) -> Catalogue:
        """The catalogue that the function's settings name."""
        return cls(
            settings.table_name(),
            settings.index_shards(),
            search_parts=settings.search_parts(),
            counter_shards=settings.counter_shards(),
        )

    def get(self, image_id: str) -> Item | None:
        """The record, strongly consistent; None where there is none."""
        item = self.item(image_id)
        return public(item) if item and is_record(item) else None

    def item(self, image_id: str) -> Item | None:
        """The item as it is stored: record, tombstone or forgotten marker."""
        return self.table.get(image_id)

    def begin(
        self, image_id: str, look: Look, sequencer: str | None = None, likely_new: bool = False
    ) -> Change:
        """Read the catalogue and the bucket, and say what is to be written: the first half of `apply`.

        With `likely_new` it is assumed that there is no item: where that holds, a new image takes a single request.
        """
        change = Change(image_id, look, sequencer, None if likely_new else self.item(image_id))
        self._propose(change)
        return change

    def apply(
        self,
        image_id: str,
        look: Look,
        sequencer: str | None = None,
        deadline: float | None = None,
        likely_new: bool = False,
    ) -> str:
        """Make the item follow what `look` sees in the bucket; `sequencer` orders the event that asks for it.

        Each attempt reads the item, then looks, then writes only if the item is still the same. So every write
        follows a later look than the write before it, and the last look comes after the last change that caused an
        event: the result does not depend on the order of events. (The API writes without a look. Its writes are
        conditional too, and the event that follows each of them looks.) No second look is needed where the item
        already describes the object that was seen.

        The sequencer saves work: an event changes nothing if the item was written for the same or a later one. An
        event without a sequencer (an expiry, a restore) always writes, so that whoever looked before has to look
        again.

        Returns what happened: `created`, `updated`, `removed`, `unchanged`. Raises `CatalogueBusy`.
        """
        return self.finish(self.begin(image_id, look, sequencer, likely_new), deadline)

    def finish(self, change: Change, deadline: float | None = None) -> str:
        """Write what `begin` proposed, and again where another was faster; returns and raises as `apply`."""
        while change.new is not None:
            written, found = self.table.replace(change.old, change.new, deadline)
            if written:
                change.done()
            elif deadline is not None and time.monotonic() >= deadline:
                raise CatalogueBusy("others keep changing the item; try again shortly")
            else:
                change.old = found
                self._propose(change)
        return change.outcome

    def finish_together(self, changes: list[Change], deadline: float | None = None) -> list[Change]:
        """Write what was proposed for many images with one change of the counters; `finish` does what it leaves.

        Only what counts goes together: a write that leaves the counters alone costs half outside of a transaction.
        Returns the changes that met another item than they had read. They were not written; `meet` prepares them for
        the next attempt. Raises nothing for want of time or for one bad item: it leaves all as they are.
        """
        together = {  # of several about one image the one of the latest event: it spares the others their writes
            change.image_id: change
            for change in sorted(changes, key=lambda change: change.sequencer or "")
            if change.new is not None and count_difference(change.old, change.new)
        }
        met: list[Change] = []
        for group in groups(together.values(), MOST_TOGETHER, MOST_BYTES_TOGETHER, Change.size):
            while len(group) > 1:
                pairs = [(change.old, change.new) for change in group if change.new is not None]
                try:
                    found = self.table.replace_all(pairs, deadline)
                except (CatalogueBusy, ClientError):
                    break
                if not found:
                    for change in group:
                        change.done()
                    break
                for number, item in found.items():
                    group[number].found = item
                    met.append(group[number])
                group = [change for number, change in enumerate(group) if number not in found]
        return met

    def meet(self, change: Change) -> None:
        """Propose anew, from the item that `finish_together` found; looks at the bucket where that is needed."""
        change.old = change.found
        self._propose(change)

    def _propose(self, change: Change) -> None:
        # What was proposed for another item is not to be written over this one, also where the look fails.
        old, change.new = change.old, None
        if change.sequencer and old and change.sequencer <= old.get("sequencer", ""):
            return
        if change.seen is None or old is None or not is_same_object(old, change.seen):
            change.seen = change.look()
        change.new = follow(
            old, change.seen, change.sequencer, change.image_id, self.index_shards, self.search_parts
        )

    def repair(self, image_id: str, look: Look, revision: str | None, deadline: float | None = None) -> str:
        """Write what `look` sees in the bucket, only if the item is still the one that was to be repaired.

        `revision` is that item's (None: there was none). The item is compared before the look and once
        more when it is written; where something else was written in between, returns `superseded`.
        """
        old = self.item(image_id)
        if (old or {}).get("revision") != revision:
            return "superseded"
        new = follow(old, look(), None, image_id, self.index_shards, self.search_parts)
        if old is not None and says_the_same(old, new):
            return "unchanged"
        written, _ = self.table.replace(old, new, deadline)
        return outcome(old, new) if written else "superseded"

    def put_uploaded(self, record: Item) -> Item:
        """Catalogue an object that the API has just put; where its event was faster, the event's record stays.

        Returns the record that is in the catalogue now, whoever wrote it.
        """
        new = uploaded(record, self.index_shards, self.search_parts)
        _, standing = self.table.replace(None, new)
        return standing if standing is not None and is_record(standing) else new

    def add_pixels(self, image_id: str, etag: str, pixels: Item) -> str:
        """Add what was found out about the pixels of the object with this ETag, as long as the record is of that.

        Returns `updated`, `unchanged` (it is there), `superseded` (another object or none has its place). Raises
        `CatalogueBusy`.
        """
        old = self.item(image_id)
        while True:
            if old is None or not is_record(old) or old["etag"] != etag:
                return "superseded"
            if "pixels" in old:
                return "unchanged"
            written, old = self.table.replace(old, old | {"pixels": pixels})
            if written:
                return "updated"

    def forget(self, image_id: str, check: Callable[[Item], None] = lambda _: None) -> None:
        """Delete the metadata and keep the file; no event about the same object brings the record back.

        `check` sees the record before, and raises where it is to stay. Raises `ImageNotFound`, `CatalogueBusy`.
        """
        old = self.item(image_id)
        while True:
            if old is None or not is_record(old):
                raise ImageNotFound(image_id)
            check(public(old))
            written, old = self.table.replace(old, forgotten(old))
            if written:
                return

    def remove(self, seen: Item | None) -> None:
        """Record that the API deleted the object; `seen` is the item read before that.

        Where the item has changed since, an event was quicker and saw the bucket later. Raises `CatalogueBusy`.
        """
        if seen is not None and seen.get("state") != "removed":
            self.table.replace(seen, removed(seen))
