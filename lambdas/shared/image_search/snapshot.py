"""The snapshot of the catalogue in S3: change files, tombstones and rows; how they are merged, and how they are read.

    changes/*.ndjson.gz                     what happened; a name is never used for other rows
    tombstones/part=2026-11.parquet         the removals of a part, kept for some days
    snapshot/part=2026-11/rows.parquet      the images of a part, sorted by `taken_at`

An image belongs to one part for good. Per image the highest sequence counts, wherever it stands. A compaction puts a
part's tombstones, then its rows, each only in the place of what it read, and deletes the change files that it merged
when all their parts are written. A reader lists the changes first, then tombstones, then rows, and reads each object
by the ETag that was listed: where that has gone, a compaction came between, and it begins again. So a crash at any
point and two compactions at once lose nothing and double nothing (tests/unit/search/test_interleavings.py).
"""

from __future__ import annotations

import re
import time
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from image_catalogue.errors import CatalogueBusy
from image_catalogue.records import timestamp

from .changes import CHANGES, is_waiting
from .columns import sql_types
from .engine import Damaged, Engine, literal, memory_share, scratch_folder
from .files import Changed, Files, Stored
from .pinned import path_of

TOMBSTONES, ROWS = "tombstones/", "snapshot/"
#: Longer than the table's stream hands a batch out again (24 hours).
TOMBSTONE_DAYS = 3
#: Compressed bytes of changes that one compaction takes on; a table's row is some ten times that in memory.
COMPACTED_BYTES = 32 * 1024**2
#: Rows that are read and skipped together: fewer cost more requests, more cost more bytes.
ROW_GROUP = 50_000
_OF_A_PART = re.compile(
    r"snapshot/part=(?P<month>[0-9]{4}-[0-9]{2})/rows(?P<number>-[0-9]+)?\.parquet"
    r"|tombstones/part=(?P<stones>[0-9]{4}-[0-9]{2}(-[0-9]+)?)\.parquet"
)
_PART = re.compile(r"([0-9]{4}-[0-9]{2})(-[0-9]+)?")
_ATTEMPTS = 8
_PARQUET = "application/vnd.apache.parquet"
_STONE_TYPES = "image_id VARCHAR, sequence VARCHAR, removed_at VARCHAR"


def rows_key(part: str) -> str:
    """Where the rows of a part are: those of one month are one Athena partition."""
    match = _PART.fullmatch(part)
    if match is None:
        raise Damaged(f"the change file that names the part {part[:40]!r}")
    return f"{ROWS}part={match[1]}/rows{match[2] or ''}.parquet"


def tombstones_key(part: str) -> str:
    """Where the tombstones of a part are."""
    return f"{TOMBSTONES}part={part}.parquet"


@dataclass(frozen=True)
class View:
    """What a reader sees: the SQL source of the images, all of one moment."""

    as_of: str
    template: str
    rows: tuple[Stored, ...]  # newest part first
    hides: bool  # whether some of the rows are overruled by changes
    pending: bool  # whether some changes put images

    def source(self, expressions: Mapping[str, str]) -> str:
        """SQL for all images: `file` and `row`, by which `record_rows` finds one again, and these columns.

        Each branch names what it reads, so that of a struct only the members asked for are read.
        """
        named = "".join(f', {sql} AS "{name}"' for name, sql in expressions.items())
        branches = []
        if self.rows:
            hiding = (
                " WHERE NOT EXISTS (SELECT 1 FROM hidden"
                " WHERE hidden.file = rows.file AND hidden.row = rows.row)"
            )
            branches.append(
                f"SELECT file, row{named} FROM {_rows(self.template, self.rows)} AS rows"
                f"{hiding if self.hides else ''}"
            )
        if self.pending or not branches:
            branches.append(f"SELECT -1::BIGINT AS file, rowid AS row{named} FROM pending")
        return "(" + " UNION ALL ".join(branches) + ")"

    def record_rows(self, places: Iterable[tuple[int, int]], names: Sequence[str]) -> str:
        """SQL for what the rows at these places (`file`, `row`) hold: their places, and these columns."""
        wanted: dict[int, list[int]] = {}
        for file, row in places:
            wanted.setdefault(file, []).append(row)
        columns = ", ".join(f'"{name}"' for name in names)
        branches = []
        for file, rows in wanted.items():
            source, number = "pending", "rowid"
            if file >= 0:
                source, number = _rows(self.template, [self.rows[file]]), "row"
            branches.append(
                f"SELECT {file}::BIGINT AS file, {number} AS row, {columns} FROM {source}"
                f" WHERE {number} IN ({', '.join(map(str, rows))})"
            )
        return " UNION ALL ".join(branches)


