# Periods of five minutes; an alarm is raised when the threshold is passed in so many (`raised_by`) of the last `periods`.
locals {
  # What a function may ask for; an alarm costs by the month.
  function_alarms = {
    errors = {
      description = "Invocations of %s fail."
      metric      = "Errors"
      statistic   = "Sum"
      threshold   = 0
      periods     = 1
      raised_by   = 1
    }
    throttles = {
      description = "Invocations of %s are throttled: the account's concurrency is used up."
      metric      = "Throttles"
      statistic   = "Sum"
      threshold   = 0
      periods     = 3
      raised_by   = 3
    }
    slow = {
      description = "Invocations of %s take more than 80 %% of the seconds after which they are ended."
      metric      = "Duration"
      statistic   = "Maximum"
      threshold   = 0 # of each function's own timeout
      periods     = 3
      raised_by   = 2
    }
    late = {
      description = "Changes of the table have waited for more than 10 minutes for %s."
      metric      = "IteratorAge"
      statistic   = "Maximum"
      threshold   = 600000
      periods     = 1
      raised_by   = 1
    }
  }

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
        raised_by   = 1
      }
      events-late = {
        description = "Events have been waiting for more than 10 minutes."
        namespace   = "AWS/SQS"
        metric      = "ApproximateAgeOfOldestMessage"
        dimensions  = { QueueName = var.queue_name }
        statistic   = "Maximum"
        threshold   = 600
        periods     = 1
        raised_by   = 1
      }
      events-failing = {
        description = "Events fail again and again; each is tried five times."
        namespace   = aws_cloudwatch_log_metric_filter.failed_events.metric_transformation[0].namespace
        metric      = aws_cloudwatch_log_metric_filter.failed_events.metric_transformation[0].name
        dimensions  = {}
        statistic   = "Sum"
        threshold   = 10
        periods     = 3
        raised_by   = 2
      }
      api-errors = {
        description = "The API goes on answering with 5xx."
        namespace   = "AWS/ApiGateway"
        metric      = "5XXError"
        dimensions  = { ApiName = var.api_name, Stage = var.api_stage }
        statistic   = "Sum"
        threshold   = 0
        periods     = 3
        raised_by   = 2
      }
      transaction-conflicts = {
        description = "Writes wait for each other at the summary's counters."
        namespace   = "AWS/DynamoDB"
        metric      = "TransactionConflict"
        dimensions  = { TableName = var.table_name }
        statistic   = "Sum"
        threshold   = 1000
        periods     = 3
        raised_by   = 3
      }
      write-throttles = {
        description = "Writes to the table are throttled."
        namespace   = "AWS/DynamoDB"
        metric      = "WriteThrottleEvents"
        dimensions  = { TableName = var.table_name }
        statistic   = "Sum"
        threshold   = 0
        periods     = 3
        raised_by   = 3
      }
    },
    {
      for index in var.index_names : "${index}-write-throttles" => {
        description = "Writes to the index ${index} are throttled: raise index_shards."
        namespace   = "AWS/DynamoDB"
        metric      = "WriteThrottleEvents"
        dimensions  = { TableName = var.table_name, GlobalSecondaryIndexName = index }
        statistic   = "Sum"
        threshold   = 0
        periods     = 3
        raised_by   = 3
      }
    },
    {
      for alarm in flatten([
        for key, function in var.functions : [
          for kind in function.alarms : merge(local.function_alarms[kind], {
            key         = "${key}-${kind}"
            description = format(local.function_alarms[kind].description, function.name)
            namespace   = "AWS/Lambda"
            dimensions  = { FunctionName = function.name }
            threshold   = kind == "slow" ? 800 * function.timeout_seconds : local.function_alarms[kind].threshold
          })
        ]
      ]) : alarm.key => alarm
    },
  )

  topics = concat(aws_sns_topic.this[*].arn, var.topic_arn == null ? [] : [var.topic_arn])

  # What image_events/batch.py logs about an event that failed. The function itself succeeds: it hands back those alone.
  failure_messages = ["record failed", "record is not an event", "message is not an event"]
}

resource "aws_cloudwatch_log_metric_filter" "failed_events" {
  name           = "${var.name}-failed-events"
  log_group_name = var.event_log_group
  pattern        = "{ ${join(" || ", [for message in local.failure_messages : "($.message = \"${message}\")"])} }"

  metric_transformation {
    namespace = var.name
    name      = "FailedEvents"
    value     = "1"
  }
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
  datapoints_to_alarm = each.value.raised_by
  treat_missing_data  = "notBreaching"
  alarm_actions       = local.topics
  ok_actions          = local.topics
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
