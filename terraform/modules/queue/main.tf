resource "aws_sqs_queue" "this" {
  name                       = var.name
  visibility_timeout_seconds = var.visibility_timeout_seconds
  message_retention_seconds  = local.fourteen_days
  sqs_managed_sse_enabled    = true

  policy = length(local.statements) == 0 ? null : jsonencode({ Version = "2012-10-17", Statement = local.statements })
}

locals {
  # Literal, so that the queues can name themselves and each other.
  arn             = "arn:${var.partition}:sqs:${var.region}:${var.account_id}:${var.name}"
  dead_letter_arn = "${local.arn}-dead-letter"
  fourteen_days   = 1209600

  # The local AWS has no TLS to require.
  tls_only = var.local ? [] : [{
    Sid       = "TlsOnly"
    Effect    = "Deny"
    Principal = "*"
    Action    = "sqs:*"
    Condition = { Bool = { "aws:SecureTransport" = "false" } }
  }]

  statements = concat(
    [for sender in var.sender[*] : {
      Sid       = "SenderSendsEvents"
      Effect    = "Allow"
      Principal = { Service = sender.service }
      Action    = "sqs:SendMessage"
      Resource  = local.arn
      # A rule's ARN names its account, a bucket's does not.
      Condition = { for operator, keys in {
        ArnEquals    = { "aws:SourceArn" = sender.arn }
        StringEquals = { "aws:SourceAccount" = var.account_id }
      } : operator => keys if operator == "ArnEquals" || sender.service == "s3.amazonaws.com" }
    }],
    [for statement in local.tls_only : merge(statement, { Resource = local.arn })],
  )
}
