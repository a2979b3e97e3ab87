"""Every package below lambdas/shared is held by the linters that pyproject.toml configures."""

from __future__ import annotations

import re
import tomllib

from tests.contract.declared import ROOT

ROOMS = sorted(path.parent.name for path in (ROOT / "lambdas/shared").glob("*/__init__.py"))
TOOLS = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["tool"]


def test_import_linter_reads_every_room_and_gives_it_a_floor() -> None:
    rules = TOOLS["importlinter"]
    assert sorted(rules["root_packages"]) == ROOMS
    floors = [
        contract["layers"] for contract in rules["contracts"] if "image_api" in contract.get("layers", ())
    ]
    assert len(floors) == 1
    assert set(ROOMS) <= set(re.findall(r"\w+", " ".join(floors[0])))


def test_mypy_and_ruff_know_every_room() -> None:
    assert sorted(TOOLS["mypy"]["packages"]) == ROOMS
    assert set(ROOMS) <= set(TOOLS["ruff"]["lint"]["isort"]["known-first-party"])
