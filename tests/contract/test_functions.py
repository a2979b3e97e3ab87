"""Terraform and the functions' code agree: which functions there are, what they answer, what they are told."""

from __future__ import annotations

import ast
import re
from functools import cache
from pathlib import Path

import hcl2
import pytest

from image_catalogue.dynamodb import COUNTER_PREFIX
from tests.contract.declared import (
    PRODUCT,
    ROOT,
    TERRAFORM,
    allowed_actions,
    configuration,
    declared_functions,
    declared_routes,
    declared_table,
    environment_of,
    labelled,
    local_value,
)
from tests.contract.documents import assert_same, table
from tools.deploy.package import read_declaration

LAMBDAS = ROOT / "lambdas"
SHARED = LAMBDAS / "shared"
#: What Powertools' logger reads by itself.
POWERTOOLS = {"LOG_LEVEL", "POWERTOOLS_SERVICE_NAME"}
MODULE = TERRAFORM / "modules" / PRODUCT
#: The root and every module.
MODULES = ["", *sorted(path.name for path in (TERRAFORM / "modules").iterdir() if path.is_dir())]
#: What of a function's declaration makes that it is invoked.
TRIGGERS = {"routes", "queue", "stream", "schedule", "authorizes"}
FUNCTIONS = sorted(path.parent.name for path in LAMBDAS.glob("*/lambda_function.py"))


