resource "aws_api_gateway_rest_api" "this" {
  name        = var.name
  description = var.description

  # Images come and go as bytes whatever Accept and Content-Type say.
  binary_media_types = ["*/*"]

  endpoint_configuration {
    types = ["REGIONAL"]
  }

  lifecycle {
    replace_triggered_by = [terraform_data.auth]
  }
}

# The local AWS cannot change the authorization of a method that exists: there another API takes its place.
resource "terraform_data" "auth" {
  input = var.replace_with_auth ? var.auth : null
}

resource "aws_api_gateway_deployment" "this" {
  rest_api_id = aws_api_gateway_rest_api.this.id

  # What is deployed is a snapshot: anything that changes it must make a new one.
  triggers = {
    redeployment = sha1(jsonencode([
      [for name in sort(fileset(path.module, "*.tf")) : filesha1("${path.module}/${name}")],
      var.routes,
      var.auth,
      var.cors_allow_origin,
      local.resource_ids,
      { for route, integration in aws_api_gateway_integration.this : route => integration.uri },
    ]))
  }

  lifecycle {
    create_before_destroy = true
  }

  depends_on = [
    aws_api_gateway_integration.this,
    aws_api_gateway_integration_response.preflight,
    aws_api_gateway_gateway_response.this,
  ]
}

resource "aws_api_gateway_stage" "this" {
  rest_api_id          = aws_api_gateway_rest_api.this.id
  deployment_id        = aws_api_gateway_deployment.this.id
  stage_name           = var.stage
  xray_tracing_enabled = var.tracing

  dynamic "access_log_settings" {
    for_each = aws_cloudwatch_log_group.access

    content {
      destination_arn = access_log_settings.value.arn
      format = jsonencode({
        request_id = "$context.requestId"
        time       = "$context.requestTime"
        method     = "$context.httpMethod"
        route      = "$context.resourcePath"
        status     = "$context.status"
        bytes      = "$context.responseLength"
        ms         = "$context.responseLatency"
        error      = "$context.error.responseType"
      })
    }
  }
}

resource "aws_cloudwatch_log_group" "access" {
  count = var.access_logs ? 1 : 0

  name              = "/aws/apigateway/${var.name}"
  retention_in_days = var.log_retention_days
}

resource "aws_api_gateway_method_settings" "this" {
  rest_api_id = aws_api_gateway_rest_api.this.id
  stage_name  = aws_api_gateway_stage.this.stage_name
  method_path = "*/*"

  settings {
    throttling_rate_limit  = var.rate_limit
    throttling_burst_limit = var.burst_limit
  }
}
