"""What a month costs: new images, what is kept, what stands idle, and questions, by list prices.

Ours and the usual handler's new images come from the write path's measured units. The third design is S3 Metadata,
which keeps a table of a bucket's objects, asked by Athena: it knows what S3 knows of an object (key, size, times,
tags), and nothing of what is in the image.
"""

from __future__ import annotations

import math

from tests.benchmarks.write_path import PRICES, Cost
from tests.contract.declared import declared_functions

NEW_IMAGES, RECORDS, QUESTIONS = 1_000_000, 10_000_000, 10_000
MONTH_SECONDS = 30 * 86_400
#: Functions that a deployment with default settings does not have.
_NOT_DEFAULT = ("analyse_image", "authorize")
#: Alarms of events, API, table and its two indexes, and those of a function that names none (modules/monitoring).
_OTHER_ALARMS, _FUNCTION_ALARMS = 8, 3
#: Lambda polls a queue with five long polls of 20 s at least (Lambda Developer Guide, "Using Lambda with Amazon SQS").
_POLLS = 5 * MONTH_SECONDS / 20
#: docs/search.md, "What it costs": the compactor's month, and what search writes of a million new images.
_COMPACTOR, _SEARCH_WRITES = 0.07, 0.02
#: docs/search.md, "How fast": "a maker, ISO and two months" of 10 million, with nothing in memory at first.
_QUESTION_SECONDS, _QUESTION_GB, _QUESTION_GETS = 1.35, 2, 358
#: DynamoDB counts 100 bytes more for an item in a table and in each index.
_OVERHEAD = 100
#: Athena counts 10 MB for a question at least.
_ATHENA_TB = 10e6 / 1e12


def designs(ours: Cost, usual: Cost) -> dict[str, dict[str, float]]:
    """Dollars of a month by design and kind, from what new images cost on each write path; NaN: not known."""
    new = NEW_IMAGES / 1e6
    alarms = _OTHER_ALARMS + sum(
        len(function.get("alarms", [None] * _FUNCTION_ALARMS))
        for name, function in declared_functions().items()
        if name not in _NOT_DEFAULT
    )
    question = (
        PRICES["lambda_requests_million"] / 1e6
        + _QUESTION_SECONDS * _QUESTION_GB * PRICES["lambda_gb_second"]
        + _QUESTION_GETS * PRICES["s3_get_million"] / 1e6
    )
    scan = RECORDS * usual.item_bytes / 4096 / 2 / 1e6 * PRICES["dynamodb_read_units_million"]
    return {
        "ours": {
            "new images": (sum(ours.dollars_per_million().values()) + _SEARCH_WRITES) * new,
            # In the table, in two indexes and in the table's continuous backups.
            "kept": _gigabytes(ours) * (3 * PRICES["dynamodb_gb_month"] + PRICES["dynamodb_pitr_gb_month"]),
            "idle": alarms * PRICES["alarm_month"]
            + _POLLS / 1e6 * PRICES["sqs_requests_million"]
            + _COMPACTOR,
            "questions": QUESTIONS * question,
        },
        "usual": {
            "new images": sum(usual.dollars_per_million().values()) * new,
            "kept": _gigabytes(usual) * PRICES["dynamodb_gb_month"],
            "idle": 0.0,
            "questions": QUESTIONS * scan,
        },
        "S3 Metadata + Athena": {
            "new images": PRICES["s3_metadata_updates_million"] * new,
            "kept": math.nan,
            "idle": 0.0,
            "questions": QUESTIONS * _ATHENA_TB * PRICES["athena_tb_scanned"],
        },
    }


def _gigabytes(cost: Cost) -> float:
    return RECORDS * (cost.item_bytes + _OVERHEAD) / 1e9


def table_of(months: dict[str, dict[str, float]]) -> str:
    """The months as a Markdown table; what is not known is not added."""
    kinds = list(next(iter(months.values())))
    lines = [f"| US$ a month | {' | '.join(kinds)} | all |", f"|---|{'---:|' * (len(kinds) + 1)}"]
    lines += [
        f"| {name} | {' | '.join(map(_dollars, month.values()))} "
        f"| {_dollars(sum(each for each in month.values() if not math.isnan(each)))}"
        f"{' + ?' * any(map(math.isnan, month.values()))} |"
        for name, month in months.items()
    ]
    return "\n".join(lines)


def _dollars(amount: float) -> str:
    return "?" if math.isnan(amount) else f"{amount:,.2f}"
