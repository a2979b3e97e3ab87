"""Ctrl-C: every command ends with 130 and says, in a line, how to go on; Terraform is left to end by itself."""

import os
import signal
import subprocess
import sys
from pathlib import Path
from types import ModuleType

import pytest

from tools.deploy import build, deploy
from tools.deploy.terraform import Terraform
from tools.ops import reconcile, snapshot, sql

ROOT = Path(deploy.__file__).parents[2]


@pytest.mark.parametrize(
    ("tool", "work", "arguments", "said"),
    [
        (
            deploy,
            "deploy",
            ["plan"],
            "deploy.sh: interrupted; what was made is remembered. To go on: ./deploy.sh plan",
        ),
        (build, "build_all", [], "build.sh: interrupted; run it again to go on"),
        (
            reconcile,
            "Reconciler",
            ["--bucket", "b", "--table", "t"],
            "reconcile: interrupted; it goes on with --resume",
        ),
        (
            snapshot,
            "compare",
            ["--search-bucket", "b", "--table", "t"],
            "snapshot.py: interrupted; running it again is safe",
        ),
        (sql, "Catalogue", ["--search-bucket", "b", "SELECT 1"], "sql.py: interrupted"),
    ],
)
def test_an_interrupted_command_says_how_to_go_on(
    tool: ModuleType,
    work: str,
    arguments: list[str],
    said: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    tmp_path: Path,
) -> None:
    def interrupted(*_arguments: object, **_options: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.chdir(tmp_path)
    for name in ("AWS_REGION", "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "us-east-1")
    monkeypatch.setattr(Terraform, "check", lambda _self: None)
    monkeypatch.setattr(tool, work, interrupted)
    assert tool.main(arguments) == 130
    assert capsys.readouterr() == ("", f"\n{said}\n")
    assert (tmp_path / ".reconcile-b.sqlite").exists() is (tool is reconcile)


@pytest.mark.parametrize(("way", "code"), [("run", 1), ("run", 0), ("capture", 0)])
def test_terraform_may_note_down_what_it_has_made_and_nothing_follows_it(
    way: str, code: int, tmp_path: Path
) -> None:
    # A plan that is interrupted late succeeds; to apply it then would be wrong.
    (tmp_path / "terraform").write_text(
        f"#!/bin/sh\ntrap 'sleep 1; touch {tmp_path}/noted; exit {code}' INT\n"
        f"echo begun > {tmp_path}/begun\nwhile :; do sleep 0.05; done\n"
    )
    (tmp_path / "terraform").chmod(0o755)
    os.mkfifo(tmp_path / "begun")
    program = f"""
import signal, subprocess
from tools.deploy.terraform import Terraform

signal.signal(signal.SIGINT, signal.default_int_handler)  # a job in the background ignores it
communicate = subprocess.Popen.communicate

def say_that_it_waits(process):
    subprocess.Popen.communicate = communicate
    open({str(tmp_path / "begun")!r}).read()
    print("waiting", flush=True)
    return communicate(process)

subprocess.Popen.communicate = say_that_it_waits
try:
    Terraform().{way}("apply")
except KeyboardInterrupt:
    print("interrupted")
"""
    with subprocess.Popen(
        [sys.executable, "-c", program],
        cwd=ROOT,
        env=os.environ | {"PATH": f"{tmp_path}:{os.environ['PATH']}"},
        stdout=subprocess.PIPE,
        text=True,
        start_new_session=True,
    ) as process:
        try:
            assert process.stdout is not None and process.stdout.readline() == "waiting\n"
            os.killpg(process.pid, signal.SIGINT)
            said, _ = process.communicate(timeout=30)
        finally:
            os.killpg(process.pid, signal.SIGKILL) if process.poll() is None else None
    assert said == "interrupted\n" and (tmp_path / "noted").exists()
