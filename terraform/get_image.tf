module "get_image" {
  source = "./modules/lambda_function"

  name            = "get_image"
  description     = "GET /images/file: answers with the image itself"
  common          = local.function_common
  memory_mb       = 512
  timeout_seconds = 29

  environment = merge(local.function_environment, {
    POWERTOOLS_SERVICE_NAME = "get_image"
    CORS_ALLOW_ORIGIN       = var.cors_allow_origin
  })

  permissions = {
    ReadImage  = local.may_read_image
    SeeAbsence = local.may_see_absence
    ReadRecord = local.may_read_record
  }
}
