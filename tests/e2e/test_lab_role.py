"""An account that has LabRole, as AWS Academy's Learner Labs do: used as it is, and no role is made."""

import json

import pytest

from tools.dev import demo

from .stack import Site, Stack

TRUST = {
    "Version": "2012-10-17",
    "Statement": [
        {"Effect": "Allow", "Principal": {"Service": "lambda.amazonaws.com"}, "Action": "sts:AssumeRole"}
    ],
}
ALL = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}]}


@pytest.fixture(scope="module")
def lab(other_site: Site) -> Stack:
    """A deployment into an account with LabRole."""
    iam = other_site.client("iam")
    iam.create_role(RoleName="LabRole", AssumeRolePolicyDocument=json.dumps(TRUST))
    iam.put_role_policy(RoleName="LabRole", PolicyName="all", PolicyDocument=json.dumps(ALL))
    return other_site.deploy()


def test_no_role_is_made_and_every_function_runs_as_lab_role(other_site: Site, lab: Stack) -> None:
    state = other_site.terraform.capture("show", "-json", str(other_site.terraform.state)).stdout
    assert '"aws_lambda_function"' in state and '"aws_iam_' not in state
    functions = other_site.client("lambda").list_functions()["Functions"]
    assert {function["Role"].rpartition("/")[2] for function in functions} == {"LabRole"}
    assert other_site.inventory()["roles"] == ["LabRole"]


def test_it_works(lab: Stack) -> None:
    record = lab.put_and_wait("uploads/photo.webp", demo.sample_images()["photo.webp"])
    assert record["content_type"] == "image/webp"


def test_plain_terraform_destroy_leaves_nothing_but_what_was_there(other_site: Site, lab: Stack) -> None:
    done = other_site.terraform.capture(
        "destroy", "-auto-approve", "-input=false", "-no-color", *other_site.variable_files()
    )
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-3000:]
    assert other_site.inventory() == {"roles": ["LabRole"]}
