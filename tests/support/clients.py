"""Programs from other worlds that tests run: Node.js and what npm installs for it, a browser.

They are installed from pinned lock files below `.local`, once.
"""

from __future__ import annotations

import hashlib
import os
import platform
import shutil
import subprocess
from pathlib import Path

from tests.support.stack import ROOT
from tools.deploy.environment import prepare
from tools.deploy.locking import locked

CLIENTS = ROOT / "tests/e2e/clients"
LOCAL = ROOT / ".local"
#: What the browsers that understand the DevTools protocol are called, and where those lie that are on no path.
BROWSERS = ("chromium", "chromium-browser", "google-chrome-stable", "google-chrome", "msedge", "chrome")
PLACES = (
    "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome",
    "/Applications/Chromium.app/Contents/MacOS/Chromium",
    "C:/Program Files/Google/Chrome/Application/chrome.exe",
    "C:/Program Files (x86)/Microsoft/Edge/Application/msedge.exe",
)
#: A Chromium made for Lambda, in a package of npm: Linux on x86_64 alone.
PACKED_BROWSER = "@sparticuz/chromium@153.0.0"


def programs() -> Path:
    """The folder of the clients' programs: node, npm, schemathesis."""
    return prepare(LOCAL / "clients", ROOT / "requirements" / "clients.txt", exact=True).parent


def node_modules(folder: Path) -> Path:
    """What `package-lock.json` names, installed; `folder` holds npm."""
    target = LOCAL / "node"
    wanted = hashlib.sha256((CLIENTS / "package-lock.json").read_bytes()).hexdigest()
    with locked(LOCAL / "node.lock"):
        stamp = target / "ready"
        if not stamp.is_file() or stamp.read_text() != wanted:
            shutil.rmtree(target, ignore_errors=True)
            target.mkdir(parents=True)
            for name in ("package.json", "package-lock.json"):
                shutil.copy(CLIENTS / name, target)
            npm(folder, target, "ci")
            stamp.write_text(wanted)
    return target / "node_modules"


def npm(folder: Path, target: Path, *arguments: str) -> None:
    """Run npm in `target`; no package runs a script of its own."""
    run([program(folder, "npm"), *arguments, "--ignore-scripts", "--no-audit", "--no-fund"], folder, target)


def browser(folder: Path) -> str:
    """A Chromium, Chrome or Edge: the machine's own, Debian's, or the one packed for Lambda."""
    named = os.environ.get("BROWSER_PATH")
    found = named or next(filter(None, map(shutil.which, BROWSERS)), None)
    found = found or next((place for place in PLACES if Path(place).is_file()), None)
    if not found and shutil.which("apt-get") and os.geteuid() == 0:
        subprocess.run(
            ["apt-get", "install", "-y", "--no-install-recommends", "chromium"],
            check=False,
            capture_output=True,
        )
        found = shutil.which("chromium")
    if not found and (platform.system(), platform.machine()) == ("Linux", "x86_64"):
        found = _packed_browser(folder)
    assert found, "no browser: install Chromium, Chrome or Edge, or name one in BROWSER_PATH"
    return found


def _packed_browser(folder: Path) -> str:
    target = LOCAL / "browser"
    with locked(LOCAL / "browser.lock"):
        if not (target / "node_modules").is_dir():
            target.mkdir(parents=True, exist_ok=True)
            npm(folder, target, "install", "--no-save", PACKED_BROWSER)
    code = (
        "import('@sparticuz/chromium').then(async ({default: it}) => console.log(await it.executablePath()))"
    )
    return run([program(folder, "node"), "-e", code], folder, target).strip().splitlines()[-1]


def program(folder: Path, name: str) -> str:
    """A program of the clients' environment, whatever the system calls its file."""
    found = shutil.which(name, path=str(folder))
    assert found, f"{name} is not in {folder}"
    return found


def run(command: list[str], programs: Path, folder: Path, **environment: str) -> str:
    """Run a program with the clients' environment in front; returns what it printed, and fails with that."""
    path = os.pathsep.join([str(programs), os.environ.get("PATH", "")])
    done = subprocess.run(
        command,
        cwd=folder,
        env={**os.environ, "PATH": path, "NO_PROXY": "127.0.0.1", "no_proxy": "127.0.0.1", **environment},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        encoding="utf-8",
        check=False,
    )
    assert done.returncode == 0, f"{Path(command[0]).name} failed:\n{done.stdout[-12000:]}"
    return done.stdout
