"""The catalogue: one DynamoDB table of image records that equals the bucket, whatever order events come in.

Every write is conditional on the item still being what the writer saw (`revision`), and changes the summary by its
difference in the same transaction, so the counters cannot drift from the items. `items` says what an item is.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

from .dynamodb import Table
from .errors import CatalogueBusy, ImageNotFound
from .items import (
    Item,
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

#: Asks the bucket: the record of what it holds under one key now, or None where it holds nothing.
Look = Callable[[], Item | None]


class Catalogue:
    """The table `table_name`; `client` is a boto3 DynamoDB client (the shared one by default)."""

    def __init__(
        self, table_name: str, index_shards: int = 1, client: Any = None, search_parts: int = 1
    ) -> None:
        self.table = Table(table_name, client)
        self.index_shards = index_shards
        self.search_parts = search_parts

    def get(self, image_id: str) -> Item | None:
        """The record, strongly consistent; None where there is none."""
        item = self.item(image_id)
        return public(item) if item and is_record(item) else None

    def item(self, image_id: str) -> Item | None:
        """The item as it is stored: record, tombstone or forgotten marker."""
        return self.table.get(image_id)

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
        again. With `likely_new` the first attempt assumes that there is no item: where that holds, a new image
        takes a single request.

        Returns what happened: `created`, `updated`, `removed`, `unchanged`. Raises `CatalogueBusy`.
        """
        old = None if likely_new else self.item(image_id)
        seen: Item | None = None
        while True:
            if sequencer and old and sequencer <= old.get("sequencer", ""):
                return "unchanged"
            if seen is None or old is None or not is_same_object(old, seen):
                seen = look()
            new = follow(old, seen, sequencer, image_id, self.index_shards, self.search_parts)
            written, found = self.table.replace(old, new, deadline)
            if written:
                return outcome(old, new)
            if deadline is not None and time.monotonic() >= deadline:
                raise CatalogueBusy("others keep changing the item; try again shortly")
            old = found

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

    def forget(self, image_id: str) -> None:
        """Delete the metadata and keep the file; no event about the same object brings the record back.

        Raises `ImageNotFound`, `CatalogueBusy`.
        """
        old = self.item(image_id)
        while True:
            if old is None or not is_record(old):
                raise ImageNotFound(image_id)
            written, old = self.table.replace(old, forgotten(old))
            if written:
                return

    def remove(self, seen: Item | None) -> None:
        """Record that the API deleted the object; `seen` is the item read before that.

        Where the item has changed since, an event was quicker and saw the bucket later. Raises `CatalogueBusy`.
        """
        if seen is not None and seen.get("state") != "removed":
            self.table.replace(seen, removed(seen))
