"""What the table and its indexes take at once, before DynamoDB has grown them: raised where it is asked for.

The AWS provider has an argument for it from 6.13 on only, and refuses it in earlier versions even where it is null;
so the variable `warm_throughput` is an output that is read here. DynamoDB Developer Guide, "Understanding DynamoDB warm
throughput". Standard library only.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping
from typing import Any

from tools.deploy.account import Account
from tools.deploy.sigv4 import ApiError

#: The provider's names, in which the variable is set -> DynamoDB's.
UNITS = {"read_units_per_second": "ReadUnitsPerSecond", "write_units_per_second": "WriteUnitsPerSecond"}


def ensure(account: Account, table: str, wanted: Mapping[str, Any]) -> bool:
    """Raise to ``wanted`` (units a second, by the names of `UNITS`) what the table and each index take less of.

    DynamoDB never lowers it, and bills what is added once. It takes minutes, for which nobody waits here: the table is
    in use meanwhile. What cannot be done is told on standard error; returns whether it could.
    """
    least = {UNITS[name]: int(units) for name, units in wanted.items() if units is not None}
    try:
        described = account.json("dynamodb", "DescribeTable", TableName=table)["Table"]
        change: dict[str, object] = {}
        if raised := _raised(described, least):
            change["WarmThroughput"] = raised
        indexes = {
            index["IndexName"]: raised
            for index in described.get("GlobalSecondaryIndexes") or []
            if (raised := _raised(index, least))
        }
        if indexes:
            change["GlobalSecondaryIndexUpdates"] = [
                {"Update": {"IndexName": name, "WarmThroughput": raised}} for name, raised in indexes.items()
            ]
        if not change:
            return True
        account.json("dynamodb", "UpdateTable", TableName=table, **change)
    except ApiError as error:
        print(
            f"deploy.sh: the warm throughput of {table} is as it was: {error}. All else is deployed; run ./deploy.sh "
            "again, or set warm_throughput to null.",
            file=sys.stderr,
        )
        return False
    parts = [*(["the table"] if "WarmThroughput" in change else []), *indexes]
    print(
        f"Raising the warm throughput of {', '.join(parts)}: some minutes, and billed once by the unit. How far it is: "
        f"aws dynamodb describe-table --table-name {table}",
        flush=True,
    )
    return True


def _raised(described: Mapping[str, Any], least: Mapping[str, int]) -> dict[str, int] | None:
    """The warm throughput that a table or index shall have; None: it has that already."""
    there = described.get("WarmThroughput") or {}
    raised = {name: max(there.get(name) or 0, units) for name, units in least.items()}
    if all(there.get(name) == units for name, units in raised.items()):
        return None
    kept = {name: there[name] for name in UNITS.values() if there.get(name)}
    return kept | raised
