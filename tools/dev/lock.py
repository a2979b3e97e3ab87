"""Pin what pyproject.toml's dependency groups name, with the hashes of every platform's files: ``make lock``.

One resolution of all groups decides the versions, for Python 3.11 and newer on every platform at once; each file below
``requirements/`` and each function's ``requirements.txt`` is an export of it, so they agree. pip installs them: neither
who deploys nor who develops needs uv beforehand. There is no uv.lock, because it records the package index's address.
"""

from __future__ import annotations

import argparse
import hashlib
import re
import shutil
import subprocess
import sys
import sysconfig
import tomllib
from collections import defaultdict
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tools.deploy.package import function_names

ROOT = Path(__file__).resolve().parents[2]
OLDEST_PYTHON = "3.11"
# What every function has; a function's own group, called as its folder, adds to it.
COMMON_GROUP = "functions"
DEVELOPMENT_GROUP = "dev"
# Resolved by itself: its tools pin old versions of libraries that the others share, and run in an environment apart.
GROUP_APART = "audit"


class LockError(Exception):
    """Requirements cannot be pinned; the text says what to do about it."""


@dataclass(frozen=True)
class Export:
    """A requirements file and the dependency groups whose pins it holds."""

    path: Path
    groups: tuple[str, ...]

    def header(self, groups: dict[str, list[Any]], pins: str) -> str:
        """The first line: where the file comes from, and a digest by which a change of either side is found."""
        wanted = [requirement for name in self.groups for requirement in requirements(groups, name)]
        digest = hashlib.sha256("\n".join([*sorted(wanted), pins]).encode()).hexdigest()
        return f"# By `make lock` from pyproject.toml: {', '.join(self.groups)}; sha256 {digest}\n"

    def read(self) -> tuple[str, str]:
        """The header and the pins as they stand; both empty when the file is missing."""
        if not self.path.is_file():
            return "", ""
        header, _, pins = self.path.read_text(encoding="utf-8").partition("\n")
        return header + "\n", pins


def read_groups(root: Path) -> dict[str, list[Any]]:
    """The dependency groups of ``root``'s pyproject.toml."""
    with open(root / "pyproject.toml", "rb") as stream:
        groups: dict[str, list[Any]] = tomllib.load(stream)["dependency-groups"]
    return groups


def requirements(groups: dict[str, list[Any]], name: str) -> list[str]:
    """What group ``name`` asks for, the groups it includes among it."""
    found = []
    for entry in groups[name]:
        found += [entry] if isinstance(entry, str) else requirements(groups, entry["include-group"])
    return found


def exports(root: Path) -> list[Export]:
    """Every file to write: one per function, and one per group that belongs to no function.

    The development environment also has what the functions have, so that tests run with the deployed versions.
    """
    groups = read_groups(root)
    functions = function_names(root / "lambdas")
    own = [name for name in functions if name in groups]
    found = []
    for name in functions:
        more = (name,) if name in own else ()
        found.append(Export(root / "lambdas" / name / "requirements.txt", (COMMON_GROUP, *more)))
    for name in sorted(groups.keys() - {COMMON_GROUP, *own}):
        more = (COMMON_GROUP, *own) if name == DEVELOPMENT_GROUP else ()
        found.append(Export(root / "requirements" / f"{name}.txt", (name, *more)))
    return found


def problems(root: Path) -> list[str]:
    """What is wrong with the exported files, one line each; needs no network and no uv."""
    groups, found = read_groups(root), []
    versions: defaultdict[str, set[str]] = defaultdict(set)
    for export in exports(root):
        header, pins = export.read()
        if header != export.header(groups, pins):
            found.append(f"{export.path.relative_to(root).as_posix()} is not what its groups give")
        if export.groups != (GROUP_APART,):
            # Of one package there may be several, for different platforms; the files then name the same ones.
            for name, version in re.findall(r"^([\w.-]+)==([^\s;]+)", pins, re.MULTILINE):
                versions[name].add(version)
    found += [
        f"{name} has the versions {', '.join(sorted(several))}"
        for name, several in versions.items()
        if len(several) > 1
    ]
    return found


def lock(root: Path, upgrade: bool) -> None:
    """Resolve the groups and write every file; keeps the versions in use where the groups allow and not ``upgrade``."""
    uv = shutil.which("uv", path=sysconfig.get_path("scripts"))
    if uv is None:
        raise LockError("uv is not in this environment; run it as: make lock")
    groups, files = read_groups(root), exports(root)
    together = root / ".local" / "lock" / "all.txt"
    together.parent.mkdir(parents=True, exist_ok=True)
    shared = [export for export in files if export.groups != (GROUP_APART,)]
    # uv prefers the versions that it finds in the file it is about to write.
    together.write_text("\n".join(_versions(shared)) + "\n", encoding="utf-8")
    names = sorted({name for export in shared for name in export.groups})
    _compile(uv, root, names, together, *(["--upgrade"] if upgrade else []))
    for export in files:
        print(f"Writing {export.path.relative_to(root).as_posix()}", flush=True)
        export.path.parent.mkdir(exist_ok=True)
        if export.groups == (GROUP_APART,):
            options = ["--upgrade"] if upgrade else []
        else:
            options = ["--constraint", str(together), "--upgrade"]
        _compile(uv, root, list(export.groups), export.path, "--generate-hashes", *options)
        pins = export.path.read_text(encoding="utf-8")
        export.path.write_text(export.header(groups, pins) + pins, encoding="utf-8")


def _versions(files: list[Export]) -> list[str]:
    lines = "\n".join(export.read()[1] for export in files).splitlines()
    return sorted({line.removesuffix("\\").strip() for line in lines if "==" in line})


def _compile(uv: str, root: Path, groups: list[str], output: Path, *options: str) -> None:
    command = [
        *(uv, "pip", "compile", "--quiet", "--universal", "--python-version", OLDEST_PYTHON, "--no-build"),
        *("--no-annotate", "--no-header", "--no-emit-index-url", "--no-emit-find-links"),
        *(word for name in groups for word in ("--group", name)),
        *("--output-file", str(output), *options),
    ]
    if subprocess.run(command, cwd=root, check=False).returncode:
        raise LockError("uv could not resolve; check the network and the versions in pyproject.toml")


def main(arguments: list[str] | None = None) -> int:
    """Pin everything; 0 when every file is written."""
    parser = argparse.ArgumentParser(prog="lock.py", description=(__doc__ or "").split("\n", 1)[0])
    parser.add_argument(
        "--upgrade", action="store_true", help="take the newest versions that the groups allow"
    )
    options = parser.parse_args(arguments)
    try:
        lock(ROOT, options.upgrade)
    except LockError as error:
        print(f"lock.py: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
