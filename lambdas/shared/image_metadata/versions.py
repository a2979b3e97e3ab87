"""The extractor's version, which every record states: reconcile finds by it what an older extractor wrote.

A change by which the same bytes yield another record adds a line that says so. Two branches that both add one conflict
in git, and must: whichever is merged second is another version.
"""

from __future__ import annotations

CHANGES = {
    1: "the first records",
}
EXTRACTOR_VERSION = max(CHANGES)
