"""From the table's stream to change files and events."""

from __future__ import annotations

import gzip
import json
from typing import Any

import pytest

from image_catalogue import clients
from image_catalogue.items import Item, follow, forgotten, uploaded
from image_events.changes import CATALOGUED, CHANGED, REMOVED, changes_of, send
from image_search import files as search_files
from tests.support.api import CONTEXT, module_of
from tests.support.fake_s3 import FakeS3
from tests.support.records import record
from tests.support.search import Deployment
from tests.support.stream import stream_event

KEY = "uploads/a.png"


def item(revision: str = "r1", **more: Any) -> Item:
    return uploaded(record(KEY, **more), 1) | {"revision": revision, "sequencer": "0" * 32}


def gone(old: Item) -> Item:
    return follow(old, None, None, KEY) | {"revision": "gone"}


COUNTER = {"image_id": "#summary#03", "count": 3, "total_size": 10}


def test_each_transition_of_an_item_is_the_change_that_clients_see() -> None:
    old, new = item(), item("r2", size=7)
    event = stream_event(
        (None, old), (old, new), (new, gone(new)), (gone(new), old), (old, forgotten(old) | {"revision": "f"}),
        (forgotten(old), gone(old)), (gone(old), None), (old, None), (COUNTER, COUNTER), (None, COUNTER),
    )  # fmt: skip
    changes = changes_of(event)
    assert [(change.kind, change.revision, change.forgotten) for change in changes] == [
        (CATALOGUED, "r1", False),
        (CHANGED, "r2", False),
        (REMOVED, "gone", False),
        (CATALOGUED, "r1", False),
        (REMOVED, "f", True),
        (REMOVED, None, False),
    ]
    assert {change.part for change in changes} == {"2026-11"} and {change.image_id for change in changes} == {
        KEY
    }
    assert changes[0].after == record(KEY) and changes[0].before is None
    assert [change.sequence for change in changes] == sorted((change.sequence for change in changes), key=int)


def test_a_change_says_what_changed() -> None:
    old = item(camera={"make": "Canon", "model": "R5"}, title="x")
    new = item("r2", camera={"make": "Canon", "model": "R6"}, gps={"latitude": 1, "longitude": 2}, title="x")
    (changed,) = changes_of(stream_event((old, new)))
    assert changed.detail() == {
        "image_id": KEY,
        "record": record(KEY, **{name: new[name] for name in ("camera", "gps", "title")}),
        "revision": "r2",
        "changed": ["camera.model", "gps"],
    }
    (removed,) = changes_of(stream_event((new, gone(new))))
    assert removed.detail() == {
        "image_id": KEY,
        "record": changed.after,
        "revision": "gone",
        "reason": "removed",
    }


def test_an_item_keeps_its_part_and_one_that_is_none_of_ours_is_left_alone() -> None:
    old = item() | {"part": "2025-01-03"}
    assert [
        change.part for change in changes_of(stream_event((None, old), (old, gone(old)), (old, None)))
    ] == ["2025-01-03"] * 3
    stranger = {"image_id": "x", "state": "record"}
    assert changes_of(stream_event((None, stranger))) == []
    assert changes_of({}) == []


class Bus:
    """EventBridge, which refuses what it is told to, so often."""

    def __init__(self, refused: dict[str, int] | None = None) -> None:
        self.refused = dict(refused or {})
        self.requests: list[int] = []
        self.taken: list[dict[str, Any]] = []

    def put_events(self, Entries: list[dict[str, Any]]) -> dict[str, Any]:  # noqa: N803 - boto3's name
        self.requests.append(len(Entries))
        assert len(Entries) <= 10
        assert sum(len(entry["Detail"].encode()) for entry in Entries) < 256_000
        results: list[dict[str, Any]] = []
        for entry in Entries:
            image_id = json.loads(entry["Detail"])["image_id"]
            if self.refused.get(image_id, 0):
                self.refused[image_id] -= 1
                results.append({"ErrorCode": "ThrottlingException"})
            else:
                self.taken.append(entry)
                results.append({"EventId": "1"})
        return {"FailedEntryCount": 0, "Entries": results}


def many(count: int, **more: Any) -> dict[str, Any]:
    items = [
        uploaded(record(f"uploads/{number:02d}", **more), 1) | {"revision": "r"} for number in range(count)
    ]
    return stream_event(*((None, each) for each in items))


def test_events_are_sent_ten_at_a_time_and_in_order() -> None:
    bus = Bus()
    assert send(bus, changes_of(many(25))) is None
    assert bus.requests == [10, 10, 5]
    assert [json.loads(entry["Detail"])["image_id"] for entry in bus.taken] == [
        f"uploads/{n:02d}" for n in range(25)
    ]
    assert {(entry["Source"], entry["DetailType"]) for entry in bus.taken} == {("image-metadata", CATALOGUED)}


