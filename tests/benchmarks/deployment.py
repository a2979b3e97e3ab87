"""How long a deployment takes: the packages, `deploy.sh` onto a local AWS, again without a change, and destroy.

What the tests last took here stands beside it, as `make test` noted it: they take longer than all benchmarks together.

python -m tests.benchmarks.deployment
"""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from tests.support.stack import ROOT, Site
from tools.deploy import package, wheels
from tools.dev import times


def run() -> dict[str, float]:
    """Seconds by step."""
    seconds: dict[str, float] = {}

    def take(name: str, step: Callable[[], object]) -> None:
        begun = time.monotonic()
        step()
        seconds[name] = time.monotonic() - begun

    with tempfile.TemporaryDirectory() as folder:
        home = Path(folder)
        site = Site(home / "site")  # builds the packages, so that the wheels are there
        take(
            "every package, built anew from wheels that are there",
            lambda: package.build_all(wheels.host_target(), ROOT / "lambdas", home / "packages", quiet=True),
        )
        site.local.start(timeout=120)
        try:
            take("deploy.sh, packages built", lambda: site.done())
            take("deploy.sh again, nothing changed", lambda: site.done())
            take("deploy.sh destroy", lambda: site.done("destroy"))
        finally:
            site.local.stop()
    return seconds


def suites() -> str:
    """What each suite last took here, as a Markdown table."""
    lines = ["| suite | seconds | on |", "|---|---:|---|"]
    return "\n".join(
        lines + [f"| `make {name}` | {took} | {day} |" for name, (took, day) in times.read().items()]
    )


def table(seconds: dict[str, float]) -> str:
    """The steps as a Markdown table."""
    lines = ["| step | seconds |", "|---|---:|"]
    return "\n".join(lines + [f"| {name} | {each:.0f} |" for name, each in seconds.items()])


if __name__ == "__main__":
    print(table(run()), suites(), sep="\n\n")
