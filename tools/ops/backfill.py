#!/usr/bin/env python3
"""Catalogue what a bucket holds already: count it, say what it costs, do it, and report what reconcile then finds.

Up to a million objects go through the event queue (tools/ops/reconcile.py --repair); more are a job of S3 Batch
Operations, which invokes the function by itself. ``deploy.sh backfill`` calls this with the deployment's names.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
import uuid
from collections.abc import Callable
from pathlib import Path
from typing import Any

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

ROOT = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT), str(ROOT / "lambdas" / "shared")]

from image_events.indexer import is_folder
from tools.deploy import cost
from tools.ops import may_be_unread, reconcile
from tools.terminal import progress

#: Above so many objects a job of S3 Batch Operations is used: a bucket is listed here in some minutes, and no longer.
MOST_BY_QUEUE = 1_000_000
POLL_SECONDS = 1.0
#: Without any progress for so long, something is wrong; and for twice the queue's visibility timeout, after which a
#: failed event comes again.
LEAST_PATIENCE_SECONDS = 900.0
_REPORTS = "batch-reports"
_ENDED = frozenset(("Complete", "Failed", "Cancelled", "Suspended"))


class BackfillError(Exception):
    """It cannot go on; the text says what to do."""


def count(s3: Any, bucket: str, prefixes: list[str]) -> tuple[int, int]:
    """The objects below the prefixes, and their bytes."""
    objects = size = 0
    with progress(stderr=True, quiet=not sys.stderr.isatty()) as bar:
        task = bar.add_task("counting", total=None)
        for prefix in prefixes:
            for page in s3.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=prefix):
                found = [entry for entry in page.get("Contents", []) if not is_folder(entry["Key"])]
                objects += len(found)
                size += sum(entry["Size"] for entry in found)
                bar.advance(task, len(found))
    return objects, size


def price(objects: int, batch: bool) -> float:
    """What cataloguing so many objects costs in US$, listed twice (counted, and compared at the end)."""
    millions = objects / 1_000_000
    dollars = millions * (cost.MILLION_BACKFILLED + 2 * cost.MILLION_LISTED)
    return dollars + (cost.BATCH_JOB + millions * cost.MILLION_BATCH_OBJECTS if batch else 0)


def start_job(s3control: Any, options: argparse.Namespace) -> str:
    """Start a job of S3 Batch Operations over the prefixes; returns its id."""
    partition = options.s3_file_event_arn.split(":")[1]
    constraint = {} if "" in options.prefix else {"KeyNameConstraint": {"MatchAnyPrefix": options.prefix}}
    answer = s3control.create_job(
        AccountId=options.account,
        ConfirmationRequired=False,
        ClientRequestToken=str(uuid.uuid4()),
        Description=f"Catalogue {options.bucket}",
        Priority=10,
        RoleArn=options.role_arn,
        Operation={
            "LambdaInvoke": {"FunctionArn": options.s3_file_event_arn, "InvocationSchemaVersion": "2.0"}
        },
        ManifestGenerator={
            "S3JobManifestGenerator": {
                "SourceBucket": f"arn:{partition}:s3:::{options.bucket}",
                "EnableManifestOutput": False,
                **({"Filter": constraint} if constraint else {}),
            }
        },
        # Not into the bucket itself: what is catalogued whole would catalogue its reports, and its owner keep them.
        Report={
            "Enabled": True,
            "Bucket": f"arn:{partition}:s3:::{options.code_bucket}",
            "Prefix": _REPORTS,
            "Format": "Report_CSV_20180820",
            "ReportScope": "FailedTasksOnly",
        },
    )
    return str(answer["JobId"])


def follow_job(s3control: Any, account: str, job: str, total: int) -> None:
    """Show the job's progress until it has ended; raises BackfillError unless it is complete."""
    with progress(stderr=True) as bar:
        task = bar.add_task(f"job {job}", total=total)
        while True:
            answer = s3control.describe_job(AccountId=account, JobId=job)["Job"]
            done = answer.get("ProgressSummary", {})
            failed = done.get("NumberOfTasksFailed", 0)
            bar.update(
                task,
                total=done.get("TotalNumberOfTasks") or total,
                completed=done.get("NumberOfTasksSucceeded", 0) + failed,
            )
            if answer["Status"] in _ENDED:
                break
            time.sleep(POLL_SECONDS)
    if answer["Status"] != "Complete":
        reasons = "; ".join(reason.get("FailureReason", "") for reason in answer.get("FailureReasons", []))
        raise BackfillError(f"the job {job} is {answer['Status']}: {reasons or 'no reason given'}")
    if failed:
        print(f"{failed} tasks failed (see {_REPORTS}/ of the code bucket); reconcile finds what is missing.")


