mock_provider "aws" {
  source = "./tests/mocks"
}

variables {
  name        = "test"
  description = "test"
  stage       = "dev"
  routes = {
    "GET /metadata"                = "read"
    "DELETE /metadata/{image_id+}" = "write"
    "GET /images/file/{image_id+}" = "read"
  }
  functions = {
    read  = { name = "read", invoke_arn = "arn:aws:apigateway:us-east-1:lambda:path/2015-03-31/functions/read/invocations" }
    write = { name = "write", invoke_arn = "arn:aws:apigateway:us-east-1:lambda:path/2015-03-31/functions/write/invocations" }
  }
  auth               = "api_key"
  rate_limit         = 10
  burst_limit        = 20
  daily_quota        = 1000
  cors_allow_origin  = "https://app.example.org"
  access_logs        = false
  log_retention_days = 14
  tracing            = false
}

run "routes" {
  module {
    source = "./modules/rest_api"
  }

  assert {
    condition     = toset(keys(aws_api_gateway_integration.this)) == setunion(keys(var.routes), ["HEAD /metadata", "HEAD /images/file/{image_id+}"])
    error_message = "Every route must be integrated, and HEAD beside every GET."
  }

  assert {
    condition     = aws_api_gateway_integration.this["DELETE /metadata/{image_id+}"].uri == var.functions.write.invoke_arn
    error_message = "A route must go to its function."
  }

  assert {
    condition     = toset(keys(local.resource_ids)) == toset(["", "metadata", "metadata/{image_id+}", "images", "images/file", "images/file/{image_id+}"])
    error_message = "Every part of every path must be a resource."
  }

  assert {
    condition     = toset(keys(aws_lambda_permission.this)) == toset(["read", "write"])
    error_message = "The API must be allowed to invoke each function."
  }
}

run "alias" {
  module {
    source = "./modules/rest_api"
  }

  variables {
    functions = {
      read  = { name = "read", invoke_arn = "arn:aws:apigateway:us-east-1:lambda:path/2015-03-31/functions/read:live/invocations", qualifier = "live" }
      write = { name = "write", invoke_arn = "arn:aws:apigateway:us-east-1:lambda:path/2015-03-31/functions/write/invocations" }
    }
  }

  assert {
    condition     = toset(keys(aws_lambda_permission.alias)) == toset(["read"]) && aws_lambda_permission.alias["read"].qualifier == "live"
    error_message = "The API must be allowed to invoke the alias that a route names."
  }

  assert {
    condition     = aws_lambda_permission.alias["read"].source_arn == aws_lambda_permission.this["read"].source_arn && aws_lambda_permission.alias["read"].action == "lambda:InvokeFunction"
    error_message = "The alias may be invoked by this API's stage."
  }

  assert {
    condition     = toset(keys(aws_lambda_permission.this)) == toset(["read", "write"])
    error_message = "What is deployed must be answered until the alias takes over."
  }
}

run "api_key" {
  module {
    source = "./modules/rest_api"
  }

  assert {
    condition     = alltrue([for method in aws_api_gateway_method.this : method.api_key_required && method.authorization == "NONE"])
    error_message = "Every route must ask for the key."
  }

  assert {
    condition     = one(aws_api_gateway_usage_plan.this[0].throttle_settings).rate_limit == 10 && one(aws_api_gateway_usage_plan.this[0].quota_settings).limit == 1000
    error_message = "The key must have its rate and its quota."
  }
}

run "iam" {
  module {
    source = "./modules/rest_api"
  }

  variables {
    auth = "iam"
  }

  assert {
    condition     = alltrue([for method in aws_api_gateway_method.this : !method.api_key_required && method.authorization == "AWS_IAM"])
    error_message = "Every route must ask for a signature."
  }

  assert {
    condition     = length(aws_api_gateway_api_key.this) == 0 && output.api_key == null
    error_message = "No key is needed."
  }

  assert {
    condition     = aws_api_gateway_gateway_response.this["MISSING_AUTHENTICATION_TOKEN"].status_code == "403"
    error_message = "An unsigned request is forbidden."
  }
}

run "open_routes" {
  module {
    source = "./modules/rest_api"
  }

  variables {
    routes      = { "GET /" = "read", "GET /metadata" = "read", "GET /page/{file+}" = "read" }
    open_routes = ["GET /", "GET /page/{file+}"]
  }

  assert {
    condition     = { for route, method in aws_api_gateway_method.this : route => method.api_key_required } == { "GET /" = false, "HEAD /" = false, "GET /metadata" = true, "HEAD /metadata" = true, "GET /page/{file+}" = false, "HEAD /page/{file+}" = false }
    error_message = "Open routes, and they alone, must ask for no key."
  }

  assert {
    condition     = aws_api_gateway_method.this["GET /"].resource_id == aws_api_gateway_rest_api.this.root_resource_id
    error_message = "The root is a resource that is there."
  }
}

run "open_routes_of_signed_apis" {
  module {
    source = "./modules/rest_api"
  }

  variables {
    auth        = "iam"
    routes      = { "GET /" = "read", "GET /metadata" = "read" }
    open_routes = ["GET /"]
  }

  assert {
    condition     = { for route, method in aws_api_gateway_method.this : route => method.authorization } == { "GET /" = "NONE", "HEAD /" = "NONE", "GET /metadata" = "AWS_IAM", "HEAD /metadata" = "AWS_IAM" }
    error_message = "Open routes, and they alone, must ask for no signature."
  }
}

