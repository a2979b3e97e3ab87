"""Every hostile file yields a record with a status, in bounded memory and time; `hostile.py` prints the table."""

from __future__ import annotations

import json
import os
import re
from pathlib import Path
from typing import Any

import pytest

from image_catalogue.catalogue import Catalogue
from image_catalogue.items import is_record
from image_events.events import jobs_of_notification
from image_events.indexer import Indexer
from tests.events import load
from tests.fuzz import hostile
from tests.support.table import BUCKET, TABLE, aws_account, make_bucket, make_table
from tools.deploy.locking import locked

#: With several workers the tests run on one: the others would wait while it makes what all of them use.
pytestmark = pytest.mark.xdist_group("hostile")
MAX_PEAK = 256_000_000
MAX_SECONDS = 2.0
#: A record stays far below DynamoDB's 400 KB once it is bounded; before that, below what a function holds with ease.
MAX_RECORD = 400_000
STATUSES = ("ok", "unsupported", "corrupt", "too_large")


@pytest.fixture(scope="session")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder that all processes of one run of pytest share."""
    own = tmp_path_factory.getbasetemp()
    return own.parent if "PYTEST_XDIST_WORKER" in os.environ else own


@pytest.fixture(scope="session")
def files(shared: Path) -> Path:
    """Every hostile file, made once."""
    folder, unfinished = shared / "hostile", shared / "hostile.unfinished"
    with locked(shared / "hostile.lock"):
        if not folder.exists():
            hostile.make_all(unfinished)
            unfinished.rename(folder)
    return folder


@pytest.fixture(scope="session")
def results(shared: Path, files: Path) -> dict[str, list[dict[str, Any]]]:
    """What reading each of them costs, measured once."""
    path = shared / "hostile.json"
    with locked(shared / "hostile.lock"):
        if not path.exists():
            path.write_text(json.dumps(hostile.measure_apart(files)))
    measured: dict[str, list[dict[str, Any]]] = json.loads(path.read_text())
    return measured


@pytest.mark.parametrize("name", hostile.names())
def test_a_hostile_file_costs_little_and_has_a_record(results: dict[str, Any], name: str) -> None:
    for way, result in zip(("by ranges", "as a file"), results[name], strict=True):
        assert result["status"] in STATUSES, (way, result)
        assert result["peak"] < MAX_PEAK, (way, result)
        assert result["seconds"] < MAX_SECONDS, (way, result)
        assert result["record_bytes"] < MAX_RECORD, (way, result)


@pytest.mark.parametrize("name", [name for name in hostile.names() if re.search("_2_to_3|largest", name)])
def test_a_stated_size_is_kept_or_refused_by_name(results: dict[str, Any], name: str) -> None:
    for result in results[name]:
        huge = (result["width"] or 0) * (result["height"] or 0) > 100_000_000_000
        assert (result["status"] == "too_large") == huge, result


def test_an_external_entity_is_not_read(results: dict[str, Any]) -> None:
    for result in results["xmp_external_entity"]:
        assert "root:" not in result["text"]
        assert "title" not in result["text"]


def test_the_measure_sees_what_a_file_costs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A decoded image in memory, an error and a death are not overlooked."""
    (tmp_path / "image").write_bytes(b"any")

    def decode(path: Path, by_ranges: bool) -> dict[str, Any]:
        pixels = b"\1" * 300_000_000
        return {"status": "ok", "peak": hostile._peak(), "said": len(pixels)}

    def fail(path: Path, by_ranges: bool) -> dict[str, Any]:
        raise ValueError("no record")

    def exhaust(path: Path, by_ranges: bool) -> dict[str, Any]:
        return {"status": "ok", "said": len(b"\1" * 2 * hostile.ADDRESS_SPACE)}

    measured = {}
    for way in (decode, fail, exhaust):
        monkeypatch.setattr(hostile, "_extract", way)
        measured[way.__name__] = hostile._forked(tmp_path / "image", True)
    assert measured["decode"]["peak"] > 300_000_000 > MAX_PEAK
    assert measured["fail"]["status"] == "raised ValueError"
    assert measured["exhaust"]["status"] == "raised MemoryError"


# -- from the bucket to the catalogue --------------------------------------------------------------------

INDEXED = (
    "png_65535_squared",
    "png_ztxt_of_256_mib",
    "png_a_thousand_bombs",
    "png_2_to_31",
    "xmp_billion_laughs",
    "xmp_wide",
    "tiff_directories_in_a_circle",
    "tiff_2000_entries_of_one_long_text",
    "avif_100000_boxes_deep",
    "gif_4_million_blocks",
    "psd_resource_of_4_gib",
    "svgz_without_a_root",
    "html_with_script",
)
KEYS = (
    "uploads/../../etc/passwd",
    "uploads/..",
    "uploads//etc/passwd",
    "uploads/./a.png",
    "uploads/a\\..\\b.png",
    "uploads/%2e%2e%2fpasswd",
    "uploads/$(reboot)`reboot`;|&.png",
    "uploads/'; DROP TABLE ImageMetadata; --",
    "uploads/<script>alert(1)</script>.svg",
    "uploads/\u202egnp.exe",
    "uploads/\r\nX-Injected: yes",
    "uploads/#summary#00",
    "uploads/{image_id+}",
    "uploads/" + "a" * 1016,
    "uploads/" + "/" * 200 + "x",
)


@pytest.fixture(scope="module")
def indexer() -> Any:
    with aws_account():
        yield Indexer(make_bucket(), Catalogue(TABLE, client=make_table()), BUCKET, ("uploads/",))


def index(indexer: Indexer, key: str, data: bytes) -> dict[str, Any] | None:
    """Put an object, give its event to the indexer, and return the item."""
    indexer._s3.put_object(Bucket=BUCKET, Key=key, Body=data)
    event = load("s3_created")
    event["Records"][0]["s3"]["object"] |= {"key": hostile.quoted(key), "sequencer": "0A"}
    for job in jobs_of_notification(event):
        assert job.key == key
        indexer.process(job)
    return indexer._catalogue.item(key)


@pytest.mark.parametrize("name", INDEXED)
def test_a_hostile_file_is_catalogued(indexer: Indexer, files: Path, name: str) -> None:
    item = index(indexer, f"uploads/{name}", (files / name).read_bytes())
    assert item is not None and is_record(item)
    assert item["status"] in STATUSES
    assert item["status"] == "ok" or item["error"]


@pytest.mark.parametrize("key", KEYS)
def test_a_path_like_key_is_a_name_and_nothing_else(indexer: Indexer, key: str) -> None:
    item = index(indexer, key, b"no image")
    assert item is not None and is_record(item)
    assert item["image_id"] == key
    assert "/" not in item["filename"]


@pytest.mark.parametrize("key", ["#summary#00", "etc/passwd", "../uploads/x", "uploadsx", "uploads/"])
def test_a_key_outside_the_prefix_is_never_catalogued(indexer: Indexer, key: str) -> None:
    before = indexer._catalogue.item(key)
    assert index(indexer, key, b"no image") == before
