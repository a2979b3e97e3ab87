# On the local AWS the provider waits for it for a minute, and nothing ever expires.
resource "aws_s3_bucket_lifecycle_configuration" "this" {
  count = var.local ? 0 : 1

  bucket = aws_s3_bucket.this.id

  rule {
    id     = "abort-incomplete-uploads"
    status = "Enabled"

    filter {}

    abort_incomplete_multipart_upload {
      days_after_initiation = 7
    }
  }

  dynamic "rule" {
    for_each = [for days in [try(var.images.expiration_days, null)] : days if days != null]

    content {
      id     = "expire-images"
      status = "Enabled"

      filter {
        prefix = var.images.prefix
      }

      expiration {
        days = rule.value
      }
    }
  }

  dynamic "rule" {
    for_each = [for days in [try(var.images.noncurrent_days, null)] : days if days != null]

    content {
      id     = "expire-versions"
      status = "Enabled"

      filter {
        prefix = var.images.prefix
      }

      noncurrent_version_expiration {
        noncurrent_days = rule.value
      }

      # A delete marker with no version left behind it hides nothing.
      expiration {
        expired_object_delete_marker = true
      }
    }
  }
}
