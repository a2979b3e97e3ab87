resource "aws_lambda_function" "this" {
  function_name    = local.full_name
  description      = var.description
  role             = local.role_arn
  filename         = local.package
  source_code_hash = filebase64sha256(local.package)
  handler          = "lambda_function.lambda_handler"
  runtime          = var.common.runtime
  architectures    = [var.common.architecture]
  memory_size      = var.memory_mb
  timeout          = var.timeout_seconds

  environment {
    variables = var.environment
  }

  tracing_config {
    mode = var.common.tracing ? "Active" : "PassThrough"
  }

  # The log group is there before Lambda would make one that keeps logs for ever; the role may do what it has to.
  depends_on = [aws_cloudwatch_log_group.this, aws_iam_role_policy.this]
}

resource "aws_cloudwatch_log_group" "this" {
  name              = "/aws/lambda/${local.full_name}"
  retention_in_days = var.common.log_retention_days
}

locals {
  full_name = "${var.common.name_prefix}-${var.name}"
  package   = "${var.common.build_dir}/${var.name}.zip"
}
