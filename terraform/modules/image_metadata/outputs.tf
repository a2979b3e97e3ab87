output "api_url" {
  description = "Address that every path begins with."
  value       = local.api_url
}

output "gallery_url" {
  description = "Address of the page to look at the images with; null where there is none."
  value       = var.gallery ? "${local.api_url}/" : null
}

output "api_key" {
  description = "The API key; null unless auth is api_key."
  value       = module.api.api_key
  sensitive   = true
}

output "auth" {
  description = "Who may call the API: api_key, iam, jwt or none."
  value       = var.auth

  precondition {
    condition     = var.auth != "jwt" || (var.jwt_issuer != null && var.jwt_audience != null)
    error_message = "With auth = jwt, jwt_issuer and jwt_audience must be given."
  }
}

output "bucket" {
  description = "Bucket that images are put into, below upload_prefixes."
  value       = try(module.bucket[0].name, local.bucket_name)

  precondition {
    condition     = var.create_bucket || var.bucket_name != null
    error_message = "With create_bucket = false, bucket_name must be the name of the bucket that is there."
  }
}

output "create_bucket" {
  description = "Whether the bucket was made here."
  value       = var.create_bucket
}

output "upload_prefixes" {
  description = "Key prefixes of the images."
  value       = var.upload_prefixes
}

output "preview_bucket" {
  description = "Bucket that keeps previews; null where none are made."
  value       = one(module.preview_bucket[*].name)
}

output "table" {
  description = "DynamoDB table of the records."
  value       = module.table.name
}

output "deletion_protection" {
  description = "Whether the table refuses to be deleted."
  value       = module.table.deletion_protection
}

output "warm_throughput" {
  description = "Write units a second that deploy.sh sees to that the table takes at once; null: what DynamoDB gives."
  value       = var.warm_throughput
}

output "search_bucket" {
  description = "Bucket of the search snapshot; null: there is no search."
  value       = var.search ? module.search_bucket[0].name : null

  precondition {
    condition     = var.search || !var.events
    error_message = "events = true needs search = true."
  }

  precondition {
    condition     = var.search || !var.athena
    error_message = "athena = true needs search = true."
  }
}

output "athena" {
  description = "Workgroup and database of Athena; null: athena is not set."
  value       = one([for athena in module.athena : { workgroup = athena.workgroup, database = athena.database }])
}

output "queue_url" {
  description = "Queue of the bucket's events."
  value       = module.events.url
}

output "pixels_queue_url" {
  description = "Queue of images whose pixels are to be looked at; null where none are."
  value       = one(module.pixels_queue[*].url)

  precondition {
    condition     = var.pixels == "off" || var.search
    error_message = "pixels = \"all\" needs search = true."
  }
}

output "pixels_dead_letter_queue_url" {
  description = "Queue of images at whose pixels nobody managed to look; null where none are looked at."
  value       = one(module.pixels_queue[*].dead_letter_url)
}

output "queue_arn" {
  description = "ARN of that queue."
  value       = module.events.arn
}

output "dead_letter_queue_url" {
  description = "Queue of the events that could not be processed."
  value       = module.events.dead_letter_url
}

output "dead_letter_queue_arn" {
  description = "Source of a redrive: aws sqs start-message-move-task --source-arn."
  value       = module.events.dead_letter_arn
}

output "function_names" {
  description = "Function -> its full name."
  value       = { for name, function in module.functions : name => function.name }
}

output "s3_file_event_arn" {
  description = "Function that an S3 Batch Operations job invokes."
  value       = module.functions["s3_file_event"].arn
}

output "batch_operations_role_arn" {
  description = "Role for S3 Batch Operations jobs; null unless batch_operations is set."
  value       = one(aws_iam_role.batch_operations[*].arn)
}

output "code_bucket" {
  description = "Bucket of the functions' packages, and of the reports of S3 Batch Operations."
  value       = module.code.name
}

output "invoke_arn" {
  description = "What a policy names to allow execute-api:Invoke, with auth = iam."
  value       = "${module.api.execution_arn}/*"
}

output "curl_example" {
  description = "A first request."
  value       = local.curl_examples[var.auth]
}

locals {
  api_url = (
    var.local_endpoint == null
    ? module.api.url
    : "${var.local_endpoint}/restapis/${module.api.id}/${module.api.stage}/_user_request_"
  )
  curl_examples = {
    api_key = "curl -H \"x-api-key: $(terraform output -raw api_key)\" ${local.api_url}/metadata"
    iam     = "curl --aws-sigv4 aws:amz:${local.region}:execute-api --user \"$AWS_ACCESS_KEY_ID:$AWS_SECRET_ACCESS_KEY\" -H \"x-amz-security-token: $AWS_SESSION_TOKEN\" ${local.api_url}/metadata"
    jwt     = "curl -H \"Authorization: Bearer $TOKEN\" ${local.api_url}/metadata"
    none    = "curl ${local.api_url}/metadata"
  }
}

output "account_id" {
  description = "AWS account of the deployment."
  value       = local.account_id
}

output "name_prefix" {
  description = "What the name of every resource begins with."
  value       = var.name_prefix
}
