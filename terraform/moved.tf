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
