"""The demo's own parts: sample images that hold what they promise, the user's folder, the table."""

import io
import re
import subprocess
from pathlib import Path

import pytest

import demo
from image_metadata import extract

ROOT = Path(demo.__file__).parent.parent
SAMPLES = demo.sample_images()


def test_samples_cover_the_common_formats_with_place_time_and_camera() -> None:
    records = {name: extract(io.BytesIO(body)).to_dict() for name, body in SAMPLES.items()}
    kinds = {record.get("content_type") for record in records.values() if record["status"] == "ok"}
    assert {f"image/{kind}" for kind in ("jpeg", "png", "gif", "webp", "avif", "tiff", "heic")} <= kinds
    for name, place in {"eiffel-tower.jpg": demo.PARIS, "opera-house.heic": demo.SYDNEY}.items():
        position = records[name]["gps"]
        assert (position["latitude"], position["longitude"]) == pytest.approx(place, abs=1e-4)
        assert records[name]["camera"]["make"] and records[name]["taken_at"]
    assert records["broken.jpg"]["status"] == "corrupt" and records["notes.jpg"]["status"] == "unsupported"


def test_samples_are_the_same_every_time() -> None:
    """A second run uploads the same bytes, so nothing has to be indexed twice."""
    again = demo.sample_images()
    assert again.keys() == SAMPLES.keys()
    assert [name for name in again if again[name] != SAMPLES[name]] == []


def test_a_users_folder_is_taken_with_its_subfolders(tmp_path: Path) -> None:
    (tmp_path / "trip").mkdir()
    (tmp_path / "trip/a b.jpg").write_bytes(b"x")
    (tmp_path / ".DS_Store").write_bytes(b"x")
    (tmp_path / ".thumbnails").mkdir()
    (tmp_path / ".thumbnails/a.png").write_bytes(b"x")
    assert list(demo.own_images(tmp_path)) == ["trip/a b.jpg"]


def test_an_empty_or_absent_folder_is_named(tmp_path: Path) -> None:
    with pytest.raises(demo.DemoError, match=r"holds no files.*IMAGES="):
        demo.own_images(tmp_path)
    with pytest.raises(demo.DemoError, match=r"not a directory.*IMAGES="):
        demo.own_images(tmp_path / "absent")


def test_the_table_shows_what_is_known_and_leaves_out_what_is_not(capsys: pytest.CaptureFixture[str]) -> None:
    demo.show_records(
        [
            {"image_id": "uploads/a.jpg", "status": "ok", "format": "JPEG", "width": 3, "height": 2, "size": 1234,
             "camera": {"make": "Canon"}, "gps": {"latitude": -1.5, "longitude": 2.25}},
            {"image_id": "uploads/b.jpg", "status": "corrupt", "size": 0},
        ]
    )  # fmt: skip
    lines = [line for line in capsys.readouterr().out.splitlines() if line.strip()]
    assert re.split(r"\s{2,}", lines[1].strip()) == [
        "a.jpg",
        "ok",
        "JPEG",
        "3x2",
        "1,234",
        "Canon",
        "-1.5000, 2.2500",
    ]
    assert re.split(r"\s{2,}", lines[2].strip()) == ["b.jpg", "corrupt", "0"]


def test_help_lists_every_target_and_only_those_there_are() -> None:
    makefile = (ROOT / "Makefile").read_text()
    declared = set(re.search(r"\.PHONY: (.*)", makefile).group(1).split())  # type: ignore[union-attr]
    listed = set(re.findall(r"^([a-z0-9-]+):.*## ", makefile, re.MULTILINE))
    assert listed == declared
    shown = subprocess.run(
        ["make", "-C", str(ROOT), "help"], capture_output=True, text=True, check=True
    ).stdout
    assert set(re.findall(r"^  make ([a-z0-9-]+)", shown, re.MULTILINE)) == listed
