module "bucket" {
  source = "./modules/bucket"

  name              = local.bucket_name
  upload_prefix     = local.upload_prefix
  event_queue_arn   = module.events.arn
  cors_allow_origin = var.cors_allow_origin
  versioning        = var.versioning
  expiration_days   = var.image_expiration_days
  force_destroy     = var.force_destroy
  require_tls       = var.local_endpoint == null
}
