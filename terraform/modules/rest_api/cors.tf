# A browser's preflight carries no key and no signature: every path answers it by itself.
locals {
  allowed_headers = [
    "Accept",
    "Authorization",
    "Content-Disposition",
    "Content-Type",
    "If-Match",
    "If-None-Match",
    "X-Amz-Content-Sha256",
    "X-Amz-Date",
    "X-Amz-Security-Token",
    "X-Api-Key",
  ]
  preflight_headers = {
    for path in local.paths : path => {
      "Access-Control-Allow-Origin" = var.cors_allow_origin
      "Access-Control-Allow-Methods" = join(",", concat(
        sort([for route in local.routes : route.method if route.path == path]), ["OPTIONS"]
      ))
      "Access-Control-Allow-Headers" = join(",", local.allowed_headers)
      "Access-Control-Max-Age"       = "3600"
    }
  }
}

resource "aws_api_gateway_method" "preflight" {
  #checkov:skip=CKV2_AWS_53:A preflight has nothing to validate; its answer is fixed

  for_each = local.paths

  rest_api_id   = aws_api_gateway_rest_api.this.id
  resource_id   = local.resource_ids[each.key]
  http_method   = "OPTIONS"
  authorization = "NONE"
}

resource "aws_api_gateway_integration" "preflight" {
  for_each = local.paths

  rest_api_id = aws_api_gateway_rest_api.this.id
  resource_id = aws_api_gateway_method.preflight[each.key].resource_id
  http_method = aws_api_gateway_method.preflight[each.key].http_method
  type        = "MOCK"

  # All media types are binary here, and a template reads text alone.
  content_handling  = "CONVERT_TO_TEXT"
  request_templates = { "application/json" = jsonencode({ statusCode = 200 }) }

  # AWS keeps no method of a mock, the local AWS makes one up: either would replace it, and lose its answer, at every
  # apply.
  lifecycle {
    ignore_changes = [integration_http_method]
  }
}

resource "aws_api_gateway_method_response" "preflight" {
  for_each = local.paths

  rest_api_id = aws_api_gateway_rest_api.this.id
  resource_id = aws_api_gateway_method.preflight[each.key].resource_id
  http_method = aws_api_gateway_method.preflight[each.key].http_method
  status_code = "200"

  response_parameters = {
    for header in keys(local.preflight_headers[each.key]) : "method.response.header.${header}" => true
  }
}

resource "aws_api_gateway_integration_response" "preflight" {
  for_each = local.paths

  rest_api_id = aws_api_gateway_rest_api.this.id
  resource_id = aws_api_gateway_integration.preflight[each.key].resource_id
  http_method = aws_api_gateway_integration.preflight[each.key].http_method
  status_code = aws_api_gateway_method_response.preflight[each.key].status_code

  response_parameters = {
    for header, value in local.preflight_headers[each.key] : "method.response.header.${header}" => "'${value}'"
  }

  # It goes with its integration, without a word.
  lifecycle {
    replace_triggered_by = [aws_api_gateway_integration.preflight[each.key]]
  }
}
