"""Search over HTTP: parameters and bodies, forms of answers, problems."""

from __future__ import annotations

import csv
import io
import json
from typing import Any
from urllib.parse import urlencode

import pytest

from image_api.handlers import search_images
from image_catalogue.cursors import encode_cursor
from image_search.changes import change_row, padded, write_changes
from image_search.files import Files
from tests.support.api import Api
from tests.support.records import record
from tests.support.table import SEARCH_BUCKET

#: Texts that spreadsheets take for formulas.
FORMULAS = ('=HYPERLINK("http://a")', "+1+1", "-1+1", "@SUM(1)", "\t=1+1", "\r=1+1", "\n=1+1")
PARIS = {"latitude": 48.8584, "longitude": 2.2945, "altitude_m": 35}


@pytest.fixture
def filled(api: Api) -> Api:
    """Three images."""
    images = (
        record(
            "uploads/a.png",
            size=30,
            camera={"make": "Canon"},
            gps=PARIS,
            keywords=["Île", 'a,"b"'],
            title="é",
        ),
        record(
            "uploads/b.png", size=20, camera={"make": "SONY"}, taken_at="2024-05-17T09:30:00", etag="same"
        ),
        record("uploads/c.png", size=20, etag="same", gps={"latitude": 1.5, "longitude": 2}),
    )
    rows = [
        change_row(image["image_id"], "2026-11", padded(str(number)), image)
        for number, image in enumerate(images, 1)
    ]
    write_changes(Files(SEARCH_BUCKET), "1-3", rows)
    return api


def ids(answer: Any) -> list[str]:
    assert answer.status == 200, answer.body
    return [item["image_id"] for item in answer.json["items"]]


def test_a_question_in_the_url_and_the_same_as_a_body_have_the_same_answer(filled: Api) -> None:
    asked = {
        "filter": "camera.make = 'Canon' OR size < 25",
        "sortby": "size,-image_id",
        "limit": "2",
        "facets": "format",
    }
    got = filled("GET /search", **asked)
    assert ids(got) == ["uploads/c.png", "uploads/b.png"]
    assert got.headers["content-type"] == "application/json" and got.json["matched"] == 3
    assert set(got.json) == {"items", "matched", "next_cursor", "facets", "as_of"}
    posted = filled("POST /search", body=json.dumps(asked | {"limit": 2}).encode())
    for name in ("items", "matched", "facets"):
        assert posted.json[name] == got.json[name]
    assert ids(filled("GET /search", **asked, cursor=got.json["next_cursor"])) == ["uploads/a.png"]


def test_a_body_takes_a_filter_as_a_tree_and_stacs_forms(filled: Api) -> None:
    asked = {
        "filter": {"op": "=", "args": [{"property": "camera.make"}, "SONY"]},
        "filter-lang": "cql2-json",
        "sortby": [{"field": "size", "direction": "desc"}],
        "fields": ["size"],
    }
    assert filled("POST /search", body=json.dumps(asked).encode()).json["items"] == [
        {"image_id": "uploads/b.png", "size": 20}
    ]
    assert ids(filled("POST /search", body=json.dumps({"bbox": [2, 48, 3, 49]}).encode())) == [
        "uploads/a.png"
    ]
    assert ids(filled("POST /search", body=json.dumps({"datetime": "2024-05/.."}).encode())) == [
        "uploads/b.png"
    ]


