"""`python -m image_metadata`."""

from __future__ import annotations

import json
import re
import struct
import subprocess
import sys
from pathlib import Path

import pytest

import image_metadata
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


def test_without_pillow_its_formats_are_unsupported_and_the_user_is_told(tmp_path: Path) -> None:
    sun = tmp_path / "a.ras"
    sun.write_bytes(struct.pack(">8I", 0x59A66A95, 4, 2, 24, 24, 1, 0, 0) + bytes(24))
    shared = Path(image_metadata.__file__).parents[1]

    def run(*options: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, *options, "-m", "image_metadata", str(sun), str(IMAGES / "camera.jpg")],
            env={"PYTHONPATH": str(shared)},
            capture_output=True,
            text=True,
            check=False,
        )

    assert json.loads(run().stdout.splitlines()[0])["format"] == "SUN"
    bare = run("-S")  # no site-packages
    assert [json.loads(line)["status"] for line in bare.stdout.splitlines()] == ["unsupported", "ok"]
    assert bare.returncode == 0
    assert bare.stderr.startswith("Pillow is not installed") and bare.stderr.count("\n") == 1


def test_the_commands_of_the_document_name_what_is_there() -> None:
    root = IMAGES.parents[1]
    text = (root / "docs/extractor.md").read_text(encoding="utf-8")
    commands = [line for line in text.splitlines() if re.match(r"(\$ )?([A-Z_]+=\S+ )*\S*python ", line)]
    assert len(commands) == 8
    for command in commands:
        assert ".venv/bin/python " in command
        for path in re.findall(r"(?:tests|lambdas)/\S+", command):
            assert (root / path).exists(), command
