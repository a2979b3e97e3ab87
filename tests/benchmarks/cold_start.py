"""What starting each function costs: processor time of its imports and clients, from the very zip, and the zip's size.

    python -m tests.benchmarks.cold_start

Lambda gives the initialisation a whole core, so these seconds are about those that a caller waits. The peer is what the
usual function begins with, `import boto3` and one client.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
import zipfile
from dataclasses import dataclass
from pathlib import Path

import boto3

from tools.deploy import package, wheels

ROOT = Path(__file__).resolve().parents[2]
ROUNDS = 5
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
package, site = sys.argv[1:]
sys.dont_write_bytecode = True
{RUNTIME}
started = time.process_time()
if package:
    sys.path.insert(0, package)
    import lambda_function
else:
    import boto3
    boto3.client("dynamodb")
print(time.process_time() - started)
"""


@dataclass(frozen=True)
class Start:
    """Seconds of processor time, those of boto3 and a client alone, and the zip's bytes."""

    seconds: float
    boto3_seconds: float
    zip_bytes: int


def start(folder: str = "") -> float:
    """One start in a fresh interpreter: of the package in `folder`, or of boto3 and a client alone."""
    site = str(Path(boto3.__file__).parents[1])
    done = subprocess.run(
        [sys.executable, "-I", "-S", "-c", START, folder, site], capture_output=True, text=True, check=True
    )
    return float(done.stdout)


def best(folder: Path, rounds: int = ROUNDS) -> tuple[float, float]:
    """The least seconds of the package's start and of boto3's, taken in turn: other work on the machine only adds."""
    starts = [(start(str(folder)), start()) for _ in range(rounds)]
    ours, alone = (min(seconds) for seconds in zip(*starts, strict=True))
    return ours, alone


def run() -> dict[str, Start]:
    """What each function's start costs; the best of several."""
    starts = {}
    with tempfile.TemporaryDirectory() as temporary:
        build = Path(temporary) / "build"
        package.build_all(wheels.host_target(), ROOT / "lambdas", build, quiet=True)
        for name in package.function_names(ROOT / "lambdas"):
            folder = Path(temporary) / name
            with zipfile.ZipFile(build / f"{name}.zip") as archive:
                archive.extractall(folder)
            starts[name] = Start(*best(folder), (build / f"{name}.zip").stat().st_size)
    return starts


def table(starts: dict[str, Start]) -> str:
    """The starts as a Markdown table."""
    lines = [
        "| function | zip KB | init, processor s | boto3 and a client alone | ours / boto3 |",
        "|---|---:|---:|---:|---:|",
    ]
    lines += [
        f"| {name} | {one.zip_bytes / 1000:,.0f} | {one.seconds:.2f} | {one.boto3_seconds:.2f} | "
        f"{one.seconds / one.boto3_seconds:.2f}x |"
        for name, one in starts.items()
    ]
    return "\n".join(lines)


if __name__ == "__main__":
    print(table(run()))
