resource "aws_lambda_event_source_mapping" "stream" {
  count = var.stream == null ? 0 : 1

  event_source_arn                   = var.stream.arn
  function_name                      = aws_lambda_function.this.arn
  starting_position                  = "TRIM_HORIZON"
  batch_size                         = var.stream.batch_size
  maximum_batching_window_in_seconds = var.stream.window_seconds
  bisect_batch_on_function_error     = true
  maximum_retry_attempts             = var.stream.maximum_retries
  function_response_types            = ["ReportBatchItemFailures"]

  depends_on = [aws_iam_role_policy.sources]
}
