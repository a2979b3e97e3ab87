output "workgroup" {
  description = "The workgroup."
  value       = aws_athena_workgroup.this.name
}

output "database" {
  description = "The database that holds the table images."
  value       = aws_glue_catalog_database.this.name
}
