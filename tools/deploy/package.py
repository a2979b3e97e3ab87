"""Build the deployment package of every Lambda function, from any host, reproducibly.

For each function ``lambdas/<name>`` (a folder holding ``lambda_function.py``):

1. install the wheels pinned and hashed in its ``requirements.txt``, for Lambda's platform or for this host;
2. follow the imports of ``lambda_function.py`` through ``lambdas/shared`` and the installed wheels, and keep in
   ``lambdas/<name>/vendor`` what is reached and no more;
3. write ``build/<name>.zip`` (handler and the content of ``vendor`` at the root) with sorted entries, fixed times
   and fixed modes, under a temporary name that is then moved, so the same inputs always give the same bytes.

A function whose inputs have not changed since the last build is left alone. Standard library only; see the
section "Packaging" of ``docs/operations.md`` for the choices.
"""

from __future__ import annotations

import argparse
import ast
import fnmatch
import hashlib
import importlib.machinery
import json
import os
import platform
import shutil
import subprocess
import sys
import sysconfig
import tempfile
import zipfile
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from tools.deploy.locking import locked

ROOT = Path(__file__).resolve().parents[2]
HANDLER = "lambda_function.py"

# Oldest C library of each Lambda runtime (Amazon Linux 2023 has glibc 2.34); it decides which wheels fit.
GLIBC_MINOR = {"python3.12": 34, "python3.13": 34, "python3.14": 34}
ARCHITECTURES = {"arm64": "aarch64", "x86_64": "x86_64"}
DEFAULT_RUNTIME = "python3.13"
DEFAULT_ARCHITECTURE = "arm64"

# What the runtime itself brings: allowed to be imported, never vendored.
RUNTIME_PACKAGES = frozenset({"boto3", "botocore", "s3transfer"})

# Never wanted in a deployment package.
IGNORED_DIRECTORIES = frozenset({"__pycache__", "tests", "bin", "Scripts", ".pytest_cache", ".mypy_cache"})
IGNORED_FILES = ("*.pyc", "*.pyo", "*.pyi", "py.typed", "*.dist-info", "*.egg-info", ".DS_Store", "Thumbs.db")
# What no function can reach: the browser assets of Powertools' Swagger page (1.7 MB), and Pillow's optional compiled
# parts for text, colour management, Tk and the decoding of AVIF and WebP (9 MB with their libraries): images are read
# by their headers, and Pillow, for the long tail of formats, does without every one of these.
PRUNED = (
    "aws_lambda_powertools/event_handler/openapi/swagger_ui/*.js",
    "aws_lambda_powertools/event_handler/openapi/swagger_ui/*.css",
    *(
        f"PIL/_{part}.*"
        for part in ("avif", "imagingcms", "imagingft", "imagingmath", "imagingmorph", "imagingtk", "webp")
    ),
)
# Calls that load a module by a computed name: the rest of that package must then stay.
DYNAMIC_IMPORTS = frozenset({"import_module", "__import__"})

ZIP_TIME = (1980, 1, 1, 0, 0, 0)
CACHE_KEPT = 6


class PackageError(Exception):
    """A build that cannot go on; the text says what to do about it."""


@dataclass(frozen=True)
class Target:
    """Where the package is to run: a Lambda runtime and architecture, or this host (``local``)."""

    runtime: str
    architecture: str
    local: bool = False

    def label(self) -> str:
        """A short name for people and for the build's cache key."""
        return f"{'local ' if self.local else ''}{self.runtime} {self.architecture}"

    def key(self) -> str:
        """What, of the target, decides the bytes of the installed wheels."""
        return f"{self.label()} {sysconfig.get_platform()}" if self.local else self.label()

    def pip_options(self) -> list[str]:
        """pip's options that select wheels for this target; none for the host itself."""
        if self.local:
            return []
        machine = ARCHITECTURES[self.architecture]
        version = self.runtime.removeprefix("python")
        newest_first = [
            f"manylinux_2_{minor}_{machine}" for minor in range(GLIBC_MINOR[self.runtime], 16, -1)
        ]
        options = ["--implementation", "cp", "--python-version", version]
        for tag in [*newest_first, f"manylinux2014_{machine}"]:
            options += ["--platform", tag]
        return options


