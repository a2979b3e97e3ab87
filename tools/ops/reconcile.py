#!/usr/bin/env python3
"""Compare the bucket with the catalogue, report every difference, and repair it through the event queue.

The table is scanned into a file on disk, the bucket is listed in key order and merged with it, so memory stays
constant whatever the collection holds, and an interrupted run goes on where it stopped.
"""

from __future__ import annotations

import argparse
import json
import os
import sqlite3
import sys
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import quote_plus

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

ROOT = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT), str(ROOT / "lambdas" / "shared")]

from image_catalogue import pixels_queue
from image_catalogue.dynamodb import (
    Table,
    amounts_of,
    counter_id,
    from_dynamodb,
    is_counter,
)
from image_catalogue.errors import CatalogueError
from image_catalogue.items import contribution
from image_catalogue.settings import MOST_COUNTER_SHARDS
from image_events.events import REPAIR_SOURCE
from image_events.indexer import is_folder
from image_metadata.versions import EXTRACTOR_VERSION
from tools.deploy.credentials import AccountError, find_region
from tools.ops import may_be_unread, printable_key, with_cause
from tools.terminal import progress

KINDS = {
    "missing": "in the bucket, not in the catalogue",
    "stale": "the record describes other bytes than the bucket holds",
    "outdated": f"written by an extractor older than version {EXTRACTOR_VERSION}",
    "orphaned": "in the catalogue, not in the bucket",
    "unseen": "an image at whose pixels nobody has looked",
    "counters": "the summary differs from the records",
}
#: AWS's error codes for a wrong name, and the option that gave it: there is nothing to resume.
_WRONG_NAMES = {
    "NoSuchBucket": "--bucket and --search-bucket",
    "ResourceNotFoundException": "--table",
    "AWS.SimpleQueueService.NonExistentQueue": "--queue-url",
    "QueueDoesNotExist": "--queue-url",
}
_MESSAGES_PER_BATCH = 10  # SendMessageBatch's maximum
#: What the comparison with the bucket needs of an item. What the summary needs, `contribution` says.
_COMPARED = ("state", "etag", "revision", "extractor_version", "status", "pixels")


def _looked_at(item: dict[str, Any]) -> dict[str, Any]:
    """What is kept of an item, as a record: what is unknown is absent."""
    return {name: value for name, value in item.items() if value is not None}


def _kept(item: dict[str, Any]) -> str:
    """What a run keeps of a scanned item."""
    return json.dumps({name: item.get(name) for name in _COMPARED} | {"counts": contribution(item)})


class State:
    """The run's file: the scanned table, and how far the scan and the listing have come."""

    def __init__(self, path: Path, resume: bool) -> None:
        if not resume:
            path.unlink(missing_ok=True)
        self.path = path
        self._db = sqlite3.connect(path, isolation_level=None)
        self._db.execute("PRAGMA journal_mode = WAL")
        self._db.execute("PRAGMA synchronous = OFF")
        self._db.execute("CREATE TABLE IF NOT EXISTS item (key BLOB PRIMARY KEY, fields TEXT) WITHOUT ROWID")
        self._db.execute("CREATE TABLE IF NOT EXISTS note (name TEXT PRIMARY KEY, value TEXT)")

    def get(self, name: str) -> Any:
        """A noted JSON value; None if there is no note of that name."""
        row = self._db.execute("SELECT value FROM note WHERE name = ?", (name,)).fetchone()
        return json.loads(row[0]) if row else None

    def set(self, **notes: Any) -> None:
        """Note JSON values."""
        rows = [(name, json.dumps(value)) for name, value in notes.items()]
        self._db.executemany("INSERT OR REPLACE INTO note VALUES (?, ?)", rows)

    def add(self, items: list[dict[str, Any]], **notes: Any) -> None:
        """Keep a page of items, and note where the scan goes on, in one transaction."""
        self._db.execute("BEGIN")
        rows = [(item["image_id"].encode(), _kept(item)) for item in items]
        self._db.executemany("INSERT OR REPLACE INTO item VALUES (?, ?)", rows)
        self.set(**notes)
        self._db.execute("COMMIT")

    def between(self, after: str, upto: str | None) -> Iterator[tuple[str, dict[str, Any]]]:
        """The items with after < key <= upto (None: to the end), in the order S3 lists keys (UTF-8 bytes)."""
        sql, values = "SELECT key, fields FROM item WHERE key > ?", [after.encode()]
        if upto is not None:
            sql, values = sql + " AND key <= ?", [*values, upto.encode()]
        for key, fields in self._db.execute(sql + " ORDER BY key", values):
            yield key.decode(), json.loads(fields)

    def close(self, *, delete: bool) -> None:
        """Close the file; a finished run's is deleted."""
        self._db.close()
        if delete:
            for suffix in ("", "-wal", "-shm"):
                self.path.with_name(self.path.name + suffix).unlink(missing_ok=True)


