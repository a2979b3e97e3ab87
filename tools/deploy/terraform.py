"""Find and run Terraform: initialise with a local provider mirror when the registry is out of reach.

``python -m tools.deploy.terraform check`` says whether it is there and new enough. Standard library only.
"""

from __future__ import annotations

import hashlib
import json
import os
import platform
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator, Mapping
from itertools import chain
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
CONFIGURATION = ROOT / "terraform"
PROVIDER = Path("registry.terraform.io/hashicorp/aws")
LOCK = ".terraform.lock.hcl"
OLDEST = (1, 7)
INSTALL = (
    "Install it from https://developer.hashicorp.com/terraform/install\n"
    "  Windows: winget install Hashicorp.Terraform   macOS: brew install hashicorp/tap/terraform"
)
# Below /opt a mirror may lie this deep.
SEARCH_DEPTH = 3


class TerraformError(Exception):
    """Terraform is missing or failed; the text says what to do about it."""


class Terraform:
    """Terraform on this project's configuration, with state and working data in given places.

    ``environment`` adds to this process's own; ``state`` (a file) and ``data_dir`` default to Terraform's own places,
    so that plain ``terraform plan`` in ``terraform/`` sees the same deployment.
    """

    def __init__(
        self,
        environment: Mapping[str, str] | None = None,
        state: Path | None = None,
        data_dir: Path | None = None,
    ) -> None:
        self.environment = {**os.environ, **(environment or {}), "TF_IN_AUTOMATION": "1"}
        # A third of its time is garbage collection over the schema of the provider: a quarter as often is enough.
        self.environment.setdefault("GOGC", "400")
        config = self.environment.get("TF_CLI_CONFIG_FILE")
        if config and not Path(config).exists():
            # Terraform would repeat a warning about it at every step.
            del self.environment["TF_CLI_CONFIG_FILE"]
        self.state = state
        self._data_dir = data_dir or CONFIGURATION / ".terraform"
        if data_dir:
            data_dir.mkdir(parents=True, exist_ok=True)
            self.environment["TF_DATA_DIR"] = str(data_dir)

    def check(self) -> None:
        """Raise TerraformError when Terraform is absent or too old."""
        version = self.version()
        number = tuple(int(part) for part in version.split("-")[0].split(".")[:2])
        if number < OLDEST:
            raise TerraformError(
                f"Terraform {version} is too old: {'.'.join(map(str, OLDEST))} or newer is needed. {INSTALL}"
            )

    def version(self) -> str:
        """Terraform's version. Raises TerraformError when it is absent."""
        if shutil.which("terraform", path=self.environment.get("PATH")) is None:
            raise TerraformError(f"Terraform is not installed (or not on PATH). {INSTALL}")
        done = self.capture("version", "-json")
        try:
            return str(json.loads(done.stdout)["terraform_version"])
        except (ValueError, KeyError) as error:
            raise TerraformError(
                f"`terraform version` failed: {(done.stderr or done.stdout).strip()}"
            ) from error

    def init(self, tests: bool = False) -> None:
        """Install the provider; falls back to an unpacked mirror on this machine when the registry does not answer.

        With ``tests``, the modules that each of their runs needs are installed too: several hundred.
        Where nothing has changed that it looks at, it is spared: it takes seconds to verify the provider.
        """
        mark, wanted = self._data_dir / "initialised-for", _configured(tests)
        if mark.is_file() and mark.read_text() == wanted and self.provider():
            return
        init = ["init", "-input=false", "-no-color", *([] if tests else ["-test-directory=none"])]
        first = self.capture(*init)
        mirrored = (self.capture(*init, f"-plugin-dir={it}") for it in mirrors())
        if any(done.returncode == 0 for done in chain([first], mirrored)):
            mark.write_text(_configured(tests))  # the lock file may have been written just now
            return
        raise TerraformError(
            f"terraform init failed:\n{_indent(first.stderr or first.stdout)}\n"
            "If the registry cannot be reached from here, unpack a mirror of hashicorp/aws (made elsewhere by "
            "`terraform providers mirror DIRECTORY`) below ~/.terraform.d/plugins and run this again."
        )

    def provider(self) -> Path | None:
        """The provider's program, of the version in the lock file, where `terraform init` has installed it."""
        lock = CONFIGURATION / LOCK
        if not lock.is_file():
            return None
        locked = re.search(
            rf'"{PROVIDER.as_posix()}" {{\s*version\s*=\s*"(.+)"', lock.read_text(encoding="utf-8")
        )
        folder = self._data_dir / "providers" / PROVIDER
        programs = folder.glob(f"{locked[1]}/{_platform()}/terraform-provider-aws*") if locked else iter(())
        return next(programs, None)

    def run(self, *arguments: str) -> int:
        """Run a command in the open, on this terminal; returns its exit code."""
        process = subprocess.Popen(self._command(arguments), env=self.environment, cwd=CONFIGURATION)
        _to_the_end(process)
        return process.returncode

    def capture(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """Run a command and return what it printed."""
        process = subprocess.Popen(
            self._command(arguments),
            env=self.environment,
            cwd=CONFIGURATION,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            encoding="utf-8",
            errors="replace",
        )
        said, wrong = _to_the_end(process)
        return subprocess.CompletedProcess(process.args, process.returncode, said, wrong)

    def said(self, *arguments: str) -> str:
        """What a command printed. Raises TerraformError when it fails."""
        done = self.capture(*arguments)
        if done.returncode:
            raise TerraformError(f"terraform {arguments[0]} failed:\n{_indent(done.stderr or done.stdout)}")
        return done.stdout

    def select(self, workspace: str) -> None:
        """Use this workspace's state from here on, making it where there is none. Raises TerraformError."""
        self.said("workspace", "select", "-or-create", "-no-color", workspace)

    def workspaces(self) -> list[str]:
        """The workspaces that have a state, the default one first. Raises TerraformError."""
        lines = self.said("workspace", "list", "-no-color").splitlines()
        return [line.strip("* ") for line in lines if line.strip("* ")]

    def adopt(self, address: str, identifier: str, *options: str) -> None:
        """Take what exists into the state as resource ``address``. Raises TerraformError."""
        self.said("import", "-input=false", "-no-color", *options, address, identifier)

    def planned(self, file: Path) -> dict[str, Any]:
        """A plan file as Terraform's JSON of it. Raises TerraformError."""
        plan: dict[str, Any] = json.loads(self.said("show", "-json", "-no-color", str(file)))
        return plan

    def outputs(self) -> dict[str, object]:
        """The deployment's outputs by name; empty when nothing is deployed. Raises TerraformError."""
        if self.state and not self.state.exists():
            return {}  # as Terraform would say, a second later
        held = json.loads(self.said("output", "-json", "-no-color") or "{}")
        return {name: entry["value"] for name, entry in held.items()}

    def _command(self, arguments: tuple[str, ...]) -> list[str]:
        verb, *options = arguments
        if self.state and verb in ("apply", "destroy", "plan", "output", "import"):
            options.insert(0, f"-state={self.state}")
        return ["terraform", verb, *options]


def _to_the_end(process: subprocess.Popen[str]) -> tuple[str, str]:
    """What a command prints. Raises KeyboardInterrupt after Ctrl-C, but not before the command has ended.

    Terraform has had the signal as well, and notes down what it has begun to make.
    """
    interrupted = None
    while True:
        try:
            said = process.communicate()
            break
        except KeyboardInterrupt as error:
            interrupted = error
    if interrupted:
        raise interrupted
    return said


def _configured(tests: bool) -> str:
    """A digest of what `terraform init` looks at: every file of the configuration, and the provider's lock."""
    names = ["*.tf", LOCK, *(["*.tftest.hcl"] if tests else [])]
    files = sorted(file for name in names for file in CONFIGURATION.rglob(name))
    return hashlib.sha256(b"".join(file.read_bytes() for file in files)).hexdigest()


def mirrors() -> Iterator[Path]:
    """Directories of this machine that hold an unpacked mirror of the AWS provider for this platform."""
    home = Path.home()
    usual = [
        home / ".terraform.d/plugins",
        home / ".local/share/terraform/plugins",
        Path("/usr/local/share/terraform/plugins"),
        Path("/usr/share/terraform/plugins"),
        home / "Library/Application Support/io.terraform/plugins",
        Path("/Library/Application Support/io.terraform/plugins"),
    ]
    if "APPDATA" in os.environ:
        usual.append(Path(os.environ["APPDATA"]) / "terraform.d/plugins")
    patterns = ["/".join(["*"] * depth + [PROVIDER.as_posix()]) for depth in range(SEARCH_DEPTH + 1)]
    found = [
        path.parents[len(PROVIDER.parts) - 1] for pattern in patterns for path in Path("/opt").glob(pattern)
    ]
    for place in [*usual, *sorted(found)]:
        if any((place / PROVIDER).glob(f"*/{_platform()}")):
            yield place


def _platform() -> str:
    machine = platform.machine().lower()
    names = {"x86_64": "amd64", "amd64": "amd64", "aarch64": "arm64", "arm64": "arm64"}
    return f"{platform.system().lower()}_{names.get(machine, machine)}"


def _indent(text: str) -> str:
    return "\n".join(f"  {line}" for line in text.strip().splitlines())


def main(arguments: list[str]) -> int:
    """Say what is wrong with Terraform on this machine; 0 when nothing is."""
    if arguments != ["check"]:
        print(__doc__, file=sys.stderr)
        return 2
    try:
        Terraform().check()
    except TerraformError as error:
        print(f"terraform.py: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
