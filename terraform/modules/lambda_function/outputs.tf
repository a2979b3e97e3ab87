output "name" {
  description = "Full name of the function."
  value       = aws_lambda_function.this.function_name
}

output "arn" {
  description = "ARN of the function."
  value       = aws_lambda_function.this.arn
}

output "invoke_arn" {
  description = "ARN by which API Gateway invokes the function."
  value       = var.snap_start ? aws_lambda_alias.live[0].invoke_arn : aws_lambda_function.this.invoke_arn
}

output "qualifier" {
  description = "Alias that invoke_arn names; null: none."
  value       = local.alias

  # Known before the alias is there: others count by it, also while deploy.sh imports a log group. They still wait for it.
  depends_on = [aws_lambda_alias.live]
}

output "role_arn" {
  description = "ARN of the role that the function runs as."
  value       = local.role_arn
}

output "policy" {
  description = "What the function's own role may do, as JSON."
  value       = jsonencode({ Version = "2012-10-17", Statement = concat(local.statements, local.source_statements) })
}

output "log_group" {
  description = "Name of the function's log group."
  value       = aws_cloudwatch_log_group.this.name
}
