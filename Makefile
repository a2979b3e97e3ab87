# Needs Python 3.11 or newer, GNU make and Terraform 1.7 or newer; everything else is installed below .venv and .local.
SHELL := /bin/sh
.DEFAULT_GOAL := help
.PHONY: help setup build up demo down status deploy destroy test test-unit test-terraform test-e2e test-variants storm fuzz bench bench-reads bench-search lint architecture format lock audit clean

# Kept, whatever the environment says: every worker and the hundreds of programs that tests start would compile it anew.
unexport PYTHONDONTWRITEBYTECODE

VENV := .venv
RUN := $(VENV)/bin/python
WORKERS ?= 2
# How long a suite takes is noted where it passes, for docs/benchmarks.md; `test` with what it had to install.
BEGUN = begun=$$(date +%s)
PASSED = $(RUN) -m tools.dev.times $@ $$begun
# In a variable of its own: `make -n` runs the lines that name MAKE.
AT_ONCE := $(MAKE) -s --no-print-directory -j2
TERRAFORM_TESTS = -m tools.dev.terraform_tests test
# Tests that deploy begin first, those of one local AWS on one worker.
E2E_WORKERS ?= 4
TOGETHER = $(RUN) -m pytest -q -n $(E2E_WORKERS) --dist loadgroup --no-loadscope-reorder
END_TO_END = --ignore tests/e2e/variants tests/e2e
LOCAL_AWS_PORT ?= 4566
export LOCAL_AWS_PORT

# The suites that need no server; what a folder holds decides, so a new suite is a new folder.
UNIT_SUITES := $(wildcard tests/unit tests/contract tests/faults tests/fuzz)

help: ## List the targets
	@awk -F ':.*## ' '/^[a-z0-9-]+:.*## / { printf "  make %-16s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

setup: ## Install the development environment below .venv
	@. ./tools/python.sh && run_python -m tools.deploy.environment $(VENV) requirements/dev.txt

# Checked before anything is installed or started.
.PHONY: terraform-there
terraform-there:
	@. ./tools/python.sh && run_python -m tools.deploy.terraform check

build: ## Build every function's package for AWS Lambda (python3.13, arm64)
	@./build.sh

up: terraform-there setup ## Start the local AWS and deploy onto it, without images
	@$(RUN) -m tools.dev.demo --no-images

demo: terraform-there setup ## Start, deploy and show it all with sample images, or your own: make demo IMAGES=directory
	@$(RUN) -m tools.dev.demo $(if $(IMAGES),--images "$(IMAGES)")

down: ## Stop the local AWS
	@PYTHON=$${PYTHON:-$(wildcard $(RUN))}; . ./tools/python.sh && run_python -m tools.dev.local_aws stop

status: ## Say whether the local AWS runs
	@PYTHON=$${PYTHON:-$(wildcard $(RUN))}; . ./tools/python.sh && run_python -m tools.dev.local_aws status || test $$? -eq 3

deploy: ## Deploy to the AWS account your credentials name
	@./deploy.sh

destroy: ## Remove everything from that account again
	@./deploy.sh destroy

# Deployments wait half of their time; the tests that need none fill it.
test: ## Run the tests that every change needs: Terraform's, then unit, contract and end to end at once
	@$(BEGUN); $(AT_ONCE) terraform-tested tests-compiled && $(TOGETHER) $(END_TO_END) $(UNIT_SUITES) && $(PASSED)

# These need nothing that is installed, so they begin at once.
.PHONY: terraform-tested
terraform-tested:
	@. ./tools/python.sh && run_python $(TERRAFORM_TESTS)

# At first, by one process; else each of the workers that follow compiles them all. What is wrong is theirs to say.
.PHONY: tests-compiled
tests-compiled: setup
	@test -d tests/__pycache__ || $(RUN) -m pytest --collect-only -q -n0 $(END_TO_END) $(UNIT_SUITES) >/dev/null || true

test-unit: setup ## Run the tests that need no server
	@$(BEGUN); $(RUN) -m pytest -q -n $(WORKERS) --dist loadgroup $(UNIT_SUITES) && $(PASSED)

