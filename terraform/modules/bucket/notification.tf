# S3 checks that it may send when this is made: the queue and its policy come first.
resource "aws_s3_bucket_notification" "this" {
  count = var.images == null ? 0 : 1

  bucket = aws_s3_bucket.this.id

  queue {
    id            = "uploads"
    queue_arn     = var.event_queue_arn
    filter_prefix = var.images.prefix
    events = [
      "s3:ObjectCreated:*",
      "s3:ObjectRemoved:*",
      "s3:LifecycleExpiration:*",
      "s3:ObjectRestore:Completed",
    ]
  }
}
