module "table" {
  source = "../table"

  name                   = var.table_name
  point_in_time_recovery = var.point_in_time_recovery
}