def test_each_form_holds_the_same_records(filled: Api) -> None:
    plain = filled("GET /search", sortby="image_id").json["items"]
    lines = filled("GET /search", headers={"Accept": "application/x-ndjson"}, sortby="image_id")
    assert lines.headers["content-type"] == "application/x-ndjson"
    assert [json.loads(line) for line in lines.body.splitlines()] == plain
    assert lines.headers["x-matched"] == "3" and "x-next-cursor" not in lines.headers
    geo = filled("GET /search", headers={"Accept": "application/geo+json"}, sortby="image_id").json
    assert (geo["type"], geo["numberMatched"], geo["numberReturned"]) == ("FeatureCollection", 3, 3)
    assert [feature["properties"] for feature in geo["features"]] == plain
    assert [feature["geometry"] for feature in geo["features"]] == [
        {"type": "Point", "coordinates": [2.2945, 48.8584, 35]},
        None,
        {"type": "Point", "coordinates": [2, 1.5]},
    ]
    table = filled("GET /search", headers={"Accept": "text/csv"}, sortby="image_id", limit="2")
    assert table.headers["content-type"] == "text/csv; charset=utf-8"
    rows = list(csv.DictReader(io.StringIO(table.body.decode())))
    assert [row["image_id"] for row in rows] == ["uploads/a.png", "uploads/b.png"]
    assert json.loads(rows[0]["keywords"]) == ["Île", 'a,"b"'] and rows[0]["camera.make"] == "Canon"
    assert rows[1]["taken_at"] == "2024-05-17T09:30:00" and rows[1]["keywords"] == ""
    rest = filled(
        "GET /search",
        headers={"Accept": "text/csv"},
        sortby="image_id",
        cursor=table.headers["x-next-cursor"],
    )
    assert [row["image_id"] for row in csv.DictReader(io.StringIO(rest.body.decode()))] == ["uploads/c.png"]


def test_csv_has_the_fields_that_are_asked_for(filled: Api) -> None:
    table = filled(
        "GET /search", headers={"Accept": "text/csv"}, sortby="image_id", fields="camera,size", limit="1"
    )
    assert table.body.decode().splitlines() == [
        "image_id,size,camera.make,camera.model,camera.lens,camera.serial",
        "uploads/a.png,30,Canon,,,",
    ]


@pytest.mark.parametrize("text", FORMULAS)
def test_no_text_in_csv_is_a_formula_and_in_no_other_form_is_it_changed(api: Api, text: str) -> None:
    image = record(
        "uploads/a.png",
        title=text,
        filename=text,
        camera={"make": text},
        keywords=[text],
        gps={"latitude": -1.5, "longitude": -2},
        taken_at_offset="-03:00",
        pixels={"thumbhash": "+AAA"},
    )
    write_changes(Files(SEARCH_BUCKET), "1-1", [change_row(image["image_id"], "2026-11", padded("1"), image)])
    table = api("GET /search", headers={"Accept": "text/csv"}).body.decode()
    (row,) = csv.DictReader(io.StringIO(table, newline=""))
    assert row["title"] == row["filename"] == row["camera.make"] == f"'{text}"
    assert json.loads(row["keywords"]) == [text] and row["gps.latitude"] == "-1.5"
    assert row["taken_at_offset"] == "-03:00" and row["pixels.thumbhash"] == "+AAA"
    for form in ("application/json", "application/geo+json", "application/x-ndjson"):
        assert json.dumps(text) in api("GET /search", headers={"Accept": form}).body.decode()
        assert json.dumps(f"'{text}") not in api("GET /search", headers={"Accept": form}).body.decode()


@pytest.mark.parametrize(
    ("accept", "form"),
    [
        ("", "application/json"),
        ("*/*", "application/json"),
        ("text/html,application/xhtml+xml,*/*;q=0.8", "application/json"),
        ("text/csv", "text/csv; charset=utf-8"),
        ("application/json;q=0.5, text/csv", "text/csv; charset=utf-8"),
        ("text/csv;q=0, application/json", "application/json"),
        ("text/csv;q=0.2, application/geo+json;q=0.9", "application/geo+json"),
        ("TEXT/CSV; header=present", "text/csv; charset=utf-8"),
        ("nonsense;;q=,", "application/json"),
        ("*/*, text/csv;q=0.1", "application/json"),
        ("text/csv;q=0.1, application/*", "application/json"),
        ("application/*;q=0.1, */*, text/csv;q=0.2", "text/csv; charset=utf-8"),
        ("*/*, text/csv", "text/csv; charset=utf-8"),
        ("application/json;q=0.1, text/csv;q=0.2, */*", "text/csv; charset=utf-8"),
    ],
)
def test_the_form_is_the_one_that_is_liked_best(filled: Api, accept: str, form: str) -> None:
    assert filled("GET /search", headers={"Accept": accept}).headers["content-type"] == form


