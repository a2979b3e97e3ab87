resource "aws_api_gateway_api_key" "this" {
  count = var.auth == "api_key" ? 1 : 0

  name  = var.name
  value = var.api_key_value
}

resource "aws_api_gateway_usage_plan" "this" {
  count = var.auth == "api_key" ? 1 : 0

  name = var.name

  api_stages {
    api_id = aws_api_gateway_rest_api.this.id
    stage  = aws_api_gateway_stage.this.stage_name
  }

  throttle_settings {
    rate_limit  = var.rate_limit
    burst_limit = var.burst_limit
  }

  quota_settings {
    limit  = var.daily_quota
    period = "DAY"
  }
}

resource "aws_api_gateway_usage_plan_key" "this" {
  count = var.auth == "api_key" ? 1 : 0

  usage_plan_id = aws_api_gateway_usage_plan.this[0].id
  key_id        = aws_api_gateway_api_key.this[0].id
  key_type      = "API_KEY"
}
