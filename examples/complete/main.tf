# The product in a configuration of your own: a role for every function, a key of your own for images and records, alarms
# to a topic that your team reads, tokens of your identity provider. Build the packages first: ./build.sh
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

  default_tags {
    tags = { Team = "photos" }
  }
}

variable "region" {
  description = "AWS region to deploy to."
  type        = string
  default     = "eu-west-1"
}

variable "build_dir" {
  description = "Directory of the packages that build.sh makes."
  type        = string
  default     = "../../build"
}

# Its default policy lets the account's IAM decide who uses it, as the functions' roles need.
resource "aws_kms_key" "images" {
  description         = "Images and their records"
  enable_key_rotation = true
}

resource "aws_sns_topic" "alarms" {
  name = "photos-alarms"
}

module "image_metadata" {
  source = "../../terraform/modules/image_metadata"

  stage       = "prod"
  name_prefix = "photos"
  build_dir   = var.build_dir

  kms_key_arn             = aws_kms_key.images.arn
  versioning              = true
  noncurrent_version_days = 30

  auth              = "jwt"
  jwt_issuer        = "https://login.example.org/realms/photos"
  jwt_audience      = "photos"
  cors_allow_origin = "https://photos.example.org"
  gps               = "coarse"

  alarm_topic_arn    = aws_sns_topic.alarms.arn
  log_retention_days = 90
}

output "api_url" {
  description = "Address that every path begins with."
  value       = module.image_metadata.api_url
}

output "bucket" {
  description = "Bucket that images are put into."
  value       = module.image_metadata.bucket
}
