"""Warm throughput: raised where the table or an index takes less than was asked for, never lowered."""

from __future__ import annotations

from typing import Any, cast

import pytest

from tools.deploy import warm_throughput
from tools.deploy.account import Account
from tools.deploy.sigv4 import ApiError


class Table:
    """An account with one table and its two indexes, which refuses to lower what they take."""

    region, endpoint = "eu-west-3", None

    def __init__(self) -> None:
        self.warm: dict[str, dict[str, Any]] = {
            name: {"ReadUnitsPerSecond": 12000, "WriteUnitsPerSecond": 4000, "Status": "ACTIVE"}
            for name in ("", "by_size", "by_uploaded_at")
        }
        self.refused = ""
        self.updates = 0

    def json(self, service: str, action: str, **body: Any) -> dict[str, Any]:
        """DescribeTable and UpdateTable."""
        assert (service, body.pop("TableName")) == ("dynamodb", "cats")
        if action == self.refused:
            raise ApiError("LimitExceededException", "too much")
        if action == "UpdateTable":
            self.updates += 1
            changes = {"": body.pop("WarmThroughput")} if "WarmThroughput" in body else {}
            for index in body.pop("GlobalSecondaryIndexUpdates", []):
                changes[index["Update"]["IndexName"]] = index["Update"]["WarmThroughput"]
            assert changes and not body
            for name, units in changes.items():
                assert all(value > self.warm[name][unit] for unit, value in units.items())
                self.warm[name] |= units
            return {}
        assert action == "DescribeTable"
        indexes = [{"IndexName": name, "WarmThroughput": warm} for name, warm in self.warm.items() if name]
        return {"Table": {"WarmThroughput": self.warm[""], "GlobalSecondaryIndexes": indexes}}

    def units(self) -> list[int]:
        """The write units of the table and of its indexes."""
        return [warm["WriteUnitsPerSecond"] for warm in self.warm.values()]


@pytest.fixture
def table() -> Table:
    return Table()


def ensure(table: Table, units: int) -> bool:
    return warm_throughput.ensure(cast(Account, table), "cats", units)


def test_table_and_indexes_are_raised_once_and_together(
    table: Table, capsys: pytest.CaptureFixture[str]
) -> None:
    assert ensure(table, 20001)
    assert (table.units(), table.updates) == ([20001, 10001, 10001], 1)
    said = capsys.readouterr().out
    assert "20001 write units" in said and "billed once" in said and "--region eu-west-3" in said
    assert ensure(table, 20001)
    assert table.updates == 1 and capsys.readouterr().out == ""


def test_what_has_grown_meanwhile_stays(table: Table) -> None:
    table.warm[""]["WriteUnitsPerSecond"] = 30000
    table.warm["by_size"]["WriteUnitsPerSecond"] = 12000
    assert ensure(table, 20000)
    assert table.units() == [30000, 12000, 10000]


def test_what_a_new_table_has_is_no_change(table: Table) -> None:
    assert ensure(table, 4000) and table.updates == 0


@pytest.mark.parametrize("part", ["", "by_size"])
def test_what_is_being_raised_is_not_asked_for_again(
    table: Table, capsys: pytest.CaptureFixture[str], part: str
) -> None:
    table.warm[part]["Status"] = "UPDATING"  # until it is done, what was there before is told
    assert ensure(table, 20000) and table.updates == 0
    assert "being raised already" in capsys.readouterr().out


def test_an_emulator_that_knows_no_warm_throughput_is_asked_and_bills_nothing(
    table: Table, capsys: pytest.CaptureFixture[str]
) -> None:
    table.endpoint = "http://127.0.0.1:4566"
    table.warm |= {"": {"WriteUnitsPerSecond": 0}, "by_size": {"WriteUnitsPerSecond": 0}}
    assert ensure(table, 20000) and table.units() == [20000, 10000, 10000]
    assert "billed" not in capsys.readouterr().out


@pytest.mark.parametrize("action", ["DescribeTable", "UpdateTable"])
def test_what_is_refused_is_told_with_what_to_do(
    table: Table, capsys: pytest.CaptureFixture[str], action: str
) -> None:
    table.refused = action
    assert not ensure(table, 20000)
    said = capsys.readouterr()
    assert said.out == "" and "too much" in said.err and "Service Quotas" in said.err
