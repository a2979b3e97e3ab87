locals {
  get_image = {
    description     = "GET /images/file: answers with the image itself"
    memory_mb       = 512
    timeout_seconds = 29

    routes = [
      "GET /images/file/{image_id+}",
      "POST /images/file",
      "GET /images/{image_id+}",
      "GET /images/download/{image_id+}",
    ]

    scopes = { "POST /images/file" = "read" }

    permissions = {
      ReadImage  = local.may_read_image
      SeeAbsence = local.may_see_absence
      ReadRecord = local.may_read_record
    }
  }
}
