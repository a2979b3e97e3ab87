"""What a plan would do to data, read from Terraform's JSON of it, before anything is done. Standard library only.

The JSON is described in Terraform's documentation, "JSON Output Format", resource_changes.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from tools.deploy.account import Account, texts
from tools.deploy.sigv4 import ApiError

#: Kind of resource -> what a person calls it. What is listed here is not deleted or replaced without a word.
STATEFUL = {"aws_s3_bucket": "bucket", "aws_dynamodb_table": "table"}
#: Buckets of these modules hold only what can be made again: the functions' packages, the search snapshot.
DERIVED = ("module.code", "module.preview_bucket", "module.search_bucket")
#: Settings of the functions that are never lowered -> the Terraform variable, and what would be lost.
_NEVER_LOWERED = {
    "INDEX_SHARDS": ("index_shards", "lists would lose the records of the other partitions"),
    "COUNTER_SHARDS": ("counter_shards", "the summary would lose what the other counters hold"),
}


class UnsafePlan(Exception):
    """The plan would lose data or break the catalogue; the text says what and how to go on."""


@dataclass(frozen=True)
class Loss:
    """One bucket or table that a plan deletes (``replaced``: and makes anew, empty)."""

    kind: str
    name: str
    address: str
    replaced: bool


def losses(plan: Mapping[str, Any]) -> list[Loss]:
    """The buckets and tables that the plan deletes or replaces, but for those of derived data."""
    found = []
    for resource in plan.get("resource_changes", []):
        actions = resource["change"]["actions"]
        before = resource["change"].get("before") or {}
        if resource["type"] not in STATEFUL or "delete" not in actions:
            continue
        if any(module in resource["address"] for module in DERIVED):
            continue
        name = before.get("bucket") or before.get("name") or resource["address"]
        found.append(Loss(STATEFUL[resource["type"]], name, resource["address"], "create" in actions))
    return found


def lowered(plan: Mapping[str, Any]) -> tuple[str, int, int] | None:
    """(setting, deployed, planned) of one that is never lowered, where the plan does, in any of the functions."""
    changes = [
        resource["change"]
        for resource in plan.get("resource_changes", [])
        if resource["type"] == "aws_lambda_function"
    ]
    for setting in _NEVER_LOWERED:
        deployed, planned = (
            [int(value) for change in changes if (value := _environment(change.get(side)).get(setting))]
            for side in ("before", "after")
        )
        if deployed and planned and min(planned) < max(deployed):
            return setting, max(deployed), min(planned)
    return None


def _environment(side: Mapping[str, Any] | None) -> Mapping[str, Any]:
    blocks = (side or {}).get("environment") or [{}]
    return (blocks[0] or {}).get("variables") or {}


def check(plan: Mapping[str, Any], replace_data: bool, holds: Callable[[Loss], str]) -> None:
    """Raise UnsafePlan for a plan that lowers a number of shards, or loses data without ``replace_data``.

    ``holds`` says how much a bucket or table holds.
    """
    shards = lowered(plan)
    if shards:
        setting, deployed, planned = shards
        name, loss = _NEVER_LOWERED[setting]
        raise UnsafePlan(
            f"{name} is {deployed} in this deployment and {planned} in the settings. It can only be raised: {loss}. "
            f"Set {name} = {deployed} and run this again. Nothing was changed."
        )
    lost = losses(plan)
    if lost and not replace_data:
        lines = [
            f"  - the {loss.kind} {loss.name} ({holds(loss)}) would be "
            f"{'replaced by an empty one' if loss.replaced else 'deleted'}  [{loss.address}]"
            for loss in lost
        ]
        raise UnsafePlan(
            "This plan would lose data:\n"
            + "\n".join(lines)
            + "\nNothing was changed. A changed name_prefix, bucket_name or table_name does this: set it back to go on "
            "with this deployment.\nAnother one beside it: TF_VAR_stage=NAME ./deploy.sh (a stage has its own state).\n"
            "To lose what is listed above: ./deploy.sh --replace-data"
        )


def amount(loss: Loss, account: Account) -> str:
    """How much a bucket or table holds, by one request: exact up to a thousand objects or a megabyte of records."""
    try:
        if loss.kind == "bucket":
            listing = account.s3("GET", f"/{loss.name}", {"list-type": 2, "max-keys": 1000})
            more = next(texts(listing, "IsTruncated"), "") == "true"
            return _counted(sum(1 for _ in texts(listing, "Key")), more, "object")
        answer = account.json(
            "dynamodb",
            "Scan",
            TableName=loss.name,
            Select="COUNT",
            FilterExpression="#state = :record",
            ExpressionAttributeNames={"#state": "state"},
            ExpressionAttributeValues={":record": {"S": "record"}},
        )
        return _counted(int(answer["Count"]), "LastEvaluatedKey" in answer, "record")
    except (ApiError, KeyError, ValueError):
        return "how much it holds could not be asked"


def _counted(number: int, more: bool, what: str) -> str:
    return f"{'more than ' if more else ''}{number:,} {what}{'' if number == 1 else 's'}"
