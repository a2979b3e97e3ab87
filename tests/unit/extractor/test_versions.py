"""The extractor's version: one line each, and two branches cannot both take the next one."""

from __future__ import annotations

import subprocess
from pathlib import Path

from image_metadata import versions


def test_versions_are_numbered_without_a_gap_and_each_has_its_reason() -> None:
    assert list(versions.CHANGES) == list(range(1, versions.EXTRACTOR_VERSION + 1))
    assert all(versions.CHANGES.values())


def test_two_branches_that_both_raise_the_version_do_not_merge(tmp_path: Path) -> None:
    base = Path(versions.__file__).read_text(encoding="utf-8")
    last = f'    {versions.EXTRACTOR_VERSION}: "{versions.CHANGES[versions.EXTRACTOR_VERSION]}",\n'
    assert last in base, "a version is one line"
    sides = {"base": "", "one": "orientation of HEIF", "other": "dates of AVIF"}
    for side, reason in sides.items():
        raised = f'{last}    {versions.EXTRACTOR_VERSION + 1}: "{reason}",\n' if reason else last
        (tmp_path / side).write_text(base.replace(last, raised), encoding="utf-8")
    merged = subprocess.run(
        ["git", "merge-file", "-p", "one", "base", "other"], cwd=tmp_path, capture_output=True, text=True
    )
    assert merged.returncode == 1 and "<<<<<<<" in merged.stdout, "one conflict"
