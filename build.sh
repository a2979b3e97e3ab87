#!/bin/sh
# Vendor and zip every Lambda function into build/. See: ./build.sh --help
set -eu
cd "$(dirname "$0")"
. ./tools/python.sh
run_python -m tools.deploy.build "$@"
