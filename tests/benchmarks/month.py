"""What a month costs: new images, what is kept, what stands idle, and questions, by list prices.

Ours and the usual handler's new images come from the write path's measured units. The third design is S3 Metadata,
which keeps a table of a bucket's objects, asked by Athena: it knows what S3 knows of an object (key, size, times,
tags), and nothing of what is in the image.
"""

from __future__ import annotations

import math

from image_catalogue.dynamodb import to_dynamodb
from image_catalogue.items import follow
from tests.benchmarks.reads import item_size
from tests.benchmarks.write_path import PRICES
from tests.contract.declared import declared_functions
from tests.support.records import photograph

NEW_IMAGES, RECORDS, QUESTIONS = 1_000_000, 10_000_000, 10_000
MONTH_SECONDS = 30 * 86_400
#: Functions that a deployment with default settings does not have.
_NOT_DEFAULT = ("analyse_image", "authorize")
#: Alarms of events, API, table and its two indexes, and those of a function that names none (modules/monitoring).
_OTHER_ALARMS, _FUNCTION_ALARMS = 8, 3
#: Lambda polls a queue with five long polls of 20 s at least (Lambda Developer Guide, "Using Lambda with Amazon SQS").
_POLLS = 5 * MONTH_SECONDS / 20
#: docs/search.md, "What it costs": the compactor's month, and a question with the API's own request.
_COMPACTOR, _QUESTION = 0.07, 0.00005
#: DynamoDB counts 100 bytes more for an item in a table and in each index.
_OVERHEAD = 100
#: Athena counts 10 MB for a question at least.
_ATHENA_TB = 10e6 / 1e12


def designs(ours: float, usual: float) -> dict[str, dict[str, float]]:
    """Dollars of a month by design and kind; `ours` and `usual` are those of a million new images."""
    item = follow(None, photograph(1), f"{1:032X}", "")
    size = item_size(to_dynamodb(item | {"revision": "0" * 16}))
    gigabytes = RECORDS * (size + _OVERHEAD) / 1e9
    new = NEW_IMAGES / 1e6
    alarms = _OTHER_ALARMS + sum(
        len(function.get("alarms", [None] * _FUNCTION_ALARMS))
        for name, function in declared_functions().items()
        if name not in _NOT_DEFAULT
    )
    scan = RECORDS * size / 4096 / 2 / 1e6 * PRICES["dynamodb_read_units_million"]
    return {
        "ours": {
            "new images": ours * new,
            # In the table, in two indexes and in the table's continuous backups.
            "kept": gigabytes * (3 * PRICES["dynamodb_gb_month"] + PRICES["dynamodb_pitr_gb_month"]),
            "idle": alarms * PRICES["alarm_month"]
            + _POLLS / 1e6 * PRICES["sqs_requests_million"]
            + _COMPACTOR,
            "questions": QUESTIONS * _QUESTION,
        },
        "usual": {
            "new images": usual * new,
            "kept": gigabytes * PRICES["dynamodb_gb_month"],
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


def table_of(months: dict[str, dict[str, float]]) -> str:
    """The months as a Markdown table; what is not known is not added."""
    kinds = list(next(iter(months.values())))
    lines = [f"| US$ a month | {' | '.join(kinds)} | all |", f"|---|{'---:|' * (len(kinds) + 1)}"]
    lines += [
        f"| {name} | {' | '.join(map(_dollars, month.values()))} "
        f"| {_dollars(sum(each for each in month.values() if not math.isnan(each)))} |"
        for name, month in months.items()
    ]
    return "\n".join(lines)


def _dollars(amount: float) -> str:
    return "?" if math.isnan(amount) else f"{amount:,.2f}"
