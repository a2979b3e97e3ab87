"""Pin every requirements file, with hashes of every platform's files: ``make lock``.

Each ``NAME.in`` gives ``NAME.txt``, resolved for Python 3.11 and newer on every platform at once, so that one file
serves Lambda's Linux, and Linux, macOS and Windows for the local AWS and the tests. No index address is written.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
import sysconfig
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
OLDEST_PYTHON = "3.11"


def sources() -> list[Path]:
    """Every hand-written requirements file of the project."""
    return sorted([*ROOT.glob("requirements-*.in"), *ROOT.glob("lambdas/*/requirements.in")])


def command(uv: str, source: Path, upgrade: bool) -> list[str]:
    """The uv call that locks ``source``."""
    return [
        uv,
        "pip",
        "compile",
        "--quiet",
        "--universal",
        "--python-version",
        OLDEST_PYTHON,
        "--generate-hashes",
        "--no-annotate",
        "--no-header",
        "--no-emit-index-url",
        *(["--upgrade"] if upgrade else []),
        str(source.relative_to(ROOT)),
        "--output-file",
        str(source.with_suffix(".txt").relative_to(ROOT)),
    ]


def main(arguments: list[str]) -> int:
    """Lock all files; ``--upgrade`` also takes newer versions where the ``.in`` file leaves the choice."""
    if set(arguments) - {"--upgrade"}:
        print(f"{__doc__}\nusage: lock.py [--upgrade]", file=sys.stderr)
        return 2
    uv = shutil.which("uv", path=sysconfig.get_path("scripts"))
    if uv is None:
        print("lock.py: uv is not in this environment; run it as: make lock", file=sys.stderr)
        return 1
    for source in sources():
        print(f"Locking {source.relative_to(ROOT)}", flush=True)
        if subprocess.run(command(uv, source, "--upgrade" in arguments), cwd=ROOT, check=False).returncode:
            print(
                "lock.py: a file could not be locked; check the network and the versions named in it",
                file=sys.stderr,
            )
            return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
