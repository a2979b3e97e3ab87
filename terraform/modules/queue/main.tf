resource "aws_sqs_queue" "this" {
  name                       = var.name
  visibility_timeout_seconds = var.visibility_timeout_seconds
  message_retention_seconds  = local.fourteen_days
  sqs_managed_sse_enabled    = true

  redrive_policy = jsonencode({
    deadLetterTargetArn = aws_sqs_queue.dead_letter.arn
    maxReceiveCount     = var.max_receive_count
  })

  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [
      {
        Sid       = "BucketSendsEvents"
        Effect    = "Allow"
        Principal = { Service = "s3.amazonaws.com" }
        Action    = "sqs:SendMessage"
        Resource  = local.arn
        Condition = {
          ArnEquals    = { "aws:SourceArn" = var.sender_bucket_arn }
          StringEquals = { "aws:SourceAccount" = var.account_id }
        }
      },
    ]
  })
}

locals {
  # Literal, so that the policy can stand in the queue itself and needs no resource (and wait) of its own.
  arn           = "arn:${var.partition}:sqs:${var.region}:${var.account_id}:${var.name}"
  fourteen_days = 1209600
}
