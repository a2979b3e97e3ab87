"""From a token's scopes to the policy of an API Gateway authorizer.

API Gateway keeps the policy for a while and applies it to whatever the same token asks next: so it names every route
that the token may call, not only the one that is called now.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any


def policy_of(
    claims: Mapping[str, Any], method_arn: str, route_scopes: Mapping[str, str], prefix: str
) -> dict[str, Any]:
    """The authorizer's answer. `route_scopes` is `METHOD /path` -> the scope that it takes, without `prefix`.

    `method_arn` is arn:aws:execute-api:region:account:api/stage/METHOD/path.
    """
    stage = "/".join(method_arn.split("/", 2)[:2])
    held = scopes_of(claims)
    allowed = sorted(
        f"{stage}/{pattern}"
        for route, scope in route_scopes.items()
        if prefix + scope in held
        for pattern in _patterns(route)
    )
    # IAM takes no empty list of resources, and what nothing allows is denied.
    statement = {
        "Effect": "Allow" if allowed else "Deny",
        "Action": "execute-api:Invoke",
        "Resource": allowed or [f"{stage}/*"],
    }
    return {
        "principalId": str(claims.get("sub") or claims.get("client_id") or "unknown"),
        "policyDocument": {"Version": "2012-10-17", "Statement": [statement]},
    }


def scopes_of(claims: Mapping[str, Any]) -> set[str]:
    """The scopes of a token: `scope` by RFC 9068, a text with spaces; `scp` of some issuers, a text or a list."""
    held: set[str] = set()
    for name in ("scope", "scp"):
        value = claims.get(name)
        held |= set(
            value.split() if isinstance(value, str) else map(str, value) if isinstance(value, list) else ()
        )
    return held


def _patterns(route: str) -> list[str]:
    """What the policy calls a route; HEAD stands beside every GET."""
    method, _, path = route.partition(" ")
    path = re.sub(r"\{[^}]+\}", "*", path)
    return [each + path for each in (("GET", "HEAD") if method == "GET" else (method,))]
