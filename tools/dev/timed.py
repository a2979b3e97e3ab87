"""Run a command, and note how long it took where it passed: ``make bench`` tells what the tests take.

``python -m tools.dev.timed NAME COMMAND...``
"""

from __future__ import annotations

import datetime
import json
import signal
import subprocess
import sys
import time
from pathlib import Path

NOTES = Path(__file__).resolve().parents[2] / ".local" / "times"


def run(name: str, command: list[str], notes: Path = NOTES) -> int:
    """The command's exit code; `read` knows its seconds then, if that is 0."""
    begun = time.monotonic()
    code = subprocess.run(command, check=False).returncode
    if code == 0:
        notes.mkdir(parents=True, exist_ok=True)
        today = datetime.datetime.now(datetime.UTC).date().isoformat()
        note = {"seconds": round(time.monotonic() - begun), "date": today}
        (notes / f"{name}.json").write_text(json.dumps(note), encoding="utf-8")
    return code


def read(notes: Path = NOTES) -> dict[str, tuple[int, str]]:
    """Name -> the seconds that it last took, and the date in UTC."""
    found = {path.stem: json.loads(path.read_text(encoding="utf-8")) for path in sorted(notes.glob("*.json"))}
    return {name: (note["seconds"], note["date"]) for name, note in found.items()}


if __name__ == "__main__":
    # Ctrl-C is the command's affair, which has to tidy up: this waits for it.
    signal.signal(signal.SIGINT, lambda *_: None)
    sys.exit(run(sys.argv[1], sys.argv[2:]))