@cache
def tree(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"))


@cache
def settings_read() -> dict[str, set[str]]:
    """Function of the settings module -> the environment variables it reads."""
    return {
        node.name: {
            call.args[0].value
            for call in ast.walk(node)
            if isinstance(call, ast.Call)
            and call.args
            and isinstance(call.args[0], ast.Constant)
            and isinstance(call.args[0].value, str)
            and call.args[0].value.isupper()
        }
        for node in tree(SHARED / "image_catalogue/settings.py").body
        if isinstance(node, ast.FunctionDef) and not node.name.startswith("_")
    }


@cache
def reached(function: str) -> set[Path]:
    """The files that a function's code can come to import; the settings, which all share, aside."""
    seen: set[Path] = set()
    waiting = [LAMBDAS / function / "lambda_function.py"]
    while waiting:
        path = waiting.pop()
        if path in seen or not path.is_file() or path.name == "settings.py":
            continue
        seen.add(path)
        for node in ast.walk(tree(path)):
            if isinstance(node, ast.ImportFrom):
                folder = path.parents[node.level - 1] if node.level else SHARED
                base = folder.joinpath(*(node.module or "").split(".")) if node.module else folder
                waiting += [base.with_suffix(".py"), base / "__init__.py"]
                waiting += [base / f"{alias.name}.py" for alias in node.names]
    return seen


def needed_by(function: str) -> set[str]:
    """The environment variables that a function's code can come to read, by following its imports."""
    reads = settings_read()
    return {
        name
        for path in reached(function)
        for node in ast.walk(tree(path))
        if isinstance(node, ast.Attribute)
        and isinstance(node.value, ast.Name)
        and node.value.id == "settings"
        and not node.attr.isupper()  # a constant, which reads none
        for name in reads[node.attr]
    }


def routes_in_code(function: str) -> set[str] | None:
    """The keys of the handler's ROUTES; None where it has none."""
    for node in tree(LAMBDAS / function / "lambda_function.py").body:
        targets = node.targets if isinstance(node, ast.Assign) else [getattr(node, "target", None)]
        if any(isinstance(target, ast.Name) and target.id == "ROUTES" for target in targets):
            assert isinstance(node, ast.Assign | ast.AnnAssign) and isinstance(node.value, ast.Dict)
            return {ast.literal_eval(key) for key in node.value.keys if key is not None}
    return None


def test_every_function_folder_is_deployed_and_every_deployed_function_has_a_folder() -> None:
    assert sorted(declared_functions()) == FUNCTIONS


@pytest.mark.parametrize("function", FUNCTIONS)
def test_a_function_goes_by_one_name(function: str) -> None:
    """Its place in the map, its declaration and its file bear the folder's name."""
    assert local_value("declared_functions")[function] == f"${{local.{function}}}"
    assert f"  {function} = {{\n" in (MODULE / f"{function}.tf").read_text(encoding="utf-8")


@pytest.mark.parametrize("function", FUNCTIONS)
def test_a_package_holds_what_its_function_imports(function: str) -> None:
    folder = LAMBDAS / function
    assert (folder / "requirements.txt").is_file(), f"{function} has no requirements.txt: run make lock"
    packed, _, _ = read_declaration(LAMBDAS, function)
    imported = {
        path.relative_to(SHARED).parts[0] for path in reached(function) if path.is_relative_to(SHARED)
    }
    assert imported == set(packed), f"shared in lambdas/{function}/package.toml must be {sorted(imported)}"


@pytest.mark.parametrize("function", FUNCTIONS)
def test_a_function_declares_nothing_that_is_not_read(function: str) -> None:
    """Terraform would pass over a word that it does not know, such as `rotues`."""
    readers = "".join(
        (MODULE / name).read_text(encoding="utf-8") for name in ("functions.tf", "routes.tf", "monitoring.tf")
    )
    read = set(re.findall(r"\b(?:each\.value|function)(?:\.|, \")(\w+)", readers))
    assert set(declared_functions()[function]) <= read


@pytest.mark.parametrize("function", FUNCTIONS)
def test_a_function_is_invoked_by_something(function: str) -> None:
    assert TRIGGERS & set(declared_functions()[function])


@pytest.mark.parametrize("function", FUNCTIONS)
def test_a_function_answers_the_routes_that_lead_to_it(function: str) -> None:
    leading = {route for route, target in declared_routes().items() if target == function}
    assert (routes_in_code(function) or set()) == leading


def test_imports_are_followed_from_a_handler_to_what_it_reads_and_not_to_another_handler() -> None:
    assert "TABLE_NAME" in needed_by("info_images")
    assert "BUCKET_NAME" not in needed_by("info_images")
    assert [function for function in FUNCTIONS if "MAX_UPLOAD_BYTES" in needed_by(function)] == [
        "upload_image"
    ]


@pytest.mark.parametrize("function", FUNCTIONS)
def test_a_function_is_told_every_setting_that_it_reads(function: str) -> None:
    assert needed_by(function) <= set(environment_of(function))


@pytest.mark.parametrize("function", FUNCTIONS)
def test_a_function_reads_every_setting_of_its_own(function: str) -> None:
    """`settings` in its file; what all have, or all that answer routes, is not each one's to read."""
    assert set(declared_functions()[function].get("settings", {})) <= needed_by(function)


def test_settings_and_terraform_know_the_same_environment_variables() -> None:
    given = set().union(*(environment_of(function) for function in FUNCTIONS))
    assert given - POWERTOOLS == set().union(*settings_read().values())


def actions_in_security(function: str) -> set[str]:
    """What docs/security.md says that a function may do; a row without a name goes on with the one above it."""
    found, name = set(), ""
    for first, actions, _ in table("docs/security.md", "function"):
        name = first or name
        service = ""
        for stated, action in re.findall(r"(?:\b(\w+):)?\b([A-Z]\w+)", actions) if name == function else ():
            service = stated or service
            found.add(f"{service}:{action}")
    return found


@pytest.mark.parametrize("function", FUNCTIONS)
def test_the_security_document_states_what_a_function_may_do(function: str) -> None:
    sources = str(local_value("source_statements", "lambda_function"))
    granted = allowed_actions(function)
    for source, actions in re.findall(r"var\.(\w+) == null .*?Action = \[(.*?)\]", sources):
        granted |= set(re.findall(r'"(.+?)"', actions)) if source in declared_functions()[function] else set()
    assert_same(actions_in_security(function), granted, f"docs/security.md, {function},")


def test_the_security_document_lists_every_function_and_no_other() -> None:
    listed = [row[0] for row in table("docs/security.md", "function") if row[0]]
    assert_same(listed, [*FUNCTIONS, "all"], "docs/security.md, table of permissions,")


def test_a_permission_on_an_index_is_on_one_of_the_tables() -> None:
    indexes = {index["IndexName"] for index in declared_table()["GlobalSecondaryIndexes"]}
    for path in MODULE.glob("*.tf"):
        named = set(re.findall(r'/index/([^"]+)"', path.read_text(encoding="utf-8")))
        assert named <= indexes, f"{path.name} names indexes that the table lacks: {named - indexes}"


def test_every_piece_of_iam_is_optional() -> None:
    """With lambda_role_arn none is made: terraform/tests try the conditions that these counts name."""
    for module in MODULES:
        for block in configuration(module).get("resource", []):
            for kind, bodies in block.items():
                for body in bodies.values() if kind.startswith("aws_iam_") else ():
                    assert re.fullmatch(r"\$\{local\.(own|batch)_role( && .+)? \? 1 : 0\}", body["count"]), (
                        body
                    )


def test_the_counters_that_may_be_updated_are_those_that_the_code_keeps() -> None:
    assert local_value("counter_prefix") == COUNTER_PREFIX


def test_every_failed_event_is_counted_for_the_alarm() -> None:
    """The alarm looks for the messages of the log."""
    batch = (SHARED / "image_events/batch.py").read_text(encoding="utf-8")
    logged = re.findall(r"log\.error\(\s*\"([^\"]+)\"", batch)
    assert logged and set(logged) == set(local_value("failure_messages", "monitoring"))


def test_only_one_provider_is_needed() -> None:
    """No data source and no resource of another: offline, only this one can be had."""
    for module in MODULES:
        blocks = configuration(module)
        kinds = {next(iter(block)) for kind in ("resource", "data") for block in blocks.get(kind, [])}
        assert all(kind.startswith("aws_") or kind == "terraform_data" for kind in kinds), module


def test_the_root_hands_the_product_every_variable_as_it_is() -> None:
    """The root has the provider, and so region and tags; the product has the defaults and says what is admitted."""
    root, product = labelled("variable", ""), labelled("variable")
    call = dict(labelled("module", "")[PRODUCT])
    assert call.pop("source") == f"./modules/{PRODUCT}"
    assert call == {name: f"${{var.{name}}}" for name in product}
    assert set(root) - set(product) == {"region", "tags"}
    for name, body in product.items():
        assert root[name]["type"] == body["type"], name
        assert root[name]["description"] == body["description"], name
        assert root[name].get("sensitive") == body.get("sensitive"), name
        assert (root[name]["default"] is None) == ("default" in body), f"{name}: one default, in one place"
        assert body.get("default") is None or body.get("nullable") is False, f"{name}: null is the default"


def test_a_wrong_value_of_every_validated_variable_is_tried() -> None:
    path = TERRAFORM / "tests/variables.tftest.hcl"
    runs = [run for block in hcl2.loads(path.read_text(encoding="utf-8"))["run"] for run in block.values()]
    tried = set(re.findall(r"var\.(\w+)", str([run.get("expect_failures") for run in runs])))
    variables = [*labelled("variable", "").items(), *labelled("variable").items()]
    untried = {name for name, body in variables if "validation" in body} - tried
    assert tried and not untried, f"no run of {path.name} expects the failure of {untried}"


def test_the_root_hands_on_every_output() -> None:
    root, product = labelled("output", ""), labelled("output")
    assert set(root) - set(product) == {"region", "stage"}
    for name, body in product.items():
        kept = {key: value for key, value in body.items() if key in ("description", "sensitive")}
        assert root[name] == kept | {"value": f"${{module.{PRODUCT}.{name}}}"}, name


def test_every_variable_and_output_is_described() -> None:
    for module in MODULES:
        for kind in ("variable", "output"):
            for name, body in labelled(kind, module).items():
                assert body.get("description"), f"{kind} {name} of {module or 'the root'}"
                assert kind == "output" or "type" in body, f"variable {name} of {module or 'the root'}"
