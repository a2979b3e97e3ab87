locals {
  compact_catalogue = {
    enabled         = var.search
    description     = "Merges waiting changes into the search snapshot when they are many, large or an hour old"
    memory_mb       = 2048
    timeout_seconds = 900
    schedule        = "rate(5 minutes)"

    settings = {
      SEARCH_BUCKET = local.search_bucket_name
    }

    permissions = {
      ListSnapshot = local.may_list_search_bucket
      ReadSnapshot = {
        actions   = ["s3:GetObject"]
        resources = [for folder in ["changes", "tombstones", "snapshot"] : "${local.search_bucket_arn}/${folder}/*"]
      }
      WriteSnapshot = {
        actions   = ["s3:PutObject"]
        resources = [for folder in ["tombstones", "snapshot"] : "${local.search_bucket_arn}/${folder}/*"]
      }
      DeleteMerged = { actions = ["s3:DeleteObject"], resources = ["${local.search_bucket_arn}/changes/*"] }
    }

    alarms = ["errors"]
  }
}
