"""The columns of search and the record's fields are the same, in name, order and type."""

from __future__ import annotations

import json
from typing import Any, get_args

import pytest

from image_catalogue.items import INTERNAL
from image_catalogue.records import PIXELS, record_of
from image_metadata.model import record_fields
from image_search.columns import BY_NAME, COLUMNS, glue_columns, row_of, sql_types
from tests.contract.declared import ROOT
from tests.contract.documents import assert_same
from tests.support.records import record

#: What the type of a record's field is as a column.
KINDS = {str: ("text", "time", "local time"), int: ("integer",), float: ("number",), bool: ("boolean",)}


def object_fields() -> list[str]:
    """The fields that come from the object store."""
    names = ("image_id", "bucket", "etag", "uploaded_at", "version_id", "filename", "declared_content_type")
    told: dict[str, Any] = dict.fromkeys(names, "x")
    return [name for name in record_of({}, size=1, last_modified="x", **told) if name not in INTERNAL]


def test_every_field_of_the_record_is_a_column() -> None:
    fields = [*object_fields(), *record_fields(), *(f"pixels.{name}" for name in PIXELS)]
    assert_same(BY_NAME, fields, "image_search/columns.py")
    assert [name for name in BY_NAME if name in record_fields()] == list(record_fields())


@pytest.mark.parametrize("name", list(record_fields()))
def test_a_column_has_its_fields_type(name: str) -> None:
    assert name in BY_NAME, f"image_search/columns.py lacks {name}"
    hint = record_fields()[name]
    arguments = [argument for argument in get_args(hint) if argument not in (type(None), ...)]
    if str(hint).startswith(("list", "tuple")) or any(str(each).startswith("tuple") for each in arguments):
        member = (get_args(arguments[0]) or arguments)[0]
        assert BY_NAME[name].kind == {str: "texts", float: "numbers"}[member]
    else:
        assert BY_NAME[name].kind in KINDS[arguments[0] if arguments else hint]


def test_a_record_becomes_a_row_with_all_it_holds() -> None:
    assert row_of(record("uploads/a.png")) == record("uploads/a.png") | {"words": " a png"}


def test_parquet_and_glue_have_the_same_columns_in_the_same_order() -> None:
    assert [name for name, _ in glue_columns()] == list(sql_types())
    types = dict(glue_columns())
    assert types["camera"] == "struct<make:string,model:string,lens:string,serial:string>"
    assert types["keywords"] == "array<string>" and types["dpi"] == "array<double>"


def test_athena_has_these_columns() -> None:
    columns = ",\n".join(f"  {json.dumps(column)}" for column in glue_columns())
    held = (ROOT / "terraform/modules/athena/columns.json").read_text(encoding="utf-8")
    assert held == f"[\n{columns}\n]\n", f"columns.json must be [\n{columns}\n]"


def test_every_column_says_what_it_means() -> None:
    assert all(column.meaning for column in COLUMNS)
