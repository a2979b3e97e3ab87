module "table" {
  source = "../table"

  name                   = local.table_name
  point_in_time_recovery = var.point_in_time_recovery
}
