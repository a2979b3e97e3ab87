"""tools/ops/sql.py: questions in SQL, and the whole catalogue in the forms that others read."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import boto3
import duckdb
import pytest

from image_search.files import Files
from image_search.pinned import SCHEME
from tests.support.search import Deployment, image
from tests.support.table import SEARCH_BUCKET, aws_account
from tools.ops import exports
from tools.ops import sql as tool

IMAGES = [
    image(
        "uploads/a b.jpg",
        camera__make="Canon",
        camera__model="EOS R5",
        width=4000,
        height=3000,
        taken_at="2024-05-17T18:30:15",
        taken_at_offset="+02:00",
        gps__latitude=48.8584,
        gps__longitude=2.2945,
        keywords=["sea", 'a "b", c'],
        content_type="image/jpeg",
    ),
    image("uploads/été.png", camera__make="Canon", width=10, height=20, taken_at="2024-05"),
    {
        name: value
        for name, value in image("uploads/notes.txt", status="unsupported").items()
        if name not in ("width", "height")
    },
]


@pytest.fixture(scope="module")
def bucket(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A search bucket with three images, one of them merged."""
    with aws_account():
        client = boto3.client("s3")
        client.create_bucket(Bucket=SEARCH_BUCKET)
        deployment = Deployment(tmp_path_factory.mktemp("scratch"), client)
        deployment.put(IMAGES[0])
        deployment.compact()
        deployment.put(*IMAGES[1:])
        deployment.close()
        yield SEARCH_BUCKET


@pytest.fixture
def asked(bucket: str, capsys: pytest.CaptureFixture[str]) -> Any:
    """The tool: its exit code, standard output and standard error."""

    def ask(*arguments: str) -> tuple[int, str, str]:
        code = tool.main(["--search-bucket", bucket, *arguments])
        said = capsys.readouterr()
        return code, said.out, said.err

    return ask


def test_a_question_is_answered_as_a_table(asked: Any) -> None:
    code, said, _ = asked(
        "select camera.make as make, count(*) as images from images group by all order by 2 desc;"
    )
    assert code == 0
    assert [line.split() for line in said.splitlines()] == [["make", "images"], ["Canon", "2"], ["1"]]


def test_a_long_answer_says_that_there_is_more(asked: Any) -> None:
    _, said, _ = asked("select range from range(500)")
    assert len(said.splitlines()) == 102 and "--export csv" in said


def test_no_text_controls_the_terminal_and_an_export_has_it_as_it_is(asked: Any) -> None:
    text = "a\x1b[2Jb\x9bc\x7fd\ne"
    written = ", ".join(f"chr({ord(character)})" for character in text)
    sql = f"select concat({written}) as title, [concat({written})] as keywords"
    _, said, _ = asked(sql)
    assert said.count("\n") == 2 and not {"\x1b", "\x9b", "\x7f"} & set(said)
    assert "a\\x1b[2Jb\\x9bc\\x7fd\\ne" in said
    _, _, problem = asked(f"select concat({written})::int")
    assert "\\x1b" in problem and "\x1b" not in problem
    _, said, _ = asked("--export", "csv", sql)
    assert next(csv.DictReader(io.StringIO(said, newline="")))["title"] == text


@pytest.mark.parametrize("name", list(tool.named_queries()))
def test_every_named_query_is_answered_and_says_what_it_asks(asked: Any, name: str) -> None:
    assert asked("--query", name)[0] == 0
    assert tool.named_queries()[name].startswith("-- ")


@pytest.mark.parametrize(
    ("sql", "said"),
    [
        ("select camra from images", "camra"),
        ("selec 1", "syntax error"),
        ("drop view images", "syntax error"),
        ("select 1; select 2", "syntax error"),
        ("select * from read_csv('/etc/passwd')", "/etc/passwd"),
        ("select 'x'::int", "Could not convert"),
        (f"select * from read_parquet('{SCHEME}://none/none')", "none"),
    ],
)
def test_what_is_no_question_to_the_catalogue_is_exit_code_2(asked: Any, sql: str, said: str) -> None:
    code, out, problem = asked(sql)
    assert (code, out) == (2, "") and said in problem and "Traceback" not in problem


