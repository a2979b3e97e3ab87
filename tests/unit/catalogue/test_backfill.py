"""Catalogue what is there: what it costs, by which way, how it is followed, what it ends with."""

from __future__ import annotations

import argparse
import itertools
import subprocess
import sys
from types import SimpleNamespace
from typing import Any

import pytest

from image_catalogue.catalogue import Catalogue
from image_events.indexer import Indexer
from tests.contract.declared import ROOT
from tests.support.pictures import picture
from tests.support.table import BUCKET, TABLE
from tests.unit.catalogue.test_reconcile import deliver
from tools.ops import backfill

ROLE = "arn:aws:iam::123456789012:role/batch"


class Jobs:
    """S3 Batch Operations as far as a job is started and followed; `states` are what it says one after the other."""

    def __init__(self, *states: dict[str, Any]) -> None:
        self.states = list(states)
        self.started: list[dict[str, Any]] = []

    def create_job(self, **request: Any) -> dict[str, str]:
        self.started.append(request)
        return {"JobId": "job-1"}

    def describe_job(self, **request: Any) -> dict[str, Any]:
        assert request == {"AccountId": "123456789012", "JobId": "job-1"}
        return {"Job": self.states.pop(0)}


@pytest.fixture(autouse=True)
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(backfill, "POLL_SECONDS", 0)


def options(**changed: Any) -> argparse.Namespace:
    wanted = {
        "bucket": BUCKET, "table": TABLE, "queue_url": "none", "account": "123456789012", "region": "us-east-1",
        "s3_file_event_arn": "arn:aws-cn:lambda:cn-north-1:123456789012:function:f", "code_bucket": "code",
        "prefix": ["2024/", "raws/"], "role_arn": ROLE, "method": None, "yes": True,
    }  # fmt: skip
    return argparse.Namespace(**wanted | changed)


def progress(succeeded: int, failed: int = 0) -> dict[str, int]:
    return {"TotalNumberOfTasks": 5, "NumberOfTasksSucceeded": succeeded, "NumberOfTasksFailed": failed}


