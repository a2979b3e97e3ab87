"""What the table and its indexes take at once, before DynamoDB has grown them: raised where it is asked for.

The AWS provider has an argument for it from 6.13 on only, and refuses it in earlier versions even where it is null;
so the variable `warm_throughput` is an output that is read here. DynamoDB Developer Guide, "Understanding DynamoDB warm
throughput". Standard library only.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from typing import Any

from tools.deploy.account import Account
from tools.deploy.sigv4 import ApiError


def ensure(account: Account, table: str, units: int) -> bool:
    """Let the table take ``units`` write units a second at once and each index half as many, where they take less.

    A new image writes each index once and the table at least twice. DynamoDB never lowers it, and bills what is added
    once. It takes minutes, for which nobody waits here: the table can be used meanwhile, but not be deleted.
    What cannot be done is told on standard error; returns whether it could.
    """
    try:
        described = account.json("dynamodb", "DescribeTable", TableName=table)["Table"]
        indexes = described.get("GlobalSecondaryIndexes") or []
        if any(part.get("WarmThroughput", {}).get("Status") == "UPDATING" for part in (described, *indexes)):
            print("The table's warm throughput is being raised already, which takes some minutes", flush=True)
            return True
        change = dict(_change(described, indexes, units))
        if not change:
            return True
        account.json("dynamodb", "UpdateTable", TableName=table, **change)
    except ApiError as error:
        print(
            f"deploy.sh: the table's warm throughput could not be raised: {error}. Run ./deploy.sh again; where it is "
            "more than the account may have, ask for more (Service Quotas, DynamoDB) or set warm_throughput to less.",
            file=sys.stderr,
        )
        return False
    billed = "" if account.endpoint else ", billed once by the units that are added"
    print(
        f"Raising the table's warm throughput to {units} write units a second, and that of its indexes to half as many"
        f"{billed}. When it is there (ACTIVE), in some minutes:\n"
        f"  aws dynamodb describe-table --region {account.region} --table-name {table} \\\n"
        "      --query 'Table.[WarmThroughput, GlobalSecondaryIndexes[].WarmThroughput]'",
        flush=True,
    )
    return True


def _change(table: dict[str, Any], indexes: list[dict[str, Any]], units: int) -> Iterator[tuple[str, Any]]:
    """The parts of the UpdateTable request."""

    def less(part: dict[str, Any], wanted: int) -> bool:
        return int(part.get("WarmThroughput", {}).get("WriteUnitsPerSecond", 0)) < wanted

    if less(table, units):
        yield "WarmThroughput", {"WriteUnitsPerSecond": units}
    half = (units + 1) // 2
    updates = [
        {"Update": {"IndexName": index["IndexName"], "WarmThroughput": {"WriteUnitsPerSecond": half}}}
        for index in indexes
        if less(index, half)
    ]
    if updates:
        yield "GlobalSecondaryIndexUpdates", updates