run "none" {
  module {
    source = "./modules/rest_api"
  }

  variables {
    auth = "none"
  }

  assert {
    condition     = alltrue([for method in aws_api_gateway_method.this : !method.api_key_required && method.authorization == "NONE"])
    error_message = "No route may ask for anything."
  }

  assert {
    condition     = aws_api_gateway_gateway_response.this["MISSING_AUTHENTICATION_TOKEN"].status_code == "404"
    error_message = "An unknown path is not found."
  }
}

run "cors" {
  module {
    source = "./modules/rest_api"
  }

  assert {
    condition     = toset(keys(aws_api_gateway_integration_response.preflight)) == toset(["metadata", "metadata/{image_id+}", "images/file/{image_id+}"])
    error_message = "Every path must answer a preflight."
  }

  assert {
    condition = alltrue([
      for response in aws_api_gateway_integration_response.preflight :
      response.response_parameters["method.response.header.Access-Control-Allow-Origin"] == "'https://app.example.org'"
    ])
    error_message = "Every preflight must name the origin."
  }

  assert {
    condition     = alltrue([for integration in aws_api_gateway_integration.preflight : integration.content_handling == "CONVERT_TO_TEXT"])
    error_message = "With binary media types a preflight must be read as text."
  }

  assert {
    condition = alltrue([
      for response in aws_api_gateway_gateway_response.this :
      response.response_parameters["gatewayresponse.header.Access-Control-Allow-Origin"] == "'https://app.example.org'"
    ])
    error_message = "Every error of the gateway must name the origin."
  }
}

run "preflights" {
  module {
    source = "./modules/rest_api"
  }

  assert {
    condition     = alltrue([for integration in aws_api_gateway_integration.preflight : integration.integration_http_method == null])
    error_message = "AWS returns no method of a mock: naming one replaces it at every apply."
  }
}

run "errors" {
  module {
    source = "./modules/rest_api"
  }

  assert {
    condition = alltrue([
      for response in aws_api_gateway_gateway_response.this :
      toset(setsubtract(keys(jsondecode(replace(response.response_templates["application/json"], "$context.error.messageString", "\"x\""))), ["status"]))
      == toset(["type", "title", "detail"])
    ])
    error_message = "Every error of the gateway must be a problem in JSON."
  }

  assert {
    condition = alltrue([
      for type in ["THROTTLED", "QUOTA_EXCEEDED"] :
      contains(keys(aws_api_gateway_gateway_response.this[type].response_parameters), "gatewayresponse.header.Retry-After")
      && aws_api_gateway_gateway_response.this[type].status_code == "429"
    ])
    error_message = "Who asked too often must be told when to come back."
  }
}

run "the_gateway_answers_before_a_function_is_stopped" {
  module {
    source = "./modules/rest_api"
  }

  assert {
    condition     = alltrue([for integration in aws_api_gateway_integration.this : integration.timeout_milliseconds == 28000])
    error_message = "A function that takes too long must be answered for."
  }

  assert {
    condition = (
      aws_api_gateway_gateway_response.this["INTEGRATION_FAILURE"].status_code == "503"
      && contains(keys(aws_api_gateway_gateway_response.this["INTEGRATION_FAILURE"].response_parameters), "gatewayresponse.header.Retry-After")
    )
    error_message = "Who meets a throttled function must be told when to come back."
  }
}

run "too_deep_a_route" {
  command = plan

  module {
    source = "./modules/rest_api"
  }

  variables {
    routes = { "GET /one/two/three/four" = "read" }
  }

  expect_failures = [var.routes]
}

run "tokens" {
  command = plan

  module {
    source = "./modules/rest_api"
  }

  variables {
    auth       = "jwt"
    authorizer = { name = "authorize", invoke_arn = "arn:aws:apigateway:us-east-1:lambda:path/2015-03-31/functions/authorize:live/invocations", qualifier = "live" }
  }

  assert {
    condition     = aws_lambda_permission.authorizer_alias[0].qualifier == "live" && length(aws_lambda_permission.authorizer) == 1
    error_message = "The API must be allowed to ask the function that knows tokens."
  }

  assert {
    condition     = alltrue([for method in aws_api_gateway_method.this : method.authorization == "CUSTOM" && !method.api_key_required])
    error_message = "Every route must ask for a token, and for no key."
  }

  assert {
    condition     = alltrue([for method in aws_api_gateway_method.preflight : method.authorization == "NONE"])
    error_message = "A preflight carries no token."
  }

  assert {
    condition     = aws_api_gateway_authorizer.this[0].authorizer_result_ttl_in_seconds == 60 && length(aws_api_gateway_usage_plan.this) == 0
    error_message = "An expired token may be admitted for a minute at most."
  }

  assert {
    condition     = aws_api_gateway_gateway_response.this["UNAUTHORIZED"].response_parameters["gatewayresponse.header.WWW-Authenticate"] == "'Bearer'"
    error_message = "Who brings no token must be told what to bring."
  }
}
