"""A deployment on a local AWS of its own, made by the very scripts a user runs."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import time
import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar
from urllib.parse import quote, quote_plus

import boto3
import duckdb
import requests
from botocore.config import Config

from tests.events import load
from tests.support.packages import built_packages
from tools.deploy.terraform import Terraform
from tools.dev.local_aws import LocalAws, free_port

ROOT = Path(__file__).resolve().parents[2]
#: Settings that leave out the half of the resources that many a test has nothing to do with.
SMALL = {f"TF_VAR_{part}": "false" for part in ("gallery", "monitoring", "previews", "search")}
#: Lambda makes a function's log group when it writes a late line, also after `destroy`.
LEFT_OVER = tuple(f"/aws/lambda/image-metadata-local-{name}" for name in ("info_images", "s3_file_event"))
T = TypeVar("T")
WAIT_SECONDS = 60.0
POLL_SECONDS = 0.1


def eventually(condition: Callable[[], T], what: str, seconds: float = WAIT_SECONDS) -> T:
    """Return the first true value of ``condition``; fails naming ``what`` and the last value after ``seconds``."""
    deadline = time.monotonic() + seconds
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() > deadline:
            raise AssertionError(f"not within {seconds:.0f} s: {what}; last seen: {value!r}")
        time.sleep(POLL_SECONDS)


def unique(name: str) -> str:
    """An image id that nothing has; ``name`` is its last part."""
    return f"uploads/{uuid.uuid4().hex[:8]}/{name}"


def path_of(image_id: str) -> str:
    """An image id as a path for the API."""
    return quote(image_id, safe="/")


class Site:
    """A local AWS with a directory for one deployment; ``deploy`` makes it a ``Stack``."""

    def __init__(self, home: Path, local: Any = None) -> None:
        """``local`` takes the place of the local AWS: another emulator, with the methods of `MotoAws`."""
        self.home = home
        self.local = local or LocalAws(home / "aws", free_port(), libraries=_duckdb_alone(home / "libraries"))
        clean = {
            name: value for name, value in os.environ.items() if not name.startswith(("AWS_", "TF_VAR_"))
        }
        self.environment = {
            **clean,
            **self.local.environment(),
            "DEPLOY_DIR": str(home / "deploy"),
            "PYTHON": sys.executable,
            "HOME": str(home),
            "TF_VAR_pixels": "off",  # as AWS has it
        }
        shutil.copytree(built_packages(), home / "deploy" / "build")

    @property
    def endpoint(self) -> str:
        """The URL of this local AWS."""
        return self.environment["AWS_ENDPOINT_URL"]

    @property
    def terraform(self) -> Terraform:
        """Terraform on this deployment's state."""
        deploy_dir = Path(self.environment["DEPLOY_DIR"])
        return Terraform(self.environment, deploy_dir / "terraform.tfstate", deploy_dir / "terraform")

    def variable_file(self) -> str:
        """The variable file ``deploy.sh`` used, as Terraform's option."""
        return f"-var-file={Path(self.environment['DEPLOY_DIR']) / 'variables.json'}"

    def deploy_script(self, *arguments: str, **variables: str) -> subprocess.CompletedProcess[str]:
        """Run ``deploy.sh`` onto this local AWS."""
        return subprocess.run(
            ["sh", str(ROOT / "deploy.sh"), *arguments],
            env={**self.environment, **variables},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
        )

    def done(self, *arguments: str, **variables: str) -> subprocess.CompletedProcess[str]:
        """Run ``deploy.sh``, which has to end well."""
        ended = self.deploy_script(*arguments, "-no-color", **variables)
        assert ended.returncode == 0, f"deploy.sh failed:\n{ended.stdout[-4000:]}\n{ended.stderr[-4000:]}"
        return ended

    def deploy(self, *options: str, **variables: str) -> Stack:
        """Deploy by script and return what there is to use."""
        said = self.done(*options, **variables).stdout
        return Stack(self, self.terraform.outputs(), said)

    def destroy_by_terraform(self) -> None:
        """Run plain ``terraform destroy``, which has to end well."""
        done = self.terraform.capture(
            "destroy", "-auto-approve", "-input=false", "-no-color", self.variable_file()
        )
        assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-3000:]

    def client(self, service: str, key: str = "test", secret: str = "test", read_timeout: int = 60) -> Any:
        """A boto3 client of this local AWS; root unless told otherwise."""
        return boto3.client(
            service,
            endpoint_url=self.endpoint,
            region_name="us-east-1",
            aws_access_key_id=key,
            aws_secret_access_key=secret,
            config=Config(
                s3={"addressing_style": "path"}, retries={"max_attempts": 2}, read_timeout=read_timeout
            ),
        )

    def inventory(self) -> dict[str, list[str]]:
        """What this account holds, by kind; empty kinds are left out."""
        held = {
            "buckets": [item["Name"] for item in self.client("s3").list_buckets()["Buckets"]],
            "tables": self.client("dynamodb").list_tables()["TableNames"],
            "queues": self.client("sqs").list_queues().get("QueueUrls", []),
            "functions": [
                item["FunctionName"] for item in self.client("lambda").list_functions()["Functions"]
            ],
            "APIs": [item["name"] for item in self.client("apigateway").get_rest_apis()["items"]],
            "API keys": [item["name"] for item in self.client("apigateway").get_api_keys()["items"]],
            "usage plans": [item["name"] for item in self.client("apigateway").get_usage_plans()["items"]],
            "roles": [item["RoleName"] for item in self.client("iam").list_roles()["Roles"]],
            "log groups": [
                item["logGroupName"] for item in self.client("logs").describe_log_groups()["logGroups"]
            ],
            "event sources": [
                item["UUID"]
                for item in self.client("lambda").list_event_source_mappings()["EventSourceMappings"]
            ],
        }
        return {kind: names for kind, names in held.items() if names}


