locals {
  get_image_metadata = {
    description     = "GET and DELETE /metadata: lists, answers and forgets records"
    memory_mb       = 512
    timeout_seconds = 29

    routes = [
      "GET /metadata",
      "POST /metadata",
      "GET /metadata/{image_id+}",
      "DELETE /metadata/{image_id+}",
      "GET /images",
      "GET /images/metadata/{image_id+}",
    ]

    scopes = { "POST /metadata" = "read" }

    permissions = {
      ReadRecord  = local.may_read_record
      WriteRecord = local.may_write_record
      Count       = local.may_count
      ListRecords = {
        actions   = ["dynamodb:Query"]
        resources = ["${local.table_arn}/index/by_uploaded_at", "${local.table_arn}/index/by_size"]
      }
    }
  }
}
