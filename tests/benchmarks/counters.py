"""How many images a second the counters bear: a model of concurrent functions and of DynamoDB's rule for conflicts.

    python -m tests.benchmarks.counters

Every function reads a batch, then writes it in one transaction that changes one counter of `COUNTER_SHARDS`. A
transaction that begins while another is at the same counter fails and is tried again after the catalogue's own pause,
at the next counter. The times of a round trip and of a transaction are assumptions, given below; time is simulated, so
the result is the same on every machine.
"""

from __future__ import annotations

import heapq
import itertools
import random
from dataclasses import dataclass

from image_catalogue.dynamodb import _FIRST_PAUSE_SECONDS, _LONGEST_PAUSE_SECONDS, COUNTER_SHARDS

#: Seconds: a transaction holds its items; a batch's objects are fetched, ten at a time; each costs processor time.
TRANSACTION, FETCH, PROCESSOR, READ_AT_A_TIME = 0.010, 0.015, 0.0075, 10
SIMULATED_SECONDS = 30.0


@dataclass(frozen=True)
class Throughput:
    """What came of a run: images a second, and the share of transactions that met another."""

    images_per_second: float
    conflicts: float


def simulate(functions: int, batch: int, shards: int = COUNTER_SHARDS, seed: int = 1) -> Throughput:
    """Run `functions` at a time, always with work, on batches of `batch` images."""
    chance = random.Random(seed)
    order = itertools.count()
    held = [0.0] * shards  # until when a transaction is at the counter
    reading = FETCH * -(-batch // READ_AT_A_TIME) + PROCESSOR * batch
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


def table() -> str:
    """Throughput by concurrency and batch as a Markdown table."""
    lines = [
        "| functions at a time | batch | images per second | attempts in conflict |",
        "|---:|---:|---:|---:|",
    ]
    for functions in (5, 20, 100):
        for batch in (1, 10, 50):
            result = simulate(functions, batch)
            lines.append(
                f"| {functions} | {batch} | {result.images_per_second:,.0f} | {result.conflicts:.0%} |"
            )
    return "\n".join(lines)


if __name__ == "__main__":
    print(table())
