"""An OpenID Connect issuer with a key of its own, that signs whatever a test wants."""

from __future__ import annotations

import json
import time
from typing import Any

import jwt
from cryptography.hazmat.primitives.asymmetric import rsa

AUDIENCE = "photos"


class Issuer:
    """`documents` is what it answers, by path; `address` is where."""

    def __init__(self, address: str) -> None:
        self.address = address
        self._key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
        public = json.loads(jwt.algorithms.RSAAlgorithm.to_jwk(self._key.public_key()))
        self.documents: dict[str, Any] = {
            "/.well-known/openid-configuration": {"issuer": address, "jwks_uri": f"{address}/keys"},
            "/keys": {"keys": [public | {"kid": "1", "use": "sig", "alg": "RS256"}]},
        }

    def token(
        self, scope: str | None = "read", key: Any = None, algorithm: str = "RS256", **changed: Any
    ) -> str:
        """A good access token, but for what is `changed`: times in seconds from now; None takes a claim away."""
        claims = {
            "iss": self.address,
            "aud": AUDIENCE,
            "sub": "someone",
            "exp": 300,
            "scope": scope,
        } | changed
        claims = {name: value for name, value in claims.items() if value is not None}
        claims |= {name: int(time.time()) + claims[name] for name in ("exp", "nbf") if name in claims}
        return jwt.encode(claims, self._key if key is None else key, algorithm, headers={"kid": "1"})
