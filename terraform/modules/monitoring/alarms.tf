locals {
  alarms = merge(
    {
      dead-letters = {
        description = "Events could not be processed and wait in the dead-letter queue."
        namespace   = "AWS/SQS"
        metric      = "ApproximateNumberOfMessagesVisible"
        dimensions  = { QueueName = var.dead_letter_queue_name }
        statistic   = "Maximum"
        threshold   = 0
        periods     = 1
      }
      events-late = {
        description = "Events have been waiting for more than 10 minutes."
        namespace   = "AWS/SQS"
        metric      = "ApproximateAgeOfOldestMessage"
        dimensions  = { QueueName = var.queue_name }
        statistic   = "Maximum"
        threshold   = 600
        periods     = 1
      }
      api-errors = {
        description = "The API answers with 5xx."
        namespace   = "AWS/ApiGateway"
        metric      = "5XXError"
        dimensions  = { ApiName = var.api_name, Stage = var.api_stage }
        statistic   = "Sum"
        threshold   = 0
        periods     = 1
      }
    },
    {
      for key, name in var.function_names : "${key}-errors" => {
        description = "Invocations of ${name} fail."
        namespace   = "AWS/Lambda"
        metric      = "Errors"
        dimensions  = { FunctionName = name }
        statistic   = "Sum"
        threshold   = 0
        periods     = 1
      }
    },
    {
      for key, name in var.function_names : "${key}-throttles" => {
        description = "Invocations of ${name} are throttled: the account's concurrency is used up."
        namespace   = "AWS/Lambda"
        metric      = "Throttles"
        dimensions  = { FunctionName = name }
        statistic   = "Sum"
        threshold   = 0
        periods     = 3
      }
    },
  )
}

resource "aws_cloudwatch_metric_alarm" "this" {
  for_each = local.alarms

  alarm_name          = "${var.name}-${each.key}"
  alarm_description   = each.value.description
  namespace           = each.value.namespace
  metric_name         = each.value.metric
  dimensions          = each.value.dimensions
  statistic           = each.value.statistic
  comparison_operator = "GreaterThanThreshold"
  threshold           = each.value.threshold
  period              = 300
  evaluation_periods  = each.value.periods
  treat_missing_data  = "notBreaching"
  alarm_actions       = aws_sns_topic.this[*].arn
  ok_actions          = aws_sns_topic.this[*].arn
}

resource "aws_sns_topic" "this" {
  #checkov:skip=CKV_AWS_26:Alarms cannot be sent to a topic under AWS's managed key; a message holds an alarm's name and a number

  count = var.email == null ? 0 : 1

  name = "${var.name}-alarms"
}

resource "aws_sns_topic_subscription" "email" {
  count = var.email == null ? 0 : 1

  topic_arn = aws_sns_topic.this[0].arn
  protocol  = "email"
  endpoint  = var.email
}
