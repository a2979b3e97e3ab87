resource "aws_cloudwatch_dashboard" "this" {
  dashboard_name = var.name
  dashboard_body = jsonencode({
    widgets = [for index, widget in local.widgets : {
      type   = "metric"
      x      = 12 * (index % 2)
      y      = 6 * floor(index / 2)
      width  = 12
      height = 6
      properties = {
        title   = widget.title
        region  = var.region
        stat    = widget.stat
        period  = 60
        view    = "timeSeries"
        metrics = widget.metrics
      }
    }]
  })
}

locals {
  functions = [for function in var.functions : function.name]

  widgets = [
    {
      title   = "API requests and errors"
      stat    = "Sum"
      metrics = [for metric in ["Count", "4XXError", "5XXError"] : ["AWS/ApiGateway", metric, "ApiName", var.api_name, "Stage", var.api_stage]]
    },
    {
      title   = "API latency, 95th percentile (ms)"
      stat    = "p95"
      metrics = [for metric in ["Latency", "IntegrationLatency"] : ["AWS/ApiGateway", metric, "ApiName", var.api_name, "Stage", var.api_stage]]
    },
    {
      title   = "Function errors"
      stat    = "Sum"
      metrics = [for function in local.functions : ["AWS/Lambda", "Errors", "FunctionName", function]]
    },
    {
      title   = "Function throttles"
      stat    = "Sum"
      metrics = [for function in local.functions : ["AWS/Lambda", "Throttles", "FunctionName", function]]
    },
    {
      title   = "Function duration, 95th percentile (ms)"
      stat    = "p95"
      metrics = [for function in local.functions : ["AWS/Lambda", "Duration", "FunctionName", function]]
    },
    {
      title = "Events waiting and dead"
      stat  = "Maximum"
      metrics = [
        ["AWS/SQS", "ApproximateNumberOfMessagesVisible", "QueueName", var.queue_name],
        ["AWS/SQS", "ApproximateAgeOfOldestMessage", "QueueName", var.queue_name],
        ["AWS/SQS", "ApproximateNumberOfMessagesVisible", "QueueName", var.dead_letter_queue_name],
      ]
    },
    {
      title = "Table: consumed units"
      stat  = "Sum"
      metrics = [
        ["AWS/DynamoDB", "ConsumedReadCapacityUnits", "TableName", var.table_name],
        ["AWS/DynamoDB", "ConsumedWriteCapacityUnits", "TableName", var.table_name],
      ]
    },
    {
      title   = "Table: transaction conflicts"
      stat    = "Sum"
      metrics = [["AWS/DynamoDB", "TransactionConflict", "TableName", var.table_name]]
    },
  ]
}
