variable "name" {
  description = "The function's name within the deployment, and its package's without .zip."
  type        = string
}

variable "description" {
  description = "What the function does."
  type        = string
}

variable "common" {
  description = "What all functions of a deployment share; role_arn = null makes a role, which boundary_arn bounds."
  type = object({
    name_prefix        = string
    build_dir          = string
    code_bucket        = string
    runtime            = string
    architecture       = string
    role_arn           = string
    boundary_arn       = optional(string)
    log_retention_days = number
    tracing            = bool
  })
}

variable "memory_mb" {
  description = "Memory in MB."
  type        = number
}

variable "timeout_seconds" {
  description = "Seconds one invocation may take."
  type        = number
}

variable "environment" {
  description = "Environment variables."
  type        = map(string)
}

variable "snap_start" {
  description = "Whether the function starts from a snapshot (Lambda SnapStart). Each change then publishes a version, and who invokes the function names the qualifier."
  type        = bool
  default     = false
}

variable "permissions" {
  description = "What the function's own role may do, by statement id; its log, queue and stream need not be named."
  type = map(object({
    actions   = list(string)
    resources = list(string)
    condition = optional(map(map(list(string))))
  }))

  validation {
    condition = alltrue(flatten([
      for statement in var.permissions : [for action in statement.actions : !strcontains(action, "*")]
    ]))
    error_message = "permissions must name every action; no wildcards."
  }
}

variable "queue" {
  description = "The queue whose messages the function takes; null: none."
  type = object({
    arn                 = string
    batch_size          = number
    window_seconds      = optional(number, 0)
    maximum_concurrency = number
  })
  default = null
}

variable "stream" {
  description = "The DynamoDB stream whose changes the function takes, from its oldest on; null: none. maximum_retries = -1 repeats a failing batch until the stream forgets it, holding up what comes after."
  type = object({
    arn             = string
    batch_size      = optional(number, 100)
    window_seconds  = optional(number, 0)
    maximum_retries = optional(number, 10)
  })
  default = null
}

variable "schedule" {
  description = "When EventBridge invokes the function, such as rate(1 hour) or cron(0 3 * * ? *); null: never."
  type        = string
  default     = null

  validation {
    condition     = var.schedule == null || can(regex("^(rate|cron)\\(.+\\)$", var.schedule))
    error_message = "schedule must be rate(...) or cron(...)."
  }
}
