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
    error_message = "The bucket's default name must hold account and region, the table's is ImageMetadata."
  }

  assert {
    condition     = output.api_key != null
    error_message = "The API must ask for a key by default."
  }

  assert {
    condition     = alltrue([for route, function in local.routes : contains(local.functions[function].routes, route)]) && length(local.routes) == length(flatten([for function in local.functions : try(function.routes, [])]))
    error_message = "Every route must lead to the function that declares it."
  }
}

run "root" {
  assert {
    condition     = output.bucket == "image-metadata-dev-123456789012-us-east-1" && output.region == "us-east-1"
    error_message = "The root must deploy the product by its defaults."
  }
}

run "twice" {
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
    local_endpoint = "http://127.0.0.1:4566"
  }

  assert {
    condition     = can(regex("^http://127\\.0\\.0\\.1:4566/restapis/[^/]+/dev/_user_request_$", output.api_url))
    error_message = "The API's address must be the local AWS's."
  }
}

run "alarms" {
  module {
    source = "./modules/image_metadata"
  }

  variables {
    alarm_email = "someone@example.org"
  }

  assert {
    condition = toset(module.monitoring[0].alarm_names) == toset(concat(
      [
        for alarm in [
          "dead-letters", "events-late", "events-failing", "api-errors", "transaction-conflicts",
          "write-throttles", "by_uploaded_at-write-throttles", "by_size-write-throttles",
        ] : "image-metadata-dev-${alarm}"
      ],
      flatten([for name in keys(output.function_names) : [for kind in ["errors", "throttles", "slow"] : "image-metadata-dev-${name}-${kind}"]]),
    ))
    error_message = "Every function needs its alarms, and so do events, the API, the table and its indexes."
  }
}

run "monitoring_off" {
  module {
    source = "./modules/image_metadata"
  }

  variables {
    monitoring = false
  }

  assert {
    condition     = length(module.monitoring) == 0
    error_message = "Monitoring must be off."
  }
}
