data "aws_caller_identity" "current" {}

data "aws_partition" "current" {}

data "aws_region" "current" {}

locals {
  name       = "${var.name_prefix}-${var.stage}"
  account_id = data.aws_caller_identity.current.account_id
  region     = data.aws_region.current.id
  partition  = data.aws_partition.current.partition

  # The role that AWS Academy gives a student: a lab ends some day with all that it holds, and runs ten functions at once.
  in_lab            = strcontains(data.aws_caller_identity.current.arn, ":assumed-role/voclabs/")
  event_concurrency = coalesce(var.event_concurrency, local.in_lab ? 3 : 5)
  rate_limit        = coalesce(var.rate_limit, local.in_lab ? 20 : 50)
  burst_limit       = coalesce(var.burst_limit, local.in_lab ? 5 : 100)

  # What the keys of the summary's counters begin with (image_catalogue/dynamodb.py).
  counter_prefix = "#summary#"

  # Names and ARNs are spelled out, so that what refers to bucket, table and queue need not wait for them.
  bucket_name = coalesce(var.bucket_name, "${local.name}-${local.account_id}-${local.region}")
  bucket_arn  = "arn:${local.partition}:s3:::${local.bucket_name}"
  images_arns = [for prefix in var.upload_prefixes : "${local.bucket_arn}/${prefix}*"]
  table_name  = coalesce(var.table_name, local.name)
  table_arn   = "arn:${local.partition}:dynamodb:${local.region}:${local.account_id}:table/${local.table_name}"
}
