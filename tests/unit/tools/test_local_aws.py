"""The local AWS's command line (wrong ports, a taken one, an interrupt), and which process is taken for it."""

import contextlib
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from tools.deploy import environment
from tools.dev import demo, local_aws

ROOT = Path(local_aws.__file__).parents[2]


@pytest.mark.parametrize(
    "port", ["abc", "0", "80", "70000", "-1", "4566.5", "\u0664\u0665\u0666\u0666", "9" * 5000]
)
@pytest.mark.parametrize("run", [lambda: local_aws.main(["start"]), lambda: demo.main(["--no-images"])])
def test_what_is_not_a_port_ends_with_a_message(
    run, port: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("LOCAL_AWS_PORT", port)
    with pytest.raises(SystemExit) as caught:
        run()
    assert caught.value.code == 2
    assert (
        "is not a port: LOCAL_AWS_PORT (or --port) takes a number from 1024 to 65535"
        in capsys.readouterr().err
    )


def test_an_empty_port_is_the_usual_one(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LOCAL_AWS_PORT", "")
    assert local_aws.parse_arguments(["status"]).port == 4566
    assert local_aws.parse_arguments(["status", "--port", "5000"]).port == 5000


@pytest.mark.parametrize(("taken", "other"), [(4566, 4567), (65535, 65534)])
def test_a_taken_port_says_how_to_take_another(
    taken: int, other: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(local_aws, "_port_answers", lambda _port: True)
    with pytest.raises(local_aws.LocalAwsError, match=f"LOCAL_AWS_PORT={other} make demo"):
        local_aws.LocalAws(tmp_path, taken).start()


def test_asking_for_the_status_of_a_stopped_one_is_no_error_of_make(tmp_path: Path) -> None:
    fake = tmp_path / "python3"
    fake.write_text(
        f'#!/bin/sh\ncase "$1" in -m) exec "{sys.executable}" "$@" --state-dir "{tmp_path}";; esac\n'
    )
    fake.chmod(0o755)
    done = subprocess.run(
        ["make", "-C", str(ROOT), "--no-print-directory", "status"],
        env={**os.environ, "PYTHON": str(fake)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, "The local AWS is not running\n", "")


def test_an_interrupt_during_setup_is_no_traceback(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    def interrupt(*_arguments: object, **_options: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(environment, "prepare", interrupt)
    assert environment.main([str(tmp_path), "requirements/dev.txt"]) == 130
    assert "run it again" in capsys.readouterr().err
    monkeypatch.setattr(local_aws, "prepare", interrupt)
    monkeypatch.setattr(local_aws.LocalAws, "_refuse_taken_port", lambda _local: None)
    assert local_aws.main(["start", "--state-dir", str(tmp_path)]) == 130
    assert "make status" in capsys.readouterr().err


def test_the_pip_that_is_pinned_installs_the_rest(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    installed = []

    def install(_python: Path, requirements: Path, *_options: str) -> None:
        installed.append(requirements.read_text(encoding="utf-8"))

    monkeypatch.setattr(environment, "install", install)
    monkeypatch.setattr(environment, "LOCK", tmp_path / "lock")
    pins = "first==1 \\\n    --hash=sha256:1\npip==26.3 \\\n    --hash=sha256:2\npip-api==1 \\\n    --hash=sha256:3\n"
    requirements = tmp_path / "requirements.txt"
    requirements.write_text(pins, encoding="utf-8")
    python = environment.python_of(tmp_path)  # it is there, so that none is made
    python.parent.mkdir()
    python.symlink_to(sys.executable)
    monkeypatch.setattr(environment, "_has_pip", lambda _python: True)
    environment.prepare(tmp_path, requirements)
    assert installed == ["pip==26.3 \\\n    --hash=sha256:2\n", pins]


def test_an_environment_that_lost_its_pip_is_made_anew(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """As it does where an interrupt comes while pip replaces itself."""
    folder, requirements = tmp_path / "environment", tmp_path / "requirements.txt"
    python = environment.python_of(folder)
    requirements.write_text("", encoding="utf-8")

    def create(made: Path, **_options: object) -> None:
        assert not made.exists()
        python.parent.mkdir(parents=True)
        python.symlink_to(sys.executable)

    monkeypatch.setattr(environment, "install", lambda *_: None)
    monkeypatch.setattr(environment, "LOCK", tmp_path / "lock")
    monkeypatch.setattr(environment.venv, "create", create)
    python.parent.mkdir(parents=True)
    python.write_text(f'#!/bin/sh\ncase "$2" in pip) exit 1;; esac\nexec "{sys.executable}" "$@"\n')
    python.chmod(0o755)
    environment.prepare(folder, requirements)
    assert python.is_symlink()


STUBBORN = """
import signal, subprocess, sys, time
signal.signal(signal.SIGTERM, signal.SIG_IGN)
child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"])
print(child.pid, flush=True)
time.sleep(600)
"""


@pytest.fixture
def stubborn(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[tuple[subprocess.Popen[str], psutil.Process]]:
    """A process that ignores being asked to end, and a child of it; recorded as the local AWS of `tmp_path`."""
    monkeypatch.setattr(local_aws, "_port_answers", lambda _port: False)
    script = tmp_path / "server.py"
    script.write_text(STUBBORN)
    process = subprocess.Popen([sys.executable, str(script)], stdout=subprocess.PIPE, text=True)
    child = psutil.Process(int(process.stdout.readline()))
    (tmp_path / "server.json").write_text(json.dumps({"pid": process.pid, "port": 4566}))
    yield process, child
    for each in (process, child):
        with contextlib.suppress(psutil.NoSuchProcess):
            each.kill()
    process.wait()
    process.stdout.close()


def test_another_program_with_the_recorded_pid_is_left_alone(stubborn, tmp_path: Path) -> None:
    local = local_aws.LocalAws(tmp_path)
    assert local.status() is None
    assert local.stop() is False
    process, child = stubborn
    assert process.poll() is None and child.is_running()


def test_a_server_that_does_not_end_is_killed_with_what_it_started(
    stubborn, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(local_aws, "SERVER", tmp_path / "server.py")
    local, (process, child) = local_aws.LocalAws(tmp_path), stubborn
    assert local.status().pid == process.pid
    assert local.stop(timeout=1) is True
    assert process.poll() is not None
    assert not child.is_running() or child.status() == psutil.STATUS_ZOMBIE
    assert local.status() is None and not (tmp_path / "server.json").exists()


def test_a_server_of_another_user_is_told(
    stubborn, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def refuse(_process: psutil.Process) -> None:
        raise psutil.AccessDenied(1)

    monkeypatch.setattr(local_aws, "SERVER", tmp_path / "server.py")
    monkeypatch.setattr(psutil.Process, "terminate", refuse)
    assert local_aws.main(["stop", "--state-dir", str(tmp_path)]) == 1
    assert "belongs to another user" in capsys.readouterr().err
    assert (tmp_path / "server.json").exists()


@pytest.mark.parametrize(
    ("recorded", "verb", "code", "says"),
    [
        (False, "stop", 0, "The local AWS was not running"),
        (False, "status", 3, "The local AWS is not running"),
        (True, "stop", 1, "run: make setup"),
    ],
)
def test_without_an_environment_stop_and_status_say_what_they_can(
    tmp_path: Path, recorded: bool, verb: str, code: int, says: str
) -> None:
    if recorded:
        (tmp_path / "server.json").write_text('{"pid": 1, "port": 4566}')
    command = [sys.executable, "-S", "-m", "tools.dev.local_aws", verb, "--state-dir", str(tmp_path)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == code
    assert says in done.stdout + done.stderr and "Traceback" not in done.stderr
