module "monitoring" {
  source = "../monitoring"
  count  = var.monitoring ? 1 : 0

  name                   = local.name
  region                 = local.region
  function_names         = { for name, function in module.functions : name => function.name }
  queue_name             = module.events.name
  dead_letter_queue_name = module.events.dead_letter_name
  table_name             = module.table.name
  api_name               = module.api.name
  api_stage              = module.api.stage
  email                  = var.alarm_email
}
