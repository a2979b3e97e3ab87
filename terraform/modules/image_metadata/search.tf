# The search snapshot: derived from the table, and made again from it by tools/ops/snapshot.py.
module "search_bucket" {
  source = "../bucket"
  count  = var.search ? 1 : 0

  name          = local.search_bucket_name
  force_destroy = true
  local         = var.local_endpoint != null
}

locals {
  # As the bucket of the packages is called.
  search_bucket_name = "${local.name}-search-${substr(sha256("${local.account_id}/${local.region}"), 0, 12)}"
  search_bucket_arn  = "arn:${local.partition}:s3:::${local.search_bucket_name}"

  may_list_search_bucket = { actions = ["s3:ListBucket"], resources = [local.search_bucket_arn] }
}
