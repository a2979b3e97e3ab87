# For the local AWS (tools/dev/local_aws.py). deploy.sh adds local_endpoint, the port being free to choose.
stage         = "local"
api_key_value = "localImageMetadataKey"
force_destroy = true

# Found at once: nobody counts the requests here.
search_delay_seconds = 1

# A plan without access log settings never comes back empty there, nor one with alarms.
access_logs = true
monitoring  = false
