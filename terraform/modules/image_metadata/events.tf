module "events" {
  source = "../queue"

  name                       = "${local.name}-s3-events"
  visibility_timeout_seconds = 6 * var.event_timeout_seconds
  max_receive_count          = 5
  sender_bucket_arn          = local.bucket_arn
  account_id                 = local.account_id
  partition                  = local.partition
  region                     = local.region
  local                      = var.local_endpoint != null
}
