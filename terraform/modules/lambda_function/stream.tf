resource "aws_lambda_event_source_mapping" "stream" {
  count = var.stream == null ? 0 : 1

  event_source_arn                   = var.stream.arn
  function_name                      = aws_lambda_function.this.arn
  starting_position                  = "TRIM_HORIZON"
  batch_size                         = var.stream.batch_size
  maximum_batching_window_in_seconds = var.stream.window_seconds
  bisect_batch_on_function_error     = var.stream.bisect
  maximum_retry_attempts             = var.stream.maximum_retries
  function_response_types            = ["ReportBatchItemFailures"]

  dynamic "filter_criteria" {
    for_each = length(var.stream.filter) > 0 ? [var.stream.filter] : []

    content {
      dynamic "filter" {
        for_each = filter_criteria.value

        content {
          pattern = filter.value
        }
      }
    }
  }

  # What is given up goes there as a note of shard and sequence numbers: the stream itself keeps the records for a day.
  dynamic "destination_config" {
    for_each = var.stream.on_failure_arn == null ? [] : [var.stream.on_failure_arn]

    content {
      on_failure {
        destination_arn = destination_config.value
      }
    }
  }

  depends_on = [aws_iam_role_policy.sources]
}
