"""Which tokens are taken, and what they allow."""

from __future__ import annotations

import io
import json
import time
import urllib.error
from typing import Any

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import rsa

from image_access import tokens
from image_access.policy import policy_of
from image_access.tokens import InvalidToken, IssuerUnavailable, verify
from tests.contract.declared import declared_functions, declared_routes
from tests.support.issuer import AUDIENCE, Issuer

ADDRESS = "https://login.example/realms/photos"
ARN = "arn:aws:execute-api:us-east-1:123456789012:abc123/dev/GET/metadata"
SCOPES = {
    "GET /metadata": "read",
    "GET /images/file/{image_id+}": "read",
    "POST /upload": "write",
    "DELETE /images/{image_id+}": "delete",
    "POST /images/delete": "delete",
}


@pytest.fixture
def issuer(monkeypatch: pytest.MonkeyPatch) -> Issuer:
    made = Issuer(ADDRESS)

    def answer(_opener: Any, request: Any, *_arguments: Any, **_options: Any) -> io.BytesIO:
        url = request if isinstance(request, str) else request.full_url
        document = made.documents.get(url.removeprefix(ADDRESS))
        if document is None:
            raise urllib.error.URLError("no answer")
        return io.BytesIO(json.dumps(document).encode())

    monkeypatch.setattr("urllib.request.OpenerDirector.open", answer)
    tokens._keys.cache_clear()
    return made


def claims(header: str) -> dict[str, Any]:
    return verify(header, ADDRESS, AUDIENCE)


@pytest.mark.parametrize(
    "changed",
    [{}, {"aud": ["other", AUDIENCE]}, {"aud": None, "client_id": AUDIENCE}, {"exp": -2}],
)
def test_a_good_token_is_taken(issuer: Issuer, changed: dict[str, Any]) -> None:
    assert claims(f"Bearer {issuer.token(**changed)}")["sub"] == "someone"
    assert claims(f"bearer {issuer.token(**changed)}")["scope"] == "read"


@pytest.mark.parametrize(
    ("changed", "why"),
    [
        ({"exp": -60}, "ExpiredSignatureError"),
        ({"exp": None}, "MissingRequiredClaimError"),
        ({"nbf": 600}, "ImmatureSignatureError"),
        ({"aud": "other"}, "audience"),
        ({"aud": None}, "audience"),
        ({"aud": "other", "client_id": AUDIENCE}, "audience"),
        ({"iss": "https://evil.example"}, "InvalidIssuerError"),
        ({"iss": None}, "MissingRequiredClaimError"),
        ({"key": rsa.generate_private_key(65537, 2048)}, "InvalidSignatureError"),
    ],
)
def test_any_other_token_is_refused(issuer: Issuer, changed: dict[str, Any], why: str) -> None:
    with pytest.raises(InvalidToken, match=why):
        claims(f"Bearer {issuer.token(**changed)}")


def test_what_is_not_signed_by_a_key_pair_is_refused(issuer: Issuer) -> None:
    unsigned = jwt.encode({"iss": ADDRESS, "aud": AUDIENCE, "exp": int(time.time()) + 60}, None, "none")
    for token in (unsigned, issuer.token(key=b"a secret of 32 bytes or more, here", algorithm="HS256")):
        with pytest.raises(InvalidToken, match="algorithm"):
            claims(f"Bearer {token}")


@pytest.mark.parametrize("header", ["", "Bearer", "Bearer ", "Basic dTpw", "Bearer a.b.c", "Bearer x" * 50])
def test_what_is_no_token_is_refused(issuer: Issuer, header: str) -> None:
    with pytest.raises(InvalidToken):
        claims(header)


def test_a_changed_payload_is_refused(issuer: Issuer) -> None:
    head, _, signature = issuer.token().split(".")
    other = issuer.token("read write delete").split(".")[1]
    with pytest.raises(InvalidToken, match="InvalidSignatureError"):
        claims(f"Bearer {head}.{other}.{signature}")


@pytest.mark.parametrize("path", ["/.well-known/openid-configuration", "/keys"])
def test_an_issuer_that_does_not_answer_is_not_the_clients_fault(issuer: Issuer, path: str) -> None:
    kept = issuer.documents.pop(path)
    with pytest.raises(IssuerUnavailable):
        claims(f"Bearer {issuer.token()}")
    issuer.documents[path] = kept
    assert claims(f"Bearer {issuer.token()}"), "and is asked again"


def test_another_issuers_configuration_is_not_trusted(issuer: Issuer) -> None:
    issuer.documents["/.well-known/openid-configuration"]["issuer"] = "https://evil.example"
    with pytest.raises(IssuerUnavailable, match="another issuer"):
        claims(f"Bearer {issuer.token()}")


def resources(policy: dict[str, Any]) -> list[str]:
    (statement,) = policy["policyDocument"]["Statement"]
    assert statement["Effect"] == "Allow"
    return [resource.split("/", 2)[2] for resource in statement["Resource"]]


@pytest.mark.parametrize(
    ("held", "allowed"),
    [
        ({"scope": "read"}, ["GET/images/file/*", "GET/metadata", "HEAD/images/file/*", "HEAD/metadata"]),
        ({"scope": "openid write"}, ["POST/upload"]),
        ({"scp": ["delete"]}, ["DELETE/images/*", "POST/images/delete"]),
        (
            {"scp": "read write"},
            ["GET/images/file/*", "GET/metadata", "HEAD/images/file/*", "HEAD/metadata", "POST/upload"],
        ),
    ],
)
def test_scopes_allow_their_routes_and_no_other(held: dict[str, Any], allowed: list[str]) -> None:
    policy = policy_of({"sub": "someone"} | held, ARN, SCOPES, "")
    assert resources(policy) == allowed and policy["principalId"] == "someone"


@pytest.mark.parametrize(
    "held", [{}, {"scope": ""}, {"scope": "reader"}, {"scope": 7}, {"scp": {"read": True}}]
)
def test_without_a_scope_everything_is_denied(held: dict[str, Any]) -> None:
    (statement,) = policy_of(held, ARN, SCOPES, "")["policyDocument"]["Statement"]
    assert statement["Effect"] == "Deny" and statement["Resource"] == [ARN.rpartition("/GET")[0] + "/*"]


def test_an_issuers_prefix_is_asked_for() -> None:
    assert resources(policy_of({"scope": "photos/write read"}, ARN, SCOPES, "photos/")) == ["POST/upload"]


def test_a_post_that_writes_nothing_takes_another_scope() -> None:
    """Terraform says the scopes (routes.tf): by the method, but for what a function's file says."""
    said: dict[str, str] = {}
    for function in declared_functions().values():
        said |= function.get("scopes", {})
    assert set(said) <= set(declared_routes()) and said["POST /images/delete"] == "delete"
    writing = {"POST /upload", "POST /uploads", "POST /images"}
    posts = {route for route in declared_routes() if route.startswith("POST ")}
    assert posts - writing == set(said), "a POST that writes nothing says what it takes instead"