class Reconciler:
    """One comparison of a bucket's prefixes with a table; repairs go to the queue when there is one."""

    def __init__(
        self,
        clients: dict[str, Any],
        bucket: str,
        table: str,
        prefixes: list[str],
        queue_url: str | None,
        state: State,
        pixels_queue_url: str | None = None,
        repair_pixels: bool = False,
    ) -> None:
        self._s3, self._dynamodb, self._sqs = clients["s3"], clients["dynamodb"], clients.get("sqs")
        self._bucket, self._table = bucket, Table(table, clients["dynamodb"], MOST_COUNTER_SHARDS)
        # In the order in which S3 lists keys, so that a position says which prefixes are done.
        self._prefixes = sorted(prefixes, key=str.encode)
        self._queue_url = queue_url
        self._pixels_queue_url, self._repair_pixels = pixels_queue_url, repair_pixels
        self._state = state
        self._outbox: dict[str, list[str]] = {}  # queue -> messages
        identity = [bucket, table, self._prefixes, queue_url]
        if state.get("identity") not in (None, identity):
            raise ReconcileError("the interrupted run compared something else: start anew, without --resume")
        state.set(identity=identity)
        self.drift: Counter[str] = Counter(state.get("drift") or {})
        self.objects: int = state.get("objects") or 0

    def run(self, report: Any = print, quiet: bool = False) -> bool:
        """Compare everything; calls `report(kind, key)` per difference; returns whether both sides are in step."""
        if not self._state.get("scanned"):
            self._scan(quiet)
        if not self._state.get("counted"):
            # Before any repair is sent: what repairs change would look like drift.
            self._compare_counters(report)
            self._state.set(counted=True, drift=dict(self.drift))
        if not self._state.get("listed"):
            self._list(report, quiet)
        return not self.drift

    def _scan(self, quiet: bool) -> None:
        if self._state.get("counters_before") is None:
            self._state.set(counters_before=self._counters())
        request: dict[str, Any] = {"TableName": self._table.name, "ConsistentRead": True}
        if position := self._state.get("scan_position"):
            request["ExclusiveStartKey"] = position
        with progress(stderr=True, quiet=quiet or not sys.stderr.isatty()) as bar:
            task = bar.add_task("records", total=None)
            while True:
                answer = self._dynamodb.scan(**request)
                kept = [from_dynamodb(item) for item in answer["Items"] if not is_counter(item)]
                position = answer.get("LastEvaluatedKey")
                self._state.add(kept, scan_position=position, scanned=position is None)
                bar.advance(task, len(kept))
                if position is None:
                    self._state.set(counters_after=self._counters())
                    return
                request["ExclusiveStartKey"] = position

    def _list(self, report: Any, quiet: bool) -> None:
        with progress(stderr=True, quiet=quiet or not sys.stderr.isatty()) as bar:
            task = bar.add_task("objects", total=None, completed=self.objects)
            for number, prefix in enumerate(self._prefixes):
                if number >= (self._state.get("prefixes_listed") or 0):
                    self._list_prefix(prefix, report, lambda objects: bar.advance(task, objects))
                    self._state.set(prefixes_listed=number + 1, list_position=None)
        self._state.set(listed=True)

    def _list_prefix(self, prefix: str, report: Any, advance: Callable[[int], None]) -> None:
        after = self._state.get("list_position") or ""
        while True:
            request = {"Bucket": self._bucket, "Prefix": prefix}
            answer = self._s3.list_objects_v2(**request, **({"StartAfter": after} if after else {}))
            objects = [entry for entry in answer.get("Contents", []) if not is_folder(entry["Key"])]
            more = answer.get("IsTruncated", False)
            upto = answer["Contents"][-1]["Key"] if more else None
            items = self._state.between(after, upto)
            self._merge(objects, ((key, item) for key, item in items if key.startswith(prefix)), report)
            self._flush()
            self.objects += len(objects)
            advance(len(objects))
            self._state.set(list_position=upto, drift=dict(self.drift), objects=self.objects)
            if upto is None:
                return
            after = upto

    def _merge(
        self, objects: list[dict[str, Any]], items: Iterator[tuple[str, dict[str, Any]]], report: Any
    ) -> None:
        """Compare a page of the listing with the items of the same range; both are in the order of their keys."""
        item = next(items, None)
        for entry in objects:
            key = entry["Key"]
            while item is not None and item[0].encode() < key.encode():
                self._compare(item[0], None, item[1], report)
                item = next(items, None)
            if item is not None and item[0] == key:
                self._compare(key, entry, item[1], report)
                item = next(items, None)
            else:
                self._compare(key, entry, None, report)
        while item is not None:
            self._compare(item[0], None, item[1], report)
            item = next(items, None)

    def _compare(
        self, key: str, entry: dict[str, Any] | None, item: dict[str, Any] | None, report: Any
    ) -> None:
        known = item is not None and item["state"] != "removed"
        if entry is None:
            if known:
                self._found("orphaned", key, item, report)
        elif item is None or not known:
            self._found("missing", key, item, report)
        elif item["etag"] != entry["ETag"].strip('"'):
            self._found("stale", key, item, report)
        elif item["state"] == "record" and (item["extractor_version"] or 0) < EXTRACTOR_VERSION:
            self._found("outdated", key, item, report)
        elif (
            self._pixels_queue_url
            and item["state"] == "record"
            and pixels_queue.wants(None, _looked_at(item))
        ):
            self.drift["unseen"] += 1
            report("unseen", key)
            if self._repair_pixels:
                self._send(
                    self._pixels_queue_url, pixels_queue.message({"image_id": key, "etag": item["etag"]})
                )

    def _found(self, kind: str, key: str, item: dict[str, Any] | None, report: Any) -> None:
        self.drift[kind] += 1
        report(kind, key)
        if self._queue_url is None:
            return
        record = {
            "eventSource": REPAIR_SOURCE,
            "eventName": f"Reconcile:{kind}",
            "revision": item["revision"] if item else None,
            "s3": {"bucket": {"name": self._bucket}, "object": {"key": quote_plus(key)}},
        }
        self._send(self._queue_url, json.dumps({"Records": [record]}))

    def _send(self, queue: str, body: str) -> None:
        waiting = self._outbox.setdefault(queue, [])
        waiting.append(body)
        if len(waiting) == _MESSAGES_PER_BATCH:
            self._flush()

    def _flush(self) -> None:
        for queue, bodies in self._outbox.items():
            entries = [{"Id": str(number), "MessageBody": body} for number, body in enumerate(bodies)]
            if not entries or self._sqs is None:
                continue
            answer = self._sqs.send_message_batch(QueueUrl=queue, Entries=entries)
            if answer.get("Failed"):
                raise ReconcileError(
                    f"the queue refused {len(answer['Failed'])} messages; run again with --resume"
                )
        self._outbox = {}

    def _counters(self) -> list[dict[str, int]]:
        return sorted(self._table.counters(), key=lambda item: str(item["image_id"]))

    def _compare_counters(self, report: Any) -> None:
        before, after = self._state.get("counters_before"), self._state.get("counters_after")
        if before != after:
            report(
                "note",
                "the catalogue was written to during the scan: counters not compared, run again when quiet",
            )
            return
        wanted: Counter[str] = Counter()
        for _, item in self._state.between("", None):
            wanted.update(item["counts"])
        held: Counter[str] = Counter()
        for counter in after:
            held.update(amounts_of(counter))
        wrong = {
            name: wanted[name] - held[name]
            for name in wanted.keys() | held.keys()
            if wanted[name] != held[name]
        }
        if not wrong:
            return
        self.drift["counters"] += 1
        report("counters", ", ".join(f"{name} {change:+d}" for name, change in sorted(wrong.items())))
        if self._queue_url is not None and not self._correct_counters(after, wrong):
            report("note", "the summary changed meanwhile: counters not corrected, run again when quiet")

    def _correct_counters(self, counters: list[dict[str, Any]], changes: dict[str, int]) -> bool:
        """Add the difference to one counter; False, and nothing is done, if one has changed since the comparison."""
        known = {counter["image_id"]: counter for counter in counters}
        operations = []
        for shard in range(self._table.counter_shards):
            condition = _unchanged(known.get(counter_id(shard)))
            if shard == 0:
                operations.append({"Update": _merged(self._table.add_to_counter(shard, changes), condition)})
            else:
                key = {"TableName": self._table.name, "Key": {"image_id": {"S": counter_id(shard)}}}
                operations.append({"ConditionCheck": key | condition})
        try:
            self._dynamodb.transact_write_items(TransactItems=operations)
        except self._dynamodb.exceptions.TransactionCanceledException:
            return False
        return True


