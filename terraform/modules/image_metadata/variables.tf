variable "stage" {
  description = "Name of this deployment; it is part of every name and of the API's address."
  type        = string

  validation {
    condition     = can(regex("^[a-z0-9]{1,12}$", var.stage))
    error_message = "stage must be 1 to 12 lower-case letters or digits."
  }
}

variable "name_prefix" {
  description = "What the name of every resource begins with."
  type        = string
  default     = "image-metadata"
  nullable    = false

  validation {
    condition = (
      can(regex("^[a-z][a-z0-9-]{1,18}[a-z0-9]$", var.name_prefix))
      && !can(regex("^(xn--|sthree-|amzn-s3-demo-)", "${var.name_prefix}-"))
    )
    error_message = "name_prefix must be 3 to 20 lower-case letters, digits or hyphens, beginning with a letter, and not with what S3 reserves (xn--, sthree-, amzn-s3-demo-)."
  }
}

variable "create_bucket" {
  description = "Whether the bucket is made. False: bucket_name is one that is there, in this region and account. Nothing of it is changed; its owner switches on that it sends its events to EventBridge."
  type        = bool
  default     = true
  nullable    = false
}

variable "bucket_name" {
  description = "Name of the bucket (unique in all of AWS). Null: name_prefix-stage-account-region."
  type        = string
  default     = null

  validation {
    condition = (
      can(regex("^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$", coalesce(var.bucket_name, "none")))
      && !can(regex("\\.\\.|^[0-9]+(\\.[0-9]+){3}$", coalesce(var.bucket_name, "none")))
    )
    error_message = "bucket_name must be 3 to 63 lower-case letters, digits, dots or hyphens, with a letter or digit at both ends, no two dots side by side, and no IP address."
  }

  validation {
    condition = !can(regex(
      "^(xn--|sthree-|amzn-s3-demo-)|(-s3alias|--ol-s3|\\.mrap|--x-s3|--table-s3)$", coalesce(var.bucket_name, "none")
    ))
    error_message = "bucket_name must not begin or end with what S3 reserves: xn--, sthree-, amzn-s3-demo-; -s3alias, --ol-s3, .mrap, --x-s3, --table-s3."
  }
}

variable "upload_prefixes" {
  description = "Key prefixes of the images, each ending in a slash; [\"\"] is the whole bucket. The API uploads below the first, which ids may leave out."
  type        = list(string)
  default     = ["uploads/"]
  nullable    = false

  validation {
    condition     = length(var.upload_prefixes) > 0 && alltrue([for prefix in var.upload_prefixes : prefix == "" || can(regex("^[^/].*/$", prefix))])
    error_message = "upload_prefixes must be one or more, each ending in a slash and beginning with none, such as uploads/; [\"\"] is the whole bucket."
  }

  validation {
    condition = alltrue([
      for index, prefix in var.upload_prefixes : alltrue([
        for other, longer in var.upload_prefixes : index == other || !startswith(longer, prefix)
      ])
    ])
    error_message = "upload_prefixes must not overlap: none may begin with another, and \"\" stands alone."
  }
}

variable "table_name" {
  description = "Name of the DynamoDB table. Null: name_prefix-stage. Deployments of before this default was made have ImageMetadata."
  type        = string
  default     = null

  validation {
    condition     = var.table_name == null || can(regex("^[A-Za-z0-9_.-]{3,255}$", var.table_name))
    error_message = "table_name must be 3 to 255 letters, digits, underscores, dots or hyphens."
  }
}

variable "kms_key_arn" {
  description = "ARN of a key of your own that encrypts images and records, in the search snapshot and Athena's answers too; its policy must let this account's IAM decide. Null: the keys of S3 and DynamoDB."
  type        = string
  default     = null

  validation {
    condition     = var.kms_key_arn == null || can(regex("^arn:aws[a-z-]*:kms:[a-z0-9-]+:[0-9]{12}:key/.+$", var.kms_key_arn))
    error_message = "kms_key_arn must be the ARN of a KMS key, such as arn:aws:kms:us-east-1:123456789012:key/1234abcd-12ab-34cd-56ef-1234567890ab."
  }
}