def host_target() -> Target:
    """The target that stands for the Python running this build."""
    return Target(
        f"python{sys.version_info.major}.{sys.version_info.minor}", platform.machine() or "host", local=True
    )


# --- which modules does a function import? ------------------------------------------------------------------------


@dataclass(frozen=True)
class Module:
    """One importable module below a search root: its dotted name and its path relative to that root."""

    name: str
    root: Path
    path: Path

    @property
    def is_package(self) -> bool:
        """Whether the module is a package's ``__init__``."""
        return self.path.name.startswith("__init__.")

    @property
    def is_source(self) -> bool:
        """Whether the module is Python source, as against a compiled extension."""
        return self.path.suffix == ".py"


class ModuleFinder:
    """Find modules by name below some roots, and follow their imports without running them."""

    def __init__(self, roots: Iterable[Path]) -> None:
        self.roots = list(roots)
        self._found: dict[str, Module | None] = {}

    def find(self, name: str) -> Module | None:
        """Return the module called ``name``, or None when no root holds it."""
        if name not in self._found:
            self._found[name] = self._look(name)
        return self._found[name]

    def _look(self, name: str) -> Module | None:
        relative = Path(*name.split("."))
        for root in self.roots:
            candidates = [relative / "__init__.py", relative.with_name(relative.name + ".py")]
            for candidate in candidates:
                if (root / candidate).is_file():
                    return Module(name, root, candidate)
            folder = root / relative.parent
            if not folder.is_dir():
                continue
            for suffix in _extension_suffixes():
                for path in sorted(folder.glob(f"{relative.name}{suffix}")):
                    return Module(name, root, path.relative_to(root))
        return None

    def submodules(self, package: str) -> list[Module]:
        """Every module below ``package`` (dotted name), itself excluded."""
        home = self.find(package)
        if home is None or not home.is_package:
            return []
        base = home.root / home.path.parent
        modules = []
        for path in sorted(base.rglob("*")):
            if path.is_dir() or IGNORED_DIRECTORIES & set(path.relative_to(base).parts):
                continue
            if path.suffix not in (".py", ".so", ".pyd"):
                continue
            parts = list(path.relative_to(home.root).parts)
            parts[-1] = parts[-1].split(".")[0]
            if parts[-1] == "__init__":
                parts.pop()
            modules.append(Module(".".join(parts), home.root, path.relative_to(home.root)))
        return modules

    def closure(self, start: Path) -> tuple[dict[str, Module], set[str]]:
        """Follow every import that ``start`` can run.

        Returns the modules reached, by name, and the top-level names that neither a root nor Python itself
        provides and that were asked for by ``start`` or by a module of the first root (our own code).
        """
        reached: dict[str, Module] = {}
        missing: set[str] = set()
        waiting: list[Module] = []

        def reach(name: str) -> bool:
            parts = name.split(".")
            for depth in range(1, len(parts) + 1):
                module = self.find(".".join(parts[:depth]))
                if module is None:
                    return depth > 1
                if module.name not in reached:
                    reached[module.name] = module
                    waiting.append(module)
            return True

        def follow(path: Path, name: str, is_package: bool, ours: bool) -> None:
            tree = ast.parse(path.read_bytes(), filename=str(path))
            wanted, dynamic = imported_names(tree, name, is_package)
            for candidate, required in wanted:
                top = candidate.split(".")[0]
                if top in sys.stdlib_module_names or top == "__future__":
                    continue
                if not reach(candidate) and required and ours and top not in RUNTIME_PACKAGES:
                    missing.add(top)
            if dynamic and name:
                package = name if is_package else name.rpartition(".")[0]
                for module in self.submodules(package or name):
                    reach(module.name)

        follow(start, "", False, True)
        while waiting:
            module = waiting.pop()
            ours = module.root == self.roots[0]
            if module.is_source:
                follow(module.root / module.path, module.name, module.is_package, ours)
            if module.is_package and self._holds_extensions(module):
                # A package with compiled parts loads its own modules from C and by name: keep it whole.
                for other in self.submodules(module.name):
                    reach(other.name)
        return reached, missing

    def _holds_extensions(self, module: Module) -> bool:
        if "." in module.name:
            return False
        folder = module.root / module.path.parent
        return any(path.suffix in (".so", ".pyd") for path in folder.iterdir())


