output "name" {
  description = "Name of the bucket."
  value       = aws_s3_bucket.this.bucket
}

output "temporary" {
  description = "Key prefix -> the days after which what it holds is deleted."
  value       = var.temporary
}

output "kms_key_arn" {
  description = "ARN of the key that encrypts what the bucket holds; null: S3's own."
  value       = one(one(aws_s3_bucket_server_side_encryption_configuration.this.rule).apply_server_side_encryption_by_default).kms_master_key_id
}

output "arn" {
  description = "ARN of the bucket."
  value       = aws_s3_bucket.this.arn
}
