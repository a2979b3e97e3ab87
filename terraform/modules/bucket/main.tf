resource "aws_s3_bucket" "this" {
  #checkov:skip=CKV_AWS_18:Access logs need a second bucket of their own care; CloudTrail's data events log the same per account
  #checkov:skip=CKV_AWS_144:A copy in another region doubles the cost; images that must survive a region are the account's choice
  #checkov:skip=CKV_AWS_145:The variable kms_key_arn names a key of one's own, which costs by the month and the request; else S3's own key encrypts (access.tf)

  bucket        = var.name
  force_destroy = var.force_destroy
}

resource "aws_s3_bucket_versioning" "this" {
  count = var.versioning ? 1 : 0

  bucket = aws_s3_bucket.this.id

  versioning_configuration {
    status = "Enabled"
  }
}

# Pages post their uploads straight to the bucket. A download comes here redirected from the API, which makes a browser
# send "Origin: null": who may read it is decided by the presigned address alone.
resource "aws_s3_bucket_cors_configuration" "this" {
  count = var.images == null ? 0 : 1

  bucket = aws_s3_bucket.this.id

  cors_rule {
    id              = "uploads"
    allowed_methods = ["POST", "PUT"]
    allowed_origins = [var.images.cors_allow_origin]
    allowed_headers = ["*"]
    expose_headers  = ["ETag", "Location"]
    max_age_seconds = 3600
  }

  cors_rule {
    id              = "downloads"
    allowed_methods = ["GET", "HEAD"]
    allowed_origins = ["*"]
    allowed_headers = ["*"]
    expose_headers  = ["ETag"]
    max_age_seconds = 3600
  }
}
