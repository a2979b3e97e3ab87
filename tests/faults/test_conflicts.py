"""Functions that run at the same time, against DynamoDB's rule for conflicts, which moto does not have."""

from __future__ import annotations

import itertools
import random
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from image_catalogue.items import Item, contribution, is_record, sum_of
from image_events.events import Job
from tests.benchmarks.counters import measure, simulate
from tests.support.conflicts import ConflictingTable, ReadyRecords
from tests.support.records import record
from tests.support.table import BUCKET, counted

FUNCTIONS, BATCHES, BATCH, KEYS = 8, 12, 5, 30


@pytest.mark.parametrize("seed", range(3))
def test_functions_that_meet_at_images_and_counters_lose_and_miscount_nothing(seed: int) -> None:
    client = ConflictingTable(0.001)
    bucket: dict[str, Item] = {}
    happened: list[Job] = []
    order, lock = itertools.count(1), threading.Lock()
    indexer = ReadyRecords(client, lambda job: bucket.get(job.key))

    def happen(chance: random.Random) -> Job:
        """Something happens to an image; its event."""
        key = f"uploads/{chance.randrange(KEYS):04d}.png"
        with lock:
            number = next(order)
            if chance.random() < 0.3:
                bucket.pop(key, None)
                name = "ObjectRemoved:Delete"
            else:  # of one size often, so that what counts stays the same and no transaction is needed
                bucket[key] = record(key, etag=f"{number}", size=chance.choice((100, 100, 100, 200)))
                name = "ObjectCreated:Put"
            happened.append(Job(BUCKET, key, name, sequencer=f"{number:X}"))
            return happened[-1]

    def function(number: int) -> None:
        chance = random.Random(f"{seed} {number}")
        for _ in range(BATCHES):
            jobs = [happen(chance) for _ in range(BATCH)] + [chance.choice(happened)]
            results = indexer.process_all(jobs, time.monotonic() + 60)
            assert not [result for result in results if isinstance(result, Exception)]

    with ThreadPoolExecutor(FUNCTIONS) as pool:
        list(pool.map(function, range(FUNCTIONS)))
    records = {key: item for key, item in client.records().items() if is_record(item)}
    assert {key: item["etag"] for key, item in records.items()} == {
        key: held["etag"] for key, held in bucket.items()
    }
    totals = sum_of(contribution(item) for item in records.values())
    assert counted(indexer.catalogue) == {name: amount for name, amount in totals.items() if amount}
    assert client.conflicts and client.refused, "nobody met anybody: the test tests nothing"


def test_the_benchmark_of_the_counters_counts_every_image() -> None:
    measured, model = measure(20, 3, seconds=0.5, slowed=1), simulate(20, 3)
    assert measured.images_per_second > 0 and measured.conflicts > 0 and model.conflicts > 0
