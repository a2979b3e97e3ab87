mock_provider "aws" {
  source = "./tests/mocks"
}

variables {
  stage     = "dev"
  build_dir = "./tests/packages"
}

run "packages" {
  module {
    source = "./tests/packages"
  }
}

run "defaults" {
  module {
    source = "./modules/image_metadata"
  }

  assert {
    condition     = output.bucket == "image-metadata-dev-123456789012-us-east-1" && output.table == "image-metadata-dev"
    error_message = "The bucket's default name must hold account and region, the table's its stage."
  }

  assert {
    condition     = output.api_key != null
    error_message = "The API must ask for a key by default."
  }

  assert {
    condition     = !contains(keys(local.functions), "authorize")
    error_message = "Without tokens there is nothing to verify."
  }

  assert {
    condition     = alltrue([for route, function in local.routes : contains(local.functions[function].routes, route)]) && length(local.routes) == length(flatten([for function in local.functions : try(function.routes, [])]))
    error_message = "Every route must lead to the function that declares it."
  }

  assert {
    condition     = !strcontains(join("", [for function in module.functions : function.policy]), "kms:")
    error_message = "Without a key there is nothing to allow."
  }

  assert {
    condition     = !contains(keys(output.function_names), "analyse_image") && length(module.pixels_queue) == 0 && output.pixels_queue_url == null
    error_message = "Unless asked for, nobody looks at pixels."
  }

  assert {
    condition     = !strcontains(module.functions["publish_changes"].policy, "sqs:")
    error_message = "Nothing is queued that nobody takes."
  }

  assert {
    condition     = toset(local.open_routes) == toset(["GET /", "GET /gallery/{file+}"])
    error_message = "Only the page and its files may be had without a key."
  }
}

run "root" {
  command = plan

  assert {
    condition     = output.bucket == "image-metadata-dev-123456789012-us-east-1" && output.region == "us-east-1"
    error_message = "The root must deploy the product by its defaults."
  }
}

run "twice" {
  command = plan

  module {
    source = "./tests/twice"
  }

  assert {
    condition     = output.buckets == ["image-metadata-a-123456789012-us-east-1", "image-metadata-b-123456789012-us-east-1"]
    error_message = "The product must be usable with count, each time with names of its own."
  }
}

run "local_aws" {
  module {
    source = "./modules/image_metadata"
  }

  variables {
    local_endpoint      = "http://127.0.0.1:4566"
    deletion_protection = true
  }

  assert {
    condition     = can(regex("^http://127\\.0\\.0\\.1:4566/restapis/[^/]+/dev/_user_request_$", output.api_url))
    error_message = "The API's address must be the local AWS's."
  }

  assert {
    condition     = module.table.deletion_protection
    error_message = "What is asked for must count."
  }
}

run "alarms_and_a_key_of_ones_own" {
  module {
    source = "./modules/image_metadata"
  }

  variables {
    alarm_email      = "someone@example.org"
    alarm_topic_arn  = "arn:aws:sns:us-east-1:123456789012:oncall"
    kms_key_arn      = "arn:aws:kms:us-east-1:123456789012:key/mine"
    batch_operations = true
    athena           = true
    auth             = "jwt"
    jwt_issuer       = "https://login.example.org"
    jwt_audience     = "photos"
  }

  assert {
    condition = toset(module.monitoring[0].alarm_names) == toset(concat(
      [
        for alarm in [
          "dead-letters", "events-late", "events-failing", "api-errors", "transaction-conflicts",
          "write-throttles", "by_uploaded_at-write-throttles", "by_size-write-throttles",
        ] : "image-metadata-dev-${alarm}"
      ],
      flatten([
        for name, function in local.functions : [
          for kind in lookup(function, "alarms", ["errors", "throttles", "slow"]) : "image-metadata-dev-${name}-${kind}"
        ]
      ]),
    ))
    error_message = "Every function needs its alarms, and so do events, the API, the table and its indexes."
  }

  assert {
    condition = alltrue([
      for function in module.functions :
      {
        for statement in jsondecode(function.policy).Statement : one(statement.Condition.StringEquals["kms:ViaService"]) => statement.Resource
        if startswith(statement.Sid, "UseKey")
        } == {
        for service in ["s3", "dynamodb"] : "${service}.us-east-1.amazonaws.com" => [var.kms_key_arn]
        if strcontains(function.policy, "\"${service}:")
      }
    ])
    error_message = "Functions may use the key through S3 and DynamoDB alone, and through each only where they use it."
  }

  assert {
    condition     = !strcontains("${module.functions["show_gallery"].policy}${module.functions["authorize"].policy}", "kms:")
    error_message = "What reads neither bucket nor table has no use for the key."
  }

  assert {
    condition     = [module.bucket[0].kms_key_arn, module.preview_bucket[0].kms_key_arn, module.search_bucket[0].kms_key_arn] == [var.kms_key_arn, var.kms_key_arn, var.kms_key_arn]
    error_message = "The key must encrypt whatever holds images or records."
  }

  assert {
    condition     = module.athena[0].kms_key_arn == var.kms_key_arn
    error_message = "The key must encrypt Athena's answers, which hold records."
  }

  assert {
    condition     = contains(jsondecode(aws_iam_role_policy.batch_operations[0].policy).Statement[*].Sid, "UseKey")
    error_message = "A batch job must be able to write its report."
  }
}

