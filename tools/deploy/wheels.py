"""The wheels of a function's package: those that fit where it runs, installed once and kept. Standard library only."""

from __future__ import annotations

import hashlib
import os
import platform
import shutil
import subprocess
import sys
import sysconfig
import tempfile
import threading
from dataclasses import dataclass
from pathlib import Path

from tools.deploy.environment import separate_group
from tools.deploy.pip import PipError, install

# Oldest C library of each Lambda runtime (Amazon Linux 2023 has glibc 2.34); it decides which wheels fit.
GLIBC_MINOR = {"python3.12": 34, "python3.13": 34, "python3.14": 34}
ARCHITECTURES = {"arm64": "aarch64", "x86_64": "x86_64"}
DEFAULT_RUNTIME = "python3.13"
DEFAULT_ARCHITECTURE = "arm64"

#: Folders of installed wheels that are kept, the latest used: all functions' for some three targets.
CACHE_KEPT = 32

#: Functions are built side by side; those of the same requirements wait for the first one's wheels.
_INSTALLING = threading.Lock()


@dataclass(frozen=True)
class Target:
    """Where the package is to run: a Lambda runtime and architecture, or this host (``local``)."""

    runtime: str
    architecture: str
    local: bool = False

    def label(self) -> str:
        """A short name for people."""
        return f"{'local ' if self.local else ''}{self.runtime} {self.architecture}"

    def key(self) -> str:
        """What, of the target and of the Python running this build, decides the bytes of the installed wheels."""
        compiled = " with bytecode" if self.is_host_python() else ""
        return f"{self.label()}{compiled} {sysconfig.get_platform() if self.local else ''}"

    def is_host_python(self) -> bool:
        """Whether the Python running this build makes the bytecode that the target runs."""
        return self.runtime == f"python{sys.version_info.major}.{sys.version_info.minor}"

    def pip_options(self) -> list[str]:
        """pip's options that select wheels for this target; none for the host itself."""
        if self.local:
            return []
        machine = ARCHITECTURES[self.architecture]
        glibc = [f"manylinux_2_{minor}_{machine}" for minor in range(GLIBC_MINOR[self.runtime], 16, -1)]
        options = ["--implementation", "cp", "--python-version", self.runtime.removeprefix("python")]
        for tag in [*glibc, f"manylinux2014_{machine}"]:
            options += ["--platform", tag]
        return options


def host_target() -> Target:
    """The target that is this host and the Python running this build."""
    runtime = f"python{sys.version_info.major}.{sys.version_info.minor}"
    return Target(runtime, platform.machine() or "host", local=True)


def install_wheels(requirements: Path, target: Target, cache: Path) -> Path:
    """Install a hashed requirements file for ``target`` and return the folder that holds the result.

    It is kept below ``cache`` by the content of the file and the target, so an unchanged build needs no network, and so
    is its bytecode. Raises PipError.
    """
    pinned = requirements.read_bytes() if requirements.is_file() else b""
    if not pinned:
        raise PipError(f"{requirements} is missing. Run: make lock")
    folder = cache / digest_of([pinned, target.key().encode()])[:16]
    with _INSTALLING:
        if folder.is_dir():
            os.utime(folder)
            return folder
        cache.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(prefix=".wheels-", dir=cache) as parent:
            staging = Path(parent) / "wheels"
            options = ("--no-compile", "--target", str(staging), *target.pip_options())
            install(sys.executable, requirements, *options)
            add_bytecode(staging, target)
            staging.replace(folder)
        by_age = sorted(cache.iterdir(), key=lambda path: path.stat().st_mtime, reverse=True)
        for stale in by_age[CACHE_KEPT:]:
            shutil.rmtree(stale, ignore_errors=True)
    return folder


def add_bytecode(folder: Path, target: Target) -> None:
    """Compile the modules below ``folder`` where this Python's bytecode is the target's (PEP 552, unchecked hashes).

    Lambda has its packages on a read-only file system: without bytecode every start of a function compiles them anew.
    """
    if not target.is_host_python():
        return
    # -E: settings of this Python (PYTHONOPTIMIZE, PYTHONPYCACHEPREFIX) are not Lambda's.
    command = [sys.executable, "-E", "-m", "compileall", "-q", "-d", "/var/task"]
    done = subprocess.run(
        [*command, "--invalidation-mode", "unchecked-hash", "."],
        cwd=folder,
        capture_output=True,
        check=False,
        # Ctrl-C would end it half-way, and what it had not compiled would stay away.
        **separate_group(),
    )
    # 1: what cannot be compiled, such as a wheel's templates, is left as it is.
    if done.returncode not in (0, 1):
        raise PipError(f"Compiling the modules of a package ended with {done.returncode}. Run this again.")


def digest_of(parts: list[bytes]) -> str:
    """SHA-256 (hex) of length-prefixed parts, so that no two lists of parts collide by concatenation."""
    return hashlib.sha256(b"".join(str(len(part)).encode() + b":" + part for part in parts)).hexdigest()
