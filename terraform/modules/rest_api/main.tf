resource "aws_api_gateway_rest_api" "this" {
  #checkov:skip=CKV_AWS_237:Nothing that is set here makes AWS replace the API; a new one would have another address anyway

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
  input = var.local ? var.auth : null
}

resource "aws_api_gateway_deployment" "this" {
  rest_api_id = aws_api_gateway_rest_api.this.id

  # What is deployed is a snapshot: anything that changes it must make a new one.
  triggers = {
    redeployment = sha1(jsonencode([
      [for name in ["cors", "errors", "routes"] : filesha1("${path.module}/${name}.tf")],
      var.routes,
      var.open_routes,
      var.auth,
      one(aws_api_gateway_authorizer.this[*].id),
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
  #checkov:skip=CKV_AWS_73:The variable tracing switches X-Ray on; it costs per request
  #checkov:skip=CKV_AWS_120:A cache would break reading one's own writes; answers carry ETags instead
  #checkov:skip=CKV2_AWS_4:The variable access_logs switches them on; the account needs API Gateway's log role, which Learner Labs lack
  #checkov:skip=CKV2_AWS_29:A web application firewall is the account's choice and costs by the month; keys, throttles and quotas are here
  #checkov:skip=CKV2_AWS_51:The integrations are Lambda functions, called by IAM: there is no HTTP back end to show a certificate to

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

  # From here on callers reach an alias, where functions have one.
  depends_on = [
    aws_lambda_permission.alias,
    aws_lambda_permission.authorizer_alias,
  ]
}

resource "aws_cloudwatch_log_group" "access" {
  #checkov:skip=CKV_AWS_158:Encrypted by CloudWatch's own key; a line holds route, status and sizes, no path, no header
  #checkov:skip=CKV_AWS_338:log_retention_days says how long

  count = var.access_logs ? 1 : 0

  name              = "/aws/apigateway/${var.name}"
  retention_in_days = var.log_retention_days
}

resource "aws_api_gateway_method_settings" "this" {
  #checkov:skip=CKV_AWS_225:A cache would break reading one's own writes; answers carry ETags instead

  rest_api_id = aws_api_gateway_rest_api.this.id
  stage_name  = aws_api_gateway_stage.this.stage_name
  method_path = "*/*"

  settings {
    throttling_rate_limit  = var.rate_limit
    throttling_burst_limit = var.burst_limit
  }
}
