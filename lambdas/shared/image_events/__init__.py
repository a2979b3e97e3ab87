"""S3's events into the catalogue, and the catalogue's changes out to search and EventBridge."""
