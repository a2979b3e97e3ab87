# What is null here takes the default of modules/image_metadata/variables.tf, which also says what is admitted.

variable "region" {
  description = "AWS region to deploy to."
  type        = string
  default     = "us-east-1"

  validation {
    condition     = can(regex("^[a-z]{2}(-[a-z]+)+-[0-9]$", var.region))
    error_message = "region must be the name of an AWS region, such as us-east-1."
  }
}

variable "stage" {
  description = "Name of this deployment; it is part of every name and of the API's address."
  type        = string
  default     = "dev"
}

variable "name_prefix" {
  description = "What the name of every resource begins with."
  type        = string
  default     = null
}

variable "tags" {
  description = "Tags of every resource, beside Project and Stage."
  type        = map(string)
  default     = {}
}

variable "create_bucket" {
  description = "Whether the bucket is made. False: bucket_name is one that is there, in this region and account. Nothing of it is changed; its owner switches on that it sends its events to EventBridge."
  type        = bool
  default     = null
}

variable "bucket_name" {
  description = "Name of the bucket (unique in all of AWS). Null: name_prefix-stage-account-region."
  type        = string
  default     = null
}

variable "upload_prefixes" {
  description = "Key prefixes of the images, each ending in a slash; [\"\"] is the whole bucket. The API uploads below the first, which ids may leave out."
  type        = list(string)
  default     = null
}

variable "table_name" {
  description = "Name of the DynamoDB table. Null: name_prefix-stage. Deployments of before this default was made have ImageMetadata."
  type        = string
  default     = null
}

variable "kms_key_arn" {
  description = "ARN of a key of your own that encrypts images and records, in the search snapshot and Athena's answers too; its policy must let this account's IAM decide. Null: the keys of S3 and DynamoDB."
  type        = string
  default     = null
}

variable "lambda_role_arn" {
  description = "ARN of an existing role that every function shall use, such as a Learner Lab's LabRole; no IAM is created then. Null: one least-privilege role per function."
  type        = string
  default     = null
}

variable "permissions_boundary" {
  description = "ARN of an IAM policy that bounds every role made here, where an account asks for one. Null: none."
  type        = string
  default     = null
}

variable "build_dir" {
  description = "Directory that holds <function>.zip for every function, as build.sh makes them."
  type        = string
  default     = "../build"
}

variable "runtime" {
  description = "Lambda runtime; build.sh must have built for it."
  type        = string
  default     = null
}

variable "architecture" {
  description = "Processor the functions run on; build.sh must have built for it."
  type        = string
  default     = null
}

variable "snap_start" {
  description = "Whether the functions that answer the API start from a snapshot (Lambda SnapStart), which is billed for as long as it is kept: deploy.sh says how much that is."
  type        = bool
  default     = null
}

variable "auth" {
  description = "Who may call the API: api_key (who sends the key in x-api-key), iam (who signs requests as a principal allowed to), jwt (who sends an access token of jwt_issuer) or none (everybody)."
  type        = string
  default     = null
}

variable "jwt_issuer" {
  description = "With auth = jwt: the OpenID Connect issuer of the access tokens, as their iss says it, such as https://login.example.org/realms/photos."
  type        = string
  default     = null
}

variable "jwt_audience" {
  description = "With auth = jwt: whom the tokens are meant for (their aud, or Cognito's client_id)."
  type        = string
  default     = null
}

variable "jwt_scope_prefix" {
  description = "With auth = jwt: what the issuer puts in front of the scopes read, write and delete, such as photos/."
  type        = string
  default     = null
}

variable "api_key_value" {
  description = "The API key itself, 20 to 128 characters. Null: AWS makes one up."
  type        = string
  default     = null
  sensitive   = true
}

variable "rate_limit" {
  description = "Requests per second that the API admits on average (with auth = api_key: from the key). Null: 50, in a Learner Lab 20."
  type        = number
  default     = null
}

variable "burst_limit" {
  description = "Requests that the API admits at one moment. Null: 100, in a Learner Lab 5."
  type        = number
  default     = null
}

variable "daily_quota" {
  description = "Requests that the API key admits per day."
  type        = number
  default     = null
}

variable "cors_allow_origin" {
  description = "Origin whose pages may call the API and upload from the browser; * is any."
  type        = string
  default     = null
}

variable "gps" {
  description = "How exactly positions are stored: exact, coarse (about 1 km) or none."
  type        = string
  default     = null
}

variable "index_shards" {
  description = "Partitions each index is spread over: one takes about 1,000 writes a second. May be raised at any time, never lowered."
  type        = number
  default     = null
}

variable "counter_shards" {
  description = "Items the summary's counters are spread over: each takes part in one write at a time. Raise it where many single uploads conflict; never lower it."
  type        = number
  default     = null
}

