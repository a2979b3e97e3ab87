"""Questions: what is refused and how that is said, pages while images arrive, facets, duplicates, bounds."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from typing import Any
from urllib.parse import urljoin

import duckdb
import pytest

from image_catalogue.errors import CatalogueBusy, InvalidCursor, InvalidRequest
from image_search import engine as engines
from image_search import facets, filters, query
from image_search.columns import (
    BOOLEAN,
    BY_NAME,
    COLUMNS,
    INTEGER,
    LOCAL_TIME,
    NUMBER,
    NUMBERS,
    TEXT,
    TEXTS,
    TIME,
    queryables,
    split_words,
)
from image_search.filters import Condition
from image_search.query import MAX_LIMIT, MAX_PAGE_BYTES, Query, duplicates, search
from tests.support.search import KEY, Deployment, image


def refused(**asked: Any) -> str:
    with pytest.raises(InvalidRequest) as refusal:
        Query.of({name.replace("_", "-"): value for name, value in asked.items()}, KEY)
    return str(refusal.value)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("camra.make = 'Canon'", "did you mean 'camera.make'?"),
        ("make = 'Canon'", "did you mean 'camera.make'?"),
        ("latitude > 3", "did you mean 'gps.latitude'?"),
        ("zzz = 3", "GET /search/queryables lists them"),
        (
            'camera.make = "Canon"',
            "there is no property 'Canon'; GET /search/queryables lists them (a text stands in single quotes)",
        ),
        ("camera.make LIKE Can", "not with the property 'Can' (a text stands in single quotes)"),
        ('format = "HEIF"', "did you mean 'height'? (a text stands in single quotes)"),
        ("words = 'x'", "there is no property 'words'"),
        ("sequence > '0'", "there is no property 'sequence'"),
        ("gps = 3", "gps is a position"),
        ("size = 'large'", "size is compared with a number, not with 'large'"),
        ("camera.make = 3", "camera.make is compared with a text, not with 3"),
        ("has_gps = 1", "has_gps is compared with true or false"),
        ("has_gps > true", "it takes = and <>"),
        ("size", "size alone is no condition"),
        ("size = 1e400", "too large"),
        ("size = NULL", "size is compared with a number, not with NULL"),
        ("size = true", "compared with a number, not with true"),
        ('{"op": "="}', "the filter is no CQL2 text"),
        ("width = camera.make", "cannot be compared with each other"),
        ("keywords = 'dog'", "keywords is a list: it takes a_contains"),
        ("A_CONTAINS(keywords, (1))", "keywords holds texts"),
        ("A_CONTAINS(camera.make, ('x'))", "camera.make is none"),
        ("CASEI(size) = 'x'", "casei takes texts"),
        ("A_CONTAINS(CASEI(keywords), ('paris'))", "a_contains takes keywords as it is: leave casei away"),
        ("T_BEFORE(ACCENTI(taken_at), DATE('2024-01-01'))", "t_before takes taken_at as it is"),
        ("S_INTERSECTS(CASEI(ACCENTI(gps)), BBOX(1, 40, 2, 50))", "s_intersects takes gps as it is"),
        ("CASEI(gps) IS NULL", "gps is a position"),
        ("T_AFTER(DATE('2024-01-01'), taken_at)", "t_after takes a property first"),
        ("A_CONTAINS(('sea'), keywords)", "a_contains takes a property first"),
        ("size LIKE '1%'", "like takes texts"),
        ("camera.make LIKE 'x\\'", "a pattern ends with"),
        (f"camera.make LIKE '{'x' * 2001}'", "a pattern is longer than 2000"),
        (f"camera.make LIKE '%x{'_' * 32}y'", "more than 32 of _ and %"),
        *(
            ("1" + f" {sign} 1" * (8190 // (3 + len(sign))), "nested more than")
            for sign in ("=", "<", "+", "like")
        ),
        ("=".join("1" * 4096), "nested more than"),
        ("taken_at > 'yesterday'", "is no time"),
        ("taken_at > '2024-02-30'", "no day of the calendar"),
        ("taken_at > '2024-05-01T10:00:00+02:00'", "local time: leave the offset"),
        ("uploaded_at > '2024-05-01T10:00:00+99:99'", "is no time"),
        ("uploaded_at > TIMESTAMP('2024-02-30T10:00:00Z')", "'2024-02-30T10:00:00Z' is no day of the"),
        ("T_DURING(taken_at, INTERVAL('2024', '2023'))", "ends before it begins"),
        ("T_AFTER(size, DATE('2024-01-01'))", "takes a time, and size is none"),
        ("T_MEETS(taken_at, DATE('2024-01-01'))", "the operation 't_meets'"),
        ("S_INTERSECTS(gps, BBOX(1, 50, 2, 40))", "south lies above its north"),
        ("S_INTERSECTS(gps, BBOX(1, 40, 200, 50))", "within longitudes"),
        ("S_INTERSECTS(size, BBOX(1, 40, 2, 50))", "takes the property gps"),
        ("S_INTERSECTS(gps, POINT(1 2))", "takes a BBOX, a POLYGON"),
        ("S_INTERSECTS(gps, POLYGON((0 0, 1 1, 0 0)))", "four positions or more"),
        ("S_INTERSECTS(gps, POLYGON((0 0, 1 1, 2 0, 5 5)))", "ends where it begins"),
        ("size + 1 = 2", "'+' is neither"),
        ("size = 2 ^ 3", "no arithmetic"),
        ("size = 1 AND", "line 1, character 13"),
        ("size =\n= 1", "line 2, character 1"),
        ("size = 1; DROP TABLE images", "character 9"),
        ("", "character 1"),
        ("(" * 10_000 + "has_gps" + ")" * 10_000, "longer than"),
        ("(" * 40 + "has_gps" + ")" * 40, "nested more than"),
        ("not " * 1500 + "has_gps", "nested more than"),
        ("size = " + "-" * 4000 + "1", "nested more than"),
        ("size IN (" + ",".join(["1"] * 3000) + ")", "more than"),
        ("title = '" + "x" * 2**20 + "'", "longer than"),
    ],
)
def test_a_filter_that_cannot_be_asked_is_refused_and_said_why(text: str, said: str) -> None:
    assert said in refused(filter=text)


def nested(depth: int) -> Any:
    tree: Any = {"property": "has_gps"}
    for _ in range(depth):
        tree = {"op": "not", "args": [tree]}
    return tree


@pytest.mark.parametrize(
    ("tree", "said"),
    [
        (None, ""),
        (3, "where a condition or a property should be"),
        ("has_gps and", "no CQL2"),
        ([], "where a condition"),
        ({}, "where a condition"),
        ({"op": "="}, "no list args"),
        ({"op": "=", "args": []}, "takes 2 operands"),
        ({"op": "=", "args": "ab"}, "no list args"),
        ({"op": 3, "args": []}, "where a condition"),
        ({"op": "and", "args": []}, "takes conditions"),
        ({"op": "=", "args": [{"property": ["size"]}, 1]}, "there is no property"),
        ({"op": "=", "args": [{"property": "size"}, {"a": 1}]}, "compared with a number"),
        ({"op": "=", "args": [1, 1]}, "where a condition or a property should be"),
        (
            {"op": "like", "args": [{"property": "title"}, {"op": "casei", "args": [3]}]},
            "compared with a text",
        ),
        ({"op": "in", "args": [{"property": "size"}, []]}, "takes a list of values"),
        ({"op": "in", "args": [{"property": "size"}, 1]}, "takes a list of values"),
        ({"op": "s_intersects", "args": [{"property": "gps"}, {"bbox": [1, 2, 3]}]}, "four numbers"),
        ({"op": "s_intersects", "args": [{"property": "gps"}, {"bbox": [1, "2", 3, 4]}]}, "four numbers"),
        ({"op": "s_intersects", "args": [{"property": "gps"}, {"type": "Polygon"}]}, "list of rings"),
        (
            {"op": "s_intersects", "args": [{"property": "gps"}, {"type": "Polygon", "coordinates": [[1]]}]},
            "position",
        ),
        ({"op": "t_during", "args": [{"property": "taken_at"}, {"interval": ["2024"]}]}, "two ends"),
        (
            {"op": "t_during", "args": [{"property": "taken_at"}, {"interval": [1, 2]}]},
            "compared with a time",
        ),
        ({"op": "=", "args": [{"property": "taken_at"}, {"date": 3}]}, "compared with a time"),
        (
            {"op": "=", "args": [{"op": "casei", "args": [{"op": "casei", "args": []}]}, "x"]},
            "takes 1 operand",
        ),
        ({"op": 'x"; DROP TABLE images; --', "args": []}, "is none of and, or"),
        (nested(200), "nested more than"),
        (nested(100_000), "nested more than"),
        ({"op": "or", "args": [{"property": "has_gps"}] * 100_000}, "more than"),
    ],
)
def test_a_tree_that_is_no_filter_is_refused(tree: Any, said: str) -> None:
    if tree is None:
        assert Query.of({"filter": None}, KEY).where == "TRUE"
    else:
        assert said in refused(filter=tree)


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        ({"bbox": "1,2,3"}, "four numbers"),
        ({"bbox": "a,b,c,d"}, "four numbers"),
        ({"bbox": "0,nan,1,1"}, "a number is NaN or too large"),
        ({"bbox": "0,0,1_0,1"}, "four numbers"),
        ({"bbox": "１,2,3,4"}, "four numbers"),
        ({"bbox": "0,10,1,5"}, "south lies above"),
        ({"bbox": [0, 0, 1, 91]}, "within longitudes"),
        ({"bbox": {"west": 1}}, "four numbers"),
        ({"datetime": "2024-06/2024-05"}, "ends before it begins"),
        ({"datetime": "../.."}, "a time or an interval"),
        ({"datetime": "a/b/c"}, "a time or an interval"),
        ({"datetime": "soon"}, "is no time"),
        ({"datetime": 2024}, "a time or an interval"),
        ({"q": ""}, "words to look for"),
        ({"q": "?! --"}, "words to look for"),
        ({"q": "w " * 21}, "1 to 20 words"),
        ({"q": 5}, "words to look for"),
        ({"sortby": "-sise"}, "did you mean 'size'?"),
        ({"sortby": "keywords"}, "not sorted by it"),
        ({"sortby": "--size"}, "there is no property '-size'; did you mean 'size'?"),
        ({"sortby": "+-size"}, "there is no property '-size'; did you mean 'size'?"),
        ({"sortby": [{"field": "size", "dir": "desc"}]}, "a direction asc or desc"),
        ({"sortby": "size,-size"}, "each once"),
        ({"sortby": "size,width,height,rating"}, "at most 3"),
        ({"sortby": [{"field": "size", "direction": "down"}]}, "a direction asc or desc"),
        ({"sortby": [3]}, "list of properties"),
        ({"limit": "0x10"}, "whole number"),
        ({"limit": "1001"}, "0 to 1000"),
        ({"limit": -1}, "whole number"),
        ({"limit": True}, "whole number"),
        ({"limit": 2.5}, "whole number"),
        ({"fields": "size,colour"}, "there is no property 'colour'"),
        ({"fields": {"a": 1}}, "a list of names"),
        ({"facets": "title"}, "it is no facet"),
        ({"facets": "etag"}, "it is no facet"),
        ({"facets": "taken_at:week"}, "taken_at:year, taken_at:month, taken_at:day"),
        ({"facets": "taken_at:"}, "taken_at:year, taken_at:month, taken_at:day"),
        ({"facets": "camera.make:5"}, "leave ':5' away"),
        ({"facets": "gps"}, "gps:geohash1 to gps:geohash8"),
        ({"facets": "gps:geohash9"}, "gps:geohash1 to gps:geohash8"),
        ({"facets": "rating,rating"}, "asked for twice"),
        ({"facets": ",".join(sorted(BY_NAME)[:13])}, "at most 12"),
        ({"filter": "has_gps", "filter_lang": "sql"}, "cql2-text or cql2-json"),
        ({"filter": {"property": "has_gps"}, "filter_lang": "cql2-text"}, "is a text"),
        ({"filter": "{", "filter_lang": "cql2-json"}, "no JSON"),
        ({"filter": "[" * 5000, "filter_lang": "cql2-json"}, "the filter"),
        ({"cursor": "?"}, "not one that this API made"),
        ({"cursor": "AAAA"}, "damaged"),
        ({"cursor": 5}, "not one that this API made"),
    ],
)
def test_a_member_that_cannot_be_is_refused_and_said_why(asked: dict[str, Any], said: str) -> None:
    assert said in refused(**asked)


INJECTIONS = [
    "'; DROP TABLE pending; --",
    '" OR 1=1 --',
    "\\",
    "%",
    "_",
    "') UNION SELECT 1,2,3 --",
    "\x00",
    "?",
    "$1",
]


@pytest.mark.parametrize("text", INJECTIONS)
def test_every_text_is_data(deployment: Deployment, text: str) -> None:
    deployment.put(image("a", title=text, camera__make=text), image("b", title="other", camera__make="x"))
    quoted = text.replace("'", "''")
    for asked in (
        {"filter": f"title = '{quoted}'"},
        {"filter": {"op": "=", "args": [{"property": "title"}, text]}},
        {"filter": {"op": "in", "args": [{"property": "camera.make"}, [text]]}},
        {"filter": f"CASEI(title) = CASEI('{quoted}')"},
    ):
        assert deployment.ids(**asked) == ["a"]
    for name in ("q", "sortby", "fields", "facets", "datetime", "bbox", "limit"):
        try:
            deployment.ask(**{name: text})
        except InvalidRequest:
            continue
    with pytest.raises(InvalidRequest):
        deployment.ask(cursor=text)
    entries = deployment.ask(facets="camera.make")["facets"]["camera.make"]["values"]
    assert sorted(entry["value"] for entry in entries) == sorted([text, "x"])
    assert deployment.ask()["matched"] == 2


def test_sql_is_made_of_our_own_texts_alone() -> None:
    """Whatever a filter holds, the SQL of two filters of the same shape is the same."""
    shapes = []
    for text, number, moment in (
        ("a", 1.5, "2024"),
        ("'; DROP TABLE x; --", -3e10, "1999-12-31T23:59:59.123Z"),
    ):
        condition = Condition()
        tree = {
            "op": "and",
            "args": [
                {"op": "=", "args": [{"property": "title"}, text]},
                {"op": "like", "args": [{"op": "casei", "args": [{"property": "title"}]}, text]},
                {"op": "a_overlaps", "args": [{"property": "keywords"}, [text, text]]},
                {"op": "between", "args": [{"property": "size"}, number, number]},
                {"op": "t_before", "args": [{"property": "taken_at"}, {"timestamp": moment}]},
            ],
        }
        shapes.append(condition.filter(tree))
        assert text in condition.values and number in condition.values
    assert shapes[0] == shapes[1]


def test_times_are_as_precise_as_they_are_stated(deployment: Deployment) -> None:
    deployment.put(
        image("a", taken_at="2024-04-30T23:59:59.9", uploaded_at="2026-11-21T09:59:59.999Z"),
        image("b", taken_at="2024-05", uploaded_at="2026-11-21T10:00:00.000Z"),
        image("c", taken_at="2024-05-01T00:00:00", uploaded_at="2026-11-21T10:00:00.001Z"),
        image("d", taken_at="2024-05-31T23:59:59.99", uploaded_at="2026-11-21T10:00:01.000Z"),
        image("e", taken_at="2024-06-01", uploaded_at="2026-11-22T00:00:00.000Z"),
        image("f"),
    )
    for text, found in {
        "taken_at = '2024-05'": "bcd",
        "taken_at > '2024-05'": "e",
        "taken_at >= DATE('2024-05-01')": "cde",
        "taken_at < '2024-05'": "a",
        "taken_at <= '2024-05'": "abcd",
        "taken_at <> '2024-05'": "ae",
        "taken_at = TIMESTAMP('2024-05-01T00:00:00.000Z')": "c",
        "uploaded_at > '2026-11-21T10:00:00.000Z'": "cde",
        "uploaded_at >= TIMESTAMP('2026-11-21T11:00:00+01:00')": "bcde",
        "uploaded_at = '2026-11-21T10:00:00Z'": "bc",
        "T_AFTER(uploaded_at, TIMESTAMP('2026-11-21T23:00:00Z'))": "e",
        "T_DURING(taken_at, INTERVAL('2024-05-01', '2024-05-31'))": "cd",
        "T_INTERSECTS(taken_at, INTERVAL('..', '2024-05'))": "abcd",
        "taken_at BETWEEN '2024-05' AND '2024-06'": "bcde",
        "taken_at IN ('2024-04', '2024-06')": "ae",
        "taken_at IS NULL": "f",
    }.items():
        text = f"({text}) AND image_id <> 'f'" if "uploaded" in text else text
        assert "".join(deployment.ids(filter=text, sortby="image_id")) == found, text
    for interval, found in {
        "2024-05/2024-05": "bcd",
        "2024-05": "bcd",
        "2024-05-02/..": "de",
        "../2024-04-30": "a",
    }.items():
        assert "".join(deployment.ids(datetime=interval, sortby="image_id")) == found, interval


def test_an_offset_leaves_an_early_year_its_digits(deployment: Deployment) -> None:
    deployment.put(image("a", uploaded_at="2026-11-21T10:00:00.000Z"))
    assert deployment.ids(filter="uploaded_at > '0999-01-01T12:00:00+01:00'") == ["a"]
    assert deployment.ids(filter="uploaded_at < '0999-01-01T12:00:00+01:00'") == []


def test_a_fraction_of_a_second_counts_with_all_its_digits(deployment: Deployment) -> None:
    second = "2024-05-01T10:00:00"
    deployment.put(
        image("a", taken_at=second, uploaded_at=f"{second}.000Z"),
        image("b", taken_at=f"{second}.499999", uploaded_at=f"{second}.499Z"),
        image("c", taken_at=f"{second}.5", uploaded_at=f"{second}.500Z"),
        image("d", taken_at=f"{second}.500", uploaded_at=f"{second}.501Z"),
        image("e", taken_at=f"{second}.567", uploaded_at=f"{second}.567Z"),
        image("f", taken_at="2024-05-01T10:00:01", uploaded_at="2024-05-01T10:00:01.000Z"),
    )

    def found(**asked: str) -> str:
        return "".join(deployment.ids(**asked, sortby="image_id"))

    for condition, taken, uploaded in (
        ("= '{}.0'", "a", "a"),
        ("<= '{}.000'", "a", "a"),
        ("> '{}.000000000'", "bcdef", "bcdef"),
        ("= '{}.5'", "cde", "c"),
        ("= '{}.50'", "cd", "c"),
        ("= '{}.500'", "cd", "c"),
        ("<> '{}.500'", "abef", "abdef"),
        (">= '{}.500'", "cdef", "cdef"),
        ("> '{}.500'", "ef", "def"),
        ("< '{}.500'", "ab", "ab"),
        ("<= '{}.500'", "abcd", "abc"),
        ("<= '{}.5'", "abcde", "abc"),
        ("< '{}.4999995'", "ab", "ab"),
        (">= '{}.4999995'", "cdef", "cdef"),
        ("= '{}.4999995'", "", ""),
        ("= '{}.499999000'", "b", ""),
        ("< '{}.499000'", "a", "a"),
        ("= '{}.499000'", "", "b"),
        ("BETWEEN '{0}.4999' AND '{0}.500'", "bcd", "c"),
        ("IN ('{0}.000', '{0}.567')", "ae", "ae"),
        ("= TIMESTAMP('{}.000Z')", "a", "a"),
        ("> TIMESTAMP('{}.000z')", "bcdef", "bcdef"),
        ("<= timestamp ( '{}.500000Z' )", "abcd", "abc"),
    ):
        for name, ids in (("taken_at", taken), ("uploaded_at", uploaded)):
            text = f"{name} {condition.format(second)}"
            assert found(filter=text) == ids, text
    assert found(datetime=f"{second}.500/..") == "cdef"
    assert found(datetime=f"../{second}.500") == "abcd"
    assert found(datetime=f"{second}.4/{second}.499999") == "b"
    for form in ("= TIMESTAMP('{}')", "BETWEEN '{0}' AND '{0}'", "IN (TIMESTAMP('{}'))"):
        for offset in ("12:00:00.500+02:00", "08:30:00.500-0130", "10:00:00.500+00:00"):
            assert found(filter=f"uploaded_at {form.format(second[:11] + offset)}") == "c", (form, offset)
    for ends in ("'{0}.000Z', '{0}.000Z'", "TIMESTAMP('{0}.000Z'), TIMESTAMP('{0}.000Z')"):
        for name in ("taken_at", "uploaded_at"):
            assert found(filter=f"T_DURING({name}, INTERVAL({ends.format(second)}))") == "a", (name, ends)


@pytest.mark.parametrize(
    "said",
    [
        "taken_at = TIMESTAMP('{}')",
        "taken_at = '{}'",
        "T_DURING(taken_at, INTERVAL('{}', '..'))",
        "T_DURING(taken_at, INTERVAL(TIMESTAMP('{0}'), TIMESTAMP('{0}')))",
    ],
)
def test_a_local_time_with_an_offset_is_refused_however_it_is_said(said: str) -> None:
    assert "local time: leave the offset +02:00 away" in refused(
        filter=said.format("2024-05-01T10:00:00.0+02:00")
    )


def test_a_text_that_reads_like_a_time_is_what_it_was(deployment: Deployment) -> None:
    text = "TIMESTAMP('2024-05-01T10:00:00.000Z')"
    deployment.put(image("a", title=text), image("b", title=text.lower()))
    quoted = text.replace("'", "''")
    assert deployment.ids(filter=f"title = '{quoted}'") == ["a"]


def test_places_in_boxes_and_polygons(deployment: Deployment) -> None:
    deployment.put(
        image("paris", gps__latitude=48.86, gps__longitude=2.35),
        image("fiji", gps__latitude=-17.7, gps__longitude=178.0),
        image("samoa", gps__latitude=-13.8, gps__longitude=-171.8),
        image("hole", gps__latitude=5.0, gps__longitude=5.0),
        image("nowhere"),
    )
    for asked, found in (
        ({"bbox": "-5,40,10,50"}, ["paris"]),
        ({"bbox": [170, -20, -170, -10]}, ["fiji", "samoa"]),
        ({"bbox": [-180, -90, 180, 90]}, ["fiji", "hole", "paris", "samoa"]),
        ({"bbox": [2.35, 48.86, 2.35, 48.86]}, ["paris"]),
        ({"bbox": [-5, 40, -100, 10, 50, 100]}, ["paris"]),
        ({"filter": "S_INTERSECTS(gps, BBOX(170, -20, -170, -10))"}, ["fiji", "samoa"]),
        ({"filter": "NOT S_INTERSECTS(gps, BBOX(170, -20, -170, -10))"}, ["hole", "paris"]),
        ({"filter": "S_INTERSECTS(gps, POLYGON((0 0, 10 0, 10 60, 0 60, 0 0)))"}, ["hole", "paris"]),
        (
            {
                "filter": "S_INTERSECTS(gps, POLYGON((0 0, 10 0, 10 60, 0 60, 0 0), (4 4, 6 4, 6 6, 4 6, 4 4)))"
            },
            ["paris"],
        ),
        ({"filter": "S_INTERSECTS(gps, POLYGON((0 0, 10 0, 0 9.9, 0 0)))"}, []),
        ({"filter": "S_INTERSECTS(gps, POLYGON((0 0, 10 0, 0 10.1, 0 0)))"}, ["hole"]),
        (
            {
                "filter": "S_INTERSECTS(gps, MULTIPOLYGON(((0 0, 9 0, 9 8, 0 0)), ((2 48, 3 48, 2.5 50, 2 48))))"
            },
            ["paris"],
        ),
        ({"filter": "gps IS NULL"}, ["nowhere"]),
    ):
        assert deployment.ids(**asked, sortby="image_id") == found, asked


def test_the_border_of_a_polygon_is_part_of_it_as_a_box_s_is(deployment: Deployment) -> None:
    places = {
        f"{longitude} {latitude}": image(
            f"{longitude} {latitude}", gps__latitude=float(latitude), gps__longitude=float(longitude)
        )
        for longitude in (-180, -1, 0, 5, 10, 11, 180)
        for latitude in (-90, -1, 0, 5, 10, 11, 90)
    }
    deployment.put(*places.values())

    def found(shape: str) -> set[str]:
        return set(deployment.ids(filter=f"S_INTERSECTS(gps, {shape})", limit=100))

    square = found("BBOX(0, 0, 10, 10)")
    assert len(square) == 9
    assert found("POLYGON((0 0, 10 0, 10 10, 0 10, 0 0))") == square
    assert found("POLYGON((0 0, 0 10, 10 10, 10 0, 0 0))") == square
    assert found("POLYGON((0 0, 10 0, 0 10, 0 0))") == {"0 0", "5 0", "10 0", "0 5", "5 5", "0 10"}
    hole = "(-1 -1, 11 -1, 11 11, -1 11, -1 -1), (0 0, 10 0, 10 10, 0 10, 0 0)"
    assert found(f"POLYGON({hole})") == found("BBOX(-1, -1, 11, 11)") - {"5 5"}
    assert found("POLYGON((-180 -90, 180 -90, 180 90, -180 90, -180 -90))") == set(places)


def test_casei_folds_what_has_no_lower_case_of_one_letter(deployment: Deployment) -> None:
    deployment.put(
        image("a", title="Straße"),
        image("b", title="STRASSE"),
        image("c", title="Οδός"),
        image("d", title="ΟΔΌΣ"),
        image("e", title="ẞ"),
    )
    for condition, found in {
        "CASEI(title) = CASEI('strasse')": "ab",
        "CASEI(title) = CASEI('STRAẞE')": "ab",
        "CASEI(title) = CASEI('οδός')": "cd",
        "CASEI(title) = CASEI('ΟΔΌΣ')": "cd",
        "CASEI(ACCENTI(title)) IN (ACCENTI(CASEI('οδος')))": "cd",
        "CASEI(title) LIKE CASEI('%ß%')": "abe",
        "title = 'Straße'": "a",
    }.items():
        assert "".join(deployment.ids(filter=condition, sortby="image_id")) == found, condition
    for name in ("casei", "CASEI"):
        folded = [{"op": name, "args": [side]} for side in ("strasse", {"property": "title"})]
        assert sorted(deployment.ids(filter={"op": "=", "args": folded})) == ["a", "b"]


def test_patterns(deployment: Deployment) -> None:
    deployment.put(
        image("a", title="100%\nÉté_1 \\o/ \U0001f305"),
        image("b", title="100 Ete 1"),
        image("c", title="a" * 4096),
        image("d", title=""),
        image("e"),
    )
    for pattern, found in {
        "'%'": "abcd", "''": "d", "'_%'": "abc", "'100_%'": "ab", "'100\\%%'": "a", "'%\\_1%'": "a",
        "'%\\\\o/%'": "a", "'%\\o/%'": "a", "'\\1\\0\\0%'": "ab", "'%/ _'": "a", "'%/ __'": "", "'%.%'": "",
        "'%É%'": "a", "'100%1'": "b", "CASEI('%É_É%')": "", "'%[0-9]%'": "",
    }.items():  # fmt: skip
        assert "".join(sorted(deployment.ids(filter=f"title LIKE {pattern}"))) == found, pattern
    for letter in "пοÿſ\x7f":
        deployment.put(image("f", title=f"a{letter}/x"))
        for pattern in (
            f"a{letter}%x",
            f"a{letter}%",
            f"%{letter}%x",
            f"a{letter}/x",
            f"a{letter}%/%x",
            f"a{letter}_x",
        ):
            assert deployment.ids(filter=f"title LIKE '{pattern}' AND size > 0") == ["f"], pattern
    deployment.remove("f")
    for pattern, found in {
        "'%é_É\\_%'": "a", "'%E_E%'": "ab", "'%\\\u0301%'": "abcd", "'%_\\\u0301_ete%'": "ab",
    }.items():  # fmt: skip
        condition = f"CASEI(ACCENTI(title)) LIKE CASEI(ACCENTI({pattern}))"
        assert "".join(sorted(deployment.ids(filter=condition))) == found, condition


@pytest.mark.parametrize(
    ("pattern", "matches"),
    [
        ("%a%a%a%a%a%b", False),
        ("%a_%a_%a_%a_%a_%b", False),
        (r"%a%a%a%a%\%%a", False),
        ("%" + "a_%" * 15, True),
    ],
)
def test_a_pattern_is_tried_in_one_way_alone(deployment: Deployment, pattern: str, matches: bool) -> None:
    """Where a matcher goes back to try another, one long title keeps it busy for hours, and nothing interrupts it."""
    deployment.put(image("a", title="a" * 4096))
    tree = {"op": "like", "args": [{"property": "title"}, pattern]}
    assert deployment.ids(filter=tree) == (["a"] if matches else [])


def test_words_are_found_without_case_and_accents_at_the_beginning_of_words(deployment: Deployment) -> None:
    deployment.put(
        image("a", title="Crème Brûlée", keywords=["Île-de-France"]),
        image("b", description="A cat on a LOCATION", filename="IMG_1234.JPG"),
        image("c", title="Straße 日本語", filename="x.png"),
    )
    for words, found in {
        "creme": "a", "CRÈME brul": "a", "ile france": "a", "cat": "b", "cation": "", "1234 jpg": "b",
        "strasse": "c", "日本": "c", "creme cat": "", "img_1234": "b", "x": "c",
    }.items():  # fmt: skip
        assert "".join(deployment.ids(q=words)) == found, words
    assert deployment.ids(q=["creme", "brulee"]) == ["a"]
    assert split_words("Crème brûlée_2.JPG") == ["creme", "brulee", "2", "jpg"]


def test_pages_neither_repeat_nor_miss_while_images_arrive(deployment: Deployment) -> None:
    deployment.put(
        *(image(f"{number:03d}", size=number % 7, rating=number % 3 or None) for number in range(60))
    )
    for sortby in ("-size,rating", "-rating,-size", "image_id"):
        before = deployment.ids(sortby=sortby, limit=1000)
        seen: list[str] = []
        asked: dict[str, Any] = {"sortby": sortby, "limit": 14}
        number = 0
        while True:
            answer = deployment.ask(**asked)
            seen += [item["image_id"] for item in answer["items"]]
            if "next_cursor" not in answer:
                break
            asked["cursor"] = answer["next_cursor"]
            number += 1
            deployment.put(image(f"new-{sortby}-{number}", size=number, rating=number % 4 or None))
            if number == 2:
                deployment.compact()
        assert len(seen) == len(set(seen))
        assert [image_id for image_id in seen if image_id in set(before)] == before


def test_a_cursor_is_good_for_its_own_query_alone(deployment: Deployment) -> None:
    deployment.put(*(image(f"{number}") for number in range(5)))
    cursor = deployment.ask(limit=2, sortby="size")["next_cursor"]
    assert len(deployment.ids(limit=1, sortby="size", cursor=cursor)) == 1
    assert len(deployment.ids(sortby="size", cursor=cursor, facets="rating", fields="size")) == 3
    for other in (
        {},
        {"sortby": "-size"},
        {"sortby": "size", "q": "a"},
        {"sortby": "size", "filter": "size > 1"},
    ):
        with pytest.raises(InvalidCursor):
            deployment.ask(cursor=cursor, **other)
    with pytest.raises(InvalidCursor):
        Query.of({"sortby": "size", "cursor": cursor}, "another bucket")


def test_a_long_text_orders_by_its_beginning_and_its_cursor_stays_short(deployment: Deployment) -> None:
    title = "é" * 4096
    deployment.put(*(image(f"{number}", title=title + str(9 - number)) for number in range(4)), image("5"))
    answer = deployment.ask(sortby="title", limit=2)
    assert len(answer["next_cursor"]) < 2000
    rest = deployment.ids(sortby="title", cursor=answer["next_cursor"])
    assert [item["image_id"] for item in answer["items"]] + rest == ["0", "1", "2", "3", "5"]


def test_a_page_ends_before_it_is_too_large_to_answer(deployment: Deployment) -> None:
    deployment.put(*(image(f"{number:03d}", description="x" * 30_000) for number in range(200)))
    answer = deployment.ask(limit=MAX_LIMIT, sortby="image_id")
    assert 100 < len(answer["items"]) < 150
    assert len(json.dumps(answer["items"])) < MAX_PAGE_BYTES + 40_000
    rest = deployment.ask(limit=MAX_LIMIT, sortby="image_id", cursor=answer["next_cursor"])
    assert len(answer["items"]) + len(rest["items"]) == 200


def test_fields_are_what_is_asked_for_and_the_id(deployment: Deployment) -> None:
    deployment.put(image("a", camera__make="Canon", camera__model="R5", exposure__iso=100))
    for fields, found in {
        "size": {"image_id": "a", "size": 100},
        "camera": {"image_id": "a", "camera": {"make": "Canon", "model": "R5"}},
        "camera.make,exposure.iso,title": {
            "image_id": "a",
            "camera": {"make": "Canon"},
            "exposure": {"iso": 100},
        },
        "image_id": {"image_id": "a"},
    }.items():
        assert deployment.ask(fields=fields)["items"] == [found]
        assert deployment.ask(fields=fields.split(","))["items"] == [found]
    assert set(deployment.ask(fields="")["items"][0]) == set(image("a")) | {"camera", "exposure"}


def test_facets_count_all_that_is_found(deployment: Deployment) -> None:
    deployment.put(
        *(
            image(
                f"{number:03d}", size=number, camera__make=f"make {number % 30:02d}", rating=number % 4 or None,
                keywords=["all", f"k{number % 2}"], taken_at=f"{2000 + number % 5}-0{1 + number % 2}-01",
                gps__latitude=48.8584, gps__longitude=2.2945, has_gps=number % 2 == 0,
            )
            for number in range(90)
        ),
        image("none", size=10**9),
    )  # fmt: skip
    names = "camera.make,rating,keywords,taken_at:year,taken_at:month,taken_at,size,gps:geohash5,has_gps,exposure.iso"
    answer = deployment.ask(facets=names, limit=0, filter="image_id <> '000'")
    told = answer["facets"]
    assert list(told) == names.split(",") and answer["items"] == [] and answer["matched"] == 90
    assert told["rating"] == {
        "values": [{"value": 1, "count": 23}, {"value": 2, "count": 22}, {"value": 3, "count": 22}],
        "missing": 23,
    }
    assert len(told["camera.make"]["values"]) == 20 and told["camera.make"]["missing"] == 1
    assert told["camera.make"]["other"] == 90 - 1 - 20 * 3
    assert told["keywords"] == {
        "values": [{"value": "all", "count": 89}, {"value": "k1", "count": 45}, {"value": "k0", "count": 44}],
        "missing": 1,
    }
    assert told["taken_at:year"]["values"][0] == {"value": "2000", "count": 17}
    assert [entry["value"] for entry in told["taken_at"]["values"]] == sorted(
        entry["value"] for entry in told["taken_at:month"]["values"]
    )
    assert told["gps:geohash5"] == {
        "values": [{"value": "u09tu", "bbox": [2.285156, 48.823242, 2.329102, 48.867188], "count": 89}],
        "missing": 1,
    }
    assert told["has_gps"]["values"] == [{"value": False, "count": 45}, {"value": True, "count": 44}]
    assert told["exposure.iso"] == {"values": [], "missing": 90}
    bins = told["size"]["values"]
    assert sum(entry["count"] for entry in bins) == 90 and bins[0]["from"] <= 1 and bins[-1]["to"] >= 10**9
    assert all(entry["from"] < entry["to"] for entry in bins)


@pytest.mark.parametrize(
    ("least", "greatest"),
    [
        (0, 0),
        (5, 5),
        (1, 2),
        (0, 1e9),
        (1, 1e9),
        (-90.0, 90.0),
        (1.8, 22),
        (1e-5, 30),
        (0.3, 0.31),
        (7, 1e15),
        (-5, -1),
    ],
)
def test_the_edges_of_a_histogram_hold_all_and_are_few(least: float, greatest: float) -> None:
    found = facets.edges(least, greatest)
    assert found[0] <= least and found[-1] >= greatest and 2 <= len(found) <= 4 * facets.BINS + 1
    assert found == sorted(found) and (least == greatest or len(set(found)) == len(found))


def test_a_histogram_counts_each_image_in_the_bin_that_holds_it(deployment: Deployment) -> None:
    values = [0.0, 0.1, 1.0, 1.8, 2.0, 5.6, 9.99, 10.0]
    deployment.put(*(image(f"{value}", exposure__f_number=value) for value in values))
    bins = deployment.ask(facets="exposure.f_number")["facets"]["exposure.f_number"]["values"]
    assert bins[-1]["to"] == 10
    for entry in bins:
        inside = [value for value in values if entry["from"] <= value < entry["to"]]
        inside += [10.0] if entry["to"] == 10 else []
        assert entry["count"] == len(inside), entry


def test_duplicates_are_grouped_by_size_and_etag(deployment: Deployment) -> None:
    def ask(limit: int = 10, after: tuple[int, str] | None = None) -> dict[str, Any]:
        return duplicates(deployment.reader, limit, after)

    assert ask() | {"as_of": ""} == {"groups": [], "matched": 0, "wasted_bytes": 0, "as_of": ""}
    deployment.put(
        *(image(f"a{number}", size=10, etag="same") for number in range(3)),
        image("b1", size=500, etag="part-2"), image("b2", size=500, etag="part-2"),
        image("c1", size=10, etag="other"), image("c2", size=11, etag="other"),
        image("e1", size=0, etag="empty"), image("e2", size=0, etag="empty"),
    )  # fmt: skip
    for merge in (False, True):
        if merge:
            deployment.compact()
        answer = ask()
        assert answer["groups"] == [
            {
                "size": 500, "etag": "part-2", "count": 2, "wasted_bytes": 500, "image_ids": ["b1", "b2"],
                "multipart": True,
            },
            {"size": 10, "etag": "same", "count": 3, "wasted_bytes": 20, "image_ids": ["a0", "a1", "a2"]},
        ]  # fmt: skip
        assert (answer["matched"], answer["wasted_bytes"]) == (2, 520) and "after" not in answer
        first = ask(1)
        second = ask(1, first["after"])
        assert first["groups"] + second["groups"] == answer["groups"] and "after" not in second


def test_a_question_over_its_time_says_what_to_do(deployment: Deployment) -> None:
    deployment.put(*(image(f"{number}") for number in range(10)))
    asked = Query.of({}, KEY)
    with pytest.raises(CatalogueBusy, match=r"takes too long: ask for less|keeps being"):
        search(deployment.reader, asked, KEY, seconds=0)
    endless = "SELECT count(*) FROM range(100000000) a, range(100000000) b WHERE a.range + b.range = 7"
    started = time.monotonic()
    with pytest.raises(CatalogueBusy, match="takes too long: ask for less"):
        deployment.engine.run(endless, deadline=time.monotonic() + 0.3)
    assert time.monotonic() - started < 30
    assert len(deployment.ids()) == 10


def test_a_question_over_its_memory_says_what_to_do(deployment: Deployment) -> None:
    with pytest.raises(CatalogueBusy, match="needs too much memory"):
        deployment.engine.run("SELECT list(range) FROM range(2000000000)", deadline=time.monotonic() + 60)
    deployment.put(image("a"))
    assert deployment.ids() == ["a"]


@pytest.mark.parametrize(
    "sql",
    [
        "SELECT * FROM read_text('/etc/passwd')",
        "SELECT * FROM read_csv('/etc/passwd')",
        "SELECT * FROM read_parquet('https://example.com/x.parquet')",
        "SELECT * FROM glob('/etc/*')",
        "COPY (SELECT 1) TO '/tmp/stolen.csv'",
        "ATTACH '/tmp/other.db'",
        "INSTALL httpfs",
        "LOAD httpfs",
        "SET enable_external_access = true",
        "SET allowed_directories = ['/']",
        "SET lock_configuration = false",
        "SET memory_limit = '100GB'",
        "SELECT * FROM read_parquet('images://0/snapshot/part=2026-11/rows.parquet')",
    ],
)
def test_duckdb_is_locked_down(deployment: Deployment, sql: str) -> None:
    with pytest.raises((duckdb.Error, engines.Damaged)):
        deployment.engine.run(sql)


def test_queryables_are_the_columns_and_the_position() -> None:
    schema = queryables()
    address = "https://api.example/prod/search/queryables"
    assert schema["$id"] and urljoin(address, schema["$id"]) == address
    assert set(schema["properties"]) == set(BY_NAME) | {"gps"}
    assert all("description" in member for member in schema["properties"].values())
    assert schema["properties"]["keywords"]["items"] == {"type": "string"}
    assert schema["properties"]["uploaded_at"]["format"] == "date-time"


def test_every_column_can_be_asked_for(deployment: Deployment) -> None:
    deployment.put(image("a"))
    for column in COLUMNS:
        assert len(deployment.ids(filter=f"{column.name} IS NULL OR NOT ({column.name} IS NULL)")) == 1
        if column.kind == TEXT:
            deployment.ask(filter=f"{column.name} LIKE 'x%'", sortby=f"-{column.name}")
    assert filters.MAX_TEXT < 10_000  # of a URL that API Gateway takes
    assert query.QUERY_SECONDS < 29


#: Kind of column -> the value with a number, and a filter for that.
NUMBERED: dict[str, tuple[Callable[[int], Any], str]] = {
    TEXT: (lambda number: f"text {number:03d}", "{name} = 'text {number:03d}'"),
    INTEGER: (lambda number: number, "{name} = {number}"),
    NUMBER: (lambda number: number + 0.5, "{name} = {number}.5"),
    BOOLEAN: (lambda number: number % 2 == 1, "{name} = {odd}"),
    TEXTS: (lambda number: [f"text {number}", "x"], "A_CONTAINS({name}, ('text {number}'))"),
    NUMBERS: (lambda number: [number + 0.5, 0.25], "A_CONTAINS({name}, ({number}.5))"),
    TIME: (lambda number: f"2026-11-21T10:{number:02d}:00.000Z", "{name} = '2026-11-21T10:{number:02d}:00Z'"),
    LOCAL_TIME: (lambda number: f"2024-05-17T09:{number:02d}:00", "{name} = '2024-05-17T09:{number:02d}:00'"),
}


def numbered(first: int) -> dict[str, Any]:
    """A record with a value in every column, each with a number of its own from `first` on."""
    values = {
        column.name.replace(".", "__"): NUMBERED[column.kind][0](first + place)
        for place, column in enumerate(COLUMNS)
    }
    return image(**values)


def test_a_column_finds_counts_and_sorts_its_own_values(deployment: Deployment) -> None:
    one, other, bare = numbered(0), numbered(1), {"image_id": "text 999"}
    deployment.put(one, other, bare)
    for number, column in enumerate(COLUMNS):
        value, asked = NUMBERED[column.kind]
        question = asked.format(name=column.name, number=number, odd=str(number % 2 == 1).lower())
        assert deployment.ids(filter=question) == [one["image_id"]], column.name
        held = [value(number), value(number + 1)]
        if column.few:
            told = deployment.ask(facets=column.name)["facets"][column.name]
            flat = {each for entry in held for each in (entry if isinstance(entry, list) else [entry])}
            assert {entry["value"] for entry in told["values"]} == flat and told["missing"] == 1, column.name
        if column.kind not in (TEXTS, NUMBERS):
            first, second = (one, other) if held[0] < held[1] else (other, one)
            assert deployment.ids(sortby=column.name) == [
                first["image_id"], second["image_id"], bare["image_id"]
            ], column.name  # fmt: skip
