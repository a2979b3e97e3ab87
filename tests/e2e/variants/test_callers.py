"""Other ways to admit callers than API keys: signed requests (`auth = "iam"`) and access tokens (`auth = "jwt"`).

The second is the first one's deployment changed: records stay, callers do not. Its functions start from snapshots,
which are then switched off and on. The tests run in this order.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest
import requests
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

from tests.support.issuer import AUDIENCE, Issuer
from tests.support.policies import policy_document
from tests.support.samples import JPEG, SAMPLES
from tests.support.stack import LEFT_OVER, SMALL, Site, Stack, eventually

#: Callers reach functions by an alias, of the version that has a snapshot.
SNAPSHOTS = SMALL | {"TF_VAR_snap_start": "true"}
#: An image that is there before the second deployment.
PHOTO = "uploads/photo.webp"


def versions(site: Site) -> dict[str, list[str]]:
    """The published versions of some functions, where they are there."""
    client = site.client("lambda")
    there = {function["FunctionName"].rpartition("-")[2] for function in client.list_functions()["Functions"]}
    return {
        name: [
            entry["Version"]
            for entry in client.list_versions_by_function(FunctionName=f"image-metadata-local-{name}")[
                "Versions"
            ]
            if entry["Version"] != "$LATEST"
        ]
        for name in there & {"authorize", "get_image_metadata", "s3_file_event"}
    }


def invoked_by_alias(site: Site, function: str) -> str:
    """What of API Gateway may invoke the alias that callers reach: the ARN (the emulator lets anything)."""
    name = f"image-metadata-local-{function}"
    policy = json.loads(site.client("lambda").get_policy(FunctionName=name, Qualifier="live")["Policy"])
    (statement,) = policy["Statement"]
    assert statement["Action"] == "lambda:InvokeFunction" and "apigateway" in str(statement["Principal"])
    return str(statement["Condition"]["ArnLike"]["AWS:SourceArn"])


def user(stack: Stack, name: str, *actions: str) -> Credentials:
    """Credentials of a new user who may do `actions` with this API."""
    iam = stack.site.client("iam")
    iam.create_user(UserName=name)
    if actions:
        allowed = {"Effect": "Allow", "Action": list(actions), "Resource": stack.outputs["invoke_arn"]}
        document = policy_document([allowed])
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


def test_signed_requests_of_those_allowed_pass_and_others_are_refused(callers_site: Site) -> None:
    for group in LEFT_OVER:
        callers_site.client("logs").create_log_group(logGroupName=group)
    signed = callers_site.deploy(TF_VAR_auth="iam", **SNAPSHOTS)
    assert signed.said.count("is there already, and taken over") == len(LEFT_OVER)
    assert versions(callers_site) == {"get_image_metadata": ["1"], "s3_file_event": []}
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
        signed.put(PHOTO, SAMPLES["photo.webp"])
        eventually(lambda: send(signed, allowed, "GET", f"/metadata/{PHOTO}").ok, f"{PHOTO} indexed")
    finally:
        remove(signed, "caller")
        remove(signed, "stranger")


@pytest.fixture
def issuer() -> Iterator[Issuer]:
    """An issuer of tokens on this machine."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            document = made.documents.get(self.path)
            self.send_response(200 if document else 404)
            self.end_headers()
            self.wfile.write(json.dumps(document).encode())

        def log_message(self, *_arguments: Any) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    made = Issuer(f"http://127.0.0.1:{server.server_port}")
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield made
    server.shutdown()
    server.server_close()
    thread.join()


def test_tokens_allow_what_their_scopes_say(callers_site: Site, issuer: Issuer) -> None:
    settings = {"TF_VAR_jwt_issuer": issuer.address, "TF_VAR_jwt_audience": AUDIENCE}
    # Every function is changed, so each has a new version with a snapshot, and the one before it goes.
    stack = callers_site.deploy(TF_VAR_auth="jwt", TF_VAR_log_level="DEBUG", **settings, **SNAPSHOTS)
    assert "taken over" not in stack.said, "it was so once"
    assert versions(callers_site) == {"get_image_metadata": ["2"], "authorize": ["1"], "s3_file_event": []}
    assert "/local/*" in invoked_by_alias(callers_site, "get_image_metadata")
    assert "/authorizers/" in invoked_by_alias(callers_site, "authorize")

    def status(token: str | None, method: str, path: str, **options: Any) -> int:
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        answer = stack.call(
            method, path, key=None, headers=headers | {"Content-Type": "image/jpeg"}, **options
        )
        if answer.status_code >= 400:
            assert answer.headers["Content-Type"] == "application/problem+json", answer.text
        return answer.status_code

    read, write, delete = (issuer.token(scope) for scope in ("openid read", "write", "delete"))
    assert status(read, "GET", f"/metadata/{PHOTO}") == 200
    assert status(read, "GET", f"/images/file/{PHOTO}") == 200
    assert status(read, "DELETE", f"/images/{PHOTO}") == 403
    assert status(read, "POST", "/images/delete", data=json.dumps({"image_ids": [PHOTO]})) == 403
    assert status(read, "POST", "/upload", data=JPEG) == 403
    assert status(write, "GET", "/metadata") == 403
    assert status(write, "POST", "/upload", data=JPEG) == 201
    refused = [
        None,
        "nonsense",
        issuer.token("read", exp=-60),
        issuer.token("read", aud="another"),
        issuer.token("read", key="", algorithm="none"),
        Issuer(issuer.address).token("read"),
    ]
    assert [status(token, "GET", "/metadata") for token in refused] == [401] * len(refused)
    assert status(read, "GET", f"/metadata/{PHOTO}") == 200, "nothing of it is gone"
    assert status(delete, "GET", "/metadata") == 403
    uploaded = [image_id for image_id in ids(stack, read) if image_id != PHOTO]
    assert [status(delete, "DELETE", f"/images/{image_id}") for image_id in uploaded] == [204]


def test_snapshots_can_be_switched_off_and_on_and_go_with_all_else(
    callers_site: Site, issuer: Issuer
) -> None:
    settings = {"TF_VAR_jwt_issuer": issuer.address, "TF_VAR_jwt_audience": AUDIENCE, "TF_VAR_auth": "jwt"}
    headers = {"Authorization": f"Bearer {issuer.token('read')}"}
    for snap_start in ("false", "true"):
        stack = callers_site.deploy(**SMALL, **settings, TF_VAR_snap_start=snap_start)
        assert stack.call("GET", "/metadata", key=None, headers=headers).status_code == 200
    callers_site.destroy_by_terraform()
    assert callers_site.inventory() == {}


def ids(stack: Stack, token: str) -> list[str]:
    """The ids of the list, as the token's holder sees it."""
    answer = stack.call("GET", "/metadata", key=None, headers={"Authorization": f"Bearer {token}"})
    return [item["image_id"] for item in answer.json()["items"]]
