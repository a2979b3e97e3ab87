"""Install hashed requirements files with pip, and say what to do when it fails. Standard library only."""

from __future__ import annotations

import os
import re
import subprocess
from pathlib import Path

UNREACHABLE = re.compile(
    r"NewConnectionError|Failed to establish a new connection|name resolution|getaddrinfo failed|Connection refused"
    r"|ConnectTimeout|Read timed out|ProxyError|Network is unreachable|Max retries exceeded|No route to host|SSLError"
)


class PipError(Exception):
    """pip could not install; the text says what to do about it."""


def install(python: Path | str, requirements: Path, *options: str) -> None:
    """Install exactly the wheels that ``requirements`` pins, with the pip of ``python``; raises PipError."""
    command = [
        *(str(python), "-m", "pip", "install", "--disable-pip-version-check", "--no-input", "--quiet"),
        *("--retries", "2", "--require-hashes", "--no-deps", "--only-binary=:all:", *options),
        *("--requirement", str(requirements)),
    ]
    environment = {**os.environ, "PIP_USER": "0", "PIP_REQUIRE_VIRTUALENV": "0"}
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    if done.returncode:
        raise PipError(explain(python, requirements, done.stdout + done.stderr))


def explain(python: Path | str, requirements: Path, output: str) -> str:
    """Turn pip's output into what happened and what to do next."""
    file = f"{requirements.parent.name}/{requirements.name}"
    tail = "\n".join(f"  pip: {line}" for line in output.strip().splitlines()[-4:])
    if "No module named pip" in output:
        return (
            f"This Python ({python}) has no pip. On Debian or Ubuntu: sudo apt install python3-pip python3-venv. "
            "Elsewhere: python -m ensurepip --user. Then run this again."
        )
    if UNREACHABLE.search(output):
        return (
            f"The wheels of {file} could not be downloaded: the package index did not answer.\n{tail}\n"
            "Check the network (or the proxy: HTTPS_PROXY; or your own index: PIP_INDEX_URL) and run this again. "
            "What was installed once from the same file needs no network."
        )
    if "DO NOT MATCH THE HASHES" in output or "hashes are required" in output.lower():
        return (
            f"A downloaded wheel is not the one that {file} pins.\n{tail}\n"
            "If the requirements were changed on purpose, run: make lock. Otherwise do not trust this index."
        )
    if "No matching distribution" in output:
        return (
            f"A wheel that {file} pins does not exist for the Python and platform asked for, or the package index "
            f"cannot be reached.\n{tail}\nSupported: CPython 3.11 to 3.14 on Linux, macOS and Windows. Otherwise try "
            "again with a network, or build.sh with another --runtime or --arch."
        )
    return f"pip could not install {file}.\n{tail}"
