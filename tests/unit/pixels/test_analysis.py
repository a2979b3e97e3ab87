"""From a message to what a record says of its pixels: once, for the object that is meant, and never in a loop."""

from __future__ import annotations

import io
import json
from collections.abc import Iterator
from typing import Any

import boto3
import pytest
from PIL import Image

from image_catalogue import pixels_queue
from image_catalogue.catalogue import Catalogue
from image_catalogue.errors import CatalogueBusy, InvalidEvent
from image_catalogue.items import follow, uploaded
from image_catalogue.records import PIXELS
from image_metadata.errors import CorruptImage, SourceError
from image_pixels import analysis, render
from image_pixels.measures import measure
from image_pixels.worker import DecodingTimedOut
from tests.support.api import CONTEXT, module_of
from tests.support.pictures import saved
from tests.support.records import record
from tests.support.stream import stream_event
from tests.support.table import BUCKET, TABLE, aws_account, make_bucket, make_table

KEY = "uploads/a.jpg"
PHOTO = saved(Image.effect_noise((300, 200), 60).convert("RGB"), "JPEG")


class Deployed:
    """The function, the table and the bucket."""

    def __init__(self) -> None:
        self.s3 = boto3.client("s3")
        self.catalogue = Catalogue(TABLE)
        self.function = module_of("analyse_image")
        self._log = io.StringIO()
        self.function.logger.registered_handler.setStream(self._log)

    def put(self, data: bytes, key: str = KEY) -> str:
        """Catalogue an object; returns its ETag."""
        etag = str(self.s3.put_object(Bucket=BUCKET, Key=key, Body=data)["ETag"]).strip('"')
        self.catalogue.put_uploaded(record(key, etag=etag, size=len(data)))
        return etag

    def send(self, etag: str, key: str = KEY, body: str | None = None) -> list[str]:
        """Hand a message to the function; returns the ids of those that failed."""
        body = body or json.dumps({"image_id": key, "etag": etag})
        context = type("Context", (), vars(CONTEXT) | {"get_remaining_time_in_millis": lambda _: 60_000})()
        answer = self.function.lambda_handler({"Records": [{"messageId": "m1", "body": body}]}, context)
        return [failure["itemIdentifier"] for failure in answer["batchItemFailures"]]

    def logged(self) -> list[str]:
        """The outcomes in the log so far."""
        lines = map(json.loads, self._log.getvalue().splitlines())
        return [line["outcome"] for line in lines if "outcome" in line]

    def pixels(self, key: str = KEY) -> Any:
        found = self.catalogue.get(key)
        assert found is not None
        return found.get("pixels")


@pytest.fixture
def deployed() -> Iterator[Deployed]:
    with aws_account() as patch:
        patch.setenv("BUCKET_NAME", BUCKET)
        patch.setenv("TABLE_NAME", TABLE)
        make_bucket()
        make_table()
        deployed = Deployed()
        yield deployed
        deployed.function.decoder().close()


def test_measures_have_the_members_that_records_are_documented_with() -> None:
    assert set(measure(Image.new("RGB", (40, 30), "teal"))) | {"error"} == set(PIXELS)


def test_a_new_image_is_measured_once(deployed: Deployed, monkeypatch: pytest.MonkeyPatch) -> None:
    etag = deployed.put(PHOTO)
    assert deployed.send(etag) == []
    found = deployed.pixels()
    assert set(found) == set(PIXELS) - {"error"} and len(found["phash"]) == 16
    monkeypatch.setattr(render, "measures", lambda *_: pytest.fail("measured again"))
    assert deployed.send(etag) == []
    assert deployed.pixels() == found
    assert deployed.logged() == ["updated", "unchanged"]


@pytest.mark.parametrize("way", ["overwritten", "forgotten", "gone"])
def test_another_object_or_none_is_left_alone(deployed: Deployed, way: str) -> None:
    etag = deployed.put(PHOTO)
    if way == "forgotten":
        deployed.catalogue.forget(KEY)
    elif way == "overwritten":
        deployed.s3.put_object(Bucket=BUCKET, Key=KEY, Body=b"another")  # its event is still to come
    else:
        deployed.s3.delete_object(Bucket=BUCKET, Key=KEY)
    failed = deployed.send(etag)
    # Whether the record of before has been replaced is for the next try to see.
    assert failed == (["m1"] if way == "overwritten" else [])
    item = deployed.catalogue.item(KEY)
    assert item is not None and "pixels" not in item


def test_a_change_while_it_is_measured_is_not_written_over(
    deployed: Deployed, monkeypatch: pytest.MonkeyPatch
) -> None:
    etag = deployed.put(PHOTO)
    original = render.measures

    def replaced_meanwhile(*arguments: Any) -> Any:
        found = original(*arguments)
        item = deployed.catalogue.item(KEY)
        assert item is not None
        deployed.catalogue.table.replace(item, item | {"etag": "another"})
        return found

    monkeypatch.setattr(render, "measures", replaced_meanwhile)
    assert deployed.send(etag) == []
    assert deployed.pixels() is None


