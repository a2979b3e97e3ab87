"""The extractor's version: one line each, no change of fields or formats without one, and no two branches' next one."""

from __future__ import annotations

import json
import subprocess
from hashlib import sha256
from pathlib import Path

import pytest

from image_metadata import formats, versions
from image_metadata.fields import FIELDS
from image_metadata.formats import pillow
from image_metadata.model import record_fields


def digest_of_fields_and_formats() -> str:
    """What stands for the sources of all fields, the record's fields with their types, and the kinds of file."""
    fields = [
        [field.name, field.kind.name, field.within, field.bounds]
        + [[source.block, str(source.key), source.name, *map(str, source.beside)] for source in field.sources]
        for field in FIELDS.values()
    ]
    record = [[name, str(kind)] for name, kind in record_fields().items()]
    modules = (*formats.READERS, *formats.WITHOUT_SIGNATURE, pillow)
    kinds = sorted(
        [kind.format, kind.media_type or "", kind.extension] for each in modules for kind in each.TYPES
    )
    return sha256(json.dumps([fields, record, kinds]).encode()).hexdigest()[:12]


def difference() -> str:
    """What is to be done about fields or formats that the last version did not have; empty where there are none."""
    digest = digest_of_fields_and_formats()
    if digest == versions.CHANGES[versions.EXTRACTOR_VERSION].digest:
        return ""
    return (
        f"the fields or formats are not those of version {versions.EXTRACTOR_VERSION}, so records change: add\n"
        f'    {versions.EXTRACTOR_VERSION + 1}: Change("what is new", "{digest}"),\n'
        "to CHANGES in image_metadata/versions.py (a branch that has its line already puts the digest into that),"
        " then run tests/images/make_images.py"
    )


def test_fields_and_formats_are_those_of_the_last_version() -> None:
    assert difference() == ""


def test_a_new_field_or_format_without_a_version_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as patch:
        patch.setitem(FIELDS, "another", FIELDS["rating"])
        assert f"    {versions.EXTRACTOR_VERSION + 1}: Change(" in difference()
    with monkeypatch.context() as patch:
        patch.setitem(FIELDS, "rating", FIELDS["orientation"])
        assert difference()
    with monkeypatch.context() as patch:
        patch.setattr(formats.gif, "TYPES", (*formats.gif.TYPES, formats.bmp.TYPES[0]))
        assert difference()
    assert difference() == ""


def test_versions_are_numbered_without_a_gap_and_each_has_its_reason() -> None:
    assert list(versions.CHANGES) == list(range(1, versions.EXTRACTOR_VERSION + 1))
    assert all(change.what for change in versions.CHANGES.values())


def test_two_branches_that_both_raise_the_version_do_not_merge(tmp_path: Path) -> None:
    base = Path(versions.__file__).read_text(encoding="utf-8")
    change = versions.CHANGES[versions.EXTRACTOR_VERSION]
    last = f'    {versions.EXTRACTOR_VERSION}: Change("{change.what}", "{change.digest}"),\n'
    assert last in base, "a version is one line"
    sides = {"base": "", "one": "orientation of HEIF", "other": "dates of AVIF"}
    for side, reason in sides.items():
        raised = f'{last}    {versions.EXTRACTOR_VERSION + 1}: Change("{reason}", ""),\n' if reason else last
        (tmp_path / side).write_text(base.replace(last, raised), encoding="utf-8")
    merged = subprocess.run(
        ["git", "merge-file", "-p", "one", "base", "other"], cwd=tmp_path, capture_output=True, text=True
    )
    assert merged.returncode == 1 and "<<<<<<<" in merged.stdout, "one conflict"
