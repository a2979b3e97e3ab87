# The role of S3 Batch Operations jobs that catalogue images which were there before (docs/operations.md).
locals {
  batch_role = var.batch_operations && var.lambda_role_arn == null
}

resource "aws_iam_role" "batch_operations" {
  count = local.batch_role ? 1 : 0

  name        = "${local.name}-batch-operations"
  description = "What S3 Batch Operations jobs of ${local.name} may do"

  permissions_boundary = var.permissions_boundary

  assume_role_policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Effect    = "Allow"
      Principal = { Service = "batchoperations.s3.amazonaws.com" }
      Action    = "sts:AssumeRole"
      Condition = { StringEquals = { "aws:SourceAccount" = local.account_id } }
    }]
  })
}

resource "aws_iam_role_policy" "batch_operations" {
  count = local.batch_role ? 1 : 0

  name = "permissions"
  role = aws_iam_role.batch_operations[0].id

  policy = jsonencode({
    Version = "2012-10-17"
    Statement = concat([
      {
        Sid      = "InvokeFunction"
        Effect   = "Allow"
        Action   = ["lambda:InvokeFunction"]
        Resource = [module.functions["s3_file_event"].arn, "${module.functions["s3_file_event"].arn}:*"]
      },
      {
        Sid      = "ListImages"
        Effect   = "Allow"
        Action   = ["s3:ListBucket", "s3:PutInventoryConfiguration"]
        Resource = [local.bucket_arn]
      },
      {
        Sid      = "WriteReport"
        Effect   = "Allow"
        Action   = ["s3:PutObject"]
        Resource = ["arn:${local.partition}:s3:::${module.code.name}/batch-reports/*"]
      },
      ], [
      for use in [lookup(local.may_use_key, "UseKeyInS3", null)] : {
        Sid       = "UseKey"
        Effect    = "Allow"
        Action    = use.actions
        Resource  = use.resources
        Condition = use.condition
      } if use != null
    ])
  })
}
