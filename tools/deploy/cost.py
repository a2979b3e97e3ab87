"""What a deployment costs, in us-east-1's list prices of 2026, without free tiers. docs/operations.md derives them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

#: US$ by the month that exist whether anything happens or not.
ALARM_A_MONTH = 0.10
DASHBOARD_A_MONTH = 3.00
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


def standing(plan: Mapping[str, Any]) -> float:
    """US$ a month for what a plan leaves standing, while nothing happens."""
    kinds = [
        change["type"]
        for change in plan.get("resource_changes", [])
        if change["change"]["actions"] != ["delete"]
    ]
    return ALARM_A_MONTH * kinds.count("aws_cloudwatch_metric_alarm") + DASHBOARD_A_MONTH * kinds.count(
        "aws_cloudwatch_dashboard"
    )


def described(monthly: float) -> str:
    """What a deployment costs, in a line."""
    return (
        f"Cost:    US$ {monthly:.2f} a month while nothing happens (alarms and dashboard; the free tier has ten and "
        f"three of them), about US$ {MILLION_EVENTS:.0f} per million images, US$ {MILLION_RECORDS_A_MONTH:.0f} per "
        "million records and month"
    )
