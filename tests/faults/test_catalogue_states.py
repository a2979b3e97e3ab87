"""Any mix of uploads, removals, late, lost-and-repeated events, crashes and repairs ends in a right catalogue.

`STATEFUL_STEPS` (default 200) is the number of steps in all; `make storm` runs 10,000.
"""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, precondition, rule, run_state_machine_as_test

from image_catalogue.catalogue import Catalogue
from image_catalogue.errors import ImageNotFound
from image_catalogue.items import Item, is_same_object
from image_catalogue.queries import list_page
from image_events.events import Job
from image_events.indexer import Indexer
from tests.support.invariants import differences
from tests.support.pictures import picture
from tests.support.records import upload
from tests.support.table import BUCKET, TABLE, aws_account, make_bucket, make_table

STEPS_PER_RUN = 50
RUNS = max(1, int(os.environ.get("STATEFUL_STEPS", "200")) // STEPS_PER_RUN)
#: Shrinking a failure takes minutes: STATEFUL_SHRINK=1 asks for it.
PHASES = [phase for phase in Phase if phase is not Phase.shrink or os.environ.get("STATEFUL_SHRINK")]
KEYS = st.sampled_from(["uploads/a", "uploads/b c+%é", "uploads/c"])
INDEX = st.integers(0, 10_000)
DEADLINE_SECONDS = 60


class Crash(Exception):
    """The function dies: nothing catches this."""


class CrashingClient:
    """A boto3 client that fails at one call, before the request is sent or after it was carried out."""

    def __init__(self, client: Any) -> None:
        self._client = client
        self.calls_until_crash: int | None = None
        self.after = False

    def __getattr__(self, name: str) -> Any:
        operation = getattr(self._client, name)
        if not callable(operation) or name in ("meta", "exceptions"):
            return operation
        return lambda **request: self._call(operation, request)

    def _call(self, operation: Callable[..., Any], request: dict[str, Any]) -> Any:
        crash = self.calls_until_crash == 0
        if self.calls_until_crash is not None:
            self.calls_until_crash -= 1
        if crash and not self.after:
            raise Crash
        answer = operation(**request)
        if crash:
            raise Crash
        return answer


class Stalled(Indexer):
    """A function that is held up between its first look at the bucket and its write, in a thread of its own."""

    def __init__(self, indexer: Indexer, job: Job) -> None:
        self.__dict__.update(indexer.__dict__)
        self.job = job
        self._paused, self._go_on = threading.Event(), threading.Event()
        self._pool = ThreadPoolExecutor(1)
        self._work = self._pool.submit(self.process, job)
        self._work.add_done_callback(lambda _: self._paused.set())
        assert self._paused.wait(DEADLINE_SECONDS)

    def look(self, *args: Any, **options: Any) -> Item | None:
        record = super().look(*args, **options)
        self._paused.set()
        assert self._go_on.wait(DEADLINE_SECONDS)
        return record

    def wake(self) -> None:
        self._go_on.set()
        self._work.result(DEADLINE_SECONDS)
        self._pool.shutdown()


class CatalogueStates(RuleBasedStateMachine):
    """The bucket is moto's; events are ours to lose time with, to repeat, to swap and to crash on."""

    versioned = False

    def __init__(self) -> None:
        super().__init__()
        self._account = ExitStack()
        self._account.enter_context(aws_account())
        self._s3, self._dynamodb = make_bucket(self.versioned), make_table()
        self._crashing = [CrashingClient(self._s3), CrashingClient(self._dynamodb)]
        self._catalogue = Catalogue(TABLE, 2, self._crashing[1])
        self._indexer = Indexer(self._crashing[0], self._catalogue, BUCKET, ("uploads/",))
        self._pending: list[Job] = []
        self._delivered: list[Job] = []
        self._forgotten: dict[str, str] = {}  # key -> ETag of the object whose record was forgotten
        self._either: set[str] = set()  # keys whose forgotten object went and may have come back
        self._stalled: list[Stalled] = []
        self._number = 0

    def _event(self, key: str, name: str) -> None:
        self._number += 1
        # Sequencers of several lengths: hexadecimal numbers of one to three digits.
        self._pending.append(Job(BUCKET, key, name, sequencer=f"{self._number * 5:X}"))

    def _body(self) -> bytes:
        self._number += 1
        return picture(1 + self._number, 1 + self._number % 7)

    def _unsettle(self, key: str) -> None:
        """A forgotten object that went and may come back: whether it is forgotten still hangs on what was delivered."""
        if key in self._forgotten:
            self._either.add(key)

    @contextmanager
    def _crash(self, which: int, call: int, after: bool) -> Any:
        client = self._crashing[which]
        client.calls_until_crash, client.after = call, after
        try:
            yield
        except Crash:
            pass  # the function died here; its event will come again
        finally:
            client.calls_until_crash = None

    @rule(key=KEYS)
    def put(self, key: str) -> None:
        self._s3.put_object(Bucket=BUCKET, Key=key, Body=self._body())
        self._event(key, "ObjectCreated:Put")

    @rule(key=KEYS)
    def put_the_same_bytes_again(self, key: str) -> None:
        if self._etag(key):
            body = self._s3.get_object(Bucket=BUCKET, Key=key)["Body"].read()
            self._s3.put_object(Bucket=BUCKET, Key=key, Body=body)
            self._event(key, "ObjectCreated:Put")
            self._unsettle(key)

    @rule(key=KEYS)
    def put_what_is_no_image(self, key: str) -> None:
        self._number += 1
        self._s3.put_object(Bucket=BUCKET, Key=key, Body=b"text %d" % self._number)
        self._event(key, "ObjectCreated:Put")

    @rule(source=KEYS, key=KEYS)
    def copy(self, source: str, key: str) -> None:
        if source != key and self._etag(source) and self._etag(source) != self._etag(key):
            self._s3.copy_object(Bucket=BUCKET, Key=key, CopySource={"Bucket": BUCKET, "Key": source})
            self._event(key, "ObjectCreated:Copy")
            self._unsettle(key)

    @rule(key=KEYS)
    def delete(self, key: str) -> None:
        self._s3.delete_object(Bucket=BUCKET, Key=key)
        self._event(key, "ObjectRemoved:DeleteMarkerCreated" if self.versioned else "ObjectRemoved:Delete")
        self._unsettle(key)

    @rule(key=KEYS, index=INDEX)
    @precondition(lambda self: self.versioned)
    def delete_a_version(self, key: str, index: int) -> None:
        answer = self._s3.list_object_versions(Bucket=BUCKET, Prefix=key)
        versions = answer.get("Versions", []) + answer.get("DeleteMarkers", [])
        if versions:
            version = versions[index % len(versions)]["VersionId"]
            self._s3.delete_object(Bucket=BUCKET, Key=key, VersionId=version)
            self._event(key, "ObjectRemoved:Delete")
            self._unsettle(key)

    @rule(index=INDEX)
    def deliver(self, index: int) -> None:
        if self._pending:
            job = self._pending.pop(index % len(self._pending))
            self._indexer.process(job)
            self._delivered.append(job)

    @rule(again=INDEX, which=st.integers(0, 1), call=st.integers(0, 6), after=st.booleans())
    def deliver_a_batch(self, again: int, which: int, call: int, after: bool) -> None:
        """All that is pending and something old in one invocation, which may die at one of its calls."""
        jobs = [*self._pending, *self._delivered[again % 5 :][:1]]
        with self._crash(which, call, after):
            results = self._indexer.process_all(jobs, time.monotonic() + DEADLINE_SECONDS)
            for job, result in zip(jobs, results, strict=True):
                assert isinstance(result, dict | Crash), result
                if job in self._pending and isinstance(result, dict):
                    self._pending.remove(job)
                    self._delivered.append(job)

    @rule(key=KEYS)
    def expire(self, key: str) -> None:
        """The lifecycle deletes an object; its event has no place in the order of events."""
        self._s3.delete_object(Bucket=BUCKET, Key=key)
        self._unsettle(key)
        self._pending.append(Job(BUCKET, key, "LifecycleExpiration:Delete"))

    @rule(index=INDEX, lost=st.booleans())
    def stall_between_look_and_write(self, index: int, lost: bool) -> None:
        """A function that saw the bucket and writes later, maybe after the queue gave its event to another."""
        if self._pending:
            job = self._pending[index % len(self._pending)]
            self._stalled.append(Stalled(self._indexer, job))
            if not lost:
                self._pending.remove(job)
                self._delivered.append(job)

    @rule(index=INDEX)
    def wake_a_stalled_write(self, index: int) -> None:
        if self._stalled:
            self._stalled.pop(index % len(self._stalled)).wake()

    @rule(index=INDEX)
    def deliver_again(self, index: int) -> None:
        if self._delivered:
            self._indexer.process(self._delivered[index % len(self._delivered)])

    @rule(index=INDEX, which=st.integers(0, 1), call=st.integers(0, 2), after=st.booleans())
    def crash_while_delivering(self, index: int, which: int, call: int, after: bool) -> None:
        if self._pending:
            with self._crash(which, call, after):
                self._indexer.process(self._pending[index % len(self._pending)])

    @rule(crash=st.booleans())
    def upload_by_the_api(self, crash: bool) -> None:
        self._number += 1
        key, body = f"uploads/api{self._number}", self._body()
        record = upload(self._s3, key, body)
        self._event(key, "ObjectCreated:Put")
        if not crash:
            self._catalogue.put_uploaded(record)
            assert self._catalogue.get(key)

    @rule(index=INDEX, crash=st.booleans())
    def delete_by_the_api(self, index: int, crash: bool) -> None:
        records = list_page(self._catalogue, limit=100).items
        if records:
            key = records[index % len(records)]["image_id"]
            seen = self._catalogue.item(key)
            self._s3.delete_object(Bucket=BUCKET, Key=key)
            self._event(key, "ObjectRemoved:Delete")
            self._unsettle(key)
            if not crash:
                self._catalogue.remove(seen)
                assert self._catalogue.get(key) is None

    @rule(index=INDEX)
    def forget(self, index: int) -> None:
        records = list_page(self._catalogue, limit=100).items
        if records:
            record = records[index % len(records)]
            key = record["image_id"]
            item, there = self._catalogue.item(key), self._indexer.look(Job(BUCKET, key, "look"))
            try:
                self._catalogue.forget(key)
                self._forgotten[key] = record["etag"]
                self._either.discard(key)
                if there is None or not is_same_object(item, there):  # the same bytes again, not told of yet
                    self._unsettle(key)
                if any(job.key == key and not job.created for job in self._pending) or any(
                    stalled.job.key == key for stalled in self._stalled
                ):
                    self._unsettle(key)  # it went and came back before, and an event of that is still to come
            except ImageNotFound:
                raise AssertionError("a listed record must be there to be forgotten") from None

    @rule(key=KEYS, stall=st.booleans())
    def repair(self, key: str, stall: bool) -> None:
        item = self._catalogue.item(key)
        revision = item["revision"] if item else None
        job = Job(BUCKET, key, "Reconcile:test", repair=True, revision=revision)
        if stall:
            self._stalled.append(Stalled(self._indexer, job))
        else:
            self._indexer.process(job)

    def _etag(self, key: str) -> str | None:
        answer = self._s3.list_objects_v2(Bucket=BUCKET, Prefix=key)
        return next(
            (entry["ETag"].strip('"') for entry in answer.get("Contents", []) if entry["Key"] == key), None
        )

    def teardown(self) -> None:
        try:
            while self._pending:
                self._indexer.process(self._pending.pop())
            while self._stalled:
                self._stalled.pop().wake()
            forgotten = frozenset(
                key
                for key, etag in self._forgotten.items()
                if self._etag(key) == etag and not (key in self._either and self._catalogue.get(key))
            )
            assert differences(self._s3, self._dynamodb, BUCKET, TABLE, forgotten) == []
        finally:
            for stalled in self._stalled:
                stalled.wake()
            self._account.close()


class VersionedCatalogueStates(CatalogueStates):
    """The same with a versioned bucket: delete markers, restores, removals of old versions."""

    versioned = True


@pytest.mark.parametrize("states", [CatalogueStates, VersionedCatalogueStates])
def test_the_catalogue_equals_the_bucket(states: type[CatalogueStates]) -> None:
    run_state_machine_as_test(
        states,
        settings=settings(
            max_examples=RUNS,
            stateful_step_count=STEPS_PER_RUN,
            deadline=None,
            phases=PHASES,
            suppress_health_check=list(HealthCheck),
        ),
    )
