output "name" {
  description = "Name of the table."
  value       = aws_dynamodb_table.this.name
}

output "index_names" {
  description = "Names of the indexes."
  value       = aws_dynamodb_table.this.global_secondary_index[*].name
}

output "deletion_protection" {
  description = "Whether the table refuses to be deleted."
  value       = aws_dynamodb_table.this.deletion_protection_enabled
}

output "point_in_time_recovery" {
  description = "Whether the table can be restored to any second of the last 35 days."
  value       = aws_dynamodb_table.this.point_in_time_recovery[0].enabled
}

output "stream_arn" {
  description = "ARN of the stream of changes; null: there is none."
  value       = var.stream ? aws_dynamodb_table.this.stream_arn : null
}
