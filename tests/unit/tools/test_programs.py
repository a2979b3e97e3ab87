"""Programs that measure or compare for minutes, which no suite runs: they find what they import, and start."""

import importlib
import subprocess
import sys
from pathlib import Path

import pytest

TESTS = Path(__file__).resolve().parents[2]


@pytest.mark.parametrize("name", sorted(path.stem for path in (TESTS / "benchmarks").glob("*.py")))
def test_a_benchmark_finds_what_it_imports(name: str) -> None:
    importlib.import_module(f"tests.benchmarks.{name}")


@pytest.mark.parametrize(
    "command",
    [
        "-m tests.benchmarks.search_speed",
        "tests/benchmarks/extract_speed.py",
        *sorted(f"tests/comparison/{path.name}" for path in (TESTS / "comparison").glob("*.py")),
    ],
)
def test_a_program_says_how_it_is_used(command: str) -> None:
    done = subprocess.run(
        [sys.executable, *command.split(), "--help"],
        cwd=TESTS.parent,
        capture_output=True,
        text=True,
        check=False,
        timeout=100,
    )
    assert done.returncode == 0 and "usage:" in done.stdout, done.stderr
