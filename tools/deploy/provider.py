"""Keep the AWS provider running while several Terraform commands use it. Standard library only.

Terraform starts a provider anew for every command and several times in one, and each time both spend seconds of
processor time on what every resource of AWS looks like. A provider that was started for debugging stays, and Terraform
attaches to it (https://developer.hashicorp.com/terraform/plugin/debugging): that is a third of what a deployment onto
a local AWS costs, and some 8 of its seconds.

For a local AWS and for tests alone: Terraform does not compare a provider that it attaches to with its lock file.
"""

from __future__ import annotations

import contextlib
import re
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from types import FrameType
from typing import IO

from tools.deploy.environment import WINDOWS, separate_group
from tools.deploy.terraform import CONFIGURATION, Terraform

VARIABLE = "TF_REATTACH_PROVIDERS"
#: Where one of these is set, somebody wants to see a provider's log, has started one, or has one trust other
#: authorities: it takes those once, and fails at the second command.
LEFT_ALONE = (VARIABLE, "TF_LOG", "TF_LOG_PROVIDER", "AWS_CA_BUNDLE")
STOP_SECONDS = 15.0


@contextlib.contextmanager
def kept_running(terraform: Terraform) -> Iterator[None]:
    """Let the commands of ``terraform`` (which is initialised) share one provider, and end it after them.

    The provider has the environment of ``terraform``. Where it does not start, the commands start their own.
    """
    environment = terraform.environment
    if any(environment.get(name) for name in LEFT_ALONE) or _trusts_others(environment):
        yield
        return
    with tempfile.TemporaryFile("w+", encoding="utf-8", errors="replace") as log, _ended_by_signals():
        process = _started(terraform, log)
        if process is None:
            yield
            return
        try:
            address = next(filter(None, map(_address, process.stdout or ())), None)
            if address:
                environment[VARIABLE] = address
            yield
            if process.poll() is not None:
                log.seek(0)
                print(f"The AWS provider ended before its time:\n{log.read()[-4000:]}", file=sys.stderr)
        finally:
            environment.pop(VARIABLE, None)
            # As by Ctrl-C: it then removes its socket.
            process.terminate() if WINDOWS else process.send_signal(signal.SIGINT)
            try:
                process.communicate(timeout=STOP_SECONDS)
            except subprocess.TimeoutExpired:
                process.kill()
                process.communicate()


def _trusts_others(environment: Mapping[str, str]) -> bool:
    """Whether the AWS configuration file has a `ca_bundle`, for whichever profile."""
    file = environment.get("AWS_CONFIG_FILE") or "~/.aws/config"
    try:
        return "ca_bundle" in Path(file).expanduser().read_text(encoding="utf-8", errors="replace")
    except (OSError, RuntimeError):
        return False


def _started(terraform: Terraform, log: IO[str]) -> subprocess.Popen[str] | None:
    program = terraform.provider()
    if program is None:
        return None
    try:
        return subprocess.Popen(
            [str(program), "-debug"],
            env=terraform.environment,
            cwd=CONFIGURATION,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=log,
            text=True,
            # Ctrl-C in the terminal is for Terraform, which still needs its provider then.
            **separate_group(),
        )
    except OSError:
        return None


def _address(line: str) -> str | None:
    """Where the provider is reached, in the line in which it says that it is ready."""
    found = re.search(rf"{VARIABLE}='(.*)'", line)
    return found and found[1]


@contextlib.contextmanager
def _ended_by_signals() -> Iterator[None]:
    """Let this process unwind, and so end what it started, where it would just end: a closed terminal, `kill`."""

    def unwind(number: int, _frame: FrameType | None) -> None:
        sys.exit(128 + number)

    numbers = [getattr(signal, name) for name in ("SIGTERM", "SIGHUP") if hasattr(signal, name)]
    # What `nohup` ignores stays ignored.
    taken = [number for number in numbers if signal.getsignal(number) == signal.SIG_DFL]
    for number in taken:
        signal.signal(number, unwind)
    try:
        yield
    finally:
        for number in taken:
            signal.signal(number, signal.SIG_DFL)
