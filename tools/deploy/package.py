"""Build the deployment package of every Lambda function, from any host, reproducibly. Standard library only.

A function's package holds its handler, the packages of ``lambdas/shared`` that ``lambdas/<name>/package.toml`` names,
and the wheels pinned in its ``requirements.txt``, whole but for what ``package.toml`` leaves out. All but the handler
is also put into ``lambdas/<name>/vendor``. A function whose inputs have not changed since the last build is left alone.
"""

from __future__ import annotations

import argparse
import fnmatch
import hashlib
import json
import os
import shutil
import sys
import tempfile
import tomllib
import zipfile
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict
from pathlib import Path
from typing import Any

from tools.deploy import wheels
from tools.deploy.locking import locked
from tools.deploy.pip import PipError

ROOT = Path(__file__).resolve().parents[2]
HANDLER = "lambda_function.py"
DECLARATION = "package.toml"

# Never wanted in a package, as patterns of paths ("*" also matches "/"). Powertools brings the browser files of its
# Swagger page, 1.7 MB.
NEVER = (
    *("*.pyi", "*/py.typed", "*.dist-info/*", "bin/*", "Scripts/*"),
    *("*/swagger-ui*.js", "*/swagger-ui*.css"),
)

# Bytecode that development left beside the sources: of another Python, and checked against their times.
STALE = "*__pycache__/*"

ZIP_TIME = (1980, 1, 1, 0, 0, 0)

#: What makes a package: where it changes, all are built anew.
BUILDERS = (Path(__file__), Path(__file__).with_name("wheels.py"))


class PackageError(Exception):
    """A build that cannot go on; the text says what to do about it."""


def function_names(lambdas: Path) -> list[str]:
    """The functions there are: folders of ``lambdas`` that hold a handler."""
    return sorted(path.parent.name for path in lambdas.glob(f"*/{HANDLER}"))


def read_declaration(lambdas: Path, name: str) -> tuple[list[str], list[str], list[str]]:
    """The shared packages that function ``name`` brings; patterns of what it leaves out, and of what stays though."""
    path = lambdas / name / DECLARATION
    try:
        declared = tomllib.loads(path.read_text(encoding="utf-8"))
        shared, leave_out, keep = declared["shared"], declared.get("leave_out", []), declared.get("keep", [])
    except (OSError, tomllib.TOMLDecodeError, KeyError) as error:
        raise PackageError(
            f'{path} must name the packages of lambdas/shared that {name} imports: shared = ["..."] ({error!r})'
        ) from error
    absent = [package for package in shared if not (lambdas / "shared" / package).is_dir()]
    if absent:
        raise PackageError(f"{path} names {', '.join(absent)}, which lambdas/shared does not hold.")
    return shared, leave_out, keep


def files_below(root: Path, folder: str, leave_out: list[str], keep: list[str]) -> Iterator[tuple[str, Path]]:
    """The files to package below ``root/folder``: path relative to ``root``, and place."""

    def matches(path: str, patterns: Iterable[str]) -> bool:
        return any(fnmatch.fnmatchcase(path, each) for each in patterns)

    for place in sorted((root / folder).rglob("*")):
        path = place.relative_to(root).as_posix()
        if place.is_file() and (matches(path, keep) or not matches(path, (*NEVER, *leave_out))):
            yield path, place


def with_bytecode(files: dict[str, bytes], target: wheels.Target) -> dict[str, bytes]:
    """``files`` (relative path -> content) and their bytecode, where this Python can make it."""
    if not target.is_host_python():
        return files
    with tempfile.TemporaryDirectory() as folder:
        write_tree(Path(folder), files)
        wheels.add_bytecode(Path(folder), target)
        compiled = Path(folder).rglob("*.pyc")
        return files | {path.relative_to(folder).as_posix(): path.read_bytes() for path in compiled}


def write_tree(folder: Path, files: dict[str, bytes]) -> None:
    """Write ``files`` (relative path -> content) below ``folder``."""
    for path, content in files.items():
        place = folder / path
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_bytes(content)


def replace_tree(target: Path, files: dict[str, bytes]) -> None:
    """Make ``target`` hold exactly ``files`` (relative path -> content), by way of a temporary neighbour."""
    with tempfile.TemporaryDirectory(prefix=f".{target.name}-", dir=target.parent) as parent:
        staging = Path(parent) / target.name
        write_tree(staging, files)
        shutil.rmtree(target, ignore_errors=True)
        staging.replace(target)


