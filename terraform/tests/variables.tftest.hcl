mock_provider "aws" {
  source = "./tests/mocks"
}

variables {
  stage     = "dev"
  build_dir = "./tests/packages"
}

run "packages" {
  module {
    source = "./tests/packages"
  }
}

run "wrong_values" {
  command = plan

  module {
    source = "./modules/image_metadata"
  }

  variables {
    stage                   = "Dev_1"
    name_prefix             = "-images"
    bucket_name             = "My_Bucket"
    table_name              = "my table"
    lambda_role_arn         = "LabRole"
    runtime                 = "python3.9"
    architecture            = "armv7"
    auth                    = "basic"
    api_key_value           = "too-short"
    kms_key_arn             = "alias/mine"
    permissions_boundary    = "boundary"
    noncurrent_version_days = 0
    alarm_topic_arn         = "oncall"
    rate_limit              = 0
    burst_limit             = 0.5
    daily_quota             = 0
    cors_allow_origin       = "https://example.org/"
    gps                     = "rough"
    index_shards            = 0
    counter_shards          = 15
    warm_throughput         = 20000.5
    search_delay_seconds    = 301
    search_memory_mb        = 256
    search_parts            = 0
    max_upload_bytes        = 5368709121
    image_expiration_days   = 0
    event_concurrency       = 1
    event_memory_mb         = 128
    event_timeout_seconds   = 901
    pixels                  = "some"
    preview_memory_mb       = 1768
    preview_days            = 0
    log_level               = "TRACE"
    log_retention_days      = 2
    alarm_email             = "nobody"
    local_endpoint          = "http://0.0.0.0:4566"
  }

  expect_failures = [
    var.stage,
    var.name_prefix,
    var.bucket_name,
    var.table_name,
    var.lambda_role_arn,
    var.runtime,
    var.architecture,
    var.auth,
    var.api_key_value,
    var.kms_key_arn,
    var.permissions_boundary,
    var.noncurrent_version_days,
    var.alarm_topic_arn,
    var.rate_limit,
    var.burst_limit,
    var.daily_quota,
    var.cors_allow_origin,
    var.gps,
    var.index_shards,
    var.counter_shards,
    var.warm_throughput,
    var.search_parts,
    var.search_delay_seconds,
    var.search_memory_mb,
    var.max_upload_bytes,
    var.image_expiration_days,
    var.event_concurrency,
    var.event_memory_mb,
    var.event_timeout_seconds,
    var.pixels,
    var.preview_memory_mb,
    var.preview_days,
    var.log_level,
    var.log_retention_days,
    var.alarm_email,
    var.local_endpoint,
  ]
}

run "other_wrong_values" {
  command = plan

  module {
    source = "./modules/image_metadata"
  }

  variables {
    name_prefix           = "a-prefix-of-more-than-20-letters"
    stage                 = ""
    bucket_name           = "my..images"
    lambda_role_arn       = "arn:aws:iam::123456789012:user/someone"
    runtime               = "python3.11"
    api_key_value         = "twenty-characters-or-more"
    rate_limit            = -1
    burst_limit           = 0
    daily_quota           = 1.5
    cors_allow_origin     = "example.org"
    index_shards          = 101
    counter_shards        = 101
    warm_throughput       = 3999
    search_parts          = 101
    search_delay_seconds  = -1
    search_memory_mb      = 10241
    max_upload_bytes      = 0
    image_expiration_days = 1.5
    event_concurrency     = 1001
    event_memory_mb       = 10241
    event_timeout_seconds = 9
    preview_memory_mb     = 10241
    preview_days          = 1.5
    local_endpoint        = "https://127.0.0.1.example.org"
  }

  expect_failures = [
    var.name_prefix,
    var.stage,
    var.bucket_name,
    var.lambda_role_arn,
    var.runtime,
    var.api_key_value,
    var.rate_limit,
    var.burst_limit,
    var.daily_quota,
    var.cors_allow_origin,
    var.index_shards,
    var.counter_shards,
    var.warm_throughput,
    var.search_parts,
    var.search_delay_seconds,
    var.search_memory_mb,
    var.max_upload_bytes,
    var.image_expiration_days,
    var.event_concurrency,
    var.event_memory_mb,
    var.event_timeout_seconds,
    var.preview_memory_mb,
    var.preview_days,
    var.local_endpoint,
  ]
}

run "what_s3_reserves" {
  command = plan

  module {
    source = "./modules/image_metadata"
  }

  variables {
    name_prefix = "sthree"
    bucket_name = "images--x-s3"
  }

  expect_failures = [var.name_prefix, var.bucket_name]
}

run "an_ip_address_is_no_bucket" {
  command = plan

  module {
    source = "./modules/image_metadata"
  }

  variables {
    bucket_name = "192.168.5.4"
  }

  expect_failures = [var.bucket_name]
}

run "dots_are_admitted_one_at_a_time" {
  command = plan

  module {
    source = "./modules/image_metadata"
  }

  variables {
    name_prefix = "sthreeimages"
    bucket_name = "my.images.192"
  }
}

run "a_bucket_that_is_there_has_a_name" {
  command = plan

  module {
    source = "./modules/image_metadata"
  }

  variables {
    create_bucket = false
  }

  expect_failures = [output.bucket]
}

run "a_prefix_without_its_slash_and_an_issuer_without_tls" {
  command = plan

  module {
    source = "./modules/image_metadata"
  }

  variables {
    upload_prefixes = ["uploads/", "images"]
    jwt_issuer      = "http://login.example.org"
  }

  expect_failures = [var.upload_prefixes, var.jwt_issuer]
}

run "tokens_of_nobody" {
  command = plan

  module {
    source = "./modules/image_metadata"
  }

  variables {
    auth = "jwt"
  }

  expect_failures = [output.auth]
}

run "overlapping_prefixes" {
  command = plan

  module {
    source = "./modules/image_metadata"
  }

  variables {
    upload_prefixes = ["uploads/", "raws/", "uploads/2024/"]
  }

  expect_failures = [var.upload_prefixes]
}

run "wrong_region" {
  command = plan

  variables {
    region = "frankfurt"
  }

  expect_failures = [var.region]
}

run "other_wrong_region" {
  command = plan

  variables {
    region = "us-east-1a"
  }

  expect_failures = [var.region]
}