def _duckdb_alone(folder: Path) -> Path:
    """A folder that holds this environment's DuckDB and nothing else."""
    folder.mkdir(parents=True, exist_ok=True)
    package = Path(duckdb.__file__).parent
    # Its metadata too: DuckDB asks for its own version there.
    for found in (package, *package.parent.glob("_duckdb.*"), *package.parent.glob("duckdb-*.dist-info")):
        (folder / found.name).symlink_to(found)
    return folder


@dataclass
class Stack:
    """A deployed API: its outputs, clients, and the few calls every test makes."""

    site: Site
    outputs: Mapping[str, Any]
    said: str
    session: requests.Session = field(default_factory=requests.Session)

    def __post_init__(self) -> None:
        self.session.trust_env = False
        self.s3 = self.site.client("s3")
        self.sqs = self.site.client("sqs")
        self.dynamodb = self.site.client("dynamodb")

    def _repr_pretty_(self, printer: Any, cycle: bool) -> None:
        """How Hypothesis writes it, which else writes out all fields of a dataclass."""
        printer.text(f"the deployment at {self.url}")

    @property
    def url(self) -> str:
        """The API's address, without a slash at its end."""
        return str(self.outputs["api_url"]).rstrip("/")

    @property
    def key(self) -> str:
        """The API key; empty where the API asks for none."""
        return str(self.outputs.get("api_key") or "")

    @property
    def bucket(self) -> str:
        """The bucket's name."""
        return str(self.outputs["bucket"])

    def call(self, method: str, path: str, key: str | None = "", **options: Any) -> requests.Response:
        """Send a request with the API key (another ``key``, or None for none)."""
        headers = dict(options.pop("headers", {}))
        if key is not None:
            headers.setdefault("x-api-key", key or self.key)
        options.setdefault("timeout", 60)
        options.setdefault("allow_redirects", False)
        return self.session.request(method, self.url + path, headers=headers, **options)

    def get(self, path: str, **options: Any) -> requests.Response:
        """GET ``path`` of the API."""
        return self.call("GET", path, **options)

    def put(self, image_id: str, body: bytes, content_type: str = "application/octet-stream") -> str:
        """Put an object into the bucket as a user of S3 would; returns its ETag without quotes."""
        answer = self.s3.put_object(Bucket=self.bucket, Key=image_id, Body=body, ContentType=content_type)
        return str(answer["ETag"]).strip('"')

    def record(self, image_id: str) -> requests.Response:
        """GET the metadata of one image."""
        return self.get(f"/metadata/{path_of(image_id)}")

    def listed(self, limit: int = 100, **query: Any) -> list[str]:
        """The ids of the whole list, page by page."""
        found: list[str] = []
        wanted: dict[str, Any] = {"limit": limit, **query}
        while True:
            answer = self.get("/metadata", params=wanted)
            assert answer.status_code == 200, answer.text
            page = answer.json()
            found += [item["image_id"] for item in page["items"]]
            if "next_cursor" not in page:
                return found
            wanted["cursor"] = page["next_cursor"]

    def indexed(self, image_id: str, etag: str, seconds: float = WAIT_SECONDS) -> dict[str, Any]:
        """Wait until the API knows this version of the image; returns the record."""

        def known() -> dict[str, Any] | None:
            answer = self.record(image_id)
            assert answer.status_code in (200, 404), f"{image_id}: {answer.status_code} {answer.text}"
            record = answer.json() if answer.status_code == 200 else {}
            return record if str(record.get("etag", "")).strip('"') == etag else None

        record = eventually(known, f"{image_id} indexed", seconds)
        assert record is not None
        return record

    def put_and_wait(
        self, image_id: str, body: bytes, content_type: str = "application/octet-stream"
    ) -> dict[str, Any]:
        """Put an object and wait for its record."""
        return self.indexed(image_id, self.put(image_id, body, content_type))

    def gone(self, image_id: str, seconds: float = WAIT_SECONDS) -> None:
        """Wait until the API answers 404 for the image."""
        eventually(lambda: self.record(image_id).status_code == 404, f"{image_id} gone", seconds)

    def event(
        self, image_id: str, name: str = "ObjectCreated:Put", sequencer: str = "F" * 32, **described: Any
    ) -> dict[str, Any]:
        """The record of an S3 event about an object of the bucket; ``described`` are members of its object."""
        (record,) = load("s3_created")["Records"]
        record["eventName"] = name
        record["s3"]["bucket"] |= {"name": self.bucket, "arn": f"arn:aws:s3:::{self.bucket}"}
        key = quote_plus(image_id, safe="/")
        record["s3"]["object"] |= {"key": key, "sequencer": sequencer, **described}
        return dict(record)

    def found(self, **asked: Any) -> list[dict[str, Any]]:
        """All that search finds, page after page."""
        items: list[dict[str, Any]] = []
        while True:
            answer = self.call("POST", "/search", json={"limit": 1000, "sortby": "image_id"} | asked)
            assert answer.status_code == 200, answer.text
            page = answer.json()
            items += page["items"]
            if "next_cursor" not in page:
                return items
            asked["cursor"] = page["next_cursor"]

    def invoke(self, function: str, payload: dict[str, Any]) -> dict[str, Any]:
        """Invoke a function by itself; what it returns, or `FunctionError` and what was said."""
        answer = self.site.client("lambda").invoke(
            FunctionName=self.outputs["function_names"][function], Payload=json.dumps(payload)
        )
        said = json.loads(answer["Payload"].read())
        return {"FunctionError": said} if "FunctionError" in answer else said

    def send(self, *records: dict[str, Any]) -> None:
        """Send S3 event records to the queue, as S3 would, in one message."""
        self.sqs.send_message(
            QueueUrl=self.outputs["queue_url"], MessageBody=json.dumps({"Records": list(records)})
        )

    def messages(self, which: str) -> int:
        """How many messages a queue (``queue_url`` or ``dead_letter_queue_url``) holds, in flight included."""
        names = [
            "ApproximateNumberOfMessages",
            "ApproximateNumberOfMessagesNotVisible",
            "ApproximateNumberOfMessagesDelayed",
        ]
        found = self.sqs.get_queue_attributes(QueueUrl=self.outputs[which], AttributeNames=names)[
            "Attributes"
        ]
        return sum(int(found.get(name, 0)) for name in names)

    def drained(self, seconds: float = WAIT_SECONDS) -> None:
        """Wait until every event has been handled."""
        eventually(lambda: self.messages("queue_url") == 0, "the queue is empty", seconds)
