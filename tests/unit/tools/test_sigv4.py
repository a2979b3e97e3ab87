"""Requests are signed as botocore signs them."""

import datetime

import pytest
from botocore.auth import S3SigV4Auth, SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials as BotocoreCredentials

from tools.deploy.sigv4 import Credentials, sign


def signature_of(
    signer: type[SigV4Auth],
    request: AWSRequest,
    service: str,
    now: datetime.datetime,
    token: str | None = None,
) -> str:
    """The signature that botocore gives a request, as the end of its Authorization header."""
    request.context["timestamp"] = request.headers["X-Amz-Date"] = now.strftime("%Y%m%dT%H%M%SZ")
    if token:
        request.headers["X-Amz-Security-Token"] = token
    own = signer(BotocoreCredentials("AKID", "secret", token), service, "us-east-1")
    return f"Signature={own.signature(own.string_to_sign(request, own.canonical_request(request)), request)}"


@pytest.mark.parametrize("token", [None, "IQoJ//token=="])
def test_requests_are_signed_as_botocore_signs_them(token: str | None) -> None:
    now = datetime.datetime.now(datetime.UTC)
    url, body = "https://sts.us-east-1.amazonaws.com/", b"Action=GetCallerIdentity&Version=2011-06-15"
    ours = sign("POST", url, body, "sts", "us-east-1", Credentials("AKID", "secret", token, ""), now)
    request = AWSRequest("POST", url, data=body, headers={"Content-Type": ours["content-type"]})
    assert ours["authorization"].endswith(signature_of(SigV4Auth, request, "sts", now, token))


def test_object_requests_are_signed_as_botocore_signs_them() -> None:
    now = datetime.datetime.now(datetime.UTC)
    url = "http://127.0.0.1:4566/bucket/uploads/100%25%20%2B%C3%A9.jpg?versionId=a~b&max-keys=5"
    ours = sign("DELETE", url, b"", "s3", "us-east-1", Credentials("AKID", "secret", None, ""), now)
    request = AWSRequest("DELETE", url)
    request.headers["X-Amz-Content-SHA256"] = ours["x-amz-content-sha256"]
    assert ours["authorization"].endswith(signature_of(S3SigV4Auth, request, "s3", now))


def test_a_request_without_a_body_names_no_type_of_one() -> None:
    now = datetime.datetime.now(datetime.UTC)
    url = "https://lambda.us-east-1.amazonaws.com/2015-03-31/functions/"
    ours = sign("GET", url, b"", "lambda", "us-east-1", Credentials("AKID", "secret", None, ""), now)
    signature = signature_of(SigV4Auth, AWSRequest("GET", url), "lambda", now)
    assert "content-type" not in ours and ours["authorization"].endswith(signature)