def drained(sqs: Any, queue_url: str, total: int) -> None:
    """Wait until the queue has handed on everything; raises BackfillError where it stops moving."""
    names = [f"ApproximateNumberOfMessages{which}" for which in ("", "NotVisible", "Delayed")]
    moved = time.monotonic()
    least: int | None = None
    with progress(stderr=True) as bar:
        task = bar.add_task("cataloguing", total=total)
        while True:
            held = sqs.get_queue_attributes(QueueUrl=queue_url, AttributeNames=[*names, "VisibilityTimeout"])[
                "Attributes"
            ]
            patience = max(LEAST_PATIENCE_SECONDS, 2 * int(held["VisibilityTimeout"]))
            waiting = sum(int(held.get(name, 0)) for name in names)
            bar.update(task, completed=max(total - waiting, 0))
            if waiting == 0:
                return
            if least is None or waiting < least:
                least, moved = waiting, time.monotonic()
            elif time.monotonic() - moved > patience:
                raise BackfillError(
                    f"{waiting} messages wait in the queue and none has gone for {patience / 60:.0f} minutes: "
                    "look at the function's log (docs/operations.md, When an event fails), then run this again"
                )
            time.sleep(POLL_SECONDS)


def compare(options: argparse.Namespace, *more: str) -> int:
    """Run reconcile over the same bucket and table; returns its exit code."""
    with tempfile.TemporaryDirectory() as folder:
        prefixes = [f"--prefix={prefix}" for prefix in options.prefix]
        names = [f"--bucket={options.bucket}", f"--table={options.table}", f"--region={options.region}"]
        state = f"--state={Path(folder) / 'state.sqlite'}"
        return reconcile.main([*names, *prefixes, state, "--quiet", *more])


def confirmed(yes: bool, ask: Callable[[str], str] = input) -> bool:
    """Whether to begin; asks on a terminal unless ``yes``."""
    if yes:
        return True
    if not sys.stdin.isatty():
        raise BackfillError("confirm with --yes; nothing was done")
    return ask("Begin? [y/N] ").strip().lower() in ("y", "yes")


def run(options: argparse.Namespace, clients: dict[str, Any]) -> int:
    """Count, ask, catalogue, report; returns reconcile's exit code."""
    objects, size = count(clients["s3"], options.bucket, options.prefix)
    batch = options.method == "batch" or (options.method is None and objects > MOST_BY_QUEUE)
    way = "a job of S3 Batch Operations" if batch else "the event queue"
    print(f"{objects:,} objects, {size:,} bytes in {options.bucket}")
    print(f"Cataloguing them by {way} costs about US$ {price(objects, batch):.2f}", flush=True)
    if batch and not options.role_arn:
        raise BackfillError(
            "S3 Batch Operations needs a role: TF_VAR_batch_operations=true ./deploy.sh makes it (in a Learner Lab "
            "none can be made: --method queue)"
        )
    if not confirmed(options.yes):
        print("Nothing was done.")
        return 1
    if batch:
        job = start_job(clients["s3control"], options)
        print(f"S3 Batch Operations job {job}", flush=True)
        follow_job(clients["s3control"], options.account, job, objects)
    else:
        code = compare(options, "--repair", f"--queue-url={options.queue_url}")
        if code > 1:
            return code
        drained(clients["sqs"], options.queue_url, objects)
    print("Comparing:", flush=True)
    return compare(options)


@may_be_unread
def main(arguments: list[str] | None = None) -> int:
    """Exit code as reconcile's: 0 in step, 1 differences or not begun, 2 could not do it."""
    parser = argparse.ArgumentParser(prog="backfill", description=__doc__)
    for name in ("bucket", "table", "queue-url", "account", "region", "s3-file-event-arn", "code-bucket"):
        parser.add_argument(f"--{name}", required=True)
    parser.add_argument(
        "--prefix", action="append", required=True, help="may be repeated; '' is the whole bucket"
    )
    parser.add_argument(
        "--role-arn", help="role of S3 Batch Operations jobs (output batch_operations_role_arn)"
    )
    parser.add_argument("--method", choices=["queue", "batch"], help="default: by the number of objects")
    parser.add_argument("--yes", action="store_true", help="begin without asking")
    options = parser.parse_args(arguments)
    config = Config(retries={"mode": "adaptive", "total_max_attempts": 10})
    session = boto3.Session(region_name=options.region)
    clients = {name: session.client(name, config=config) for name in ("s3", "sqs", "s3control")}
    try:
        return run(options, clients)
    except (BackfillError, ClientError, BotoCoreError) as error:
        print(f"backfill: {error}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print("\nbackfill: interrupted; what was sent goes on, and running it again is safe", file=sys.stderr)
        return 130


if __name__ == "__main__":
    sys.exit(main())
