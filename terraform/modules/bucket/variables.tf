variable "name" {
  description = "Name of the bucket."
  type        = string
}

variable "images" {
  description = "What a bucket of images has besides: the key prefixes that send events and expire, the origin whose pages may upload (* is any), the days after which an image is deleted, and those after which an old version of it is. Null: it holds something else."
  type = object({
    prefixes          = list(string)
    cors_allow_origin = string
    expiration_days   = optional(number)
    noncurrent_days   = optional(number)
  })
  default = null

  validation {
    condition     = alltrue([for prefix in try(var.images.prefixes, []) : prefix == "" || endswith(prefix, "/")])
    error_message = "Each of images.prefixes must end in a slash, or be empty."
  }
}

variable "expiration_days" {
  description = "Days after which whatever it holds is deleted; null: never."
  type        = number
  default     = null
}

variable "event_queue_arn" {
  description = "ARN of the queue that takes the images' events; its policy must let the bucket send."
  type        = string
  default     = null
}

variable "kms_key_arn" {
  description = "ARN of the key that encrypts what the bucket holds; null: S3's own."
  type        = string
  default     = null
}

variable "temporary" {
  description = "Key prefix -> the days after which what it holds is deleted."
  type        = map(number)
  default     = {}
}

variable "versioning" {
  description = "Whether older versions are kept."
  type        = bool
  default     = false
}

variable "force_destroy" {
  description = "Whether destroying the bucket deletes what it holds."
  type        = bool
  default     = false
}

variable "local" {
  description = "Whether this is the local AWS: it is admitted without TLS, and has no lifecycle."
  type        = bool
  default     = false
}
