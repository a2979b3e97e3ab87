"""The examples use what there is: the module's variables and outputs, deploy.sh's commands, Terraform's own backend."""

from __future__ import annotations

import re
from pathlib import Path

import hcl2
import pytest
import yaml

from tests.contract.declared import ROOT, labelled, plain
from tools.deploy.deploy import parse_arguments

EXAMPLES = sorted((ROOT / "examples").glob("*/main.tf"))


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.parent.name)
def test_an_example_gives_what_the_module_takes_and_uses_what_it_returns(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    (call,) = plain(hcl2.loads(text))["module"]
    arguments = call["image_metadata"]
    assert (path.parent / arguments.pop("source")).resolve() == ROOT / "terraform/modules/image_metadata"
    needed = {name for name, body in labelled("variable").items() if "default" not in body}
    assert needed <= set(arguments) <= set(labelled("variable"))
    assert set(re.findall(r"module\.image_metadata\.(\w+)", text)) <= set(labelled("output"))


def test_the_readme_leads_to_every_example() -> None:
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    assert EXAMPLES and all(f"({path.relative_to(ROOT)})" in readme for path in EXAMPLES)


def test_the_workflow_runs_commands_that_there_are() -> None:
    workflow = yaml.safe_load((ROOT / "examples/github_actions/deploy.yml").read_text(encoding="utf-8"))
    steps = workflow["jobs"]["deploy"]["steps"]
    commands = [step["run"].split() for step in steps if step.get("run", "").startswith("./deploy.sh")]
    asked = [parse_arguments(command[1:])[0].command for command in commands]
    assert asked == ["check", "plan", "deploy", "verify"]
    assert workflow["permissions"] == {"contents": "read", "id-token": "write"}
    by_hand = [step for step in steps if step.get("run") == "./deploy.sh -no-color"]
    assert by_hand[0]["if"] == "github.event_name == 'workflow_dispatch'", "never by a pull request"


def test_the_state_in_s3_is_locked_and_encrypted() -> None:
    blocks = plain(hcl2.loads((ROOT / "terraform/backend.tf.example").read_text(encoding="utf-8")))
    (backend,) = blocks["terraform"][0]["backend"]
    assert backend["s3"]["use_lockfile"] is True and backend["s3"]["encrypt"] is True