variable "lambda_role_arn" {
  description = "ARN of an existing role that every function shall use, such as a Learner Lab's LabRole; no IAM is created then. Null: one least-privilege role per function."
  type        = string
  default     = null

  validation {
    condition     = var.lambda_role_arn == null || can(regex("^arn:aws[a-z-]*:iam::[0-9]{12}:role/.+$", var.lambda_role_arn))
    error_message = "lambda_role_arn must be the ARN of an IAM role, such as arn:aws:iam::123456789012:role/LabRole."
  }
}

variable "permissions_boundary" {
  description = "ARN of an IAM policy that bounds every role made here, where an account asks for one. Null: none."
  type        = string
  default     = null

  validation {
    condition     = var.permissions_boundary == null || can(regex("^arn:aws[a-z-]*:iam::([0-9]{12}|aws):policy/.+$", var.permissions_boundary))
    error_message = "permissions_boundary must be the ARN of an IAM policy, such as arn:aws:iam::123456789012:policy/boundary."
  }
}

variable "build_dir" {
  description = "Directory that holds <function>.zip for every function, as build.sh makes them."
  type        = string
}

variable "runtime" {
  description = "Lambda runtime; build.sh must have built for it."
  type        = string
  default     = "python3.13"
  nullable    = false

  validation {
    condition     = contains(["python3.12", "python3.13", "python3.14"], var.runtime)
    error_message = "runtime must be one that build.sh builds for: python3.12, python3.13 or python3.14."
  }
}

variable "architecture" {
  description = "Processor the functions run on; build.sh must have built for it."
  type        = string
  default     = "arm64"
  nullable    = false

  validation {
    condition     = contains(["arm64", "x86_64"], var.architecture)
    error_message = "architecture must be arm64 or x86_64."
  }
}

variable "snap_start" {
  description = "Whether the functions that answer the API start from a snapshot (Lambda SnapStart), which is billed for as long as it is kept: deploy.sh says how much that is."
  type        = bool
  default     = false
  nullable    = false
}

variable "auth" {
  description = "Who may call the API: api_key (who sends the key in x-api-key), iam (who signs requests as a principal allowed to), jwt (who sends an access token of jwt_issuer) or none (everybody)."
  type        = string
  default     = "api_key"
  nullable    = false

  validation {
    condition     = contains(["api_key", "iam", "jwt", "none"], var.auth)
    error_message = "auth must be api_key, iam, jwt or none."
  }
}

variable "jwt_issuer" {
  description = "With auth = jwt: the OpenID Connect issuer of the access tokens, as their iss says it, such as https://login.example.org/realms/photos."
  type        = string
  default     = null

  validation {
    condition     = var.jwt_issuer == null || can(regex("^(https://[^/?# ]+|http://127\\.0\\.0\\.1(:[0-9]+)?)(/[^?# ]*)?$", var.jwt_issuer))
    error_message = "jwt_issuer must be an https address, such as https://login.example.org."
  }
}

variable "jwt_audience" {
  description = "With auth = jwt: whom the tokens are meant for (their aud, or Cognito's client_id)."
  type        = string
  default     = null
}

variable "jwt_scope_prefix" {
  description = "With auth = jwt: what the issuer puts in front of the scopes read, write and delete, such as photos/."
  type        = string
  default     = ""
  nullable    = false
}

variable "api_key_value" {
  description = "The API key itself, 20 to 128 characters. Null: AWS makes one up."
  type        = string
  default     = null
  sensitive   = true

  validation {
    condition     = var.api_key_value == null || can(regex("^[A-Za-z0-9]{20,128}$", var.api_key_value))
    error_message = "api_key_value must be 20 to 128 letters and digits."
  }
}

variable "rate_limit" {
  description = "Requests per second that the API admits on average (with auth = api_key: from the key). Null: 50, in a Learner Lab 20."
  type        = number
  default     = null

  validation {
    condition     = var.rate_limit == null || try(var.rate_limit > 0, false)
    error_message = "rate_limit must be greater than 0."
  }
}

