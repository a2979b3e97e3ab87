"""Lists, single records and forgetting."""

from __future__ import annotations

from typing import Any
from urllib.parse import quote

import pytest

from image_catalogue.cursors import encode_cursor
from image_catalogue.filters import FILTERS
from image_catalogue.items import COUNTED
from tests.contract.declared import declared_routes
from tests.support.api import Api
from tests.support.pictures import picture
from tests.support.table import TABLE

ONE = ("GET /metadata/{image_id+}", "GET /images/metadata/{image_id+}", "GET /images/{image_id+}")


def test_a_record_is_found_by_its_key_and_by_its_short_name(api: Api) -> None:
    record = api.put("uploads/cat.jpg")
    for route in ONE:
        for image_id in ("uploads/cat.jpg", "cat.jpg", "uploads%2Fcat.jpg"):
            answer = api(route, image_id)
            assert (answer.status, answer.json) == (200, record)
            assert answer.headers["content-type"] == "application/json"


@pytest.mark.parametrize(
    "key", ["a b+c.jpg", "50%.jpg", "a%2Bb.jpg", "é/日本 🐈.jpg", "a?b#c&d.jpg", "%zz", "x%00y.jpg"]
)
@pytest.mark.parametrize("encoded", [True, False])
def test_any_key_is_found_whether_the_gateway_decodes_it_or_not(
    api: Api, monkeypatch: pytest.MonkeyPatch, key: str, encoded: bool
) -> None:
    api.put(f"uploads/{key}")
    monkeypatch.setattr("image_catalogue.clients.on_local_aws", lambda: not encoded)
    answer = api(ONE[0], quote(f"uploads/{key}", safe="") if encoded else f"uploads/{key}")
    assert (answer.status, answer.json["image_id"]) == (200, f"uploads/{key}")


def test_deleting_a_key_with_a_space_spares_the_key_that_spells_it(api: Api) -> None:
    api.put("uploads/a%20b.jpg")
    assert api("DELETE /metadata/{image_id+}", "a%20b.jpg").status == 404
    assert api(ONE[0], "a%2520b.jpg").status == 200


@pytest.mark.parametrize(
    "image_id",
    [
        "",
        "uploads/",
        "%00",
        "cat\x00.jpg",
        "uploads/%00.jpg",
        "uploads/%FF",  # no UTF-8
        "../secret",
        "..%2Fsecret",
        "uploads/../x",
        "%2e%2e/x",
        "a/./b",
        "x" * 1025,
        "uploads/" + "é" * 600,
    ],
)
def test_an_id_that_no_image_can_have_is_refused(api: Api, image_id: str) -> None:
    for route in (
        *ONE,
        "DELETE /metadata/{image_id+}",
        "GET /images/file/{image_id+}",
        "DELETE /images/{image_id+}",
    ):
        answer = api(route, image_id)
        assert (answer.status, answer.problem) == (400, "invalid-image-id")


def test_an_unknown_id_is_not_found(api: Api) -> None:
    for route in (
        *ONE,
        "GET /images/file/{image_id+}",
        "DELETE /metadata/{image_id+}",
        "DELETE /images/{image_id+}",
    ):
        answer = api(route, "nothing.jpg")
        assert (answer.status, answer.problem) == (404, "not-found")
        assert "uploads/nothing.jpg" in answer.json["detail"]


def test_counters_are_no_images(api: Api) -> None:
    api.put("uploads/cat.jpg")
    assert api(ONE[0], "%23summary%2300").status == 404


def test_a_client_that_holds_the_record_gets_304(api: Api) -> None:
    api.put("uploads/cat.jpg")
    etag = api(ONE[0], "cat.jpg").headers["etag"]
    for route in ONE:
        for held in (etag, f"W/{etag}", f'"other", {etag}', "*"):
            answer = api(route, "cat.jpg", headers={"If-None-Match": held})
            assert (answer.status, answer.body, answer.headers["etag"]) == (304, b"", etag)
        assert api(route, "cat.jpg", headers={"If-None-Match": '"other"'}).status == 200


