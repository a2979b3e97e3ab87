"""Whole invocations of s3_file_event against moto: every event shape, and every record failing alone."""

from __future__ import annotations

import json
import time
from datetime import timedelta
from typing import Any

import pytest
from botocore.exceptions import ClientError

from image_catalogue.catalogue import Catalogue
from image_catalogue.dynamodb import to_dynamodb
from image_catalogue.errors import CatalogueBusy, InvalidEvent
from image_catalogue.previews import Kept, Previews
from image_catalogue.queries import list_page, summarise
from image_catalogue.records import parse_timestamp, record_of
from image_events.batch import JobsFailed, handle
from image_events.events import Job, jobs_of_notification
from image_events.indexer import Indexer
from tests.benchmarks.extraction import camera_exif
from tests.events import load
from tests.support.pictures import picture
from tests.support.table import BUCKET, PREVIEW_BUCKET, counted, truth

KEY = "uploads/my café + 100%.png"
#: What the object store says of an object.
STORED: dict[str, Any] = {
    "image_id": "uploads/a",
    "bucket": "b",
    "size": 1,
    "etag": "e",
    "uploaded_at": "2026-11-21T10:00:00.000Z",
}


class Lines(list):
    """A logger that keeps its lines."""

    def info(self, message: str, **fields: Any) -> None:
        self.append((message, fields))

    error = info


@pytest.fixture(autouse=True)
def one_at_a_time(monkeypatch: pytest.MonkeyPatch) -> None:
    """Moto's table is not safe between threads; the storm tests many at a time on the local AWS."""
    monkeypatch.setattr("image_events.batch.CONCURRENCY", 1)


@pytest.fixture
def log() -> Lines:
    return Lines()


def invoke(event: dict[str, Any], indexer: Indexer, log: Lines, seconds: float = 60) -> dict[str, Any]:
    return handle(event, indexer, time.monotonic() + seconds, log)


def notification(key: str, name: str = "ObjectCreated:Put", sequencer: str = "01") -> dict[str, Any]:
    """An S3 notification for a key as S3 writes it (already URL-encoded)."""
    event = load("s3_created")
    event["Records"][0]["eventName"] = name
    event["Records"][0]["s3"]["object"] |= {"key": key, "sequencer": sequencer}
    return event


def messages(*bodies: Any) -> dict[str, Any]:
    return {
        "Records": [
            {"messageId": f"m{number}", "eventSource": "aws:sqs", "body": json.dumps(body)}
            for number, body in enumerate(bodies)
        ]
    }


