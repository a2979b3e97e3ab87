mock_provider "aws" {
  source = "./tests/mocks"
}

variables {
  name                   = "test"
  region                 = "us-east-1"
  functions              = { read = { name = "test-read", timeout_seconds = 20 } }
  event_log_group        = "/aws/lambda/test-events"
  index_names            = ["by_size"]
  queue_name             = "events"
  dead_letter_queue_name = "events-dead-letter"
  table_name             = "records"
  api_name               = "test"
  api_stage              = "dev"
}

run "without_mail" {
  module {
    source = "./modules/monitoring"
  }

  assert {
    condition     = length(aws_sns_topic.this) == 0 && alltrue([for alarm in aws_cloudwatch_metric_alarm.this : length(alarm.alarm_actions) == 0])
    error_message = "Without an address there is nothing to send to."
  }

  assert {
    condition     = aws_cloudwatch_metric_alarm.this["dead-letters"].dimensions == tomap({ QueueName = "events-dead-letter" }) && aws_cloudwatch_metric_alarm.this["dead-letters"].threshold == 0
    error_message = "One dead letter must raise the alarm."
  }

  assert {
    condition = alltrue([
      for alarm in ["api-errors", "events-failing"] :
      aws_cloudwatch_metric_alarm.this[alarm].evaluation_periods == 3 && aws_cloudwatch_metric_alarm.this[alarm].datapoints_to_alarm == 2
    ])
    error_message = "What passes by itself, such as a single 503, must alarm nobody."
  }

  assert {
    condition     = aws_cloudwatch_metric_alarm.this["read-slow"].threshold == 16000 && aws_cloudwatch_metric_alarm.this["read-slow"].statistic == "Maximum"
    error_message = "An invocation that comes near its timeout of 20 seconds must be told of."
  }

  assert {
    condition = (
      aws_cloudwatch_metric_alarm.this["write-throttles"].dimensions == tomap({ TableName = "records" })
      && aws_cloudwatch_metric_alarm.this["by_size-write-throttles"].dimensions == tomap({ TableName = "records", GlobalSecondaryIndexName = "by_size" })
    )
    error_message = "Throttled writes to the table and to each index must raise an alarm."
  }

  assert {
    condition = (
      aws_cloudwatch_metric_alarm.this["events-failing"].namespace == "test" && aws_cloudwatch_metric_alarm.this["events-failing"].metric_name == "FailedEvents"
      && strcontains(aws_cloudwatch_log_metric_filter.failed_events.pattern, "($.message = \"record failed\") ||")
    )
    error_message = "Events that failed must be counted by what the function logs about them."
  }

  assert {
    condition     = length(jsondecode(aws_cloudwatch_dashboard.this.dashboard_body).widgets) == 8
    error_message = "The dashboard must show everything."
  }
}

run "a_function_has_the_alarms_that_it_asks_for" {
  module {
    source = "./modules/monitoring"
  }

  variables {
    functions = {
      read   = { name = "test-read", timeout_seconds = 20 }
      follow = { name = "test-follow", timeout_seconds = 20, alarms = ["late"] }
      sweep  = { name = "test-sweep", timeout_seconds = 20, alarms = ["errors"] }
    }
  }

  assert {
    condition = toset([for key in keys(aws_cloudwatch_metric_alarm.this) : key if can(regex("^(read|follow|sweep)-", key))]) == toset([
      "read-errors", "read-throttles", "read-slow", "follow-late", "sweep-errors",
    ])
    error_message = "A function must have its alarms and no others."
  }

  assert {
    condition     = aws_cloudwatch_metric_alarm.this["follow-late"].metric_name == "IteratorAge" && aws_cloudwatch_metric_alarm.this["follow-late"].threshold == 600000
    error_message = "A stream that is ten minutes behind must raise the alarm."
  }
}

run "with_mail" {
  module {
    source = "./modules/monitoring"
  }

  variables {
    email = "someone@example.org"
  }

  assert {
    condition     = aws_sns_topic_subscription.email[0].endpoint == "someone@example.org"
    error_message = "Alarms must be mailed."
  }

  assert {
    condition     = alltrue([for alarm in aws_cloudwatch_metric_alarm.this : length(alarm.alarm_actions) == 1])
    error_message = "Every alarm must be sent."
  }
}

run "with_a_topic" {
  module {
    source = "./modules/monitoring"
  }

  variables {
    topic_arn = "arn:aws:sns:us-east-1:123456789012:oncall"
  }

  assert {
    condition     = alltrue([for alarm in aws_cloudwatch_metric_alarm.this : alarm.alarm_actions == toset([var.topic_arn]) && alarm.ok_actions == alarm.alarm_actions])
    error_message = "Every alarm, and its end, must be sent to the topic."
  }
}
