"""Programs that no suite runs, as they measure or compare for minutes: each one starts."""

import importlib
import subprocess
import sys
from pathlib import Path

import pytest

TESTS = Path(__file__).resolve().parents[2]


@pytest.mark.parametrize("name", sorted(path.stem for path in (TESTS / "benchmarks").glob("*.py")))
def test_a_benchmark_finds_what_it_imports(name: str) -> None:
    importlib.import_module(f"tests.benchmarks.{name}")


@pytest.mark.parametrize("name", sorted(path.name for path in (TESTS / "comparison").glob("*.py")))
def test_a_comparison_says_how_it_is_used(name: str) -> None:
    command = [sys.executable, str(TESTS / "comparison" / name), "--help"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0 and "usage:" in done.stdout, done.stderr
