variable "name" {
  description = "Name of the queue; its dead-letter queue's name adds -dead-letter."
  type        = string
}

variable "visibility_timeout_seconds" {
  description = "Seconds a received message stays hidden: six times the timeout of the function that takes it, or more."
  type        = number
}

variable "max_receive_count" {
  description = "Receives after which a message goes to the dead-letter queue."
  type        = number
  default     = 5
}

variable "sender" {
  description = "Who may send: the service, and the ARN of its bucket or rule; null: only who has a permission of its own."
  type = object({
    service = string
    arn     = string
  })
  default = null
}

variable "account_id" {
  description = "Account of queue and bucket."
  type        = string
}

variable "partition" {
  description = "AWS partition, such as aws."
  type        = string
}

variable "region" {
  description = "Region of the queue."
  type        = string
}

variable "local" {
  description = "Whether this is the local AWS."
  type        = bool
  default     = false
}
