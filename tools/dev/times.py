"""How long each suite of tests last took on this machine: noted by ``make test``, told by ``make bench``.

``python -m tools.dev.times NAME BEGUN`` notes that NAME, which began at BEGUN (seconds of the Unix epoch), has passed.
"""

from __future__ import annotations

import datetime
import json
import sys
import time
from pathlib import Path

from tools.deploy.deploy import write_json

NOTES = Path(__file__).resolve().parents[2] / ".local" / "times"


def note(name: str, begun: float, notes: Path = NOTES) -> None:
    """Keep what has passed since ``begun``, and today's date in UTC."""
    today = datetime.datetime.now(datetime.UTC).date().isoformat()
    write_json(notes / f"{name}.json", {"seconds": round(time.time() - begun), "date": today})


def read(notes: Path = NOTES) -> dict[str, tuple[int, str]]:
    """Name -> the seconds that it last took, and the date."""
    found = {path.stem: json.loads(path.read_text(encoding="utf-8")) for path in sorted(notes.glob("*.json"))}
    return {name: (noted["seconds"], noted["date"]) for name, noted in found.items()}


if __name__ == "__main__":
    note(sys.argv[1], float(sys.argv[2]))
