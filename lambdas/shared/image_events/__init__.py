"""What comes in: S3's events and our own repair requests become changes of the catalogue."""
