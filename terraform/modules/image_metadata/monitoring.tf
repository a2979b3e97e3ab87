module "monitoring" {
  source = "../monitoring"
  count  = var.monitoring ? 1 : 0

  functions = {
    for name, function in local.functions : name => {
      name            = module.functions[name].name
      timeout_seconds = function.timeout_seconds
      alarms          = lookup(function, "alarms", null)
    }
  }

  name                   = local.name
  region                 = local.region
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
