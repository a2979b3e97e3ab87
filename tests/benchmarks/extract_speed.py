"""Processor time per JPEG: the extractor, Pillow reading the same, and `exiftool -stay_open -fast`.

    python tests/benchmarks/extract_speed.py FOLDER...

Each reads every JPEG below the folders, from the page cache, warmed first; the extractor and Pillow in turn, round by
round. The mean of all rounds counts: on a shared machine the best of each is luck. A missed goal is a failure.
"""

from __future__ import annotations

import argparse
import os
import shutil
import subprocess
import sys
import time
import warnings
from collections.abc import Callable
from pathlib import Path
from statistics import fmean
from typing import TypeVar

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "lambdas" / "shared"))

import psutil
from PIL import Image

from image_metadata import extract

#: How many times as fast as the others the extractor is to be.
PILLOW_GOAL, EXIFTOOL_GOAL = 2.5, 50.0
#: One round of exiftool's lasts as long as a score of Pillow's.
EXIFTOOL_ROUNDS = 3
T = TypeVar("T")


def main() -> int:
    """Run the benchmark; 1 when a goal is missed."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("folders", nargs="+", type=Path, metavar="FOLDER")
    parser.add_argument("--rounds", type=int, default=50)
    options = parser.parse_args()
    if shutil.which("exiftool") is None:
        parser.error("exiftool is not installed (Debian: apt-get install libimage-exiftool-perl)")
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})
    files = [
        path
        for folder in options.folders
        for path in sorted(folder.rglob("*"))
        if path.suffix.lower() in (".jpg", ".jpeg", ".jpe") and opens(path)
    ]
    ours, pillow = map(fmean, interleaved([run_ours, run_pillow], files, options.rounds))
    exiftool = fmean(run_exiftool(files) for _ in range(EXIFTOOL_ROUNDS))
    print(f"{len(files)} JPEGs, mean of {options.rounds} rounds, of exiftool of {EXIFTOOL_ROUNDS}")
    for name, seconds, goal in (
        ("image_metadata", ours, 1.0),
        ("Pillow open + getexif + getxmp", pillow, PILLOW_GOAL),
        ("exiftool -stay_open -fast", exiftool, EXIFTOOL_GOAL),
    ):
        print(
            f"{name:32} {1e6 * seconds / len(files):9.1f} us per file {seconds / ours:7.2f} x (goal {goal})"
        )
    return 0 if pillow >= PILLOW_GOAL * ours and exiftool >= EXIFTOOL_GOAL * ours else 1


def opens(path: Path) -> bool:
    """Whether Pillow reads the file: on others the times would not be comparable."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return read_by_pillow(path) in ("JPEG", "MPO")
    except (OSError, SyntaxError, ValueError, TypeError, KeyError, Image.DecompressionBombError):
        return False


def read_by_pillow(path: Path) -> str | None:
    """What a record needs: the size, the tags of the main, the EXIF and the GPS directory, and XMP."""
    with Image.open(path) as image:
        exif = image.getexif()
        _ = image.size, dict(exif), exif.get_ifd(0x8769), exif.get_ifd(0x8825), image.getxmp()
        return image.format


def interleaved(
    programs: list[Callable[[list[T]], object]], files: list[T], rounds: int
) -> list[list[float]]:
    """Each program's processor time in each round, in seconds; they take turns so that noise strikes all alike."""
    times: list[list[float]] = [[] for _ in programs]
    for _ in range(rounds):
        for program, its in zip(programs, times, strict=True):
            started = time.process_time()
            program(files)
            its.append(time.process_time() - started)
    return times


def run_ours(files: list[Path]) -> None:
    """The extractor, to the record."""
    for path in files:
        extract(path).to_dict()


def run_pillow(files: list[Path]) -> None:
    """Pillow, as above."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for path in files:
            read_by_pillow(path)


def run_exiftool(files: list[Path]) -> float:
    """One exiftool process that stays open; its processor time from the first file to the last answer."""
    process = subprocess.Popen(
        ["exiftool", "-stay_open", "True", "-@", "-"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
    )
    assert process.stdin is not None and process.stdout is not None

    def ask(lines: str) -> None:
        assert process.stdin is not None and process.stdout is not None
        process.stdin.write((lines + "\n-execute\n").encode())
        process.stdin.flush()
        for line in process.stdout:
            if line.startswith(b"{ready}"):
                return

    ask("-j\n-n\n-fast\n" + str(files[0]))
    started = sum(psutil.Process(process.pid).cpu_times()[:2])
    for path in files:
        ask("-j\n-n\n-fast\n" + str(path))
    elapsed = sum(psutil.Process(process.pid).cpu_times()[:2]) - started
    process.stdin.write(b"-stay_open\nFalse\n")
    process.stdin.close()
    process.stdout.close()
    process.wait(timeout=30)
    return elapsed


if __name__ == "__main__":
    sys.exit(main())
