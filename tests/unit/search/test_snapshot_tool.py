"""tools/ops/snapshot.py: every difference between table and search is found, repaired, and then gone."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import boto3
import pytest

from image_catalogue.catalogue import Catalogue
from image_catalogue.items import public
from image_search.changes import CHANGES, change_row, padded, write_changes
from image_search.files import Files
from tests.support.records import record
from tests.support.search import Deployment
from tests.support.table import SEARCH_BUCKET, TABLE, aws_account, make_table
from tools.ops import snapshot as tool

ARGUMENTS = ["--table", TABLE, "--search-bucket", SEARCH_BUCKET]


@pytest.fixture
def account(tmp_path: Path) -> Iterator[tuple[Catalogue, Deployment]]:
    """A table with three records, and a search bucket without anything."""
    with aws_account():
        catalogue = Catalogue(TABLE, client=make_table())
        client = boto3.client("s3")
        client.create_bucket(Bucket=SEARCH_BUCKET)
        for name in ("a", "b", "c"):
            catalogue.put_uploaded(record(f"uploads/{name}", title=name))
        deployment = Deployment(tmp_path, client)
        yield catalogue, deployment
        deployment.close()


def in_table(catalogue: Catalogue) -> list[dict[str, Any]]:
    items = (catalogue.item(f"uploads/{name}") for name in "abcdx")
    return [public(item) for item in items if item and item["state"] == "record"]


def test_a_first_fill_brings_all_and_a_second_nothing(
    account: tuple[Catalogue, Deployment], capsys: pytest.CaptureFixture[str]
) -> None:
    catalogue, deployment = account
    assert tool.main(ARGUMENTS) == 1
    assert deployment.ask()["matched"] == 0  # without --repair it only tells
    assert tool.main([*ARGUMENTS, "--repair"]) == 1
    assert "3 missing" in capsys.readouterr().out
    assert deployment.ask(sortby="image_id")["items"] == in_table(catalogue)
    assert deployment.files.listed(CHANGES) == []
    assert tool.main(ARGUMENTS) == 0
    assert "3 records compared with search\n" in capsys.readouterr().out


@pytest.mark.parametrize("merged", [True, False])
def test_whatever_the_stream_lost_is_repaired_and_later_changes_win(
    account: tuple[Catalogue, Deployment], merged: bool, capsys: pytest.CaptureFixture[str]
) -> None:
    catalogue, deployment = account
    old = record("uploads/a", title="older")
    rows = [
        change_row("uploads/a", "2026-11", padded("5"), old, "another revision"),
        change_row("uploads/x\x1b", "2026-11", padded("6"), record("uploads/x\x1b"), "r"),
        change_row("uploads/c", "2026-11", padded("7"), record("uploads/c"), "r"),
        change_row("uploads/c", "2026-11", padded("8"), None),
    ]
    write_changes(Files(SEARCH_BUCKET, deployment.s3), "5-8", rows)
    if merged:
        deployment.compact()
    assert tool.main([*ARGUMENTS, "--repair"]) == 1
    said = capsys.readouterr().out
    assert (
        "stale\tuploads/a" in said and "orphaned\tuploads/x\\x1b\n" in said and "missing\tuploads/c" in said
    )
    assert deployment.ask(sortby="image_id")["items"] == in_table(catalogue)
    assert tool.main(ARGUMENTS) == 0
    later = change_row("uploads/a", "2026-11", padded("9"), record("uploads/a", title="later"), "r9")
    write_changes(Files(SEARCH_BUCKET, deployment.s3), "9-9", [later])
    assert deployment.ids(filter="title = 'later'") == ["uploads/a"]


def test_a_table_or_bucket_that_is_not_there_is_exit_code_2(
    account: tuple[Catalogue, Deployment], capsys: pytest.CaptureFixture[str]
) -> None:
    assert tool.main(["--table", "none", "--search-bucket", SEARCH_BUCKET]) == 2
    assert tool.main(["--table", TABLE, "--search-bucket", "none-such"]) == 2
    assert "snapshot.py: " in capsys.readouterr().err
