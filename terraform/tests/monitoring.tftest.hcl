mock_provider "aws" {
  source = "./tests/mocks"
}

variables {
  name                   = "test"
  region                 = "us-east-1"
  function_names         = { read = "test-read" }
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
    condition     = length(jsondecode(aws_cloudwatch_dashboard.this.dashboard_body).widgets) == 8
    error_message = "The dashboard must show everything."
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
