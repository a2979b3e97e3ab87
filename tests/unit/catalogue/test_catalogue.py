"""The catalogue against moto's DynamoDB: order, replays, forgetting, counters."""

from __future__ import annotations

import random
import threading
import time
from collections.abc import Callable
from typing import Any

import pytest
from botocore.exceptions import ClientError, ReadTimeoutError

from image_catalogue.catalogue import Catalogue, Look
from image_catalogue.errors import CatalogueBusy, ImageNotFound, InvalidCursor
from image_catalogue.items import Item, normalise_sequencer, public
from image_catalogue.queries import list_page, summarise
from tests.support.records import record
from tests.support.table import TABLE, counted, truth

KEY = "uploads/cat.png"


def seen(value: Item | None, sequencer: int | str) -> tuple[Look, str | None]:
    """What `apply` takes of an event: how to look, and its place in the order."""
    text = f"{sequencer:X}" if isinstance(sequencer, int) else sequencer
    return lambda: value, normalise_sequencer(text)


def uploaded(second: int, **more: Any) -> dict[str, Any]:
    return record(KEY, last_modified=f"2026-11-21T10:00:{second:02d}.000Z", **more)


@pytest.fixture
def requests_of(dynamodb: Any) -> Any:
    """Call something and answer the names of the DynamoDB requests it made."""

    def measure(call: Any, *arguments: Any, **options: Any) -> list[str]:
        names: list[str] = []
        dynamodb.meta.events.register("before-call.dynamodb", lambda model, **_: names.append(model.name))
        call(*arguments, **options)
        return names

    return measure


@pytest.fixture(autouse=True)
def counters_are_exact(catalogue: Catalogue, dynamodb: Any) -> Any:
    yield
    assert counted(catalogue) == truth(dynamodb)


def test_a_new_image_is_stored_as_seen(catalogue: Catalogue) -> None:
    assert catalogue.apply(KEY, *seen(record(KEY, exposure={"f_number": 2.8, "iso": 100}), 1)) == "created"
    assert catalogue.get(KEY) == record(KEY, exposure={"f_number": 2.8, "iso": 100})


def test_a_new_image_costs_one_request(catalogue: Catalogue, requests_of: Callable[..., list[str]]) -> None:
    look, sequencer = seen(record(KEY), 1)
    assert requests_of(catalogue.apply, KEY, look, sequencer, likely_new=True) == ["TransactWriteItems"]
    assert requests_of(catalogue.apply, KEY, look, sequencer, likely_new=True) == ["TransactWriteItems"]
    assert catalogue.item(KEY)["sequencer"] == sequencer


def test_a_replayed_event_costs_one_read_and_no_look(
    catalogue: Catalogue, requests_of: Callable[..., list[str]]
) -> None:
    look, sequencer = seen(record(KEY), 1)
    catalogue.apply(KEY, look, sequencer)
    assert requests_of(catalogue.apply, KEY, pytest.fail, sequencer) == ["GetItem"]


def test_a_replayed_event_changes_nothing(catalogue: Catalogue) -> None:
    catalogue.apply(KEY, *seen(record(KEY), 1))
    before = catalogue.item(KEY)
    assert catalogue.apply(KEY, *seen(record(KEY, size=7, etag="other"), 1)) == "unchanged"
    assert catalogue.item(KEY) == before


def test_an_older_event_changes_nothing(catalogue: Catalogue) -> None:
    catalogue.apply(KEY, *seen(record(KEY, etag="new"), 2))
    assert catalogue.apply(KEY, *seen(record(KEY, etag="old"), 1)) == "unchanged"
    assert catalogue.get(KEY)["etag"] == "new"


def test_a_late_created_does_not_resurrect_a_removed_image(catalogue: Catalogue) -> None:
    catalogue.apply(KEY, *seen(None, 2))
    assert catalogue.apply(KEY, *seen(record(KEY), 1)) == "unchanged"
    assert catalogue.get(KEY) is None


def test_an_image_uploaded_again_after_its_removal_is_back(catalogue: Catalogue) -> None:
    catalogue.apply(KEY, *seen(record(KEY), 1))
    assert catalogue.apply(KEY, *seen(None, 2)) == "removed"
    assert catalogue.apply(KEY, *seen(record(KEY), 3)) == "created"


