module "api" {
  source = "../rest_api"

  name               = local.name
  description        = "Image Metadata API"
  stage              = var.stage
  routes             = local.routes
  open_routes        = local.open_routes
  functions          = local.invoked
  auth               = var.auth
  authorizer         = one([for name, function in local.invoked : function if can(local.functions[name].authorizes)])
  local              = var.local_endpoint != null
  api_key_value      = var.api_key_value
  rate_limit         = local.rate_limit
  burst_limit        = local.burst_limit
  daily_quota        = var.daily_quota
  cors_allow_origin  = var.cors_allow_origin
  access_logs        = var.access_logs
  log_retention_days = var.log_retention_days
  tracing            = var.tracing
}

locals {
  invoked = {
    for name, function in module.functions :
    name => { name = function.name, invoke_arn = function.invoke_arn, qualifier = function.qualifier }
  }
}
