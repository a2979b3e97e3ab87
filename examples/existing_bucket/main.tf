# A catalogue of a bucket that is there, below two of its prefixes. Nothing of the bucket is changed; its owner switches on
# that it sends its events to EventBridge. What it holds already: tools/ops/backfill.py, with this configuration's outputs.
terraform {
  required_version = ">= 1.7"

  required_providers {
    aws = {
      source  = "hashicorp/aws"
      version = ">= 5.100, < 7"
    }
  }
}

provider "aws" {
  region = var.region
}

variable "region" {
  description = "AWS region of the bucket."
  type        = string
  default     = "eu-west-1"
}

variable "bucket_name" {
  description = "Name of the bucket."
  type        = string
}

variable "build_dir" {
  description = "Directory of the packages that build.sh makes."
  type        = string
  default     = "../../build"
}

module "image_metadata" {
  source = "../../terraform/modules/image_metadata"

  stage     = "prod"
  build_dir = var.build_dir

  create_bucket    = false
  bucket_name      = var.bucket_name
  upload_prefixes  = ["archive/", "incoming/"]
  batch_operations = true
}

output "api_url" {
  description = "Address that every path begins with."
  value       = module.image_metadata.api_url
}

output "backfill" {
  description = "What tools/ops/backfill.py is to be told."
  value = {
    bucket            = module.image_metadata.bucket
    table             = module.image_metadata.table
    queue_url         = module.image_metadata.queue_url
    account           = module.image_metadata.account_id
    s3_file_event_arn = module.image_metadata.s3_file_event_arn
    code_bucket       = module.image_metadata.code_bucket
    prefixes          = module.image_metadata.upload_prefixes
    role_arn          = module.image_metadata.batch_operations_role_arn
  }
}
