variable "name" {
  description = "Name of the dashboard, and what the alarms' names begin with."
  type        = string
}

variable "region" {
  description = "Region of the metrics."
  type        = string
}

variable "functions" {
  description = "Key -> every function to watch, and the alarms it has: errors, throttles, slow, late (with what its stream brings)."
  type = map(object({
    name            = string
    timeout_seconds = number
    alarms          = optional(list(string), ["errors", "throttles", "slow"])
  }))
}

variable "event_log_group" {
  description = "Log group of the function that handles events."
  type        = string
}

variable "queue_name" {
  description = "Name of the event queue."
  type        = string
}

variable "dead_letter_queue_name" {
  description = "Name of the dead-letter queue."
  type        = string
}

variable "table_name" {
  description = "Name of the table."
  type        = string
}

variable "index_names" {
  description = "Names of the table's indexes."
  type        = set(string)
}

variable "api_name" {
  description = "Name of the API."
  type        = string
}

variable "api_stage" {
  description = "Name of the API's stage."
  type        = string
}

variable "email" {
  description = "Address that alarms are mailed to; null: none."
  type        = string
  default     = null
}

variable "topic_arn" {
  description = "ARN of a topic that alarms are sent to as well; null: none."
  type        = string
  default     = null
}
