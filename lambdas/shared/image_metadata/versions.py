"""The extractor's version, which every record states: reconcile finds by it what an older extractor wrote.

A change by which the same bytes yield another record adds a line that says so. Two branches that both add one conflict
in git, and must: whichever is merged second is another version.
"""

from __future__ import annotations

from typing import NamedTuple


class Change(NamedTuple):
    """What a version changed, and by what a test notices that fields or formats are others than the version's."""

    what: str
    digest: str = ""


CHANGES = {
    1: Change("the first records"),
    2: Change("raw files, pages, dates, texts, hidden blocks, unsigned positions", "84800d7d1b08"),
    3: Change("damaged and rare forms of what version 2 reads", "84800d7d1b08"),
    4: Change("numbers of any type, UTF-16 without ASCII, what decoders pass over", "84800d7d1b08"),
    5: Change("colours of an icon's PNG, fractions of a second as numbers, XMP up to 60", "84800d7d1b08"),
    6: Change("tabs in a PAM's header, colour maps of a Targa that start midway", "84800d7d1b08"),
}
EXTRACTOR_VERSION = max(CHANGES)
