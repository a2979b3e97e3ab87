"""What the audit makes of pip-audit's answers: silence is not a pass."""

from __future__ import annotations

import re

import pytest

from tools.dev import audit, lock
from tools.dev.audit import ROOT, Advisories

CLEAN = {"name": "pillow", "version": "13.0.0", "vulns": []}
FLAWED = {
    "name": "old",
    "version": "1.0",
    "vulns": [{"id": "PYSEC-2026-1", "fix_versions": ["1.1"]}, {"id": "PYSEC-2026-2", "fix_versions": []}],
}
SILENT = {
    "name": "boto3",
    "skip_reason": "Dependency not found on PyPI and could not be audited: boto3 (1.0)",
}


@pytest.mark.parametrize(
    ("dependencies", "passed", "says"),
    [
        ([], True, "0 without advisories"),
        ([CLEAN], True, "1 without advisories"),
        ([CLEAN, FLAWED], False, "old 1.0: PYSEC-2026-1 (fixed in 1.1), PYSEC-2026-2 (fixed in no version)"),
        ([CLEAN, SILENT], False, "1 NOT AUDITED"),
    ],
)
def test_only_what_was_answered_and_is_clean_passes(dependencies: list, passed: bool, says: str) -> None:
    found = Advisories.of({"dependencies": dependencies})
    assert found.passed is passed
    assert says in str(found)


def test_every_locked_file_is_audited() -> None:
    assert set(audit.pinned()) == {export.path for export in lock.exports(ROOT)}


def test_a_tool_that_does_not_answer_is_no_pass(monkeypatch: pytest.MonkeyPatch) -> None:
    class Done:
        stdout, stderr = "", "Traceback\nConnectionError: nobody there\n"

    monkeypatch.setattr(audit.subprocess, "run", lambda *_, **__: Done)
    answer = audit.advisories(ROOT, ROOT / "requirements" / "dev.txt")
    assert not answer.passed
    assert answer.unknown == ["ConnectionError: nobody there"]


@pytest.mark.parametrize(
    ("output", "lines"),
    [
        ('{"results": {"failed_checks": [], "parsing_errors": []}}', []),
        (
            '{"results": {"failed_checks": [], "parsing_errors": ["/a/variables.tf"]}}',
            [r"NOT CHECKED.*/a/variables.tf"],
        ),
        (
            '{"results": {"parsing_errors": [], "failed_checks": [{"check_id": "CKV_1", "check_name": "Encrypt",'
            ' "resource": "aws_x.this", "file_path": "/main.tf", "file_line_range": [7, 9]}]}}',
            [r"CKV_1 Encrypt: aws_x\.this \(/main\.tf:7\)"],
        ),
        ("", ["NOT CHECKED: the reason"]),
    ],
)
def test_what_checkov_finds_or_cannot_read_is_a_weakness(
    output: str, lines: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    class Done:
        stdout, stderr = output, "the reason\n"

    monkeypatch.setattr(audit.subprocess, "run", lambda *_, **__: Done)
    found = audit.weaknesses(ROOT, ROOT / "terraform")
    assert len(found) == len(lines)
    assert all(re.match(line, said) for line, said in zip(lines, found, strict=True))