def test_large_records_are_sent_fewer_at_a_time() -> None:
    bus = Bus()
    send(bus, changes_of(many(20, description="é" * 30_000)))
    assert sum(bus.requests) == 20 and max(bus.requests) < 5


def test_what_the_bus_refuses_is_sent_again_and_then_reported() -> None:
    bus = Bus({"uploads/03": 2})
    assert send(bus, changes_of(many(5))) is None
    assert bus.requests == [5, 1, 1] and len(bus.taken) == 5
    changes = changes_of(many(15))
    bus = Bus({"uploads/07": 9, "uploads/05": 9})
    assert send(bus, changes) == changes[5].sequence
    assert bus.requests == [10, 2, 2]  # the ones after them wait for the stream to come again


@pytest.fixture
def publish(deployment: Deployment, monkeypatch: pytest.MonkeyPatch) -> Any:
    """The function, on the deployment's bucket."""
    monkeypatch.setenv("SEARCH_BUCKET", "search")
    monkeypatch.delenv("EVENTS", raising=False)
    monkeypatch.setattr(clients, "s3", lambda: deployment.s3)
    module = module_of("publish_changes")
    return lambda event: module.lambda_handler(event, CONTEXT)


def test_a_batch_becomes_a_file_that_search_finds(publish: Any, deployment: Deployment) -> None:
    event = stream_event((None, item(title="Crème")), (None, COUNTER))
    assert publish(event) == {"batchItemFailures": []}
    (key,) = deployment.s3.objects
    sequence = event["Records"][0]["dynamodb"]["SequenceNumber"].zfill(40)
    assert key == f"changes/{sequence}-{sequence}.ndjson.gz"
    row = json.loads(gzip.decompress(deployment.s3.objects[key][0]))
    assert row == record(KEY, title="Crème") | {
        "words": " creme a png", "revision": "r1", "change": "put", "part": "2026-11", "sequence": sequence,
    }  # fmt: skip
    assert deployment.ids(q="creme") == [KEY]
    publish(stream_event((item(), gone(item())), first=5))
    assert deployment.ids() == []


def test_a_batch_that_comes_again_writes_the_same_file(publish: Any, deployment: Deployment) -> None:
    event = stream_event((None, item()))
    publish(event)
    before = {key: etag for key, (_, etag, _) in deployment.s3.objects.items()}
    publish(event)
    assert {key: etag for key, (_, etag, _) in deployment.s3.objects.items()} == before


def test_a_batch_without_a_record_writes_nothing(publish: Any, deployment: Deployment) -> None:
    publish(stream_event((COUNTER, COUNTER), (gone(item()), None)))
    assert deployment.s3.requests == []


def test_a_bucket_that_does_not_answer_fails_the_batch_so_that_it_comes_again(
    publish: Any, deployment: Deployment, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(name: str, request: dict[str, Any]) -> None:
        raise ConnectionError

    monkeypatch.setattr(deployment.s3, "between", broken)
    with pytest.raises(search_files.CatalogueBusy):
        publish(stream_event((None, item())))


def test_with_a_bus_the_function_tells_where_to_go_on_from(
    publish: Any, deployment: Deployment, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("EVENTS", "true")
    bus = Bus({"uploads/03": 9})
    monkeypatch.setattr(clients, "events", lambda: bus)
    event = many(5)
    refused = event["Records"][3]["dynamodb"]["SequenceNumber"]
    assert publish(event) == {"batchItemFailures": [{"itemIdentifier": refused}]}
    assert deployment.ask()["matched"] == 5


def test_the_compaction_looks_before_it_loads_anything_large(
    deployment: Deployment, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SEARCH_BUCKET", "search")
    fake = FakeS3()
    monkeypatch.setattr(clients, "s3", lambda: fake)
    monkeypatch.setattr(CONTEXT, "get_remaining_time_in_millis", lambda: 300_000, raising=False)
    module = module_of("compact_catalogue")
    assert module.lambda_handler({}, CONTEXT) == {"changes": 0, "parts": 0, "images": 0}
    assert fake.requests == ["list_objects_v2"]
    monkeypatch.setattr(clients, "s3", lambda: deployment.s3)
    deployment.put(record(KEY))
    assert module.lambda_handler({}, CONTEXT)["changes"] == 0
    assert module.lambda_handler({"now": True}, CONTEXT) == {"changes": 1, "parts": 1, "images": 1}
    assert deployment.ids() == [KEY]
