mock_provider "aws" {
  source = "./tests/mocks"
}

variables {
  name                       = "events"
  visibility_timeout_seconds = 360
  sender                     = { service = "s3.amazonaws.com", arn = "arn:aws:s3:::images" }
  account_id                 = "123456789012"
  partition                  = "aws"
  region                     = "us-east-1"
}

run "queue" {
  module {
    source = "./modules/queue"
  }

  assert {
    condition = [for statement in jsondecode(aws_sqs_queue.this.policy).Statement : [statement.Action, statement.Condition] if statement.Effect == "Allow"] == [["sqs:SendMessage", {
      ArnEquals    = { "aws:SourceArn" = "arn:aws:s3:::images" }
      StringEquals = { "aws:SourceAccount" = "123456789012" }
    }]]
    error_message = "Only the bucket, in its account, may do anything, and only send."
  }

  assert {
    condition = alltrue([
      for policy in [aws_sqs_queue.this.policy, aws_sqs_queue.dead_letter.policy] : [
        for statement in jsondecode(policy).Statement : [statement.Action, statement.Principal, statement.Condition] if statement.Effect == "Deny"
      ] == [["sqs:*", "*", { Bool = { "aws:SecureTransport" = "false" } }]]
    ])
    error_message = "Both queues must refuse requests without TLS."
  }

  assert {
    condition     = one(distinct([for statement in jsondecode(aws_sqs_queue.dead_letter.policy).Statement : statement.Resource])) == "arn:aws:sqs:us-east-1:123456789012:events-dead-letter"
    error_message = "A queue's policy must be about the queue itself."
  }

  assert {
    condition     = jsondecode(aws_sqs_queue_redrive_policy.this.redrive_policy).maxReceiveCount == 5
    error_message = "A message that failed five times must go to the dead-letter queue."
  }

  assert {
    condition     = aws_sqs_queue.dead_letter.message_retention_seconds == 14 * 24 * 3600
    error_message = "Dead letters must be kept for 14 days."
  }

  assert {
    condition     = jsondecode(aws_sqs_queue.dead_letter.redrive_allow_policy).sourceQueueArns == ["arn:aws:sqs:us-east-1:123456789012:events"]
    error_message = "Only the queue may use the dead-letter queue."
  }
}

run "local_aws" {
  module {
    source = "./modules/queue"
  }

  variables {
    local = true
  }

  assert {
    condition     = !anytrue([for statement in jsondecode(aws_sqs_queue.this.policy).Statement : statement.Effect == "Deny"])
    error_message = "There is no TLS to require."
  }
}