def write_zip(path: Path, files: dict[str, bytes]) -> None:
    """Write ``files`` (archive name -> content) to ``path`` so that equal content gives equal bytes."""
    with tempfile.TemporaryDirectory(prefix=f".{path.name}-", dir=path.parent) as parent:
        staging = Path(parent) / path.name
        with zipfile.ZipFile(staging, "w") as archive:
            for name in sorted(files):
                entry = zipfile.ZipInfo(name, ZIP_TIME)
                entry.create_system = 3
                entry.external_attr = 0o100644 << 16
                entry.compress_type = zipfile.ZIP_DEFLATED
                archive.writestr(entry, files[name])
        staging.replace(path)


def build_function(
    name: str, target: wheels.Target, lambdas: Path, build: Path, cache: Path
) -> tuple[Any, bool]:
    """Build one function's ``vendor`` and zip.

    Returns its manifest entry (``inputs``, ``sha256``, ``size``) and whether anything had to be done.
    """
    folder, archive = lambdas / name, build / f"{name}.zip"
    shared, leave_out, keep = read_declaration(lambdas, name)
    ours = {HANDLER: (folder / HANDLER).read_bytes()}
    for package in shared:
        ours |= {
            path: place.read_bytes()
            for path, place in files_below(lambdas / "shared", package, [*leave_out, STALE], keep)
        }
    requirements = folder / "requirements.txt"
    inputs = wheels.digest_of(
        [
            target.key().encode(),
            *(path.read_bytes() for path in (*BUILDERS, folder / DECLARATION)),
            requirements.read_bytes() if requirements.is_file() else b"",
            *(part for path, content in ours.items() for part in (path.encode(), content)),
        ]
    )
    previous = read_manifest(build).get(name, {})
    if (
        previous.get("inputs") == inputs
        and (folder / "vendor").is_dir()
        and archive.is_file()
        and hashlib.sha256(archive.read_bytes()).hexdigest() == previous.get("sha256")
    ):
        return previous, False
    installed = files_below(wheels.install_wheels(requirements, target, cache), "", leave_out, keep)
    content = {path: place.read_bytes() for path, place in installed} | with_bytecode(ours, target)
    handler = Path(HANDLER).stem  # lambda_function.py and its bytecode
    vendored = {path: data for path, data in content.items() if Path(path).name.partition(".")[0] != handler}
    replace_tree(folder / "vendor", vendored)
    write_zip(archive, content)
    data = archive.read_bytes()
    return {"inputs": inputs, "sha256": hashlib.sha256(data).hexdigest(), "size": len(data)}, True


def read_manifest(build: Path) -> dict[str, Any]:
    """The functions of the last build's ``manifest.json``; empty when it is missing or cannot be read."""
    try:
        functions = json.loads((build / "manifest.json").read_text(encoding="utf-8"))["functions"]
    except (OSError, ValueError, KeyError, TypeError):
        return {}
    return functions if isinstance(functions, dict) else {}


def build_all(
    target: wheels.Target,
    lambdas: Path,
    build: Path,
    quiet: bool = False,
    cache: Path = ROOT / ".local" / "wheels",
) -> dict[str, Any]:
    """Build every function for ``target`` into ``build`` and return the manifest that was written there."""
    names = function_names(lambdas)
    if not names:
        raise PackageError(f"No {HANDLER} below {lambdas}: is this a complete clone?")
    say = (lambda _: None) if quiet else (lambda line: print(line, flush=True))
    build.mkdir(parents=True, exist_ok=True)
    functions = {}
    say(f"Building {len(names)} functions for {target.label()}")
    if not target.is_host_python():
        say(
            f"  without bytecode, which only {target.runtime} makes for it: with that Python functions start faster"
        )
    # Two builds at a time would pull each other's vendor folders away.
    with locked(cache.parent / "build.lock"), ThreadPoolExecutor(os.cpu_count()) as pool:
        built = pool.map(lambda name: build_function(name, target, lambdas, build, cache), names)
        for name, (functions[name], changed) in zip(names, built, strict=True):
            size, digest = functions[name]["size"] / 1024, functions[name]["sha256"]
            say(
                f"  {name + '.zip':<24} {size:>8,.0f} KiB  sha256 {digest}  {'built' if changed else 'unchanged'}"
            )
        manifest = {"target": asdict(target), "functions": functions}
        staging = build / ".manifest.json.new"
        staging.write_text(json.dumps(manifest, indent=2, sort_keys=True) + "\n", encoding="utf-8")
        staging.replace(build / "manifest.json")
    return manifest


def parse_arguments(arguments: list[str] | None) -> argparse.Namespace:
    """Read the command line of ``build.sh``."""
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
        "--output", type=Path, default=ROOT / "build", help="where the zips go (default build/)"
    )
    parsed = parser.parse_args(arguments)
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
        build_all(wheels.host_target() if options.local else target, ROOT / "lambdas", options.output)
    except (PackageError, PipError, TimeoutError) as error:
        print(f"build.sh: {error}", file=sys.stderr)
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
