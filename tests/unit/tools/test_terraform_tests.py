"""The command that tests the Terraform code: every file runs once, and what fails is named."""

from collections.abc import Callable
from subprocess import CompletedProcess
from typing import Any

import pytest

from tools.deploy.terraform import CONFIGURATION
from tools.dev.terraform_tests import run_tests

FILES = sorted(file.name for file in (CONFIGURATION / "tests").glob("*.tftest.hcl"))


class Terraform:
    """Stands in for Terraform; ``answer`` gets the files that one process is to test."""

    def __init__(self, answer: Callable[[list[str]], tuple[int, str]]) -> None:
        self.answer = answer
        self.asked: list[list[str]] = []

    def capture(self, *arguments: str) -> CompletedProcess[str]:
        assert arguments[:2] == ("test", "-no-color")
        files = [argument.removeprefix("-filter=tests/") for argument in arguments[2:]]
        self.asked.append(files)
        code, said = self.answer(files)
        return CompletedProcess([], code, said, "")


def ran(answer: Callable[[list[str]], tuple[int, str]]) -> tuple[int, list[list[str]]]:
    terraform: Any = Terraform(answer)
    return run_tests(terraform), terraform.asked


def test_every_file_is_tested_once_and_no_process_takes_all() -> None:
    code, asked = ran(lambda files: (0, ""))
    assert code == 0
    assert sorted(name for files in asked for name in files) == FILES
    assert all(asked) and len(asked) > 1


def test_the_file_that_failed_is_named_and_no_other(capsys: pytest.CaptureFixture[str]) -> None:
    said = "tests/bucket.tftest.hcl... pass\ntests/queue.tftest.hcl... in progress\ntests/queue.tftest.hcl... fail\n"
    code, _ = ran(lambda files: (1, said) if "queue.tftest.hcl" in files else (0, ""))
    output = capsys.readouterr()
    assert code == 1 and output.out == said
    assert output.err == "terraform_tests.py: failed: queue.tftest.hcl\n"


@pytest.mark.parametrize("said", ["", "tests/queue.tftest.hcl... fail\n"])
def test_a_process_that_is_ended_fails_and_all_its_files_are_named(
    said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    code, asked = ran(lambda files: (-9, said) if "queue.tftest.hcl" in files else (0, ""))
    (ended,) = (files for files in asked if "queue.tftest.hcl" in files)
    assert code == 1 and len(ended) > 1
    assert capsys.readouterr().err == f"terraform_tests.py: failed: {', '.join(sorted(ended))}\n"
