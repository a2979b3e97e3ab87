"""Versions with snapshots: awaited while they are called, removed when they are not."""

from __future__ import annotations

from typing import Any

import pytest

from tools.deploy import snapshots
from tools.deploy.account import Account
from tools.deploy.sigv4 import ApiError, Credentials

SNAPSHOT: dict[str, Any] = {"SnapStart": {"ApplyOn": "PublishedVersions", "OptimizationStatus": "On"}}
NONE: dict[str, Any] = {"SnapStart": {"ApplyOn": "None", "OptimizationStatus": "Off"}}
LATEST = {"Version": "$LATEST", **SNAPSHOT}


class Lambda(Account):
    """An account with functions, each of whose lists comes in pages of two."""

    versions: dict[str, list[dict[str, Any]]]
    aliases: dict[str, list[dict[str, Any]]]
    #: "function:version" -> its states, one an answer.
    states: dict[str, list[str]]
    refused: tuple[str, ...]
    asked: list[str]

    def __new__(cls, *_arguments: Any, **_options: Any) -> Lambda:
        made = object.__new__(cls)
        for name, value in {"versions": {}, "aliases": {}, "states": {}, "refused": (), "asked": []}.items():
            object.__setattr__(made, name, value)
        return made

    def rest(self, service: str, path: str, method: str = "GET", **parameters: Any) -> dict[str, Any]:
        assert service == "lambda" and path.startswith("/2015-03-31/functions/")
        name, _, what = path.removeprefix("/2015-03-31/functions/").partition("/")
        self.asked.append(f"{method} {name} {what or parameters['Qualifier']}")
        if f"{method} {name}" in self.refused:
            raise ApiError("AccessDenied", "no")
        if method == "DELETE":
            return {}
        if what == "configuration":
            states = self.states[f"{name}:{parameters['Qualifier']}"]
            return {"State": states.pop(0) if len(states) > 1 else states[0], "StateReason": "it raises"}
        held = {"versions": self.versions, "aliases": self.aliases}[what].get(name, [])
        first = int(parameters.get("Marker", 0))
        more = {"NextMarker": str(first + 2)} if len(held) > first + 2 else {}
        return {what.capitalize(): held[first : first + 2]} | more

    def removed(self) -> list[str]:
        return [line.removeprefix("DELETE ") for line in self.asked if line.startswith("DELETE")]


@pytest.fixture
def account() -> Lambda:
    return Lambda(Credentials("A", "S", None, "the file"), "us-east-1")


@pytest.fixture
def slept(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """The pauses that were made, without making them."""
    pauses: list[float] = []
    monkeypatch.setattr(snapshots.time, "sleep", pauses.append)
    return pauses


def published(*numbers: int) -> list[dict[str, Any]]:
    return [LATEST, *({"Version": str(number), **SNAPSHOT} for number in numbers)]


def test_versions_that_no_alias_names_go_when_their_last_calls_have_ended(
    account: Lambda, slept: list[float], capsys: pytest.CaptureFixture[str]
) -> None:
    account.versions["f"] = [*published(1, 2, 3, 4, 5), {"Version": "6", **NONE}]
    account.aliases["f"] = [
        {"FunctionVersion": "5", "RoutingConfig": {"AdditionalVersionWeights": {"3": 0.1}}},
        {"FunctionVersion": "$LATEST", "RoutingConfig": None},
        {"FunctionVersion": "2"},  # a user's own
    ]
    account.states |= {f"f:{number}": ["Active"] for number in (2, 3, 5)}
    account.versions["off"] = published(1)  # switched off: no alias any more
    account.versions["plain"] = [{"Version": "$LATEST", **NONE}, {"Version": "1", **NONE}]
    assert snapshots.settle(account, ["f", "off", "plain", "never"], 30)
    assert account.removed() == ["f 1", "f 4", "off 1"] and slept == [30]
    assert "Removing 3 old versions of functions" in capsys.readouterr().out


def test_without_snapshots_nothing_is_said_and_little_asked(
    account: Lambda, slept: list[float], capsys: pytest.CaptureFixture[str]
) -> None:
    account.versions["plain"] = [{"Version": "$LATEST", **NONE}]
    assert snapshots.settle(account, ["plain"])
    assert account.asked == ["GET plain versions"] and slept == [] and capsys.readouterr().out == ""


def test_a_version_that_callers_reach_is_awaited(
    account: Lambda, slept: list[float], capsys: pytest.CaptureFixture[str]
) -> None:
    account.versions["f"] = published(1)
    account.aliases["f"] = [{"FunctionVersion": "1"}]
    account.states["f:1"] = ["Pending", "Pending", "Active"]
    assert snapshots.settle(account, ["f"])
    assert slept == [snapshots.POLL_SECONDS] * 2 and account.removed() == []
    assert capsys.readouterr().out == "Waiting for the snapshot of f\n"


@pytest.mark.parametrize(
    ("state", "seconds", "said"),
    [("Failed", 600, "version 1 of f has no snapshot (it raises)"), ("Pending", 0, "of f is not ready")],
)
def test_a_snapshot_that_does_not_come_is_told_and_the_others_go_on(
    account: Lambda,
    slept: list[float],
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    state: str,
    seconds: int,
    said: str,
) -> None:
    monkeypatch.setattr(snapshots, "WAIT_SECONDS", seconds)
    for name in ("f", "g"):
        account.versions[name] = published(1, 2)
    account.aliases["f"] = [{"FunctionVersion": "1"}]
    account.states["f:1"] = [state]
    assert not snapshots.settle(account, ["f", "g"])
    assert account.removed() == ["f 2", "g 1", "g 2"] and said in capsys.readouterr().err


@pytest.mark.parametrize("refused", ["GET f", "DELETE f"])
def test_what_is_refused_is_told_and_the_others_go_on(
    account: Lambda, slept: list[float], capsys: pytest.CaptureFixture[str], refused: str
) -> None:
    account.versions |= {"f": published(1), "g": published(1)}
    object.__setattr__(account, "refused", (refused,))
    assert not snapshots.settle(account, ["f", "g"])
    assert "g 1" in account.removed()
    assert "AccessDenied" in (said := capsys.readouterr().err) and " f" in said
