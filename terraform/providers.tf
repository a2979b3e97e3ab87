# On the local AWS, AWS_ENDPOINT_URL names the endpoint of every service; credentials come from the usual places.
provider "aws" {
  region            = var.region
  s3_use_path_style = var.local_endpoint != null

  default_tags {
    tags = merge({
      Project = "image-metadata-api"
      Stage   = var.stage
    }, var.tags)
  }
}
