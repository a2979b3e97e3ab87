locals {
  info_images = {
    description     = "GET /images/info: answers with the summary"
    memory_mb       = 512
    timeout_seconds = 29

    routes = [
      "GET /images/info",
      "GET /summary",
    ]

    permissions = {
      ReadCounters = { actions = ["dynamodb:BatchGetItem"], resources = [local.table_arn] }
      FindEnds     = { actions = ["dynamodb:Query"], resources = ["${local.table_arn}/index/by_size"] }
    }
  }
}
