"""tools/deploy/provider.py: one provider for several commands, ended whatever happens, and no harm where it fails."""

import os
import signal
from pathlib import Path

import psutil
import pytest

from tools.deploy import provider, terraform
from tools.deploy.provider import VARIABLE, kept_running
from tools.deploy.terraform import LOCK, Terraform

#: Says that it is ready, with its process id and a variable of its environment.
READY = f"""echo "Set {VARIABLE}='$$ $PLACE'"\n"""


@pytest.fixture(autouse=True)
def lock(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A lock file that names version 5.1.0, after another provider's; and none of the variables that change it all."""
    monkeypatch.setattr("tools.deploy.terraform.CONFIGURATION", tmp_path)
    (tmp_path / LOCK).write_text(
        'provider "registry.terraform.io/hashicorp/archive" {\n  version     = "2.7.0"\n}\n'
        'provider "registry.terraform.io/hashicorp/aws" {\n  version     = "5.1.0"\n}\n'
    )
    for name in provider.LEFT_ALONE:
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "config"))
    monkeypatch.setattr(provider, "STOP_SECONDS", 2.0)


def installed(folder: Path, script: str) -> Terraform:
    """Terraform whose provider is a shell script; an older version and another platform's are there as well."""
    here = terraform._platform()
    for version, platform in (("5.0.0", here), ("5.1.0", "plan9_mips"), ("5.1.0", here)):
        home = folder / "providers" / "registry.terraform.io/hashicorp/aws" / version / platform
        home.mkdir(parents=True)
        program = home / f"terraform-provider-aws_v{version}_x5"
        program.write_text(f"#!/bin/sh\n{script}" if (version, platform) == ("5.1.0", here) else "no program")
        program.chmod(0o755)
    return Terraform({"PLACE": "here"}, data_dir=folder)


def test_commands_share_a_provider_that_has_their_environment_and_ends_after_them(tmp_path: Path) -> None:
    terraform = installed(tmp_path, f"{READY}exec sleep 60")
    before = dict(terraform.environment)
    with kept_running(terraform):
        pid, place = terraform.environment[VARIABLE].split()
        assert psutil.pid_exists(int(pid)) and place == "here"
        assert os.getpgid(int(pid)) != os.getpgrp()  # Ctrl-C does not end it before Terraform
    assert not psutil.pid_exists(int(pid)) and terraform.environment == before


def test_a_provider_that_does_not_end_is_killed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(provider, "STOP_SECONDS", 0.1)
    terraform = installed(tmp_path, f"trap '' INT TERM\n{READY}while :; do sleep 0.05; done")
    with kept_running(terraform):
        pid = int(terraform.environment[VARIABLE].split()[0])
    assert not psutil.pid_exists(pid)


def test_it_ends_where_a_command_fails(tmp_path: Path) -> None:
    terraform, ended = installed(tmp_path, f"{READY}exec sleep 60"), False
    try:
        with kept_running(terraform):
            pid = int(terraform.environment[VARIABLE].split()[0])
            raise KeyError
    except KeyError:
        ended = not psutil.pid_exists(pid)
    assert ended


@pytest.mark.parametrize("fault", ["ends", "cannot be run", "is not there"])
def test_without_one_that_starts_commands_start_their_own(fault: str, tmp_path: Path) -> None:
    terraform = installed(tmp_path, "echo 'out of memory' >&2; exit 1")
    program = terraform.provider()
    assert program
    if fault == "cannot be run":
        program.chmod(0o644)
    if fault == "is not there":
        program.unlink()
    with kept_running(terraform):
        assert VARIABLE not in terraform.environment


@pytest.mark.parametrize("name", provider.LEFT_ALONE)
def test_where_one_of_these_is_set_terraform_starts_it(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(name, "DEBUG")
    terraform = installed(tmp_path, f"touch {tmp_path}/started")
    with kept_running(terraform):
        assert terraform.environment[name] == "DEBUG"
    assert not (tmp_path / "started").exists() and terraform.environment[name] == "DEBUG"


def test_a_profile_with_authorities_of_its_own_has_terraform_start_it(tmp_path: Path) -> None:
    (tmp_path / "config").write_text("[profile work]\nca_bundle = /etc/ours.pem\n")
    terraform = installed(tmp_path, f"touch {tmp_path}/started")
    with kept_running(terraform):
        assert VARIABLE not in terraform.environment
    assert not (tmp_path / "started").exists()


def test_the_last_words_of_one_that_dies_are_told(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    terraform = installed(tmp_path, f"{READY}echo 'panic: out of luck' >&2")
    with kept_running(terraform):
        psutil.Process(int(terraform.environment[VARIABLE].split()[0])).wait(30)
    assert "panic: out of luck" in capfd.readouterr().err


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP])
def test_it_ends_where_the_command_is_ended(number: int, tmp_path: Path) -> None:
    terraform, ended = installed(tmp_path, f"{READY}exec sleep 60"), False
    before = signal.signal(number, signal.SIG_DFL)
    try:
        with kept_running(terraform):
            pid = int(terraform.environment[VARIABLE].split()[0])
            os.kill(os.getpid(), number)
            pytest.fail("it went on")
    except SystemExit as error:
        ended = error.code == 128 + number and not psutil.pid_exists(pid)
    finally:
        after = signal.signal(number, before)
    assert ended and after == signal.SIG_DFL


def test_under_nohup_a_closed_terminal_ends_nothing(tmp_path: Path) -> None:
    terraform = installed(tmp_path, f"{READY}exec sleep 60")
    before = signal.signal(signal.SIGHUP, signal.SIG_IGN)
    try:
        with kept_running(terraform):
            os.kill(os.getpid(), signal.SIGHUP)
    finally:
        after = signal.signal(signal.SIGHUP, before)
    assert after == signal.SIG_IGN
