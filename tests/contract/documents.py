"""What the documents state, read from their text: the README's tables and the OpenAPI document."""

from __future__ import annotations

import re
from collections.abc import Collection
from functools import cache
from typing import Any

import yaml

from tests.contract.declared import ROOT

METHODS = ("get", "put", "post", "delete", "patch")
_CODE = re.compile(r"`([^`]+)`")


def table(document: str, first_column: str) -> list[list[str]]:
    """The rows of a document's table whose first column has that heading, as lists of cells."""
    found = re.search(
        rf"^\| {re.escape(first_column)} \|.*\n\|[-:| ]+\n((?:\|.*\n)+)",
        (ROOT / document).read_text(encoding="utf-8"),
        re.MULTILINE,
    )
    assert found, f"{document} has no table whose first column is {first_column}"
    return [[cell.strip() for cell in line.strip()[1:-1].split("|")] for line in found[1].splitlines()]


def readme_table(first_column: str) -> list[list[str]]:
    """Such a table of the README."""
    return table("README.md", first_column)


def assert_same(stated: Collection[str], there: Collection[str], document: str) -> None:
    """A document names what there is, and nothing else."""
    lacking, beyond = sorted(set(there) - set(stated)), sorted(set(stated) - set(there))
    assert not lacking, f"{document} lacks {', '.join(lacking)}"
    assert not beyond, f"{document} has {', '.join(beyond)}, which there is not"


def code_in(cell: str) -> list[str]:
    """What a cell sets as code."""
    return _CODE.findall(cell)


@cache
def openapi() -> dict[str, Any]:
    """The OpenAPI document."""
    document: dict[str, Any] = yaml.safe_load((ROOT / "docs/openapi.yaml").read_text(encoding="utf-8"))
    return document


def resolved(node: dict[str, Any]) -> dict[str, Any]:
    """What a `$ref` of the OpenAPI document stands for; anything else as it is."""
    while "$ref" in node:
        target: Any = openapi()
        for name in node["$ref"].removeprefix("#/").split("/"):
            target = target[name]
        node = target
    return node


def operations() -> dict[str, dict[str, Any]]:
    """`METHOD /path` -> the operation that the OpenAPI document describes."""
    return {
        f"{method.upper()} {path}": operation
        for path, described in openapi()["paths"].items()
        for method, operation in described.items()
        if method in METHODS
    }


def operation(route: str) -> dict[str, Any]:
    """The operation of a declared route. OpenAPI has no greedy parameters: the plus sign is API Gateway's alone."""
    described = route.replace("+}", "}")
    assert described in operations(), f"docs/openapi.yaml lacks {described}"
    return operations()[described]


def parameters(described: dict[str, Any], place: str) -> list[dict[str, Any]]:
    """What an operation takes in that place: query, path or header."""
    found = map(resolved, described.get("parameters", []))
    return [parameter for parameter in found if parameter["in"] == place]


def statuses(described: dict[str, Any]) -> set[int]:
    """The statuses that an operation may answer with."""
    return {int(status) for status in described["responses"]}


def problems(described: dict[str, Any]) -> set[tuple[int, str]]:
    """Status and type of the problems that the examples of an operation's responses show."""
    return {
        (int(status), example["value"]["type"])
        for status, response in described["responses"].items()
        for form, content in resolved(response).get("content", {}).items()
        if form == "application/problem+json"
        for example in content["examples"].values()
    }
