"""An account that has LabRole, as AWS Academy's Learner Labs do: used as it is, and no role is made.

It is deployed as a student does it: as the role voclabs, which may make no IAM. The same deployment is then changed
to the other ways to admit callers: signed requests (`auth = "iam"`), and everybody (`auth = "none"`). The tests run in
this order.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest
import requests
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

from tests.support.samples import JPEG, SAMPLES
from tests.support.stack import Site, Stack

ALL = {"Effect": "Allow", "Action": "*", "Resource": "*"}
NO_IAM = {
    "Effect": "Deny",
    "Action": ["iam:Create*", "iam:Put*", "iam:Attach*", "iam:SimulatePrincipalPolicy"],
    "Resource": "*",
}


def document(*statements: dict[str, Any]) -> str:
    return json.dumps({"Version": "2012-10-17", "Statement": list(statements)})


@pytest.fixture(scope="module", autouse=True)
def student(other_site: Site) -> Iterator[None]:
    """An account with LabRole, and the credentials of a student's session in it."""
    iam = other_site.client("iam")
    for name, who, statements in (
        ("LabRole", {"Service": "lambda.amazonaws.com"}, (ALL,)),
        ("voclabs", {"AWS": "*"}, (ALL, NO_IAM)),
    ):
        trust = document({"Effect": "Allow", "Principal": who, "Action": "sts:AssumeRole"})
        role = iam.create_role(RoleName=name, AssumeRolePolicyDocument=trust)["Role"]
        iam.put_role_policy(RoleName=name, PolicyName="all", PolicyDocument=document(*statements))
    session = other_site.client("sts").assume_role(RoleArn=role["Arn"], RoleSessionName="user1=A_Student")
    before = dict(other_site.environment)
    other_site.environment |= {
        "AWS_ACCESS_KEY_ID": session["Credentials"]["AccessKeyId"],
        "AWS_SECRET_ACCESS_KEY": session["Credentials"]["SecretAccessKey"],
        "AWS_SESSION_TOKEN": session["Credentials"]["SessionToken"],
    }
    yield
    other_site.environment = before


@pytest.fixture(scope="module")
def lab(other_site: Site, student: None) -> Stack:
    """A deployment into it."""
    return other_site.deploy()


def test_what_a_lab_does_not_admit_is_told_before_anything_is_done(other_site: Site) -> None:
    there = other_site.inventory()
    elsewhere = other_site.deploy_script(AWS_REGION="eu-west-1")
    assert elsewhere.returncode == 1 and "us-east-1 and us-west-2" in elsewhere.stderr
    checked = other_site.deploy_script("check")
    assert checked.returncode == 0, checked.stdout + checked.stderr
    assert "(a Learner Lab)" in checked.stdout and "role/LabRole" in checked.stdout
    assert other_site.inventory() == there == {"roles": ["LabRole", "voclabs"]}


def test_no_role_is_made_and_every_function_runs_as_lab_role(other_site: Site, lab: Stack) -> None:
    state = other_site.terraform.capture("show", "-json", str(other_site.terraform.state)).stdout
    assert '"aws_lambda_function"' in state and '"aws_iam_' not in state
    functions = other_site.client("lambda").list_functions()["Functions"]
    assert {function["Role"].rpartition("/")[2] for function in functions} == {"LabRole"}
    assert other_site.inventory()["roles"] == ["LabRole", "voclabs"]


def test_it_works(other_site: Site, lab: Stack) -> None:
    verified = other_site.deploy_script("verify")
    assert verified.returncode == 0, verified.stdout + verified.stderr
    for step in ("upload", "event", "record", "summary", "delete"):
        assert f"  ok  {step} " in verified.stdout
    assert '"outcome": "created"' in verified.stdout and lab.listed() == []
    record = lab.put_and_wait("uploads/photo.webp", SAMPLES["photo.webp"])
    assert record["content_type"] == "image/webp"


