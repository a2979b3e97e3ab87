mock_provider "aws" {
  source = "./tests/mocks"
}

variables {
  build_dir = "./tests/packages"
}

run "packages" {
  module {
    source = "./tests/packages"
  }
}

run "complete" {
  command = plan

  module {
    source = "../examples/complete"
  }

  assert {
    condition     = output.bucket == "photos-prod-123456789012-us-east-1"
    error_message = "The example must be planned as it stands."
  }
}

run "existing_bucket" {
  command = plan

  module {
    source = "../examples/existing_bucket"
  }

  variables {
    bucket_name = "ours"
  }

  assert {
    condition     = output.backfill.bucket == "ours" && output.backfill.prefixes == tolist(["archive/", "incoming/"])
    error_message = "The example must say what a backfill is to be told."
  }
}
