locals {
  search_images = {
    enabled         = var.search
    description     = "Search, duplicates, similar images, problems: asks the catalogue's columns"
    memory_mb       = var.search_memory_mb
    timeout_seconds = 29

    routes = [
      "GET /search",
      "POST /search",
      "GET /search/queryables",
      "GET /duplicates",
      "GET /images/similar/{image_id+}",
      "GET /report",
    ]

    scopes = { "POST /search" = "read" }

    settings = {
      SEARCH_BUCKET = local.search_bucket_name
    }

    permissions = {
      ListSnapshot = local.may_list_search_bucket
      ReadSnapshot = {
        actions   = ["s3:GetObject"]
        resources = [for folder in ["changes", "tombstones", "snapshot"] : "${local.search_bucket_arn}/${folder}/*"]
      }
    }

    alarms = ["errors"]
  }
}
