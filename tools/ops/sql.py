#!/usr/bin/env python3
"""Ask the catalogue in SQL from here: DuckDB over the search bucket's files, or the whole of it as a file.

    tools/ops/sql.py "select camera.make, count(*) from images group by all"
    tools/ops/sql.py --query cameras
    tools/ops/sql.py --export coco --out images.json "select * from images where width >= 1000"

There is one table, images; its columns are those of docs/search.md. What is written is of one moment: where the
snapshot is rewritten meanwhile, the tool begins again.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import sys
import tempfile
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import boto3
import duckdb
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError
from rich.table import Table
from rich.text import Text

ROOT = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT), str(ROOT / "lambdas" / "shared")]

from image_catalogue.errors import CatalogueError
from image_search.columns import BY_NAME, INTERNAL, NUMBERS, TEXT, TEXTS, record_of_row, sql_types
from image_search.engine import Engine, literal
from image_search.files import Files
from image_search.forms import sql_text_cell
from image_search.snapshot import Reader, patiently
from tools.deploy.credentials import AccountError, find_region
from tools.deploy.deploy import enter_stage, find_place, wanted_stage
from tools.deploy.terraform import Terraform, TerraformError
from tools.ops import exports, may_be_unread, printable, with_cause
from tools.terminal import console, progress

#: Questions that many owners of images have; Athena has them by the same names.
QUERIES = ROOT / "terraform" / "modules" / "athena" / "queries"
ALL = "select * from images"
#: What DuckDB writes by itself, and its options for it.
_COPIED = {"csv": "FORMAT csv, HEADER", "parquet": "FORMAT parquet, COMPRESSION zstd"}
FORMATS = (*_COPIED, *exports.FORMS)
_SHOWN_ROWS = 100
_POLL_SECONDS = 0.2


class SqlError(Exception):
    """The question cannot be answered; the text says why."""


class Catalogue:
    """The images of a search bucket as the table `images` of a DuckDB that can read nothing else."""

    def __init__(self, files: Files, scratch: Path, memory_mb: int, quiet: bool = True) -> None:
        self.engine = Engine(files, scratch, memory_mb, threads=max(4, os.cpu_count() or 1))
        self._reader = Reader(self.engine)
        self._scratch, self._quiet = scratch, quiet

    def rows(self, sql: str, limit: int) -> tuple[list[str], list[tuple[Any, ...]]]:
        """The names of what a query answers, and its first rows."""

        def attempt() -> tuple[list[str], list[tuple[Any, ...]]]:
            self._look()
            names = [name for name, _ in self._described(sql)]
            return names, self.engine.run(f"SELECT * FROM ({sql}\n) LIMIT {limit}")

        return self._watched(attempt)

    def write(self, sql: str, form: str, path: Path) -> None:
        """Write what a query answers to a file, in one of the `FORMATS`."""

        def attempt() -> None:
            self._look()
            described = self._described(sql)
            cells = [(name, _quoted(name)) for name, _ in described]
            if form == "csv":
                cells = [cell for column in described for cell in _cells(*column)]
            names = {name for name, _ in cells}
            columns = [f"{expression} AS {_quoted(name)}" for name, expression in cells]
            if {"bucket", "image_id"} <= names and "address" not in names:
                columns.append("concat('s3://', bucket, '/', image_id) AS address")
            elif form in ("geojson", "stac", "coco"):
                raise SqlError(f"{form} needs the columns bucket and image_id: select *, or name them too")
            chosen = f"SELECT {', '.join(columns)} FROM ({sql}\n)"
            if form in _COPIED:
                self.engine.run(f"COPY ({chosen}) TO {literal(path)} ({_COPIED[form]})")
                return
            rows = self._scratch / "rows.ndjson"
            self.engine.run(f"COPY ({chosen}) TO {literal(rows)} (FORMAT json)")
            with rows.open(encoding="utf-8") as lines, path.open("w", encoding="utf-8") as out:
                out.writelines(exports.FORMS[form](record_of_row(json.loads(line)) for line in lines))
            rows.unlink()

        self._watched(attempt)

    def close(self) -> None:
        """Give everything back."""
        self.engine.close()

    def _look(self) -> None:
        """Let `images` be what the bucket holds now."""
        names = [name for name in sql_types() if name not in INTERNAL]
        source = self._reader.view().source({name: f'"{name}"' for name in names})
        columns = ", ".join(f'"{name}"' for name in names)
        self.engine.run(f"CREATE OR REPLACE TEMP VIEW images AS SELECT {columns} FROM {source}")

    def _described(self, sql: str) -> list[tuple[str, str]]:
        """Name and type of every column that a query answers; raises `SqlError` for what is no query."""
        rows = self.engine.run(f"DESCRIBE SELECT * FROM ({sql}\n)")
        return [(name, kind) for name, kind, *_ in rows]

    def _watched(self, attempt: Callable[[], Any]) -> Any:
        with self._progress():
            try:
                return patiently(attempt)
            except duckdb.Error as error:
                raise SqlError(str(error)) from error

    @contextmanager
    def _progress(self) -> Iterator[None]:
        """How far DuckDB is, and what was read of the bucket."""
        done = threading.Event()
        with progress(stderr=True, quiet=self._quiet) as bar:
            task = bar.add_task("Asking", total=100)

            def watch() -> None:
                while not done.wait(_POLL_SECONDS):
                    percent = max(0, int(self.engine.progress()))
                    read = f"{self.engine.pinned.bytes_read / 1e6:,.0f} MB read"
                    bar.update(task, completed=percent, description=f"Asking, {read}")

            watcher = threading.Thread(target=watch, daemon=True)
            watcher.start()
            try:
                yield
            finally:
                done.set()
                watcher.join()


def _cells(name: str, kind: str) -> list[tuple[str, str]]:
    """Name and expression of a column's cells in CSV: a group's members by themselves, a list as JSON."""
    members = [column for column in BY_NAME.values() if len(column.path) > 1 and column.path[0] == name]
    if members:
        return [
            (each.name, sql_text_cell(each.name, each.sql) if each.kind == TEXT else each.sql)
            for each in members
        ]
    if name in BY_NAME and BY_NAME[name].kind in (TEXTS, NUMBERS):
        return [(name, f"to_json({_quoted(name)})")]
    return [(name, sql_text_cell(name, _quoted(name)) if kind == "VARCHAR" else _quoted(name))]


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


def named_queries() -> dict[str, str]:
    """The named queries: name -> SQL, whose first line is a comment that says what it answers."""
    return {path.stem: path.read_text(encoding="utf-8") for path in sorted(QUERIES.glob("*.sql"))}


def show(names: list[str], rows: list[tuple[Any, ...]]) -> None:
    """Print rows as a table, without the control characters that they may hold."""
    table = Table(box=None, padding=(0, 2, 0, 0))
    for name in names:
        table.add_column(printable(name), overflow="fold")
    for row in rows[:_SHOWN_ROWS]:
        table.add_row(*(Text("" if value is None else printable(_told(value))) for value in row))
    console().print(table)
    if len(rows) > _SHOWN_ROWS:
        print(f"... and more: --export csv --out FILE writes all, {_SHOWN_ROWS} are shown")


def _told(value: Any) -> str:
    if isinstance(value, dict | list):
        return json.dumps(record_of_row({"it": value}).get("it", {}), ensure_ascii=False)
    return str(value)


def deployed_bucket() -> str:
    """The search bucket of this clone's deployment; raises `SqlError` where there is none."""
    place = find_place(os.environ)
    terraform = Terraform(state=place.state, data_dir=place.data_dir)
    _, outputs = enter_stage(place, terraform, wanted_stage(place, os.environ))
    bucket = outputs.get("search_bucket")
    if not bucket:
        raise SqlError("nothing with search is deployed from here: name its bucket by --search-bucket")
    return str(bucket)