def test_sequencers_of_different_lengths_are_left_padded(catalogue: Catalogue) -> None:
    catalogue.apply(KEY, *seen(record(KEY, etag="new"), "0100"))
    assert catalogue.apply(KEY, *seen(record(KEY, etag="old"), "FF")) == "unchanged"
    assert catalogue.apply(KEY, *seen(record(KEY, etag="next"), "101")) == "updated"


def test_a_tombstone_expires_and_is_in_no_index(catalogue: Catalogue) -> None:
    catalogue.apply(KEY, *seen(record(KEY), 1))
    catalogue.apply(KEY, *seen(None, 2))
    item = catalogue.item(KEY)
    assert set(item) == {"image_id", "state", "sequencer", "revision", "expires_at", "part"}
    assert list_page(catalogue).items == []


def test_a_tombstone_outlives_every_event(catalogue: Catalogue) -> None:
    """A queue keeps a message for 14 days at most (Amazon SQS, "Message quotas")."""
    catalogue.apply(KEY, *seen(None, 1))
    assert catalogue.item(KEY)["expires_at"] > time.time() + 14 * 24 * 3600


def test_an_overwrite_moves_the_counters_by_the_difference(catalogue: Catalogue) -> None:
    catalogue.apply(KEY, *seen(record(KEY, size=100), 1))
    catalogue.apply(KEY, *seen(record(KEY, size=30, content_type="image/gif", etag="b"), 2))
    summary = summarise(catalogue)
    assert (summary["count"], summary["total_size"], summary["content_types"]) == (1, 30, {"image/gif": 1})


def test_an_upload_of_the_api_is_there_before_its_event_which_then_changes_nothing(
    catalogue: Catalogue,
) -> None:
    catalogue.put_uploaded(record(KEY, filename="my cat.png"))
    assert catalogue.get(KEY) == record(KEY, filename="my cat.png")
    assert catalogue.apply(KEY, *seen(record(KEY, filename="my cat.png"), 5)) == "updated"
    assert catalogue.get(KEY) == record(KEY, filename="my cat.png")
    assert catalogue.apply(KEY, *seen(None, 4)) == "unchanged"


def test_an_upload_whose_event_was_faster_answers_what_the_event_wrote(catalogue: Catalogue) -> None:
    catalogue.apply(KEY, *seen(uploaded(1), 5))
    answered = catalogue.put_uploaded(uploaded(1) | {"uploaded_at": "2030-01-01T00:00:00.000Z"})
    assert public(answered) == catalogue.get(KEY) == public(uploaded(1))


def test_an_upload_of_the_api_never_overrules_an_event(catalogue: Catalogue) -> None:
    catalogue.apply(KEY, *seen(None, 5))
    catalogue.put_uploaded(record(KEY))
    assert catalogue.get(KEY) is None


def test_forgetting_keeps_old_events_out_and_lets_a_new_upload_in(catalogue: Catalogue) -> None:
    catalogue.apply(KEY, *seen(uploaded(1), 5))
    catalogue.forget(KEY)
    assert catalogue.get(KEY) is None
    assert catalogue.apply(KEY, *seen(uploaded(1), 5)) == "unchanged"
    assert catalogue.apply(KEY, *seen(uploaded(1), 6)) == "unchanged"
    assert catalogue.apply(KEY, *seen(uploaded(2), 7)) == "created"


def test_forgetting_an_upload_before_its_event_holds_when_the_event_comes(catalogue: Catalogue) -> None:
    catalogue.put_uploaded(record(KEY))
    catalogue.forget(KEY)
    catalogue.apply(KEY, *seen(uploaded(1), 5))
    assert catalogue.get(KEY) is None
    assert catalogue.apply(KEY, *seen(uploaded(2), 6)) == "created"


def test_the_same_bytes_put_much_later_are_no_longer_the_upload_that_was_forgotten(
    catalogue: Catalogue,
) -> None:
    catalogue.put_uploaded(record(KEY))
    catalogue.forget(KEY)
    again = record(KEY, last_modified="2026-11-21T10:05:00.000Z")
    assert catalogue.apply(KEY, *seen(again, 5)) == "created"


