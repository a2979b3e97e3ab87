"""Functions that run at the same time about one key, switched at every call to AWS, in random schedules.

`SCHEDULES` (default 30) is their number, `make storm` runs 3,000. A failure names its seed; `SCHEDULE_SEED=n` runs it.
"""

from __future__ import annotations

import os
import random
import threading
import time
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from functools import partial
from typing import Any

import pytest

from image_catalogue.catalogue import Catalogue
from image_catalogue.dynamodb import from_dynamodb
from image_catalogue.errors import ImageNotFound
from image_events.events import Job
from image_events.indexer import Indexer
from tests.support.invariants import differences
from tests.support.pictures import picture
from tests.support.records import upload
from tests.support.table import BUCKET, TABLE, aws_account, make_bucket, make_table

SCHEDULES = int(os.environ.get("SCHEDULES", "30"))
#: Schedules per bucket and table: moto copies all it holds at every transaction.
CHUNK = 25
DEADLINE_SECONDS = 60


class Schedule:
    """Runs functions in threads of which one goes on at a time: at every `switch` chance picks the next."""

    def __init__(self, chance: random.Random) -> None:
        self._chance = chance
        self._turns: dict[int, threading.Semaphore] = {}
        self._back = threading.Semaphore(0)
        self._own = threading.local()

    def run(self, functions: list[Callable[[], None]]) -> None:
        """Run all to their ends; raises what one of them raised."""
        with ThreadPoolExecutor(len(functions)) as pool:
            running: dict[int, Future[None]] = {}
            for number, function in enumerate(functions):
                self._turns[number] = threading.Semaphore(0)
                running[number] = pool.submit(self._wait_and_run, number, function)
            while running:
                number = self._chance.choice(list(running))
                self._turns[number].release()
                assert self._back.acquire(timeout=DEADLINE_SECONDS)
                if self._turns[number] is _ENDED:
                    running.pop(number).result()

    def _wait_and_run(self, number: int, function: Callable[[], None]) -> None:
        self._own.number = number
        self._turns[number].acquire()
        try:
            function()
        finally:
            self._turns[number] = _ENDED
            self._back.release()

    def switch(self) -> None:
        """Let another go on; nothing outside of a scheduled function."""
        number = getattr(self._own, "number", None)
        if number is not None:
            self._back.release()
            assert self._turns[number].acquire(timeout=DEADLINE_SECONDS)


_ENDED = threading.Semaphore(0)


class SwitchingClient:
    """A boto3 client before and after each call of which another function may go on."""

    def __init__(self, client: Any, schedule: Schedule, seen: Callable[[dict[str, Any]], None]) -> None:
        self._client, self._schedule, self._seen = client, schedule, seen

    def __getattr__(self, name: str) -> Any:
        operation = getattr(self._client, name)
        if not callable(operation) or name in ("meta", "exceptions"):
            return operation

        def call(**request: Any) -> Any:
            self._schedule.switch()
            answer = operation(**request)
            self._seen(request)
            self._schedule.switch()
            return answer

        return call


