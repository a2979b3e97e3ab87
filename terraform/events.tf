locals {
  # Of s3_file_event, which takes a batch of 10 images in it.
  event_timeout_seconds = 60
}

module "events" {
  source = "./modules/queue"

  name                       = "${local.name}-s3-events"
  visibility_timeout_seconds = 6 * local.event_timeout_seconds
  max_receive_count          = 5
  sender_bucket_arn          = local.bucket_arn
  account_id                 = local.account_id
  partition                  = local.partition
  region                     = var.region
}
