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
