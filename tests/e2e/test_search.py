"""Search on the local AWS: from an object in the bucket to an answer, merged and not, and the truth of many questions.

`SEARCH_API_QUESTIONS` (default 20) is the number of random questions; `make storm` asks 200.
"""

from __future__ import annotations

import csv
import io
import json
import os
import random
import uuid
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from image_search.changes import CHANGES, change_row, padded, write_changes
from image_search.files import Files
from tests.support.pictures import numbered_picture
from tests.support.stack import Stack, eventually
from tests.unit.search import truth
from tests.unit.search.test_truth import QUESTIONS, op, prop, random_record
from tools.dev import demo

QUESTIONS_ASKED = int(os.environ.get("SEARCH_API_QUESTIONS", "20"))
RECORDS = 300


def of(image_id: str) -> dict[str, Any]:
    return op("=", prop("image_id"), image_id)


def test_an_image_is_found_overwritten_and_gone(stack: Stack) -> None:
    name = uuid.uuid4().hex
    image_id = f"uploads/search/{name} é+%.jpg"
    stack.put_and_wait(image_id, demo.sample_images()["upright.jpg"])
    asked = {"filter": op("and", of(image_id), op("=", prop("camera.make"), "Apple"))}
    (found,) = eventually(lambda: stack.found(**asked), "the image found")
    assert found == stack.record(image_id).json()
    assert [item["image_id"] for item in stack.found(q=f"{name} E")] == [image_id]
    stack.put_and_wait(image_id, numbered_picture(4242))
    eventually(lambda: not stack.found(**asked), "the overwritten image no longer found by its camera")
    assert stack.found(filter=of(image_id)) == [stack.record(image_id).json()]
    assert stack.call("DELETE", f"/metadata/search/{name}%20%C3%A9%2B%25.jpg").status_code == 204
    eventually(lambda: not stack.found(filter=of(image_id)), "the forgotten image no longer found")
    stack.s3.delete_object(Bucket=stack.bucket, Key=image_id)


def test_merged_and_not_the_answers_are_the_same(stack: Stack) -> None:
    prefix = f"uploads/merged-{uuid.uuid4().hex[:8]}/"
    for number in range(5):
        stack.put(f"{prefix}{number}.png", numbered_picture(number))
    asked = {"filter": op("like", prop("image_id"), prefix + "%")}
    eventually(lambda: len(stack.found(**asked)) == 5, "all five found")
    before = stack.found(**asked)
    done = stack.invoke("compact_catalogue", {"now": True})
    assert done["changes"] >= 1 and done["parts"] >= 1
    assert stack.found(**asked) == before
    search_bucket = Files(stack.outputs["search_bucket"], stack.s3)
    assert any(entry.key.startswith("snapshot/part=2") for entry in search_bucket.listed("snapshot/"))
    stack.s3.delete_object(Bucket=stack.bucket, Key=f"{prefix}3.png")
    eventually(lambda: len(stack.found(**asked)) == 4, "the removed image gone")
    stack.invoke("compact_catalogue", {"now": True})
    assert [item["image_id"] for item in stack.found(**asked)] == [
        f"{prefix}{number}.png" for number in (0, 1, 2, 4)
    ]


