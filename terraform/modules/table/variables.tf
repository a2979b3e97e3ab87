variable "name" {
  description = "Name of the table."
  type        = string
}

variable "point_in_time_recovery" {
  description = "Whether the table can be restored to any second of the last 35 days."
  type        = bool
  default     = true
}

variable "deletion_protection" {
  description = "Whether the table refuses to be deleted."
  type        = bool
}

variable "kms_key_arn" {
  description = "ARN of the key that encrypts the table; null: DynamoDB's own."
  type        = string
  default     = null
}

variable "stream" {
  description = "Whether changes can be read as a stream, with the items before and after."
  type        = bool
  default     = false
}