class Reader:
    """Views of the snapshot for one engine; what has not changed since the last view is not read again."""

    def __init__(self, engine: Engine) -> None:
        self.engine = engine
        self._template = _write_template(engine)
        self._seen: tuple[tuple[Stored, ...], ...] | None = None
        self._view: View | None = None

    def view(self, deadline: float | None = None) -> View:
        """The images as they are now; raises `Changed` (begin again), `CatalogueBusy`, `Damaged`."""
        files, as_of = self.engine.files, timestamp(datetime.now(UTC))
        changes = tuple(files.listed(CHANGES))  # first, then tombstones, then rows
        tombstones = tuple(files.listed(TOMBSTONES)) if changes else ()
        rows = tuple(entry for entry in reversed(files.listed(ROWS)) if _part_of(entry))
        seen = (changes, tombstones, rows)
        if self._view is None or seen != self._seen:
            self._seen = None  # until all is read
            self._view = self._read(as_of, *seen, deadline)
            self._seen = seen
        return replace(self._view, as_of=as_of)

    def _read(
        self,
        as_of: str,
        changes: tuple[Stored, ...],
        tombstones: tuple[Stored, ...],
        rows: tuple[Stored, ...],
        deadline: float | None,
    ) -> View:
        engine = self.engine
        engine.pinned.show((*tombstones, *rows), whole=changes)
        _load(engine, changes, deadline)
        parts = {part for (part,) in engine.run("SELECT DISTINCT part FROM change")}
        _settle(engine, self._template, parts, tombstones, rows, deadline)
        engine.run(
            "CREATE OR REPLACE TEMP TABLE hidden AS SELECT file, row FROM winner WHERE file IS NOT NULL"
        )
        columns = ", ".join(f'"{name}"' for name in sql_types())
        engine.run(
            f"CREATE OR REPLACE TEMP TABLE pending AS SELECT {columns} FROM winner WHERE change = 'put'"
        )
        ((hides, pending),) = engine.run(
            "SELECT (SELECT count(*) FROM hidden) > 0, (SELECT count(*) FROM pending) > 0"
        )
        return View(as_of, self._template, rows, hides, pending)


def mark_all(reader: Reader) -> None:
    """The table `mark`: all sequences that search knows of an image, and whether it finds the image (`present`).

    For a repair, before it looks at the table: what it then writes `after` these sequences wins over all that was seen
    here, and over no change that comes later.
    """

    def attempt() -> None:
        engine, view = reader.engine, reader.view()
        tombstones = engine.files.listed(TOMBSTONES)
        engine.pinned.show((*tombstones, *view.rows), whole=engine.files.listed(CHANGES))
        engine.run(
            "CREATE OR REPLACE TEMP TABLE mark AS"
            " SELECT image_id, part, sequence, revision, change = 'put' AS present FROM winner"
        )
        for number, entry in enumerate(view.rows):
            engine.run(
                f"INSERT INTO mark SELECT image_id, {literal(_part_of(entry))}, sequence, revision, true"
                f" FROM {_rows(view.template, [entry])} AS rows WHERE NOT EXISTS (SELECT 1 FROM hidden"
                f" WHERE hidden.file = {number} AND hidden.row = rows.row)"
            )
        for entry in tombstones:
            engine.run(
                f"INSERT INTO mark SELECT image_id, {literal(_part_of(entry))}, sequence, NULL, false"
                f" FROM read_parquet({literal(path_of(entry))})"
            )

    patiently(attempt)


def patiently(attempt: Any, deadline: float | None = None) -> Any:
    """What `attempt` answers, begun again where a compaction came between; raises `CatalogueBusy` after too many."""
    for _ in range(_ATTEMPTS):
        if deadline is not None and time.monotonic() >= deadline:
            break
        try:
            return attempt()
        except Changed:
            continue
    raise CatalogueBusy("the snapshot keeps being rewritten; try again shortly")


# -- compaction --------------------------------------------------------------------------------------