def user(stack: Stack, name: str, *actions: str) -> Credentials:
    """Credentials of a new user who may do `actions` with this API."""
    iam = stack.site.client("iam")
    iam.create_user(UserName=name)
    if actions:
        allowed = {"Effect": "Allow", "Action": list(actions), "Resource": stack.outputs["invoke_arn"]}
        document = json.dumps({"Version": "2012-10-17", "Statement": [allowed]})
        iam.put_user_policy(UserName=name, PolicyName="api", PolicyDocument=document)
    made = iam.create_access_key(UserName=name)["AccessKey"]
    return Credentials(made["AccessKeyId"], made["SecretAccessKey"])


def remove(stack: Stack, name: str) -> None:
    iam = stack.site.client("iam")
    for key in iam.list_access_keys(UserName=name)["AccessKeyMetadata"]:
        iam.delete_access_key(UserName=name, AccessKeyId=key["AccessKeyId"])
    for policy in iam.list_user_policies(UserName=name)["PolicyNames"]:
        iam.delete_user_policy(UserName=name, PolicyName=policy)
    iam.delete_user(UserName=name)


def send(stack: Stack, who: Credentials, method: str, path: str, body: bytes = b"") -> requests.Response:
    """Send a request signed by `who`."""
    request: Any = AWSRequest(method, stack.url + path, data=body, headers={"Content-Type": "image/jpeg"})
    SigV4Auth(who, "execute-api", "us-east-1").add_auth(request)
    headers = dict(request.headers)
    return stack.session.request(method, stack.url + path, data=body, headers=headers, timeout=60)


def test_signed_requests_of_those_allowed_pass_and_others_are_refused(other_site: Site, lab: Stack) -> None:
    """The change goes on where a log group is left of a deployment that the state does not know any more."""
    group = "/aws/lambda/image-metadata-local-info_images"
    address = 'module.image_metadata.module.functions["info_images"].aws_cloudwatch_log_group.this'
    forgotten = other_site.terraform.capture("state", "rm", f"-state={other_site.terraform.state}", address)
    assert forgotten.returncode == 0, forgotten.stderr
    signed = other_site.deploy(TF_VAR_auth="iam")
    assert f"The log group {group} is there already, and taken over" in signed.said
    allowed = user(signed, "caller", "execute-api:Invoke")
    stranger = user(signed, "stranger")
    try:
        uploaded = send(signed, allowed, "POST", "/upload", JPEG)
        assert uploaded.status_code == 201, uploaded.text
        image_id = uploaded.json()["image_id"]
        assert send(signed, allowed, "GET", f"/metadata/{image_id}").json() == uploaded.json()
        assert send(signed, allowed, "GET", f"/images/file/{image_id}").content == JPEG
        for unsigned in (
            signed.get("/metadata", key=None),
            signed.get("/metadata", key="an-api-key-is-no-signature"),
        ):
            assert unsigned.status_code == 403, unsigned.text
            assert unsigned.headers["Content-Type"] == "application/problem+json"
            assert unsigned.headers["Access-Control-Allow-Origin"] == "*"
        # The emulator refuses these before its gateway does, in a form of its own.
        assert send(signed, stranger, "GET", "/metadata").status_code == 403
        assert send(signed, Credentials("AKIAUNKNOWN", "none"), "GET", "/metadata").status_code == 403
        assert send(signed, allowed, "DELETE", f"/images/{image_id}").status_code == 204
    finally:
        remove(signed, "caller")
        remove(signed, "stranger")


def test_no_authentication_only_when_asked_for_and_never_silently(other_site: Site, lab: Stack) -> None:
    stack = other_site.deploy(TF_VAR_auth="none")
    assert "warning" in stack.said.lower()
    answer = stack.get("/metadata", key=None)
    assert answer.status_code == 200, answer.text
    listed = [item["image_id"] for item in answer.json()["items"]]
    assert listed == ["uploads/photo.webp"], "the same catalogue as before"


def test_plain_terraform_destroy_leaves_nothing_but_what_was_there(other_site: Site, lab: Stack) -> None:
    done = other_site.terraform.capture(
        "destroy", "-auto-approve", "-input=false", "-no-color", *other_site.variable_files()
    )
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-3000:]
    assert other_site.inventory() == {"roles": ["LabRole", "voclabs"]}