def test_deleting_an_old_version_does_not_bring_a_forgotten_record_back(catalogue: Catalogue) -> None:
    catalogue.apply(KEY, *seen(uploaded(1, version_id="v2"), 5))
    catalogue.forget(KEY)
    catalogue.apply(KEY, *seen(uploaded(1, version_id="v2"), 6))
    assert catalogue.get(KEY) is None
    assert catalogue.apply(KEY, *seen(uploaded(1, version_id="v3"), 7)) == "created"


def test_a_forgotten_image_that_is_removed_leaves_a_tombstone(catalogue: Catalogue) -> None:
    catalogue.apply(KEY, *seen(uploaded(1), 5))
    catalogue.forget(KEY)
    catalogue.apply(KEY, *seen(None, 6))
    assert catalogue.item(KEY)["state"] == "removed"


def test_forgetting_what_is_not_there_says_so(catalogue: Catalogue) -> None:
    for _ in range(2):
        with pytest.raises(ImageNotFound):
            catalogue.forget(KEY)
        catalogue.apply(KEY, *seen(None, 3))


def test_a_deletion_by_the_api_gives_way_to_an_event_that_came_between(catalogue: Catalogue) -> None:
    catalogue.apply(KEY, *seen(record(KEY), 1))
    before = catalogue.item(KEY)
    catalogue.apply(KEY, *seen(record(KEY, etag="new upload"), 2))
    catalogue.remove(before)
    assert catalogue.get(KEY)["etag"] == "new upload"


def test_a_deletion_by_the_api_is_visible_at_once(catalogue: Catalogue) -> None:
    catalogue.apply(KEY, *seen(record(KEY), 1))
    catalogue.remove(catalogue.item(KEY))
    assert catalogue.get(KEY) is None
    assert catalogue.apply(KEY, *seen(record(KEY), 1)) == "unchanged"
    catalogue.remove(catalogue.item(KEY))


def test_a_repair_acts_only_on_the_item_it_was_asked_for(catalogue: Catalogue) -> None:
    assert catalogue.repair(KEY, lambda: record(KEY), None) == "created"
    revision = catalogue.item(KEY)["revision"]
    assert catalogue.repair(KEY, lambda: None, "another") == "superseded"
    assert catalogue.repair(KEY, lambda: record(KEY), revision) == "unchanged"
    assert catalogue.repair(KEY, lambda: record(KEY, extractor_version=2), revision) == "updated"
    assert catalogue.get(KEY)["extractor_version"] == 2


def test_an_event_between_a_repairs_look_and_its_write_wins(catalogue: Catalogue) -> None:
    catalogue.apply(KEY, *seen(record(KEY), 1))
    revision = catalogue.item(KEY)["revision"]

    def look() -> dict[str, Any]:
        catalogue.apply(KEY, *seen(record(KEY, etag="newer"), 2))
        return record(KEY, etag="stale")

    assert catalogue.repair(KEY, look, revision) == "superseded"
    assert catalogue.get(KEY)["etag"] == "newer"


@pytest.mark.parametrize("already_gone", [False, True])
@pytest.mark.parametrize("late_event", [False, True])
def test_a_stalled_look_gives_way_to_an_expiry_that_came_between(
    catalogue: Catalogue, already_gone: bool, late_event: bool
) -> None:
    """A created event looked while the object was there; the expiry, which has no sequencer, wrote first."""
    if already_gone:  # the expiry finds the item right, and must bar the stalled write all the same
        catalogue.apply(KEY, *seen(None, 1))
    looks: list[Item | None] = [record(KEY), None]

    def look() -> Item | None:
        if len(looks) == 2:
            catalogue.apply(KEY, lambda: None)
            if late_event:
                catalogue.apply(KEY, *seen(None, 4))
        return looks.pop(0)

    catalogue.apply(KEY, look, normalise_sequencer("5"))
    assert catalogue.get(KEY) is None
    assert looks == []


