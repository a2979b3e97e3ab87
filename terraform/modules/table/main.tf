resource "aws_dynamodb_table" "this" {
  #checkov:skip=CKV_AWS_119:Encrypted by DynamoDB's own key; a key of one's own costs by the month and the request, and every role would need it

  name         = var.name
  billing_mode = "PAY_PER_REQUEST"
  hash_key     = "image_id"

  attribute {
    name = "image_id"
    type = "S"
  }

  attribute {
    name = "shard"
    type = "S"
  }

  attribute {
    name = "uploaded_key"
    type = "S"
  }

  attribute {
    name = "size_shard"
    type = "S"
  }

  attribute {
    name = "size_key"
    type = "S"
  }

  # Tombstones carry none of these attributes, so that they are in no list.
  global_secondary_index {
    name            = "by_uploaded_at"
    hash_key        = "shard"
    range_key       = "uploaded_key"
    projection_type = "ALL"
  }

  global_secondary_index {
    name            = "by_size"
    hash_key        = "size_shard"
    range_key       = "size_key"
    projection_type = "ALL"
  }

  ttl {
    attribute_name = "expires_at"
    enabled        = true
  }

  point_in_time_recovery {
    enabled = var.point_in_time_recovery
  }

}
