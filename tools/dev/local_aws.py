"""Run a local AWS on this machine: ``python -m tools.dev.local_aws start | stop | status``.

The emulator is ministack: one process, no Docker, no account, and it executes the real deployment packages. It lives
in a virtual environment that holds nothing else but boto3, because it runs Lambda functions in its own interpreter: a
package missing from a zip would otherwise be found there. It listens on 127.0.0.1 alone, enforces IAM, and keeps its
state below ``.local`` so that it survives a restart.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from dataclasses import dataclass
from pathlib import Path

from tools.deploy.environment import WINDOWS, SetupError, prepare
from tools.deploy.verify import eventually

try:
    import psutil
except ImportError:  # `make down` and `make status` also run where `make setup` never has
    psutil = None  # type: ignore[assignment]

ROOT = Path(__file__).resolve().parents[2]
REQUIREMENTS = ROOT / "requirements" / "local-aws.txt"
CALL = "python -m tools.dev.local_aws"
SERVER = ROOT / "tools" / "dev" / "ministack_server.py"
DEFAULT_STATE = ROOT / ".local"
DEFAULT_PORT = 4566
# Lower ones are the system's.
LOWEST_PORT, HIGHEST_PORT = 1024, 65535
HOST = "127.0.0.1"
REGION = "us-east-1"
# Accepted unchecked by the emulator as its account's root user.
ROOT_KEY = "test"

READY_SECONDS = 60.0
STOP_SECONDS = 15.0
POLL_SECONDS = 0.05
LOG_TAIL_LINES = 15


class LocalAwsError(Exception):
    """The local AWS cannot be started or stopped; the text says what to do about it."""


@dataclass(frozen=True)
class Server:
    """A running emulator: process id, port and URL."""

    pid: int
    port: int

    @property
    def endpoint(self) -> str:
        """The URL of every AWS service."""
        return f"http://{HOST}:{self.port}"


class LocalAws:
    """One local AWS, known by the directory that holds its state.

    ``state_dir`` holds pid, log, and the emulator's data; ``venv_dir`` may be shared between several (default: the
    project's ``.local/venv``). ``libraries`` is a folder of packages for the emulator itself and no function: with
    ``duckdb`` in it, Athena answers queries.
    """

    def __init__(
        self,
        state_dir: Path = DEFAULT_STATE,
        port: int = DEFAULT_PORT,
        venv_dir: Path | None = None,
        libraries: Path | None = None,
    ) -> None:
        self.state_dir = Path(state_dir).resolve()
        self.port = port
        self.libraries = libraries
        self.venv_dir = (venv_dir or DEFAULT_STATE / "venv").resolve()
        self.log_file = self.state_dir / "server.log"
        self._record = self.state_dir / "server.json"
        self._started: subprocess.Popen[bytes] | None = None

    def start(self, timeout: float = READY_SECONDS, say: bool = False) -> Server:
        """Start the emulator and return when it answers; does nothing when this one runs already.

        Raises LocalAwsError when the port is taken, the process dies or ``timeout`` seconds are not enough.
        """
        self.state_dir.mkdir(parents=True, exist_ok=True)
        running = self.status()
        if running:
            if running.port != self.port:
                raise LocalAwsError(
                    f"The local AWS already runs, on port {running.port}. Stop it first: make down"
                )
            return running
        self._refuse_taken_port()
        try:
            # Exactly the pinned packages, and the Python that runs this: functions are built for it and executed in it.
            python = prepare(
                self.venv_dir,
                REQUIREMENTS,
                exact=True,
                compiled=True,
                notice="Installing the local AWS (once)" if say else "",
            )
        except SetupError as error:
            raise LocalAwsError(str(error)) from error
        self._started = process = self._spawn(python)
        server = Server(process.pid, self.port)
        self._record.write_text(json.dumps({"pid": server.pid, "port": server.port}) + "\n", encoding="utf-8")
        try:
            self._wait_until_ready(process, timeout)
        except BaseException:
            self.stop()
            raise
        return server

    def stop(self, timeout: float = STOP_SECONDS) -> bool:
        """End the emulator and the Lambda workers it started; True when there was one to end.

        The emulator gets ``timeout`` seconds to save its state before it is killed.
        """
        server, process = self._recorded(), self._running()
        if server and process:
            try:
                _end(process, timeout)
            except psutil.AccessDenied as error:
                raise LocalAwsError(f"The local AWS (pid {server.pid}) belongs to another user.") from error
            eventually(lambda: not _port_answers(server.port), timeout)
        self._record.unlink(missing_ok=True)
        if self._started:
            # One that was killed from outside is only gone when it has been waited for.
            with contextlib.suppress(subprocess.TimeoutExpired):
                self._started.wait(timeout)
        return process is not None

    def status(self) -> Server | None:
        """The running emulator of this state directory, or None."""
        return self._recorded() if self._running() else None

    def environment(self) -> dict[str, str]:
        """Environment variables that point boto3, the AWS CLI and Terraform at this emulator, as its root user."""
        return local_environment(f"http://{HOST}:{self.port}")

    def log_tail(self) -> str:
        """The last lines of the emulator's log, indented."""
        try:
            lines = self.log_file.read_text(encoding="utf-8", errors="replace").splitlines()
        except OSError:
            return "  (no log)"
        return "\n".join(f"  {line}" for line in lines[-LOG_TAIL_LINES:]) or "  (the log is empty)"

    def _refuse_taken_port(self) -> None:
        if _port_answers(self.port) or not _port_is_free(self.port):
            other = self.port + 1 if self.port < HIGHEST_PORT else self.port - 1
            raise LocalAwsError(
                f"Port {self.port} is already taken by another program. Either stop that program, or use another port: "
                f"LOCAL_AWS_PORT={other} make demo   (or make up, or {CALL} start --port {other})"
            )

    def _spawn(self, python: Path) -> subprocess.Popen[bytes]:
        folders = {name: self.state_dir / name for name in ("state", "s3", "tmp", "home")}
        for folder in folders.values():
            folder.mkdir(exist_ok=True)
        environment = {
            "PATH": os.defpath if not WINDOWS else os.environ.get("PATH", os.defpath),
            "HOME": str(folders["home"]),
            "TMPDIR": str(folders["tmp"]),
            "LANG": "C.UTF-8",
            "BIND_HOST": HOST,
            "GATEWAY_PORT": str(self.port),
            "AUTH": "true",
            "LAMBDA_EXECUTOR": "local",
            "PERSIST_STATE": "1",
            "STATE_DIR": str(folders["state"]),
            "S3_PERSIST": "1",
            "S3_DATA_DIR": str(folders["s3"]),
            "SFTP_ENABLED": "0",
            "IOT_MTLS_ENABLED": "0",
            "PYTHONDONTWRITEBYTECODE": "1",
        }
        if WINDOWS:
            environment |= {
                name: os.environ[name] for name in ("SYSTEMROOT", "COMSPEC", "PATHEXT") if name in os.environ
            }
            environment |= {"TEMP": str(folders["tmp"]), "TMP": str(folders["tmp"])}
        # A group of its own, so that Ctrl-C in the terminal does not reach it.
        detach = {"creationflags": 0x00000208} if WINDOWS else {"start_new_session": True}
        with open(self.log_file, "wb") as log:
            return subprocess.Popen(
                [str(python), "-P", str(SERVER), *([str(self.libraries)] if self.libraries else [])],
                env=environment,
                cwd=self.state_dir,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                **detach,
            )  # type: ignore[call-overload,no-any-return]

    def _wait_until_ready(self, process: subprocess.Popen[bytes], timeout: float) -> None:
        deadline = time.monotonic() + timeout
        while time.monotonic() < deadline:
            if process.poll() is not None:
                raise LocalAwsError(
                    f"The local AWS ended at once (exit code {process.returncode}). The end of its log:\n"
                    f"{self.log_tail()}\nIf its saved state is damaged, run: make clean"
                )
            if _answers_ready(self.port):
                return
            time.sleep(POLL_SECONDS)
        raise LocalAwsError(
            f"The local AWS did not answer within {timeout:.0f} s. The end of its log:\n{self.log_tail()}"
        )

    def _recorded(self) -> Server | None:
        try:
            record = json.loads(self._record.read_text(encoding="utf-8"))
            return Server(int(record["pid"]), int(record["port"]))
        except (OSError, ValueError, KeyError, TypeError):
            return None

    def _running(self) -> psutil.Process | None:
        """The recorded process if it is an emulator: after a reboot the number may belong to any program."""
        server = self._recorded()
        if server is None:
            return None
        if psutil is None:
            raise LocalAwsError(
                "Whether the local AWS runs cannot be found out without psutil; run: make setup"
            )
        try:
            process = psutil.Process(server.pid)
            # A command line that may not be read is another user's.
            return process if str(SERVER) in process.cmdline() else None
        except psutil.Error:
            return None


