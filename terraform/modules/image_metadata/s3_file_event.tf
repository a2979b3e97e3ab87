locals {
  s3_file_event = {
    description     = "Catalogues images that were put into or removed from the bucket"
    memory_mb       = var.event_memory_mb
    timeout_seconds = var.event_timeout_seconds

    settings = {
      GPS            = var.gps
      PREVIEWS       = var.previews
      PREVIEW_BUCKET = local.preview_bucket_name
    }

    permissions = merge(
      {
        ReadImage   = local.may_read_image
        SeeAbsence  = local.may_see_absence
        ReadRecord  = local.may_read_record
        WriteRecord = local.may_write_record
        Count       = local.may_count
      },
      var.previews ? {
        ListPreviews   = local.may_list_previews
        RemovePreviews = local.may_remove_previews
      } : {},
    )

    queue = {
      source = "events"
      # The images of a batch share an invocation and a change of the counters (docs/benchmarks.md): a second's wait
      # fills it.
      batch_size          = 50
      window_seconds      = 1
      maximum_concurrency = local.event_concurrency
    }
  }
}