def test_a_changed_record_has_another_etag(api: Api) -> None:
    api.put("uploads/a.jpg")
    api.put("uploads/b.jpg", width=4)
    assert api(ONE[0], "a.jpg").headers["etag"] != api(ONE[0], "b.jpg").headers["etag"]


def test_a_list_is_newest_first_in_pages(api: Api) -> None:
    for number in range(7):
        api.put(f"uploads/{number}.jpg", uploaded_at=f"2026-11-21T10:00:0{number}.000Z")
    for route in ("GET /metadata", "GET /images"):
        seen, cursor = [], {}
        while True:
            page = api(route, limit="3", **cursor).json
            seen += [item["image_id"] for item in page["items"]]
            if "next_cursor" not in page:
                break
            cursor = {"cursor": page["next_cursor"]}
        assert seen == [f"uploads/{number}.jpg" for number in range(6, -1, -1)]


def test_an_empty_catalogue_lists_nothing(api: Api) -> None:
    assert api("GET /metadata").json == {"items": []}


def test_sorts_and_filters(api: Api) -> None:
    api.put("uploads/a.png", size=3, taken_at="2024-05-17T09:30:00")
    api.put("uploads/b.jpg", size=1, content_type="image/jpeg", uploaded_at="2026-11-21T11:00:00.000Z")
    api.put("uploads/sub/c.png", size=2, status="corrupt", uploaded_at="2026-11-21T12:00:00.000Z")

    def names(**query: str) -> str:
        return "".join(item["image_id"][-5] for item in api("GET /metadata", **query).json["items"])

    assert names() == "cba"
    assert names(order="asc") == "abc"
    assert names(sort="size", status="ok") == "ab"
    assert names(sort="size", order="asc", status="ok") == "ba"
    assert names(content_type="image/jpeg") == "b"
    assert names(prefix="uploads/sub/") == names(prefix="sub/") == "c"
    assert names(status="corrupt") == "c"
    assert names(taken_from="2024") == names(taken_from="2024-05", taken_to="2024-05") == "a"
    assert names(taken_from="2024-06") == ""
    assert names(taken_from="2024-05-17T09:30:00.000") == names(taken_to="2024-05-17T09:30:00.0") == "a"
    assert names(taken_from="2024-05-17T09:30:00.001") == ""


#: Filter -> a value, what of a record it finds, and what it does not find.
FITTING: dict[str, tuple[str, list[dict[str, Any]], list[dict[str, Any]]]] = {
    "content_type": ("image/gif", [{"content_type": "image/gif"}], [{"content_type": "image/png"}]),
    "prefix": ("uploads/cats/", [{"image_id": "uploads/cats/1"}], [{"image_id": "uploads/cat"}]),
    "status": ("corrupt", [{"status": "corrupt"}], [{"status": "ok"}, {"status": "too_large"}]),
    "taken_from": (
        "2024-05",
        [{"taken_at": "2024-05-01T00:00:00"}, {"taken_at": "2025"}],
        [{"taken_at": "2024-04-30T23:59:59"}, {}],
    ),
    "taken_to": (
        "2024-05",
        [{"taken_at": "2024-05-31T23:59:59"}, {"taken_at": "2023"}],
        [{"taken_at": "2024-06-01T00:00:00"}, {}],
    ),
}


@pytest.mark.parametrize("name", FILTERS)
def test_a_filter_finds_what_fits_and_nothing_else(api: Api, name: str) -> None:
    assert name in FITTING, "show what it finds"
    value, fitting, others = FITTING[name]
    for number, fields in enumerate(fitting + others):
        api.put(**{"image_id": f"uploads/{number}"} | fields)
    assert len(api("GET /metadata").json["items"]) == len(fitting + others)
    found = api("GET /metadata", order="asc", query={name: [value]}).json["items"]
    expected = [fields.get("image_id", f"uploads/{number}") for number, fields in enumerate(fitting)]
    assert sorted(item["image_id"] for item in found) == expected


