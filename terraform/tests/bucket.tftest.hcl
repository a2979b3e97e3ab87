mock_provider "aws" {
  source = "./tests/mocks"
}

variables {
  name            = "images"
  event_queue_arn = "arn:aws:sqs:us-east-1:123456789012:events"
  images          = { prefixes = ["uploads/"], cors_allow_origin = "*" }
}

run "private_by_default" {
  module {
    source = "./modules/bucket"
  }

  assert {
    condition = alltrue([
      aws_s3_bucket_public_access_block.this.block_public_acls,
      aws_s3_bucket_public_access_block.this.block_public_policy,
      aws_s3_bucket_public_access_block.this.ignore_public_acls,
      aws_s3_bucket_public_access_block.this.restrict_public_buckets,
    ])
    error_message = "Every kind of public access must be blocked."
  }

  assert {
    condition     = [for statement in jsondecode(aws_s3_bucket_policy.this[0].policy).Statement : [statement.Effect, statement.Condition]] == [["Deny", { Bool = { "aws:SecureTransport" = "false" } }]]
    error_message = "The policy must refuse requests without TLS, and allow nothing."
  }

  assert {
    condition     = one(one(aws_s3_bucket_server_side_encryption_configuration.this.rule).apply_server_side_encryption_by_default).sse_algorithm == "AES256"
    error_message = "Images must be encrypted at rest."
  }

  assert {
    condition     = length(aws_s3_bucket_versioning.this) == 0 && !aws_s3_bucket.this.force_destroy
    error_message = "No versions are kept and no images are deleted unless asked for."
  }

  assert {
    condition     = aws_s3_bucket_lifecycle_configuration.this[0].rule[*].id == tolist(["abort-incomplete-uploads"])
    error_message = "Incomplete uploads must be aborted, and images kept."
  }
}

run "derived_objects_expire" {
  module {
    source = "./modules/bucket"
  }

  variables {
    images          = null
    event_queue_arn = null
    expiration_days = 90
  }

  assert {
    condition     = one([for rule in aws_s3_bucket_lifecycle_configuration.this[0].rule : one(rule.expiration).days if rule.id == "expire"]) == 90
    error_message = "What can be made again must not be kept for ever."
  }

  assert {
    condition     = length(aws_s3_bucket_notification.this) == 0
    error_message = "A bucket of something else than images must send no events."
  }
}

run "events_of_images_alone" {
  module {
    source = "./modules/bucket"
  }

  assert {
    condition     = toset(one(aws_s3_bucket_notification.this[0].queue).events) == toset(["s3:ObjectCreated:*", "s3:ObjectRemoved:*", "s3:LifecycleExpiration:*", "s3:ObjectRestore:Completed"])
    error_message = "Created, removed, expired and restored images must send events."
  }

  assert {
    condition     = one(aws_s3_bucket_notification.this[0].queue).filter_prefix == "uploads/"
    error_message = "Only images may send events."
  }
}

run "options" {
  module {
    source = "./modules/bucket"
  }

  variables {
    versioning    = true
    force_destroy = true
    images        = { prefixes = ["uploads/", "raws/"], cors_allow_origin = "https://app.example.org", expiration_days = 30, noncurrent_days = 7 }
    kms_key_arn   = "arn:aws:kms:us-east-1:123456789012:key/mine"
  }

  assert {
    condition     = length(aws_s3_bucket_versioning.this) == 1 && aws_s3_bucket.this.force_destroy
    error_message = "Versioning and force_destroy must be as asked for."
  }

  assert {
    condition = aws_s3_bucket_lifecycle_configuration.this[0].rule[*].id == tolist([
      "abort-incomplete-uploads", "expire-images", "expire-images-1", "expire-versions", "expire-versions-1"
    ])
    error_message = "Images and old versions of them must expire when asked for."
  }

  assert {
    condition = (
      one(aws_s3_bucket_lifecycle_configuration.this[0].rule[1].expiration).days == 30
      && one(aws_s3_bucket_lifecycle_configuration.this[0].rule[3].noncurrent_version_expiration).noncurrent_days == 7
      && [for rule in slice(aws_s3_bucket_lifecycle_configuration.this[0].rule, 1, 5) : one(rule.filter).prefix] == ["uploads/", "raws/", "uploads/", "raws/"]
      && toset(aws_s3_bucket_notification.this[0].queue[*].filter_prefix) == toset(["uploads/", "raws/"])
    )
    error_message = "Only images may expire, each kind after its own days, and send events: below every prefix."
  }

  assert {
    condition     = one(one(aws_s3_bucket_server_side_encryption_configuration.this.rule).apply_server_side_encryption_by_default).kms_master_key_id == var.kms_key_arn
    error_message = "A key of one's own must encrypt the images."
  }

  assert {
    condition = [
      for rule in aws_s3_bucket_cors_configuration.this[0].cors_rule : rule.allowed_origins
      if length(setintersection(rule.allowed_methods, ["POST", "PUT"])) > 0
    ] == [toset(["https://app.example.org"])]
    error_message = "Only the origin may upload from a browser."
  }

  assert {
    condition = [
      for rule in aws_s3_bucket_cors_configuration.this[0].cors_rule : rule.allowed_origins
      if length(setintersection(rule.allowed_methods, ["GET", "HEAD"])) > 0
    ] == [toset(["*"])]
    error_message = "A redirected download must be readable from the origin null."
  }
}

run "local_aws" {
  module {
    source = "./modules/bucket"
  }

  variables {
    local = true
  }

  assert {
    condition     = length(aws_s3_bucket_policy.this) == 0
    error_message = "The local AWS has no TLS to require."
  }

  assert {
    condition     = length(aws_s3_bucket_lifecycle_configuration.this) == 0
    error_message = "The local AWS would be waited for in vain."
  }
}

run "of_anything_else" {
  module {
    source = "./modules/bucket"
  }

  variables {
    images = null
  }

  assert {
    condition     = length(aws_s3_bucket_notification.this) == 0 && length(aws_s3_bucket_cors_configuration.this) == 0
    error_message = "Only images send events and are open to pages."
  }

  assert {
    condition     = length(aws_s3_bucket_policy.this) == 1 && aws_s3_bucket_public_access_block.this.restrict_public_buckets
    error_message = "Every bucket must be private, and refuse requests without TLS."
  }
}

run "a_prefix_is_a_folder" {
  command = plan

  module {
    source = "./modules/bucket"
  }

  variables {
    images = { prefixes = ["uploads"], cors_allow_origin = "*" }
  }

  expect_failures = [var.images]
}
