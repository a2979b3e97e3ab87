# What the gateway itself refuses, in the same form as the functions' errors (RFC 9457). A null detail is the
# gateway's own message; the two defaults stand for all others and do not know their status.
locals {
  errors = {
    DEFAULT_4XX                  = { status = null, type = "bad-request", title = "Bad request", detail = null }
    DEFAULT_5XX                  = { status = null, type = "internal-error", title = "Internal server error", detail = null }
    API_CONFIGURATION_ERROR      = { status = 500, type = "internal-error", title = "Internal server error", detail = null }
    BAD_REQUEST_BODY             = { status = 400, type = "bad-request", title = "Bad request", detail = null }
    BAD_REQUEST_PARAMETERS       = { status = 400, type = "bad-request", title = "Bad request", detail = null }
    ACCESS_DENIED                = { status = 403, type = "forbidden", title = "Forbidden", detail = null }
    EXPIRED_TOKEN                = { status = 403, type = "forbidden", title = "Forbidden", detail = null }
    INVALID_API_KEY              = { status = 403, type = "forbidden", title = "Forbidden", detail = "Send a valid API key in the x-api-key header." }
    INVALID_SIGNATURE            = { status = 403, type = "forbidden", title = "Forbidden", detail = null }
    AUTHORIZER_FAILURE           = { status = 503, type = "unavailable", title = "Service unavailable", detail = "The token could not be verified; try again." }
    UNAUTHORIZED                 = { status = 401, type = "unauthorized", title = "Unauthorized", detail = null }
    MISSING_AUTHENTICATION_TOKEN = local.unmatched
    RESOURCE_NOT_FOUND           = { status = 404, type = "not-found", title = "Not found", detail = "There is no such path or method." }
    REQUEST_TOO_LARGE            = { status = 413, type = "payload-too-large", title = "Payload too large", detail = "Ask POST /uploads for an address to upload large files to." }
    UNSUPPORTED_MEDIA_TYPE       = { status = 415, type = "unsupported-media-type", title = "Unsupported media type", detail = null }
    THROTTLED                    = { status = 429, type = "too-many-requests", title = "Too many requests", detail = "Try again in a second." }
    QUOTA_EXCEEDED               = { status = 429, type = "quota-exceeded", title = "Quota exceeded", detail = "The key's requests for today are used up." }
    INTEGRATION_FAILURE          = { status = 503, type = "unavailable", title = "Service unavailable", detail = "The request was not answered; try again." }
    INTEGRATION_TIMEOUT          = { status = 504, type = "timeout", title = "Timeout", detail = "The request took too long; try again." }
  }

  # The gateway's answer to an unknown path or method, and, where requests are signed, to an unsigned one.
  unmatched = var.auth == "iam" ? {
    status = 403, type = "forbidden", title = "Forbidden", detail = "Sign the request (Signature Version 4); or there is no such path or method."
    } : {
    status = 404, type = "not-found", title = "Not found", detail = "There is no such path or method."
  }

  # RFC 6750: what a request without a good token is told to bring.
  challenge = { UNAUTHORIZED = "Bearer" }

  retry_after = { THROTTLED = "1", QUOTA_EXCEEDED = "3600", INTEGRATION_FAILURE = "1", AUTHORIZER_FAILURE = "5" }
}

resource "aws_api_gateway_gateway_response" "this" {
  for_each = local.errors

  rest_api_id   = aws_api_gateway_rest_api.this.id
  response_type = each.key
  status_code   = each.value.status

  response_parameters = merge(
    {
      "gatewayresponse.header.Access-Control-Allow-Origin"   = "'${var.cors_allow_origin}'"
      "gatewayresponse.header.Access-Control-Expose-Headers" = "'Retry-After'"
      "gatewayresponse.header.Content-Type"                  = "'application/problem+json'"
    },
    { for seconds in [lookup(local.retry_after, each.key, null)] :
    "gatewayresponse.header.Retry-After" => "'${seconds}'" if seconds != null },
    { for scheme in [lookup(local.challenge, each.key, null)] :
    "gatewayresponse.header.WWW-Authenticate" => "'${scheme}'" if scheme != null && var.auth == "jwt" },
  )

  # The gateway's message is a JSON string already, quotes included.
  response_templates = {
    "application/json" = join("", [
      trimsuffix(jsonencode({ for name, value in {
        type   = "${var.problem_base}${each.value.type}"
        title  = each.value.title
        status = each.value.status
        detail = each.value.detail
      } : name => value if value != null }), "}"),
      each.value.detail == null ? ",\"detail\":$context.error.messageString}" : "}",
    ])
  }
}
