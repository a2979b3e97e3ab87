"""The snapshot: what merging and reading make of changes, late ones, old ones and damaged ones."""

from __future__ import annotations

import gzip
import json
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError
from moto import mock_aws

from image_catalogue.bucket import _MEANINGS, Meaning
from image_catalogue.errors import CatalogueBusy
from image_search import snapshot
from image_search.changes import DUE_BYTES, DUE_FILES, after, change_row, is_due, padded, write_changes
from image_search.columns import record_of_row, row_of, sql_types
from image_search.engine import Damaged
from image_search.files import Changed, Files, Stored
from image_search.pinned import path_of
from image_search.snapshot import compact_due, take
from tests.support.fake_s3 import FakeS3, failure
from tests.support.search import Deployment, image


def keys(deployment: Deployment, prefix: str = "") -> list[str]:
    return [entry.key for entry in deployment.files.listed(prefix)]


def records(deployment: Deployment) -> list[dict[str, Any]]:
    return deployment.ask(limit=1000, sortby="image_id")["items"]


def test_a_record_comes_back_as_it_went_in(deployment: Deployment) -> None:
    whole = image(
        "uploads/Crème brûlée 100% +1.png",
        taken_at="2024-05-17T18:30:15.25",
        dpi=[72, 299.5],
        keywords=["a", "b'c", "日本"],
        gps__latitude=-33.8568,
        gps__longitude=151,
        exposure__time_s=0.0005,
        exposure__flash=False,
        has_gps=True,
        rating=-1,
        duration_ms=2**40,
        title='line\nbreak "quoted" \\ \u2028',
    )
    for merge in (False, True):
        deployment.put(whole, image("uploads/b"))
        if merge:
            deployment.compact()
        assert records(deployment) == [whole, image("uploads/b")]


def test_a_catalogue_without_anything_answers_nothing(deployment: Deployment) -> None:
    answer = deployment.ask(facets="camera.make,size,keywords,taken_at:year,gps:geohash3")
    assert answer["items"] == [] and answer["matched"] == 0 and "next_cursor" not in answer
    assert all(facet == {"values": []} for facet in answer["facets"].values())
    assert deployment.compact() == {"changes": 0, "parts": 0, "images": 0}


def test_changes_are_found_before_they_are_merged_and_after(deployment: Deployment) -> None:
    deployment.put(image("a", size=1), image("b", size=1))
    deployment.put(image("a", size=2), part="2026-11")
    deployment.remove("b")
    assert [(item["image_id"], item["size"]) for item in records(deployment)] == [("a", 2)]
    assert deployment.compact() == {"changes": 3, "parts": 1, "images": 2}
    assert [(item["image_id"], item["size"]) for item in records(deployment)] == [("a", 2)]
    assert keys(deployment) == ["snapshot/part=2026-11/rows.parquet", "tombstones/part=2026-11.parquet"]


def test_a_compaction_rewrites_the_parts_that_changes_name_and_no_others(deployment: Deployment) -> None:
    deployment.put(image("a"), part="2026-10")
    deployment.put(image("b"), part="2026-11")
    deployment.put(image("c"), part="2026-11-07")
    deployment.compact()
    before = {entry.key: entry.modified for entry in deployment.files.listed("snapshot/")}
    assert list(before) == [
        "snapshot/part=2026-10/rows.parquet",
        "snapshot/part=2026-11/rows-07.parquet",
        "snapshot/part=2026-11/rows.parquet",
    ]
    deployment.put(image("c", size=7), part="2026-11-07")
    deployment.compact()
    after_ = {entry.key: entry.modified for entry in deployment.files.listed("snapshot/")}
    assert [key for key in before if before[key] != after_[key]] == ["snapshot/part=2026-11/rows-07.parquet"]
    assert [item["size"] for item in records(deployment)] == [100, 100, 7]


