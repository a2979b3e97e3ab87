"""How many images a second the counters bear, by a model and by the catalogue's own code against a stub of DynamoDB.

    python -m tests.benchmarks.counters

Every function reads a batch, then writes it in one transaction that changes one counter of `counter_shards`. A
transaction that begins while another is at the same counter fails and is tried again after the catalogue's own pause,
at the next counter. The times of a round trip and of a transaction are assumptions, given below.

The model simulates time, so its result is the same on every machine. Its measured counterpart runs the indexer in as
many threads, on ready records, and `ConflictingTable` takes a transaction's time and refuses what DynamoDB refuses. One
interpreter does there what each function has a processor for, so all times are `SLOWED` times as long; the last column
says how busy it is nevertheless.
"""

from __future__ import annotations

import heapq
import itertools
import random
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from unittest.mock import patch

from image_catalogue.dynamodb import _FIRST_PAUSE_SECONDS, _LONGEST_PAUSE_SECONDS
from image_catalogue.settings import DEFAULT_COUNTER_SHARDS
from image_events.events import Job
from tests.support.conflicts import ConflictingTable, ReadyRecords
from tests.support.records import photograph
from tests.support.table import BUCKET, counted

#: Seconds: a transaction holds its items; a batch's objects are fetched, ten at a time; each costs processor time.
TRANSACTION, FETCH, PROCESSOR, READ_AT_A_TIME = 0.010, 0.015, 0.0075, 10
SIMULATED_SECONDS = 30.0
#: The functions' seconds; `SLOWED` of ours are one of theirs.
MEASURED_SECONDS, SLOWED = 1.5, 8
#: Functions at a time, images in a batch, counters.
RUNS = [
    *((functions, batch, DEFAULT_COUNTER_SHARDS) for functions in (5, 20, 100) for batch in (1, 10, 50)),
    (100, 1, 64),
]


@dataclass(frozen=True)
class Throughput:
    """What came of a run: images a second, the share of transactions that met another, and how busy a processor was."""

    images_per_second: float
    conflicts: float
    processor: float = 0.0


def reading_seconds(batch: int) -> float:
    """How long a function reads a batch before it writes it."""
    return FETCH * -(-batch // READ_AT_A_TIME) + PROCESSOR * batch


def simulate(functions: int, batch: int, shards: int = DEFAULT_COUNTER_SHARDS, seed: int = 1) -> Throughput:
    """Run `functions` at a time, always with work, on batches of `batch` images."""
    chance = random.Random(seed)
    order = itertools.count()
    held = [0.0] * shards  # until when a transaction is at the counter
    reading = reading_seconds(batch)
    # (time, tie, attempt, counter): a function that begins a transaction
    queue = [(chance.random() * reading, next(order), 0, chance.randrange(shards)) for _ in range(functions)]
    heapq.heapify(queue)
    images = attempts = conflicts = 0
    while queue[0][0] < SIMULATED_SECONDS:
        now, _, attempt, counter = heapq.heappop(queue)
        attempts += 1
        if held[counter] > now:
            conflicts += 1
            longest = min(_LONGEST_PAUSE_SECONDS, _FIRST_PAUSE_SECONDS * 2**attempt)
            again = now + TRANSACTION / 2 + longest * chance.uniform(0.5, 1.5)
            heapq.heappush(queue, (again, next(order), attempt + 1, (counter + 1) % shards))
            continue
        held[counter] = now + TRANSACTION
        images += batch
        heapq.heappush(queue, (held[counter] + reading, next(order), 0, chance.randrange(shards)))
    return Throughput(images / SIMULATED_SECONDS, conflicts / attempts)


def measure(
    functions: int,
    batch: int,
    shards: int = DEFAULT_COUNTER_SHARDS,
    seconds: float = MEASURED_SECONDS,
    slowed: float = SLOWED,
) -> Throughput:
    """As `simulate`, by the catalogue's code in real time. Raises AssertionError where it loses or miscounts images."""
    client = ConflictingTable(TRANSACTION * slowed)
    # The number of a photograph is its event's sequencer.
    indexer = ReadyRecords(client, lambda job: photograph(int(job.sequencer or "", 16)), shards)
    numbers = itertools.count()
    reading = reading_seconds(batch) * slowed
    busy, begun = time.process_time(), time.monotonic()
    ends = begun + seconds * slowed

    def function(first_wait: float) -> int:
        """Images written in time by one of the functions."""
        written, wait = 0, first_wait
        while time.monotonic() + wait < ends:
            time.sleep(wait)
            results = indexer.process_all([job(next(numbers)) for _ in range(batch)], time.monotonic() + 60)
            assert all(result["outcome"] == "created" for result in results), results
            written += batch if time.monotonic() < ends else 0
            wait = reading
        return written

    chance = random.Random(1)
    pauses = {
        "_FIRST_PAUSE_SECONDS": _FIRST_PAUSE_SECONDS * slowed,
        "_LONGEST_PAUSE_SECONDS": _LONGEST_PAUSE_SECONDS * slowed,
    }
    with patch.multiple("image_catalogue.dynamodb", **pauses), ThreadPoolExecutor(functions) as pool:
        written = sum(pool.map(function, [chance.random() * reading for _ in range(functions)]))
    busy = (time.process_time() - busy) / (time.monotonic() - begun)
    assert counted(indexer.catalogue)["count"] == len(client.records()) == next(numbers)
    return Throughput(written / seconds, client.conflicts / client.attempts, busy)


def job(number: int) -> Job:
    """The event about a new image of its own."""
    return Job(BUCKET, f"uploads/{number:07d}.jpg", "ObjectCreated:Put", sequencer=f"{number:X}")


def table() -> str:
    """Throughput by concurrency, batch and counters as a Markdown table."""
    lines = [
        "| functions at a time | batch | counters | model: images per second | attempts in conflict "
        "| measured: images per second | attempts in conflict | processor |",
        f"|{'---:|' * 8}",
    ]
    for functions, batch, shards in RUNS:
        model, measured = simulate(functions, batch, shards), measure(functions, batch, shards)
        lines.append(
            f"| {functions} | {batch} | {shards} "
            f"| {model.images_per_second:,.0f} | {model.conflicts:.0%} "
            f"| {measured.images_per_second:,.0f} | {measured.conflicts:.0%} | {measured.processor:.0%} |"
        )
    return "\n".join(lines)


if __name__ == "__main__":
    print(table())
