# The whole API, from the functions' files: "GET /metadata" => "get_image_metadata". Two functions with one route are an
# error. README, docs/openapi.yaml and the Postman collection name the same routes (tests/contract).
locals {
  routes = {
    for answer in flatten([
      for name, function in local.functions : [
        for route in lookup(function, "routes", []) : { route = route, function = name }
      ]
    ]) : answer.route => answer.function
  }

  # Those that need neither key nor signature.
  open_routes = flatten([for function in local.functions : function.routes if lookup(function, "open", false)])
}

# What a token must allow with auth = "jwt": by the method, but for the routes whose function says otherwise.
locals {
  method_scopes = { GET = "read", POST = "write", DELETE = "delete" }

  route_scopes = merge(
    { for route in keys(local.routes) : route => local.method_scopes[split(" ", route)[0]] },
    [for function in values(local.functions) : lookup(function, "scopes", {})]...
  )
}