def test_reading_an_object_again_keeps_what_the_extractor_cannot_know(catalogue: Catalogue) -> None:
    first = record(
        KEY, uploaded_at="2026-11-21T10:00:00.123Z", filename="cat.png", declared_content_type="text/html"
    )
    catalogue.put_uploaded(first)
    again = record(KEY, uploaded_at="2026-11-21T10:00:00.000Z", filename="01xyz.png", extractor_version=2)
    catalogue.repair(KEY, lambda: again, catalogue.item(KEY)["revision"])
    assert catalogue.get(KEY) == first | {"extractor_version": 2}


@pytest.mark.parametrize("operation", ["transact_write_items", "get_item", "query", "batch_get_item"])
def test_a_connection_that_breaks_is_a_busy_catalogue(
    catalogue: Catalogue, monkeypatch: pytest.MonkeyPatch, operation: str
) -> None:
    def broken(**_: Any) -> Any:
        raise ReadTimeoutError(endpoint_url="https://dynamodb")

    monkeypatch.setattr(catalogue.table.client, operation, broken)
    calls: dict[str, Callable[[], Any]] = {
        "transact_write_items": lambda: catalogue.apply(KEY, *seen(record(KEY), 1), deadline=0.0),
        "get_item": lambda: catalogue.get(KEY),
        "query": lambda: list_page(catalogue),
        "batch_get_item": lambda: summarise(catalogue),
    }
    with pytest.raises(CatalogueBusy):
        calls[operation]()
    monkeypatch.undo()


def cancelled(*codes: str) -> ClientError:
    reasons = [{"Code": code} for code in codes]
    response = {"Error": {"Code": "TransactionCanceledException"}, "CancellationReasons": reasons}
    return ClientError(response, "TransactWriteItems")


def test_conflicts_are_retried_on_another_counter(
    catalogue: Catalogue, monkeypatch: pytest.MonkeyPatch
) -> None:
    real, shards = catalogue.table.client.transact_write_items, []

    def conflicting(**request: Any) -> Any:
        shards.append(request["TransactItems"][1]["Update"]["Key"]["image_id"]["S"])
        if len(shards) < 4:
            raise cancelled("None", "TransactionConflict")
        return real(**request)

    monkeypatch.setattr(catalogue.table.client, "transact_write_items", conflicting)
    monkeypatch.setattr("time.sleep", lambda seconds: None)
    assert catalogue.apply(KEY, *seen(record(KEY), 1)) == "created"
    assert len(set(shards)) == 4


def test_images_whose_names_follow_each_other_change_different_counters(
    catalogue: Catalogue,
) -> None:
    for number in range(40):
        random.seed(7)  # as in functions that start from one snapshot
        catalogue.put_uploaded(record(f"uploads/IMG_{number:04d}.JPG"))
    changed = {item["image_id"] for item in catalogue.table.counters()}
    assert len(changed) > 8  # by chance alone fewer come once in a hundred million runs


