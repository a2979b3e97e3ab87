"""Verify an access token: signed by the issuer's key, of this issuer, for this audience, and not expired.

PyJWT does the cryptography; keys are found as OpenID Connect Discovery 1.0 says and kept while the function lives.
"""

from __future__ import annotations

import json
import urllib.request
from functools import lru_cache
from typing import Any

import jwt

#: Signatures by a key pair alone: `none` is no signature, and with HMAC whoever verifies could sign.
ALGORITHMS = ("RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA")
#: Clocks of issuer and function may differ by so much.
LEEWAY_SECONDS = 10
_TIMEOUT_SECONDS = 3
_KEYS_LIFESPAN_SECONDS = 600


class InvalidToken(Exception):
    """The token is refused; the text says why, for the log, and holds nothing of the token."""


class IssuerUnavailable(Exception):
    """The issuer does not tell its keys: no answer to a client that could mend it."""


def verify(header: str, issuer: str, audience: str) -> dict[str, Any]:
    """The claims of an Authorization header's bearer token. Raises `InvalidToken`, `IssuerUnavailable`."""
    scheme, _, token = header.partition(" ")
    if scheme.lower() != "bearer" or not token:
        raise InvalidToken("the Authorization header holds no bearer token")
    try:
        if jwt.get_unverified_header(token).get("alg") not in ALGORITHMS:
            raise InvalidToken("the algorithm is none that is taken")
        key = _keys(issuer).get_signing_key_from_jwt(token)
        claims: dict[str, Any] = jwt.decode(
            token,
            key,
            algorithms=ALGORITHMS,
            issuer=issuer,
            leeway=LEEWAY_SECONDS,
            # Amazon Cognito's access tokens have no `aud`, and name the client in `client_id`.
            options={"require": ["exp", "iss"], "verify_aud": False},
        )
    except jwt.PyJWKClientConnectionError as error:
        raise IssuerUnavailable("the issuer's keys cannot be read") from error
    except jwt.PyJWTError as error:
        raise InvalidToken(type(error).__name__) from error
    meant = claims.get("aud", claims.get("client_id"))
    if audience not in (meant if isinstance(meant, list) else [meant]):
        raise InvalidToken("the token is for another audience")
    return claims


@lru_cache(maxsize=1)
def _keys(issuer: str) -> jwt.PyJWKClient:
    """The issuer's keys, asked for when a token names one that is not known yet."""
    address = f"{issuer.rstrip('/')}/.well-known/openid-configuration"
    try:
        with urllib.request.urlopen(address, timeout=_TIMEOUT_SECONDS) as answer:  # noqa: S310 - the owner's setting
            configuration = json.load(answer)
        if configuration["issuer"] != issuer:
            raise IssuerUnavailable(f"{address} is another issuer's")
        return jwt.PyJWKClient(
            configuration["jwks_uri"], lifespan=_KEYS_LIFESPAN_SECONDS, timeout=_TIMEOUT_SECONDS
        )
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise IssuerUnavailable(f"{address} cannot be read: {type(error).__name__}") from error
