"""One transaction for a batch of images: what counts is written once, and each image still succeeds or fails alone."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError, ReadTimeoutError

from image_catalogue.catalogue import MOST_TOGETHER, Catalogue
from image_catalogue.errors import CatalogueBusy
from image_catalogue.items import removed
from image_events.events import Job
from image_events.indexer import Indexer
from tests.support.invariants import differences
from tests.support.pictures import picture
from tests.support.table import BUCKET, TABLE, counted, truth

Write = Callable[..., Any]


def put(s3: Any, *names: str, width: int = 4) -> list[Job]:
    """Objects of these names, and the events that say so."""
    jobs = []
    for name in names:
        s3.put_object(Bucket=BUCKET, Key=f"uploads/{name}", Body=picture(width, len(jobs) + 1))
        jobs.append(Job(BUCKET, f"uploads/{name}", "ObjectCreated:Put", sequencer=f"{time.monotonic_ns():X}"))
    return jobs


def outcomes(indexer: Indexer, jobs: list[Job], seconds: float = 30) -> list[str]:
    """What comes of the jobs: the outcome, or the name of the error."""
    results = indexer.process_all(jobs, time.monotonic() + seconds)
    return [
        type(result).__name__ if isinstance(result, Exception) else result["outcome"] for result in results
    ]


@pytest.fixture
def requests(dynamodb: Any) -> list[tuple[str, int]]:
    """The writing requests to the table, with the number of their actions, as they are sent."""
    sent: list[tuple[str, int]] = []

    def note(params: dict[str, Any], model: Any, **_: Any) -> None:
        if model.name in ("PutItem", "TransactWriteItems"):
            sent.append((model.name, len(params.get("TransactItems", [0]))))

    dynamodb.meta.events.register("before-parameter-build.dynamodb", note)
    return sent


@pytest.fixture
def answering(
    dynamodb: Any, monkeypatch: pytest.MonkeyPatch
) -> Callable[[Callable[[Write, Any], Any]], None]:
    """Put a function in the place of the transaction: it is called with the real one and the actions."""

    def answer(function: Callable[[Write, Any], Any]) -> None:
        real = dynamodb.transact_write_items
        monkeypatch.setattr(
            dynamodb,
            "transact_write_items",
            lambda TransactItems: function(real, TransactItems),  # noqa: N803
        )

    return answer


@pytest.fixture(autouse=True)
def right_in_the_end(s3: Any, dynamodb: Any, catalogue: Catalogue) -> Any:
    yield
    assert counted(catalogue) == truth(dynamodb)
    assert differences(s3, dynamodb, BUCKET, TABLE, frozenset()) == []


def test_new_images_are_one_transaction_with_one_change_of_the_counters(
    indexer: Indexer, s3: Any, requests: list[Any], catalogue: Catalogue
) -> None:
    assert outcomes(indexer, put(s3, *"abcdefghij")) == ["created"] * 10
    assert requests == [("TransactWriteItems", 11)]
    assert counted(catalogue)["count"] == 10


def test_images_of_which_something_is_known_already_go_apart_and_the_others_together(
    indexer: Indexer, s3: Any, catalogue: Catalogue
) -> None:
    again = put(s3, "a", "b")
    assert outcomes(indexer, again) == ["created", "created"]
    s3.delete_object(Bucket=BUCKET, Key="uploads/b")
    gone = Job(BUCKET, "uploads/b", "ObjectRemoved:Delete", sequencer=f"{time.monotonic_ns():X}")
    jobs = [*again, *put(s3, "a", width=9), gone, *put(s3, "c", "d")]
    assert outcomes(indexer, jobs) == ["unchanged", "unchanged", "updated", "removed", "created", "created"]
    assert (counted(catalogue)["count"], catalogue.get("uploads/a") or {})[0] == 3
    assert (catalogue.get("uploads/a") or {})["width"] == 9


def test_what_leaves_the_counters_alone_needs_no_transaction(
    indexer: Indexer, s3: Any, requests: list[Any]
) -> None:
    jobs = put(s3, "a", "b", "c")
    outcomes(indexer, jobs)
    requests.clear()
    repeated = [Job(BUCKET, job.key, "LifecycleExpiration:Delete") for job in jobs]  # S3 still holds them
    assert outcomes(indexer, repeated) == ["updated"] * 3
    assert requests == [("PutItem", 1)] * 3


def test_one_image_twice_in_a_batch(indexer: Indexer, s3: Any, catalogue: Catalogue) -> None:
    first = put(s3, "a")
    jobs = [*first, *put(s3, "a", width=7), *put(s3, "b"), *first]
    assert sorted(outcomes(indexer, jobs)) == ["created", "created", "unchanged", "unchanged"]
    assert counted(catalogue)["count"] == 2
    assert (catalogue.get("uploads/a") or {})["width"] == 7


def test_more_images_than_a_transaction_holds(indexer: Indexer, s3: Any, requests: list[Any]) -> None:
    outcomes(indexer, put(s3, *(f"{number:03d}" for number in range(MOST_TOGETHER + 3))))
    assert requests == [("TransactWriteItems", MOST_TOGETHER + 1), ("TransactWriteItems", 4)]


def test_a_transaction_stays_below_its_bytes(
    indexer: Indexer, s3: Any, requests: list[Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("image_catalogue.catalogue.MOST_BYTES_TOGETHER", 1800)
    outcomes(indexer, put(s3, *"abcdefg"))
    assert len(requests) > 1
    assert sum(actions - 1 for _, actions in requests if actions > 1) >= 6


def test_conflicts_are_met_with_another_counter(indexer: Indexer, s3: Any, answering: Any) -> None:
    counters: list[str] = []

    def conflict_twice(real: Write, actions: list[Any]) -> Any:
        counters.append(actions[-1]["Update"]["Key"]["image_id"]["S"])
        if len(counters) < 3:
            reasons = [{"Code": "None"}] * (len(actions) - 1) + [{"Code": "TransactionConflict"}]
            raise canceled(reasons)
        return real(TransactItems=actions)

    answering(conflict_twice)
    assert outcomes(indexer, put(s3, *"abc")) == ["created"] * 3
    assert len(set(counters)) == 3


def test_a_lost_answer_counts_once(indexer: Indexer, s3: Any, answering: Any, catalogue: Catalogue) -> None:
    lost: list[int] = []

    def lose_the_first(real: Write, actions: list[Any]) -> Any:
        answer = real(TransactItems=actions)
        if not lost:
            lost.append(len(actions))
            raise ReadTimeoutError(endpoint_url="here")
        return answer

    answering(lose_the_first)
    assert outcomes(indexer, put(s3, *"abc")) == ["created"] * 3
    assert (lost, counted(catalogue)["count"]) == ([4], 3)


def test_a_lost_answer_counts_once_where_another_was_there_in_between(
    indexer: Indexer, s3: Any, answering: Any, catalogue: Catalogue, dynamodb: Any
) -> None:
    lost: list[int] = []

    def lose_the_first(real: Write, actions: list[Any]) -> Any:
        answer = real(TransactItems=actions)
        if not lost:
            lost.append(len(actions))
            s3.delete_object(Bucket=BUCKET, Key="uploads/b")
            removal = Job(BUCKET, "uploads/b", "ObjectRemoved:Delete", sequencer="F" * 17)
            Indexer(s3, Catalogue(TABLE, 2, dynamodb), BUCKET, "uploads/").process(removal)
            raise ReadTimeoutError(endpoint_url="here")
        return answer

    answering(lose_the_first)
    assert outcomes(indexer, put(s3, *"abc")) == ["created"] * 3
    assert counted(catalogue)["count"] == 2


def test_an_item_that_no_transaction_takes_fails_alone(
    indexer: Indexer, s3: Any, answering: Any, catalogue: Catalogue
) -> None:
    jobs = put(s3, *"abcd")

    def refuse_b(real: Write, actions: list[Any]) -> Any:
        if any(
            action.get("Put", {}).get("Item", {}).get("image_id") == {"S": "uploads/b"} for action in actions
        ):
            raise ClientError({"Error": {"Code": "ValidationException"}}, "TransactWriteItems")
        return real(TransactItems=actions)

    answering(refuse_b)
    assert outcomes(indexer, jobs) == ["created", "ClientError", "created", "created"]
    s3.delete_object(Bucket=BUCKET, Key="uploads/b")
    assert counted(catalogue)["count"] == 3


def test_a_busy_catalogue_fails_all_and_counts_nothing(
    indexer: Indexer, s3: Any, answering: Any, catalogue: Catalogue
) -> None:
    jobs = put(s3, *"abc")

    def throttle(_: Write, actions: list[Any]) -> Any:
        raise canceled([{"Code": "ThrottlingError"}] * len(actions))

    answering(throttle)
    assert outcomes(indexer, jobs, seconds=0.2) == ["CatalogueBusy"] * 3
    assert counted(catalogue) == {}
    for job in jobs:
        s3.delete_object(Bucket=BUCKET, Key=job.key)


def test_images_that_another_wrote_first_are_met_and_not_counted_again(
    indexer: Indexer, s3: Any, answering: Any, catalogue: Catalogue
) -> None:
    other = Indexer(s3, Catalogue(TABLE, client=boto3.client("dynamodb")), BUCKET, "uploads/")
    sizes: list[int] = []

    def be_faster(real: Write, actions: list[Any]) -> Any:
        if not sizes:
            for action in actions[:2]:
                other.process(Job(BUCKET, action["Put"]["Item"]["image_id"]["S"], "BatchOperations"))
        sizes.append(len(actions))
        return real(TransactItems=actions)

    answering(be_faster)
    assert sorted(outcomes(indexer, put(s3, *"abcd"))) == ["created", "created", "updated", "updated"]
    assert sizes == [5, 3]
    assert counted(catalogue)["count"] == 4


def test_what_was_proposed_for_an_older_item_is_not_written_where_the_next_look_fails(
    indexer: Indexer, s3: Any, answering: Any, catalogue: Catalogue, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Two of three objects expire between look and write, and S3 does not answer the second look."""
    other = Indexer(s3, Catalogue(TABLE, client=boto3.client("dynamodb")), BUCKET, ("uploads/",))
    jobs = put(s3, *"abc")

    def unanswered(**_: Any) -> Any:
        raise ReadTimeoutError(endpoint_url="s3")

    def let_expire(real: Write, actions: list[Any]) -> Any:
        if s3.get_object is not unanswered:
            for job in jobs[:2]:
                s3.delete_object(Bucket=BUCKET, Key=job.key)
                other.process(Job(BUCKET, job.key, "LifecycleExpiration:Delete"))
            monkeypatch.setattr(s3, "get_object", unanswered)
        return real(TransactItems=actions)

    answering(let_expire)
    assert outcomes(indexer, jobs) == ["SourceError", "SourceError", "created"]
    assert [catalogue.get(job.key) for job in jobs[:2]] == [None, None]
    monkeypatch.undo()
    assert outcomes(indexer, jobs[:2]) == ["unchanged", "unchanged"]


def test_several_writes_that_leave_the_counters_alone_are_all_done(catalogue: Catalogue) -> None:
    gone = [removed({"image_id": name}) for name in ("uploads/a", "uploads/b")]
    assert catalogue.table.replace_all([(None, item) for item in gone]) == {}
    assert all(catalogue.item(item["image_id"]) for item in gone)


def canceled(reasons: list[dict[str, str]]) -> ClientError:
    """DynamoDB's answer to a transaction that was not done."""
    response: Any = {"Error": {"Code": "TransactionCanceledException"}, "CancellationReasons": reasons}
    return ClientError(response, "TransactWriteItems")


def test_a_caller_that_names_no_deadline_is_told_that_it_is_busy(
    catalogue: Catalogue, answering: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("image_catalogue.dynamodb.DEFAULT_PATIENCE_SECONDS", 0.05)
    answering(
        lambda _, actions: (_ for _ in ()).throw(canceled([{"Code": "TransactionConflict"}] * len(actions)))
    )
    record = {
        "image_id": "uploads/a",
        "size": 1,
        "status": "ok",
        "etag": "e",
        "uploaded_at": "2026-11-21T10:00:00.000Z",
    }
    with pytest.raises(CatalogueBusy):
        catalogue.put_uploaded(record)
