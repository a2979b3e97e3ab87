"""The whole of the Terraform, everything switched on, applied onto a second emulator: moto's server.

It runs no function here, so that nothing is uploaded; what it has is a model of the resources, made by others than the
local AWS's. What moto lacks stands in tests/support/moto_server.py.
"""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest

from tests.contract.declared import TERRAFORM, configuration
from tests.support.moto_server import MotoAws
from tests.support.stack import LEFT_OVER, Site, Stack

#: The local settings switch alarms off, for the sake of the local AWS; an option goes before them.
ALARMS = "-var=monitoring=true"
EVERYTHING = {
    "TF_VAR_alarm_email": "somebody@example.org",
    "TF_VAR_athena": "true",
    "TF_VAR_batch_operations": "true",
    "TF_VAR_events": "true",
    "TF_VAR_pixels": "all",
    "TF_VAR_point_in_time_recovery": "true",
    "TF_VAR_snap_start": "true",
    "TF_VAR_tracing": "true",
    "TF_VAR_versioning": "true",
    "TF_VAR_warm_throughput": "20000",
}
ELSEWHERE = {
    # Access tokens instead of API keys.
    "aws_api_gateway_authorizer.this",
    "aws_lambda_permission.authorizer",
    "aws_lambda_permission.authorizer_alias",
    # A bucket that is there already instead of one that is made.
    "aws_cloudwatch_event_rule.bucket",
    "aws_cloudwatch_event_target.queue",
    # On AWS alone: there is no TLS to require here, and nothing expires.
    "aws_s3_bucket_policy.this",
    "aws_s3_bucket_lifecycle_configuration.this",
}


@pytest.fixture(scope="module")
def moto(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """An account at moto's server."""
    home = tmp_path_factory.mktemp("moto")
    site = Site(home, MotoAws(home))
    # What moto has not got it answers with 500: Terraform then asks again, 25 times if it may.
    site.environment |= {**EVERYTHING, "AWS_MAX_ATTEMPTS": "3"}
    site.local.start()
    try:
        yield site
    finally:
        site.local.stop()


@pytest.fixture(scope="module")
def whole(moto: Site) -> Stack:
    """The deployment, everything switched on. A log group is there already: deploy.sh imports into all of it."""
    moto.client("logs").create_log_group(logGroupName=LEFT_OVER[0])
    return moto.deploy(ALARMS)


def test_every_resource_that_is_declared_is_made(moto: Site, whole: Stack) -> None:
    assert moto.terraform.state is not None
    state = json.loads(moto.terraform.state.read_text())
    made = {f"{entry['type']}.{entry['name']}" for entry in state["resources"] if entry["mode"] == "managed"}
    modules = ["", *(folder.name for folder in (TERRAFORM / "modules").iterdir())]
    declared = {
        f"{kind}.{name}"
        for module in modules
        for block in configuration(module).get("resource", [])
        for kind, named in block.items()
        for name in named
    }
    assert declared - made == ELSEWHERE
    held = moto.inventory()
    assert set(held["functions"]) == set(whole.outputs["function_names"].values())
    assert whole.bucket in held["buckets"] and whole.outputs["table"] in held["tables"]


def test_a_second_plan_is_empty(moto: Site, whole: Stack) -> None:
    assert "No changes." in moto.done("plan", ALARMS, "-detailed-exitcode").stdout


def test_table_and_indexes_take_at_once_what_was_asked_for(moto: Site, whole: Stack) -> None:
    table = moto.client("dynamodb").describe_table(TableName=whole.outputs["table"])["Table"]
    units = [
        part["WarmThroughput"]["WriteUnitsPerSecond"] for part in (table, *table["GlobalSecondaryIndexes"])
    ]
    assert units == [20000, 10000, 10000]


def test_destroy_leaves_nothing(moto: Site, whole: Stack) -> None:
    assert "Left of image-metadata-local: nothing" in moto.done("destroy").stdout
    assert moto.inventory() == {}
    assert moto.client("cloudwatch").describe_alarms()["MetricAlarms"] == []
