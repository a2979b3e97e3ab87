#!/bin/sh
# Deploy to AWS (or, with AWS_ENDPOINT_URL set, to a local AWS). See: ./deploy.sh --help
set -eu
cd "$(dirname "$0")"
. ./tools/python.sh
run_python -m tools.deploy.deploy "$@"
