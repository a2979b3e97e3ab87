locals {
  s3_file_event = {
    description     = "Catalogues images that were put into or removed from the bucket"
    memory_mb       = var.event_memory_mb
    timeout_seconds = var.event_timeout_seconds

    settings = {
      GPS = var.gps
    }

    permissions = {
      ReadImage   = local.may_read_image
      SeeAbsence  = local.may_see_absence
      ReadRecord  = local.may_read_record
      WriteRecord = local.may_write_record
      Count       = local.may_count
    }

    queue = {
      source              = "events"
      batch_size          = 10
      maximum_concurrency = local.event_concurrency
    }
  }
}