def test_what_is_merged_again_changes_nothing(deployment: Deployment) -> None:
    deployment.put(image("a"))
    objects = dict(deployment.s3.objects)
    deployment.compact()
    deployment.s3.objects |= objects
    requests = len(deployment.s3.requests)
    assert deployment.compact() == {"changes": 1, "parts": 0, "images": 0}
    assert "put_object" not in deployment.s3.requests[requests:]


def test_an_older_change_that_was_left_behind_does_not_bring_an_image_back(deployment: Deployment) -> None:
    deployment.put(image("a"))
    left_behind = dict(deployment.s3.objects)
    deployment.remove("a")
    deployment.compact()
    deployment.s3.objects |= left_behind  # the compaction died before it had deleted this one
    assert records(deployment) == []
    deployment.compact()
    assert records(deployment) == []


def test_tombstones_go_after_some_days_unless_their_image_is_named_again(
    deployment: Deployment, monkeypatch: pytest.MonkeyPatch
) -> None:
    deployment.put(image("a"), image("b"))
    left_behind = dict(deployment.s3.objects)
    deployment.remove("a", "b")
    deployment.compact()
    monkeypatch.setattr(snapshot, "TOMBSTONE_DAYS", -1)
    deployment.s3.objects |= left_behind
    deployment.compact()
    assert tombstones(deployment) == ["a", "b"]
    deployment.put(image("c"))
    deployment.compact()
    assert tombstones(deployment) == []
    assert [item["image_id"] for item in records(deployment)] == ["c"]


def tombstones(deployment: Deployment) -> list[str]:
    (stored,) = deployment.files.listed("tombstones/")
    deployment.engine.pinned.show([stored])
    rows = deployment.engine.run(f"SELECT image_id FROM read_parquet('{path_of(stored)}') ORDER BY image_id")
    return [image_id for (image_id,) in rows]


def test_a_repair_wins_over_what_it_saw_and_over_nothing_later(deployment: Deployment) -> None:
    deployment.put(image("a", size=1), image("b", size=1))
    deployment.compact()
    seen = padded("1")
    deployment.sequence = 9
    deployment.put(image("b", size=3))  # after the repair had looked
    for name, was in (("a", seen), ("b", padded("2"))):
        row = change_row(name, "2026-11", after(was), image(name, size=2))
        write_changes(deployment.files, f"repair-{name}", [row])
    for merge in (False, True):
        if merge:
            deployment.compact()
        assert [(item["image_id"], item["size"]) for item in records(deployment)] == [("a", 2), ("b", 3)]
    assert padded("9") < after(padded("9")) < after(after(padded("9"))) < padded("10")


def test_rows_are_sorted_by_the_time_taken(deployment: Deployment) -> None:
    deployment.put(
        image("a"), image("b", taken_at="2024"), image("c", taken_at="2023-05"), image("d", taken_at="2025")
    )
    deployment.compact()
    view = deployment.reader.view()
    rows = deployment.engine.run(
        f"SELECT image_id FROM {view.source({'image_id': 'image_id'})} ORDER BY file, row"
    )
    assert [image_id for (image_id,) in rows] == ["c", "b", "d", "a"]


def test_files_of_an_older_version_lack_columns_and_are_read(deployment: Deployment, tmp_path: Path) -> None:
    import duckdb

    path = tmp_path / "old.parquet"
    duckdb.execute(
        "COPY (SELECT 'a' AS image_id, 5 AS size, {'make': 'Canon'} AS camera, 'x' AS gone_since,"
        f" '{padded('1')}' AS sequence) TO '{path}'"
    )
    deployment.s3.put_object(Key="snapshot/part=2026-10/rows.parquet", Body=path.read_bytes())
    line = {
        "image_id": "b",
        "size": 6,
        "unheard_of": [1],
        "sequence": padded("2"),
        "change": "put",
        "part": "2026-10",
    }
    write_changes(deployment.files, "old", [line])
    for merge in (False, True):
        if merge:
            deployment.compact()
        assert records(deployment) == [
            {"image_id": "a", "size": 5, "camera": {"make": "Canon"}},
            {"image_id": "b", "size": 6},
        ]
        assert deployment.ids(filter="camera.lens IS NULL AND keywords IS NULL", sortby="image_id") == [
            "a",
            "b",
        ]


