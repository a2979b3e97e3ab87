"""Warm throughput: raised where the table or an index takes less than was asked for, never lowered."""

from __future__ import annotations

from typing import Any

import pytest

from tools.deploy import warm_throughput
from tools.deploy.account import Account
from tools.deploy.sigv4 import ApiError, Credentials

NEW = {"ReadUnitsPerSecond": 12000, "WriteUnitsPerSecond": 4000}


class Table(Account):
    """An account with one table and its two indexes, which refuses to lower what they take."""

    warm: dict[str, dict[str, Any]]
    refused: str
    updates: int

    def __new__(cls, *_arguments: Any, **_options: Any) -> Table:
        made = object.__new__(cls)
        warm = {name: dict(NEW) for name in ("", "by_size", "by_uploaded_at")}
        for name, value in {"warm": warm, "refused": "", "updates": 0}.items():
            object.__setattr__(made, name, value)
        return made

    def json(self, service: str, action: str, **body: Any) -> dict[str, Any]:
        assert (service, body.pop("TableName")) == ("dynamodb", "cats")
        if action == self.refused:
            raise ApiError("AccessDeniedException", "no")
        if action == "UpdateTable":
            object.__setattr__(self, "updates", self.updates + 1)
            changes = {"": body.pop("WarmThroughput")} if "WarmThroughput" in body else {}
            for index in body.pop("GlobalSecondaryIndexUpdates", []):
                changes[index["Update"]["IndexName"]] = index["Update"]["WarmThroughput"]
            assert changes and not body
            for name, units in changes.items():
                assert all(units[unit] >= self.warm[name].get(unit, 0) for unit in self.warm[name])
                self.warm[name] = units
            return {}
        assert action == "DescribeTable"
        indexes = [
            {"IndexName": name, "WarmThroughput": {**units, "Status": "ACTIVE"}}
            for name, units in self.warm.items()
            if name
        ]
        return {
            "Table": {
                "WarmThroughput": {**self.warm[""], "Status": "ACTIVE"},
                "GlobalSecondaryIndexes": indexes,
            }
        }


@pytest.fixture
def account() -> Table:
    return Table(Credentials("A", "S", None, "the file"), "us-east-1")


def test_table_and_indexes_are_raised_once_and_together(
    account: Table, capsys: pytest.CaptureFixture[str]
) -> None:
    wanted = {"read_units_per_second": None, "write_units_per_second": 20000}
    assert warm_throughput.ensure(account, "cats", wanted)
    raised = {"ReadUnitsPerSecond": 12000, "WriteUnitsPerSecond": 20000}
    assert account.warm == {"": raised, "by_size": raised, "by_uploaded_at": raised} and account.updates == 1
    assert "the table, by_size, by_uploaded_at" in capsys.readouterr().out
    assert warm_throughput.ensure(account, "cats", wanted)
    assert account.updates == 1 and capsys.readouterr().out == ""


def test_what_has_grown_meanwhile_stays(account: Table, capsys: pytest.CaptureFixture[str]) -> None:
    account.warm[""] = {"ReadUnitsPerSecond": 50000, "WriteUnitsPerSecond": 30000}
    account.warm["by_size"]["WriteUnitsPerSecond"] = 30000
    wanted = {"read_units_per_second": 15000, "write_units_per_second": 20000}
    assert warm_throughput.ensure(account, "cats", wanted)
    assert account.warm == {
        "": {"ReadUnitsPerSecond": 50000, "WriteUnitsPerSecond": 30000},
        "by_size": {"ReadUnitsPerSecond": 15000, "WriteUnitsPerSecond": 30000},
        "by_uploaded_at": {"ReadUnitsPerSecond": 15000, "WriteUnitsPerSecond": 20000},
    }
    assert "of by_size, by_uploaded_at:" in capsys.readouterr().out


def test_an_account_that_does_not_tell_is_asked(account: Table) -> None:
    account.warm[""] = {}
    assert warm_throughput.ensure(account, "cats", {"write_units_per_second": 20000})
    assert account.warm[""] == {"WriteUnitsPerSecond": 20000}


@pytest.mark.parametrize("action", ["DescribeTable", "UpdateTable"])
def test_what_is_refused_is_told_with_what_to_do(
    account: Table, capsys: pytest.CaptureFixture[str], action: str
) -> None:
    object.__setattr__(account, "refused", action)
    assert not warm_throughput.ensure(account, "cats", {"write_units_per_second": 20000})
    said = capsys.readouterr()
    assert said.out == "" and "of cats is as it was" in said.err and "null" in said.err


def test_nothing_that_is_wanted_is_nothing_done(account: Table) -> None:
    assert warm_throughput.ensure(account, "cats", {"read_units_per_second": None})
    assert account.updates == 0
