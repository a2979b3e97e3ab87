locals {
  function_common = {
    name_prefix        = local.name
    build_dir          = var.build_dir
    runtime            = var.runtime
    architecture       = var.architecture
    role_arn           = var.lambda_role_arn
    log_retention_days = var.log_retention_days
    tracing            = var.tracing
  }

  function_environment = {
    BUCKET_NAME   = local.bucket_name
    TABLE_NAME    = var.table_name
    UPLOAD_PREFIX = local.upload_prefix
    INDEX_SHARDS  = var.index_shards
    LOG_LEVEL     = var.log_level
  }

  # Permissions that several functions need, beside those of their own in their files.
  may_read_record  = { actions = ["dynamodb:GetItem"], resources = [local.table_arn] }
  may_write_record = { actions = ["dynamodb:PutItem", "dynamodb:UpdateItem"], resources = [local.table_arn] }
  may_read_image   = { actions = ["s3:GetObject"], resources = [local.images_arn] }

  # Without it S3 answers 403 for a key that is not there. Only a listing states a prefix, a GetObject does not.
  may_see_absence = {
    actions   = ["s3:ListBucket"]
    resources = [local.bucket_arn]
    condition = { StringLikeIfExists = { "s3:prefix" = "${local.upload_prefix}*" } }
  }

  functions = {
    s3_file_event      = module.s3_file_event
    upload_image       = module.upload_image
    get_image_metadata = module.get_image_metadata
    get_image          = module.get_image
    info_images        = module.info_images
    delete_image       = module.delete_image
  }
}
