"""A whole invocation's work: many jobs at a time, each failing alone, answered in the caller's protocol."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import lru_cache
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

#: Does jobs and returns what each failed with.
Run = Callable[[list[Job | InvalidEvent]], list[Exception | None]]


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

    def run(jobs: list[Job | InvalidEvent]) -> list[Exception | None]:
        return _run(jobs, indexer, deadline, log)

    if "tasks" in event:
        return _batch_operations(event, run)
    if is_sqs(event):
        return _messages(event["Records"], run, log)
    failed = [error for error in run(jobs_of_notification(event)) if error is not None]
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
    failed += [owner for owner, error in zip(owners, run(jobs), strict=True) if error is not None]
    return {"batchItemFailures": [{"itemIdentifier": message_id} for message_id in dict.fromkeys(failed)]}


def _batch_operations(event: dict[str, Any], run: Run) -> dict[str, Any]:
    """Amazon S3 User Guide, "Invoke AWS Lambda function" (schema 1.0 and 2.0): one result per task."""
    tasks = event["tasks"]
    jobs: list[Job | InvalidEvent] = [
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
        for task, error in zip(tasks, run(jobs), strict=True)
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


def _run(
    jobs: list[Job | InvalidEvent], indexer: Indexer, deadline: float, log: Log
) -> list[Exception | None]:
    """Do the jobs and log each; returns what each failed with, whatever it was."""
    valid = [job for job in jobs if isinstance(job, Job)]
    each = _pool(CONCURRENCY).map if len(valid) > 1 else map
    results = iter(indexer.process_all(valid, deadline, each))
    return [_logged(job, job if isinstance(job, InvalidEvent) else next(results), log) for job in jobs]


@lru_cache(maxsize=1)
def _pool(threads: int) -> ThreadPoolExecutor:
    """Kept from batch to batch: to start and end its threads takes a fifth of a small batch's processor time."""
    return ThreadPoolExecutor(threads)


def _logged(job: Job | InvalidEvent, result: dict[str, Any] | Exception, log: Log) -> Exception | None:
    if isinstance(job, InvalidEvent):
        log.error("record is not an event", reason=str(job))
        return job
    if not isinstance(result, Exception):
        log.info("indexed", **result)
        return None
    log.error(
        "record failed",
        event=job.name,
        image_id=job.key,
        error=f"{type(result).__name__}: {result}",
        exc_info=None if isinstance(result, _TEMPORARY) else result,
    )
    return result
