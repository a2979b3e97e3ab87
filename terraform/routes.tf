# The whole API: README, docs/openapi.yaml and the Postman collection name the same routes (tests/contract).
locals {
  routes = {
    "GET /metadata"                = "get_image_metadata"
    "GET /metadata/{image_id+}"    = "get_image_metadata"
    "DELETE /metadata/{image_id+}" = "get_image_metadata"

    "POST /upload"  = "upload_image"
    "POST /uploads" = "upload_image"

    "GET /images/file/{image_id+}" = "get_image"
    "GET /images/info"             = "info_images"
    "DELETE /images/{image_id+}"   = "delete_image"
    "POST /images/delete"          = "delete_image"

    # The same functions under other names.
    "GET /images"                      = "get_image_metadata"
    "POST /images"                     = "upload_image"
    "GET /images/{image_id+}"          = "get_image"
    "GET /images/metadata/{image_id+}" = "get_image_metadata"
    "GET /images/download/{image_id+}" = "get_image"
    "GET /summary"                     = "info_images"
  }
}
