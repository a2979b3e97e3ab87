"""What the summary, a page of the list and a record read does not grow with the collection.

`READ_COST_SIZES` (default 100,2000) are the numbers of records; `make bench-reads` measures 100, 10,000 and 200,000.
"""

from __future__ import annotations

import os

import pytest

from tests.benchmarks.reads import measure, table_of
from tests.support.stack import Site

SIZES = [int(size) for size in os.environ.get("READ_COST_SIZES", "100,2000").split(",")]


def test_reads_cost_the_same_at_any_size(lab_site: Site, capsys: pytest.CaptureFixture[str]) -> None:
    # Of a million records twenty queries at a time take the local AWS minutes.
    costs = measure(lab_site.client("dynamodb", read_timeout=900), SIZES)
    with capsys.disabled():
        print(f"\n{table_of(SIZES, costs)}")
    assert all(units == row[0] for row in costs.values() for units in row)
