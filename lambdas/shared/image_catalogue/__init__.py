"""The AWS side of the product: S3 events in, a DynamoDB catalogue that stays right, a REST API on top."""
