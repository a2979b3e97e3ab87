module "delete_image" {
  source = "./modules/lambda_function"

  name            = "delete_image"
  description     = "DELETE /images: removes images and their records"
  common          = local.function_common
  memory_mb       = 512
  timeout_seconds = 29

  environment = merge(local.function_environment, {
    POWERTOOLS_SERVICE_NAME = "delete_image"
    CORS_ALLOW_ORIGIN       = var.cors_allow_origin
  })

  permissions = {
    ReadImage   = local.may_read_image
    SeeAbsence  = local.may_see_absence
    RemoveImage = { actions = ["s3:DeleteObject"], resources = [local.images_arn] }
    ReadRecord  = local.may_read_record
    WriteRecord = local.may_write_record
  }
}
