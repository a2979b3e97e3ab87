"""The local AWS's command line: wrong ports, a taken one, an interrupt; nothing is started here."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tools.deploy import environment
from tools.dev import demo, local_aws

ROOT = Path(local_aws.__file__).parents[2]


@pytest.mark.parametrize(
    "port", ["abc", "0", "80", "70000", "-1", "4566.5", "\u0664\u0665\u0666\u0666", "9" * 5000]
)
@pytest.mark.parametrize("run", [lambda: local_aws.main(["start"]), lambda: demo.main(["--no-images"])])
def test_what_is_no_port_ends_with_a_message(
    run, port: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("LOCAL_AWS_PORT", port)
    with pytest.raises(SystemExit) as caught:
        run()
    assert caught.value.code == 2
    assert (
        "is no port: LOCAL_AWS_PORT (or --port) takes a number from 1024 to 65535" in capsys.readouterr().err
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
