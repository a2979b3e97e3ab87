locals {
  # "GET /images/{image_id+}" -> its method, its path without the first slash, the function that answers.
  # Every GET answers HEAD too, by the same function.
  routes = {
    for route, function in merge(var.routes, {
      for route, function in var.routes : "HEAD ${trimprefix(route, "GET ")}" => function if startswith(route, "GET ")
      }) : route => {
      method   = split(" ", route)[0]
      path     = trimprefix(split(" ", route)[1], "/")
      function = function
    }
  }
  open_routes = toset(concat(var.open_routes, [
    for route in var.open_routes : "HEAD ${trimprefix(route, "GET ")}" if startswith(route, "GET ")
  ]))
  paths    = toset([for route in local.routes : route.path])
  segments = [for path in local.paths : split("/", path) if path != ""]

  # A resource names its parent, and a resource cannot name itself: one block per level.
  levels = [
    for depth in [1, 2, 3] :
    toset([for path in local.segments : join("/", slice(path, 0, depth)) if length(path) >= depth])
  ]
  resource_ids = merge(
    { "" = aws_api_gateway_rest_api.this.root_resource_id },
    { for path, resource in aws_api_gateway_resource.first : path => resource.id },
    { for path, resource in aws_api_gateway_resource.second : path => resource.id },
    { for path, resource in aws_api_gateway_resource.third : path => resource.id },
  )
}

resource "aws_api_gateway_resource" "first" {
  for_each = local.levels[0]

  rest_api_id = aws_api_gateway_rest_api.this.id
  parent_id   = aws_api_gateway_rest_api.this.root_resource_id
  path_part   = each.key
}

resource "aws_api_gateway_resource" "second" {
  for_each = local.levels[1]

  rest_api_id = aws_api_gateway_rest_api.this.id
  parent_id   = aws_api_gateway_resource.first[dirname(each.key)].id
  path_part   = basename(each.key)
}

resource "aws_api_gateway_resource" "third" {
  for_each = local.levels[2]

  rest_api_id = aws_api_gateway_rest_api.this.id
  parent_id   = aws_api_gateway_resource.second[dirname(each.key)].id
  path_part   = basename(each.key)
}

resource "aws_api_gateway_method" "this" {
  #checkov:skip=CKV2_AWS_53:The functions validate every parameter and body, and say in a problem document what is wrong

  for_each = local.routes

  rest_api_id      = aws_api_gateway_rest_api.this.id
  resource_id      = local.resource_ids[each.value.path]
  http_method      = each.value.method
  authorization    = contains(local.open_routes, each.key) ? "NONE" : lookup({ iam = "AWS_IAM", jwt = "CUSTOM" }, var.auth, "NONE")
  authorizer_id    = contains(local.open_routes, each.key) ? null : one(aws_api_gateway_authorizer.this[*].id)
  api_key_required = var.auth == "api_key" && !contains(local.open_routes, each.key)
}

resource "aws_api_gateway_integration" "this" {
  for_each = local.routes

  rest_api_id             = aws_api_gateway_rest_api.this.id
  resource_id             = aws_api_gateway_method.this[each.key].resource_id
  http_method             = aws_api_gateway_method.this[each.key].http_method
  type                    = "AWS_PROXY"
  integration_http_method = "POST"
  uri                     = var.functions[each.value.function].invoke_arn

  # A second before the function would be stopped: an error of the function would be no answer, this is one (504).
  # The local AWS spoils an integration whose timeout is changed.
  timeout_milliseconds = var.local ? null : 28000
}

resource "aws_lambda_permission" "this" {
  for_each = toset(values(var.routes))

  statement_id  = "AllowApi"
  action        = "lambda:InvokeFunction"
  function_name = var.functions[each.key].name
  principal     = "apigateway.amazonaws.com"
  source_arn    = "${aws_api_gateway_rest_api.this.execution_arn}/${var.stage}/*"
}

# Beside the permission for the function itself, which is never missing. It is there before the stage calls the alias, and
# goes after the stage has ceased to.
resource "aws_lambda_permission" "alias" {
  for_each = toset([for function in values(var.routes) : function if var.functions[function].qualifier != null])

  statement_id_prefix = "AllowApi"
  action              = "lambda:InvokeFunction"
  function_name       = var.functions[each.key].name
  qualifier           = var.functions[each.key].qualifier
  principal           = "apigateway.amazonaws.com"
  source_arn          = "${aws_api_gateway_rest_api.this.execution_arn}/${var.stage}/*"

  lifecycle {
    create_before_destroy = true
  }
}
