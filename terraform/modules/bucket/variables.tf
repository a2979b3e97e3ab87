variable "name" {
  description = "Name of the bucket."
  type        = string
}

variable "upload_prefix" {
  description = "Key prefix of the images; events are sent for it alone."
  type        = string

  validation {
    condition     = endswith(var.upload_prefix, "/")
    error_message = "upload_prefix must end in a slash."
  }
}

variable "event_queue_arn" {
  description = "ARN of the queue that takes the events; its policy must let the bucket send."
  type        = string
}

variable "cors_allow_origin" {
  description = "Origin whose pages may upload; * is any."
  type        = string
  default     = "*"
}

variable "versioning" {
  description = "Whether older versions are kept."
  type        = bool
  default     = false
}

variable "expiration_days" {
  description = "Days after which an image is deleted; null: never."
  type        = number
  default     = null
}

variable "force_destroy" {
  description = "Whether destroying the bucket deletes what it holds."
  type        = bool
  default     = false
}

variable "require_tls" {
  description = "Whether requests without TLS are refused."
  type        = bool
  default     = true
}
