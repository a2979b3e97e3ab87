"""How long a deployment takes: the packages, `deploy.sh` onto a local AWS, again without a change, and destroy.

python -m tests.benchmarks.deployment
"""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from tests.support.stack import ROOT, Site
from tools.deploy import package, wheels


def run() -> dict[str, float]:
    """Seconds by step."""
    seconds: dict[str, float] = {}

    def timed(name: str, step: Callable[[], object]) -> None:
        begun = time.monotonic()
        step()
        seconds[name] = time.monotonic() - begun

    with tempfile.TemporaryDirectory() as folder:
        home = Path(folder)
        site = Site(home / "site")  # builds the packages, so that the wheels are there
        timed(
            "every package, built anew from wheels that are there",
            lambda: package.build_all(wheels.host_target(), ROOT / "lambdas", home / "packages", quiet=True),
        )
        site.local.start(timeout=120)
        try:
            timed("deploy.sh, packages built", lambda: site.done())
            timed("deploy.sh again, nothing changed", lambda: site.done())
            timed("deploy.sh destroy", lambda: site.done("destroy"))
        finally:
            site.local.stop()
    return seconds


def table(seconds: dict[str, float]) -> str:
    """The steps as a Markdown table."""
    lines = ["| step | seconds |", "|---|---:|"]
    return "\n".join(lines + [f"| {name} | {each:.0f} |" for name, each in seconds.items()])


if __name__ == "__main__":
    print(table(run()))