def test_what_can_be_asked_is_a_json_schema(api: Api) -> None:
    answer = api("GET /search/queryables")
    assert answer.headers["content-type"] == "application/schema+json"
    assert answer.json["properties"]["exposure.iso"]["type"] == "integer"


def test_duplicates_come_in_groups_and_pages(filled: Api) -> None:
    answer = filled("GET /duplicates")
    assert answer.json["groups"] == [
        {
            "size": 20, "etag": "same", "count": 2, "wasted_bytes": 20,
            "image_ids": ["uploads/b.png", "uploads/c.png"],
        }
    ]  # fmt: skip
    rows = [
        change_row(
            f"uploads/d{number}", "2026-11", padded(str(10 + number)), record(f"uploads/d{number}", etag="d")
        )
        for number in range(2)
    ]
    write_changes(Files(SEARCH_BUCKET), "10-11", rows)
    first = filled("GET /duplicates", limit="1").json
    second = filled("GET /duplicates", limit="1", cursor=first["next_cursor"]).json
    assert [group["etag"] for group in first["groups"] + second["groups"]] == ["d", "same"]
    assert "next_cursor" not in second and first["matched"] == 2


def test_a_page_of_duplicates_with_long_names_has_a_next_one(filled: Api) -> None:
    images = [
        record(
            f"uploads/{'一' * 130}/{size}-{'二' * 130}{copy}.tiff",
            size=size,
            pixels={"phash": f"{size:016x}"},
        )
        for size in (0x0F0F0F0F0F0F0F0F, 0xF0F0F0F0F0F0F0F0)
        for copy in range(2)
    ]
    rows = [
        change_row(image["image_id"], "2026-11", padded(str(number)), image)
        for number, image in enumerate(images, 10)
    ]
    write_changes(Files(SEARCH_BUCKET), "10-20", rows)
    first = filled("GET /duplicates", by="pixels", limit="1").json
    second = filled("GET /duplicates", by="pixels", limit="1", cursor=first["next_cursor"])
    assert second.status == 200, second.body
    assert first["groups"] != second.json["groups"] != []


@pytest.mark.parametrize("fields", ["filename", "gps.latitude", "gps"])
def test_a_feature_has_its_place_whichever_fields_are_asked_for(filled: Api, fields: str) -> None:
    asked = {"filter": "gps.altitude_m = 35", "fields": fields}
    (feature,) = filled("GET /search", headers={"Accept": "application/geo+json"}, **asked).json["features"]
    assert feature["geometry"]["coordinates"] == [2.2945, 48.8584, 35]
    (item,) = filled("GET /search", **asked).json["items"]
    assert feature["properties"] == item


def test_the_report_tells_what_may_deserve_a_look(filled: Api) -> None:
    odd = record("uploads/odd.bin", status="corrupt", error="no image", size=1)
    write_changes(
        Files(SEARCH_BUCKET), "10-10", [change_row("uploads/odd.bin", "2026-11", padded("10"), odd)]
    )
    report = filled("GET /report").json
    assert report["images"] == 4
    problems = {problem["name"]: problem for problem in report["problems"]}
    told = {
        name: [problem["count"], *(example["image_id"] for example in problem["examples"])]
        for name, problem in problems.items()
        if problem["count"]
    }
    assert told == {
        "tiny": [4, "uploads/a.png", "uploads/b.png", "uploads/c.png", "uploads/odd.bin"],
        "corrupt": [1, "uploads/odd.bin"],
        "no_date": [1, "uploads/a.png"],
        "duplicates": [1, "uploads/b.png"],
    }
    # Each problem is a question that anybody can ask again.
    for problem in problems.values():
        if "filter" in problem:
            assert filled("GET /search", filter=problem["filter"]).json["matched"] == problem["count"]