class World:
    """One key, what is done about it, and what must hold in the end."""

    def __init__(self, s3: Any, dynamodb: Any, number: int, chance: random.Random, versioned: bool) -> None:
        self.s3, self.chance, self.versioned = s3, chance, versioned
        self.key = f"uploads/{number}"
        self.schedule = Schedule(chance)
        self.forgotten: set[str] = set()
        self.events: list[Job] = []
        self.beside = 0
        switching = [SwitchingClient(client, self.schedule, self._note) for client in (s3, dynamodb)]
        self.catalogue = Catalogue(TABLE, 1, switching[1])
        self.indexer = Indexer(switching[0], self.catalogue, BUCKET, ("uploads/",))
        self.plain = Catalogue(TABLE, 1, dynamodb)

    def _note(self, request: dict[str, Any]) -> None:
        for action in request.get("TransactItems", [{"Put": request}]):
            item = from_dynamodb(action.get("Put", {}).get("Item", {}))
            if item.get("state") == "forgotten":
                self.forgotten.add(item["etag"])

    def _event(self, name: str, ordered: bool = True) -> Job:
        """The event of what was just done; by the time it is delivered others may have gone on."""
        sequencer = f"{len(self.events) + 1:X}" if ordered else None
        job = Job(BUCKET, self.key, name, sequencer=sequencer)
        self.events.append(job)
        self.schedule.switch()
        return job

    def put(self) -> None:
        self.s3.put_object(Bucket=BUCKET, Key=self.key, Body=picture(1 + len(self.events), 1))
        self.indexer.process(self._event("ObjectCreated:Put"))

    def delete(self) -> None:
        self.s3.delete_object(Bucket=BUCKET, Key=self.key)
        name = "ObjectRemoved:DeleteMarkerCreated" if self.versioned else "ObjectRemoved:Delete"
        self.indexer.process(self._event(name))

    def expire(self) -> None:
        self.s3.delete_object(Bucket=BUCKET, Key=self.key)
        self.indexer.process(self._event("LifecycleExpiration:Delete", ordered=False))

    def batch_operation(self) -> None:
        self.indexer.process(self._event("BatchOperations", ordered=False))

    def deliver_again(self) -> None:
        if self.events:
            self.indexer.process(self.chance.choice(self.events))

    def deliver_together(self) -> None:
        """A batch: an image of its own that is new, one that others write too, and something old."""
        self.beside += 1
        beside = f"{self.key}/{self.beside}"
        self.s3.put_object(Bucket=BUCKET, Key=beside, Body=picture(3, self.beside))
        jobs = [Job(BUCKET, beside, "ObjectCreated:Put", sequencer="1"), *self.events[-1:]]
        self.s3.put_object(Bucket=BUCKET, Key=self.key, Body=picture(1 + len(self.events), 3))
        jobs.append(self._event("ObjectCreated:Put"))
        for result in self.indexer.process_all(jobs, time.monotonic() + DEADLINE_SECONDS):
            assert isinstance(result, dict), result

    def upload_by_the_api(self) -> None:
        record = upload(self.s3, self.key, picture(1 + len(self.events), 2))
        job = self._event("ObjectCreated:Put")
        self.catalogue.put_uploaded(record)
        self.indexer.process(job)

    def delete_by_the_api(self) -> None:
        seen = self.catalogue.item(self.key)
        self.s3.delete_object(Bucket=BUCKET, Key=self.key)
        job = self._event("ObjectRemoved:Delete")
        self.catalogue.remove(seen)
        self.indexer.process(job)

    def forget(self) -> None:
        with suppress(ImageNotFound):
            self.catalogue.forget(self.key)

    def repair(self) -> None:
        item = self.catalogue.item(self.key)
        revision = item["revision"] if item else None
        self.indexer.process(Job(BUCKET, self.key, "Reconcile:test", repair=True, revision=revision))

    def check(self) -> str | None:
        """What is wrong in the end; None: nothing."""
        item = self.plain.item(self.key)
        state = item["state"] if item else "absent"
        held = self.s3.list_objects_v2(Bucket=BUCKET, Prefix=self.key).get("Contents", [])
        etag = next((entry["ETag"].strip('"') for entry in held if entry["Key"] == self.key), None)
        if etag is None:
            return None if state in ("absent", "removed") else f"gone, but {state}"
        if etag in self.forgotten:
            return None if state == "forgotten" else f"forgotten, but {state}"
        if item is None or state != "record":
            return f"there, but {state}"
        return None if item["etag"] == etag else "stale"


ACTIONS = (
    World.put,
    World.delete,
    World.expire,
    World.batch_operation,
    World.deliver_again,
    World.deliver_together,
    World.upload_by_the_api,
    World.delete_by_the_api,
    World.forget,
    World.repair,
)


def run_schedules(seeds: range, versioned: bool) -> None:
    """Run them, a key for each, in a bucket and a table of their own."""
    with aws_account():
        s3, dynamodb = make_bucket(versioned), make_table()
        forgotten: set[str] = set()
        for seed in seeds:
            chance = random.Random(seed)
            world = World(s3, dynamodb, seed, chance, versioned)
            before = [chance.choice(ACTIONS) for _ in range(chance.randrange(3))]
            together = [chance.choice(ACTIONS) for _ in range(chance.randrange(2, 5))]
            for action in before:
                action(world)
            world.schedule.run([partial(action, world) for action in together])
            wrong = world.check()
            names = [[action.__name__ for action in actions] for actions in (before, together)]
            assert wrong is None, f"{wrong}: SCHEDULE_SEED={seed}, first {names[0]}, then together {names[1]}"
            item = world.plain.item(world.key)
            if item and item["state"] == "forgotten":
                forgotten.add(world.key)
        assert differences(s3, dynamodb, BUCKET, TABLE, frozenset(forgotten)) == []


@pytest.mark.parametrize("versioned", [False, True])
def test_whatever_runs_at_the_same_time_the_catalogue_ends_right(versioned: bool) -> None:
    seed = os.environ.get("SCHEDULE_SEED")
    first, number = (int(seed), 1) if seed else (random.randrange(1 << 32), SCHEDULES)
    for start in range(first, first + number, CHUNK):
        run_schedules(range(start, min(start + CHUNK, first + number)), versioned)
