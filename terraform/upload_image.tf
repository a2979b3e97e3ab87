module "upload_image" {
  source = "./modules/lambda_function"

  name            = "upload_image"
  description     = "POST /upload and /uploads: takes images and hands out presigned uploads"
  common          = local.function_common
  memory_mb       = 1024
  timeout_seconds = 29

  environment = merge(local.function_environment, {
    POWERTOOLS_SERVICE_NAME = "upload_image"
    CORS_ALLOW_ORIGIN       = var.cors_allow_origin
    GPS                     = var.gps
    MAX_UPLOAD_BYTES        = var.max_upload_bytes
  })

  permissions = {
    WriteImage  = { actions = ["s3:PutObject"], resources = [local.images_arn] }
    WriteRecord = local.may_write_record
  }
}
