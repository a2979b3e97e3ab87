"""Whoever reads what a tool of tools/ops prints may stop, as head does: no traceback, nothing of it at the end."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tools import ops

ENVIRONMENT = os.environ | {"PYTHONPATH": os.pathsep.join([str(Path(ops.__file__).parents[2]), *sys.path])}

CATALOGUE = """if True:
    import sys
    from tools.ops import sql as tool
    class Catalogue:
        __init__ = close = lambda *_: None
        def rows(self, sql, limit):
            return ["row"], [(row,) for row in range(limit)]
        def write(self, sql, form, path):
            path.write_text("row\\n" * 1_000_000)
    tool.Catalogue = Catalogue
    arguments = ["--search-bucket", "b"]
"""
SNAPSHOT = """if True:
    import sys
    from tools.ops import snapshot as tool
    def compare(dynamodb, table, files, repair, report, quiet):
        for number in range(1_000_000):
            report("stale", str(number))
    tool.compare = compare
    arguments = ["--table", "t", "--search-bucket", "b"]
"""
RECONCILE = """if True:
    import sys
    from tools.ops import reconcile as tool
    class Reconciler:
        __init__ = lambda *_: None
        def run(self, report, quiet):
            for number in range(1_000_000):
                report("stale", str(number))
    tool.Reconciler = Reconciler
    arguments = ["--table", "t", "--bucket", "b"]
"""
BACKFILL = """if True:
    import sys
    from tools.ops import backfill as tool
    def run(options, clients):
        while True:
            print("an object")
    tool.run = run
    names = ["bucket", "table", "queue-url", "account", "s3-file-event-arn", "code-bucket", "prefix"]
    arguments = [f"--{name}=x" for name in names]
"""
MAIN = """
sys.exit(tool.main([*arguments, "--region", "us-east-1", *sys.argv[1:]]))
"""
#: The reader is gone, which the end of standard input says, when what is printed last is still in Python's buffer.
LATE = """
def late(*text):
    sys.stdin.read()
    print(*text)
tool.print = late
"""


@pytest.mark.parametrize(
    ("tool", "arguments"),
    [(CATALOGUE, ["--export", "csv"]), (SNAPSHOT, []), (RECONCILE, []), (BACKFILL, [])],
    ids=["sql", "snapshot", "reconcile", "backfill"],
)
def test_a_reader_may_stop(tool: str, arguments: list[str], tmp_path: Path) -> None:
    with subprocess.Popen(
        [sys.executable, "-c", tool + MAIN, *arguments],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env=ENVIRONMENT,
        cwd=tmp_path,
    ) as process:
        assert process.stdout and process.stderr
        assert process.stdout.readline()
        process.stdout.close()
        assert process.stderr.read() == b""
    assert process.returncode == 2
    assert (tmp_path / ".reconcile-b.sqlite").exists() is (tool is RECONCILE)


def test_a_reader_may_stop_before_what_is_printed_last(tmp_path: Path) -> None:
    with subprocess.Popen(
        [sys.executable, "-c", CATALOGUE + LATE + MAIN, "select 1"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env=ENVIRONMENT | {"PYTHONUNBUFFERED": ""},
        cwd=tmp_path,
    ) as process:
        assert process.stdin and process.stdout and process.stderr
        assert process.stdout.readline()
        process.stdout.close()
        process.stdin.close()
        assert process.stderr.read() == b""
    assert process.returncode == 2