def test_an_empty_catalogue_has_empty_answers(api: Api) -> None:
    assert api("GET /search").json["items"] == []
    assert api("GET /report").json["images"] == 0
    assert api("GET /duplicates").json["groups"] == []


@pytest.mark.parametrize(
    ("route", "parameters", "problem"),
    [
        ("GET /search", {"filter": "camra.make = 'x'"}, "bad-request"),
        ("GET /search", {"colour": "red"}, "bad-request"),
        (
            "GET /search",
            {"filter": '{"op":"=","args":[{"property":"title"},"\\ud800"]}', "filter-lang": "cql2-json"},
            "bad-request",
        ),
        ("GET /search", {"cursor": "AAAA"}, "invalid-cursor"),
        ("GET /search", {"limit": "-1"}, "bad-request"),
        ("GET /search/queryables", {"a": "b"}, "bad-request"),
        ("GET /report", {"a": "b"}, "bad-request"),
        ("GET /duplicates", {"limit": "0"}, "bad-request"),
        ("GET /duplicates", {"limit": "1000"}, "bad-request"),
        ("GET /duplicates", {"cursor": "?"}, "invalid-cursor"),
        ("GET /duplicates", {"cursor": "AAAAAAAAAAAAAAAAAAAAAAAA"}, "invalid-cursor"),
    ],
)
def test_what_cannot_be_asked_is_a_problem(
    api: Api, route: str, parameters: dict[str, str], problem: str
) -> None:
    answer = api(route, **parameters)
    assert (answer.status, answer.problem) == (400, problem), urlencode(parameters)


@pytest.mark.parametrize(
    "number", ["05", "00", "+5", "-1", "1e1", "1_0", "5.0", " 5", "5\n", "５", "NaN", "", "9" * 30]
)
@pytest.mark.parametrize(
    ("route", "name"),
    [
        ("GET /metadata", "limit"),
        ("GET /images", "limit"),
        ("GET /search", "limit"),
        ("GET /duplicates", "limit"),
        ("GET /duplicates", "distance"),
        ("GET /images/similar/{image_id+}", "limit"),
        ("GET /images/similar/{image_id+}", "distance"),
    ],
)
def test_a_whole_number_has_one_form_in_every_address(api: Api, route: str, name: str, number: str) -> None:
    by = {"by": "pixels"} if (route, name) == ("GET /duplicates", "distance") else {}
    answer = api(route, "a.png" if "{" in route else None, **by, **{name: number})
    assert (answer.status, answer.problem) == (400, "bad-request")
    assert answer.json["detail"].startswith(f"{name} is a whole number from ")


@pytest.mark.parametrize("limit", [b"2", b"2.0", b"0.2e1", b'"2"'])
def test_json_has_one_kind_of_number(filled: Api, limit: bytes) -> None:
    assert len(ids(filled("POST /search", body=b'{"limit": %s}' % limit))) == 2


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"[]",
        b"{",
        b'{"colour": 1}',
        b"[" * 100_000,
        b'{"filter": ' + b'{"op":"not","args":[' * 10_000 + b"true" + b"]}" * 10_000 + b"}",
        b'{"filter": "' + b"(" * 1_000_000 + b'"}',
        b'{"filter": 1}',
        b'{"filter": {"op": "=", "args": [{"property": "size"}, 1e999]}}',
        b'{"limit": 1.5}',
        b'{"bbox": [NaN, 0, 1, 1]}',
        b'{"q": ["a", 1]}',
        b'{"filter": "title = \'\xff\'"}',
        b'{"filter": "title = \'\\ud800\'"}',
        b'{"filter": {"op": "=", "args": [{"property": "title"}, "\\ud800"]}}',
        b'{"filter": {"op": "a_contains", "args": [{"property": "keywords"}, ["\\udc00"]]}}',
        b'{"q": "\\ud800"}',
        b'{"fields": ["\\ud800"]}',
        b'{"sortby": "\\ud800"}',
        b'{"filter": {"op": "a_contains", "args": [{"property": "dpi"}, [' + b"9" * 400 + b"]]}}",
        b'{"filter": {"op": "a_contains", "args": [{"property": "dpi"}, [NaN]]}}',
        b'{"filter": {"op": "isNull", "args": [{"op": [], "args": [1]}]}}',
        b'{"filter": {"op": "=", "args": [{"op": {}, "args": [1]}, 1]}}',
    ],
)
def test_a_body_that_cannot_be_asked_is_a_problem(api: Api, body: bytes) -> None:
    answer = api("POST /search", body=body)
    assert (answer.status, answer.problem) == (400, "bad-request")


