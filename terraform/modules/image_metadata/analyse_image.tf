locals {
  analyse_image = {
    enabled         = local.pixels
    description     = "Looks at the pixels of new images: hashes, colour, brightness, sharpness"
    memory_mb       = var.preview_memory_mb
    timeout_seconds = local.analyse_seconds

    permissions = {
      ReadImage   = local.may_read_image
      SeeAbsence  = local.may_see_absence
      ReadRecord  = local.may_read_record
      WriteRecord = local.may_write_record
    }

    queue = {
      source              = "pixels"
      batch_size          = 1
      maximum_concurrency = local.event_concurrency
    }
  }
}
