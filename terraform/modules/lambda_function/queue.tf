resource "aws_lambda_event_source_mapping" "queue" {
  count = var.queue == null ? 0 : 1

  event_source_arn                   = var.queue.arn
  function_name                      = aws_lambda_function.this.arn
  batch_size                         = var.queue.batch_size
  maximum_batching_window_in_seconds = var.queue.window_seconds
  function_response_types            = ["ReportBatchItemFailures"]

  scaling_config {
    maximum_concurrency = var.queue.maximum_concurrency
  }

  depends_on = [aws_iam_role_policy.sources]
}

moved {
  from = aws_lambda_event_source_mapping.this
  to   = aws_lambda_event_source_mapping.queue
}
