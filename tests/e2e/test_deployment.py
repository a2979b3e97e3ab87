"""What the deployment itself promises: a second one changes nothing, roles are apart, no secret is in the output."""

import zipfile
from pathlib import Path

import pytest

from tests.support.stack import ROOT, Site, Stack
from tools.deploy import package

FUNCTIONS = package.function_names(ROOT / "lambdas")


def test_the_script_says_what_there_is_to_use(stack: Stack) -> None:
    assert stack.url in stack.said and "curl" in stack.said and stack.bucket in stack.said


def test_a_second_deployment_changes_nothing(site: Site, stack: Stack) -> None:
    again = site.deploy()
    assert "No changes." in again.said
    assert "0 added, 0 changed, 0 destroyed" in again.said
    assert dict(again.outputs) == dict(stack.outputs)


def test_every_function_has_a_role_of_its_own(site: Site, stack: Stack) -> None:
    functions = site.client("lambda").list_functions()["Functions"]
    names = {function["FunctionName"] for function in functions}
    assert names == set(stack.outputs["function_names"].values())
    # Only access tokens need a function that reads them, and only `pixels = "all"` one that looks at every picture.
    assert stack.outputs["function_names"].keys() == set(FUNCTIONS) - {"authorize", "analyse_image"}
    assert len({function["Role"] for function in functions}) == len(functions)


@pytest.mark.parametrize("name", ["get_image_metadata", "get_image", "info_images", "delete_image"])
def test_functions_that_read_no_image_bring_no_pillow(site: Site, stack: Stack, name: str) -> None:
    with zipfile.ZipFile(Path(site.environment["DEPLOY_DIR"]) / "build" / f"{name}.zip") as archive:
        held = archive.namelist()
    assert not [path for path in held if path.startswith(("PIL", "pillow", "image_metadata/formats"))]


def test_functions_have_no_more_than_their_zip(site: Site, stack: Stack) -> None:
    """The emulator's interpreter has boto3 alone, so a package that is not vendored would have failed elsewhere."""
    held = {path.name for path in (ROOT / ".local/venv").glob("lib/python*/site-packages/*")}
    assert not {"PIL", "aws_lambda_powertools", "image_metadata"} & held


def test_no_authentication_only_when_asked_for_and_never_silently(lab_stack: Stack) -> None:
    assert "warning" in lab_stack.said.lower()
    answer = lab_stack.get("/metadata", key=None)
    assert answer.status_code == 200, answer.text
