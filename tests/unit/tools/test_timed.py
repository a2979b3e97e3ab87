"""How long the tests take is noted where they pass."""

import sys
from pathlib import Path

from tools.dev import timed


def test_what_passes_is_noted_and_what_fails_leaves_the_note_as_it_is(tmp_path: Path) -> None:
    notes = tmp_path / "times"
    assert timed.read(notes) == {}
    assert timed.run("test-unit", [sys.executable, "-c", ""], notes) == 0
    noted = timed.read(notes)
    assert list(noted) == ["test-unit"] and 0 <= noted["test-unit"][0] < 60
    (notes / "test-unit.json").write_text('{"seconds": 7, "date": "2026-11-27"}')
    assert timed.run("test-unit", [sys.executable, "-c", "raise SystemExit(3)"], notes) == 3
    assert timed.read(notes) == {"test-unit": (7, "2026-11-27")}
