"""tools/deploy/provider.py: one provider for several commands, ended whatever happens, and a reason where it fails."""

import os
from pathlib import Path

import psutil
import pytest

from tools.deploy import provider
from tools.deploy.provider import VARIABLE, kept_running
from tools.deploy.terraform import LOCK, Terraform, TerraformError

#: Says that it is ready, with its process id and a variable of its environment.
READY = f"""echo "Set {VARIABLE}='$$ $PLACE'"\n"""


@pytest.fixture(autouse=True)
def lock(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A lock file that names version 5.1.0."""
    monkeypatch.setattr("tools.deploy.terraform.CONFIGURATION", tmp_path)
    (tmp_path / LOCK).write_text(
        'provider "registry.terraform.io/hashicorp/aws" {\n  version     = "5.1.0"\n}\n'
    )


def installed(folder: Path, script: str) -> Terraform:
    """Terraform whose provider is a shell script; an older version is still there."""
    for version in ("5.0.0", "5.1.0"):
        home = folder / "providers" / "registry.terraform.io/hashicorp/aws" / version / "linux_amd64"
        home.mkdir(parents=True)
        program = home / f"terraform-provider-aws_v{version}_x5"
        program.write_text(f"#!/bin/sh\n{script if version == '5.1.0' else 'exit 1'}")
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


def test_one_that_does_not_start_says_why(tmp_path: Path) -> None:
    terraform = installed(tmp_path, "echo starting\necho 'cannot execute this' >&2\nexit 1")
    with pytest.raises(TerraformError, match="did not start: cannot execute this"), kept_running(terraform):
        pytest.fail("it has not started")
