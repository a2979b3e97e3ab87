module "info_images" {
  source = "./modules/lambda_function"

  name            = "info_images"
  description     = "GET /images/info: answers with the summary"
  common          = local.function_common
  memory_mb       = 512
  timeout_seconds = 29

  environment = merge(local.function_environment, {
    POWERTOOLS_SERVICE_NAME = "info_images"
    CORS_ALLOW_ORIGIN       = var.cors_allow_origin
  })

  permissions = {
    ReadCounters = { actions = ["dynamodb:BatchGetItem"], resources = [local.table_arn] }
    FindEnds     = { actions = ["dynamodb:Query"], resources = ["${local.table_arn}/index/by_size"] }
  }
}