def test_the_catalogue_of_a_function_is_as_its_settings_say(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in {
        "TABLE_NAME": TABLE, "INDEX_SHARDS": "3", "SEARCH_PARTS": "4", "COUNTER_SHARDS": "40"
    }.items():  # fmt: skip
        monkeypatch.setenv(name, value)
    made = Catalogue.of_settings()
    assert (made.table.name, made.index_shards, made.search_parts) == (TABLE, 3, 4)
    assert made.table.counter_shards == 40


def test_counters_over_more_items_are_all_changed_and_read(dynamodb: Any) -> None:
    many = Catalogue(TABLE, client=dynamodb, counter_shards=40)
    for number in range(60):
        many.put_uploaded(record(f"uploads/{number}"))
    assert len(list(many.table.counters())) > 16
    assert summarise(many)["count"] == 60


def test_conflicts_that_outlast_the_deadline_are_handed_back(
    catalogue: Catalogue, monkeypatch: pytest.MonkeyPatch
) -> None:
    def conflicting(**_: Any) -> Any:
        raise cancelled("None", "ThrottlingError")

    monkeypatch.setattr(catalogue.table.client, "transact_write_items", conflicting)
    with pytest.raises(CatalogueBusy):
        catalogue.apply(KEY, *seen(record(KEY), 1), deadline=0.0)


def test_a_write_whose_answer_was_lost_is_recognised_as_done(
    catalogue: Catalogue, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = catalogue.table.client.transact_write_items
    calls = []

    def answer_lost(**request: Any) -> None:
        calls.append(1)
        real(**request)
        if len(calls) == 1:
            raise cancelled("None", "TransactionConflict")

    monkeypatch.setattr(catalogue.table.client, "transact_write_items", answer_lost)
    assert catalogue.apply(KEY, *seen(record(KEY), 1)) == "created"
    assert counted(catalogue)["count"] == 1


def test_no_other_look_is_needed_where_another_write_describes_the_same_object(catalogue: Catalogue) -> None:
    looks = [uploaded(1)]
    catalogue.put_uploaded(record(KEY))
    assert catalogue.apply(KEY, looks.pop, normalise_sequencer("5"), likely_new=True) == "updated"
    assert catalogue.item(KEY)["sequencer"] == normalise_sequencer("5")


def test_counters_left_unprocessed_are_asked_for_again(
    catalogue: Catalogue, monkeypatch: pytest.MonkeyPatch
) -> None:
    catalogue.put_uploaded(record(KEY))
    real, asked = catalogue.table.client.batch_get_item, []

    def partly(RequestItems: dict[str, Any]) -> Any:  # noqa: N803 - boto3's name
        keys = RequestItems[TABLE]["Keys"]
        asked.append(len(keys))
        answer = real(RequestItems={TABLE: RequestItems[TABLE] | {"Keys": keys[:5]}})
        return answer | {"UnprocessedKeys": {TABLE: {"Keys": keys[5:]}} if keys[5:] else {}}

    monkeypatch.setattr(catalogue.table.client, "batch_get_item", partly)
    assert summarise(catalogue)["count"] == 1
    assert asked == [16, 11, 6, 1]


@pytest.mark.parametrize("index_shards", [1, 3])
@pytest.mark.parametrize("sort", ["uploaded_at", "size"])
@pytest.mark.parametrize("order", ["asc", "desc"])
def test_pages_hold_every_record_once_and_in_order(
    dynamodb: Any, index_shards: int, sort: str, order: str
) -> None:
    catalogue = Catalogue(TABLE, index_shards, dynamodb)
    for number in range(25):
        image_id = f"uploads/{number}.png"
        uploaded_at = f"2026-11-21T10:00:{number * 7 % 10:02d}.000Z"
        status = "ok" if number % 5 else "corrupt"
        catalogue.put_uploaded(record(image_id, size=number * 7 % 13, uploaded_at=uploaded_at, status=status))
    ids, values, cursor = [], [], None
    while True:
        page = list_page(catalogue, limit=4, cursor=cursor, sort=sort, order=order)
        ids += [item["image_id"] for item in page.items]
        values += [item[sort] for item in page.items]
        cursor = page.next_cursor
        if cursor is None:
            break
        assert len(page.items) == 4
    assert len(ids) == len(set(ids)) == 25
    assert values == sorted(values, reverse=order == "desc")


def test_pages_miss_no_old_record_and_repeat_none_while_others_arrive(catalogue: Catalogue) -> None:
    for number in range(20):
        catalogue.put_uploaded(
            record(f"uploads/old{number}", uploaded_at=f"2026-11-21T10:00:{number:02d}.000Z")
        )
    ids, cursor, arrivals = [], None, 0
    while True:
        page = list_page(catalogue, limit=3, cursor=cursor)
        ids += [item["image_id"] for item in page.items]
        arrivals += 1
        catalogue.put_uploaded(
            record(f"uploads/new{arrivals}", uploaded_at=f"2026-11-21T11:00:{arrivals:02d}.000Z")
        )
        if page.next_cursor is None:
            break
        cursor = page.next_cursor
    old = [image_id for image_id in ids if "/old" in image_id]
    assert len(ids) == len(set(ids))
    assert len(old) == 20


@pytest.mark.parametrize(
    ("filters", "expected"),
    [
        ({"content_type": "image/gif"}, ["uploads/c/2"]),
        ({"status": "corrupt"}, ["uploads/b/1"]),
        ({"prefix": "uploads/a/"}, ["uploads/a/0"]),
        ({"taken_from": "2024-05-02"}, ["uploads/c/2"]),
        ({"taken_to": "2024-05-01"}, ["uploads/a/0"]),
        ({"taken_from": "2024-05", "taken_to": "2024-05"}, ["uploads/c/2", "uploads/a/0"]),
        ({"status": "corrupt", "sort": "size"}, ["uploads/b/1"]),
        ({"status": "ok", "sort": "size", "order": "asc"}, ["uploads/a/0", "uploads/c/2"]),
    ],
)
def test_filters(catalogue: Catalogue, filters: dict[str, str], expected: list[str]) -> None:
    more = [
        {"taken_at": "2024-05-01T10:00:00", "size": 1},
        {"status": "corrupt", "size": 5},
        {"content_type": "image/gif", "taken_at": "2024-05-02T10:00:00", "size": 9},
    ]
    for number, (folder, fields) in enumerate(zip("abc", more, strict=True)):
        uploaded_at = f"2026-11-21T10:00:0{number}.000Z"
        catalogue.put_uploaded(record(f"uploads/{folder}/{number}", uploaded_at=uploaded_at, **fields))
    assert [item["image_id"] for item in list_page(catalogue, **filters).items] == expected


def test_a_filter_that_matches_little_stops_at_its_budget_and_goes_on(
    catalogue: Catalogue, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("image_catalogue.queries.MAX_EXAMINED", 10)
    for number in range(25):
        kind = "image/gif" if number == 0 else "image/png"
        uploaded_at = f"2026-11-21T10:00:{number:02d}.000Z"
        catalogue.put_uploaded(record(f"uploads/{number}", content_type=kind, uploaded_at=uploaded_at))
    page = list_page(catalogue, content_type="image/gif")
    assert page.items == [] and page.next_cursor
    page = list_page(catalogue, content_type="image/gif", cursor=page.next_cursor)
    assert page.items == [] and page.next_cursor
    assert [
        item["image_id"]
        for item in list_page(catalogue, content_type="image/gif", cursor=page.next_cursor).items
    ] == ["uploads/0"]


def test_a_cursor_is_good_for_its_own_query_only(catalogue: Catalogue) -> None:
    for number in range(3):
        catalogue.put_uploaded(record(f"uploads/{number}"))
    cursor = list_page(catalogue, limit=1).next_cursor
    changed = ("A" if cursor[5] != "A" else "B").join((cursor[:5], cursor[6:]))
    for bad in (changed, cursor[:-4], "", "é", "=", "a", "x" * 5000):
        if bad:
            with pytest.raises(InvalidCursor):
                list_page(catalogue, cursor=bad)
    with pytest.raises(InvalidCursor):
        list_page(catalogue, cursor=cursor, order="asc")


def test_the_summary_of_an_empty_catalogue(catalogue: Catalogue) -> None:
    assert summarise(catalogue) == {"count": 0, "total_size": 0, "content_types": {}, "statuses": {}}


def test_the_summary_names_the_largest_and_smallest_image_not_the_largest_file(catalogue: Catalogue) -> None:
    for name, size, status in (
        ("a", 5, "ok"),
        ("b", 50, "ok"),
        ("c", 500, "unsupported"),
        ("d", 0, "corrupt"),
    ):
        catalogue.put_uploaded(record(f"uploads/{name}", size=size, status=status))
    summary = summarise(catalogue)
    assert (summary["highest_size_image"], summary["lowest_size_image"]) == ("uploads/b", "uploads/a")
    assert summary["count"] == 4 and summary["total_size"] == 555
    assert summary["statuses"] == {"corrupt": 1, "ok": 2, "unsupported": 1}


@pytest.mark.parametrize(("read", "requests"), [(list_page, 10), (summarise, 2 * 10 + 1)])
def test_every_partition_is_asked_at_the_same_time(
    dynamodb: Any, read: Callable[[Catalogue], Any], requests: int
) -> None:
    """So a page over many partitions costs one round trip's time."""
    all_asked = threading.Barrier(requests, timeout=10)

    class Waiting:
        def __getattr__(self, name: str) -> Any:
            def answer(**request: Any) -> Any:
                all_asked.wait()  # breaks, and fails the test, where a request waits for another's answer
                return getattr(dynamodb, name)(**request)

            return answer

    read(Catalogue(TABLE, 10, Waiting()))
