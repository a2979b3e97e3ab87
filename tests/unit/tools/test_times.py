"""How long the tests take is noted where they pass."""

import subprocess
import time
from pathlib import Path

import pytest

from tools.dev import times

ROOT = Path(__file__).resolve().parents[3]


def test_what_a_suite_took_is_kept_until_it_passes_again(tmp_path: Path) -> None:
    notes = tmp_path / "times"
    assert times.read(notes) == {}
    times.note("test-unit", time.time() - 200, notes)
    times.note("test-e2e", time.time() - 9, notes)
    times.note("test-unit", time.time() - 7, notes)
    took = times.read(notes)
    assert took.keys() == {"test-e2e", "test-unit"} and 7 <= took["test-unit"][0] < 60


@pytest.mark.parametrize(
    ("target", "fails"),
    [
        *((name, "run") for name in ("test", "test-unit", "test-terraform", "test-e2e", "test-variants")),
        ("test", "make"),
    ],
)
def test_a_suite_that_fails_fails_make_and_is_not_noted(target: str, fails: str, tmp_path: Path) -> None:
    # A stand-in takes the place of Python, and one of make, in the target's last line: at first one of them fails.
    shown = subprocess.run(
        ["make", "--no-print-directory", "-C", str(ROOT), "-n", target, "RUN=run", "MAKE=make"],
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    command = shown.splitlines()[-1]
    for name in ("run", "make"):
        (tmp_path / name).write_text('#!/bin/sh\necho "$@" >> ran\n')
        (tmp_path / name).chmod(0o755)
    (tmp_path / fails).write_text('#!/bin/sh\necho "$@" >> ran\ntest "$2" = tools.dev.times\n')
    done = subprocess.run(
        command, shell=True, cwd=tmp_path, env={"PATH": f"{tmp_path}:/usr/bin:/bin"}, check=False
    )
    assert done.returncode != 0 and "tools.dev.times" not in (tmp_path / "ran").read_text()
    (tmp_path / fails).write_text('#!/bin/sh\necho "$@" >> ran\n')
    done = subprocess.run(
        command, shell=True, cwd=tmp_path, env={"PATH": f"{tmp_path}:/usr/bin:/bin"}, check=False
    )
    assert done.returncode == 0 and f"-m tools.dev.times {target} 1" in (tmp_path / "ran").read_text()


def test_terraform_tests_that_fail_fail_make(tmp_path: Path) -> None:
    python = tmp_path / "python"
    python.write_text(f'#!/bin/sh\ntest "$1" = -c && exit 0\necho "$@" > {tmp_path}/ran\nexit 1\n')
    python.chmod(0o755)
    command = ["make", "-s", "-C", str(ROOT), "terraform-tested", f"PYTHON={python}"]
    assert subprocess.run(command, capture_output=True, check=False).returncode != 0
    assert (tmp_path / "ran").read_text() == "-m tools.dev.terraform_tests test\n"
