"""Real events as JSON files: `load("s3_created")` answers a fresh copy."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any


def load(name: str) -> Any:
    """The event in `<name>.json` beside this file."""
    return json.loads((Path(__file__).parent / f"{name}.json").read_text())
