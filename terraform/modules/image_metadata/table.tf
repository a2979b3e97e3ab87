module "table" {
  source = "../table"

  name                   = local.table_name
  point_in_time_recovery = coalesce(var.point_in_time_recovery, !local.in_lab)
  stream                 = var.search
  deletion_protection    = coalesce(var.deletion_protection, !(local.in_lab || var.local_endpoint != null))
  kms_key_arn            = var.kms_key_arn
}
