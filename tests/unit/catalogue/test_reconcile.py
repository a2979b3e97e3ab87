"""Reconciliation against moto: every kind of drift is found, repaired through the queue, and then gone."""

from __future__ import annotations

import itertools
import json
from pathlib import Path
from typing import Any

import pytest

from image_catalogue.catalogue import Catalogue
from image_catalogue.dynamodb import to_dynamodb
from image_catalogue.items import COUNTED, Counted
from image_catalogue.queries import list_page, summarise
from image_events.events import Job, jobs_of_message
from image_events.indexer import Indexer
from image_metadata import EXTRACTOR_VERSION
from tests.support.invariants import differences
from tests.support.pictures import picture
from tests.support.records import record
from tests.support.table import BUCKET, SEARCH_BUCKET, TABLE, counted, truth
from tools.ops import reconcile
from tools.ops.reconcile import Reconciler, State


@pytest.fixture
def arguments(queue: tuple[Any, str], tmp_path: Path) -> list[str]:
    state = str(tmp_path / "state.sqlite")
    return ["--bucket", BUCKET, "--table", TABLE, "--queue-url", queue[1], "--quiet", "--state", state]


_events = itertools.count(1)


def created(key: str) -> Job:
    """The job of a new object's event, later than every event before it."""
    return Job(BUCKET, key, "ObjectCreated:Put", sequencer=f"{next(_events):018X}")


def catalogue_of(s3: Any, indexer: Indexer, count: int) -> list[str]:
    keys = [f"uploads/{'é+ %'[number % 4]}{number:03d}.png" for number in range(count)]
    for key in keys:
        s3.put_object(Bucket=BUCKET, Key=key, Body=picture())
        indexer.process(created(key))
    return keys


def deliver(queue: tuple[Any, str], indexer: Indexer) -> int:
    """What the function does with the queue; answers how many messages there were."""
    sqs, url = queue
    delivered = 0
    while messages := sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10).get("Messages"):
        for message in messages:
            for job in jobs_of_message(message["Body"]):
                indexer.process(job)
            sqs.delete_message(QueueUrl=url, ReceiptHandle=message["ReceiptHandle"])
            delivered += 1
    return delivered


def plant(s3: Any, dynamodb: Any, indexer: Indexer, keys: list[str]) -> None:
    s3.put_object(Bucket=BUCKET, Key="uploads/new.png", Body=picture(9, 9))  # missing
    s3.put_object(Bucket=BUCKET, Key=keys[0], Body=picture(7, 7))  # stale
    s3.delete_object(Bucket=BUCKET, Key=keys[1])  # orphaned
    values = {":old": {"N": str(EXTRACTOR_VERSION - 1)}}
    update = "SET extractor_version = :old"
    key = {"image_id": {"S": keys[2]}}
    dynamodb.update_item(TableName=TABLE, Key=key, UpdateExpression=update, ExpressionAttributeValues=values)


