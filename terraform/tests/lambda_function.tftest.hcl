mock_provider "aws" {
  source = "./tests/mocks"
}

variables {
  name            = "get_image"
  description     = "test"
  memory_mb       = 256
  timeout_seconds = 3
  environment     = {}
  permissions     = {}
  common = {
    name_prefix        = "test"
    build_dir          = "./tests/packages"
    code_bucket        = "code"
    runtime            = "python3.13"
    architecture       = "arm64"
    role_arn           = null
    boundary_arn       = "arn:aws:iam::123456789012:policy/boundary"
    log_retention_days = 14
    tracing            = false
  }
}

run "packages" {
  module {
    source = "./tests/packages"
  }
}

run "own_role" {
  module {
    source = "./modules/lambda_function"
  }

  variables {
    permissions = { ReadImage = { actions = ["s3:GetObject"], resources = ["arn:aws:s3:::images/*"] } }
  }

  assert {
    condition     = length(aws_iam_role.this) == 1 && length(aws_iam_role_policy.this) == 1
    error_message = "Without a role given, one must be made."
  }

  assert {
    condition     = aws_iam_role.this[0].permissions_boundary == "arn:aws:iam::123456789012:policy/boundary"
    error_message = "The role must keep within the account's bounds."
  }

  assert {
    condition     = toset([for statement in jsondecode(aws_iam_role_policy.this[0].policy).Statement : statement.Sid]) == toset(["ReadImage", "WriteLog"])
    error_message = "The role may do what was asked for and write the function's log, nothing else."
  }

  assert {
    condition     = !aws_lambda_function.this.publish && length(aws_lambda_function.this.snap_start) + length(aws_lambda_alias.live) == 0 && output.qualifier == null
    error_message = "Snapshots are billed, so there must be none unless they are asked for."
  }

  assert {
    condition     = length(aws_iam_role_policy.sources) == 0
    error_message = "A function without queue and stream needs no permissions for them."
  }

  assert {
    condition = (
      aws_lambda_function.this.s3_bucket == "code" && aws_lambda_function.this.s3_key == aws_s3_object.package.key
      && aws_lambda_function.this.source_code_hash == filebase64sha256("./tests/packages/get_image.zip")
    )
    error_message = "The function's code must be the package in the bucket, and follow its content."
  }

  assert {
    condition     = length(aws_lambda_event_source_mapping.queue) + length(aws_lambda_event_source_mapping.stream) + length(aws_cloudwatch_event_rule.schedule) == 0
    error_message = "Without queue, stream and schedule nothing may invoke it by itself."
  }
}

run "snapshots" {
  module {
    source = "./modules/lambda_function"
  }

  variables {
    snap_start = true
  }

  assert {
    condition     = aws_lambda_function.this.publish && aws_lambda_function.this.snap_start[0].apply_on == "PublishedVersions"
    error_message = "A snapshot is of a published version."
  }

  assert {
    condition     = output.invoke_arn == aws_lambda_alias.live[0].invoke_arn && output.qualifier == "live" && aws_lambda_alias.live[0].function_version == aws_lambda_function.this.version
    error_message = "Callers must reach the version that has the snapshot."
  }
}

run "given_role" {
  module {
    source = "./modules/lambda_function"
  }

  variables {
    queue = { arn = "arn:aws:sqs:us-east-1:123456789012:events", batch_size = 50, window_seconds = 1, maximum_concurrency = 4 }
    common = {
      name_prefix        = "test"
      build_dir          = "./tests/packages"
      code_bucket        = "code"
      runtime            = "python3.13"
      architecture       = "arm64"
      role_arn           = "arn:aws:iam::123456789012:role/LabRole"
      log_retention_days = 14
      tracing            = false
    }
  }

  assert {
    condition     = length(aws_iam_role.this) == 0 && length(aws_iam_role_policy.this) == 0 && length(aws_iam_role_policy.sources) == 0
    error_message = "With a role given, no IAM may be made."
  }

  assert {
    condition     = aws_lambda_function.this.role == "arn:aws:iam::123456789012:role/LabRole"
    error_message = "The function must run as the role given."
  }

  assert {
    condition     = aws_lambda_event_source_mapping.queue[0].function_response_types == toset(["ReportBatchItemFailures"])
    error_message = "A bad record must fail alone."
  }

  assert {
    condition     = aws_lambda_event_source_mapping.queue[0].maximum_batching_window_in_seconds == 1 && aws_lambda_event_source_mapping.queue[0].scaling_config[0].maximum_concurrency == 4
    error_message = "The queue must run no more than it is told to."
  }
}

run "stream" {
  module {
    source = "./modules/lambda_function"
  }

  variables {
    stream = {
      arn             = "arn:aws:dynamodb:us-east-1:123456789012:table/images/stream/2026-11-21T10:00:00.000"
      batch_size      = 500
      window_seconds  = 30
      maximum_retries = 5
    }
  }

  assert {
    condition = (
      aws_lambda_event_source_mapping.stream[0].event_source_arn == var.stream.arn
      && aws_lambda_event_source_mapping.stream[0].batch_size == 500
      && aws_lambda_event_source_mapping.stream[0].maximum_batching_window_in_seconds == 30
      && aws_lambda_event_source_mapping.stream[0].maximum_retry_attempts == 5
    )
    error_message = "The function must take the stream's changes in the batches asked for."
  }

  assert {
    condition     = aws_lambda_event_source_mapping.stream[0].starting_position == "TRIM_HORIZON"
    error_message = "No change may be passed over, those before the function included."
  }

  assert {
    condition     = aws_lambda_event_source_mapping.stream[0].bisect_batch_on_function_error && aws_lambda_event_source_mapping.stream[0].function_response_types == toset(["ReportBatchItemFailures"])
    error_message = "A bad change must fail alone."
  }

  assert {
    condition = {
      for statement in jsondecode(aws_iam_role_policy.sources[0].policy).Statement : statement.Sid => statement.Resource
    } == { ReadChanges = [var.stream.arn] }
    error_message = "The role may read the stream, and nothing else."
  }
}

run "stream_by_default" {
  module {
    source = "./modules/lambda_function"
  }

  variables {
    stream = { arn = "arn:aws:dynamodb:us-east-1:123456789012:table/images/stream/2026-11-21T10:00:00.000" }
  }

  assert {
    condition     = aws_lambda_event_source_mapping.stream[0].maximum_retry_attempts >= 0
    error_message = "A batch that always fails must not hold up the stream for ever."
  }
}

run "schedule" {
  module {
    source = "./modules/lambda_function"
  }

  variables {
    schedule = "rate(1 hour)"
  }

  assert {
    condition     = aws_cloudwatch_event_rule.schedule[0].schedule_expression == "rate(1 hour)" && aws_cloudwatch_event_target.schedule[0].arn == aws_lambda_function.this.arn
    error_message = "EventBridge must invoke the function by its schedule."
  }

  assert {
    condition     = aws_lambda_permission.schedule[0].principal == "events.amazonaws.com" && aws_lambda_permission.schedule[0].source_arn == aws_cloudwatch_event_rule.schedule[0].arn
    error_message = "EventBridge must be allowed to, for this rule alone."
  }
}

run "wrong_schedule" {
  command = plan

  module {
    source = "./modules/lambda_function"
  }

  variables {
    schedule = "hourly"
  }

  expect_failures = [var.schedule]
}

run "wildcards_are_refused" {
  command = plan

  module {
    source = "./modules/lambda_function"
  }

  variables {
    permissions = { All = { actions = ["s3:*"], resources = ["*"] } }
  }

  expect_failures = [var.permissions]
}