def _extension_suffixes() -> list[str]:
    # Whatever the host: a package built for Linux is looked through on macOS and Windows too.
    return [".*.so", ".abi3.so", ".so", ".*.pyd", ".pyd", *importlib.machinery.EXTENSION_SUFFIXES]


def imported_names(tree: ast.Module, name: str, is_package: bool) -> tuple[list[tuple[str, bool]], bool]:
    """List what a module's code imports.

    ``name`` is the module's dotted name ("" for a script). Returns pairs (dotted name, whether it must exist: a
    name after ``from x import`` may be an attribute, and an import inside ``try`` may fail), and whether the code
    also loads modules by computed names. Imports that only type checkers run are left out.
    """
    found: list[tuple[str, bool]] = []
    dynamic = False

    def base_of(node: ast.ImportFrom) -> str:
        if not node.level:
            return node.module or ""
        parts = name.split(".")
        parts = parts[: len(parts) - node.level + (1 if is_package else 0)]
        return ".".join([*parts, *([node.module] if node.module else [])])

    def visit(node: ast.AST, guarded: bool) -> None:
        nonlocal dynamic
        if isinstance(node, ast.If) and _is_type_checking(node.test):
            for child in node.orelse:
                visit(child, guarded)
            return
        if isinstance(node, ast.Import):
            found.extend((alias.name, not guarded) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = base_of(node)
            found.append((base, not guarded))
            found.extend((f"{base}.{alias.name}", False) for alias in node.names if alias.name != "*")
        elif isinstance(node, ast.Call):
            called = node.func
            label = called.attr if isinstance(called, ast.Attribute) else getattr(called, "id", "")
            if label in DYNAMIC_IMPORTS:
                dynamic = True
        for child in ast.iter_child_nodes(node):
            visit(child, guarded or isinstance(node, ast.Try))

    visit(tree, False)
    return found, dynamic


def _is_type_checking(test: ast.expr) -> bool:
    label = test.attr if isinstance(test, ast.Attribute) else getattr(test, "id", "")
    return label == "TYPE_CHECKING"


# --- files --------------------------------------------------------------------------------------------------------


def ignored(relative: Path) -> bool:
    """Whether a file (path relative to its root) never belongs in a package."""
    if IGNORED_DIRECTORIES & set(relative.parts[:-1]):
        return True
    if any(fnmatch.fnmatch(part, pattern) for part in relative.parts for pattern in IGNORED_FILES):
        return True
    return any(fnmatch.fnmatch(relative.as_posix(), pattern) for pattern in PRUNED)


def files_of(modules: Iterable[Module]) -> dict[Path, Path]:
    """Map the path in the package to the file on disk, for the modules reached and the data beside them.

    Data files belong to the nearest package that is kept; of a compiled package's private libraries (``NAME.libs``)
    those come along that a kept module or library names.
    """
    chosen: dict[Path, Path] = {}
    for module in modules:
        source = module.root / module.path
        chosen[module.path] = source
        if not module.is_package:
            continue
        for neighbour in sorted(source.parent.iterdir()):
            if neighbour.is_file() and neighbour.suffix not in (".py", ".so", ".pyd"):
                chosen[neighbour.relative_to(module.root)] = neighbour
            elif neighbour.is_dir() and not (neighbour / "__init__.py").exists():
                for path in sorted(neighbour.rglob("*")):
                    if path.is_file():
                        chosen[path.relative_to(module.root)] = path
    kept = {path: source for path, source in chosen.items() if not ignored(path)}
    binaries = {path: source for path, source in kept.items() if path.suffix == ".so"}
    for root in {module.root for module in modules if not module.is_source}:
        libraries = [path for folder in root.glob("*.libs") for path in folder.rglob("*") if path.is_file()]
        kept |= {path.relative_to(root): path for path in needed_libraries(binaries.values(), libraries)}
    return dict(sorted(kept.items()))


def needed_libraries(binaries: Iterable[Path], libraries: Iterable[Path]) -> set[Path]:
    """Those of ``libraries`` that ``binaries`` name, or that the libraries so found name in turn.

    A wheel's private libraries carry a hash in their names, so a name found in a binary is a reference to it.
    """
    needed: set[Path] = set()
    waiting, left = list(binaries), set(libraries)
    while waiting:
        content = waiting.pop().read_bytes()
        found = {library for library in left if library.name.encode() in content}
        needed |= found
        left -= found
        waiting += found
    return needed


def replace_tree(target: Path, files: dict[str, bytes]) -> None:
    """Make ``target`` hold exactly ``files`` (relative path -> content), by way of a temporary neighbour."""
    staging = Path(tempfile.mkdtemp(prefix=f".{target.name}-", dir=target.parent))
    try:
        for relative, content in files.items():
            place = staging / relative
            place.parent.mkdir(parents=True, exist_ok=True)
            place.write_bytes(content)
        staging.chmod(0o755)
        if target.exists():
            shutil.rmtree(target)
        staging.replace(target)
    finally:
        shutil.rmtree(staging, ignore_errors=True)


def write_zip(path: Path, files: dict[str, bytes]) -> None:
    """Write ``files`` (archive name -> content) to ``path`` so that equal content gives equal bytes."""
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, temporary = tempfile.mkstemp(prefix=f".{path.name}-", dir=path.parent)
    try:
        with os.fdopen(handle, "wb") as stream, zipfile.ZipFile(stream, "w") as archive:
            for name in sorted(files):
                entry = zipfile.ZipInfo(name, ZIP_TIME)
                entry.create_system = 3
                mode = 0o755 if name.endswith((".so", ".dylib")) or ".so." in name else 0o644
                entry.external_attr = (0o100000 | mode) << 16
                entry.compress_type = zipfile.ZIP_DEFLATED
                archive.writestr(entry, files[name], compresslevel=9)
        Path(temporary).chmod(0o644)
        Path(temporary).replace(path)
    except BaseException:
        Path(temporary).unlink(missing_ok=True)
        raise


def digest_of(parts: Iterable[bytes]) -> str:
    """SHA-256 (hex) of length-prefixed parts, so that no two lists of parts collide by concatenation."""
    state = hashlib.sha256()
    for part in parts:
        state.update(str(len(part)).encode() + b":" + part)
    return state.hexdigest()


def normalised(content: bytes) -> bytes:
    """Text with the line ends of a Windows checkout undone, so that every host builds the same bytes."""
    return content.replace(b"\r\n", b"\n")


# --- third-party wheels -------------------------------------------------------------------------------------------


OFFLINE_SIGNS = (
    "Failed to establish a new connection",
    "NewConnectionError",
    "Temporary failure in name resolution",
    "getaddrinfo failed",
    "Connection refused",
    "ConnectTimeout",
    "Read timed out",
    "ProxyError",
    "Network is unreachable",
    "Max retries exceeded",
    "No route to host",
    "SSLError",
)


def install_wheels(requirements: Path, target: Target, cache: Path) -> Path:
    """Install a hashed requirements file for ``target`` and return the folder that holds the result.

    The result is kept under ``cache`` by the content of the file and the target, so an unchanged build needs no
    network. Raises PackageError with what to do when pip is missing, offline, or finds no fitting wheel.
    """
    pinned = normalised(requirements.read_bytes())
    folder = cache / digest_of([pinned, target.key().encode()])[:16]
    if folder.is_dir():
        os.utime(folder)
        return folder
    cache.mkdir(parents=True, exist_ok=True)
    staging = Path(tempfile.mkdtemp(prefix=".wheels-", dir=cache))
    command = [
        sys.executable,
        "-m",
        "pip",
        "install",
        "--disable-pip-version-check",
        "--no-input",
        "--quiet",
        "--require-hashes",
        "--no-deps",
        "--only-binary=:all:",
        "--no-compile",
        "--retries",
        "2",
        "--target",
        str(staging),
        "--requirement",
        str(requirements),
        *target.pip_options(),
    ]
    environment = {**os.environ, "PIP_USER": "0", "PIP_REQUIRE_VIRTUALENV": "0"}
    try:
        done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
        if done.returncode:
            raise PackageError(explain_pip(requirements, target, done.stdout + done.stderr))
        staging.chmod(0o755)
        staging.replace(folder)
    finally:
        shutil.rmtree(staging, ignore_errors=True)
    for stale in sorted(cache.iterdir(), key=lambda path: path.stat().st_mtime, reverse=True)[CACHE_KEPT:]:
        shutil.rmtree(stale, ignore_errors=True)
    return folder


def explain_pip(requirements: Path, target: Target, output: str) -> str:
    """Turn pip's output into what happened and what to do next."""
    tail = "\n".join(f"  pip: {line}" for line in output.strip().splitlines()[-4:])
    if "No module named pip" in output:
        return (
            f"This Python ({sys.executable}) has no pip. On Debian or Ubuntu: sudo apt install python3-pip "
            "python3-venv. Elsewhere: python -m ensurepip --user. Then run the build again."
        )
    if any(sign in output for sign in OFFLINE_SIGNS):
        return (
            f"The wheels of {requirements.parent.name} could not be downloaded: the package index did not answer.\n"
            f"{tail}\nCheck the network (or the proxy: HTTPS_PROXY; or your own index: PIP_INDEX_URL) and run the "
            "build again. A build that has succeeded once with the same requirements needs no network."
        )
    if "DO NOT MATCH THE HASHES" in output or "hashes are required" in output.lower():
        return (
            f"A downloaded wheel is not the one {requirements.name} of {requirements.parent.name} pins.\n{tail}\n"
            "If the requirements were changed on purpose, run: make lock. Otherwise do not trust this index."
        )
    if "No matching distribution" in output:
        return (
            f"A pinned wheel of {requirements.parent.name} does not exist for {target.label()}, or the package "
            f"index cannot be reached.\n{tail}\nSupported: CPython 3.11 to 3.14 on Linux, macOS and Windows for "
            "--local; otherwise try again with a network, or another --runtime or --arch."
        )
    return f"pip could not install the wheels of {requirements.parent.name} for {target.label()}.\n{tail}"


# --- the build ----------------------------------------------------------------------------------------------------


def function_names(lambdas: Path) -> list[str]:
    """The functions there are: folders of ``lambdas`` that hold a handler."""
    return sorted(path.parent.name for path in lambdas.glob(f"*/{HANDLER}"))


def iter_inputs(lambdas: Path, name: str) -> Iterator[bytes]:
    """Everything of ours that can change a function's package: handler, requirements, shared code, this tool."""
    yield normalised((lambdas / name / HANDLER).read_bytes())
    requirements = lambdas / name / "requirements.txt"
    yield normalised(requirements.read_bytes()) if requirements.is_file() else b""
    shared = lambdas / "shared"
    for path in sorted(shared.rglob("*")):
        if path.is_file() and not ignored(path.relative_to(shared)):
            yield path.relative_to(shared).as_posix().encode()
            yield normalised(path.read_bytes())
    yield normalised(Path(__file__).read_bytes())


def vendored_files(lambdas: Path, name: str, target: Target, cache: Path) -> dict[Path, Path]:
    """What ``vendor`` of function ``name`` must hold: relative path -> source file. Installs wheels as needed."""
    handler = lambdas / name / HANDLER
    roots = [lambdas / "shared"]
    requirements = lambdas / name / "requirements.txt"
    if requirements.is_file():
        roots.append(install_wheels(requirements, target, cache))
    finder = ModuleFinder(roots)
    try:
        modules, missing = finder.closure(handler)
    except SyntaxError as error:
        raise PackageError(
            f"{error.filename} line {error.lineno} is not valid Python: {error.msg}."
        ) from error
    if missing:
        raise PackageError(
            f"{name} imports {', '.join(sorted(missing))}, which neither lambdas/shared, its "
            "requirements.txt nor the Lambda runtime provides. Add it to its group in pyproject.toml and run: make lock"
        )
    return files_of(modules.values())


def build_function(name: str, target: Target, lambdas: Path, build: Path) -> tuple[dict[str, object], bool]:
    """Build one function's ``vendor`` and zip.

    Returns its manifest entry (``inputs``, ``sha256``, ``size``) and whether anything had to be done.
    """
    archive = build / f"{name}.zip"
    vendor = lambdas / name / "vendor"
    inputs = digest_of([target.key().encode(), *iter_inputs(lambdas, name)])
    previous = read_manifest(build).get("functions", {}).get(name, {})
    standing = previous.get("inputs") == inputs and vendor.is_dir() and archive.is_file()
    if standing and hashlib.sha256(archive.read_bytes()).hexdigest() == previous.get("sha256"):
        return previous, False
    content = {HANDLER: normalised((lambdas / name / HANDLER).read_bytes())}
    for path, source in vendored_files(lambdas, name, target, lambdas.parent / ".local" / "wheels").items():
        data = source.read_bytes()
        content[path.as_posix()] = normalised(data) if path.suffix == ".py" else data
    replace_tree(vendor, {path: data for path, data in content.items() if path != HANDLER})
    write_zip(archive, content)
    data = archive.read_bytes()
    entry = {"inputs": inputs, "sha256": hashlib.sha256(data).hexdigest(), "size": len(data)}
    return entry, True


def read_manifest(build: Path) -> dict[str, dict]:
    """The last build's ``manifest.json``; empty when there is none or it cannot be read."""
    try:
        manifest = json.loads((build / "manifest.json").read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return manifest if isinstance(manifest, dict) else {}


def build_all(target: Target, lambdas: Path, build: Path, quiet: bool = False) -> dict[str, dict]:
    """Build every function for ``target`` into ``build`` and return the manifest that was written there."""
    names = function_names(lambdas)
    if not names:
        raise PackageError(f"No lambda_function.py below {lambdas}: is this a complete clone?")
    build.mkdir(parents=True, exist_ok=True)
    functions: dict[str, dict] = {}
    if not quiet:
        print(f"Building {len(names)} functions for {target.label()}", flush=True)
    # Two builds at a time would pull each other's vendor folders away.
    with locked(lambdas.parent / ".local" / "build.lock"):
        for name in names:
            entry, changed = build_function(name, target, lambdas, build)
            functions[name] = entry
            if not quiet:
                note = "built" if changed else "unchanged"
                print(
                    f"  {name + '.zip':<24} {entry['size'] / 1024:>8,.0f} KiB  sha256 {entry['sha256']}  {note}",
                    flush=True,
                )
    manifest = {
        "target": {"runtime": target.runtime, "architecture": target.architecture, "local": target.local},
        "functions": functions,
    }
    temporary = build / ".manifest.json.new"
    temporary.write_text(json.dumps(manifest, indent=2, sort_keys=True) + "\n", encoding="utf-8")
    temporary.replace(build / "manifest.json")
    return manifest


def parse_arguments(arguments: list[str] | None) -> argparse.Namespace:
    """Read the command line of ``build.sh``."""
    parser = argparse.ArgumentParser(
        prog="build.sh", description="Vendor and zip every Lambda function into build/."
    )
    parser.add_argument(
        "--local", action="store_true", help="build for this host's Python (what the local AWS runs)"
    )
    parser.add_argument(
        "--runtime",
        choices=sorted(GLIBC_MINOR),
        default=None,
        help=f"Lambda runtime (default {DEFAULT_RUNTIME})",
    )
    parser.add_argument(
        "--arch",
        choices=sorted(ARCHITECTURES),
        default=None,
        help=f"Lambda architecture (default {DEFAULT_ARCHITECTURE})",
    )
    parser.add_argument(
        "--output", type=Path, default=ROOT / "build", help="where the zips go (default build/)"
    )
    parsed = parser.parse_args(arguments)
    if parsed.local and (parsed.runtime or parsed.arch):
        parser.error("--local builds for this host; it takes no --runtime and no --arch")
    return parsed


def main(arguments: list[str] | None = None) -> int:
    """Run the build; 0 when every zip stands, 1 with a message on standard error otherwise."""
    options = parse_arguments(arguments)
    target = (
        host_target()
        if options.local
        else Target(options.runtime or DEFAULT_RUNTIME, options.arch or DEFAULT_ARCHITECTURE)
    )
    try:
        build_all(target, ROOT / "lambdas", options.output)
    except PackageError as error:
        print(f"build.sh: {error}", file=sys.stderr)
        return 1
    except OSError as error:
        print(
            f"build.sh: {error}. Check free disk space and that the folder can be written.", file=sys.stderr
        )
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
