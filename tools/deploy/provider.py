"""Keep the AWS provider running while several Terraform commands use it. Standard library only.

Terraform starts a provider anew for every command and several times in one, and each time both spend seconds of
processor time on what every resource of AWS looks like. A provider that was started for debugging stays, and Terraform
attaches to it (https://developer.hashicorp.com/terraform/plugin/debugging): that is half of what a deployment onto a
local AWS costs, and 10 of its seconds.

For a local AWS and for tests alone: Terraform does not compare a provider that it attaches to with its lock file.
"""

from __future__ import annotations

import contextlib
import re
import signal
import subprocess
import tempfile
from collections.abc import Iterator

from tools.deploy.environment import WINDOWS
from tools.deploy.terraform import Terraform, TerraformError

VARIABLE = "TF_REATTACH_PROVIDERS"
STOP_SECONDS = 15.0
# subprocess.CREATE_NEW_PROCESS_GROUP, which only Windows has.
NEW_GROUP = 0x00000200


@contextlib.contextmanager
def kept_running(terraform: Terraform) -> Iterator[None]:
    """Let the commands of ``terraform`` (which is initialised) share one provider, and end it after them.

    The provider has the environment of ``terraform``. Raises TerraformError when it does not start.
    """
    with tempfile.TemporaryFile("w+") as log:
        process = subprocess.Popen(
            [str(terraform.provider()), "-debug"],
            env=terraform.environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=log,
            text=True,
            # Ctrl-C in the terminal is for Terraform, which still needs its provider then.
            **({"creationflags": NEW_GROUP} if WINDOWS else {"start_new_session": True}),
        )
        try:
            address = next(filter(None, map(_address, process.stdout or ())), None)
            if address is None:
                log.seek(0)
                raise TerraformError(f"The AWS provider did not start: {log.read().strip()}")
            terraform.environment[VARIABLE] = address
            yield
        finally:
            terraform.environment.pop(VARIABLE, None)
            # As by Ctrl-C: it then removes its socket.
            process.terminate() if WINDOWS else process.send_signal(signal.SIGINT)
            try:
                process.communicate(timeout=STOP_SECONDS)
            except subprocess.TimeoutExpired:
                process.kill()
                process.communicate()


def _address(line: str) -> str | None:
    """Where the provider is reached, in the line in which it says that it is ready."""
    found = re.search(rf"{VARIABLE}='(.*)'", line)
    return found and found[1]
