# S3 checks that it may send when this is made: the queue and its policy come first.
resource "aws_s3_bucket_notification" "this" {
  count = var.images == null ? 0 : 1

  bucket = aws_s3_bucket.this.id

  dynamic "queue" {
    for_each = var.images.prefixes

    content {
      id            = queue.key == 0 ? "uploads" : "uploads-${queue.key}"
      queue_arn     = var.event_queue_arn
      filter_prefix = queue.value
      events = [
        "s3:ObjectCreated:*",
        "s3:ObjectRemoved:*",
        "s3:LifecycleExpiration:*",
        "s3:ObjectRestore:Completed",
      ]
    }
  }
}
