"""The other ways to admit callers: signed requests (`auth = "iam"`), and everybody (`auth = "none"`)."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest
import requests
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

from tools.dev import demo

from .stack import Site, Stack

JPEG = demo.sample_images()["upright.jpg"]


@pytest.fixture(scope="module")
def signed(other_site: Site) -> Iterator[Stack]:
    """A deployment that takes signed requests, removed at the end."""
    yield other_site.deploy(TF_VAR_auth="iam")
    done = other_site.deploy_script("destroy", "-auto-approve", "-no-color")
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-3000:]


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


def test_signed_requests_of_those_allowed_pass_and_others_are_refused(signed: Stack) -> None:
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


def test_no_authentication_only_when_asked_for_and_never_silently(signed: Stack) -> None:
    stack = signed.site.deploy(TF_VAR_auth="none")
    assert "warning" in stack.said.lower()
    answer = stack.get("/metadata", key=None)
    assert (answer.status_code, answer.json()) == (200, {"items": []}), "the same catalogue as before"
