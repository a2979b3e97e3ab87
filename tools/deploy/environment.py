"""Make a virtual environment that holds what a hashed requirements file pins: ``environment.py FOLDER REQUIREMENTS``.

Does nothing when the environment is there and up to date. Standard library only.
"""

from __future__ import annotations

import hashlib
import os
import re
import shutil
import subprocess
import sys
import tempfile
import venv
from contextlib import suppress
from pathlib import Path
from typing import Any

from tools.deploy.locking import locked
from tools.deploy.pip import PipError, install

WINDOWS = os.name == "nt"
LOCK = Path(__file__).resolve().parents[2] / ".local" / "setup.lock"
# subprocess.CREATE_NEW_PROCESS_GROUP, which only Windows has.
NEW_GROUP = 0x00000200


class SetupError(Exception):
    """An environment cannot be made; the text says what to do about it."""


def separate_group() -> dict[str, Any]:
    """The options of a subprocess that Ctrl-C in the terminal does not reach."""
    return {"creationflags": NEW_GROUP} if WINDOWS else {"start_new_session": True}


def python_of(folder: Path) -> Path:
    """Where a virtual environment keeps its Python."""
    return folder / ("Scripts/python.exe" if WINDOWS else "bin/python")


def prepare(
    folder: Path, requirements: Path, exact: bool = False, compiled: bool = False, notice: str = ""
) -> Path:
    """Make or update the environment ``folder`` from ``requirements``; returns its Python.

    It is made again when the Python version differs from this one's; with ``exact`` also when the requirements changed,
    so that it holds these and nothing else. ``compiled`` is for programs that write no bytecode: all is compiled now,
    else when it is first imported, as most never is. ``notice`` is printed when there is work to do. Raises SetupError.
    """
    python = python_of(folder)
    pinned = requirements.read_bytes().replace(b"\r\n", b"\n")
    version = sys.version.split()[0]
    wanted = f"{version} {hashlib.sha256(pinned).hexdigest()}\n"
    marker = folder / "ready"
    with locked(LOCK):
        held = marker.read_text(encoding="utf-8") if marker.is_file() else ""
        if held == wanted and python.exists():
            return python
        if notice:
            print(notice, flush=True)
        if exact or not _is_version(python, version) or not _has_pip(python):
            shutil.rmtree(folder, ignore_errors=True)
            try:
                venv.create(folder, with_pip=True, symlinks=not WINDOWS)
            except (subprocess.CalledProcessError, OSError) as error:
                shutil.rmtree(folder, ignore_errors=True)
                raise SetupError(
                    f"A virtual environment could not be made: {error}\n"
                    "On Debian or Ubuntu: sudo apt install python3-venv"
                ) from error
        try:
            _pinned_pip(python, requirements)
            install(python, requirements, *([] if compiled else ["--no-compile"]))
        except PipError as error:
            raise SetupError(str(error)) from error
        marker.write_text(wanted, encoding="utf-8")
    return python


def _pinned_pip(python: Path, requirements: Path) -> None:
    """Install the pip that the requirements pin, if they do, for the rest of them.

    The one that comes with Python 3.11 looks at every file that an index has of a package, for half a minute.
    """
    pin = re.search(r"^pip==.*\n(?: .*\n)*", requirements.read_text(encoding="utf-8"), re.MULTILINE)
    if pin:
        with tempfile.TemporaryDirectory() as folder:
            alone = Path(folder) / requirements.name
            alone.write_text(pin[0], encoding="utf-8")
            # Where that fails, the one that is there goes on, or says what is wrong with the whole file.
            with suppress(PipError):
                install(python, alone, "--no-compile")


def _has_pip(python: Path) -> bool:
    """Whether pip is there and whole: an interrupt may have come while it replaced itself."""
    done = subprocess.run([str(python), "-m", "pip", "--version"], capture_output=True, check=False)
    return done.returncode == 0


def _is_version(python: Path, version: str) -> bool:
    if not python.exists():
        return False
    done = subprocess.run([str(python), "--version"], capture_output=True, text=True, check=False)
    return done.stdout.split()[-1:] == [version]


def main(arguments: list[str]) -> int:
    """Prepare one environment for development."""
    if len(arguments) != 2:
        print(__doc__, file=sys.stderr)
        return 2
    folder, requirements = (Path(argument).resolve() for argument in arguments)
    try:
        prepare(folder, requirements, notice=f"Installing {arguments[1]} into {arguments[0]} (once)")
    except (SetupError, TimeoutError) as error:
        print(f"setup: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("\nsetup: interrupted; run it again to go on", file=sys.stderr)
        return 130
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
