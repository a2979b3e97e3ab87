output "api_url" {
  description = "Address that every path begins with."
  value       = module.image_metadata.api_url
}

output "gallery_url" {
  description = "Address of the page to look at the images with; null where there is none."
  value       = module.image_metadata.gallery_url
}

output "api_key" {
  description = "The API key; null unless auth is api_key."
  value       = module.image_metadata.api_key
  sensitive   = true
}

output "auth" {
  description = "Who may call the API: api_key, iam, jwt or none."
  value       = module.image_metadata.auth
}

output "region" {
  description = "Region of the deployment."
  value       = var.region
}

output "bucket" {
  description = "Bucket that images are put into, below upload_prefixes."
  value       = module.image_metadata.bucket
}

output "create_bucket" {
  description = "Whether the bucket was made here."
  value       = module.image_metadata.create_bucket
}

output "upload_prefixes" {
  description = "Key prefixes of the images."
  value       = module.image_metadata.upload_prefixes
}

output "preview_bucket" {
  description = "Bucket that keeps previews; null where none are made."
  value       = module.image_metadata.preview_bucket
}

output "table" {
  description = "DynamoDB table of the records."
  value       = module.image_metadata.table
}

output "deletion_protection" {
  description = "Whether the table refuses to be deleted."
  value       = module.image_metadata.deletion_protection
}

output "warm_throughput" {
  description = "Write units a second that deploy.sh sees to that the table takes at once; null: what DynamoDB gives."
  value       = module.image_metadata.warm_throughput
}

output "search_bucket" {
  description = "Bucket of the search snapshot; null: there is no search."
  value       = module.image_metadata.search_bucket
}

output "athena" {
  description = "Workgroup and database of Athena; null: athena is not set."
  value       = module.image_metadata.athena
}

output "queue_url" {
  description = "Queue of the bucket's events."
  value       = module.image_metadata.queue_url
}

output "pixels_queue_url" {
  description = "Queue of images whose pixels are to be looked at; null where none are."
  value       = module.image_metadata.pixels_queue_url
}

output "pixels_dead_letter_queue_url" {
  description = "Queue of images at whose pixels nobody managed to look; null where none are looked at."
  value       = module.image_metadata.pixels_dead_letter_queue_url
}

output "queue_arn" {
  description = "ARN of that queue."
  value       = module.image_metadata.queue_arn
}

output "dead_letter_queue_url" {
  description = "Queue of the events that could not be processed."
  value       = module.image_metadata.dead_letter_queue_url
}

output "dead_letter_queue_arn" {
  description = "Source of a redrive: aws sqs start-message-move-task --source-arn."
  value       = module.image_metadata.dead_letter_queue_arn
}

output "function_names" {
  description = "Function -> its full name."
  value       = module.image_metadata.function_names
}

output "s3_file_event_arn" {
  description = "Function that an S3 Batch Operations job invokes."
  value       = module.image_metadata.s3_file_event_arn
}

output "batch_operations_role_arn" {
  description = "Role for S3 Batch Operations jobs; null unless batch_operations is set."
  value       = module.image_metadata.batch_operations_role_arn
}

output "code_bucket" {
  description = "Bucket of the functions' packages, and of the reports of S3 Batch Operations."
  value       = module.image_metadata.code_bucket
}

output "invoke_arn" {
  description = "What a policy names to allow execute-api:Invoke, with auth = iam."
  value       = module.image_metadata.invoke_arn
}

output "curl_example" {
  description = "A first request."
  value       = module.image_metadata.curl_example
}

output "account_id" {
  description = "AWS account of the deployment."
  value       = module.image_metadata.account_id
}

output "stage" {
  description = "Stage of the deployment; each has a state of its own."
  value       = var.stage
}

output "name_prefix" {
  description = "What the name of every resource begins with."
  value       = module.image_metadata.name_prefix
}
