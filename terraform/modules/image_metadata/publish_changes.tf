locals {
  publish_changes = {
    enabled         = var.search
    description     = "Writes what changes in the table to the search bucket and, with events = true, to EventBridge"
    memory_mb       = 512
    timeout_seconds = 60

    settings = {
      SEARCH_BUCKET = local.search_bucket_name
      EVENTS        = var.events
      PIXELS        = var.pixels
      PIXELS_QUEUE  = local.pixels_queue_name
    }

    permissions = merge(
      {
        WriteChanges = { actions = ["s3:PutObject"], resources = ["${local.search_bucket_arn}/changes/*"] }
      },
      var.events ? {
        SendEvents = {
          actions   = ["events:PutEvents"]
          resources = ["arn:${local.partition}:events:${local.region}:${local.account_id}:event-bus/default"]
        }
      } : {},
      local.pixels ? {
        SendPixels = { actions = local.may_send, resources = [local.pixels_queue_arn] }
      } : {},
    )

    # Repeated until it succeeds: a change that were left out would be missing in every answer to come.
    stream = {
      source          = "changes"
      batch_size      = 1000
      window_seconds  = var.search_delay_seconds
      maximum_retries = -1
    }

    # What it fails at, it does again: that shows as an old stream (modules/monitoring).
    alarms = ["late"]
  }
}
