# The functions' packages. The provider creates and updates functions one at a time, some seconds each, unless their code
# lies in S3.
module "code" {
  source = "../bucket"

  # A name of 63 letters at most whatever the prefix, unique in all of AWS.
  name          = "${local.name}-code-${substr(sha256("${local.account_id}/${local.region}"), 0, 12)}"
  force_destroy = true
  local         = var.local_endpoint != null
}