variable "burst_limit" {
  description = "Requests that the API admits at one moment. Null: 100, in a Learner Lab 5."
  type        = number
  default     = null

  validation {
    condition     = var.burst_limit == null || try(var.burst_limit >= 1 && floor(var.burst_limit) == var.burst_limit, false)
    error_message = "burst_limit must be a whole number of 1 or more."
  }
}

variable "daily_quota" {
  description = "Requests that the API key admits per day."
  type        = number
  default     = 100000
  nullable    = false

  validation {
    condition     = var.daily_quota >= 1 && floor(var.daily_quota) == var.daily_quota
    error_message = "daily_quota must be a whole number of 1 or more."
  }
}

variable "cors_allow_origin" {
  description = "Origin whose pages may call the API and upload from the browser; * is any."
  type        = string
  default     = "*"
  nullable    = false

  validation {
    condition     = var.cors_allow_origin == "*" || can(regex("^https?://[A-Za-z0-9.-]+(:[0-9]+)?$", var.cors_allow_origin))
    error_message = "cors_allow_origin must be * or one origin, such as https://example.org (no path, no slash at the end)."
  }
}

variable "gps" {
  description = "How exactly positions are stored: exact, coarse (about 1 km) or none."
  type        = string
  default     = "exact"
  nullable    = false

  validation {
    condition     = contains(["exact", "coarse", "none"], var.gps)
    error_message = "gps must be exact, coarse or none."
  }
}

variable "index_shards" {
  description = "Partitions each index is spread over: one takes about 1,000 writes a second. May be raised at any time, never lowered."
  type        = number
  default     = 1
  nullable    = false

  validation {
    condition     = var.index_shards >= 1 && var.index_shards <= 100 && floor(var.index_shards) == var.index_shards
    error_message = "index_shards must be a whole number from 1 to 100."
  }
}

variable "counter_shards" {
  description = "Items the summary's counters are spread over: each takes part in one write at a time. Raise it where many single uploads conflict; never lower it."
  type        = number
  default     = 16
  nullable    = false

  validation {
    condition     = var.counter_shards >= 16 && var.counter_shards <= 100 && floor(var.counter_shards) == var.counter_shards
    error_message = "counter_shards must be a whole number from 16 to 100."
  }
}

variable "warm_throughput" {
  description = "Write units a second that the table takes at once, before DynamoDB has grown it, and twice what each of its indexes does: for a large backfill, with index_shards raised too. deploy.sh sees to it after Terraform; what is added is billed once, and it never goes down. Null: what DynamoDB gives, 4,000 to a new table."
  type        = number
  default     = null

  validation {
    condition     = var.warm_throughput == null || try(var.warm_throughput >= 4000 && floor(var.warm_throughput) == var.warm_throughput, false)
    error_message = "warm_throughput must be a whole number of write units a second, 4000 or more."
  }
}

variable "search" {
  description = "Whether there is search: a bucket with the catalogue as columns, and the functions that keep and ask it."
  type        = bool
  default     = true
  nullable    = false
}

variable "search_delay_seconds" {
  description = "How long changes are collected before they are written for search, 0 to 300: longer is cheaper, shorter is found sooner."
  type        = number
  default     = 30
  nullable    = false

  validation {
    condition     = var.search_delay_seconds >= 0 && var.search_delay_seconds <= 300 && floor(var.search_delay_seconds) == var.search_delay_seconds
    error_message = "search_delay_seconds must be a whole number from 0 to 300."
  }
}

variable "search_memory_mb" {
  description = "Memory of the function that searches: 2048 is good for some ten million images."
  type        = number
  default     = 2048
  nullable    = false

  validation {
    condition     = var.search_memory_mb >= 512 && var.search_memory_mb <= 10240 && floor(var.search_memory_mb) == var.search_memory_mb
    error_message = "search_memory_mb must be a whole number from 512 to 10240."
  }
}

variable "search_parts" {
  description = "Into how many parts the search snapshot divides a month: one is good for some two million images. May be changed at any time, for images to come."
  type        = number
  default     = 1
  nullable    = false

  validation {
    condition     = var.search_parts >= 1 && var.search_parts <= 100 && floor(var.search_parts) == var.search_parts
    error_message = "search_parts must be a whole number from 1 to 100."
  }
}

