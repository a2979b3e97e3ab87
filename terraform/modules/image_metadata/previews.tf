# The previews: derived from the images, and made again when they are looked at.
module "preview_bucket" {
  source = "../bucket"
  count  = var.previews ? 1 : 0

  name            = local.preview_bucket_name
  force_destroy   = true
  kms_key_arn     = var.kms_key_arn
  local           = var.local_endpoint != null
  expiration_days = var.preview_days
}

locals {
  # As the bucket of the packages is called.
  preview_bucket_name = "${local.name}-previews-${substr(sha256("${local.account_id}/${local.region}"), 0, 12)}"
  preview_bucket_arn  = "arn:${local.partition}:s3:::${local.preview_bucket_name}"
  previews_arn        = "${local.preview_bucket_arn}/previews/*"

  # What removes an image's previews: s3_file_event with the image, preview_image when the image went meanwhile.
  may_remove_previews = { actions = ["s3:DeleteObject"], resources = [local.previews_arn] }
  may_list_previews   = { actions = ["s3:ListBucket"], resources = [local.preview_bucket_arn] }
}
