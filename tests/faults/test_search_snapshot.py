"""Writers, compactions and readers at once, killed between any two requests to S3: nothing lost, nothing twice.

The real code runs against S3 in memory; a scheduler lets one request through at a time and picks whose is next.
`SEARCH_SCHEDULES` (default 6) is the number of schedules, `SEARCH_KILLS` (default 120) that of the changes under
compactions that are killed at each step; `make storm` runs many.
"""

from __future__ import annotations

import os
import random
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from image_search import files, snapshot
from image_search.changes import CHANGES, change_row, padded, write_changes
from image_search.engine import Engine
from image_search.files import Changed, Files
from image_search.snapshot import Reader, View, patiently
from tests.support.fake_s3 import FakeS3
from tests.support.search import MEMORY_MB, Deployment, image

SCHEDULES = int(os.environ.get("SEARCH_SCHEDULES", "6"))
KILLED_CHANGES = int(os.environ.get("SEARCH_KILLS", "120"))
STEPS = 220
MAX_CHANGES = 14
PARTS = ("2026-10", "2026-11")
IDS = ("x", "y", "z")
DEADLINE_SECONDS = 60


class Killed(Exception):
    """The function dies here."""


class Stepped:
    """A client whose requests wait to be let through, one at a time."""

    def __init__(self, client: FakeS3) -> None:
        self._client = client
        self._condition = threading.Condition()
        self._waiting = 0
        self._tokens: list[str] = []
        self._running = 0
        self.work: Future[Any] | None = None

    def __getattr__(self, name: str) -> Callable[..., Any]:
        operation = getattr(self._client, name)
        return lambda **request: self._request(operation, request)

    def _request(self, operation: Callable[..., Any], request: dict[str, Any]) -> Any:
        with self._condition:
            self._waiting += 1
            self._condition.notify_all()
            assert self._condition.wait_for(lambda: self._tokens, DEADLINE_SECONDS)
            token = self._tokens.pop()
            self._waiting -= 1
            self._running += 1
        try:
            if token == "before":
                raise Killed
            answer = operation(**request)
            if token == "after":
                raise Killed
            return answer
        finally:
            with self._condition:
                self._running -= 1
                self._condition.notify_all()

    def start(self, pool: ThreadPoolExecutor, work: Callable[[], Any]) -> None:
        self.work = pool.submit(work)
        self.work.add_done_callback(lambda _: self._notify())
        self._settle()

    def step(self, token: str = "go") -> None:
        """Let one request through (`before`, `after`: die before or after it) and wait for the next, or the end."""
        with self._condition:
            self._tokens.append(token)
            self._condition.notify_all()
            assert self._condition.wait_for(lambda: not self._tokens, DEADLINE_SECONDS)
        self._settle()

    def done(self) -> bool:
        return self.work is not None and self.work.done()

    def _settle(self) -> None:
        with self._condition:
            assert self._condition.wait_for(
                lambda: self._running == 0 and (self._waiting > 0 or self.done()), DEADLINE_SECONDS
            )

    def _notify(self) -> None:
        with self._condition:
            self._condition.notify_all()


class Actor:
    """A function of the deployment, of which an engine lives on from one invocation to the next."""

    def __init__(self, s3: FakeS3, scratch: Path) -> None:
        self.client = Stepped(s3)
        self.engine = Engine(Files("search", self.client), scratch, MEMORY_MB, threads=1)
        self.reader: Reader | None = None

    def compact(self, rng: random.Random) -> dict[str, int] | None:
        try:
            changes = self.engine.files.listed(CHANGES)
            if changes and rng.random() < 0.5:
                changes = changes[: rng.randint(1, len(changes))]
            return snapshot.compact(self.engine, changes)
        except (Changed, Killed):
            return None

    def read(self) -> dict[str, int]:
        """Image -> its size; a mistake where one is there twice."""
        self.reader = self.reader or Reader(self.engine)
        return patiently(lambda: read_all(self.engine, self.reader.view()))


def read_all(engine: Engine, view: View) -> dict[str, int]:
    rows = engine.run(f"SELECT image_id, size FROM {view.source({'image_id': 'image_id', 'size': 'size'})}")
    assert len({image_id for image_id, _ in rows}) == len(rows), f"an image is there twice: {rows}"
    return dict(rows)


