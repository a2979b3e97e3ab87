"""What a deployment costs, in us-east-1's list prices of 2026, without free tiers. docs/operations.md derives them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

#: US$ by the month that exist whether anything happens or not.
ALARM_A_MONTH = 0.10
DASHBOARD_A_MONTH = 3.00
#: US$ for a GB-second that a snapshot is kept (AWS Lambda pricing, "SnapStart"), and a month's seconds.
SNAPSHOT_GB_SECOND = 0.0000015046
MONTH_SECONDS = 30 * 86_400
#: US$ for a million images that come into the bucket; for keeping a million records a month.
MILLION_EVENTS = 5.00
MILLION_RECORDS_A_MONTH = 1.00
#: US$ for cataloguing a million objects that are there: the function and the table, as for events without the queue;
#: and what S3 Batch Operations takes for objects and for a job (S3 pricing, "Batch Operations").
MILLION_BACKFILLED = 4.30
MILLION_BATCH_OBJECTS = 1.00
BATCH_JOB = 0.25
#: S3's listing of a million objects, 1,000 a request.
MILLION_LISTED = 0.005


@dataclass(frozen=True)
class Standing:
    """US$ a month for what is there, while nothing happens."""

    monitoring: float = 0
    snapshots: float = 0


NOTHING = Standing()


def standing(plan: Mapping[str, Any]) -> Standing:
    """What a plan leaves standing."""
    left = [
        (change["type"], change["change"]["after"])
        for change in plan.get("resource_changes", [])
        if change["change"]["actions"] != ["delete"]
    ]
    kinds = [kind for kind, _ in left]
    gigabytes = sum(
        after["memory_size"] / 1024
        for kind, after in left
        if kind == "aws_lambda_function" and after.get("snap_start")
    )
    return Standing(
        monitoring=ALARM_A_MONTH * kinds.count("aws_cloudwatch_metric_alarm")
        + DASHBOARD_A_MONTH * kinds.count("aws_cloudwatch_dashboard"),
        snapshots=gigabytes * SNAPSHOT_GB_SECOND * MONTH_SECONDS,
    )


def described(monthly: Standing) -> str:
    """What a deployment costs, in a line."""
    snapshots = f", US$ {monthly.snapshots:.2f} for the functions' snapshots" if monthly.snapshots else ""
    return (
        f"Cost:    US$ {monthly.monitoring:.2f} a month while nothing happens (alarms and dashboard; the free tier has "
        f"ten and three of them){snapshots}, about US$ {MILLION_EVENTS:.0f} per million images, "
        f"US$ {MILLION_RECORDS_A_MONTH:.0f} per million records and month"
    )