def test_forms_queryables_and_duplicates(stack: Stack) -> None:
    prefix = f"uploads/forms-{uuid.uuid4().hex[:8]}/"
    body = numbered_picture(uuid.uuid4().int % 50_000)
    for number in range(2):
        stack.put(f"{prefix}{number}.png", body)
    asked = {"filter": f"image_id LIKE '{prefix}%'", "sortby": "image_id"}
    eventually(lambda: stack.get("/search", params=asked).json()["matched"] == 2, "both found")
    table = stack.get("/search", params=asked, headers={"Accept": "text/csv"})
    assert table.headers["content-type"].startswith("text/csv") and table.headers["x-matched"] == "2"
    assert [row["image_id"] for row in csv.DictReader(io.StringIO(table.text))] == [
        f"{prefix}0.png",
        f"{prefix}1.png",
    ]
    lines = stack.get("/search", params=asked, headers={"Accept": "application/x-ndjson"})
    assert [json.loads(line)["size"] for line in lines.text.splitlines()] == [len(body)] * 2
    geo = stack.get("/search", params=asked, headers={"Accept": "application/geo+json"}).json()
    assert [feature["geometry"] for feature in geo["features"]] == [None, None]
    assert "camera.make" in stack.get("/search/queryables").json()["properties"]
    groups = stack.get("/duplicates", params={"limit": 100}).json()["groups"]
    assert [f"{prefix}0.png", f"{prefix}1.png"] in [group["image_ids"] for group in groups]


def test_what_cannot_be_asked_is_a_problem_that_says_why(stack: Stack) -> None:
    for parameters, said in (
        ({"filter": "camra.make = 'x'"}, "did you mean 'camera.make'?"),
        ({"filter": "size > 5 AND"}, "line 1, character 13"),
        ({"bbox": "0,10,1,5"}, "south lies above"),
        ({"cursor": "AAAA"}, "damaged"),
    ):
        answer = stack.get("/search", params=parameters)
        assert answer.status_code == 400 and said in answer.json()["detail"]
    deep = json.dumps({"filter": "not " * 2_000 + "has_gps"})
    for body in (deep, '{"filter": ' + "[" * 10_000, json.dumps({"filter": "x" * 1_000_000})):
        assert stack.call("POST", "/search", data=body).status_code == 400


class Records(list[dict[str, Any]]):
    """Records that Hypothesis does not write out at every question."""

    def __repr__(self) -> str:
        return f"{len(self)} records"


@pytest.fixture(scope="module")
def records(stack: Stack) -> Records:
    """Random images in the search bucket alone, half of them merged; found by their prefix."""
    rng, bucket = random.Random(11), Files(stack.outputs["search_bucket"], stack.s3)
    made = Records(random_record(rng, number) for number in range(RECORDS))
    for each in made:
        each["image_id"] = each["image_id"].replace("uploads/", "truth/")
    for half in (made[::2], made[1::2]):
        rows = [
            change_row(each["image_id"], f"2025-{1 + number % 3:02d}", padded("1"), each)
            for number, each in enumerate(half)
        ]
        write_changes(bucket, f"truth-{len(half)}-{half[0]['image_id'][-3:]}", rows)
        if half is not made[1::2] and half[0] is made[0]:
            stack.invoke("compact_catalogue", {"now": True})
    assert any("truth" in entry.key for entry in bucket.listed(CHANGES))
    return made


@settings(
    max_examples=QUESTIONS_ASKED,
    deadline=None,
    phases=[Phase.generate],
    suppress_health_check=list(HealthCheck),
)
@given(asked=QUESTIONS, limit=st.integers(1, 60))
def test_an_answer_of_the_api_is_what_plain_python_finds(
    stack: Stack, records: Records, asked: dict[str, Any], limit: int
) -> None:
    found = truth.find(records, asked)
    own = op("like", prop("image_id"), "truth/%")
    condition = op("and", own, asked["filter"]) if "filter" in asked else own
    wanted = {"filter": condition, "limit": limit, "facets": ["camera.make", "taken_at:year"]}
    question = {"sortby": "-uploaded_at"} | asked | wanted
    first = stack.call("POST", "/search", json=question).json()
    assert first["matched"] == len(found), first
    assert sum(entry["count"] for entry in first["facets"]["taken_at:year"]["values"]) == sum(
        "taken_at" in each for each in found
    )
    items = stack.found(**question | {"limit": 1000})
    assert [item["image_id"] for item in items] == [each["image_id"] for each in found]
    assert [item["image_id"] for item in first["items"]] == [each["image_id"] for each in found[:limit]]
