"""The functions' packages for this machine, built once for all suites and runs; built anew is what has changed."""

from pathlib import Path

from tools.deploy import package, wheels

ROOT = Path(__file__).resolve().parents[2]
BUILT = ROOT / ".local" / "test-packages"


def built_packages() -> Path:
    """The folder that holds each function's zip and the manifest."""
    package.build_all(wheels.host_target(), ROOT / "lambdas", BUILT, quiet=True)
    return BUILT
