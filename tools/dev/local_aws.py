"""Run an AWS of one's own on this machine: ``python -m tools.dev.local_aws start | stop | status``.

The emulator is ministack: one process, no Docker, no account, and it executes the real deployment packages. It lives
in a virtual environment that holds nothing else but boto3, because it runs Lambda functions in its own interpreter: a
package missing from a zip would otherwise be found there. It listens on 127.0.0.1 alone, enforces IAM, and keeps its
state below ``.local`` so that it survives a restart. Standard library only.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from dataclasses import dataclass
from pathlib import Path

from tools.deploy.environment import WINDOWS, SetupError, prepare

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
        """The URL that stands for every AWS service."""
        return f"http://{HOST}:{self.port}"


class LocalAws:
    """One local AWS, known by the directory that holds its state.

    ``state_dir`` holds pid, log, and the emulator's data; ``venv_dir`` may be shared between several (default: the
    project's ``.local/venv``).
    """

    def __init__(
        self, state_dir: Path = DEFAULT_STATE, port: int = DEFAULT_PORT, venv_dir: Path | None = None
    ) -> None:
        self.state_dir = Path(state_dir).resolve()
        self.port = port
        self.venv_dir = (venv_dir or DEFAULT_STATE / "venv").resolve()
        self.log_file = self.state_dir / "server.log"
        self._record = self.state_dir / "server.json"
        self._process: subprocess.Popen[bytes] | None = None

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
                notice="Installing the local AWS (once)" if say else "",
            )
        except SetupError as error:
            raise LocalAwsError(str(error)) from error
        self._process = self._spawn(python)
        server = Server(self._process.pid, self.port)
        self._record.write_text(json.dumps({"pid": server.pid, "port": server.port}) + "\n", encoding="utf-8")
        try:
            self._wait_until_ready(self._process, timeout)
        except BaseException:
            self.stop()
            raise
        return server

    def stop(self, timeout: float = STOP_SECONDS) -> bool:
        """End the emulator and the Lambda workers it started; True when there was one to end.

        The emulator gets ``timeout`` seconds to save its state before it is killed.
        """
        server = self._recorded()
        if server is None or not self._is_ours(server.pid):
            self._record.unlink(missing_ok=True)
            return False
        _signal(server.pid, signal.SIGTERM)
        if not self._gone(server.pid, timeout):
            _kill_group(server.pid)
            self._gone(server.pid, timeout)
        _kill_group(server.pid)
        _wait(lambda: not _port_answers(server.port), timeout)
        self._record.unlink(missing_ok=True)
        self._process = None
        return True

    def status(self) -> Server | None:
        """The running emulator of this state directory, or None."""
        server = self._recorded()
        if server is None or not self._is_ours(server.pid):
            return None
        return server

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
        # A group of its own: Lambda workers inherit it, so stop() can end what an emulator killed hard left behind.
        detach = {"creationflags": 0x00000208} if WINDOWS else {"start_new_session": True}
        with open(self.log_file, "wb") as log:
            return subprocess.Popen(
                [str(python), "-P", str(SERVER)],
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
                    f"The local AWS ended at once (exit code {process.returncode}). Its last words:\n"
                    f"{self.log_tail()}\nIf its saved state is damaged, run: make clean"
                )
            if _answers_ready(self.port):
                return
            time.sleep(POLL_SECONDS)
        raise LocalAwsError(
            f"The local AWS did not answer within {timeout:.0f} s. Its last words:\n{self.log_tail()}"
        )

    def _recorded(self) -> Server | None:
        try:
            record = json.loads(self._record.read_text(encoding="utf-8"))
            return Server(int(record["pid"]), int(record["port"]))
        except (OSError, ValueError, KeyError, TypeError):
            return None

    def _is_ours(self, pid: int) -> bool:
        """Whether ``pid`` lives and is an emulator: after a reboot the number may belong to anything."""
        if self._process is not None and self._process.pid == pid:
            return self._process.poll() is None
        return _alive(pid) and "ministack" in _command_line(pid)

    def _gone(self, pid: int, timeout: float) -> bool:
        return _wait(lambda: not self._is_ours(pid), timeout)


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


def port_number(text: str) -> int:
    """The TCP port that ``--port`` or LOCAL_AWS_PORT names; an argparse type, so what is none ends with a message."""
    number = int(text) if text.isascii() and text.isdigit() and len(text) <= 5 else 0
    if not LOWEST_PORT <= number <= HIGHEST_PORT:
        raise argparse.ArgumentTypeError(
            f"{text!a} is no port: LOCAL_AWS_PORT (or --port) takes a number from {LOWEST_PORT} to {HIGHEST_PORT}, "
            f"for example LOCAL_AWS_PORT={DEFAULT_PORT + 1}"
        )
    return number


def free_port() -> int:
    """A TCP port of this machine that nothing listens on at the moment."""
    with socket.socket() as probe:
        probe.bind((HOST, 0))
        return int(probe.getsockname()[1])


def _wait(condition: object, timeout: float) -> bool:
    deadline = time.monotonic() + timeout
    while not condition():  # type: ignore[operator]
        if time.monotonic() > deadline:
            return False
        time.sleep(POLL_SECONDS)
    return True


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


def _alive(pid: int) -> bool:
    if WINDOWS:
        return str(pid) in _output(["tasklist", "/FI", f"PID eq {pid}", "/NH"])
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    with contextlib.suppress(OSError):
        # A child that has ended but is not yet waited for still answers kill(pid, 0).
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    return True


def _command_line(pid: int) -> str:
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
    except OSError:
        pass
    if WINDOWS:
        return _output(["wmic", "process", "where", f"ProcessId={pid}", "get", "CommandLine"]) or "ministack"
    return _output(["ps", "-p", str(pid), "-o", "command="])


def _output(command: list[str]) -> str:
    try:
        return subprocess.run(command, capture_output=True, text=True, check=False).stdout
    except OSError:
        return ""


def _signal(pid: int, number: int) -> None:
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.kill(pid, number)


def _kill_group(pid: int) -> None:
    """End every process of the group that the emulator led: its Lambda workers."""
    if WINDOWS:
        subprocess.run(["taskkill", "/F", "/T", "/PID", str(pid)], capture_output=True, check=False)
        return
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(pid, signal.SIGKILL)


def parse_arguments(arguments: list[str] | None) -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(prog="local_aws.py", description="An AWS of one's own on this machine.")
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
        print("\nInterrupted. Whether the local AWS runs says: make status", file=sys.stderr)
        return 130
    return 0


if __name__ == "__main__":
    sys.exit(main())