variable "warm_throughput" {
  description = "Write units a second that the table takes at once, before DynamoDB has grown it, and twice what each of its indexes does: for a large backfill, with index_shards raised too. deploy.sh sees to it after Terraform; what is added is billed once, and it never goes down. Null: what DynamoDB gives, 4,000 to a new table."
  type        = number
  default     = null
}

variable "search" {
  description = "Whether there is search: a bucket with the catalogue as columns, and the functions that keep and ask it."
  type        = bool
  default     = null
}

variable "search_delay_seconds" {
  description = "How long changes are collected before they are written for search, 0 to 300: longer is cheaper, shorter is found sooner."
  type        = number
  default     = null
}

variable "search_memory_mb" {
  description = "Memory of the function that searches: 2048 is good for some ten million images."
  type        = number
  default     = null
}

variable "search_parts" {
  description = "Into how many parts the search snapshot divides a month: one is good for some two million images. May be changed at any time, for images to come."
  type        = number
  default     = null
}

variable "events" {
  description = "Whether every change of the catalogue is told on EventBridge's default bus; needs search."
  type        = bool
  default     = null
}

variable "athena" {
  description = "Whether the search snapshot is a table of Athena as well, with a workgroup and named queries; needs search."
  type        = bool
  default     = null
}

variable "max_upload_bytes" {
  description = "Largest file that a presigned upload admits, in bytes."
  type        = number
  default     = null
}

variable "versioning" {
  description = "Whether the bucket keeps overwritten and deleted images as older versions."
  type        = bool
  default     = null
}

variable "noncurrent_version_days" {
  description = "Days that versioning keeps an overwritten or deleted image. Null: for good."
  type        = number
  default     = null
}

variable "image_expiration_days" {
  description = "Days after which S3 deletes an image by itself; its record goes too. Null: never."
  type        = number
  default     = null
}

variable "force_destroy" {
  description = "Whether terraform destroy also deletes the images in the bucket. False: it stops at a bucket that still holds images (BucketNotEmpty)."
  type        = bool
  default     = null
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
}

variable "event_memory_mb" {
  description = "Memory of s3_file_event in MB; Lambda gives processor time in proportion."
  type        = number
  default     = null
}

variable "event_timeout_seconds" {
  description = "Seconds one invocation of s3_file_event may take; a failed event is tried again after six times as long."
  type        = number
  default     = null
}

variable "gallery" {
  description = "Whether the API serves a page to look at the images with: to everybody, since it holds no data; that it asks for by the visitor's key."
  type        = bool
  default     = null
}

variable "previews" {
  description = "Whether the API serves small pictures of the images, which it makes when they are first looked at."
  type        = bool
  default     = null
}

variable "pixels" {
  description = "off, or all: every new image is decoded once, for similar images, near duplicates, blurred ones and the colours of what is yet to load. Needs search."
  type        = string
  default     = null
}

variable "preview_memory_mb" {
  description = "Memory of preview_image and analyse_image in MB; Lambda gives processor time in proportion. Decoding takes up to 1,600 of it."
  type        = number
  default     = null
}

variable "preview_days" {
  description = "Days after which a preview is deleted; the next look at it makes it again."
  type        = number
  default     = null
}

variable "batch_operations" {
  description = "Whether a role is made for S3 Batch Operations jobs that catalogue images which were there before; not with lambda_role_arn."
  type        = bool
  default     = null
}

variable "log_level" {
  description = "Least severity that the functions log."
  type        = string
  default     = null
}

variable "log_retention_days" {
  description = "Days that logs are kept."
  type        = number
  default     = null
}

variable "tracing" {
  description = "Whether X-Ray traces requests through the API and the functions."
  type        = bool
  default     = null
}

variable "access_logs" {
  description = "Whether the API logs every request. On AWS the account needs API Gateway's CloudWatch role for that, which Learner Labs and new accounts lack."
  type        = bool
  default     = null
}

variable "monitoring" {
  description = "Whether alarms and a dashboard are made."
  type        = bool
  default     = null
}

variable "alarm_email" {
  description = "Address that alarms are mailed to (AWS asks it to confirm first). Null: alarms only show in CloudWatch."
  type        = string
  default     = null
}

variable "alarm_topic_arn" {
  description = "ARN of an SNS topic that alarms are sent to. Null: none but the one of alarm_email."
  type        = string
  default     = null
}

variable "local_endpoint" {
  description = "Address of a local AWS, such as http://127.0.0.1:4566: S3 is then addressed by path and admitted without TLS, and api_url lies there. Null: the real AWS."
  type        = string
  default     = null
}
