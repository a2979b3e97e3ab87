"""`python -m image_metadata`."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from image_metadata.__main__ import main

IMAGES = Path(__file__).parents[2] / "images"


def test_a_json_line_per_file(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    other = tmp_path / "notes.txt"
    other.write_text("no image")
    assert main([str(IMAGES / "camera.jpg"), str(other)]) == 0
    first, second = map(json.loads, capsys.readouterr().out.splitlines())
    assert (first["path"], first["width"], first["camera"]["make"]) == (
        str(IMAGES / "camera.jpg"),
        48,
        "Acme Optics",
    )
    assert (second["status"], second["path"]) == ("unsupported", str(other))


def test_stats(capsys: pytest.CaptureFixture[str]) -> None:
    path = IMAGES / "camera.jpg"
    assert main(["--stats", str(path)]) == 0
    size = path.stat().st_size
    assert json.loads(capsys.readouterr().out)["stats"] == {"bytes": size, "requests": 1, "size": size}


def test_table(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--table", "--stats", str(IMAGES / "camera.jpg"), str(IMAGES / "deep.png")]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].split() == ["path", "status", "format", "width", "height", "orientation", "taken_at", "camera",
                                "gps", "bytes", "requests"]  # fmt: skip
    assert "Acme Optics Model 7" in lines[1]
    assert "-33.85848,-70.67000" in lines[1]
    assert len(lines) == 3


def test_a_missing_file_is_an_error_and_the_others_are_read(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["/nowhere/a.jpg", str(IMAGES / "deep.png")]) == 1
    output = capsys.readouterr()
    assert "/nowhere/a.jpg" in output.err
    assert json.loads(output.out)["format"] == "PNG"
