module "table" {
  source = "../table"

  name                   = local.table_name
  point_in_time_recovery = var.point_in_time_recovery
  deletion_protection    = coalesce(var.deletion_protection, !local.throwaway)
  kms_key_arn            = var.kms_key_arn
}

locals {
  # A lab and the local AWS end some day with all that they hold.
  throwaway = var.local_endpoint != null || endswith(coalesce(var.lambda_role_arn, "none"), ":role/LabRole")
}
