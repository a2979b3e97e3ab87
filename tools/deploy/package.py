"""Build the deployment package of every Lambda function, from any host, reproducibly. Standard library only.

A function's package holds its handler, the packages of ``lambdas/shared`` that ``lambdas/<name>/package.toml`` names,
and the wheels pinned in its ``requirements.txt``, whole but for what ``package.toml`` leaves out. All but the handler
is also put into ``lambdas/<name>/vendor``. A function whose inputs have not changed since the last build is left alone.
"""

from __future__ import annotations

import fnmatch
import hashlib
import json
import os
import tempfile
import tomllib
import zipfile
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import asdict
from functools import partial
from pathlib import Path
from typing import Any

from tools.deploy import wheels
from tools.deploy.files import write_json
from tools.deploy.locking import locked

ROOT = Path(__file__).resolve().parents[2]
HANDLER = "lambda_function.py"
DECLARATION = "package.toml"

# Never wanted in a package, as patterns of paths ("*" also matches "/"). Powertools brings the browser files of its
# Swagger page, 1.7 MB.
NEVER = (
    *("*.pyi", "*/py.typed", "*.dist-info/*", "bin/*", "Scripts/*"),
    *("*/swagger-ui*.js", "*/swagger-ui*.css"),
)

# What development leaves beside the sources: bytecode of another Python, what editors and file managers keep.
LEFT_BEHIND = ("*__pycache__/*", "*/.*", "*~")

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
        declared = {"leave_out": [], "keep": [], **tomllib.loads(path.read_text(encoding="utf-8"))}
        shared, leave_out, keep = lists = [declared[each] for each in ("shared", "leave_out", "keep")]
        if not all(isinstance(each, list) and all(isinstance(text, str) for text in each) for each in lists):
            raise TypeError("shared, leave_out and keep are lists of texts")
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise PackageError(
            f'{path} must name the packages of lambdas/shared that {name} imports: shared = ["..."] ({error!r})'
        ) from error
    absent = [package for package in shared if not (lambdas / "shared" / package).is_dir()]
    if absent:
        raise PackageError(f"{path} names {', '.join(absent)}, which lambdas/shared does not hold.")
    return shared, leave_out, keep


def files_in(folder: Path) -> dict[str, Path]:
    """The files below ``folder`` by their paths there."""
    return {place.relative_to(folder).as_posix(): place for place in folder.rglob("*") if place.is_file()}


def without(files: dict[str, Path], leave_out: Iterable[str], keep: Iterable[str]) -> dict[str, Path]:
    """The files to package: all but those that match a pattern of ``NEVER`` or ``leave_out``, and none of ``keep``."""

    def matches(path: str, patterns: Iterable[str]) -> bool:
        return any(fnmatch.fnmatchcase(path, each) for each in patterns)

    patterns = (*NEVER, *leave_out)
    return {
        path: place for path, place in files.items() if matches(path, keep) or not matches(path, patterns)
    }


def write_files(files: dict[str, bytes], folder: Path) -> None:
    """Write ``files`` (path below ``folder`` -> content)."""
    for path, content in files.items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_bytes(content)


def write_zip(path: Path, files: dict[str, Path]) -> None:
    """Write ``files`` (archive name -> place) to ``path``, so that equal content gives equal bytes, or not at all."""
    with tempfile.TemporaryDirectory(prefix=f".{path.name}-", dir=path.parent) as parent:
        staging = Path(parent) / path.name
        with zipfile.ZipFile(staging, "w") as archive:
            for name in sorted(files):
                entry = zipfile.ZipInfo(name, ZIP_TIME)
                entry.create_system = 3
                entry.external_attr = 0o100644 << 16
                entry.compress_type = zipfile.ZIP_DEFLATED
                archive.writestr(entry, files[name].read_bytes())
        staging.replace(path)


def build_function(
    name: str, target: wheels.Target, lambdas: Path, build: Path, cache: Path
) -> tuple[Any, bool]:
    """Build one function's ``vendor`` and zip.

    Returns its manifest entry (``inputs``, ``sha256``, ``size``) and whether anything had to be done.
    """
    folder, archive = lambdas / name, build / f"{name}.zip"
    vendor, requirements, stem = folder / "vendor", folder / "requirements.txt", Path(HANDLER).stem
    shared, leave_out, keep = read_declaration(lambdas, name)
    named = {
        path: place for path, place in files_in(lambdas / "shared").items() if path.split("/")[0] in shared
    }
    chosen = {HANDLER: folder / HANDLER} | without(named, [*leave_out, *LEFT_BEHIND], keep)
    ours = {path: chosen[path].read_bytes() for path in sorted(chosen)}  # once: they may be edited meanwhile
    inputs = wheels.digest_of(
        [
            target.key().encode(),
            *(path.read_bytes() for path in (*BUILDERS, folder / DECLARATION)),
            requirements.read_bytes() if requirements.is_file() else b"",
            *(part for path, content in ours.items() for part in (path.encode(), content)),
        ]
    )
    previous = read_manifest(build).get(name, {})
    if previous.get("inputs") == inputs and vendor.is_dir() and digest(archive) == previous.get("sha256"):
        return previous, False
    installed = without(files_in(wheels.install_wheels(requirements, target, cache)), leave_out, keep)
    with tempfile.TemporaryDirectory(prefix=".vendor-", dir=folder) as parent:
        staging = Path(parent) / "vendor"
        write_files(ours, staging)
        wheels.add_bytecode(staging, target)  # the wheels have theirs
        write_files({path: installed[path].read_bytes() for path in installed.keys() - ours.keys()}, staging)
        write_zip(archive, files_in(staging))
        # It stands beside vendor; in the zip it is with the rest.
        for place in [*staging.glob(f"{stem}.*"), *staging.glob(f"__pycache__/{stem}.*")]:
            place.unlink()
        with suppress(FileNotFoundError):
            vendor.replace(Path(parent) / "before")  # whole, or not at all where a file of it is in use
        staging.replace(vendor)
    return {"inputs": inputs, "sha256": digest(archive), "size": archive.stat().st_size}, True


def digest(file: Path) -> str | None:
    """A file's SHA-256 (hex); None where there is none."""
    return hashlib.sha256(file.read_bytes()).hexdigest() if file.is_file() else None


def read_manifest(build: Path) -> dict[str, Any]:
    """The functions of the last build's ``manifest.json``; empty when it is missing or cannot be read."""
    try:
        functions = json.loads((build / "manifest.json").read_text(encoding="utf-8"))["functions"]
        return {name: entry for name, entry in functions.items() if isinstance(entry, dict)}
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return {}


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
    waiting = partial(say, "  another build is running; waiting for it")
    # Two builds at a time would pull each other's vendor folders away.
    with locked(cache.parent / "build.lock", on_wait=waiting), ThreadPoolExecutor(os.cpu_count()) as pool:
        built = pool.map(lambda name: build_function(name, target, lambdas, build, cache), names)
        for name, (functions[name], changed) in zip(names, built, strict=True):
            size, sha256 = functions[name]["size"] / 1024, functions[name]["sha256"]
            say(
                f"  {name + '.zip':<24} {size:>8,.0f} KiB  sha256 {sha256}  {'built' if changed else 'unchanged'}"
            )
        manifest = {"target": asdict(target), "functions": functions}
        write_json(build / "manifest.json", manifest)
    return manifest
