resource "aws_dynamodb_table" "this" {
  #checkov:skip=CKV_AWS_119:The variable kms_key_arn names a key of one's own, which costs by the month and the request; else DynamoDB's own key encrypts

  name         = var.name
  billing_mode = "PAY_PER_REQUEST"
  hash_key     = "image_id"

  deletion_protection_enabled = var.deletion_protection
  stream_enabled              = var.stream
  stream_view_type            = var.stream ? "NEW_AND_OLD_IMAGES" : null

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

  dynamic "server_side_encryption" {
    for_each = var.kms_key_arn == null ? [] : [var.kms_key_arn]

    content {
      enabled     = true
      kms_key_arn = server_side_encryption.value
    }
  }
}