class World:
    """The table's stream, what each image was after each published change, and who is at work."""

    def __init__(self, scratch: Path) -> None:
        self.s3 = FakeS3()
        self.files = Files("search", self.s3)
        self.compactors = [Actor(self.s3, scratch / f"compactor{number}") for number in range(2)]
        self.readers = [Actor(self.s3, scratch / f"reader{number}") for number in range(2)]
        self.pool = ThreadPoolExecutor(4)

    def begin(self, seed: int) -> None:
        self.rng = random.Random(seed)
        self.s3.objects.clear()
        self.history: list[dict[str, int]] = [{}]
        self.part: dict[str, str] = {}
        self.last: tuple[str, list[dict[str, Any]]] | None = None
        self.sequence = 0
        self.reading: dict[Actor, int] = {}

    def write(self) -> None:
        rows = []
        for _ in range(self.rng.randint(1, 2)):
            image_id, state = self.rng.choice(IDS), dict(self.history[-1])
            self.sequence += 1
            record: dict[str, Any] | None = None
            if image_id in state and self.rng.random() < 0.4:
                del state[image_id]
            else:
                record = image(image_id, size=self.sequence)
                state[image_id] = self.sequence
            part = self.part.setdefault(image_id, self.rng.choice(PARTS))
            rows.append(change_row(image_id, part, padded(str(self.sequence)), record))
            self.history.append(state)
        self.last = (rows[0]["sequence"], rows)
        write_changes(self.files, *self.last)

    def step(self) -> None:
        roll, rng = self.rng.random(), self.rng
        idle = [actor for actor in self.compactors + self.readers if actor.client.work is None]
        busy = [actor for actor in self.compactors + self.readers if actor.client.work is not None]
        if roll < 0.08 and self.sequence < MAX_CHANGES:
            self.write()
        elif roll < 0.10 and self.last:  # the stream hands its last batch out again
            write_changes(self.files, *self.last)
        elif roll < 0.25 and idle:
            actor = rng.choice(idle)
            if actor in self.readers:
                self.reading[actor] = len(self.history) - 1
                actor.client.start(self.pool, actor.read)
            else:
                actor.client.start(self.pool, lambda: actor.compact(rng))
        elif busy:
            actor = rng.choice(busy)
            killed = actor in self.compactors and rng.random() < 0.04
            if not actor.client.done():
                actor.client.step(rng.choice(["before", "after"]) if killed else "go")
            self.look(actor)

    def look(self, actor: Actor) -> None:
        """At the end of an invocation: what a reader found is what was true at some time meanwhile."""
        work = actor.client.work
        if work is None or not work.done():
            return
        actor.client.work = None
        answer = work.result()
        if actor in self.readers:
            for image_id in IDS:
                meanwhile = [state.get(image_id) for state in self.history[self.reading[actor] :]]
                assert answer.get(image_id) in meanwhile, (image_id, answer, meanwhile)

    def finish(self) -> None:
        for actor in self.compactors + self.readers:
            while actor.client.work is not None:
                if not actor.client.done():
                    actor.client.step()
                self.look(actor)

    def close(self) -> None:
        for actor in self.compactors + self.readers:
            actor.engine.close()
        self.pool.shutdown()


@pytest.fixture
def deployment(tmp_path: Path) -> Iterator[Deployment]:
    deployment = Deployment(tmp_path)
    yield deployment
    deployment.close()


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    patch = pytest.MonkeyPatch()
    patch.setattr(files, "_THREADS", 1)
    world = World(tmp_path_factory.mktemp("world"))
    yield world
    world.close()
    patch.undo()


@pytest.mark.parametrize("first", range(0, SCHEDULES, 2))
def test_any_schedule_reads_right_and_ends_right(world: World, deployment: Deployment, first: int) -> None:
    for seed in (first, first + 1):
        world.begin(seed)
        for _ in range(STEPS):
            world.step()
        world.finish()
        # A last compaction by itself, then what there is.
        deployment.s3.objects = world.s3.objects
        deployment.compact()
        assert deployment.files.listed(CHANGES) == []
        assert read_all(deployment.engine, deployment.reader.view()) == world.history[-1], seed


def test_a_compaction_killed_at_each_step_loses_nothing_and_doubles_nothing(deployment: Deployment) -> None:
    """Before each of its requests in turn, which is after the one before, until enough changes have gone through."""
    rng, state, written, step = random.Random(1), dict[str, int](), 0, 0
    while written < KILLED_CHANGES:
        for part in PARTS:
            changed = rng.sample(range(30), 6)
            ids = [f"{part}/{number}" for number in changed]
            gone = [image_id for image_id in ids if image_id in state and rng.random() < 0.3]
            puts = [image_id for image_id in ids if image_id not in gone]
            if puts:
                deployment.put(
                    *(image(image_id, size=written + number) for number, image_id in enumerate(puts)),
                    part=part,
                )
            state |= {image_id: written + number for number, image_id in enumerate(puts)}
            if gone:
                deployment.remove(*gone, part=part)
                for image_id in gone:
                    del state[image_id]
            written += len(ids)
        left = [step]

        def die(name: str, request: dict[str, Any], left: list[int] = left) -> None:
            left[0] -= 1
            if left[0] == -1:
                raise Killed

        deployment.s3.between = die
        try:
            deployment.compact()
            step = 0  # it came to its end: all steps are through
        except Killed:
            step += 1
        finally:
            deployment.s3.between = lambda name, request: None
        assert read_all(deployment.engine, deployment.reader.view()) == state
    deployment.compact()
    assert deployment.files.listed(CHANGES) == []
    assert read_all(deployment.engine, deployment.reader.view()) == state
