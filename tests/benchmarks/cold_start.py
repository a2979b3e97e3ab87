"""What starting each function costs: processor time of its imports and clients, from the very zip, and the zip's size.

    python -m tests.benchmarks.cold_start

Lambda gives the initialisation a whole core, so these seconds are about those that a caller waits. The peer is what the
usual function begins with, `import boto3` and one client. The functions that only read also answer a first request,
with a local AWS that holds one image; the peer reads its item.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import boto3

from image_catalogue.catalogue import Catalogue
from image_events.events import Job
from image_events.indexer import Indexer
from tests.benchmarks import write_path
from tests.contract.declared import declared_table
from tests.events import load
from tests.support.packages import built_packages
from tools.deploy import package

ROOT = Path(__file__).resolve().parents[2]
ROUNDS = 10
IMAGE = "uploads/cat.jpg"
#: The functions that only read, and the route of their first request.
READS = {
    "get_image": "/images/file/{image_id+}",
    "get_image_metadata": "/metadata/{image_id+}",
    "info_images": "/images/info",
}
#: How long their start may take, in the time of boto3 and a client.
MOST_OF_BOTO3 = 1.25
#: Makes what Lambda's runtime brings importable from the folder `site`, and nothing else of it.
RUNTIME = """
import importlib.machinery, os, sys
class Runtime:
    @staticmethod
    def find_spec(name, path=None, target=None):
        if name in ("boto3", "botocore", "s3transfer", "jmespath", "urllib3", "dateutil", "six"):
            return importlib.machinery.PathFinder.find_spec(name, [site])
sys.meta_path.append(Runtime)
os.environ |= {"AWS_LAMBDA_FUNCTION_NAME": "function", "AWS_DEFAULT_REGION": "us-east-1"}
"""
#: Lambda's file system is read-only: without bytecode in the package, every start compiles anew.
START = f"""
import sys, time
package, site, event = sys.argv[1:]
sys.dont_write_bytecode = True
{RUNTIME}
started = time.process_time()
if package:
    sys.path.insert(0, package)
    import lambda_function
else:
    import boto3
    client = boto3.client("dynamodb")
begun = time.process_time()
if event and package:
    import json
    class Context:
        function_name, memory_limit_in_mb, aws_request_id = "function", 1024, "1"
        invoked_function_arn = "arn:aws:lambda:us-east-1:123456789012:function:function"
        get_remaining_time_in_millis = staticmethod(lambda: 30_000)
    answer = lambda_function.lambda_handler(json.loads(event), Context())
    assert answer["statusCode"] == 200, answer
elif event:
    assert client.get_item(TableName=os.environ["TABLE_NAME"], Key={{"image_id": {{"S": "{IMAGE}"}}}})["Item"]
print(begun - started, time.process_time() - started)
"""


@dataclass(frozen=True)
class Start:
    """Seconds of processor time of a function and of boto3 and a client alone, and the zip's bytes."""

    seconds: float
    boto3_seconds: float
    zip_bytes: int
    #: With the first request; of functions that only read.
    with_request: tuple[float, float] | None = None


def start(folder: str = "", event: str = "") -> tuple[float, float]:
    """One start in a fresh interpreter: of the package in `folder`, or of boto3 and a client alone.

    Returns the seconds of the initialisation, and those with a first request, which `event` is.
    """
    site = str(Path(boto3.__file__).parents[1])
    done = subprocess.run(
        [sys.executable, "-I", "-S", "-c", START, folder, site, event],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-2000:]
    begun, answered = map(float, done.stdout.splitlines()[-1].split())  # after what the function logged
    return begun, answered


def best(folder: Path, event: str = "") -> list[tuple[float, float]]:
    """The least seconds of the package's start and of boto3's, without and with the first request.

    They are taken in turn: other work on the machine only adds.
    """
    starts = [(start(str(folder), event), start(event=event)) for _ in range(ROUNDS)]
    return [(min(ours[i] for ours, _ in starts), min(alone[i] for _, alone in starts)) for i in (0, 1)]


def event_of(resource: str) -> str:
    """API Gateway's event for a GET of the image by this route."""
    event = load("rest_get")
    event |= {"resource": resource, "path": resource.replace("{image_id+}", IMAGE)}
    event["pathParameters"] = {"image_id": IMAGE} if "{" in resource else None
    event["requestContext"]["resourcePath"] = resource
    return json.dumps(event)


@contextmanager
def one_image() -> Iterator[None]:
    """A local AWS that holds one image, and the settings of the functions that read it."""
    with write_path.local_aws():
        settings = {
            "TABLE_NAME": write_path.TABLE,
            "BUCKET_NAME": write_path.BUCKET,
            "AWS_REGION": "us-east-1",
        }
        os.environ.update(settings)
        s3, dynamodb = write_path.fresh("s3"), write_path.fresh("dynamodb")
        s3.create_bucket(Bucket=write_path.BUCKET)
        s3.put_object(Bucket=write_path.BUCKET, Key=IMAGE, Body=write_path.photograph(1))
        dynamodb.create_table(**declared_table() | {"TableName": write_path.TABLE})
        catalogue = Catalogue(write_path.TABLE, client=dynamodb)
        indexer = Indexer(s3, catalogue, write_path.BUCKET, ("uploads/",))
        indexer.process(Job(write_path.BUCKET, IMAGE, "ObjectCreated:Put"))
        yield


def run() -> dict[str, Start]:
    """What each function's start costs; the best of several."""
    starts = {}
    with tempfile.TemporaryDirectory() as temporary, one_image():
        build = built_packages()
        for name in package.function_names(ROOT / "lambdas"):
            folder = Path(temporary) / name
            with zipfile.ZipFile(build / f"{name}.zip") as archive:
                archive.extractall(folder)
            event = event_of(READS[name]) if name in READS else ""
            init, answered = best(folder, event=event)
            size = (build / f"{name}.zip").stat().st_size
            starts[name] = Start(*init, size, answered if event else None)
    return starts


def slow(starts: dict[str, Start]) -> list[str]:
    """The functions that only read and take longer to start than they may."""
    return [name for name in READS if starts[name].seconds > MOST_OF_BOTO3 * starts[name].boto3_seconds]


def table(starts: dict[str, Start]) -> str:
    """The starts as a Markdown table."""
    lines = [
        "| function | zip KB | init, processor s | boto3 and a client alone | ours / boto3 "
        "| with the first request | boto3 with its first request |",
        "|---|---:|---:|---:|---:|---:|---:|",
    ]
    for name, one in starts.items():
        first = " | ".join(f"{seconds:.2f}" for seconds in one.with_request) if one.with_request else " | "
        lines.append(
            f"| {name} | {one.zip_bytes / 1000:,.0f} | {one.seconds:.2f} | {one.boto3_seconds:.2f} | "
            f"{one.seconds / one.boto3_seconds:.2f}x | {first} |"
        )
    return "\n".join(lines)


if __name__ == "__main__":
    print(table(run()))