def local_environment(endpoint: str) -> dict[str, str]:
    """Environment variables that point any AWS client at ``endpoint`` with the emulator's root credentials."""
    return {
        "AWS_ENDPOINT_URL": endpoint,
        "AWS_ACCESS_KEY_ID": ROOT_KEY,
        "AWS_SECRET_ACCESS_KEY": ROOT_KEY,
        "AWS_DEFAULT_REGION": REGION,
        "AWS_REGION": REGION,
        "AWS_EC2_METADATA_DISABLED": "true",
    }


def _end(process: psutil.Process, timeout: float) -> None:
    """End a process, which gets ``timeout`` seconds to do so itself, and then all that it started."""
    family: list[psutil.Process] = []
    with contextlib.suppress(psutil.NoSuchProcess):
        family += process.children(recursive=True)
        process.terminate()
        try:
            process.wait(timeout)
        except psutil.TimeoutExpired:
            family += [process, *process.children(recursive=True)]
    for member in family:
        with contextlib.suppress(psutil.NoSuchProcess):
            member.kill()
    psutil.wait_procs(family, timeout)


def port_number(text: str) -> int:
    """The TCP port that ``--port`` or LOCAL_AWS_PORT names; an argparse type, so anything else ends with a message."""
    number = int(text) if text.isascii() and text.isdigit() and len(text) <= 5 else 0
    if not LOWEST_PORT <= number <= HIGHEST_PORT:
        raise argparse.ArgumentTypeError(
            f"{text!a} is not a port: LOCAL_AWS_PORT (or --port) takes a number from {LOWEST_PORT} to {HIGHEST_PORT}, "
            f"for example LOCAL_AWS_PORT={DEFAULT_PORT + 1}"
        )
    return number