def test_a_large_part_is_merged_across_its_blocks_of_rows(
    deployment: Deployment, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(snapshot, "ROW_GROUP", 2048)
    count = 2 * 2048 + 10
    rows = (
        {
            "image_id": f"{number:06d}",
            "size": number,
            "sequence": padded(str(number)),
            "change": "put",
            "part": "2026-11",
        }
        for number in range(count)
    )
    write_changes(deployment.files, "many", rows)
    deployment.compact()
    deployment.sequence = count
    deployment.put(image("000007", size=0), image(f"{count - 1:06d}", size=0))
    deployment.remove("000008")
    for merge in (False, True):
        if merge:
            deployment.compact()
        answer = deployment.ask(filter="size < 10", sortby="size,image_id", fields="size")
        assert [item["image_id"] for item in answer["items"]] == [
            "000000", "000007", f"{count - 1:06d}",
            "000001", "000002", "000003", "000004", "000005", "000006", "000009",
        ]  # fmt: skip
        assert deployment.ask()["matched"] == count - 1


GOOD = b'"image_id": "a", "sequence": "1", "change": "put", "part": "2026-11"'


@pytest.mark.parametrize(
    "damage",
    [
        pytest.param(b"", id="empty"),
        pytest.param(b"not gzip", id="not gzip"),
        pytest.param(gzip.compress(b"{" + GOOD + b"}\n")[:-20], id="half an archive"),
        pytest.param(gzip.compress(b"{" + GOOD[:20]), id="half a line"),
        pytest.param(gzip.compress(b"{" + GOOD + b', "size": {}}\n'), id="another type"),
        pytest.param(
            gzip.compress(b"{" + GOOD.replace(b"2026-11", b"x'); DROP TABLE pending") + b"}\n"), id="no part"
        ),
        pytest.param(gzip.compress(b"{" + GOOD.replace(b"put", b"eaten") + b"}\n"), id="no change"),
        pytest.param(gzip.compress(b"[1, 2]\n"), id="no object"),
    ],
)
def test_a_damaged_change_file_is_named_and_nothing_is_answered(
    deployment: Deployment, damage: bytes
) -> None:
    deployment.put(image("good"))
    deployment.s3.put_object(Key="changes/5-6.ndjson.gz", Body=damage)
    for act in (deployment.ask, deployment.compact):
        with pytest.raises(Damaged, match=r"changes/5-6\.ndjson\.gz is damaged"):
            act()
    assert "changes/5-6.ndjson.gz" in keys(deployment)
    deployment.files.delete(["changes/5-6.ndjson.gz"])
    assert deployment.ids() == ["good"]


@pytest.mark.parametrize("damage", ["cut", "garbage", "end", "middle"])
def test_a_damaged_part_is_told_and_nothing_is_answered(deployment: Deployment, damage: str) -> None:
    deployment.put(*(image(f"{number}", title=f"title {number}") for number in range(300)))
    deployment.compact()
    (key,) = keys(deployment, "snapshot/")
    data = bytearray(deployment.s3.objects[key][0])
    if damage == "cut":
        del data[100:]
    elif damage == "garbage":
        data = bytearray(b"no Parquet at all, whatever its name says")
    else:
        start = len(data) - 2 if damage == "end" else 10
        data[start : start + 40] = bytes(byte ^ 0xFF for byte in data[start : start + 40])
    deployment.s3.put_object(Key=key, Body=bytes(data))
    with pytest.raises(Damaged, match="damaged: delete it there"):
        deployment.ask()


def test_a_reader_that_a_compaction_overtakes_begins_again(deployment: Deployment) -> None:
    deployment.put(image("a"))
    deployment.compact()
    deployment.put(image("a", size=2), image("b"))
    other = Deployment(deployment.engine.scratch / "other", deployment.s3)
    overtaken = []

    def overtake(name: str, request: dict[str, Any]) -> None:
        if name == "get_object" and request["Key"].startswith("snapshot/") and not overtaken:
            overtaken.append(request["Key"])
            deployment.s3.between = lambda name, request: None
            other.compact()

    deployment.s3.between = overtake
    assert [(item["image_id"], item["size"]) for item in records(deployment)] == [("a", 2), ("b", 100)]
    assert overtaken
    other.close()


def test_a_compaction_that_another_overtakes_gives_way(deployment: Deployment) -> None:
    deployment.put(image("a"))
    other = Deployment(deployment.engine.scratch / "other", deployment.s3)

    def overtake(name: str, request: dict[str, Any]) -> None:
        if name == "put_object":
            deployment.s3.between = lambda name, request: None
            other.compact()

    deployment.s3.between = overtake
    with pytest.raises(Changed):
        deployment.compact()
    assert [item["image_id"] for item in records(deployment)] == ["a"]
    assert keys(deployment, "changes/") == []
    other.close()


def test_a_snapshot_that_never_stands_still_is_busy(deployment: Deployment) -> None:
    deployment.put(image("a"))
    deployment.compact()

    def gone(name: str, request: dict[str, Any]) -> None:
        if name == "get_object":
            raise failure("PreconditionFailed", 412)

    deployment.s3.between = gone
    with pytest.raises(CatalogueBusy, match="rewritten"):
        deployment.ask()


BUSY = [code for code, meaning in _MEANINGS.items() if meaning is Meaning.BUSY]


@pytest.mark.parametrize(
    ("name", "code"), [("list_objects_v2", "SlowDown"), *(("get_object", code) for code in BUSY)]
)
def test_a_busy_store_is_told_as_such(deployment: Deployment, name: str, code: str) -> None:
    """By the table that the API's own bucket has."""
    deployment.put(image("a"))
    deployment.compact()

    def busy(called: str, request: dict[str, Any]) -> None:
        if called == name:
            raise failure(code, 503)

    deployment.s3.between = busy
    with pytest.raises(CatalogueBusy, match="busy"):
        deployment.ask()


def test_what_is_not_in_the_columns_or_not_of_their_type_is_left_out() -> None:
    record = {
        "image_id": "a",
        "size": "12",
        "width": True,
        "height": 3.5,
        "keywords": "x",
        "camera": [],
        "unknown": 1,
    }
    record |= {"dpi": [72, "x", float("nan")], "rating": 2**64, "title": "ok", "exposure": {"iso": 100.0}}
    assert row_of(record) == {
        "image_id": "a",
        "dpi": [72.0],
        "title": "ok",
        "exposure": {"iso": 100},
        "words": " ok",
    }


def test_unknown_is_absent_in_a_record() -> None:
    row = dict.fromkeys(sql_types()) | {
        "image_id": "a",
        "camera": {"make": None},
        "gps": {"latitude": 1.0, "longitude": 2.5},
    }
    assert record_of_row(row) == {"image_id": "a", "gps": {"latitude": 1, "longitude": 2.5}}


def test_a_compaction_is_due_when_changes_are_many_or_large_or_old() -> None:
    now = datetime.now(UTC)
    young = Stored("changes/1", "e", 10, now - timedelta(minutes=5))
    assert not is_due([], now) and not is_due([young], now)
    assert is_due([Stored("changes/1", "e", 10, now - timedelta(minutes=61))], now)
    assert is_due([young] * DUE_FILES, now)
    assert is_due([Stored("changes/1", "e", DUE_BYTES, now)], now)


def test_one_compaction_takes_on_what_fits() -> None:
    large = [
        Stored(f"changes/{number}", "e", snapshot.COMPACTED_BYTES // 3, datetime.now(UTC))
        for number in range(9)
    ]
    assert take(large) == large[:3]
    huge = Stored("changes/0", "e", snapshot.COMPACTED_BYTES * 2, datetime.now(UTC))
    assert take([huge, *large]) == [huge]
    assert take([]) == []


def test_change_files_are_the_same_bytes_for_the_same_rows(deployment: Deployment) -> None:
    rows = [{"image_id": "a", "title": "é"}]
    write_changes(deployment.files, "x", rows)
    first = deployment.s3.objects["changes/x.ndjson.gz"]
    write_changes(deployment.files, "x", rows)
    assert deployment.s3.objects["changes/x.ndjson.gz"][:2] == first[:2]
    assert json.loads(gzip.decompress(first[0])) == rows[0]


@pytest.mark.parametrize("kind", ["fake", "moto"])
def test_conditional_requests_mean_the_same_to_the_fake_and_to_moto(
    kind: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "testing")
    with mock_aws():
        client: Any = FakeS3()
        if kind == "moto":
            client = boto3.client("s3", region_name="us-east-1")
            client.create_bucket(Bucket="search")
        files = Files("search", client)
        files.replace(None, "a/1", b"one", "text/plain")
        with pytest.raises(Changed):
            files.replace(None, "a/1", b"two", "text/plain")
        (stored,) = files.listed("a/")
        assert (stored.key, stored.size, files.read(stored), files.read(stored, 1, 2)) == (
            "a/1",
            3,
            b"one",
            b"n",
        )
        files.replace(stored, "a/1", b"three", "text/plain")
        for stale in (lambda: files.read(stored), lambda: files.replace(stored, "a/1", b"x", "text/plain")):
            with pytest.raises(Changed):
                stale()
        files.delete(["a/1", "a/2"])
        assert files.listed("") == []
        with pytest.raises(Changed):
            files.read(stored)


def test_a_listing_of_many_pages_is_whole(deployment: Deployment) -> None:
    for number in range(2345):
        deployment.s3.put_object(Key=f"changes/{number:05d}", Body=b"")
    assert len(deployment.files.listed("changes/")) == 2345
    deployment.files.delete(keys(deployment))
    assert keys(deployment) == []


def test_what_is_due_is_compacted_until_nothing_is(
    deployment: Deployment, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(snapshot, "COMPACTED_BYTES", 1)  # one file at a time
    deployment.put(image("a"))
    deployment.put(image("b"))
    soon = time.monotonic() + 60
    assert compact_due(deployment.files, soon) == {"changes": 0, "parts": 0, "images": 0}
    assert compact_due(deployment.files, time.monotonic(), now=True)["changes"] == 0
    assert compact_due(deployment.files, soon, now=True) == {"changes": 2, "parts": 2, "images": 2}
    assert deployment.ids(sortby="image_id") == ["a", "b"]


def test_what_duckdb_reads_in_crumbs_costs_few_requests(deployment: Deployment) -> None:
    deployment.put(*(image(f"uploads/{number:03d}", camera__make="Canon") for number in range(200)))
    deployment.compact()
    deployment.s3.requests.clear()
    assert len(deployment.ask(limit=100)["items"]) == 100
    assert deployment.s3.requests.count("get_object") == 1


def test_a_block_that_could_not_be_read_is_asked_for_again(deployment: Deployment) -> None:
    deployment.put(image("uploads/a"))
    deployment.compact()
    failed: list[bool] = []

    def between(name: str, request: dict[str, Any]) -> None:
        if name == "get_object" and not failed:
            failed.append(True)
            raise failure("AccessDenied", 403)

    deployment.s3.between = between
    with pytest.raises(ClientError):
        deployment.ask()
    assert deployment.ids() == ["uploads/a"]
