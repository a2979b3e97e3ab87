module "get_image_metadata" {
  source = "./modules/lambda_function"

  name            = "get_image_metadata"
  description     = "GET and DELETE /metadata: lists, answers and forgets records"
  common          = local.function_common
  memory_mb       = 512
  timeout_seconds = 29

  environment = merge(local.function_environment, {
    POWERTOOLS_SERVICE_NAME = "get_image_metadata"
    CORS_ALLOW_ORIGIN       = var.cors_allow_origin
  })

  permissions = {
    ReadRecord  = local.may_read_record
    WriteRecord = local.may_write_record
    ListRecords = {
      actions   = ["dynamodb:Query"]
      resources = ["${local.table_arn}/index/by_uploaded_at", "${local.table_arn}/index/by_size"]
    }
  }
}