def free_port() -> int:
    """A TCP port of this machine that nothing listens on at the moment."""
    with socket.socket() as probe:
        probe.bind((HOST, 0))
        return int(probe.getsockname()[1])


def _port_answers(port: int) -> bool:
    with socket.socket() as probe:
        probe.settimeout(1)
        return probe.connect_ex((HOST, port)) == 0


def _port_is_free(port: int) -> bool:
    with socket.socket() as probe:
        if not WINDOWS:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, port))
        except OSError:
            return False
    return True


def _answers_ready(port: int) -> bool:
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    try:
        with opener.open(f"http://{HOST}:{port}/_ministack/ready", timeout=2) as answer:
            return bool(answer.status == 200)
    except (urllib.error.URLError, OSError):
        return False


def parse_arguments(arguments: list[str] | None) -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(prog="local_aws.py", description="A local AWS on this machine.")
    parser.add_argument("command", choices=["start", "stop", "status"])
    parser.add_argument(
        "--port",
        type=port_number,
        default=os.environ.get("LOCAL_AWS_PORT") or str(DEFAULT_PORT),
        help=f"TCP port on {HOST} (default: $LOCAL_AWS_PORT or {DEFAULT_PORT})",
    )
    parser.add_argument(
        "--state-dir",
        type=Path,
        default=DEFAULT_STATE,
        help="directory of its state, log and pid (default .local)",
    )
    return parser.parse_args(arguments)


def main(arguments: list[str] | None = None) -> int:
    """Run one command; ``status`` exits 0 when running and 3 when not, failures exit 1 with what to do."""
    options = parse_arguments(arguments)
    local = LocalAws(options.state_dir, options.port)
    try:
        if options.command == "start":
            server = local.start(say=True)
            print(f"Local AWS: {server.endpoint} (pid {server.pid})")
        elif options.command == "stop":
            print("Local AWS stopped" if local.stop() else "The local AWS was not running")
        else:
            running = local.status()
            print(
                f"Local AWS: {running.endpoint} (pid {running.pid})"
                if running
                else "The local AWS is not running"
            )
            return 0 if running else 3
    except (LocalAwsError, TimeoutError) as error:
        print(f"local_aws.py: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("\nInterrupted. To see whether the local AWS runs: make status", file=sys.stderr)
        return 130
    return 0


if __name__ == "__main__":
    sys.exit(main())
