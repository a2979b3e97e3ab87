locals {
  own_role = var.common.role_arn == null
  role_arn = local.own_role ? aws_iam_role.this[0].arn : var.common.role_arn

  # Apart from what the function does itself: the function then need not wait for its queue or stream.
  source_statements = concat(
    var.queue == null ? [] : [{
      Sid    = "TakeMessages"
      Effect = "Allow"

      # As in AWSLambdaSQSQueueExecutionRole: what an event source needs, and no more.
      Action   = ["sqs:DeleteMessage", "sqs:GetQueueAttributes", "sqs:ReceiveMessage"]
      Resource = [var.queue.arn]
    }],
    var.stream == null ? [] : [{
      Sid    = "ReadChanges"
      Effect = "Allow"

      # As in AWSLambdaDynamoDBExecutionRole, of this stream alone.
      Action   = ["dynamodb:DescribeStream", "dynamodb:GetRecords", "dynamodb:GetShardIterator", "dynamodb:ListStreams"]
      Resource = [var.stream.arn]
    }],
  )

  statements = concat(
    [for sid, statement in var.permissions : merge(
      { Sid = sid, Effect = "Allow", Action = statement.actions, Resource = statement.resources },
      statement.condition == null ? {} : { Condition = statement.condition },
    )],
    [{
      Sid      = "WriteLog"
      Effect   = "Allow"
      Action   = ["logs:CreateLogStream", "logs:PutLogEvents"]
      Resource = ["${aws_cloudwatch_log_group.this.arn}:*"]
    }],
    # X-Ray knows no resources.
    var.common.tracing ? [{
      Sid      = "SendTraces"
      Effect   = "Allow"
      Action   = ["xray:PutTelemetryRecords", "xray:PutTraceSegments"]
      Resource = ["*"]
    }] : [],
  )
}

resource "aws_iam_role" "this" {
  count = local.own_role ? 1 : 0

  name        = local.full_name
  description = "What ${local.full_name} may do"

  permissions_boundary = var.common.boundary_arn

  assume_role_policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Effect    = "Allow"
      Principal = { Service = "lambda.amazonaws.com" }
      Action    = "sts:AssumeRole"
    }]
  })
}

resource "aws_iam_role_policy" "this" {
  count = local.own_role ? 1 : 0

  name   = "permissions"
  role   = aws_iam_role.this[0].id
  policy = jsonencode({ Version = "2012-10-17", Statement = local.statements })
}

resource "aws_iam_role_policy" "sources" {
  count = local.own_role && (var.queue != null || var.stream != null) ? 1 : 0

  name   = "event-sources"
  role   = aws_iam_role.this[0].id
  policy = jsonencode({ Version = "2012-10-17", Statement = local.source_statements })
}
