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
    for_each = [for days in [var.expiration_days] : days if days != null]

    content {
      id     = "expire"
      status = "Enabled"

      filter {}

      expiration {
        days = rule.value
      }
    }
  }

  dynamic "rule" {
    for_each = [for prefix in try(var.images.prefixes, []) : prefix if try(var.images.expiration_days, null) != null]

    content {
      id     = rule.key == 0 ? "expire-images" : "expire-images-${rule.key}"
      status = "Enabled"

      filter {
        prefix = rule.value
      }

      expiration {
        days = var.images.expiration_days
      }
    }
  }

  dynamic "rule" {
    for_each = var.temporary

    content {
      id     = "expire-${trimsuffix(rule.key, "/")}"
      status = "Enabled"

      filter {
        prefix = rule.key
      }

      expiration {
        days = rule.value
      }
    }
  }

  dynamic "rule" {
    for_each = [for prefix in try(var.images.prefixes, []) : prefix if try(var.images.noncurrent_days, null) != null]

    content {
      id     = rule.key == 0 ? "expire-versions" : "expire-versions-${rule.key}"
      status = "Enabled"

      filter {
        prefix = rule.value
      }

      noncurrent_version_expiration {
        noncurrent_days = var.images.noncurrent_days
      }

      # A delete marker with no version left behind it hides nothing.
      expiration {
        expired_object_delete_marker = true
      }
    }
  }
}