variable "events" {
  description = "Whether every change of the catalogue is told on EventBridge's default bus; needs search."
  type        = bool
  default     = false
  nullable    = false
}

variable "athena" {
  description = "Whether the search snapshot is a table of Athena as well, with a workgroup and named queries; needs search."
  type        = bool
  default     = false
  nullable    = false
}

variable "max_upload_bytes" {
  description = "Largest file that a presigned upload admits, in bytes."
  type        = number
  default     = 104857600
  nullable    = false

  validation {
    condition     = var.max_upload_bytes >= 1 && var.max_upload_bytes <= 5368709120 && floor(var.max_upload_bytes) == var.max_upload_bytes
    error_message = "max_upload_bytes must be a whole number from 1 to 5368709120 (5 GiB)."
  }
}

variable "versioning" {
  description = "Whether the bucket keeps overwritten and deleted images as older versions."
  type        = bool
  default     = false
  nullable    = false
}

variable "noncurrent_version_days" {
  description = "Days that versioning keeps an overwritten or deleted image. Null: for good."
  type        = number
  default     = null

  validation {
    condition     = var.noncurrent_version_days == null || try(var.noncurrent_version_days >= 1 && floor(var.noncurrent_version_days) == var.noncurrent_version_days, false)
    error_message = "noncurrent_version_days must be a whole number of 1 or more, or null."
  }
}

variable "image_expiration_days" {
  description = "Days after which S3 deletes an image by itself; its record goes too. Null: never."
  type        = number
  default     = null

  validation {
    condition     = var.image_expiration_days == null || try(var.image_expiration_days >= 1 && floor(var.image_expiration_days) == var.image_expiration_days, false)
    error_message = "image_expiration_days must be a whole number of 1 or more, or null."
  }
}

variable "force_destroy" {
  description = "Whether terraform destroy also deletes the images in the bucket. False: it stops at a bucket that still holds images (BucketNotEmpty)."
  type        = bool
  default     = false
  nullable    = false
}

variable "point_in_time_recovery" {
  description = "Whether the table can be restored to any second of the last 35 days. Null: yes, but for a Learner Lab."
  type        = bool
  default     = null
}

variable "deletion_protection" {
  description = "Whether the table refuses to be deleted until this is switched off. Null: yes, but for a Learner Lab and the local AWS."
  type        = bool
  default     = null
}

variable "event_concurrency" {
  description = "Invocations of s3_file_event that its queue runs at a time, each with up to 50 images, and of analyse_image, each with one. Keep it low where an account may run few functions at once. Null: 5, in a Learner Lab 3."
  type        = number
  default     = null

  validation {
    condition     = var.event_concurrency == null || try(var.event_concurrency >= 2 && var.event_concurrency <= 1000 && floor(var.event_concurrency) == var.event_concurrency, false)
    error_message = "event_concurrency must be a whole number from 2 to 1000."
  }
}

variable "event_memory_mb" {
  description = "Memory of s3_file_event in MB; Lambda gives processor time in proportion."
  type        = number
  default     = 1024
  nullable    = false

  validation {
    condition     = var.event_memory_mb >= 256 && var.event_memory_mb <= 10240 && floor(var.event_memory_mb) == var.event_memory_mb
    error_message = "event_memory_mb must be a whole number from 256 to 10240."
  }
}

variable "event_timeout_seconds" {
  description = "Seconds one invocation of s3_file_event may take; a failed event is tried again after six times as long."
  type        = number
  default     = 60
  nullable    = false

  validation {
    condition     = var.event_timeout_seconds >= 10 && var.event_timeout_seconds <= 900 && floor(var.event_timeout_seconds) == var.event_timeout_seconds
    error_message = "event_timeout_seconds must be a whole number from 10 to 900."
  }
}

variable "gallery" {
  description = "Whether the API serves a page to look at the images with: to everybody, since it holds no data; that it asks for by the visitor's key."
  type        = bool
  default     = true
  nullable    = false
}

