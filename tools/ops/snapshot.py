#!/usr/bin/env python3
"""Compare the search snapshot with the table, report and repair every difference: also the first fill, and a rebuild.

What search knows is read first and the table is scanned after it, so that what changes meanwhile only looks different:
repairing it again changes nothing, and a repair wins over what was seen and over nothing later.
"""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
import time
import uuid
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

ROOT = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT), str(ROOT / "lambdas" / "shared")]

from image_catalogue.dynamodb import from_dynamodb
from image_catalogue.errors import CatalogueError
from image_catalogue.groups import groups
from image_catalogue.items import Item, is_record, part_of, public
from image_search.changes import FIRST_SEQUENCE, after, change_row, write_changes
from image_search.engine import Engine
from image_search.files import Files
from image_search.snapshot import Reader, compact_due, mark_all
from tools.deploy.credentials import AccountError, find_region
from tools.ops import may_be_unread, printable_key, with_cause
from tools.terminal import progress

KINDS = {
    "missing": "in the table, not in search",
    "stale": "search knows another state of it than the table",
    "orphaned": "in search, not in the table",
}
#: Records compared at a time, and rows of one change file.
_BATCH = 20_000
_MEMORY_MB = 2048
_COMPACTION_SECONDS = 3600


class Comparison:
    """One comparison of a table with a search bucket; with `repair`, differences become change files."""

    def __init__(self, dynamodb: Any, table: str, files: Files, scratch: Path, repair: bool) -> None:
        self._dynamodb, self._table, self._files, self._repair = dynamodb, table, files, repair
        self._engine = Engine(files, scratch, _MEMORY_MB)
        self._rows: defaultdict[str, list[dict[str, Any]]] = defaultdict(list)
        self.drift: Counter[str] = Counter()
        self.records = 0

    def run(self, report: Callable[[str, str], object], quiet: bool = False) -> None:
        """Compare all, and report each difference: its kind and the image's id."""
        mark_all(Reader(self._engine))
        self._engine.run("CREATE OR REPLACE TEMP TABLE scanned (image_id VARCHAR)")
        with progress(stderr=True, quiet=quiet or not sys.stderr.isatty()) as bar:
            task = bar.add_task("records", total=None)
            for batch in groups(self._scan(), _BATCH):
                self._compare(batch, report)
                self.records += len(batch)
                bar.advance(task, len(batch))
        orphans = self._engine.run(
            "SELECT image_id, part, sequence FROM mark WHERE present AND image_id NOT IN (SELECT image_id FROM scanned)"
        )
        for image_id, part, sequence in orphans:
            self._found("orphaned", report, change_row(image_id, part, after(sequence), None))
        for part in list(self._rows):
            self._write(part)
        self._engine.close()

    def _scan(self) -> Iterator[Item]:
        pages = self._dynamodb.get_paginator("scan").paginate(TableName=self._table, ConsistentRead=True)
        for page in pages:
            yield from (item for item in map(from_dynamodb, page["Items"]) if is_record(item))

    def _compare(self, batch: list[Item], report: Callable[[str, str], object]) -> None:
        ids = [item["image_id"] for item in batch]
        self._engine.run("INSERT INTO scanned SELECT unnest(?::VARCHAR[])", [ids])
        known = {
            image_id: (sequence, revision, present)
            for image_id, sequence, revision, present in self._engine.run(
                "SELECT image_id, max(sequence), max(revision) FILTER (present), bool_or(present) FROM mark"
                " WHERE image_id IN (SELECT unnest(?::VARCHAR[])) GROUP BY image_id",
                [ids],
            )
        }
        for item in batch:
            sequence, revision, present = known.get(item["image_id"], (None, None, False))
            part = part_of(item)
            if part is None or (present and revision == item["revision"]):
                continue
            place = after(sequence) if sequence else FIRST_SEQUENCE
            row = change_row(item["image_id"], part, place, public(item), item["revision"])
            self._found("stale" if present else "missing", report, row)

    def _found(self, kind: str, report: Callable[[str, str], object], row: dict[str, Any]) -> None:
        self.drift[kind] += 1
        report(kind, row["image_id"])
        if self._repair:
            self._rows[row["part"]].append(row)
            if len(self._rows[row["part"]]) == _BATCH:
                self._write(row["part"])

    def _write(self, part: str) -> None:
        rows = self._rows.pop(part)
        write_changes(self._files, f"repair-{part}-{uuid.uuid4().hex}", rows)


def compare(
    dynamodb: Any,
    table: str,
    files: Files,
    repair: bool,
    report: Callable[[str, str], object],
    quiet: bool = False,
) -> Comparison:
    """Compare, report and say what was found; with `repair`, write what differs and merge it."""
    with tempfile.TemporaryDirectory() as scratch:
        comparison = Comparison(dynamodb, table, files, Path(scratch), repair)
        comparison.run(report, quiet)
    if comparison.drift and repair:
        compact_due(files, time.monotonic() + _COMPACTION_SECONDS, now=True)
    print(f"{comparison.records} records compared with search")
    for kind, meaning in KINDS.items():
        if comparison.drift[kind]:
            print(f"{comparison.drift[kind]:>8} {kind}: {meaning}")
    return comparison


@may_be_unread
def main(arguments: list[str] | None = None) -> int:
    """Exit code 0: in step; 1: differences found (and, with --repair, repaired); 2: could not compare."""
    parser = argparse.ArgumentParser(
        description=__doc__,
        epilog="exit code: 0 in step, 1 differences found (repaired or not), 2 could not compare",
    )
    parser.add_argument(
        "--table", required=True, help="the table (terraform -chdir=terraform output -raw table)"
    )
    parser.add_argument(
        "--search-bucket",
        required=True,
        help="the search bucket (terraform -chdir=terraform output -raw search_bucket)",
    )
    parser.add_argument("--repair", action="store_true", help="write what differs, and merge it")
    parser.add_argument("--region", help="AWS region (default: as deploy.sh finds it)")
    parser.add_argument("--quiet", action="store_true", help="no list of differences, no progress bar")
    options = parser.parse_args(arguments)

    def report(kind: str, image_id: str) -> None:
        if not options.quiet:
            print(f"{kind}\t{printable_key(image_id)}")

    try:
        config = Config(retries={"mode": "standard", "total_max_attempts": 5})
        session = boto3.Session(region_name=options.region or find_region(os.environ))
        files = Files(options.search_bucket, session.client("s3", config=config))
        dynamodb = session.client("dynamodb", config=config)
        comparison = compare(dynamodb, options.table, files, options.repair, report, options.quiet)
    except (AccountError, CatalogueError, BotoCoreError, ClientError) as error:
        print(f"snapshot.py: {with_cause(error)}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print("\nsnapshot.py: interrupted; running it again is safe", file=sys.stderr)
        return 130
    return 1 if comparison.drift else 0


if __name__ == "__main__":
    sys.exit(main())
