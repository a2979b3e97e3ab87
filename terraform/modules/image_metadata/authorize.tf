locals {
  authorize = {
    enabled         = var.auth == "jwt"
    description     = "Who may call the API: verifies access tokens and answers with what their scopes allow"
    memory_mb       = 512
    timeout_seconds = 10
    authorizes      = true

    # It reaches the issuer alone, by HTTPS.
    permissions = {}

    settings = {
      JWT_ISSUER       = coalesce(var.jwt_issuer, "none")
      JWT_AUDIENCE     = coalesce(var.jwt_audience, "none")
      JWT_SCOPE_PREFIX = var.jwt_scope_prefix
    }
  }
}
