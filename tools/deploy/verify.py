"""``deploy.sh verify``: one picture through the deployment, each step with time, log line and console link."""

from __future__ import annotations

import json
import os
import struct
import time
import urllib.error
import urllib.request
import uuid
import zlib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

from tools.deploy.account import Account
from tools.deploy.sigv4 import TIMEOUT, ApiError, exchange

WIDTH, HEIGHT = 40, 30
#: Until an event has come through, and until its log line can be read.
PATIENCE_SECONDS = 90.0
LOG_SECONDS = 20.0
POLL_SECONDS = 0.5
_SAME = ("function_", "location", "level", "cold_start")


class VerifyError(Exception):
    """A step that did not come out as it should; the text says what came instead."""


@dataclass(frozen=True)
class Step:
    """One step that came out right."""

    name: str
    seconds: float
    said: str
    log: str | None
    link: str | None


class Verifier:
    """Does the steps against the deployment of these outputs."""

    def __init__(self, account: Account, outputs: Mapping[str, Any], token: str | None = None) -> None:
        self._account = account
        self._outputs = outputs
        self._token = token
        self._functions: Mapping[str, str] = outputs["function_names"]
        prefixes = outputs.get("upload_prefixes") or ["uploads/"]
        # Unique, and the name says what it is to whoever finds it left behind.
        self.image_id = f"{prefixes[0]}verify-{uuid.uuid4().hex}.png"

    def steps(self) -> Iterator[Step]:
        """The steps, each as it is done. Raises VerifyError, ApiError; the picture is removed in any case."""
        before = self._call("GET", "/images/info")["count"]
        picture = png(WIDTH, HEIGHT)
        try:
            yield self._timed("upload", lambda: self._upload(picture), None, self._object_link())
            yield self._timed("event", self._event, "s3_file_event", self._log_link("s3_file_event"))
            yield self._timed("record", self._record, "get_image_metadata", self._item_link())
            yield self._timed(
                "summary", lambda: self._summary(before), "info_images", self._log_link("info_images")
            )
            yield self._timed("delete", self._delete, "delete_image", self._log_link("delete_image"))
        except BaseException:
            self._account.s3("DELETE", f"/{self._outputs['bucket']}/{self.image_id}")
            raise

    def _timed(self, name: str, do: Callable[[], str], function: str | None, link: str) -> Step:
        began, clock = time.time(), time.monotonic()
        said = do()
        seconds = time.monotonic() - clock
        log = self._log_line(function, began) if function else None
        return Step(name, seconds, said, log, None if self._account.endpoint else link)

    def _upload(self, picture: bytes) -> str:
        path = f"/{self._outputs['bucket']}/{self.image_id}"
        self._account.s3("PUT", path, body=picture, headers={"content-type": "image/png"})
        return f"s3:/{path} ({len(picture)} bytes)"

    def _event(self) -> str:
        def known() -> bool:
            return self._status("GET", self._path("/metadata/"))[0] == 200

        if not eventually(known, PATIENCE_SECONDS):
            raise VerifyError(
                f"no record after {PATIENCE_SECONDS:.0f} s: look at the log of {self._functions['s3_file_event']} and "
                "at the dead-letter queue (docs/operations.md, When an event fails)"
            )
        return "S3 told the queue, the queue the function, the function the table"

    def _record(self) -> str:
        record = self._call("GET", self._path("/metadata/"))
        found = (record.get("format"), record.get("width"), record.get("height"))
        if found != ("PNG", WIDTH, HEIGHT):
            raise VerifyError(f"the record says {found}, and the picture is PNG, {WIDTH} x {HEIGHT}")
        return f"GET /metadata/{self.image_id}: {record['format']}, {record['width']} x {record['height']}"

    def _summary(self, before: int) -> str:
        answer: dict[str, Any] = {}

        def counted() -> bool:
            answer.update(self._call("GET", "/images/info"))
            return int(answer["count"]) > before

        if not eventually(counted, LOG_SECONDS):
            raise VerifyError(f"the summary counts {answer['count']} images, and counted {before} before")
        return f"GET /images/info: {answer['count']} images, {answer['total_size']} bytes"

    def _delete(self) -> str:
        self._call("DELETE", self._path("/images/"))
        status, _ = self._status("GET", self._path("/metadata/"))
        if status != 404:
            raise VerifyError(f"after its deletion the record is answered with {status}, not 404")
        return f"DELETE /images/{self.image_id}: file and record are gone"

    def _path(self, route: str) -> str:
        return route + quote(self.image_id, safe="/")

    def _call(self, method: str, path: str) -> dict[str, Any]:
        status, content = self._status(method, path)
        if not 200 <= status < 300:
            raise VerifyError(
                f"{method} {path} was answered with {status}: {content[:300].decode(errors='replace')}"
            )
        answer: dict[str, Any] = json.loads(content) if content else {}
        return answer

    def _status(self, method: str, path: str) -> tuple[int, bytes]:
        """A request to the API as its ``auth`` asks for it; a refusal is an answer too."""
        url = str(self._outputs["api_url"]).rstrip("/") + path
        if self._outputs.get("auth") == "iam":
            account = self._account
            try:
                return 200, exchange(method, url, b"", "execute-api", account.region, account.credentials)
            except ApiError as error:
                return error.status, str(error).encode()
        headers = {"Authorization": f"Bearer {self._token}"} if self._token else {}
        if self._outputs.get("api_key"):
            headers["x-api-key"] = str(self._outputs["api_key"])
        request = urllib.request.Request(url, headers=headers, method=method)
        try:
            with urllib.request.urlopen(request, timeout=TIMEOUT) as answer:
                return answer.status, answer.read()
        except urllib.error.HTTPError as error:
            return error.code, error.read()
        except OSError as error:
            raise VerifyError(f"{url} does not answer: {getattr(error, 'reason', error)}") from error

    def _log_line(self, function: str, began: float) -> str | None:
        """The function's line about this step; None where it cannot be read, or not within the time."""
        found: list[str] = []

        def written() -> bool:
            answer = self._account.json(
                "logs",
                "FilterLogEvents",
                logGroupName=f"/aws/lambda/{self._functions[function]}",
                startTime=int((began - 1) * 1000),
            )
            for event in answer.get("events", []):
                text = str(event.get("message", "")).strip()
                # The lines of events name an image; those of requests are the ones since this step began.
                if self.image_id in text or (function != "s3_file_event" and '"request"' in text):
                    found.append(text)
            return bool(found)

        try:
            eventually(written, LOG_SECONDS)
        except ApiError as error:
            return f"the log could not be read: {error}"
        return _shortened(found[-1]) if found else None

    def _console(self, service: str, rest: str) -> str:
        region = self._account.region
        return f"https://{region}.console.aws.amazon.com/{service}/{rest}"

    def _object_link(self) -> str:
        key = quote(self.image_id, safe="")
        return self._console(
            "s3", f"object/{self._outputs['bucket']}?region={self._account.region}&prefix={key}"
        )

    def _log_link(self, function: str) -> str:
        group = quote(quote(f"/aws/lambda/{self._functions[function]}", safe=""), safe="").replace("%", "$")
        return self._console(
            "cloudwatch", f"home?region={self._account.region}#logsV2:log-groups/log-group/{group}"
        )

    def _item_link(self) -> str:
        key, table = quote(self.image_id, safe=""), self._outputs["table"]
        return self._console(
            "dynamodbv2",
            f"home?region={self._account.region}#edit-item?itemMode=2&pk={key}&sk=&table={table}",
        )


def _shortened(line: str) -> str:
    """A JSON log line without what is the same in every line of the function."""
    try:
        fields: dict[str, object] = json.loads(line)
    except ValueError:
        return line
    return json.dumps({name: value for name, value in fields.items() if not name.startswith(_SAME)})


def eventually(condition: Callable[[], bool], seconds: float) -> bool:
    """Whether ``condition`` comes true within so many seconds."""
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            return False
        time.sleep(POLL_SECONDS)
    return True


def png(width: int, height: int) -> bytes:
    """A PNG of one random colour: no two of these are the same object."""

    def chunk(kind: bytes, content: bytes) -> bytes:
        return (
            struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))
        )

    row = b"\0" + os.urandom(3) * width
    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    parts = [(b"IHDR", header), (b"IDAT", zlib.compress(row * height)), (b"IEND", b"")]
    return b"\x89PNG\r\n\x1a\n" + b"".join(chunk(kind, content) for kind, content in parts)


def show(steps: Iterator[Step]) -> None:
    """Print each step as it is done."""
    for step in steps:
        print(f"  ok  {step.name:8} {step.seconds:6.2f} s  {step.said}", flush=True)
        for line in (step.log, step.link):
            if line:
                print(f"                         {line}", flush=True)
