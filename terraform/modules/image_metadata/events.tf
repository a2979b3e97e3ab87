module "events" {
  source = "../queue"

  name                       = "${local.name}-s3-events"
  visibility_timeout_seconds = 6 * var.event_timeout_seconds
  max_receive_count          = 5
  sender                     = local.event_sender
  account_id                 = local.account_id
  partition                  = local.partition
  region                     = local.region
  local                      = var.local_endpoint != null
}

# A bucket that is there tells of its objects by EventBridge, which its owner has switched on: nothing of the bucket is
# changed, and who else listens to it goes on doing so. Rule and queue name each other, so both ARNs are literal.
locals {
  rule_name = "${local.name}-s3-events"

  event_sender = var.create_bucket ? {
    service = "s3.amazonaws.com"
    arn     = local.bucket_arn
    } : {
    service = "events.amazonaws.com"
    arn     = "arn:${local.partition}:events:${local.region}:${local.account_id}:rule/${local.rule_name}"
  }
}

resource "aws_cloudwatch_event_rule" "bucket" {
  count = var.create_bucket ? 0 : 1

  name        = local.rule_name
  description = "Objects of ${local.bucket_name} that come, go or are restored"

  event_pattern = jsonencode({
    source      = ["aws.s3"]
    detail-type = ["Object Created", "Object Deleted", "Object Restore Completed"]
    detail = merge(
      { bucket = { name = [local.bucket_name] } },
      contains(var.upload_prefixes, "") ? {} : { object = { key = [for prefix in var.upload_prefixes : { prefix = prefix }] } },
    )
  })
}

resource "aws_cloudwatch_event_target" "queue" {
  count = var.create_bucket ? 0 : 1

  rule = aws_cloudwatch_event_rule.bucket[0].name
  arn  = module.events.arn
}