def test_a_bucket_that_is_not_there_is_exit_code_2(asked: Any) -> None:
    assert asked("--search-bucket", "none-such", "select 1")[0] == 2


def test_too_little_memory_is_told_with_the_option_that_gives_more(asked: Any) -> None:
    code, _, problem = asked("--memory", "1", "--query", "cameras")
    assert code == 2 and "needs more than 1 MB" in problem and "--memory" in problem


def test_ndjson_holds_every_record_with_its_address(asked: Any) -> None:
    _, said, _ = asked("--export", "ndjson", "select * from images order by image_id")
    assert [json.loads(line) for line in said.splitlines()] == [
        record | {"address": f"s3://{record['bucket']}/{record['image_id']}"}
        for record in sorted(IMAGES, key=lambda each: each["image_id"])
    ]


def test_csv_has_a_column_per_field(asked: Any) -> None:
    _, said, _ = asked("--export", "csv", "select * from images order by image_id")
    first = next(csv.DictReader(io.StringIO(said)))
    assert first["camera.make"] == "Canon" and json.loads(first["keywords"]) == IMAGES[0]["keywords"]
    assert first["address"] == "s3://images/uploads/a b.jpg" and first["width"] == "4000"


def test_no_text_in_csv_is_a_formula_and_parquet_has_it_as_it_is(asked: Any, tmp_path: Path) -> None:
    texts = ("=1+1", "+1", "-1", "@SUM(1)", "\t=1", "\r=1", "\n=1", "1=1", "", None)
    given = ", ".join("NULL" if text is None else f"('{text}')" for text in texts).replace("NULL", "(NULL)")
    sql = (
        "select title, {'make': title, 'model': '', 'lens': '', 'serial': ''} as camera, [title] as keywords,"
        " -1 as size, '-03:00' as taken_at_offset"
        f" from (values {given}) as given(title)"
    )
    _, said, _ = asked("--export", "csv", sql)
    rows = list(csv.DictReader(io.StringIO(said, newline="")))
    wanted = [f"'{text}" for text in texts[:7] if text] + ["1=1", "", ""]
    assert [row["title"] for row in rows] == [row["camera.make"] for row in rows] == wanted
    assert [json.loads(row["keywords"]) for row in rows] == [[text] for text in texts]
    assert {(row["size"], row["taken_at_offset"]) for row in rows} == {("-1", "-03:00")}
    out = tmp_path / "out.parquet"
    assert asked("--export", "parquet", "--out", str(out), sql)[0] == 0
    assert [row[0] for row in duckdb.sql(f"select title from '{out}'").fetchall()] == list(texts)


def test_parquet_is_written_whole_and_in_order(asked: Any, tmp_path: Path) -> None:
    out = tmp_path / "out.parquet"
    assert (
        asked("--export", "parquet", "--out", str(out), "select * from images order by image_id desc")[0] == 0
    )
    rows = duckdb.sql(f"select image_id, width, address from '{out}'").fetchall()
    assert [row[0] for row in rows] == sorted((each["image_id"] for each in IMAGES), reverse=True)
    assert rows[-1][1:] == (4000, "s3://images/uploads/a b.jpg")
    assert [path.name for path in tmp_path.iterdir()] == ["out.parquet"]


def test_geojson_is_a_feature_collection(asked: Any) -> None:
    _, said, _ = asked("--export", "geojson", "select * from images order by image_id")
    collection = json.loads(said)
    assert collection["type"] == "FeatureCollection" and len(collection["features"]) == 3
    assert collection["features"][0]["geometry"] == {"type": "Point", "coordinates": [2.2945, 48.8584]}
    assert collection["features"][1]["geometry"] is None