def _unchanged(counter: dict[str, Any] | None) -> dict[str, Any]:
    if counter is None:
        return {"ConditionExpression": "attribute_not_exists(image_id)"}
    fields = {name: amount for name, amount in counter.items() if name != "image_id"}
    return {
        "ConditionExpression": " AND ".join(f"#k{n} = :k{n}" for n in range(len(fields))),
        "ExpressionAttributeNames": {f"#k{n}": name for n, name in enumerate(fields)},
        "ExpressionAttributeValues": {
            f":k{n}": {"N": str(amount)} for n, amount in enumerate(fields.values())
        },
    }


def _merged(update: dict[str, Any], condition: dict[str, Any]) -> dict[str, Any]:
    """An update on a condition; each may name attributes and values of its own."""
    both = update | condition
    for name in ("ExpressionAttributeNames", "ExpressionAttributeValues"):
        both[name] = update.get(name, {}) | condition.get(name, {})
    return both


class ReconcileError(Exception):
    """The run cannot go on; the message says what to do."""


@may_be_unread
def main(arguments: list[str] | None = None) -> int:
    """Exit code 0: in step; 1: differences found (and, with --repair, sent for repair); 2: could not compare."""
    parser = argparse.ArgumentParser(
        description=__doc__,
        epilog="exit code: 0 in step, 1 differences found (repaired or not), 2 could not compare",
    )
    parser.add_argument(
        "--bucket", required=True, help="the bucket (terraform -chdir=terraform output -raw bucket)"
    )
    parser.add_argument(
        "--table", required=True, help="the table (terraform -chdir=terraform output -raw table)"
    )
    parser.add_argument(
        "--queue-url", help="the event queue, for --repair (terraform -chdir=terraform output -raw queue_url)"
    )
    parser.add_argument(
        "--prefix",
        action="append",
        help="compare keys under this prefix; may be repeated, and '' is the whole bucket (default: uploads/)",
    )
    action = parser.add_mutually_exclusive_group()
    action.add_argument("--dry-run", action="store_true", help="report only (the default)")
    action.add_argument(
        "--repair", action="store_true", help="send what differs to the queue; correct the counters"
    )
    parser.add_argument("--resume", action="store_true", help="go on with an interrupted run")
    parser.add_argument("--state", type=Path, help="the run's file (default: .reconcile-BUCKET.sqlite)")
    parser.add_argument(
        "--search-bucket",
        help="compare the table with search as well, as tools/ops/snapshot.py does"
        " (terraform -chdir=terraform output -raw search_bucket)",
    )
    parser.add_argument(
        "--pixels-queue-url",
        help="look for images whose pixels are unknown; --repair sends them there"
        " (terraform -chdir=terraform output -raw pixels_queue_url)",
    )
    parser.add_argument("--quiet", action="store_true", help="no progress bar, no line per difference")
    parser.add_argument("--region", help="AWS region (default: as deploy.sh finds it)")
    options = parser.parse_args(arguments)
    if options.repair and not options.queue_url:
        parser.error("--repair needs --queue-url: repairs go through the event queue")

    try:
        region = options.region or find_region(os.environ)
    except AccountError as error:
        print(f"reconcile: {error}", file=sys.stderr)
        return 2
    path = options.state or Path(f".reconcile-{options.bucket}.sqlite")
    try:
        state = State(path, options.resume)
    except (sqlite3.Error, OSError) as error:
        print(f"reconcile: the run's file {path}: {error}\nName another by --state.", file=sys.stderr)
        return 2
    config = Config(retries={"mode": "adaptive", "total_max_attempts": 10})
    session = boto3.Session(region_name=region)
    clients = {name: session.client(name, config=config) for name in ("s3", "dynamodb", "sqs")}
    queue_url = options.queue_url if options.repair else None

    def report(kind: str, key: str) -> None:
        if not options.quiet:
            print(f"{kind}\t{printable_key(key)}")

    try:
        reconciler = Reconciler(
            clients,
            options.bucket,
            options.table,
            options.prefix or ["uploads/"],
            queue_url,
            state,
            options.pixels_queue_url,
            options.repair,
        )
        in_step = reconciler.run(report, options.quiet)
        if options.search_bucket:
            # With DuckDB, which nothing else here needs.
            from image_search.files import Files
            from tools.ops import snapshot

            files = Files(options.search_bucket, clients["s3"])
            compared = snapshot.compare(
                clients["dynamodb"],
                options.table,
                files,
                options.repair,
                lambda kind, key: report(f"search:{kind}", key),
                options.quiet,
            )
            in_step &= not compared.drift
    except (ReconcileError, CatalogueError, ClientError, BotoCoreError, sqlite3.Error) as error:
        code = error.response.get("Error", {}).get("Code") if isinstance(error, ClientError) else None
        wrong = _WRONG_NAMES.get(str(code))
        advice = f"Check {wrong}, and the region." if wrong else "An interrupted run goes on with --resume."
        print(f"reconcile: {with_cause(error)}\n{advice}", file=sys.stderr)
        state.close(delete=wrong is not None)
        return 2
    except BrokenPipeError:
        state.close(delete=False)
        raise
    except KeyboardInterrupt:
        state.close(delete=False)
        print("\nreconcile: interrupted; it goes on with --resume", file=sys.stderr)
        return 130
    state.close(delete=True)
    print(f"{reconciler.objects} objects compared")
    for kind, count in reconciler.drift.items():
        print(f"{count:>8} {kind}: {KINDS[kind]}")
    if in_step:
        print("The catalogue is in step with the bucket.")
        return 0
    print(
        "Sent for repair; run again to verify."
        if options.repair
        else "Run again with --repair to correct it."
    )
    return 1


if __name__ == "__main__":
    sys.exit(main())
