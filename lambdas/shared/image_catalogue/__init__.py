"""The catalogue: one DynamoDB table that equals the bucket, and the bucket itself."""
