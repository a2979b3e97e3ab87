locals {
  delete_image = {
    description     = "DELETE /images: removes images and their records"
    memory_mb       = 512
    timeout_seconds = 29

    routes = [
      "DELETE /images/{image_id+}",
      "POST /images/delete",
    ]

    scopes = { "POST /images/delete" = "delete" }

    permissions = {
      ReadImage   = local.may_read_image
      SeeAbsence  = local.may_see_absence
      RemoveImage = { actions = ["s3:DeleteObject"], resources = local.images_arns }
      ReadRecord  = local.may_read_record
      WriteRecord = local.may_write_record
      Count       = local.may_count
    }
  }
}
