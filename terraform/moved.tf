# Where deployments of earlier versions keep these resources: they are renamed in the state, and stay as they are.
moved {
  from = module.delete_image
  to   = module.functions["delete_image"]
}

moved {
  from = module.get_image
  to   = module.functions["get_image"]
}

moved {
  from = module.get_image_metadata
  to   = module.functions["get_image_metadata"]
}

moved {
  from = module.info_images
  to   = module.functions["info_images"]
}

moved {
  from = module.s3_file_event
  to   = module.functions["s3_file_event"]
}

moved {
  from = module.upload_image
  to   = module.functions["upload_image"]
}

moved {
  from = module.api
  to   = module.image_metadata.module.api
}

moved {
  from = module.bucket
  to   = module.image_metadata.module.bucket
}

moved {
  from = module.code
  to   = module.image_metadata.module.code
}

moved {
  from = module.events
  to   = module.image_metadata.module.events
}

moved {
  from = module.functions
  to   = module.image_metadata.module.functions
}

moved {
  from = module.monitoring
  to   = module.image_metadata.module.monitoring
}

moved {
  from = module.table
  to   = module.image_metadata.module.table
}

moved {
  from = aws_iam_role.batch_operations
  to   = module.image_metadata.aws_iam_role.batch_operations
}

moved {
  from = aws_iam_role_policy.batch_operations
  to   = module.image_metadata.aws_iam_role_policy.batch_operations
}