#: Figure of the summary -> what records state, and the figure that comes of them.
COUNTING: dict[str, tuple[list[dict[str, Any]], Any]] = {
    "count": ([{}, {"status": "corrupt"}], 2),
    "total_size": ([{"size": 3}, {"size": 40}], 43),
    "content_types": (
        [{"content_type": "image/gif"}, {"content_type": "image/gif"}, {"content_type": "image/jpeg"}],
        {"image/gif": 2, "image/jpeg": 1},
    ),
    "statuses": ([{"status": "ok"}, {"status": "corrupt"}, {"status": "ok"}], {"ok": 2, "corrupt": 1}),
}


@pytest.mark.parametrize("name", COUNTED)
def test_a_figure_of_the_summary_counts_what_it_says(api: Api, name: str) -> None:
    assert name in COUNTING, f"show in COUNTING which records {name} counts, and what comes of them"
    records, expected = COUNTING[name]
    assert expected, f"COUNTING shows nothing that {name} counts"
    for number, fields in enumerate(records):
        api.put(f"uploads/{number}", **fields)
    assert api("GET /images/info").json[name] == expected


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("limit", value)
        for value in ("0", "-1", "101", "1000000000", "abc", "1.5", "", "１", "1e1", " 5", "05")
    ]
    + [("sort", "name"), ("sort", ""), ("order", "up"), ("order", "DESC"), ("status", "fine")]
    + [("content_type", value) for value in ("png", "image/", "IMAGE/PNG", "image/png; q=1", "")]
    + [
        ("taken_from", value)
        for value in ("yesterday", "2024-13", "2024-05-17T25:00", "2024-05-17 09:30", "")
    ]
    + [("taken_to", "17.05.2024"), ("prefix", ""), ("prefix", "a\x00"), ("prefix", "x" * 1025)]
    + [
        (name, value)
        for name in ("taken_from", "taken_to")
        for value in (
            "2024-02-30",
            "2023-02-29",
            "1900-02-29T10:00",
            "2024-04-31T09:30:00.5",
            "0000",
            "0000-01",
            "2024-05-17T09:30Z",
            "2024-05-17T09:30:61",
            "2024-05-17T09:30:00.1234567890",
            "2024-05-17T09:30+02:00",
            "..",
            "2024..",
            "２０２４",
            "2024\n",
            "2024\x00",
        )
    ]
    + [("page", "2"), ("Limit", "3")],
)
def test_a_wrong_parameter_is_refused_by_name(api: Api, name: str, value: str) -> None:
    answer = api("GET /metadata", query={name: [value]})
    assert (answer.status, answer.problem) == (400, "bad-request")
    assert name in answer.json["detail"]


def test_a_tampered_or_foreign_cursor_is_refused(api: Api) -> None:
    for number in range(3):
        api.put(f"uploads/{number}.jpg", uploaded_at=f"2026-11-21T10:00:0{number}.000Z")
    cursor = api("GET /metadata", limit="1").json["next_cursor"]
    assert api("GET /metadata", cursor=cursor).status == 200
    for place in range(0, len(cursor), 5):
        other = cursor[:place] + ("A" if cursor[place] != "A" else "B") + cursor[place + 1 :]
        assert api("GET /metadata", cursor=other).problem == "invalid-cursor"
    assert api("GET /metadata", cursor=cursor, order="asc").problem == "invalid-cursor"
    assert api("GET /metadata", cursor="AAAA").problem == "invalid-cursor"
    for position in ("", "x" * 1025):  # no sort key, whoever signed it
        forged = encode_cursor(position, {"sort": "uploaded_at", "order": "desc"}, TABLE)
        assert api("GET /metadata", cursor=forged).problem == "invalid-cursor"


