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

run "all_that_can_be_had" {
  module {
    source = "./modules/image_metadata"
  }

  variables {
    athena           = true
    batch_operations = true
    events           = true
    pixels           = "all"
    snap_start       = true
    tracing          = true
  }

  assert {
    condition     = toset(keys(output.function_names)) == setsubtract(keys(local.declared_functions), ["authorize"]) && alltrue([for name, full_name in output.function_names : full_name == "image-metadata-dev-${name}"])
    error_message = "Every function must be made, under its own name; the one for tokens only with tokens."
  }

  assert {
    condition     = toset([for name, function in module.functions : name if function.qualifier != null]) == toset(values(local.routes))
    error_message = "Functions that callers wait for must start from snapshots, and no others."
  }

  assert {
    condition     = alltrue([for function in module.functions : function.role_arn == "arn:aws:iam::123456789012:role/mocked"])
    error_message = "Every function must run as a role made for it."
  }

  assert {
    condition     = strcontains(module.functions["publish_changes"].policy, "${local.name}-pixels")
    error_message = "New images must be queued."
  }

  assert {
    condition = alltrue(flatten([
      for statement in jsondecode(module.functions["analyse_image"].policy).Statement : [
        for action in statement.Action : !contains(["s3:PutObject", "s3:DeleteObject", "dynamodb:UpdateItem", "dynamodb:DeleteItem"], action)
      ]
    ]))
    error_message = "Looking at pixels writes into the image's record, and nowhere else."
  }

  assert {
    condition     = length(aws_iam_role.batch_operations) == 1 && output.batch_operations_role_arn != null
    error_message = "There must be a role for S3 Batch Operations when asked for."
  }

  assert {
    condition = alltrue(flatten([
      for function in module.functions : [
        for statement in jsondecode(function.policy).Statement : [for action in statement.Action : !strcontains(action, "*")]
      ]
    ]))
    error_message = "Every action must be named."
  }

  assert {
    condition = alltrue(flatten([
      for function in module.functions : [
        for statement in jsondecode(function.policy).Statement : [
          for resource in statement.Resource : startswith(resource, "arn:") || statement.Sid == "SendTraces"
        ]
      ]
    ]))
    error_message = "Every statement must name its resources; X-Ray alone has none."
  }

  assert {
    condition = alltrue(flatten([
      for function in module.functions : [
        for statement in jsondecode(function.policy).Statement : [
          for resource in statement.Resource : endswith(resource, ":::${output.bucket}/uploads/*") || startswith(resource, "${local.search_bucket_arn}/") || endswith(resource, ":::${output.preview_bucket}/previews/*")
        ] if anytrue([for action in statement.Action : strcontains(action, "Object")])
      ]
    ]))
    error_message = "Objects outside uploads/ and previews/ are nobody's business."
  }

  assert {
    condition = alltrue(flatten([
      for function in module.functions : [
        for statement in jsondecode(function.policy).Statement : [
          for action, keys in { "dynamodb:PutItem" = "uploads/*", "dynamodb:UpdateItem" = "#summary#*" } :
          statement.Condition["ForAllValues:StringLike"]["dynamodb:LeadingKeys"] == [keys] if contains(statement.Action, action)
        ]
      ]
    ]))
    error_message = "Items may be put for images alone, and updated for the counters alone."
  }

  assert {
    condition     = jsondecode(aws_iam_role.batch_operations[0].assume_role_policy).Statement[0].Condition == { StringEquals = { "aws:SourceAccount" = "123456789012" } }
    error_message = "Only jobs of this account may take the role."
  }

  assert {
    condition = toset([
      for name, function in module.functions : name if anytrue(flatten([
        for statement in jsondecode(function.policy).Statement : [
          for action in statement.Action : can(regex("^(s3|dynamodb|sqs):.*(Put|Update|Delete|Write)", action))
        ]
      ]))
      ]) == toset([
      "analyse_image", "compact_catalogue", "delete_image", "get_image_metadata", "preview_image", "publish_changes",
      "s3_file_event", "upload_image",
    ])
    error_message = "A function that only reads may not write; one that writes is listed here."
  }

  assert {
    condition = alltrue([
      for function in module.functions :
      contains(flatten([for statement in jsondecode(function.policy).Statement : statement.Action]), "xray:PutTraceSegments")
    ])
    error_message = "With tracing every function must be allowed to send traces."
  }

  assert {
    condition = (
      output.athena == { workgroup = "image-metadata-dev", database = "image_metadata_dev" }
      && keys(module.search_bucket[0].temporary) == tolist(["athena/"])
    )
    error_message = "Athena must have a workgroup and a database, and its answers must not stay for ever."
  }

  assert {
    condition = alltrue(flatten([
      for name in ["publish_changes", "compact_catalogue", "search_images"] : [
        for statement in jsondecode(module.functions[name].policy).Statement : [
          for resource in statement.Resource : startswith(resource, local.search_bucket_arn)
        ] if anytrue([for action in statement.Action : startswith(action, "s3:")])
      ]
    ]))
    error_message = "The functions of search have nothing to do with the images."
  }

  assert {
    condition     = contains(flatten([for statement in jsondecode(module.functions["publish_changes"].policy).Statement : statement.Action]), "events:PutEvents")
    error_message = "With events = true, changes must be told on the bus."
  }
}

run "nothing_that_can_be_left_out" {
  module {
    source = "./modules/image_metadata"
  }

  variables {
    gallery  = false
    previews = false
    search   = false
  }

  assert {
    condition     = !contains(keys(output.function_names), "preview_image") && output.preview_bucket == null
    error_message = "Without previews there is neither their function nor their bucket."
  }

  assert {
    condition     = !strcontains(module.functions["s3_file_event"].policy, "previews")
    error_message = "Without previews nobody may touch them."
  }

  assert {
    condition     = length(local.open_routes) == 0 && output.gallery_url == null && !contains(keys(local.routes), "GET /")
    error_message = "Without the gallery every route asks for the key."
  }

  assert {
    condition = (
      length(setintersection(keys(module.functions), ["publish_changes", "compact_catalogue", "search_images"])) == 0
      && length(module.search_bucket) == 0 && output.search_bucket == null && module.table.stream_arn == null
      && length([for route in keys(local.routes) : route if strcontains(route, "search") || strcontains(route, "duplicates")]) == 0
    )
    error_message = "Without search there is nothing of it."
  }
}

run "a_given_role_is_used" {
  command = plan

  module {
    source = "./modules/image_metadata"
  }

  variables {
    lambda_role_arn  = "arn:aws:iam::123456789012:role/LabRole"
    batch_operations = true
  }

  assert {
    condition     = length(aws_iam_role.batch_operations) == 0 && length(aws_iam_role_policy.batch_operations) == 0
    error_message = "With a role given, no IAM may be made."
  }

  assert {
    condition     = alltrue([for function in module.functions : function.role_arn == var.lambda_role_arn])
    error_message = "Every function must run as the role given."
  }
}