def compact(engine: Engine, changes: list[Stored], deadline: float | None = None) -> dict[str, int]:
    """Merge these change files into their parts, then delete them; answers what was done.

    Raises `Changed` where another compaction came between: that one, or the next, goes on. Raises `CatalogueBusy` when
    S3 does not answer or the deadline (`time.monotonic()` seconds) comes before all parts are written, and `Damaged`.
    """
    files, template = engine.files, _write_template(engine)
    engine.pinned.show((), whole=changes)
    _load(engine, changes, deadline)
    parts = sorted(part for (part,) in engine.run("SELECT DISTINCT part FROM change"))
    done = {"changes": len(changes), "parts": 0, "images": 0}
    for part in parts:
        if deadline is not None and time.monotonic() >= deadline:
            raise CatalogueBusy("the compaction ran out of time; the next one goes on")
        tombstones = _find(files, tombstones_key(part))
        rows = _find(files, rows_key(part))
        engine.pinned.show([entry for entry in (tombstones, rows) if entry], whole=changes)
        places = [[entry] if entry else [] for entry in (tombstones, rows)]
        _settle(engine, template, {part}, places[0], places[1], deadline)
        ((won,),) = engine.run("SELECT count(*) FROM winner")
        if won == 0:  # all of it is merged already
            continue
        # Both, even where only one changes: that each is still what was read is what keeps two compactions apart.
        stones_file, rows_file = engine.scratch / "tombstones.parquet", engine.scratch / "rows.parquet"
        _copy(engine, _kept_tombstones(tombstones), stones_file, deadline)
        _copy(engine, _merged_rows(template, rows), rows_file, deadline)
        _replace(files, tombstones, tombstones_key(part), stones_file)
        _replace(files, rows, rows_key(part), rows_file)
        done["parts"] += 1
        done["images"] += won
    files.delete([entry.key for entry in changes])
    return done


def compact_due(files: Files, deadline: float, now: bool = False) -> dict[str, int]:
    """Compact as long as it is due (with `now`, also what waits though it is not) and time allows.

    Answers what was done. Where another compaction comes between, the rest is left to it.
    """
    total: Counter[str] = Counter(changes=0, parts=0, images=0)
    engine = Engine(files, scratch_folder(), memory_share())
    try:
        while time.monotonic() < deadline and is_waiting(files, now):
            total.update(compact(engine, take(files.listed(CHANGES)), deadline))
    except Changed:
        pass
    finally:
        engine.close()
    return dict(total)


def take(changes: list[Stored]) -> list[Stored]:
    """As many of the waiting change files as one compaction takes on, oldest names first."""
    taken: list[Stored] = []
    size = 0
    for entry in changes:
        if taken and size + entry.size > COMPACTED_BYTES:
            break
        taken.append(entry)
        size += entry.size
    return taken


def _kept_tombstones(tombstones: Stored | None) -> str:
    """SQL for the part's tombstones after the merge.

    One whose image is named by a change at hand stays however old it is: that change may be left behind once more.
    """
    now = datetime.now(UTC)
    oldest = timestamp(now - timedelta(days=TOMBSTONE_DAYS))
    new = f"SELECT image_id, sequence, '{timestamp(now)}' AS removed_at FROM winner WHERE change = 'removed'"
    if tombstones is None:
        return new
    return (
        f"SELECT image_id, sequence, removed_at FROM read_parquet({literal(path_of(tombstones))})"
        " WHERE image_id NOT IN (SELECT image_id FROM winner)"
        f" AND (removed_at >= '{oldest}' OR image_id IN (SELECT image_id FROM change)) UNION ALL {new}"
    )


def _merged_rows(template: str, rows: Stored | None) -> str:
    columns = ", ".join(f'"{name}"' for name in sql_types())
    new = f"SELECT {columns} FROM winner WHERE change = 'put'"
    if rows is not None:
        new += (
            f" UNION ALL SELECT {columns} FROM {_rows(template, [rows])}"
            " WHERE row NOT IN (SELECT row FROM winner WHERE row IS NOT NULL)"
        )
    return f"SELECT * FROM ({new}) ORDER BY taken_at NULLS LAST, image_id"


def _copy(engine: Engine, sql: str, path: Path, deadline: float | None) -> None:
    engine.run(
        f"COPY ({sql}) TO {literal(path)} (FORMAT parquet, COMPRESSION zstd, ROW_GROUP_SIZE {ROW_GROUP})",
        deadline=deadline,
    )


def _replace(files: Files, old: Stored | None, key: str, path: Path) -> None:
    with path.open("rb") as data:
        files.replace(old, key, data, _PARQUET)
    path.unlink()


def _find(files: Files, key: str) -> Stored | None:
    return next((entry for entry in files.listed(key) if entry.key == key), None)


# -- what both do ------------------------------------------------------------------------------------


