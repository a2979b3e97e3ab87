"""What the Terraform configuration declares, read from its text: the table, the routes, the functions.

The values come back as Python's; an expression that only Terraform can evaluate stays the text ``${...}``.
"""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path
from typing import Any

import hcl2

ROOT = Path(__file__).resolve().parents[2]
TERRAFORM = ROOT / "terraform"
#: The module that is the product; the root, "", hands it its variables.
PRODUCT = "image_metadata"


def plain(value: Any) -> Any:
    """A value of hcl2's tree without its quotes and markers."""
    if isinstance(value, dict):
        return {plain(name): plain(entry) for name, entry in value.items() if name != "__is_block__"}
    if isinstance(value, list):
        return [plain(entry) for entry in value]
    if isinstance(value, str) and len(value) > 1 and value[0] == value[-1] == '"':
        return value[1:-1]
    return value


@cache
def configuration(module: str = PRODUCT) -> dict[str, list[Any]]:
    """Block type -> blocks, of every file of `modules/<module>`; "" is the root."""
    folder = TERRAFORM / "modules" / module if module else TERRAFORM
    blocks: dict[str, list[Any]] = {}
    for path in sorted(folder.glob("*.tf")):
        for kind, found in plain(hcl2.loads(path.read_text(encoding="utf-8"))).items():
            blocks.setdefault(kind, []).extend(found)
    return blocks


def labelled(kind: str, module: str = PRODUCT) -> dict[str, Any]:
    """The blocks of a kind with one label (variable, module, output) by that label."""
    return {label: body for block in configuration(module).get(kind, []) for label, body in block.items()}


def resource(kind: str, name: str, module: str = PRODUCT) -> dict[str, Any]:
    """One resource's body."""
    for block in configuration(module)["resource"]:
        if name in block.get(kind, {}):
            body: dict[str, Any] = block[kind][name]
            return body
    raise LookupError(f"Terraform declares no {kind}.{name} in {module or 'the root'}")


def local_value(name: str, module: str = PRODUCT) -> Any:
    """A value of the `locals` blocks."""
    for block in configuration(module)["locals"]:
        if name in block:
            return block[name]
    raise LookupError(f"Terraform has no local {name} in {module or 'the root'}")


def declared_variables() -> dict[str, dict[str, Any]]:
    """What a deployment can set, with its default: the root's own, or where that is null the module's."""
    return {
        name: labelled("variable").get(name, {})
        | {key: value for key, value in body.items() if value is not None}
        for name, body in labelled("variable", "").items()
    }


def declared_table() -> dict[str, Any]:
    """The table as boto3's `create_table` takes it, but for its name."""
    table = resource("aws_dynamodb_table", "this", "table")
    return {
        "BillingMode": table["billing_mode"],
        "AttributeDefinitions": [
            {"AttributeName": attribute["name"], "AttributeType": attribute["type"]}
            for attribute in table["attribute"]
        ],
        "KeySchema": _key_schema(table),
        "GlobalSecondaryIndexes": [
            {
                "IndexName": index["name"],
                "KeySchema": _key_schema(index),
                "Projection": {"ProjectionType": index["projection_type"]},
            }
            for index in table["global_secondary_index"]
        ],
    }


def _key_schema(owner: dict[str, Any]) -> list[dict[str, str]]:
    schema = [{"AttributeName": owner["hash_key"], "KeyType": "HASH"}]
    if "range_key" in owner:
        schema.append({"AttributeName": owner["range_key"], "KeyType": "RANGE"})
    return schema


def declared_functions() -> dict[str, dict[str, Any]]:
    """Function -> what its file declares: description, routes, settings, permissions, what else invokes it."""
    return {
        name: local_value(reference.removeprefix("${local.").removesuffix("}"))
        for name, reference in local_value("declared_functions").items()
    }


def declared_routes() -> dict[str, str]:
    """`METHOD /path` -> function."""
    return {
        route: name for name, function in declared_functions().items() for route in function.get("routes", [])
    }


def allowed_actions(function: str) -> set[str]:
    """The actions of IAM that a function's file grants it, on whatever resource, with whatever variables set."""

    def followed(text: str) -> str:
        return re.sub(r"local\.(may_\w+)", lambda found: followed(str(local_value(found[1]))), text)

    # A condition names keys that look like actions.
    lists = re.findall(
        r"\bactions\b(.*?)\bresources\b", followed(str(declared_functions()[function]["permissions"]))
    )
    return {action for each in lists for action in re.findall(r"\w+:[A-Z]\w+", each)}


def environment_of(function: str) -> dict[str, Any]:
    """The environment variables that Terraform gives a function (modules/image_metadata/functions.tf)."""
    declared = declared_functions()[function]
    return (
        local_value("common_settings")
        | {"POWERTOOLS_SERVICE_NAME": function}
        | (local_value("api_settings") if "routes" in declared else {})
        | (local_value("authorizer_settings") if "authorizes" in declared else {})
        | declared.get("settings", {})
    )
