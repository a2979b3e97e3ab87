mock_provider "aws" {
  source = "./tests/mocks"
}

variables {
  build_dir = "./tests/packages"
}

run "packages" {
  module {
    source = "./tests/packages"
  }
}

run "one_role_per_function" {
  assert {
    condition     = length(local.functions) == 6 && length(distinct([for function in local.functions : function.name])) == 6
    error_message = "Six functions are expected, each with a name of its own."
  }

  assert {
    condition     = alltrue([for function in local.functions : function.role_arn == "arn:aws:iam::123456789012:role/mocked"])
    error_message = "Every function must run as a role made for it."
  }
}

run "a_given_role_is_used" {
  variables {
    lambda_role_arn  = "arn:aws:iam::123456789012:role/LabRole"
    batch_operations = true
  }

  assert {
    condition     = length(aws_iam_role.batch_operations) == 0 && length(aws_iam_role_policy.batch_operations) == 0
    error_message = "With a role given, no IAM may be made."
  }

  assert {
    condition     = alltrue([for function in local.functions : function.role_arn == var.lambda_role_arn])
    error_message = "Every function must run as the role given."
  }
}

run "least_privilege" {
  variables {
    tracing          = true
    batch_operations = true
  }

  assert {
    condition     = length(aws_iam_role.batch_operations) == 1 && output.batch_operations_role_arn != null
    error_message = "There must be a role for S3 Batch Operations when asked for."
  }

  assert {
    condition = alltrue(flatten([
      for function in local.functions : [
        for statement in jsondecode(function.policy).Statement : [for action in statement.Action : !strcontains(action, "*")]
      ]
    ]))
    error_message = "Every action must be named."
  }

  assert {
    condition = alltrue(flatten([
      for function in local.functions : [
        for statement in jsondecode(function.policy).Statement : [
          for resource in statement.Resource : startswith(resource, "arn:") || statement.Sid == "SendTraces"
        ]
      ]
    ]))
    error_message = "Every statement must name its resources; X-Ray alone has none."
  }

  assert {
    condition = alltrue(flatten([
      for function in local.functions : [
        for statement in jsondecode(function.policy).Statement : [
          for resource in statement.Resource : endswith(resource, ":::${output.bucket}/uploads/*")
        ] if anytrue([for action in statement.Action : strcontains(action, "Object")])
      ]
    ]))
    error_message = "Objects outside uploads/ are nobody's business."
  }

  assert {
    condition = !anytrue(flatten([
      for name in ["get_image", "info_images"] : [
        for statement in jsondecode(local.functions[name].policy).Statement : [
          for action in statement.Action : can(regex("^(s3|dynamodb|sqs):.*(Put|Update|Delete|Write)", action))
        ]
      ]
    ]))
    error_message = "Functions that only read may not write."
  }

  assert {
    condition = alltrue([
      for function in local.functions :
      contains(flatten([for statement in jsondecode(function.policy).Statement : statement.Action]), "xray:PutTraceSegments")
    ])
    error_message = "With tracing every function must be allowed to send traces."
  }
}

run "own_role" {
  module {
    source = "./modules/lambda_function"
  }

  variables {
    name            = "get_image"
    description     = "test"
    memory_mb       = 256
    timeout_seconds = 3
    environment     = {}
    permissions     = { ReadImage = { actions = ["s3:GetObject"], resources = ["arn:aws:s3:::images/*"] } }
    common = {
      name_prefix        = "test"
      build_dir          = "./tests/packages"
      runtime            = "python3.13"
      architecture       = "arm64"
      role_arn           = null
      log_retention_days = 14
      tracing            = false
    }
  }

  assert {
    condition     = length(aws_iam_role.this) == 1 && length(aws_iam_role_policy.this) == 1
    error_message = "Without a role given, one must be made."
  }

  assert {
    condition     = toset([for statement in jsondecode(aws_iam_role_policy.this[0].policy).Statement : statement.Sid]) == toset(["ReadImage", "WriteLog"])
    error_message = "The role may do what was asked for and write the function's log, nothing else."
  }

  assert {
    condition     = length(aws_lambda_event_source_mapping.this) == 0
    error_message = "Without a queue there is nothing to map."
  }
}

run "given_role" {
  module {
    source = "./modules/lambda_function"
  }

  variables {
    name            = "get_image"
    description     = "test"
    memory_mb       = 256
    timeout_seconds = 3
    environment     = {}
    permissions     = {}
    queue           = { arn = "arn:aws:sqs:us-east-1:123456789012:events", batch_size = 10, maximum_concurrency = 4 }
    common = {
      name_prefix        = "test"
      build_dir          = "./tests/packages"
      runtime            = "python3.13"
      architecture       = "arm64"
      role_arn           = "arn:aws:iam::123456789012:role/LabRole"
      log_retention_days = 14
      tracing            = false
    }
  }

  assert {
    condition     = length(aws_iam_role.this) == 0 && length(aws_iam_role_policy.this) == 0
    error_message = "With a role given, no IAM may be made."
  }

  assert {
    condition     = aws_lambda_function.this.role == "arn:aws:iam::123456789012:role/LabRole"
    error_message = "The function must run as the role given."
  }

  assert {
    condition     = aws_lambda_event_source_mapping.this[0].function_response_types == toset(["ReportBatchItemFailures"])
    error_message = "A bad record must fail alone."
  }

  assert {
    condition     = aws_lambda_event_source_mapping.this[0].scaling_config[0].maximum_concurrency == 4
    error_message = "The queue must run no more than it is told to."
  }
}

run "wildcards_are_refused" {
  command = plan

  module {
    source = "./modules/lambda_function"
  }

  variables {
    name            = "get_image"
    description     = "test"
    memory_mb       = 256
    timeout_seconds = 3
    environment     = {}
    permissions     = { All = { actions = ["s3:*"], resources = ["*"] } }
    common = {
      name_prefix        = "test"
      build_dir          = "./tests/packages"
      runtime            = "python3.13"
      architecture       = "arm64"
      role_arn           = null
      log_retention_days = 14
      tracing            = false
    }
  }

  expect_failures = [var.permissions]
}