@pytest.mark.parametrize(
    "data",
    [b"<svg xmlns='http://www.w3.org/2000/svg' width='9' height='9'/>", PHOTO[: len(PHOTO) // 2], b"text"],
)
def test_what_cannot_be_decoded_says_why_and_is_not_tried_again(deployed: Deployed, data: bytes) -> None:
    etag = deployed.put(data)
    assert deployed.send(etag) == []
    found = deployed.pixels()
    assert set(found) == {"error"} and found["error"]
    assert deployed.logged() == ["updated without pixels"]


@pytest.mark.parametrize(
    "error", [SourceError("slow"), DecodingTimedOut("slow"), CatalogueBusy("busy"), KeyError("bug")]
)
def test_what_another_try_may_not_meet_is_tried_again(
    deployed: Deployed, monkeypatch: pytest.MonkeyPatch, error: Exception
) -> None:
    etag = deployed.put(PHOTO)

    def fail(*_: Any) -> Any:
        raise error

    with monkeypatch.context() as patch:
        patch.setattr(render, "measures", fail)
        assert deployed.send(etag) == ["m1"]
    assert deployed.pixels() is None
    assert deployed.send(etag) == []
    assert deployed.pixels()


@pytest.mark.parametrize("body", ["", "[]", "{}", "null", '{"image_id": 1, "etag": "x"}', "[" * 100_000])
def test_a_message_that_names_no_image_fails(deployed: Deployed, body: str) -> None:
    with pytest.raises(InvalidEvent):
        pixels_queue.parse(body)
    assert deployed.send("", body=body or " ") == ["m1"]


def test_the_same_bytes_put_again_keep_what_is_known() -> None:
    old = uploaded(record(KEY, etag="e", last_modified="2026-11-21T10:00:00.000Z"), 1) | {
        "revision": "r",
        "pixels": {"phash": "0" * 16},
    }
    again = record(KEY, etag="e", last_modified="2026-11-22T10:00:00.000Z")
    assert follow(old, again, "1", KEY)["pixels"] == {"phash": "0" * 16}
    newer = record(KEY, etag="e", last_modified="2026-11-21T10:00:00.000Z", extractor_version=9)
    assert follow(old, newer, "1", KEY)["pixels"] == {"phash": "0" * 16}
    other = record(KEY, etag="f", last_modified="2026-11-22T10:00:00.000Z")
    assert "pixels" not in follow(old, other, "1", KEY)
    assert "pixels" not in follow(old, None, "1", KEY)
    assert "pixels" not in follow(follow(old, None, "1", KEY), again, "2", KEY)


def test_new_objects_alone_are_queued() -> None:
    def item(**more: Any) -> dict[str, Any]:
        return uploaded(record(KEY, **more), 1) | {"revision": "r"}

    known = {"pixels": {"phash": "0" * 16}}
    with aws_account() as patch:
        for name, value in {"SEARCH_BUCKET": "search", "PIXELS": "all", "PIXELS_QUEUE": "pixels"}.items():
            patch.setenv(name, value)
        make_bucket(name="search")
        sqs = boto3.client("sqs")
        url = sqs.create_queue(QueueName="pixels")["QueueUrl"]
        pixels_queue._url.cache_clear()
        event = stream_event(
            (None, item(etag="1")),
            (item(etag="1"), item(etag="1", title="x")),
            (item(etag="1"), item(etag="1", **known)),
            (item(etag="1", **known), item(etag="2")),
            (item(etag="2"), item(etag="3", status="corrupt")),
            (item(etag="3"), None),
            *((None, item(etag=f"many{number}")) for number in range(25)),
        )
        module_of("publish_changes").lambda_handler(event, CONTEXT)
        bodies = []
        while messages := sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10).get("Messages"):
            bodies += [json.loads(message["Body"]) for message in messages]
            for message in messages:
                sqs.delete_message(QueueUrl=url, ReceiptHandle=message["ReceiptHandle"])
        assert sorted(body["etag"] for body in bodies) == sorted(["1", "2", *(f"many{n}" for n in range(25))])
        assert {body["image_id"] for body in bodies} == {KEY}
    pixels_queue._url.cache_clear()


def test_a_reason_is_not_longer_than_it_has_to_be(
    deployed: Deployed, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: Any) -> Any:
        raise CorruptImage("x" * 5000)

    etag = deployed.put(PHOTO)
    monkeypatch.setattr(analysis.render, "measures", fail)
    assert deployed.send(etag) == []
    assert len(deployed.pixels()["error"]) == 200
