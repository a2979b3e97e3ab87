variable "name" {
  description = "Name of the API."
  type        = string
}

variable "description" {
  description = "What the API is."
  type        = string
}

variable "stage" {
  description = "Name of the stage, the first part of every path."
  type        = string
}

variable "routes" {
  description = "METHOD /path -> function's key in functions."
  type        = map(string)

  validation {
    condition     = alltrue([for route in keys(var.routes) : can(regex("^(GET|POST|PUT|PATCH|DELETE) (/|(/[^/ ]+){1,3})$", route))])
    error_message = "routes must read METHOD /path, with at most three segments."
  }
}

variable "open_routes" {
  description = "The routes that need neither key nor signature."
  type        = list(string)
  default     = []
}

variable "functions" {
  description = "The functions that answer; qualifier is the alias that invoke_arn names, where it names one."
  type = map(object({
    name       = string
    invoke_arn = string
    qualifier  = optional(string)
  }))
}

variable "auth" {
  description = "api_key, iam, jwt or none."
  type        = string
}

variable "authorizer" {
  description = "With auth = jwt: the function that says what a token allows, as in functions."
  type = object({
    name       = string
    invoke_arn = string
    qualifier  = optional(string)
  })
  default = null
}

variable "local" {
  description = "Whether this is the local AWS: there a change of auth makes a new API, with a new address, instead of changing its methods."
  type        = bool
  default     = false
}

variable "api_key_value" {
  description = "The API key; null: AWS makes one up."
  type        = string
  default     = null
  sensitive   = true
}

variable "rate_limit" {
  description = "Requests per second, on average."
  type        = number
}

variable "burst_limit" {
  description = "Requests at one moment."
  type        = number
}

variable "daily_quota" {
  description = "Requests per key and day."
  type        = number
}

variable "cors_allow_origin" {
  description = "Origin whose pages may call; * is any."
  type        = string
}

variable "problem_base" {
  description = "What the type of every error begins with."
  type        = string
  default     = "urn:image-metadata:problem:"
}

variable "access_logs" {
  description = "Whether every request is logged."
  type        = bool
}

variable "log_retention_days" {
  description = "Days that the access log is kept."
  type        = number
}

variable "tracing" {
  description = "Whether X-Ray traces requests."
  type        = bool
}
