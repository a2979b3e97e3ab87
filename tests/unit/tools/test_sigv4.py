"""Requests are signed as botocore signs them."""

import datetime

import pytest
from botocore.auth import S3SigV4Auth, SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials as BotocoreCredentials

from tools.deploy.sigv4 import Credentials, sign


@pytest.mark.parametrize("token", [None, "IQoJ//token=="])
def test_requests_are_signed_as_botocore_signs_them(token: str | None) -> None:
    now = datetime.datetime.now(datetime.UTC)
    url, body = "https://sts.us-east-1.amazonaws.com/", b"Action=GetCallerIdentity&Version=2011-06-15"
    ours = sign("POST", url, body, "sts", "us-east-1", Credentials("AKID", "secret", token, ""), now)
    request = AWSRequest("POST", url, data=body, headers={"Content-Type": ours["content-type"]})
    signer = SigV4Auth(BotocoreCredentials("AKID", "secret", token), "sts", "us-east-1")
    request.context["timestamp"] = now.strftime("%Y%m%dT%H%M%SZ")
    request.headers["X-Amz-Date"] = request.context["timestamp"]
    if token:
        request.headers["X-Amz-Security-Token"] = token
    canonical = signer.canonical_request(request)
    signature = signer.signature(signer.string_to_sign(request, canonical), request)
    assert ours["authorization"].endswith(f"Signature={signature}")


def test_object_requests_are_signed_as_botocore_signs_them() -> None:
    now = datetime.datetime.now(datetime.UTC)
    url = "http://127.0.0.1:4566/bucket/uploads/100%25%20%2B%C3%A9.jpg?versionId=a~b&max-keys=5"
    ours = sign("DELETE", url, b"", "s3", "us-east-1", Credentials("AKID", "secret", None, ""), now)
    request = AWSRequest("DELETE", url)
    request.context["timestamp"] = request.headers["X-Amz-Date"] = now.strftime("%Y%m%dT%H%M%SZ")
    request.headers["X-Amz-Content-SHA256"] = ours["x-amz-content-sha256"]
    signer = S3SigV4Auth(BotocoreCredentials("AKID", "secret"), "s3", "us-east-1")
    signature = signer.signature(signer.string_to_sign(request, signer.canonical_request(request)), request)
    assert ours["authorization"].endswith(f"Signature={signature}")


def test_a_request_without_a_body_names_no_type_of_one() -> None:
    now = datetime.datetime.now(datetime.UTC)
    url = "https://lambda.us-east-1.amazonaws.com/2015-03-31/functions/"
    ours = sign("GET", url, b"", "lambda", "us-east-1", Credentials("AKID", "secret", None, ""), now)
    request = AWSRequest("GET", url)
    request.context["timestamp"] = request.headers["X-Amz-Date"] = now.strftime("%Y%m%dT%H%M%SZ")
    signer = SigV4Auth(BotocoreCredentials("AKID", "secret"), "lambda", "us-east-1")
    signature = signer.signature(signer.string_to_sign(request, signer.canonical_request(request)), request)
    assert "content-type" not in ours and ours["authorization"].endswith(f"Signature={signature}")