variable "previews" {
  description = "Whether the API serves small pictures of the images, which it makes when they are first looked at."
  type        = bool
  default     = true
  nullable    = false
}

variable "pixels" {
  description = "off, or all: every new image is decoded once, for similar images, near duplicates, blurred ones and the colours of what is yet to load. Needs search."
  type        = string
  default     = "off"
  nullable    = false

  validation {
    condition     = contains(["off", "all"], var.pixels)
    error_message = "pixels must be off or all."
  }
}

variable "preview_memory_mb" {
  description = "Memory of preview_image and analyse_image in MB; Lambda gives processor time in proportion. Decoding takes up to 1,600 of it."
  type        = number
  default     = 2048
  nullable    = false

  validation {
    condition     = var.preview_memory_mb >= 1769 && var.preview_memory_mb <= 10240 && floor(var.preview_memory_mb) == var.preview_memory_mb
    error_message = "preview_memory_mb must be a whole number from 1769 to 10240."
  }
}

variable "preview_days" {
  description = "Days after which a preview is deleted; the next look at it makes it again."
  type        = number
  default     = 90
  nullable    = false

  validation {
    condition     = var.preview_days >= 1 && floor(var.preview_days) == var.preview_days
    error_message = "preview_days must be a whole number of 1 or more."
  }
}

variable "batch_operations" {
  description = "Whether a role is made for S3 Batch Operations jobs that catalogue images which were there before; not with lambda_role_arn."
  type        = bool
  default     = false
  nullable    = false
}

variable "log_level" {
  description = "Least severity that the functions log."
  type        = string
  default     = "INFO"
  nullable    = false

  validation {
    condition     = contains(["DEBUG", "INFO", "WARNING", "ERROR"], var.log_level)
    error_message = "log_level must be DEBUG, INFO, WARNING or ERROR."
  }
}

variable "log_retention_days" {
  description = "Days that logs are kept."
  type        = number
  default     = 14
  nullable    = false

  validation {
    condition     = contains([1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922, 3288, 3653], var.log_retention_days)
    error_message = "log_retention_days must be one of CloudWatch's: 1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922, 3288, 3653."
  }
}

variable "tracing" {
  description = "Whether X-Ray traces requests through the API and the functions."
  type        = bool
  default     = false
  nullable    = false
}

variable "access_logs" {
  description = "Whether the API logs every request. On AWS the account needs API Gateway's CloudWatch role for that, which Learner Labs and new accounts lack."
  type        = bool
  default     = false
  nullable    = false
}

variable "monitoring" {
  description = "Whether alarms and a dashboard are made."
  type        = bool
  default     = true
  nullable    = false
}

variable "alarm_email" {
  description = "Address that alarms are mailed to (AWS asks it to confirm first). Null: alarms only show in CloudWatch."
  type        = string
  default     = null

  validation {
    condition     = var.alarm_email == null || can(regex("^[^@\\s]+@[^@\\s]+\\.[^@\\s]+$", var.alarm_email))
    error_message = "alarm_email must be an e-mail address."
  }
}

variable "alarm_topic_arn" {
  description = "ARN of an SNS topic that alarms are sent to. Null: none but the one of alarm_email."
  type        = string
  default     = null

  validation {
    condition     = var.alarm_topic_arn == null || can(regex("^arn:aws[a-z-]*:sns:[a-z0-9-]+:[0-9]{12}:[A-Za-z0-9_-]+$", var.alarm_topic_arn))
    error_message = "alarm_topic_arn must be the ARN of an SNS topic, such as arn:aws:sns:us-east-1:123456789012:alarms."
  }
}

variable "local_endpoint" {
  description = "Address of a local AWS, such as http://127.0.0.1:4566: S3 is then addressed by path and admitted without TLS, and api_url lies there. Null: the real AWS."
  type        = string
  default     = null

  validation {
    condition     = var.local_endpoint == null || can(regex("^https?://(127\\.0\\.0\\.1|localhost)(:[0-9]+)?$", var.local_endpoint))
    error_message = "local_endpoint must be an address of this machine, such as http://127.0.0.1:4566."
  }
}
