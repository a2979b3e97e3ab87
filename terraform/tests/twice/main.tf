# Two stages side by side in one account, from one configuration.
terraform {
  required_version = ">= 1.7"

  required_providers {
    aws = {
      source  = "hashicorp/aws"
      version = ">= 5.100, < 7"
    }
  }
}

variable "build_dir" {
  description = "Directory of the packages."
  type        = string
}

module "image_metadata" {
  source = "../../modules/image_metadata"
  count  = 2

  stage     = ["a", "b"][count.index]
  build_dir = var.build_dir
}

output "buckets" {
  description = "The stages' buckets."
  value       = module.image_metadata[*].bucket
}
