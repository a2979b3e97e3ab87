variable "name" {
  description = "Name of the workgroup, and of the database with _ for -."
  type        = string
}

variable "bucket" {
  description = "The search bucket."
  type        = string
}

variable "results_prefix" {
  description = "Where in the bucket answers are kept."
  type        = string
}

variable "kms_key_arn" {
  description = "ARN of the key that encrypts answers; null: S3's own."
  type        = string
  default     = null
}

variable "scan_limit_gb" {
  description = "Gigabytes that one query may read; it is ended where it would read more."
  type        = number
  default     = 10
}
