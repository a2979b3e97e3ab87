resource "aws_sqs_queue" "dead_letter" {
  name                      = "${var.name}-dead-letter"
  message_retention_seconds = local.fourteen_days
  sqs_managed_sse_enabled   = true

  redrive_allow_policy = jsonencode({
    redrivePermission = "byQueue"
    sourceQueueArns   = [local.arn]
  })

  policy = length(local.tls_only) == 0 ? null : jsonencode({
    Version   = "2012-10-17"
    Statement = [for statement in local.tls_only : merge(statement, { Resource = local.dead_letter_arn })]
  })
}

# A resource of its own, so that both queues are made at once: the provider looks at each new queue for 25 seconds.
resource "aws_sqs_queue_redrive_policy" "this" {
  queue_url = aws_sqs_queue.this.url

  redrive_policy = jsonencode({
    deadLetterTargetArn = aws_sqs_queue.dead_letter.arn
    maxReceiveCount     = var.max_receive_count
  })
}