run "protected" {
  command = plan

  module {
    source = "./modules/image_metadata"
  }

  variables {
    lambda_role_arn = "arn:aws:iam::123456789012:role/LabRole"
  }

  assert {
    condition     = module.table.deletion_protection && module.table.point_in_time_recovery
    error_message = "The table must be protected unless asked otherwise: a role's name makes no lab."
  }

  assert {
    condition     = [local.event_concurrency, local.rate_limit, local.burst_limit] == [5, 50, 100]
    error_message = "An account of one's own has the usual limits."
  }
}

run "a_lab_ends_some_day_and_runs_few_functions" {
  command = plan

  module {
    source = "./modules/image_metadata"
  }

  override_data {
    target = data.aws_caller_identity.current
    values = { account_id = "123456789012", arn = "arn:aws:sts::123456789012:assumed-role/voclabs/user1" }
  }

  variables {
    lambda_role_arn = "arn:aws:iam::123456789012:role/LabRole"
    burst_limit     = 7
    monitoring      = false
  }

  assert {
    condition     = !module.table.deletion_protection && !module.table.point_in_time_recovery
    error_message = "A lab's table must go with the lab, without the cost of restoring it."
  }

  assert {
    condition     = [local.functions.s3_file_event.queue.maximum_concurrency, local.rate_limit, local.burst_limit] == [3, 20, 7]
    error_message = "A lab's ten functions at once must be enough, and what is asked for must count."
  }

  assert {
    condition     = length(module.monitoring) == 0
    error_message = "Monitoring must be off."
  }
}

run "a_bucket_that_is_there" {
  command = plan

  module {
    source = "./modules/image_metadata"
  }

  variables {
    create_bucket    = false
    bucket_name      = "ours"
    upload_prefixes  = ["2024/", "2025/"]
    batch_operations = true
  }

  assert {
    condition     = length(module.bucket) == 0 && output.bucket == "ours"
    error_message = "Nothing of a bucket that is there may be made."
  }

  assert {
    condition = jsondecode(aws_cloudwatch_event_rule.bucket[0].event_pattern).detail == {
      bucket = { name = ["ours"] }
      object = { key = [{ prefix = "2024/" }, { prefix = "2025/" }] }
    }
    error_message = "The rule must take the events of these prefixes alone."
  }

  assert {
    condition = local.event_sender == {
      service = "events.amazonaws.com", arn = "arn:aws:events:us-east-1:123456789012:rule/image-metadata-dev-s3-events"
    }
    error_message = "Only the rule may send to the queue."
  }

  assert {
    condition     = local.may_read_image.resources == ["arn:aws:s3:::ours/2024/*", "arn:aws:s3:::ours/2025/*"]
    error_message = "Functions must reach the images below every prefix, and nothing else."
  }

  assert {
    condition     = local.may_write_record.condition["ForAllValues:StringLike"]["dynamodb:LeadingKeys"] == ["2024/*", "2025/*"]
    error_message = "Records may be put for images below every prefix."
  }
}

run "the_whole_bucket" {
  command = plan

  module {
    source = "./modules/image_metadata"
  }

  variables {
    create_bucket   = false
    bucket_name     = "ours"
    upload_prefixes = [""]
  }

  assert {
    condition     = jsondecode(aws_cloudwatch_event_rule.bucket[0].event_pattern).detail == { bucket = { name = ["ours"] } }
    error_message = "The rule must take every object's events."
  }

  assert {
    condition     = local.may_write_record.condition["ForAllValues:StringNotLike"]["dynamodb:LeadingKeys"] == ["#summary#*"]
    error_message = "No record may be put in a counter's place."
  }
}

run "tokens" {
  command = plan

  module {
    source = "./modules/image_metadata"
  }

  variables {
    auth         = "jwt"
    jwt_issuer   = "https://login.example.org"
    jwt_audience = "photos"
  }

  assert {
    condition     = toset(keys(local.route_scopes)) == toset(keys(local.routes)) && local.route_scopes["POST /images/delete"] == "delete"
    error_message = "Every route must take a scope, and what deletes must take delete."
  }

  assert {
    condition     = contains(keys(local.functions), "authorize") && !contains(values(local.routes), "authorize")
    error_message = "The tokens must be verified."
  }
}