def test_stac_items_have_a_moment_a_box_and_an_address(asked: Any) -> None:
    _, said, _ = asked("--export", "stac", "select * from images order by image_id")
    exact, unsure, never = json.loads(said)["features"][0], *reversed(json.loads(said)["features"][1:])
    assert exact["properties"]["datetime"] == "2024-05-17T16:30:15Z"
    assert exact["bbox"] == [2.2945, 48.8584, 2.2945, 48.8584] and exact["stac_version"] == "1.1.0"
    assert exact["assets"]["image"] == {
        "href": "s3://images/uploads/a%20b.jpg",
        "roles": ["data"],
        "type": "image/jpeg",
    }
    assert unsure["properties"]["datetime"] is None
    assert unsure["properties"]["start_datetime"] == "2024-04-30T10:00:00Z"
    assert unsure["properties"]["end_datetime"] == "2024-06-01T11:59:59Z"
    assert never["properties"]["datetime"] == never["properties"]["created"] and "bbox" not in never


def test_coco_has_the_images_whose_size_is_known(asked: Any) -> None:
    _, said, _ = asked("--export", "coco", "select * from images order by image_id")
    data = json.loads(said)
    assert [
        (entry["id"], entry["file_name"], entry["width"], entry["height"]) for entry in data["images"]
    ] == [(1, "uploads/a b.jpg", 4000, 3000), (2, "uploads/été.png", 10, 20)]
    assert data["annotations"] == [] and data["images"][0]["coco_url"] == "s3://images/uploads/a b.jpg"


@pytest.mark.parametrize("form", ["geojson", "stac", "coco"])
def test_a_form_of_images_needs_to_know_which(asked: Any, form: str) -> None:
    code, _, problem = asked("--export", form, "select size from images")
    assert code == 2 and "bucket and image_id" in problem


def test_nothing_is_left_of_an_export_that_fails(asked: Any, tmp_path: Path) -> None:
    out = tmp_path / "out.csv"
    assert asked("--export", "csv", "--out", str(out), "select 'x'::int from images")[0] == 2
    assert list(tmp_path.iterdir()) == []


def test_an_export_into_a_folder_that_is_not_there_is_told_by_its_name(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as ended:
        tool.main(["--export", "csv", "--out", str(tmp_path / "none" / "out.csv")])
    assert ended.value.code == 2
    assert f"there is no folder {tmp_path / 'none'} for --out" in capsys.readouterr().err


@pytest.mark.parametrize(
    "arguments",
    [
        [],
        ["--out", "x", "select 1"],
        ["--export", "parquet"],
        ["--query", "cameras", "select 1"],
        ["--query", "none"],
        ["--memory", "0", "select 1"],
        ["--memory", "-5", "select 1"],
    ],
)
def test_wrong_options_are_told(arguments: list[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        tool.main(arguments)
    assert ended.value.code == 2


def test_a_compaction_that_comes_between_changes_nothing(deployment: Deployment, tmp_path: Path) -> None:
    for each in IMAGES:
        deployment.put(each)
    catalogue = tool.Catalogue(Files("search", deployment.s3), tmp_path / "sql", 500)
    merged: list[bool] = []

    def between(name: str, request: dict[str, Any]) -> None:
        if name == "get_object" and not merged:
            merged.append(True)
            deployment.compact()

    deployment.s3.between = between
    catalogue.write("select * from images", "ndjson", tmp_path / "out")
    assert merged and len((tmp_path / "out").read_text().splitlines()) == 3
    catalogue.close()


@pytest.mark.parametrize(
    ("taken", "offset", "start", "end"),
    [
        ("2024", "+00:00", "2024-01-01T00:00:00Z", "2024-12-31T23:59:59Z"),
        ("2023-02", "+01:00", "2023-01-31T23:00:00Z", "2023-02-28T22:59:59Z"),
        ("2024-05-17T18:30", "-09:30", "2024-05-18T04:00:00Z", "2024-05-18T04:00:59Z"),
    ],
)
def test_a_time_that_is_not_exact_is_an_interval(taken: str, offset: str, start: str, end: str) -> None:
    record = image("uploads/a", taken_at=taken, taken_at_offset=offset)
    (item,) = json.loads("".join(exports.stac([record])))["features"]
    assert item["properties"]["start_datetime"] == start and item["properties"]["end_datetime"] == end
