"""The demo's own parts: sample images that hold what they promise, the user's folder, the table."""

import io
import os
import re
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from image_metadata import extract
from tests.support.samples import SAMPLES
from tools.dev import demo
from tools.dev.collection import collection

ROOT = Path(demo.__file__).parents[2]


def test_samples_cover_the_common_formats_with_place_time_and_camera() -> None:
    records = {name: extract(io.BytesIO(body)).to_dict() for name, body in SAMPLES.items()}
    kinds = {record.get("content_type") for record in records.values() if record["status"] == "ok"}
    assert {f"image/{kind}" for kind in ("jpeg", "png", "gif", "webp", "avif", "tiff", "heic")} <= kinds
    for name, place in {"eiffel-tower.jpg": demo.PARIS, "opera-house.heic": demo.SYDNEY}.items():
        position = records[name]["gps"]
        assert (position["latitude"], position["longitude"]) == pytest.approx(place, abs=1e-4)
        assert records[name]["camera"]["make"] and records[name]["taken_at"]
    assert records["broken.jpg"]["status"] == "corrupt" and records["notes.jpg"]["status"] == "unsupported"


@pytest.fixture(scope="module")
def drawn() -> dict[str, bytes]:
    """The collection, which takes seconds to draw."""
    return collection()


@pytest.mark.xdist_group("drawn")
def test_the_collection_has_what_the_gallery_shows(drawn: dict[str, bytes]) -> None:
    records = {name: extract(io.BytesIO(body)).to_dict() for name, body in drawn.items()}
    fine = [record for record in records.values() if record["status"] == "ok"]
    assert len({record["camera"]["model"] for record in fine if "camera" in record}) >= 5
    assert len({round(record["gps"]["latitude"]) for record in fine if "gps" in record}) >= 10
    assert len({record["taken_at"][:4] for record in fine if "taken_at" in record}) >= 5
    assert len({record["rating"] for record in fine if "rating" in record}) >= 2
    assert all(record["title"] for record in fine if "keywords" in record)
    assert {record["status"] for record in records.values()} == {"ok", "corrupt", "unsupported"}
    assert len(drawn) - len(set(drawn.values())) == 4, "files that are there twice"
    assert 60 <= len(SAMPLES | drawn) <= 70


@pytest.mark.xdist_group("drawn")
def test_samples_are_the_same_every_time(drawn: dict[str, bytes]) -> None:
    """A second run uploads the same bytes, so nothing has to be indexed twice."""
    made, again = SAMPLES | drawn, demo.sample_images() | collection()
    assert again.keys() == made.keys()
    assert [name for name in again if again[name] != made[name]] == []


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


def test_three_questions_are_asked_once_search_knows_all(capsys: pytest.CaptureFixture[str]) -> None:
    known = iter([3, 3])

    class Api(demo.Api):
        def call(self, method: str, path: str) -> tuple[int, dict[str, object]]:
            if path == "/images/info":
                return 200, {"count": 4}
            if path == "/search?limit=0":
                return 200, {"matched": next(known, 4)}
            if "facets" in path:
                return 200, {
                    "matched": 4,
                    "items": [],
                    "facets": {"camera.make": {"values": [{"value": "Canon", "count": 2}]}},
                }
            assert path.startswith("/search?filter=") and " " not in path
            return 200, {"matched": 1, "items": [{"image_id": "uploads/a.jpg", "status": "corrupt"}]}

    demo.ask(Api("http://api", "k"))
    said = capsys.readouterr().out
    assert "-> 4 images; camera.make: Canon 2\n" in said
    assert "GET /search?filter=status <> 'ok'&limit=3" in said and "-> 1 images; a.jpg (corrupt)\n" in said


def test_help_lists_every_target_and_only_those_there_are() -> None:
    makefile = (ROOT / "Makefile").read_text()
    declared = set(re.search(r"\.PHONY: (.*)", makefile).group(1).split())  # type: ignore[union-attr]
    listed = set(re.findall(r"^([a-z0-9-]+):.*## ", makefile, re.MULTILINE))
    assert listed == declared
    shown = subprocess.run(
        ["make", "-C", str(ROOT), "help"], capture_output=True, text=True, check=True
    ).stdout
    assert set(re.findall(r"^  make ([a-z0-9-]+)", shown, re.MULTILINE)) == listed


def test_a_folder_below_home_may_be_written_with_a_tilde(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "a.jpg").write_bytes(b"x")
    monkeypatch.setenv("HOME", str(tmp_path.parent))
    monkeypatch.setenv("USERPROFILE", str(tmp_path.parent))
    assert list(demo.own_images(Path("~") / tmp_path.name)) == ["a.jpg"]
    with pytest.raises(demo.DemoError, match="not a directory"):
        demo.own_images(Path("~there-is-no-such-user/images"))


def test_a_file_that_vanishes_before_its_upload_is_named(tmp_path: Path) -> None:
    with pytest.raises(demo.DemoError, match=r"a\.jpg can no longer be read \(No such file"):
        demo.upload(None, "bucket", {"a.jpg": tmp_path / "a.jpg"})


