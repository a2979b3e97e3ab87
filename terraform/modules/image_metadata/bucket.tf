module "bucket" {
  source = "../bucket"
  count  = var.create_bucket ? 1 : 0

  name          = local.bucket_name
  kms_key_arn   = var.kms_key_arn
  versioning    = var.versioning
  force_destroy = var.force_destroy
  local         = var.local_endpoint != null

  event_queue_arn = module.events.arn
  images = {
    prefixes          = var.upload_prefixes
    cors_allow_origin = var.cors_allow_origin
    expiration_days   = var.image_expiration_days
    noncurrent_days   = var.noncurrent_version_days
  }
}

moved {
  from = module.bucket
  to   = module.bucket[0]
}