def _load(engine: Engine, changes: Iterable[Stored], deadline: float | None) -> None:
    """The table `change`: of each image the latest of these changes."""
    types = sql_types() | {"change": "VARCHAR", "part": "VARCHAR"}
    columns = ", ".join(f'"{name}" {kind}' for name, kind in types.items())
    typed = ", ".join(f"{literal(name)}: {literal(kind)}" for name, kind in types.items())

    def is_damaged(some: list[Stored]) -> bool:
        """Whether DuckDB cannot read them, or what it reads is no change; none of ours is empty."""
        engine.run(f"CREATE OR REPLACE TEMP TABLE change ({columns})")
        if not some:
            return False
        paths = literal([path_of(entry) for entry in some])
        try:
            engine.run(
                f"INSERT INTO change BY NAME SELECT * FROM read_json({paths}, format = 'newline_delimited',"
                f" compression = 'gzip', hive_partitioning = false, columns = {{{typed}}})"
                " QUALIFY row_number() OVER (PARTITION BY image_id, part ORDER BY sequence DESC) = 1",
                deadline=deadline,
            )
        except Damaged:
            return True
        ((wrong,),) = engine.run(
            "SELECT count(*) FROM change WHERE image_id IS NULL OR sequence IS NULL OR part IS NULL"
            " OR change IS NULL OR change NOT IN ('put', 'removed') OR NOT regexp_full_match(part, ?)",
            [_PART.pattern],
        )
        return wrong > 0 or any(entry.size == 0 for entry in some)

    waiting = list(changes)
    if is_damaged(waiting):  # DuckDB does not always say which of them
        raise Damaged(next((entry.key for entry in waiting if is_damaged([entry])), ""))


def _settle(
    engine: Engine,
    template: str,
    parts: set[str],
    tombstones: Iterable[Stored],
    rows: Iterable[Stored],
    deadline: float | None,
) -> None:
    """The table `winner`: the changes that say something new, with the place (`file`, `row`) of the row they overrule.

    `file` counts within `rows`. A change wins over an older row, and over a tombstone that is not younger: the
    tombstone of its own removal may stand while the row still does.
    """
    rows = list(rows)
    file_of = {part: number for number, entry in enumerate(rows) if (part := _part_of(entry)) in parts}
    stones = {part: entry for entry in tombstones if (part := _part_of(entry)) in parts}
    place = "part VARCHAR, file BIGINT, row BIGINT, image_id VARCHAR, sequence VARCHAR"
    engine.run(f"CREATE OR REPLACE TEMP TABLE standing ({place})")
    engine.run(f"CREATE OR REPLACE TEMP TABLE stone (part VARCHAR, {_STONE_TYPES})")
    for part, number in file_of.items():
        engine.run(
            f"INSERT INTO standing SELECT '{part}', {number}, row, image_id, sequence"
            f" FROM {_rows(template, [rows[number]])}"
            f" WHERE image_id IN (SELECT image_id FROM change WHERE part = '{part}')",
            deadline=deadline,
        )
    for part, entry in stones.items():
        engine.run(
            f"INSERT INTO stone SELECT '{part}', image_id, sequence, removed_at"
            f" FROM read_parquet({literal(path_of(entry))}) WHERE image_id IN (SELECT image_id FROM change)",
            deadline=deadline,
        )
    names = ", ".join(f"'{part}'" for part in parts)
    engine.run(
        "CREATE OR REPLACE TEMP TABLE winner AS SELECT change.*, standing.file, standing.row FROM change"
        " LEFT JOIN standing ON standing.image_id = change.image_id AND standing.part = change.part"
        " LEFT JOIN stone ON stone.image_id = change.image_id AND stone.part = change.part"
        f" WHERE change.part IN ({names or 'NULL'})"
        " AND change.sequence > coalesce(standing.sequence, '')"
        " AND change.sequence >= coalesce(stone.sequence, '')",
        deadline=deadline,
    )


def _write_template(engine: Engine) -> str:
    """A file of rows without a row: read beside the others, it brings the columns that older files lack."""
    path = engine.scratch / "template.parquet"
    columns = ", ".join(f'NULL::{kind} AS "{name}"' for name, kind in sql_types().items())
    engine.run(f"COPY (SELECT {columns} WHERE false) TO {literal(path)} (FORMAT parquet)")
    return str(path)


def _rows(template: str, rows: Sequence[Stored]) -> str:
    """SQL for the rows of these files with their places: `file` counts within `rows`."""
    paths = literal([template, *(path_of(entry) for entry in rows)])
    return (
        "(SELECT file_index::BIGINT - 1 AS file, file_row_number AS row, * EXCLUDE (file_row_number)"
        f" FROM read_parquet({paths}, union_by_name = true, hive_partitioning = false, file_row_number = true))"
    )


def _part_of(entry: Stored) -> str:
    """The part whose rows or tombstones an object holds; empty: it is neither."""
    match = _OF_A_PART.fullmatch(entry.key)
    if match is None:
        return ""
    return match["stones"] or match["month"] + (match["number"] or "")
