"""DuckDB, locked down: it reads the objects that it is told of, computes within bounds, and can do nothing else."""

from __future__ import annotations

import os
import re
import tempfile
import threading
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import duckdb

from image_catalogue.errors import CatalogueBusy

from .files import Changed, Files
from .pinned import SCHEME, PinnedFiles

#: DuckDB's threads mostly wait for S3: more of them than a function has processors.
THREADS = 4
_MEMORY_SHARE = 0.6


_OWN_PATH = re.compile(rf"{SCHEME}://[^/]+/([^\s'\"]+)")
#: What only a mistake in our SQL can be.
_MISTAKES = (duckdb.ParserException, duckdb.BinderException, duckdb.CatalogException)


class Damaged(CatalogueBusy):
    """A file of the search bucket cannot be read; the message says which, and what to do."""

    def __init__(self, key: str = "") -> None:
        super().__init__(
            f"{key or 'a file of the search bucket'} is damaged: delete it there, "
            "then run tools/ops/snapshot.py --repair"
        )


class Engine:
    """One DuckDB in memory. `scratch` is a folder of its own for temporary files and what `copy` writes.

    Not for use by several threads at once.
    """

    def __init__(self, files: Files, scratch: Path, memory_mb: int, threads: int = THREADS) -> None:
        scratch.mkdir(parents=True, exist_ok=True)
        self.files = files
        self.scratch = scratch
        self.broken = False  # DuckDB refuses all further work
        self.pinned = PinnedFiles(files)
        self._database = duckdb.connect(":memory:", config={"threads": threads})
        self._database.register_filesystem(self.pinned)
        for name, value in {
            "memory_limit": f"{memory_mb}MB",
            "temp_directory": str(scratch / "spill"),
            "home_directory": str(scratch),
            "preserve_insertion_order": False,
            "parquet_metadata_cache": True,
            "autoinstall_known_extensions": False,
            "autoload_known_extensions": False,
            "allow_community_extensions": False,
            "allowed_directories": [f"{SCHEME}://", str(scratch)],
            "enable_external_access": False,
            "lock_configuration": True,  # the last: nothing can be set after it
        }.items():
            self._database.execute(f"SET {name} = {literal(value)}")

    def run(
        self, sql: str, values: Sequence[Any] = (), deadline: float | None = None
    ) -> list[tuple[Any, ...]]:
        """The rows that a statement answers; `deadline` is in `time.monotonic()` seconds.

        Raises `Changed`, `CatalogueBusy` (S3 does not answer, time or memory is used up), `Damaged`, and DuckDB's own
        errors where the statement is at fault.
        """
        self.pinned.deadline, self.pinned.failure = deadline, None
        alarm = None
        if deadline is not None:
            alarm = threading.Timer(max(0.0, deadline - time.monotonic()), self._database.interrupt)
            alarm.start()
        try:
            return self._database.execute(sql, values).fetchall()
        except (duckdb.Error, RuntimeError) as error:
            raise self._problem(error) from error
        finally:
            if alarm is not None:
                alarm.cancel()

    def names(self, sql: str) -> list[str]:
        """The names of the columns that a statement would answer."""
        return [column[0] for column in self._database.execute(sql).description or ()]

    def progress(self) -> float:
        """Percent of the statement that runs, for another thread to ask; negative where DuckDB cannot say."""
        return float(self._database.query_progress())

    def close(self) -> None:
        """Give everything back."""
        self._database.close()

    def _problem(self, error: Exception) -> Exception:
        failure = self.pinned.failure
        if isinstance(failure, Changed | CatalogueBusy):
            return failure
        used_up = None
        if isinstance(failure, TimeoutError) or isinstance(error, duckdb.InterruptException):
            used_up = "takes too long"
        elif isinstance(error, duckdb.OutOfMemoryException):
            used_up = "needs too much memory"
        if used_up:
            return CatalogueBusy(
                f"the question {used_up}: ask for less, by a narrower filter or fewer facets"
            )
        if failure is not None or isinstance(error, _MISTAKES) or not isinstance(error, duckdb.Error):
            return failure or error
        self.broken = isinstance(error, duckdb.InternalException | duckdb.FatalException)
        match = _OWN_PATH.search(str(error))
        if match is None and type(error) is not duckdb.Error:  # as what decodes Parquet's structures raises
            return error
        return Damaged(match[1] if match else "")


def memory_share() -> int:
    """Megabytes that DuckDB may take of the function's; Python, boto3 and the answer have the rest."""
    memory = int(os.environ.get("AWS_LAMBDA_FUNCTION_MEMORY_SIZE") or 1024)  # Lambda sets it
    return int(memory * _MEMORY_SHARE)


def scratch_folder() -> Path:
    """A folder of this process's own below /tmp, the one place where a function may write."""
    return Path(tempfile.gettempdir()) / f"search-{os.getpid()}"


def literal(value: Any) -> str:
    """A value of our own in SQL; nothing of a client's comes here."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int):
        return str(value)
    if isinstance(value, list):
        return f"[{', '.join(map(literal, value))}]"
    return "'" + str(value).replace("'", "''") + "'"
