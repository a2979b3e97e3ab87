resource "aws_lambda_function" "this" {
  #checkov:skip=CKV_AWS_115:The queue's maximum_concurrency and the API's throttle bound it; reserving would fail where an account may run ten functions
  #checkov:skip=CKV_AWS_116:Only a schedule invokes it asynchronously, and comes again: queue and stream keep what failed, API callers get the error
  #checkov:skip=CKV_AWS_117:It reaches S3 and DynamoDB alone, by TLS and IAM; in a VPC it would need endpoints and could do no more
  #checkov:skip=CKV_AWS_173:The variables are names and limits, no secrets; Lambda encrypts them with its own key
  #checkov:skip=CKV_AWS_272:Whoever may update the function may also drop the signature check; deploy.sh builds from hashed requirements

  function_name    = local.full_name
  description      = var.description
  role             = local.role_arn
  s3_bucket        = aws_s3_object.package.bucket
  s3_key           = aws_s3_object.package.key
  source_code_hash = aws_s3_object.package.source_hash
  handler          = "lambda_function.lambda_handler"
  runtime          = var.common.runtime
  architectures    = [var.common.architecture]
  memory_size      = var.memory_mb
  timeout          = var.timeout_seconds
  publish          = var.snap_start

  environment {
    variables = var.environment
  }

  tracing_config {
    mode = var.common.tracing ? "Active" : "PassThrough"
  }

  # Only published versions have snapshots.
  dynamic "snap_start" {
    for_each = var.snap_start ? ["PublishedVersions"] : []

    content {
      apply_on = snap_start.value
    }
  }

  # The log group is there before Lambda would make one that keeps logs for ever; the role may do what it has to.
  depends_on = [aws_cloudwatch_log_group.this, aws_iam_role_policy.this]
}

resource "aws_lambda_alias" "live" {
  count = var.snap_start ? 1 : 0

  name             = local.alias
  description      = "The version that answers"
  function_name    = aws_lambda_function.this.function_name
  function_version = aws_lambda_function.this.version
}

resource "aws_s3_object" "package" {
  bucket      = var.common.code_bucket
  key         = "${var.name}.zip"
  source      = local.package
  source_hash = filebase64sha256(local.package)

  # The local AWS loses the tags of what comes in parts (over 5 MB), and every plan would set them again.
  override_provider {
    default_tags {
      tags = {}
    }
  }
}

resource "aws_cloudwatch_log_group" "this" {
  #checkov:skip=CKV_AWS_158:Encrypted by CloudWatch's own key; log lines hold no content and no secrets (tests/unit/api/test_logs.py)
  #checkov:skip=CKV_AWS_338:log_retention_days says how long; less is kept by default, since keys of images can be personal data

  name              = "/aws/lambda/${local.full_name}"
  retention_in_days = var.common.log_retention_days
}

locals {
  full_name = "${var.common.name_prefix}-${var.name}"
  alias     = var.snap_start ? "live" : null
  package   = "${var.common.build_dir}/${var.name}.zip"
}
