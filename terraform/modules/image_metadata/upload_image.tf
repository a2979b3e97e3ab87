locals {
  upload_image = {
    description     = "POST /upload and /uploads: takes images and hands out presigned uploads"
    memory_mb       = 1024
    timeout_seconds = 29

    routes = [
      "POST /upload",
      "POST /uploads",
      "POST /images",
    ]

    settings = {
      GPS              = var.gps
      MAX_UPLOAD_BYTES = var.max_upload_bytes
    }

    permissions = {
      WriteImage  = { actions = ["s3:PutObject"], resources = local.images_arns }
      WriteRecord = local.may_write_record
      Count       = local.may_count
    }
  }
}
