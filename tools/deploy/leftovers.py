"""What an account holds under a deployment's name, asked by reading alone. Standard library only."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import partial

from tools.deploy.account import PAGES, Account, pages, texts
from tools.deploy.sigv4 import ApiError


def of_deployment(account: Account, name: str) -> dict[str, list[str]]:
    """Kind -> the names of what ``name`` (prefix-stage) begins; kinds that there are none of are left out.

    A kind that may not be asked has the reason in place of a name.
    """
    found: dict[str, list[str]] = {}
    for kind, ask in _KINDS.items():
        try:
            names = sorted(entry for entry in ask(account, name) if _belongs(kind, entry, name))
        except ApiError as error:
            names = [f"could not be asked ({error.code})"]
        if names:
            found[kind] = names
    return found


def _belongs(kind: str, entry: str, name: str) -> bool:
    plain = (
        entry.removeprefix("/aws/lambda/").removeprefix("/aws/apigateway/") if kind == "log group" else entry
    )
    return plain == name or plain.startswith(f"{name}-")


def log_groups(account: Account, names: Iterable[str]) -> list[str]:
    """Those of the log groups ``names`` that are there. Raises ApiError."""
    there = []
    for name in names:
        answer = account.json("logs", "DescribeLogGroups", logGroupNamePrefix=name)
        if any(group["logGroupName"] == name for group in answer.get("logGroups", [])):
            there.append(name)
    return there


def remove_late_log_groups(account: Account, functions: Iterable[str]) -> list[str]:
    """Delete the log groups of a destroyed deployment's functions that a late line made again; returns their names.

    With a role of one's own for all functions this happens: it may make log groups, and outlives the deployment.
    """
    late = log_groups(account, (f"/aws/lambda/{name}" for name in functions))
    for group in late:
        account.json("logs", "DeleteLogGroup", logGroupName=group)
    return late


def _buckets(account: Account, _name: str) -> Iterable[str]:
    return texts(account.s3("GET", "/"), "Name")


def _tables(account: Account, _name: str) -> Iterable[str]:
    ask = partial(account.json, "dynamodb", "ListTables")
    return pages(ask, "TableNames", "ExclusiveStartTableName", "LastEvaluatedTableName")


def _queues(account: Account, name: str) -> Iterable[str]:
    answer = account.json("sqs", "ListQueues", QueueNamePrefix=name)
    return [url.rpartition("/")[2] for url in answer.get("QueueUrls", [])]


def _functions(account: Account, _name: str) -> Iterable[str]:
    ask = partial(account.rest, "lambda", "/2015-03-31/functions/")
    return (entry["FunctionName"] for entry in pages(ask, "Functions", "Marker", "NextMarker"))


def _gateway(path: str) -> Callable[[Account, str], Iterable[str]]:
    def names(account: Account, _name: str) -> Iterable[str]:
        ask = partial(account.rest, "apigateway", path, limit=500)
        return (entry["name"] for entry in pages(ask, "item", "position", "position"))

    return names


def _log_groups(account: Account, name: str) -> Iterable[str]:
    for start in ("/aws/lambda/", "/aws/apigateway/"):
        answer = account.json("logs", "DescribeLogGroups", logGroupNamePrefix=f"{start}{name}")
        yield from (group["logGroupName"] for group in answer.get("logGroups", []))


def _alarms(account: Account, name: str) -> Iterable[str]:
    return texts(account.query("monitoring", "DescribeAlarms", AlarmNamePrefix=name), "AlarmName")


def _dashboards(account: Account, name: str) -> Iterable[str]:
    return texts(account.query("monitoring", "ListDashboards", DashboardNamePrefix=name), "DashboardName")


def _rules(account: Account, name: str) -> Iterable[str]:
    return [rule["Name"] for rule in account.json("events", "ListRules", NamePrefix=name).get("Rules", [])]


def _roles(account: Account, _name: str) -> Iterable[str]:
    position: dict[str, str] = {}
    for _ in range(PAGES):
        answer = account.query("iam", "ListRoles", MaxItems="1000", **position)
        yield from texts(answer, "RoleName")
        marker = next(texts(answer, "Marker"), "")
        if not marker:
            return
        position = {"Marker": marker}


_KINDS: dict[str, Callable[[Account, str], Iterable[str]]] = {
    "bucket": _buckets,
    "table": _tables,
    "queue": _queues,
    "function": _functions,
    "API": _gateway("/restapis"),
    "API key": _gateway("/apikeys"),
    "usage plan": _gateway("/usageplans"),
    "log group": _log_groups,
    "alarm": _alarms,
    "dashboard": _dashboards,
    "rule": _rules,
    "role": _roles,
}
