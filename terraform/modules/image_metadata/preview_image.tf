locals {
  preview_image = {
    enabled         = var.previews
    description     = "GET /images/preview: makes small pictures of the images"
    memory_mb       = var.preview_memory_mb
    timeout_seconds = 29

    routes = [
      "GET /images/preview/{image_id+}",
    ]

    settings = {
      PREVIEW_BUCKET = local.preview_bucket_name
    }

    permissions = {
      ReadImage      = local.may_read_image
      SeeAbsence     = local.may_see_absence
      ReadRecord     = local.may_read_record
      KeepPreviews   = { actions = ["s3:GetObject", "s3:PutObject"], resources = [local.previews_arn] }
      ListPreviews   = local.may_list_previews
      RemovePreviews = local.may_remove_previews
    }
  }
}
