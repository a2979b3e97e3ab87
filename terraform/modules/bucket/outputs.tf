output "name" {
  description = "Name of the bucket."
  value       = aws_s3_bucket.this.bucket
}

output "temporary" {
  description = "Key prefix -> the days after which what it holds is deleted."
  value       = var.temporary
}

output "arn" {
  description = "ARN of the bucket."
  value       = aws_s3_bucket.this.arn
}
