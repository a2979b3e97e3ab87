# The search snapshot as a table for Athena: the same files, columns and questions as those of tools/ops/sql.py.
locals {
  # Held to lambdas/shared/image_search/columns.py by tests/contract/test_columns.py.
  columns = jsondecode(file("${path.module}/columns.json"))

  # Each file's first line says what it asks.
  queries = {
    for file in fileset("${path.module}/queries", "*.sql") :
    trimsuffix(file, ".sql") => file("${path.module}/queries/${file}")
  }
}

resource "aws_glue_catalog_database" "this" {
  name        = replace(var.name, "-", "_")
  description = "The image catalogue."
}

resource "aws_glue_catalog_table" "images" {
  database_name = aws_glue_catalog_database.this.name
  name          = "images"
  description   = "A row per image, as of the last compaction."
  table_type    = "EXTERNAL_TABLE"

  # Partitions are not registered but worked out from their names: nothing has to run when a month begins.
  parameters = {
    EXTERNAL                        = "TRUE"
    classification                  = "parquet"
    "projection.enabled"            = "true"
    "projection.part.type"          = "date"
    "projection.part.format"        = "yyyy-MM"
    "projection.part.range"         = "2006-03,NOW" # since there is S3
    "projection.part.interval"      = "1"
    "projection.part.interval.unit" = "MONTHS"
    "storage.location.template"     = "s3://${var.bucket}/snapshot/part=$${part}"
  }

  partition_keys {
    name    = "part"
    type    = "string"
    comment = "month in which the image was first catalogued"
  }

  storage_descriptor {
    location      = "s3://${var.bucket}/snapshot/"
    input_format  = "org.apache.hadoop.hive.ql.io.parquet.MapredParquetInputFormat"
    output_format = "org.apache.hadoop.hive.ql.io.parquet.MapredParquetOutputFormat"

    ser_de_info {
      serialization_library = "org.apache.hadoop.hive.ql.io.parquet.serde.ParquetHiveSerDe"
    }

    dynamic "columns" {
      for_each = local.columns

      content {
        name = columns.value[0]
        type = columns.value[1]
      }
    }
  }
}

resource "aws_athena_workgroup" "this" {
  name          = var.name
  description   = "Questions to the image catalogue, each of which may read ${var.scan_limit_gb} GB."
  force_destroy = true

  configuration {
    bytes_scanned_cutoff_per_query     = var.scan_limit_gb * 1000000000
    enforce_workgroup_configuration    = true
    publish_cloudwatch_metrics_enabled = false

    result_configuration {
      output_location = "s3://${var.bucket}/${var.results_prefix}"

      encryption_configuration {
        encryption_option = var.kms_key_arn == null ? "SSE_S3" : "SSE_KMS"
        kms_key_arn       = var.kms_key_arn
      }
    }
  }
}

resource "aws_athena_named_query" "this" {
  for_each = local.queries

  name        = each.key
  description = trimprefix(split("\n", each.value)[0], "-- ")
  workgroup   = aws_athena_workgroup.this.id
  database    = aws_glue_catalog_database.this.name
  query       = each.value
}
