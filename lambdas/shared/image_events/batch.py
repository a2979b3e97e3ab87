"""A whole invocation's work: many jobs at a time, each failing alone, answered in the caller's protocol."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Protocol
from urllib.parse import unquote_plus

from botocore.exceptions import BotoCoreError, ClientError

from image_catalogue.errors import CatalogueBusy, CatalogueError, InvalidEvent
from image_metadata.errors import SourceError

from .events import Job, is_sqs, jobs_of_message, jobs_of_notification
from .indexer import Indexer

#: Objects read at a time; the work is waiting for S3 and DynamoDB.
CONCURRENCY = 10

#: Failures that a later attempt may not meet again.
_TEMPORARY = (CatalogueBusy, SourceError, BotoCoreError, ClientError)

Run = Callable[[Job | InvalidEvent], Exception | None]


class Log(Protocol):
    """The part of a logger that is used here (Powertools' Logger; fields go by keyword)."""

    def info(self, message: str, **fields: Any) -> None:
        """Log what went well."""

    def error(self, message: str, **fields: Any) -> None:
        """Log what failed; `exc_info=True` adds the traceback."""


class JobsFailed(CatalogueError):
    """Some of a plain event's records failed; raising it makes Lambda deliver the event again."""


def handle(event: dict[str, Any], indexer: Indexer, deadline: float, log: Log) -> dict[str, Any]:
    """Do the work of an event of any shape.

    SQS: returns `batchItemFailures`, so that only failed messages are delivered again. S3 Batch Operations: returns a
    result per task. A plain S3 event: raises `JobsFailed` if a record failed. `deadline` is in `time.monotonic()`
    seconds: a job that has not begun by then counts as failed.
    """

    def run(job: Job | InvalidEvent) -> Exception | None:
        return _run(job, indexer, deadline, log)

    if "tasks" in event:
        return _batch_operations(event, run)
    if is_sqs(event):
        return _messages(event["Records"], run, log)
    failed = [error for error in _each(run, jobs_of_notification(event)) if error is not None]
    if failed:
        message = f"{len(failed)} of the event's records failed; see the log lines above"
        raise JobsFailed(message) from failed[0]
    return {}


def _messages(messages: list[dict[str, Any]], run: Run, log: Log) -> dict[str, Any]:
    owners: list[str] = []
    jobs: list[Job | InvalidEvent] = []
    failed: list[str] = []
    for message in messages:
        try:
            for job in jobs_of_message(message["body"]):
                owners.append(message["messageId"])
                jobs.append(job)
        except InvalidEvent as error:
            log.error("message is not an event", message_id=message["messageId"], reason=str(error))
            failed.append(message["messageId"])
    failed += [owner for owner, error in zip(owners, _each(run, jobs), strict=True) if error is not None]
    return {"batchItemFailures": [{"itemIdentifier": message_id} for message_id in dict.fromkeys(failed)]}


def _batch_operations(event: dict[str, Any], run: Run) -> dict[str, Any]:
    """Amazon S3 User Guide, "Invoke AWS Lambda function" (schema 1.0 and 2.0): one result per task."""
    tasks = event["tasks"]
    jobs = [
        Job(
            bucket=task.get("s3Bucket") or task["s3BucketArn"].rpartition(":::")[2],
            key=unquote_plus(task["s3Key"]),
            name="BatchOperations",
        )
        for task in tasks
    ]
    results = [
        {
            "taskId": task["taskId"],
            "resultCode": _result_code(error),
            "resultString": type(error).__name__ if error else "",
        }
        for task, error in zip(tasks, _each(run, jobs), strict=True)
    ]
    return {
        "invocationSchemaVersion": event["invocationSchemaVersion"],
        "treatMissingKeysAs": "TemporaryFailure",
        "invocationId": event["invocationId"],
        "results": results,
    }


def _result_code(error: Exception | None) -> str:
    if error is None:
        return "Succeeded"
    return "TemporaryFailure" if isinstance(error, _TEMPORARY) else "PermanentFailure"


def _each(run: Run, jobs: Iterable[Job | InvalidEvent]) -> list[Exception | None]:
    jobs = list(jobs)
    if len(jobs) < 2:
        return [run(job) for job in jobs]
    with ThreadPoolExecutor(min(CONCURRENCY, len(jobs))) as pool:
        return list(pool.map(run, jobs))


def _run(job: Job | InvalidEvent, indexer: Indexer, deadline: float, log: Log) -> Exception | None:
    """Do one job and return the error that it failed with, whatever it was, so that the others go on."""
    if isinstance(job, InvalidEvent):
        log.error("record is not an event", reason=str(job))
        return job
    try:
        if time.monotonic() >= deadline:
            raise CatalogueBusy("the invocation's time is used up")
        log.info("indexed", **indexer.process(job, deadline))
        return None
    except Exception as error:  # a bug fails the record that meets it, and only that one
        level = logging.WARNING if isinstance(error, _TEMPORARY) else logging.ERROR
        log.error(
            "record failed",
            event=job.name,
            image_id=job.key,
            severity=logging.getLevelName(level),
            error=f"{type(error).__name__}: {error}",
            exc_info=level == logging.ERROR,
        )
        return error