@pytest.mark.parametrize(
    ("taken_from", "taken_to"),
    [
        ("2025", "2024"),
        ("2024-06", "2024-05-31T23:59:59.999"),
        ("2024-05-17T09:30:00.5", "2024-05-17T09:30:00.499"),
        ("2024-05-17T09:30:00.001", "2024-05-17T09:30:00.000"),
    ],
)
def test_a_time_that_ends_before_it_begins_is_refused(api: Api, taken_from: str, taken_to: str) -> None:
    answer = api("GET /metadata", taken_from=taken_from, taken_to=taken_to)
    assert (answer.status, answer.problem) == (400, "bad-request")
    assert answer.json["detail"] == f"taken_to {taken_to} ends before taken_from {taken_from} begins"


@pytest.mark.parametrize(
    ("taken_from", "taken_to"),
    [
        ("2024-05-17T09:30:00.5", "2024-05"),
        ("2024", "2024-05-17"),
        ("2024-05-17T09:30:00.500000", "2024-05-17T09:30:00.5"),
        ("2024-05-17T09:30:00.5", "2024-05-17T09:30:00.500"),
        ("2024-02-29", "2024-05-17T09:30:00.59"),
    ],
)
def test_ends_of_a_time_may_be_stated_more_or_less_precisely(
    api: Api, taken_from: str, taken_to: str
) -> None:
    api.put("uploads/a.jpg", taken_at="2024-05-17T09:30:00.5")
    found = api("GET /metadata", taken_from=taken_from, taken_to=taken_to).json["items"]
    assert [item["image_id"] for item in found] == ["uploads/a.jpg"]


@pytest.mark.parametrize(
    "taken_at", ["2016-12-31T23:59:60", "2024-05-17T09:30:00.123456789", "2024-05-17T09:30"]
)
def test_a_record_is_found_by_its_own_time(api: Api, taken_at: str) -> None:
    api.put("uploads/a.jpg", taken_at=taken_at)
    answer = api("GET /metadata", taken_from=taken_at, taken_to=taken_at)
    assert [item["image_id"] for item in answer.json["items"]] == ["uploads/a.jpg"]


@pytest.mark.parametrize(
    "cursor", ["", " ", "AAAA", "A" * 1025, "A" * 10_000, "not base64!", "AAA=", "+/+/", "Ａ"]
)
@pytest.mark.parametrize("route", ["GET /metadata", "GET /images", "GET /search", "GET /duplicates"])
def test_what_no_cursor_can_be_is_the_same_problem_everywhere(api: Api, route: str, cursor: str) -> None:
    answer = api(route, query={"cursor": [cursor]})
    assert (answer.status, answer.problem) == (400, "invalid-cursor")
    assert "cursor" in answer.json["detail"]


def test_a_parameter_given_twice_is_refused(api: Api) -> None:
    answer = api("GET /metadata", query={"limit": ["1", "2"]})
    assert (answer.status, answer.problem) == (400, "bad-request")


@pytest.mark.parametrize("route", sorted(declared_routes()))
def test_unknown_parameters_are_refused_everywhere(api: Api, route: str) -> None:
    api.put("uploads/cat.jpg")
    answer = api(route, "cat.jpg", body=picture(), surprise="1")
    assert (answer.status, answer.problem) == (400, "bad-request")
    assert "surprise" in answer.json["detail"]
    assert api.objects() == []
    assert api.catalogue.get("uploads/cat.jpg") is not None


def test_forgetting_deletes_the_record_and_keeps_the_file(api: Api) -> None:
    record = api.upload(picture())
    answer = api("DELETE /metadata/{image_id+}", record["image_id"])
    assert (answer.status, answer.body) == (204, b"")
    assert api(ONE[0], record["image_id"]).status == 404
    assert api.objects() == [record["image_id"]]
    assert api("DELETE /metadata/{image_id+}", record["image_id"]).problem == "not-found"
