# With pixels = "all", whoever reads the table's stream (publish_changes) queues new images here.
module "pixels_queue" {
  source = "../queue"
  count  = local.pixels ? 1 : 0

  name                       = local.pixels_queue_name
  visibility_timeout_seconds = 6 * local.analyse_seconds
  max_receive_count          = 5
  account_id                 = local.account_id
  partition                  = local.partition
  region                     = local.region
  local                      = var.local_endpoint != null
}

locals {
  pixels = var.pixels == "all"

  # SendMessage stands for SendMessageBatch too (Amazon SQS Developer Guide, "API permissions"); the local AWS asks for both.
  may_send          = concat(["sqs:GetQueueUrl", "sqs:SendMessage"], var.local_endpoint == null ? [] : ["sqs:SendMessageBatch"])
  analyse_seconds   = 60
  pixels_queue_name = "${local.name}-pixels"
  pixels_queue_arn  = "arn:${local.partition}:sqs:${local.region}:${local.account_id}:${local.pixels_queue_name}"
}
