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
}
