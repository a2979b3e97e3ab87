output "id" {
  description = "Id of the API."
  value       = aws_api_gateway_rest_api.this.id
}

output "name" {
  description = "Name of the API."
  value       = aws_api_gateway_rest_api.this.name
}

output "stage" {
  description = "Name of the stage."
  value       = aws_api_gateway_stage.this.stage_name
}

output "url" {
  description = "Address of the stage on AWS."
  value       = aws_api_gateway_stage.this.invoke_url
}

output "execution_arn" {
  description = "ARN that policies name to allow execute-api:Invoke."
  value       = aws_api_gateway_stage.this.execution_arn
}

output "api_key" {
  description = "The API key; null unless auth is api_key."
  value       = one(aws_api_gateway_api_key.this[*].value)
  sensitive   = true
}