def test_a_cursor_of_search_is_none_of_duplicates(filled: Api) -> None:
    cursor = filled("GET /search", limit="1").json["next_cursor"]
    assert filled("GET /duplicates", cursor=cursor).problem == "invalid-cursor"


ORDER = dict.fromkeys(("filter", "bbox", "datetime", "q", "sortby")) | {"sortby": "size"}


@pytest.mark.parametrize(
    "position",
    ["", "zzz", "[1,2]", '["a","b"]', '[{"a":1},"x"]', "[1]", "[true,1]", "[1e999,1]", "NaN", "[" * 3000],
)
def test_a_position_that_no_page_has_is_refused_whoever_signed_it(filled: Api, position: str) -> None:
    forged = encode_cursor(position, ORDER, SEARCH_BUCKET)
    assert filled("GET /search", sortby="size", cursor=forged).problem == "invalid-cursor"
    for asked, bound in (({}, {}), ({"by": "pixels"}, {"by": "pixels", "distance": 6})):
        forged = encode_cursor(position, {"of": "duplicates"} | bound, SEARCH_BUCKET)
        assert filled("GET /duplicates", **asked, cursor=forged).problem == "invalid-cursor"


def test_a_page_goes_on_behind_the_longest_key(filled: Api) -> None:
    key = "uploads/" + "\x01" * 1016
    row = change_row(key, "2026-11", padded("9"), record(key, uploaded_at="2030-01-01T00:00:00.000Z"))
    write_changes(Files(SEARCH_BUCKET), "9-9", [row])
    first = filled("POST /search", body=b'{"limit": 1}').json
    assert [item["image_id"] for item in first["items"]] == [key]
    more = filled("POST /search", body=json.dumps({"limit": 9, "cursor": first["next_cursor"]}).encode())
    assert len(ids(more)) == 3


def test_damage_is_told_as_unavailable_and_what_to_do(filled: Api) -> None:
    filled.s3.put_object(Bucket=SEARCH_BUCKET, Key="changes/9-9.ndjson.gz", Body=b"half")
    answer = filled("GET /search")
    assert (answer.status, answer.problem) == (503, "unavailable")
    assert "changes/9-9.ndjson.gz is damaged: delete it there, then run" in answer.json["detail"]
    assert answer.headers["retry-after"] == "1"


def test_a_broken_engine_is_replaced(filled: Api) -> None:
    assert len(ids(filled("GET /search"))) == 3
    search_images.reader_of(SEARCH_BUCKET).engine.broken = True
    assert len(ids(filled("GET /search"))) == 3
    assert not search_images.reader_of(SEARCH_BUCKET).engine.broken


def test_log_lines_hold_nothing_of_a_question(filled: Api) -> None:
    log = filled.log()
    filled("GET /search", filter="title = 'secret'", q="hidden")
    filled("POST /search", body=b'{"filter": "title = \'secret\'"}')
    filled("GET /search", filter="secret = 1")
    assert log.getvalue() and "secret" not in log.getvalue() and "hidden" not in log.getvalue()
