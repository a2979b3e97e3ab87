"""The command line of ``build.sh``. Standard library only."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from tools.deploy import wheels
from tools.deploy.package import ROOT, PackageError, build_all
from tools.deploy.pip import PipError


def parse_arguments(arguments: list[str] | None) -> argparse.Namespace:
    """What to build and where to; ends the program where that makes no sense."""
    parser = argparse.ArgumentParser(
        prog="build.sh", description="Vendor and zip every Lambda function into build/."
    )
    parser.add_argument(
        "--local", action="store_true", help="build for this host's Python, as the local AWS needs"
    )
    parser.add_argument(
        "--runtime",
        choices=sorted(wheels.GLIBC_MINOR),
        help=f"Lambda runtime (default {wheels.DEFAULT_RUNTIME})",
    )
    parser.add_argument(
        "--arch",
        choices=sorted(wheels.ARCHITECTURES),
        help=f"Lambda architecture (default {wheels.DEFAULT_ARCHITECTURE})",
    )
    parser.add_argument(
        "--output",
        default=ROOT / "build",
        help="where the zips go, seen from the repository (default build/)",
    )
    parsed = parser.parse_args(arguments)
    if not parsed.output:
        parser.error("--output names no folder")
    if parsed.local and (parsed.runtime or parsed.arch):
        parser.error("--local builds for this host; it takes no --runtime and no --arch")
    return parsed


def main(arguments: list[str] | None = None) -> int:
    """Run the build; 0 when every zip is there, 1 with a message on standard error otherwise."""
    options = parse_arguments(arguments)
    target = wheels.Target(
        options.runtime or wheels.DEFAULT_RUNTIME, options.arch or wheels.DEFAULT_ARCHITECTURE
    )
    try:
        build_all(wheels.host_target() if options.local else target, ROOT / "lambdas", Path(options.output))
    except (PackageError, PipError, TimeoutError) as error:
        print(f"build.sh: {error}", file=sys.stderr)
        return 1
    except BrokenPipeError:  # whoever read has seen enough: `build.sh | head`
        return 1
    except OSError as error:
        print(
            f"build.sh: {error}. Check free disk space and that the folder can be written.", file=sys.stderr
        )
        return 1
    except KeyboardInterrupt:
        print("\nbuild.sh: interrupted; run it again to go on", file=sys.stderr)
        return 130
    return 0


if __name__ == "__main__":
    sys.exit(main())
