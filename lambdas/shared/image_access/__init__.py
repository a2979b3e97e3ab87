"""Access tokens (JSON Web Tokens of any OpenID Connect issuer) and what they allow."""
