locals {
  # Each function is declared in the file of its name. Terraform cannot collect them by itself: a new one adds its line.
  # `enabled = false` leaves a function out, with its routes, role and alarms.
  declared_functions = {
    analyse_image      = local.analyse_image
    authorize          = local.authorize
    compact_catalogue  = local.compact_catalogue
    delete_image       = local.delete_image
    get_image          = local.get_image
    get_image_metadata = local.get_image_metadata
    info_images        = local.info_images
    preview_image      = local.preview_image
    publish_changes    = local.publish_changes
    s3_file_event      = local.s3_file_event
    search_images      = local.search_images
    show_gallery       = local.show_gallery
    upload_image       = local.upload_image
  }

  functions = { for name, function in local.declared_functions : name => function if lookup(function, "enabled", true) }

  # What functions take messages or changes from, by the name that their files call it. An ARN in a
  # function's file would make every function wait for it, and so would `module.pixels_queue[*]`: that is the whole module,
  # which is made when its redrive policy is, 25 seconds after the queue.
  event_sources = {
    events  = module.events.arn
    changes = module.table.stream_arn
    pixels  = local.pixels ? module.pixels_queue[0].arn : null
  }

  function_common = {
    name_prefix        = local.name
    build_dir          = var.build_dir
    code_bucket        = module.code.name
    runtime            = var.runtime
    architecture       = var.architecture
    role_arn           = var.lambda_role_arn
    boundary_arn       = var.permissions_boundary
    log_retention_days = var.log_retention_days
    tracing            = var.tracing
  }

  # Settings of every function, and of every function that answers a route; those of one alone are in its file.
  common_settings = {
    BUCKET_NAME     = local.bucket_name
    TABLE_NAME      = local.table_name
    UPLOAD_PREFIXES = jsonencode(var.upload_prefixes)
    INDEX_SHARDS    = var.index_shards
    COUNTER_SHARDS  = var.counter_shards
    SEARCH_PARTS    = var.search_parts
    LOG_LEVEL       = var.log_level
  }
  authorizer_settings = {
    ROUTE_SCOPES = jsonencode(local.route_scopes)
  }
  api_settings = {
    CORS_ALLOW_ORIGIN = var.cors_allow_origin
  }

  # Permissions that several functions need, beside those of their own in their files.
  may_read_record = { actions = ["dynamodb:GetItem"], resources = [local.table_arn] }
  may_write_record = {
    actions   = ["dynamodb:PutItem"]
    resources = [local.table_arn]
    condition = {
      "ForAllValues:StringLike"    = { "dynamodb:LeadingKeys" = [for prefix in var.upload_prefixes : "${prefix}*"] }
      "ForAllValues:StringNotLike" = { "dynamodb:LeadingKeys" = ["${local.counter_prefix}*"] }
    }
  }
  may_count = {
    actions   = ["dynamodb:UpdateItem"]
    resources = [local.table_arn]
    condition = { "ForAllValues:StringLike" = { "dynamodb:LeadingKeys" = ["${local.counter_prefix}*"] } }
  }
  may_read_image = { actions = ["s3:GetObject"], resources = local.images_arns }

  # Of a key of one's own, S3 and DynamoDB ask for these in the caller's name.
  may_use_key = {
    for sid, use in {
      UseKeyInS3 = { service = "s3", actions = ["kms:Decrypt", "kms:GenerateDataKey"] }
      UseKeyInDynamoDB = {
        service = "dynamodb"
        actions = ["kms:Decrypt", "kms:DescribeKey", "kms:Encrypt", "kms:GenerateDataKey", "kms:ReEncryptFrom", "kms:ReEncryptTo"]
      }
      } : sid => {
      service   = use.service
      actions   = use.actions
      resources = [var.kms_key_arn]
      condition = { StringEquals = { "kms:ViaService" = ["${use.service}.${local.region}.amazonaws.com"] } }
    } if var.kms_key_arn != null
  }

  # The services that a function's actions are of. One that takes the table's changes reads its stream.
  services_used = {
    for name, function in local.functions : name => concat(
      [for action in flatten([for statement in function.permissions : statement.actions]) : split(":", action)[0]],
      can(function.stream) ? ["dynamodb"] : [],
    )
  }

  # Without it S3 answers 403 for a key that is not there. Only a listing states a prefix, a GetObject does not.
  may_see_absence = {
    actions   = ["s3:ListBucket"]
    resources = [local.bucket_arn]
    condition = { StringLikeIfExists = { "s3:prefix" = [for prefix in var.upload_prefixes : "${prefix}*"] } }
  }
}

module "functions" {
  source   = "../lambda_function"
  for_each = local.functions

  name            = each.key
  description     = each.value.description
  common          = local.function_common
  memory_mb       = each.value.memory_mb
  timeout_seconds = each.value.timeout_seconds
  permissions = merge(each.value.permissions, {
    for sid, statement in local.may_use_key : sid => statement if contains(local.services_used[each.key], statement.service)
  })

  # Somebody waits for those that API Gateway invokes; events and schedules do not mind a cold start.
  snap_start = var.snap_start && (can(each.value.routes) || can(each.value.authorizes))

  environment = merge(
    local.common_settings,
    { POWERTOOLS_SERVICE_NAME = each.key },
    can(each.value.routes) ? local.api_settings : {},
    can(each.value.authorizes) ? local.authorizer_settings : {},
    lookup(each.value, "settings", {}),
  )

  queue = can(each.value.queue) ? merge(each.value.queue, {
    arn = local.event_sources[each.value.queue.source]
  }) : null

  stream = can(each.value.stream) ? merge(each.value.stream, {
    arn = local.event_sources[each.value.stream.source]
  }) : null

  schedule = lookup(each.value, "schedule", null)
}