def test_a_catalogue_in_step_is_exit_code_0(
    s3: Any, indexer: Indexer, arguments: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    catalogue_of(s3, indexer, 5)
    s3.put_object(Bucket=BUCKET, Key="uploads/folder/", Body=b"")
    assert reconcile.main(arguments) == 0
    assert "5 objects compared" in capsys.readouterr().out


def test_every_drift_is_found_repaired_and_gone(
    s3: Any,
    dynamodb: Any,
    catalogue: Catalogue,
    indexer: Indexer,
    arguments: list[str],
    queue: Any,
    capsys: pytest.CaptureFixture[str],
) -> None:
    plant(s3, dynamodb, indexer, catalogue_of(s3, indexer, 12))
    dynamodb.update_item(**catalogue.table.add_to_counter(3, {"count": 2}))
    assert reconcile.main(arguments) == 1
    out = capsys.readouterr().out
    for kind in ("missing", "stale", "orphaned", "outdated", "counters"):
        assert f"1 {kind}:" in out
    assert deliver(queue, indexer) == 0, "a dry run sends nothing"
    assert reconcile.main([*arguments, "--repair"]) == 1
    assert deliver(queue, indexer) == 4
    assert differences(s3, dynamodb, BUCKET, TABLE) == []
    assert reconcile.main(arguments) == 0


def test_a_forgotten_record_is_no_drift_until_its_object_changes(
    s3: Any, catalogue: Catalogue, indexer: Indexer, arguments: list[str]
) -> None:
    keys = catalogue_of(s3, indexer, 3)
    catalogue.forget(keys[0])
    assert reconcile.main(arguments) == 0
    s3.put_object(Bucket=BUCKET, Key=keys[0], Body=picture(8, 8))
    assert reconcile.main(arguments) == 1


def test_objects_that_were_there_before_are_indexed(
    s3: Any, dynamodb: Any, indexer: Indexer, arguments: list[str], queue: Any
) -> None:
    for number in range(25):
        s3.put_object(Bucket=BUCKET, Key=f"uploads/{number}.png", Body=picture())
    assert reconcile.main([*arguments, "--repair"]) == 1
    assert deliver(queue, indexer) == 25
    assert differences(s3, dynamodb, BUCKET, TABLE) == []


def test_a_repair_gives_way_to_an_event_that_came_first(
    s3: Any, dynamodb: Any, catalogue: Catalogue, indexer: Indexer, arguments: list[str], queue: Any
) -> None:
    plant(s3, dynamodb, indexer, catalogue_of(s3, indexer, 4))
    reconcile.main([*arguments, "--repair"])
    s3.put_object(Bucket=BUCKET, Key="uploads/new.png", Body=picture(5, 5))
    indexer.process(created("uploads/new.png"))
    before = catalogue.item("uploads/new.png")
    deliver(queue, indexer)
    assert catalogue.item("uploads/new.png") == before


def test_an_interrupted_run_goes_on_where_it_stopped(
    s3: Any, dynamodb: Any, indexer: Indexer, queue: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    keys = catalogue_of(s3, indexer, 30)
    for key in keys[::3]:
        s3.put_object(Bucket=BUCKET, Key=key, Body=picture(8, 8))
    real = s3.list_objects_v2
    pages: list[str] = []

    def small_pages(**request: Any) -> Any:
        if len(pages) == 2:
            raise KeyboardInterrupt
        pages.append(request.get("StartAfter", ""))
        return real(**request, MaxKeys=7)

    monkeypatch.setattr(s3, "list_objects_v2", small_pages)
    clients = {"s3": s3, "dynamodb": dynamodb, "sqs": queue[0]}

    def run(resume: bool) -> Reconciler:
        state = State(tmp_path / "state.sqlite", resume)
        reconciler = Reconciler(clients, BUCKET, TABLE, ["uploads/"], queue[1], state)
        try:
            reconciler.run(lambda kind, key: None, quiet=True)
        finally:
            state.close(delete=False)
        return reconciler

    with pytest.raises(KeyboardInterrupt):
        run(resume=False)
    pages.append("interrupted")
    monkeypatch.setattr(dynamodb, "scan", lambda **_: pytest.fail("the table is scanned once"))
    assert run(resume=True).drift == {"stale": 10}
    assert deliver(queue, indexer) == 10
    assert pages[3:] and "" not in pages[3:]


def test_a_new_counter_is_in_step_and_repair_adds_the_records_that_were_there(
    catalogue: Catalogue, s3: Any, arguments: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def put(key: str, **more: Any) -> None:
        etag = s3.put_object(Bucket=BUCKET, Key=key, Body=picture())["ETag"].strip('"')
        catalogue.put_uploaded(record(key, etag=etag, extractor_version=EXTRACTOR_VERSION, **more))

    here = {"gps": {"latitude": 48.9, "longitude": 2.3}}
    put("uploads/old.png", **here)
    put("uploads/gone.png", **here)
    put("uploads/nowhere.png", camera={"make": "Canon"})
    assert reconcile.main(arguments) == 0
    monkeypatch.setitem(COUNTED, "of_tests", Counted("of_tests", lambda item: int("gps" in item)))
    monkeypatch.setitem(COUNTED, "makes", Counted("make:", lambda item: item.get("camera", {}).get("make")))
    put("uploads/new.png", **here)
    catalogue.remove(catalogue.item("uploads/gone.png"))
    s3.delete_object(Bucket=BUCKET, Key="uploads/gone.png")
    assert summarise(catalogue)["of_tests"] == 0, (
        "counted for the new one, taken off for the one that is gone"
    )

    assert reconcile.main([*arguments, "--repair"]) == 1
    assert (summarise(catalogue)["of_tests"], summarise(catalogue)["makes"]) == (2, {"Canon": 1})
    assert summarise(catalogue)["count"] == 3
    assert reconcile.main([*arguments, "--repair"]) == 0
    assert summarise(catalogue)["of_tests"] == 2


def test_a_counter_below_zero_is_drift(
    catalogue: Catalogue, dynamodb: Any, s3: Any, arguments: list[str]
) -> None:
    dynamodb.put_item(TableName=TABLE, Item=to_dynamodb({"image_id": "#summary#01", "type:image/gif": -1}))
    assert reconcile.main([*arguments, "--repair"]) == 1
    assert counted(catalogue) == {}
    assert reconcile.main(arguments) == 0


def test_counters_of_every_deployment_are_compared_and_corrected(
    catalogue: Catalogue, dynamodb: Any, s3: Any, indexer: Indexer, arguments: list[str]
) -> None:
    catalogue_of(s3, indexer, 3)
    dynamodb.put_item(TableName=TABLE, Item=to_dynamodb({"image_id": "#summary#80", "count": 40}))
    assert reconcile.main([*arguments, "--repair"]) == 1
    assert counted(catalogue) == truth(dynamodb)
    assert reconcile.main(arguments) == 0


def test_counters_are_not_corrected_while_they_change(
    s3: Any, dynamodb: Any, catalogue: Catalogue, indexer: Indexer, queue: Any, tmp_path: Path
) -> None:
    catalogue_of(s3, indexer, 3)
    dynamodb.update_item(**catalogue.table.add_to_counter(1, {"count": 40}))
    state = State(tmp_path / "state.sqlite", resume=False)
    clients = {"s3": s3, "dynamodb": dynamodb, "sqs": queue[0]}

    reported = []

    def report(kind: str, key: str) -> None:
        reported.append((kind, key))
        if kind == "counters":
            catalogue.forget(list_page(catalogue, limit=1).items[0]["image_id"])

    Reconciler(clients, BUCKET, TABLE, ["uploads/"], queue[1], state).run(report, quiet=True)
    state.close(delete=True)
    assert counted(catalogue)["count"] == 42
    assert "run again" in reported[-1][1]


def test_repairs_done_while_the_tool_still_runs_are_no_drift(
    s3: Any,
    dynamodb: Any,
    indexer: Indexer,
    arguments: list[str],
    queue: Any,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    plant(s3, dynamodb, indexer, catalogue_of(s3, indexer, 12))
    flush = Reconciler._flush

    def flush_and_deliver(self: Reconciler) -> None:
        flush(self)
        deliver(queue, indexer)

    monkeypatch.setattr(Reconciler, "_flush", flush_and_deliver)
    assert reconcile.main([*arguments, "--repair"]) == 1
    assert differences(s3, dynamodb, BUCKET, TABLE) == []


def test_an_image_that_came_and_went_during_the_scan_is_no_drift(
    s3: Any, dynamodb: Any, catalogue: Catalogue, indexer: Indexer, queue: Any, tmp_path: Path
) -> None:
    """The counters are as before, and the scan saw an image in between: correcting them would make them wrong."""
    catalogue_of(s3, indexer, 3)
    scan = dynamodb.scan

    def scan_meanwhile(**request: Any) -> Any:
        assert request["ConsistentRead"] is True
        catalogue.put_uploaded(record("uploads/x"))
        answer = scan(**request)
        catalogue.remove(catalogue.item("uploads/x"))
        return answer

    state = State(tmp_path / "state.sqlite", resume=False)
    dynamodb.scan = scan_meanwhile
    clients = {"s3": s3, "dynamodb": dynamodb, "sqs": queue[0]}
    Reconciler(clients, BUCKET, TABLE, ["uploads/"], queue[1], state).run(lambda kind, key: None, quiet=True)
    state.close(delete=True)
    dynamodb.scan = scan
    assert counted(catalogue) == truth(dynamodb)


def test_a_run_is_resumed_only_as_it_was_begun(s3: Any, dynamodb: Any, tmp_path: Path) -> None:
    clients = {"s3": s3, "dynamodb": dynamodb}
    state = State(tmp_path / "state.sqlite", resume=False)
    Reconciler(clients, BUCKET, TABLE, ["uploads/"], None, state)
    state.close(delete=False)
    state = State(tmp_path / "state.sqlite", resume=True)
    with pytest.raises(reconcile.ReconcileError, match="without --resume"):
        Reconciler(clients, BUCKET, TABLE, ["uploads/holiday/"], None, state)
    state.close(delete=True)


def test_a_run_without_a_file_to_write_is_no_difference(
    arguments: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "text").write_text("no database", encoding="utf-8")
    (tmp_path / "folder").mkdir()
    for name, more in (("none/such", []), ("folder", []), ("text", ["--resume"])):
        path = tmp_path / name
        assert reconcile.main([*arguments, "--state", str(path), *more]) == 2
        assert f"{path}: " in (said := capsys.readouterr().err) and "--state" in said


@pytest.mark.parametrize(("option", "name"), [("--bucket", "no-such-bucket"), ("--table", "NoSuchTable")])
def test_a_wrong_name_is_said_and_leaves_no_file(
    s3: Any,
    dynamodb: Any,
    arguments: list[str],
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    option: str,
    name: str,
) -> None:
    monkeypatch.delenv("AWS_DEFAULT_REGION")
    arguments[arguments.index(option) + 1] = name
    assert reconcile.main(arguments) == 2
    assert f"Check {option}" in capsys.readouterr().err
    assert not Path(arguments[-1]).exists()


def test_repair_without_a_queue_says_what_is_missing(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        reconcile.main(["--bucket", BUCKET, "--table", TABLE, "--repair"])
    assert "--queue-url" in capsys.readouterr().err


def test_a_repair_message_is_read_as_sent() -> None:
    record = {
        "eventSource": "image-metadata:repair",
        "eventName": "Reconcile:stale",
        "revision": "abc",
        "s3": {"bucket": {"name": BUCKET}, "object": {"key": "uploads/a+b%2B"}},
    }
    (job,) = jobs_of_message(json.dumps({"Records": [record]}))
    assert (job.key, job.repair, job.revision) == ("uploads/a b+", True, "abc")


def test_a_key_is_told_in_one_line_that_no_terminal_obeys(
    s3: Any, indexer: Indexer, arguments: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    catalogue_of(s3, indexer, 1)
    s3.put_object(Bucket=BUCKET, Key='uploads/a"\x9b2J\x7f\\.png', Body=b"x")
    arguments.remove("--quiet")
    assert reconcile.main(arguments) == 1
    assert 'missing\tuploads/a"\\x9b2J\\x7f\\\\.png\n' in capsys.readouterr().out


def test_search_is_compared_and_repaired_too(
    s3: Any,
    indexer: Indexer,
    arguments: list[str],
    capsys: pytest.CaptureFixture[str],
) -> None:
    s3.create_bucket(Bucket=SEARCH_BUCKET)
    catalogue_of(s3, indexer, 3)
    arguments.remove("--quiet")
    assert reconcile.main(arguments) == 0, "without its name, search is not looked at"
    arguments += ["--search-bucket", SEARCH_BUCKET]
    assert reconcile.main(arguments) == 1
    said = capsys.readouterr().out
    assert "search:missing\tuploads/" in said and "3 missing: in the table, not in search" in said
    assert reconcile.main([*arguments, "--repair"]) == 1
    assert reconcile.main(arguments) == 0
    assert reconcile.main([*arguments, "--search-bucket", "none-such"]) == 2
    assert "--search-bucket" in capsys.readouterr().err


def test_several_prefixes_are_compared_and_an_interrupted_run_goes_on(
    s3: Any,
    dynamodb: Any,
    catalogue: Catalogue,
    arguments: list[str],
    queue: Any,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    counts = {"b/": 1005, "a/": 3, "#summary#/": 2}
    keys = [f"{prefix}{number:04d}.png" for prefix, count in counts.items() for number in range(count)]
    for key in [*keys, "c/outside.png"]:
        s3.put_object(Bucket=BUCKET, Key=key, Body=b"")
    prefixes = ["--prefix", "b/", "--prefix", "a/", "--prefix", "#summary#/"]
    sent: list[str] = []

    def merge(self: Reconciler, objects: list[dict[str, Any]], items: Any, report: Any) -> None:
        if len(sent) > 1000 and "--resume" not in arguments:
            raise reconcile.ReconcileError("interrupted")
        sent.extend(entry["Key"] for entry in objects)

    monkeypatch.setattr(Reconciler, "_merge", merge)
    assert reconcile.main([*arguments, *prefixes]) == 2
    arguments.append("--resume")
    assert reconcile.main([*arguments, *prefixes]) == 0
    assert sorted(sent) == sorted(keys), "every key once, in whatever order the prefixes were named"


def test_a_record_called_as_a_counter_is_compared_like_any(
    s3: Any, dynamodb: Any, catalogue: Catalogue, arguments: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    s3.put_object(Bucket=BUCKET, Key="#summary#00", Body=picture())
    Indexer(s3, catalogue, BUCKET, ("",)).process(created("#summary#00"))
    assert reconcile.main([*arguments, "--prefix", ""]) == 0
    assert "1 objects compared" in capsys.readouterr().out


def test_images_at_whose_pixels_nobody_has_looked_are_sent_to_their_queue(
    s3: Any,
    indexer: Indexer,
    arguments: list[str],
    queue: tuple[Any, str],
    capsys: pytest.CaptureFixture[str],
) -> None:
    keys = catalogue_of(s3, indexer, 14)
    catalogue = Catalogue(TABLE)
    for key, pixels in ((keys[0], {"phash": "0" * 16}), (keys[1], {"error": "damaged"})):
        item = catalogue.item(key)
        assert item is not None
        assert catalogue.add_pixels(key, item["etag"], pixels) == "updated"
    s3.put_object(Bucket=BUCKET, Key="uploads/text.txt", Body=b"no image")
    indexer.process(created("uploads/text.txt"))
    assert reconcile.main(arguments) == 0
    sqs, pixels_queue = queue[0], queue[0].create_queue(QueueName="pixels")["QueueUrl"]
    wanted = [*arguments, "--pixels-queue-url", pixels_queue]
    assert reconcile.main(wanted) == 1
    assert "12 unseen" in capsys.readouterr().out
    assert "Messages" not in sqs.receive_message(QueueUrl=pixels_queue)
    assert reconcile.main([*wanted, "--repair"]) == 1
    bodies = []
    while messages := sqs.receive_message(QueueUrl=pixels_queue, MaxNumberOfMessages=10).get("Messages"):
        bodies += [json.loads(message["Body"]) for message in messages]
        for message in messages:
            sqs.delete_message(QueueUrl=pixels_queue, ReceiptHandle=message["ReceiptHandle"])
    assert sorted(body["image_id"] for body in bodies) == sorted(keys[2:])
    assert deliver(queue, indexer) == 0, "nothing is to be read again"
