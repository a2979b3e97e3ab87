output "workgroup" {
  description = "The workgroup."
  value       = aws_athena_workgroup.this.name
}

output "database" {
  description = "The database that holds the table images."
  value       = aws_glue_catalog_database.this.name
}

output "kms_key_arn" {
  description = "ARN of the key that encrypts answers; null: S3's own."
  value       = one(one(one(aws_athena_workgroup.this.configuration).result_configuration).encryption_configuration).kms_key_arn
}
