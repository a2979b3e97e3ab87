"""An account that has LabRole, as AWS Academy's Learner Labs do: used as it is, and no role is made.

It is deployed by whom a student is there, the role voclabs, which may make no IAM; with more settings than a student's
(conftest.py). The tests run in this order, the first ones on their local AWS; test_zz_teardown.py takes it away.
"""

from __future__ import annotations

from tests.support.samples import SAMPLES
from tests.support.stack import LEFT_OVER, Site, Stack


def test_what_a_lab_does_not_admit_is_told_before_anything_is_done(lab_site: Site) -> None:
    there = lab_site.inventory()
    elsewhere = lab_site.deploy_script(AWS_REGION="eu-west-1")
    assert elsewhere.returncode == 1 and "us-east-1 and us-west-2" in elsewhere.stderr
    checked = lab_site.deploy_script("check")
    assert checked.returncode == 0, checked.stdout + checked.stderr
    assert "(a Learner Lab)" in checked.stdout and "role/LabRole" in checked.stdout
    assert lab_site.inventory() == there == {"roles": ["LabRole", "voclabs"]}


def test_no_role_is_made_and_every_function_runs_as_lab_role(lab_site: Site, lab_stack: Stack) -> None:
    state = lab_site.terraform.capture("show", "-json", str(lab_site.terraform.state)).stdout
    assert '"aws_lambda_function"' in state and '"aws_iam_' not in state
    functions = lab_site.client("lambda").list_functions()["Functions"]
    assert {function["Role"].rpartition("/")[2] for function in functions} == {"LabRole"}
    assert lab_site.inventory()["roles"] == ["LabRole", "voclabs"]


def test_log_groups_that_are_left_are_taken_over(lab_stack: Stack) -> None:
    for group in LEFT_OVER:
        assert f"The log group {group} is there already, and taken over" in lab_stack.said


def test_it_works(lab_site: Site, lab_stack: Stack) -> None:
    verified = lab_site.deploy_script("verify")
    assert verified.returncode == 0, verified.stdout + verified.stderr
    for step in ("upload", "event", "record", "summary", "delete"):
        assert f"  ok  {step} " in verified.stdout
    assert '"outcome": "created"' in verified.stdout and lab_stack.listed() == []
    record = lab_stack.put_and_wait("uploads/photo.webp", SAMPLES["photo.webp"])
    assert record["content_type"] == "image/webp"
