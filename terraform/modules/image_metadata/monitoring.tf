module "monitoring" {
  source = "../monitoring"
  count  = var.monitoring ? 1 : 0

  name                   = local.name
  region                 = local.region
  functions              = { for name, function in module.functions : name => { name = function.name, timeout_seconds = local.functions[name].timeout_seconds } }
  event_log_group        = module.functions["s3_file_event"].log_group
  queue_name             = module.events.name
  dead_letter_queue_name = module.events.dead_letter_name
  table_name             = module.table.name
  index_names            = module.table.index_names
  api_name               = module.api.name
  api_stage              = module.api.stage
  email                  = var.alarm_email
  topic_arn              = var.alarm_topic_arn
}
