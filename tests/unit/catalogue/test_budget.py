"""What an event may cost in calls and write units: the bill is made of these (docs/benchmarks.md has the dollars)."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import pytest

from image_catalogue import clients
from image_catalogue.catalogue import Catalogue
from image_events.batch import handle
from image_events.indexer import Indexer
from tests.benchmarks import month
from tests.benchmarks.counters import simulate
from tests.benchmarks.month import designs
from tests.benchmarks.write_path import KINDS, PRICES, Cost, Lines, Meter, messages, photograph
from tests.contract.declared import declared_table
from tests.support.table import BUCKET

IMAGES = 20
#: Size of batch, kind of event -> SDK calls, write units an image.
BUDGETS = {
    (1, "created"): (2.0, 6.0),
    (1, "duplicate"): (2.0, 4.0),
    (10, "created"): (1.1, 4.2),
    (10, "overwritten"): (2.2, 8.4),
    (10, "duplicate"): (1.1, 2.2),
    (10, "removed"): (2.1, 4.2),
}


@pytest.mark.parametrize("batch", [1, 10])
def test_an_event_costs_no_more_calls_and_units_than_it_should(
    dynamodb: Any, s3: Any, catalogue: Catalogue, batch: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tests.benchmarks.write_path.BUCKET", BUCKET)
    monkeypatch.setattr(clients, "s3", lambda: s3)
    indexer = Indexer(clients.ranged_get.__wrapped__(), catalogue, BUCKET, ("uploads/",))
    meter = Meter(declared_table())
    for client in (s3, dynamodb):
        meter.watch(client)
    keys = [f"uploads/{number:02}.jpg" for number in range(IMAGES)]
    bodies = [photograph(number) for number in range(IMAGES)]
    spent = {}
    for step, (kind, name) in enumerate(KINDS.items()):
        for number, key in enumerate(keys):
            if kind in ("created", "overwritten"):
                s3.put_object(Bucket=BUCKET, Key=key, Body=bodies[(number + step) % IMAGES])
            if kind == "removed":
                s3.delete_object(Bucket=BUCKET, Key=key)
        meter.cost, log = Cost(IMAGES, IMAGES // batch), Lines()
        order = 1 if kind == "created" else 2 + step - (kind == "duplicate")
        for at in range(0, IMAGES, batch):
            event = messages(keys[at : at + batch], name, order)
            assert handle(event, indexer, time.monotonic() + 60, log) == {"batchItemFailures": []}
        meter.settle()
        spent[batch, kind] = (sum(meter.cost.calls.values()) / IMAGES, meter.cost.write_units / IMAGES)
        assert log.bytes_read / IMAGES < 2 * 65_536
    for which, (calls, units) in BUDGETS.items():
        if which in spent:
            assert spent[which][0] <= calls and spent[which][1] <= units, (which, spent[which])


def test_the_counters_bear_a_hundred_functions() -> None:
    """By the model, with the catalogue's own pauses and number of counters; docs/benchmarks.md has it measured, too."""
    batches, alone = simulate(100, 10), simulate(100, 1)
    assert batches.images_per_second > 6_000
    assert alone.images_per_second > 750


def test_a_month_is_priced_by_prices_that_there_are() -> None:
    ours = Cost(10, 1, write_units=42, item_bytes=600)
    usual = Cost(10, 10, write_units=10, item_bytes=150, queued=False)
    months = designs(ours, usual)
    assert months["ours"]["kept"] > 4 * months["usual"]["kept"]
    assert months["ours"]["questions"] < months["usual"]["questions"] / 50  # which scans its table
    assert usual.dollars_per_million()["SQS"] == 0 < ours.dollars_per_million()["SQS"]
    code = "".join(path.read_text(encoding="utf-8") for path in Path(month.__file__).parent.glob("*.py"))
    assert [name for name in PRICES if f'PRICES["{name}"]' not in code] == []