test-terraform: setup ## Check, validate and test the Terraform code
	@$(BEGUN); $(RUN) $(TERRAFORM_TESTS) && $(PASSED)

test-e2e: setup ## Deploy onto a local AWS of its own and test it from S3 to API
	@$(BEGUN); $(TOGETHER) $(END_TO_END) && $(PASSED)

test-variants: setup ## Deploy with other settings: two stages, IAM, tokens, a bucket that exists, all at once (minutes)
	@$(BEGUN); $(TOGETHER) tests/e2e/variants && $(PASSED)

storm: setup ## Run the long form of the storm, state and reconcile tests (minutes)
	@STATEFUL_STEPS=10000 SCHEDULES=3000 SEARCH_SCHEDULES=400 SEARCH_KILLS=10000 \
		$(RUN) -m pytest -q -n $(WORKERS) --timeout 3600 tests/faults
	@SEARCH_RECORDS=20000 SEARCH_FILTERS=2000 $(RUN) -m pytest -q --timeout 7200 tests/unit/search/test_truth.py
	@STORM_OPERATIONS=2000 $(RUN) -m pytest -q --timeout 3600 -s tests/e2e/test_storm.py
	@RECONCILE_OBJECTS=20000 $(RUN) -m pytest -q --timeout 3600 -s tests/e2e/test_reconcile.py
	@SEARCH_API_QUESTIONS=200 $(RUN) -m pytest -q --timeout 3600 tests/e2e/test_search.py
	@EXISTING_OBJECTS=2000 EXISTING_OPERATIONS=500 $(RUN) -m pytest -q --timeout 3600 -s tests/e2e/variants/test_existing_bucket.py

fuzz: setup ## Feed the extractor damaged files for ten minutes (FUZZ_SECONDS=seconds)
	@FUZZ_SECONDS=$${FUZZ_SECONDS:-600} $(RUN) -m pytest -q -s tests/fuzz

bench: setup ## Measure reading, writing, dollars, counters, cold starts and a deployment beside peers -> docs/benchmarks.md
	@PYTHONPATH=lambdas/shared $(RUN) -m tests.benchmarks

bench-reads: setup ## Measure what reads cost with 100, 10,000 and 200,000 images (long)
	@READ_COST_SIZES=$${READ_COST_SIZES:-100,10000,200000} $(RUN) -m pytest -q --timeout 7200 -s tests/e2e/test_read_cost.py

bench-search: setup ## Measure search over 1 and 10 million images, and how soon uploads are found (long)
	@$(RUN) -m tests.benchmarks.search_speed api --records 1000000
	@$(RUN) -m tests.benchmarks.search_speed code --records 10000000 --times 5

lint: setup ## Run ruff, mypy, import-linter, shellcheck and terraform fmt
	@$(RUN) -m ruff check .
	@$(RUN) -m ruff format --check .
	@$(RUN) -m mypy
	@PYTHONPATH=lambdas/shared $(VENV)/bin/lint-imports --no-logo --no-cache
	@$(VENV)/bin/shellcheck -x build.sh deploy.sh tools/python.sh .ci/run
	@$(RUN) -m tools.dev.terraform_tests fmt

architecture: setup ## Draw docs/architecture.svg from the Terraform graph
	@$(RUN) -m tools.dev.architecture

format: setup ## Rewrite Python and Terraform code in the project's style
	@$(RUN) -m ruff check --fix-only --quiet .
	@$(RUN) -m ruff format .
	@terraform fmt -recursive terraform
	@terraform fmt -recursive examples

lock: setup ## Pin what the dependency groups of pyproject.toml name (UPGRADE=1: to the newest versions)
	@$(RUN) -m tools.dev.lock $(if $(UPGRADE),--upgrade)

audit: ## Look for known vulnerabilities in what is pinned and for weak settings in Terraform
	@. ./tools/python.sh && run_python -m tools.dev.audit

clean: down ## Remove everything that was built, the local AWS's data included
	@rm -rf .local build lambdas/*/vendor lambdas/*/.vendor-* .pytest_cache .ruff_cache .mypy_cache .hypothesis