@pytest.fixture
def throttled(s3: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """S3 asks for patience at every read."""

    def slow_down(**_: Any) -> Any:
        raise ClientError({"Error": {"Code": "SlowDown"}}, "GetObject")

    monkeypatch.setattr(s3, "get_object", slow_down)


def failed(answer: dict[str, Any]) -> list[str]:
    return [failure["itemIdentifier"] for failure in answer["batchItemFailures"]]


def test_a_plain_s3_event_indexes_its_decoded_key(
    indexer: Indexer, catalogue: Catalogue, s3: Any, log: Lines
) -> None:
    s3.put_object(Bucket=BUCKET, Key=KEY, Body=picture(30, 20), ContentType="text/plain")
    assert invoke(load("s3_created"), indexer, log) == {}
    record = catalogue.get(KEY)
    assert (record["content_type"], record["width"], record["height"]) == ("image/png", 30, 20)
    assert record["declared_content_type"] == "text/plain"
    assert record["filename"] == "my café + 100%.png"
    assert record["size"] == len(picture(30, 20))


def test_a_new_image_is_read_in_one_request(indexer: Indexer, s3: Any, log: Lines) -> None:
    s3.put_object(Bucket=BUCKET, Key=KEY, Body=picture())
    names: list[str] = []
    s3.meta.events.register("before-call.s3", lambda model, **_: names.append(model.name))
    invoke(load("s3_created"), indexer, log)
    assert names == ["GetObject"]


@pytest.mark.parametrize(
    ("told", "requests"),
    [("its size", 1), (400_000, 1), (10, 2), (None, 2), ("200000", 2), (-1, 2), (10**30, 2)],
)
@pytest.mark.parametrize("shape", ["s3_created", "eventbridge_created"])
def test_a_file_that_tells_something_at_its_end_is_fetched_at_once(
    indexer: Indexer, s3: Any, log: Lines, shape: str, told: Any, requests: int
) -> None:
    body = picture(300, 300, "WEBP", lossless=True, exif=camera_exif(), icc_profile=b"p" * 200_000)
    s3.put_object(Bucket=BUCKET, Key=KEY, Body=body)
    event = load(shape)
    entity = event["detail"]["object"] if "detail" in event else event["Records"][0]["s3"]["object"]
    entity["size"] = len(body) if told == "its size" else told
    invoke(event, indexer, log)
    assert [(fields["status"], fields["requests"]) for _, fields in log] == [("ok", requests)]


def test_the_test_event_is_taken_alone_and_through_the_queue(indexer: Indexer, log: Lines) -> None:
    assert invoke(load("s3_test_event"), indexer, log) == {}
    assert invoke(messages(load("s3_test_event")), indexer, log) == {"batchItemFailures": []}


@pytest.mark.parametrize(
    "event", [{}, {"Records": None}, {"detail": {}}, {"Records": [{"s3": {}}]}, {"Records": [3]}]
)
def test_an_event_of_no_known_shape_is_refused(indexer: Indexer, log: Lines, event: dict[str, Any]) -> None:
    with pytest.raises((InvalidEvent, JobsFailed)):
        invoke(event, indexer, log)


def test_a_poisoned_message_fails_alone(indexer: Indexer, catalogue: Catalogue, s3: Any, log: Lines) -> None:
    for name in "abc":
        s3.put_object(Bucket=BUCKET, Key=f"uploads/{name}.png", Body=picture())
    good = [notification(f"uploads/{name}.png") for name in "abc"]
    event = messages(
        good[0], {"Records": "poison"}, good[1], "poison", notification("uploads/x", sequencer="zz"), good[2]
    )
    event["Records"].append(event["Records"][1] | {"messageId": "deep", "body": "[" * 100_000})
    assert failed(invoke(event, indexer, log)) == ["m1", "m3", "deep", "m4"]
    assert summarise(catalogue)["count"] == 3


@pytest.mark.parametrize("key", ["uploads/%FF", None, 7])
def test_a_poisoned_record_spares_its_neighbours_in_the_same_message(
    indexer: Indexer, catalogue: Catalogue, s3: Any, log: Lines, key: Any
) -> None:
    for name in "ab":
        s3.put_object(Bucket=BUCKET, Key=f"uploads/{name}.png", Body=picture())
    several = notification("uploads/a.png")
    several["Records"] += notification(key)["Records"] + notification("uploads/b.png")["Records"]
    assert failed(invoke(messages(several), indexer, log)) == ["m0"]
    assert summarise(catalogue)["count"] == 2


def test_a_slow_object_is_given_up_at_the_deadline(
    indexer: Indexer, s3: Any, log: Lines, monkeypatch: pytest.MonkeyPatch
) -> None:
    """No request begins after the deadline, however many ranges a file asks for."""
    s3.put_object(
        Bucket=BUCKET, Key="uploads/a.tif", Body=b"II*\0" + (300_000).to_bytes(4, "little") + bytes(400_000)
    )
    clock = iter(range(1000))
    monkeypatch.setattr("image_catalogue.source.time.monotonic", lambda: 10_000_000 + next(clock))
    answer = handle(messages(notification("uploads/a.tif")), indexer, 10_000_001, log)
    assert failed(answer) == ["m0"]


def test_a_record_that_fails_takes_only_its_own_message_back(
    indexer: Indexer, catalogue: Catalogue, s3: Any, log: Lines, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in "abc":
        s3.put_object(Bucket=BUCKET, Key=f"uploads/{name}.png", Body=picture())
    real = s3.get_object

    def denied(**request: Any) -> Any:
        if request["Key"] == "uploads/b.png":
            raise ClientError({"Error": {"Code": "SlowDown"}}, "GetObject")
        return real(**request)

    monkeypatch.setattr(s3, "get_object", denied)
    event = messages(*(notification(f"uploads/{name}.png") for name in "abc"))
    assert failed(invoke(event, indexer, log)) == ["m1"]
    monkeypatch.setattr(s3, "get_object", real)
    assert failed(invoke(event, indexer, log)) == []
    assert counted(catalogue)["count"] == 3


def test_a_bug_in_one_record_fails_that_record_and_says_so(
    indexer: Indexer, catalogue: Catalogue, s3: Any, log: Lines, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in "ab":
        s3.put_object(Bucket=BUCKET, Key=f"uploads/{name}.png", Body=picture())
    real = catalogue.begin

    def buggy(image_id: str, *rest: Any) -> Any:
        if image_id.endswith("a.png"):
            raise KeyError("a bug")
        return real(image_id, *rest)

    monkeypatch.setattr(catalogue, "begin", buggy)
    event = messages(*(notification(f"uploads/{name}.png") for name in "ab"))
    assert failed(invoke(event, indexer, log)) == ["m0"]
    assert [repr(fields["exc_info"]) for message, fields in log if message == "record failed"] == [
        "KeyError('a bug')"
    ]


@pytest.mark.usefixtures("throttled")
def test_a_temporary_failure_is_told_without_a_traceback_and_at_one_level(
    indexer: Indexer, log: Lines
) -> None:
    assert failed(invoke(messages(notification("uploads/a.png")), indexer, log)) == ["m0"]
    ((_, fields),) = [line for line in log if line[0] == "record failed"]
    assert fields["exc_info"] is None and "severity" not in fields


@pytest.mark.usefixtures("throttled")
def test_a_plain_event_that_fails_raises_so_that_it_comes_again(indexer: Indexer, log: Lines) -> None:
    with pytest.raises(JobsFailed):
        invoke(load("s3_created"), indexer, log)


def test_what_has_not_begun_at_the_deadline_comes_again_and_asks_for_nothing(
    indexer: Indexer, s3: Any, dynamodb: Any, log: Lines
) -> None:
    """Whatever it asked for, its answer might come after the function's end."""
    s3.put_object(Bucket=BUCKET, Key=KEY, Body=picture())
    asked: list[str] = []
    for client, service in ((s3, "s3"), (dynamodb, "dynamodb")):
        client.meta.events.register(f"before-call.{service}", lambda model, **_: asked.append(model.name))
    removal = notification("uploads/a.png", "ObjectRemoved:Delete")
    assert failed(invoke(messages(load("s3_created"), removal), indexer, log, seconds=-1)) == ["m0", "m1"]
    assert asked == []
    assert ["time is used up" in fields["error"] for _, fields in log] == [True, True]


def test_an_event_for_a_key_already_gone_leaves_no_record(
    indexer: Indexer, catalogue: Catalogue, log: Lines
) -> None:
    assert failed(invoke(messages(load("s3_created")), indexer, log)) == []
    assert catalogue.get(KEY) is None
    assert summarise(catalogue)["count"] == 0


def test_a_removal_takes_the_record_away(indexer: Indexer, catalogue: Catalogue, s3: Any, log: Lines) -> None:
    s3.put_object(Bucket=BUCKET, Key="uploads/a.png", Body=picture())
    invoke(notification("uploads/a.png", sequencer="01"), indexer, log)
    s3.delete_object(Bucket=BUCKET, Key="uploads/a.png")
    invoke(notification("uploads/a.png", "ObjectRemoved:Delete", "02"), indexer, log)
    assert catalogue.get("uploads/a.png") is None


@pytest.fixture
def previews(s3: Any) -> Previews:
    """Previews of two images, one of them in two sizes and of two objects."""
    s3.create_bucket(Bucket=PREVIEW_BUCKET)
    kept = Previews(PREVIEW_BUCKET, s3)
    for key, etag, size in (
        ("uploads/a.png", "1", 160),
        ("uploads/a.png", "2", 320),
        ("uploads/b.png", "1", 160),
    ):
        kept.keep(key, etag, size, Kept(b"webp", "image/webp"))
    return kept


@pytest.mark.parametrize("name", ["ObjectRemoved:Delete", "LifecycleExpiration:Delete"])
def test_a_removal_takes_the_previews_away(
    s3: Any, catalogue: Catalogue, previews: Previews, log: Lines, name: str
) -> None:
    """Also where the record is gone already, as after a deletion through the API, or in a second attempt."""
    indexer = Indexer(s3, catalogue, BUCKET, "uploads/", previews=previews)
    for _ in range(2):
        assert invoke(notification("uploads/a.png", name, "02"), indexer, log) == {}
        assert [previews.find("uploads/a.png", etag, size) for etag, size in (("1", 160), ("2", 320))] == [
            None
        ] * 2
        assert previews.find("uploads/b.png", "1", 160) is not None
        previews.keep("uploads/a.png", "1", 160, Kept(b"webp", "image/webp"))


def test_a_new_image_keeps_the_previews(
    s3: Any, catalogue: Catalogue, previews: Previews, log: Lines
) -> None:
    s3.put_object(Bucket=BUCKET, Key="uploads/a.png", Body=picture())
    asked: list[str] = []
    s3.meta.events.register("before-call.s3", lambda model, **_: asked.append(model.name))
    indexer = Indexer(s3, catalogue, BUCKET, "uploads/", previews=previews)
    invoke(notification("uploads/a.png"), indexer, log)
    assert asked == ["GetObject"]
    assert previews.find("uploads/a.png", "1", 160) is not None


def test_previews_that_cannot_be_removed_now_are_tried_again(
    s3: Any, catalogue: Catalogue, previews: Previews, log: Lines, monkeypatch: pytest.MonkeyPatch
) -> None:
    def busy(*_: Any) -> None:
        raise CatalogueBusy("busy")

    monkeypatch.setattr(Previews, "forget", busy)
    indexer = Indexer(s3, catalogue, BUCKET, "uploads/", previews=previews)
    removal = messages(notification("uploads/a.png", "ObjectRemoved:Delete"))
    assert failed(invoke(removal, indexer, log)) == ["m0"]


@pytest.mark.parametrize("name", ["LifecycleExpiration:Delete", "s3:LifecycleExpiration:DeleteMarkerCreated"])
@pytest.mark.parametrize("sequencer", [None, "03", "02", "01"])
def test_a_lifecycle_expiry_takes_the_record_away_whatever_its_sequencer(
    indexer: Indexer, catalogue: Catalogue, s3: Any, log: Lines, name: str, sequencer: str | None
) -> None:
    s3.put_object(Bucket=BUCKET, Key="uploads/a.png", Body=picture())
    invoke(notification("uploads/a.png", sequencer="02"), indexer, log)
    s3.delete_object(Bucket=BUCKET, Key="uploads/a.png")
    event = notification("uploads/a.png", name, sequencer or "")
    if sequencer is None:
        del event["Records"][0]["s3"]["object"]["sequencer"]
    invoke(event, indexer, log)
    assert catalogue.get("uploads/a.png") is None


@pytest.mark.parametrize(("first", "second"), [(0, 1), (1, 0)])
def test_the_same_bytes_put_again_are_uploaded_when_they_were_put_last(
    indexer: Indexer, catalogue: Catalogue, s3: Any, log: Lines, first: int, second: int
) -> None:
    key = "uploads/a.png"
    etag = s3.put_object(Bucket=BUCKET, Key=key, Body=picture())["ETag"].strip('"')
    put = s3.head_object(Bucket=BUCKET, Key=key)["LastModified"]
    events = [notification(key, sequencer=sequencer) for sequencer in ("01", "02")]
    for event, moment in zip(events, (put - timedelta(hours=2), put + timedelta(seconds=0.5)), strict=True):
        event["Records"][0]["eventTime"] = moment.isoformat()
        event["Records"][0]["s3"]["object"]["eTag"] = etag
    invoke(events[first], indexer, log)
    invoke(events[second], indexer, log)
    uploaded = parse_timestamp(catalogue.get(key)["uploaded_at"])
    assert timedelta(0) <= uploaded - put <= timedelta(seconds=0.5)


def test_versions_delete_markers_and_restores_follow_the_bucket(
    indexer: Indexer, catalogue: Catalogue, s3: Any, log: Lines
) -> None:
    key = "uploads/a.png"
    s3.put_bucket_versioning(Bucket=BUCKET, VersioningConfiguration={"Status": "Enabled"})
    first = s3.put_object(Bucket=BUCKET, Key=key, Body=picture(1, 1))["VersionId"]
    s3.put_object(Bucket=BUCKET, Key=key, Body=picture(2, 2))
    invoke(notification(key, sequencer="02"), indexer, log)
    s3.delete_object(Bucket=BUCKET, Key=key, VersionId=first)
    invoke(notification(key, "ObjectRemoved:Delete", "03"), indexer, log)
    assert catalogue.get(key)["width"] == 2, "an old version's removal is not the image's"
    marker = s3.delete_object(Bucket=BUCKET, Key=key)["VersionId"]
    invoke(notification(key, "ObjectRemoved:DeleteMarkerCreated", "04"), indexer, log)
    assert catalogue.get(key) is None
    s3.delete_object(Bucket=BUCKET, Key=key, VersionId=marker)
    invoke(notification(key, "ObjectRemoved:Delete", "05"), indexer, log)
    assert catalogue.get(key)["width"] == 2, "removing the delete marker restores the image"


@pytest.mark.parametrize(
    ("body", "status"),
    [
        (b"", "unsupported"),
        (b"just text, whatever the name says\n" * 1000, "unsupported"),
        (picture(kind="JPEG")[:40], "corrupt"),
    ],
)
def test_what_is_no_image_becomes_a_record_that_says_why(
    indexer: Indexer, catalogue: Catalogue, s3: Any, log: Lines, body: bytes, status: str
) -> None:
    s3.put_object(Bucket=BUCKET, Key="uploads/a.jpg", Body=body)
    assert failed(invoke(messages(notification("uploads/a.jpg")), indexer, log)) == []
    record = catalogue.get("uploads/a.jpg")
    assert record["status"] == status
    assert record["error"]
    assert record["size"] == len(body)


def test_folders_other_buckets_and_other_prefixes_are_ignored(
    indexer: Indexer, catalogue: Catalogue, s3: Any, log: Lines
) -> None:
    for key in ("uploads/", "uploads/holiday/", "thumbnails/a.png"):
        s3.put_object(Bucket=BUCKET, Key=key, Body=b"")
        invoke(notification(key), indexer, log)
    elsewhere = notification("uploads/a.png")
    elsewhere["Records"][0]["s3"]["bucket"]["name"] = "elsewhere"
    invoke(elsewhere, indexer, log)
    assert [fields["outcome"] for _, fields in log] == ["ignored"] * 4
    assert summarise(catalogue)["count"] == 0


def test_an_archived_object_is_catalogued_without_its_pixels(
    indexer: Indexer, catalogue: Catalogue, s3: Any, log: Lines, monkeypatch: pytest.MonkeyPatch
) -> None:
    def archived(**_: Any) -> Any:
        raise ClientError({"Error": {"Code": "InvalidObjectState"}}, "GetObject")

    s3.put_object(Bucket=BUCKET, Key="uploads/a.png", Body=picture())
    monkeypatch.setattr(s3, "get_object", archived)
    invoke(notification("uploads/a.png"), indexer, log)
    record = catalogue.get("uploads/a.png")
    assert (record["status"], record["size"]) == ("unsupported", len(picture()))
    assert "archived" in record["error"]
    monkeypatch.undo()
    invoke(notification("uploads/a.png", "s3:ObjectRestore:Completed", "00"), indexer, log)
    assert catalogue.get("uploads/a.png")["status"] == "ok"


def test_an_empty_object_overwritten_before_its_length_is_asked_for_is_read_again(
    indexer: Indexer, catalogue: Catalogue, s3: Any, log: Lines, monkeypatch: pytest.MonkeyPatch
) -> None:
    key, real = "uploads/a.png", s3.head_object
    s3.put_object(Bucket=BUCKET, Key=key, Body=b"")

    def overwritten(**request: Any) -> Any:
        s3.put_object(Bucket=BUCKET, Key=key, Body=picture())
        return real(**request)

    monkeypatch.setattr(s3, "head_object", overwritten)
    invoke(notification(key), indexer, log)
    assert (catalogue.get(key)["status"], catalogue.get(key)["size"]) == ("ok", len(picture()))


def test_an_object_overwritten_while_it_is_read_is_read_again(
    indexer: Indexer, catalogue: Catalogue, s3: Any, log: Lines, monkeypatch: pytest.MonkeyPatch
) -> None:
    key, real, calls = "uploads/a.tif", s3.get_object, []
    big = picture(400, 400, "TIFF") + b"\0" * 400_000
    s3.put_object(Bucket=BUCKET, Key=key, Body=b"II*\0" + (300_000).to_bytes(4, "little") + bytes(400_000))

    def overwriting(**request: Any) -> Any:
        answer = real(**request)
        calls.append(request.get("IfMatch"))
        if len(calls) == 1:
            s3.put_object(Bucket=BUCKET, Key=key, Body=big)
        return answer

    monkeypatch.setattr(s3, "get_object", overwriting)
    invoke(notification(key), indexer, log)
    assert catalogue.get(key)["width"] == 400
    assert catalogue.get(key)["size"] == len(big)


@pytest.mark.parametrize("schema", ["1.0", "2.0"])
def test_a_batch_operations_task_indexes_an_existing_object(
    indexer: Indexer, catalogue: Catalogue, s3: Any, log: Lines, schema: str
) -> None:
    s3.put_object(Bucket=BUCKET, Key="uploads/existing one.png", Body=picture())
    event = load("s3_batch_operations") | {"invocationSchemaVersion": schema}
    if schema == "1.0":
        del event["tasks"][0]["s3Bucket"]
        event["tasks"][0]["s3BucketArn"] = f"arn:aws:s3:::{BUCKET}"
    answer = invoke(event, indexer, log)
    assert answer["results"] == [
        {"taskId": "dGFza2lkZ29lc2hlcmUK", "resultCode": "Succeeded", "resultString": ""}
    ]
    assert (answer["invocationSchemaVersion"], answer["invocationId"]) == (schema, event["invocationId"])
    assert catalogue.get("uploads/existing one.png")["status"] == "ok"


@pytest.mark.parametrize(("code", "result"), [("SlowDown", "TemporaryFailure"), (None, "PermanentFailure")])
def test_a_batch_operations_task_says_whether_to_try_again(
    indexer: Indexer, s3: Any, log: Lines, monkeypatch: pytest.MonkeyPatch, code: str | None, result: str
) -> None:
    def broken(**_: Any) -> Any:
        raise ClientError({"Error": {"Code": code}}, "GetObject") if code else KeyError("a bug")

    monkeypatch.setattr(s3, "get_object", broken)
    answer = invoke(load("s3_batch_operations"), indexer, log)
    assert [entry["resultCode"] for entry in answer["results"]] == [result]


def test_a_record_is_small_whatever_the_file_says() -> None:
    hostile = {
        "status": "ok",
        "keywords": ["\U0001f600" * 256] * 1000,
        "title": "\0" * 100_000,
        "description": "x" * 100_000,
        "exposure": {"f_number": 1e-200, "time_s": float("nan"), "iso": 10**60, "focal_length_mm": 50.0},
    }
    found = record_of(hostile, **STORED)
    assert len(json.dumps(found, ensure_ascii=False).encode()) < 40_000
    assert found["exposure"] == {"focal_length_mm": 50.0}
    assert found["title"]
    to_dynamodb(found)


def test_positions_follow_the_gps_policy() -> None:
    metadata = {
        "status": "ok",
        "gps": {"latitude": 48.858222, "longitude": 2.2945, "altitude_m": 35.0},
        "has_gps": True,
    }
    assert record_of(metadata, **STORED)["gps"] == metadata["gps"]
    assert record_of(metadata, gps="coarse", **STORED)["gps"] == {"latitude": 48.86, "longitude": 2.29}
    unsigned = metadata | {"gps": metadata["gps"] | {"unsigned": True}}
    told = record_of(unsigned, gps="coarse", **STORED)["gps"]
    assert told == {"latitude": 48.86, "longitude": 2.29, "unsigned": True}
    assert "gps" not in record_of(metadata, gps="none", **STORED)
    assert record_of(metadata, gps="none", **STORED)["has_gps"] is True


# --- events of a bucket that is there, by EventBridge ----------------------------------------------------------------


def bridged(detail_type: str = "Object Created", **detail: Any) -> dict[str, Any]:
    """An event as EventBridge hands it on."""
    event = load("eventbridge_created")
    event["detail-type"] = detail_type
    event["detail"] |= {"reason": "DeleteObject"} if detail_type == "Object Deleted" else {}
    event["detail"] |= {name.replace("_", "-"): value for name, value in detail.items()}
    return event


def test_an_event_from_eventbridge_says_what_a_notification_says() -> None:
    (from_s3,) = jobs_of_notification(load("s3_created"))
    (job,) = jobs_of_notification(bridged())
    assert isinstance(from_s3, Job) and isinstance(job, Job)
    assert (job.bucket, job.key, job.sequencer, job.etag) == (
        from_s3.bucket, "uploads/my café + 100%.png", from_s3.sequencer, from_s3.etag,
    )  # fmt: skip
    assert job.created and job.time is not None and abs(job.time - from_s3.time) < timedelta(seconds=1)


@pytest.mark.parametrize(
    ("event", "name", "ordered"),
    [
        (bridged("Object Deleted"), "ObjectRemoved:DeleteObject", True),
        (
            bridged("Object Deleted", reason="Lifecycle Expiration"),
            "LifecycleExpiration:Lifecycle Expiration",
            False,
        ),
        (bridged("Object Restore Completed", reason=""), "ObjectRestore:", False),
    ],
)
def test_only_what_s3_orders_has_a_sequencer(event: dict[str, Any], name: str, ordered: bool) -> None:
    (job,) = jobs_of_notification(event)
    assert isinstance(job, Job) and job.name == name and (job.sequencer is not None) == ordered


def test_events_from_eventbridge_come_through_the_queue_in_any_order(
    indexer: Indexer, s3: Any, log: Lines, catalogue: Catalogue
) -> None:
    key = "uploads/my café + 100%.png"
    s3.put_object(Bucket=BUCKET, Key=key, Body=picture())
    answer = invoke(
        messages(bridged(), bridged("Object Created", object={"size": 1}), "nonsense"), indexer, log
    )
    assert sorted(failed(answer)) == ["m1", "m2"]
    assert catalogue.get(key) is not None
    s3.delete_object(Bucket=BUCKET, Key=key)
    deleted = bridged("Object Deleted", object={"key": key, "sequencer": "0A1B2C3D4E5F678902"})
    assert failed(invoke(messages(deleted, bridged()), indexer, log)) == []
    assert catalogue.get(key) is None


# --- a bucket that is catalogued whole -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "key", ["#summary#00", "##summary#00", "###summary#00", "#summary#", "#summary#x/y.png", "#"]
)
def test_no_key_of_a_whole_bucket_meets_a_counter(
    dynamodb: Any, s3: Any, catalogue: Catalogue, key: str
) -> None:
    whole = Indexer(s3, catalogue, BUCKET, ("",))
    s3.put_object(Bucket=BUCKET, Key=key, Body=picture())
    s3.put_object(Bucket=BUCKET, Key="beside.png", Body=picture())
    for name in (key, "beside.png"):
        assert whole.process(Job(BUCKET, name, "ObjectCreated:Put", sequencer="01"))["outcome"] == "created"
    assert catalogue.get(key) == catalogue.get(key) | {"image_id": key}  # type: ignore[operator]
    assert {item["image_id"] for item in list_page(catalogue).items} == {key, "beside.png"}
    assert counted(catalogue) == truth(dynamodb) and counted(catalogue)["count"] == 2
    s3.delete_object(Bucket=BUCKET, Key=key)
    assert whole.process(Job(BUCKET, key, "ObjectRemoved:Delete", sequencer="02"))["outcome"] == "removed"
    assert counted(catalogue)["count"] == 1


def test_only_keys_below_a_prefix_are_catalogued(s3: Any, catalogue: Catalogue) -> None:
    several = Indexer(s3, catalogue, BUCKET, ("2024/", "raws/"))
    outcomes = []
    for key in ("2024/a.png", "raws/b/c.png", "2025/a.png", "2024", "raws/"):
        s3.put_object(Bucket=BUCKET, Key=key, Body=picture())
        outcomes.append(several.process(Job(BUCKET, key, "ObjectCreated:Put"))["outcome"])
    assert outcomes == ["created", "created", "ignored", "ignored", "ignored"]