@may_be_unread
def main(arguments: list[str] | None = None) -> int:
    """Exit code 0: answered; 2: not, or not read to its end; standard error says why."""
    parser = argparse.ArgumentParser(
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        epilog="exit code: 0 answered, 2 not",
    )
    queries = named_queries()
    parser.add_argument("sql", nargs="?", help=f"the question (with --export: {ALL!r} by default)")
    parser.add_argument("--query", choices=queries, help="a question that is there already, by its name")
    parser.add_argument(
        "--export", choices=FORMATS, help="write a file and no table; each image gets its address"
    )
    parser.add_argument("--out", type=Path, help="the file to write (default: standard output)")
    parser.add_argument(
        "--search-bucket",
        help="default: that of the deployment here (terraform -chdir=terraform output -raw search_bucket)",
    )
    parser.add_argument("--memory", type=int, default=2048, metavar="MB", help="for DuckDB (default: 2048)")
    parser.add_argument("--region", help="AWS region (default: as deploy.sh finds it)")
    parser.add_argument("--quiet", action="store_true", help="no progress")
    options = parser.parse_args(arguments)
    if options.memory < 1:
        parser.error("--memory takes a number of megabytes, such as 2048")
    if options.sql and options.query:
        parser.error("give a question or --query, not both")
    sql = options.sql or queries.get(options.query) or (ALL if options.export else None)
    if sql is None:
        parser.error("what is the question? See --help")
    if options.out and not options.export:
        parser.error("--out needs --export, which says in what form")
    if options.export == "parquet" and not options.out:
        parser.error("Parquet is no text: --out says where it goes")
    if options.out and not options.out.parent.is_dir():
        parser.error(f"there is no folder {options.out.parent} for --out")

    try:
        region = options.region or find_region(os.environ)
        client = boto3.client(
            "s3", region_name=region, config=Config(retries={"mode": "standard", "total_max_attempts": 5})
        )
        files = Files(options.search_bucket or deployed_bucket(), client)
        with tempfile.TemporaryDirectory(dir=options.out.parent if options.out else None) as folder:
            quiet = options.quiet or not sys.stderr.isatty()
            catalogue = Catalogue(files, Path(folder), options.memory, quiet)
            try:
                _answer(catalogue, sql.rstrip().rstrip(";"), options.export, options.out, Path(folder))
            finally:
                catalogue.close()
    except BrokenPipeError:
        raise
    except (
        SqlError,
        AccountError,
        TerraformError,
        CatalogueError,
        BotoCoreError,
        ClientError,
        OSError,
    ) as error:
        problem = with_cause(error)
        if isinstance(error.__cause__, duckdb.OutOfMemoryException):
            # The API advises a narrower filter; here there is memory to give.
            problem = f"the question needs more than {options.memory} MB of memory: give it more by --memory"
        # DuckDB quotes the value that it cannot convert.
        print("sql.py:", "\n".join(map(printable, problem.split("\n"))), file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print("\nsql.py: interrupted", file=sys.stderr)
        return 130
    return 0


def _answer(catalogue: Catalogue, sql: str, form: str | None, out: Path | None, folder: Path) -> None:
    if form is None:
        show(*catalogue.rows(sql, _SHOWN_ROWS + 1))
        return
    written = folder / f"export.{form}"
    catalogue.write(sql, form, written)
    if out:
        written.replace(out)
        return
    with written.open(encoding="utf-8", newline="") as text:
        shutil.copyfileobj(text, sys.stdout)


if __name__ == "__main__":
    sys.exit(main())
