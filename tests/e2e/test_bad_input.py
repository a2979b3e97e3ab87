"""What should not happen does: broken files, stale and repeated events, senseless requests. Nothing is lost."""

from collections.abc import Iterator

import pytest

from tests.support.samples import JPEG, SAMPLES
from tests.support.stack import Stack, eventually, unique


@pytest.fixture
def no_dead_letters(stack: Stack):
    """Nothing a test does may end among the dead letters."""
    before = stack.messages("dead_letter_queue_url")
    yield
    stack.drained(120)
    assert stack.messages("dead_letter_queue_url") == before


@pytest.mark.usefixtures("no_dead_letters")
@pytest.mark.parametrize(
    ("name", "body", "statuses"),
    [
        ("empty.jpg", b"", {"corrupt", "unsupported"}),
        ("notes.jpg", b"This is text, whatever its name says.\n" * 1_400_000, {"unsupported"}),
        ("truncated.jpg", JPEG[:150], {"corrupt"}),
        ("page.html", b"<!doctype html><script>alert(1)</script>", {"unsupported"}),
        ("zeros.png", bytes(100_000), {"unsupported"}),
        ("header-only.png", SAMPLES["Crème brûlée 100% +1.png"][:8], {"corrupt"}),
    ],
    ids=lambda value: value if isinstance(value, str) else None,
)
def test_a_file_that_is_no_image_becomes_a_record_with_its_reason(
    stack: Stack, name: str, body: bytes, statuses: set[str]
) -> None:
    record = stack.put_and_wait(unique(name), body, "image/jpeg")
    assert record["status"] in statuses and record["size"] == len(body)
    if record["status"] == "corrupt":
        assert record["error"]
    assert "width" not in record


@pytest.mark.usefixtures("no_dead_letters")
def test_an_event_for_a_key_that_is_gone_leaves_no_record(stack: Stack) -> None:
    image_id = unique("never-there.jpg")
    stack.send(stack.event(image_id, eTag="0" * 32))
    stack.drained()
    assert stack.record(image_id).status_code == 404


@pytest.mark.usefixtures("no_dead_letters")
def test_an_event_replayed_twice_changes_nothing(stack: Stack) -> None:
    image_id = unique("replayed.jpg")
    first = stack.put_and_wait(image_id, JPEG)
    stack.drained()
    count = stack.get("/images/info").json()["count"]
    old = stack.event(image_id, sequencer="0" * 16, eTag=first["etag"])
    stack.send(old)
    stack.send(old)
    stack.drained()
    assert stack.record(image_id).json() == first
    assert stack.get("/images/info").json()["count"] == count


@pytest.mark.usefixtures("no_dead_letters")
def test_created_arriving_after_a_later_removal_does_not_bring_it_back(stack: Stack) -> None:
    image_id = unique("swapped.jpg")
    etag = stack.put_and_wait(image_id, JPEG)["etag"]
    stack.s3.delete_object(Bucket=stack.bucket, Key=image_id)
    stack.gone(image_id)
    stack.send(stack.event(image_id, sequencer="0" * 15 + "1", eTag=etag))
    stack.drained()
    assert stack.record(image_id).status_code == 404


@pytest.fixture
def silent_bucket(stack: Stack) -> Iterator[None]:
    """The bucket tells nobody of new objects, so that a test can send their events as it likes."""
    notifications = stack.s3.get_bucket_notification_configuration(Bucket=stack.bucket)
    del notifications["ResponseMetadata"]
    stack.s3.put_bucket_notification_configuration(Bucket=stack.bucket, NotificationConfiguration={})
    yield
    stack.s3.put_bucket_notification_configuration(
        Bucket=stack.bucket, NotificationConfiguration=notifications, SkipDestinationValidation=True
    )


@pytest.mark.usefixtures("silent_bucket")
def test_a_poisonous_record_or_message_does_not_harm_its_neighbours(stack: Stack) -> None:
    """Neither records that name nothing readable nor a message that is no event keep an image waiting."""
    ids = [unique(f"good-{number}.jpg") for number in range(3)]
    events = [stack.event(image_id, eTag=stack.put(image_id, JPEG)) for image_id in ids]
    assert stack.record(ids[0]).status_code == 404
    absent = stack.event(unique("absent.jpg"), eTag="0" * 32)
    foreign = stack.event(unique("foreign.jpg"), eTag="0" * 32)
    foreign["s3"]["bucket"] = {"name": "another-bucket", "arn": "arn:aws:s3:::another-bucket"}
    try:
        stack.send(events[0], absent, foreign, events[1])
        stack.sqs.send_message(QueueUrl=stack.outputs["queue_url"], MessageBody="this is no event")
        stack.send(events[2])
        for image_id in ids:
            eventually(
                lambda image_id=image_id: stack.record(image_id).status_code == 200, f"{image_id} indexed"
            )
    finally:
        # The message that is no event would come again until it is a dead letter; other tests wait for an empty queue.
        stack.sqs.purge_queue(QueueUrl=stack.outputs["queue_url"])


@pytest.mark.parametrize(
    "query",
    [
        "limit=0",
        "limit=-1",
        "limit=1000000000",
        "limit=abc",
        "limit=",
        "cursor=nonsense",
        "cursor=eyJhIjoxfQ==",
        "sort=colour",
        "order=sideways",
    ],
)
def test_a_senseless_query_is_answered_400(stack: Stack, query: str) -> None:
    answer = stack.get(f"/metadata?{query}")
    assert answer.status_code == 400, answer.text
    assert answer.headers["content-type"].startswith("application/problem+json")
    assert answer.json()["status"] == 400 and answer.json()["type"]


@pytest.mark.parametrize("key", [None, "wrong-key-wrong-key-wrong"], ids=["no key", "wrong key"])
@pytest.mark.parametrize("path", ["/metadata", "/images/info", "/metadata/uploads/x.jpg"])
def test_without_the_key_nothing_is_told(stack: Stack, key: str | None, path: str) -> None:
    answer = stack.get(path, key=key)
    assert answer.status_code == 403
    assert answer.headers["access-control-allow-origin"] == "*"


@pytest.mark.parametrize(
    "image_id", ["uploads/absent.jpg", "absent.jpg", "uploads/%00.jpg", "uploads/..%2f..%2fetc/passwd"]
)
def test_an_unknown_image_is_a_problem_not_a_crash(stack: Stack, image_id: str) -> None:
    answer = stack.get(f"/metadata/{image_id}")
    assert answer.status_code in (400, 404), answer.text
    assert answer.headers["content-type"].startswith("application/problem+json")
