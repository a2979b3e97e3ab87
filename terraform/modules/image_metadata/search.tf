# The search snapshot: derived from the table, and made again from it by tools/ops/snapshot.py.
module "search_bucket" {
  source = "../bucket"
  count  = var.search ? 1 : 0

  name          = local.search_bucket_name
  force_destroy = true
  kms_key_arn   = var.kms_key_arn
  local         = var.local_endpoint != null
  temporary     = var.athena ? { (local.athena_results) = 7 } : {}
}

module "athena" {
  source = "../athena"
  count  = var.search && var.athena ? 1 : 0

  name           = local.name
  bucket         = module.search_bucket[0].name
  results_prefix = local.athena_results
  kms_key_arn    = var.kms_key_arn
}

locals {
  # As the bucket of the packages is called.
  search_bucket_name = "${local.name}-search-${substr(sha256("${local.account_id}/${local.region}"), 0, 12)}"
  search_bucket_arn  = "arn:${local.partition}:s3:::${local.search_bucket_name}"
  athena_results     = "athena/"

  may_list_search_bucket = { actions = ["s3:ListBucket"], resources = [local.search_bucket_arn] }
}