def test_files_that_cannot_be_uploaded_are_skipped_with_a_reason(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "good.jpg").write_bytes(b"x")
    (tmp_path / "locked.jpg").write_bytes(b"x")
    (tmp_path / "line\nbreak.jpg").write_bytes(b"x")
    (tmp_path / os.fsdecode(b"caf\xe9.jpg")).write_bytes(b"x")
    readable = Path.open

    def refuse(path: Path, *arguments: str):
        if path.name == "locked.jpg":  # by hand: root may read everything
            raise PermissionError(13, "Permission denied")
        return readable(path, *arguments)

    monkeypatch.setattr(Path, "open", refuse)
    assert list(demo.own_images(tmp_path)) == ["good.jpg"]
    shown = capsys.readouterr().out
    assert "Skipped 'locked.jpg': Permission denied" in shown
    assert "Skipped 'line\\nbreak.jpg': its name holds control characters" in shown
    assert "Skipped 'caf\\udce9.jpg': its name is not UTF-8" in shown
    (tmp_path / "good.jpg").unlink()
    with pytest.raises(demo.DemoError, match="no file that can be uploaded"):
        demo.own_images(tmp_path)


def test_without_terraform_nothing_is_started(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr(demo, "start", lambda _port: pytest.fail("the local AWS was started"))
    assert demo.main(["--no-images"]) == 1
    assert "Terraform is not installed" in capsys.readouterr().err


@pytest.mark.parametrize("own", [True, False])
def test_the_user_is_told_that_only_a_copy_was_deleted(
    own: bool, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "mine.jpg").write_bytes(b"x")

    class Ready:
        def __init__(self, **_places: object) -> None:
            pass

        def check(self) -> None:
            pass

        def outputs(self) -> dict[str, str]:
            return {"api_url": "http://api", "api_key": "k", "bucket": "b"}

        def environment(self) -> dict[str, str]:
            return {"AWS_ENDPOINT_URL": "http://local", "AWS_DEFAULT_REGION": "us-east-1"}

    monkeypatch.setattr(demo.os, "environ", {**os.environ, "DEPLOY_DIR": str(tmp_path / "deploy")})
    monkeypatch.setattr(demo, "Terraform", Ready)
    monkeypatch.setattr("boto3.client", lambda *_names, **_options: None)
    monkeypatch.setattr(demo, "start", lambda _port: Ready())
    monkeypatch.setattr(demo, "run_deploy", lambda _environment: None)
    monkeypatch.setattr(demo, "upload", lambda *_arguments: {})
    monkeypatch.setattr(demo, "wait_until_indexed", lambda *_arguments: {"uploads/mine.jpg": {}})
    for name in ("show_records", "delete_one", "summary"):
        monkeypatch.setattr(demo, name, lambda *_arguments: None)
    monkeypatch.setattr(demo, "sample_images", lambda: {"a.jpg": b"x"})
    monkeypatch.setattr(demo, "collection", dict)  # which takes seconds to draw
    assert demo.main(["--images", str(tmp_path)] if own else []) == 0
    assert ("your own file is untouched" in capsys.readouterr().out) is own
    assert (tmp_path / "mine.jpg").exists()


def test_terraform_is_looked_for_before_anything_is_installed(tmp_path: Path) -> None:
    for target in ("up", "demo"):
        shown = subprocess.run(
            ["make", "-C", str(ROOT), "-n", target], capture_output=True, text=True, check=True
        ).stdout
        assert 0 <= shown.index("tools.deploy.terraform check") < shown.index("tools.deploy.environment")
    done = subprocess.run(
        [sys.executable, "-m", "tools.deploy.terraform", "check"],
        env={"PATH": str(tmp_path)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, "Terraform is not installed" in done.stderr) == (1, True)


@pytest.mark.parametrize(
    ("target", "commands"),
    [
        ("storm", [r"STATEFUL_STEPS=10000 .* tests/faults", r"STORM_OPERATIONS=2000 .* -s tests/e2e/test_storm.py",
                   r"RECONCILE_OBJECTS=20000 .* -s tests/e2e/test_reconcile.py",
                   r"EXISTING_OBJECTS=2000 .* -s tests/e2e/variants/test_existing_bucket.py"]),
        ("fuzz", [r"FUZZ_SECONDS=\S*600\S* .* tests/fuzz"]),
        ("bench-reads", [r"READ_COST_SIZES=\S*100,10000,200000\S* .* -s tests/e2e/test_read_cost.py"]),
    ],
)  # fmt: skip
def test_the_long_runs_have_targets(target: str, commands: list[str]) -> None:
    shown = subprocess.run(
        ["make", "-C", str(ROOT), "-n", target], capture_output=True, text=True, check=True
    ).stdout
    for command in commands:
        assert re.search(command, shown.replace("\\\n", "")), shown


def test_after_ctrl_c_the_deployment_is_heard_to_its_end() -> None:
    said = iter(["Creating\n", KeyboardInterrupt(), "Creation complete\n", ""])

    def readline() -> str:
        line = next(said)
        if isinstance(line, KeyboardInterrupt):
            raise line
        return line

    process: Any = SimpleNamespace(stdout=SimpleNamespace(readline=readline))
    heard: list[str] = []
    with pytest.raises(KeyboardInterrupt):
        heard.extend(demo.lines_to_the_end(process))
    assert heard == ["Creating\n", "Creation complete\n"]


def test_an_api_that_is_asked_too_often_is_asked_again(monkeypatch: pytest.MonkeyPatch) -> None:
    answers = {"a": iter([(429, {}), (404, {}), (200, {"etag": '"1"'})]), "b": iter([(200, {"etag": '"2"'})])}
    monkeypatch.setattr(demo, "POLL_SECONDS", 0)
    api: Any = SimpleNamespace(record=lambda image_id: next(answers[image_id]))
    assert demo.wait_until_indexed(api, {"a": "1", "b": "2"}).keys() == {"a", "b"}


def test_an_api_that_fails_is_told() -> None:
    api: Any = SimpleNamespace(record=lambda _image_id: (500, {"detail": "out of luck"}))
    with pytest.raises(demo.DemoError, match=r"500 for a: .*out of luck"):
        demo.wait_until_indexed(api, {"a": "1"})