def test_objects_are_counted_and_go_through_the_queue(
    s3: Any,
    catalogue: Catalogue,
    queue: Any,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    for key in ("2024/a.png", "2024/b.png", "raws/c.png", "raws/", "other/d.png"):
        s3.put_object(Bucket=BUCKET, Key=key, Body=b"" if key.endswith("/") else picture())
    indexer = Indexer(s3, catalogue, BUCKET, ("2024/", "raws/"))
    monkeypatch.setattr(backfill, "drained", lambda *_: deliver(queue, indexer))
    assert backfill.run(options(queue_url=queue[1]), {"s3": s3, "sqs": queue[0]}) == 0
    said = capsys.readouterr().out
    assert (
        f"3 objects, {3 * len(picture())} bytes in {BUCKET}" in said
        and "by the event queue costs about" in said
    )
    assert said.endswith("3 objects compared\nThe catalogue is in step with the bucket.\n")


@pytest.mark.parametrize(
    ("objects", "method", "batch"),
    [(1_000_000, None, False), (1_000_001, None, True), (3, "batch", True), (2_000_000, "queue", False)],
)
def test_many_objects_are_a_job(
    s3: Any,
    catalogue: Catalogue,
    queue: Any,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    objects: int,
    method: str | None,
    batch: bool,
) -> None:
    monkeypatch.setattr(backfill, "count", lambda *_: (objects, 7))
    jobs = Jobs(
        {"Status": "Preparing"},
        {"Status": "Active", "ProgressSummary": progress(2)},
        {"Status": "Complete", "ProgressSummary": progress(4, 1)},
    )
    clients = {"s3": s3, "sqs": queue[0], "s3control": jobs}
    assert backfill.run(options(method=method, queue_url=queue[1]), clients) == 0
    said = capsys.readouterr().out
    assert bool(jobs.started) == batch == ("1 tasks failed" in said)
    if batch:
        (job,) = jobs.started
        generator = job["ManifestGenerator"]["S3JobManifestGenerator"]
        assert generator["Filter"] == {"KeyNameConstraint": {"MatchAnyPrefix": ["2024/", "raws/"]}}
        assert job["Report"]["Bucket"] == "arn:aws-cn:s3:::code", "nothing is written into the bucket"
        assert job["RoleArn"] == ROLE and job["ConfirmationRequired"] is False


def test_a_whole_bucket_is_a_job_without_a_filter() -> None:
    jobs = Jobs()
    backfill.start_job(jobs, options(prefix=[""]))
    assert "Filter" not in jobs.started[0]["ManifestGenerator"]["S3JobManifestGenerator"]


def test_a_job_is_what_s3_takes() -> None:
    """botocore knows the operation's parameters."""
    import boto3
    from botocore.stub import Stubber

    client = boto3.client("s3control", "us-east-1", aws_access_key_id="A", aws_secret_access_key="S")
    with Stubber(client) as stub:
        stub.add_response("create_job", {"JobId": "job-1"})
        assert backfill.start_job(client, options()) == "job-1"


def test_a_job_that_fails_says_why(s3: Any) -> None:
    failed = {"Status": "Failed", "FailureReasons": [{"FailureReason": "no manifest"}]}
    with pytest.raises(backfill.BackfillError, match="job-1 is Failed: no manifest"):
        backfill.follow_job(Jobs(failed), "123456789012", "job-1", 5)


def test_without_a_role_there_is_no_job(s3: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(backfill, "count", lambda *_: (2_000_000, 7))
    with pytest.raises(backfill.BackfillError, match="TF_VAR_batch_operations=true"):
        backfill.run(options(role_arn=None), {"s3": s3})


def test_nothing_begins_unconfirmed(s3: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(backfill.BackfillError, match="--yes"):
        backfill.run(options(yes=False), {"s3": s3})
    monkeypatch.setattr("sys.stdin.isatty", lambda: True, raising=False)
    monkeypatch.setattr(backfill, "confirmed", lambda _: False)
    assert backfill.run(options(yes=False), {"s3": s3}) == 1


def test_a_queue_that_does_not_move_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    class Stuck:
        def get_queue_attributes(self, **_request: Any) -> dict[str, Any]:
            return {"Attributes": {"ApproximateNumberOfMessages": "3", "VisibilityTimeout": "0"}}

    monkeypatch.setattr(backfill, "LEAST_PATIENCE_SECONDS", 0)
    with pytest.raises(backfill.BackfillError, match="3 messages wait"):
        backfill.drained(Stuck(), "url", 5)


def test_a_failed_event_is_waited_for_until_it_comes_again(monkeypatch: pytest.MonkeyPatch) -> None:
    waiting = [1] * 8 + [0]

    class Slow:
        def get_queue_attributes(self, AttributeNames: list[str], **_request: Any) -> dict[str, Any]:  # noqa: N803
            assert "VisibilityTimeout" in AttributeNames
            held = {"ApproximateNumberOfMessages": str(waiting.pop(0)), "VisibilityTimeout": "5400"}
            return {"Attributes": held}

    minutes = itertools.count(step=600.0)  # ten a look: over an hour in all
    clock = SimpleNamespace(monotonic=lambda: next(minutes), sleep=lambda _: None)
    monkeypatch.setattr(backfill, "time", clock)
    backfill.drained(Slow(), "url", 5)
    assert not waiting


def test_what_it_costs_grows_with_the_objects() -> None:
    assert backfill.price(1_000_000, batch=False) == pytest.approx(4.31)
    assert backfill.price(10_000_000, batch=True) == pytest.approx(53.35)


def test_it_needs_no_more_than_its_requirements() -> None:
    """Where there is no development environment, deploy.sh installs requirements/ops.txt."""
    pinned = (ROOT / "requirements/ops.txt").read_text(encoding="utf-8")
    absent = [
        name for name in ("duckdb", "fsspec", "aws_lambda_powertools", "moto") if f"{name}==" not in pinned
    ]
    code = f"import sys\nsys.modules.update(dict.fromkeys({absent!r}))\nimport tools.ops.backfill"
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=False)
    assert "duckdb" in absent and done.returncode == 0, done.stderr
