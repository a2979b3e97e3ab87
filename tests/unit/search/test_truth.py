"""Every answer equals a plain Python evaluation, over rows that lie merged, waiting, overruled and removed.

`SEARCH_RECORDS` and `SEARCH_FILTERS` (defaults 300 and 30) make it longer: `make storm` asks 2,000 of 20,000.
"""

from __future__ import annotations

import json
import os
import random
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import cql2
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from image_search.columns import row_of
from tests.support.search import Deployment, image

from . import truth

RECORDS = int(os.environ.get("SEARCH_RECORDS", "300"))
FILTERS = int(os.environ.get("SEARCH_FILTERS", "30"))
#: Images of one answer that are paged through, of the many that a long run finds.
PAGED = 1500
MAKES = ["Canon", "canon", "NIKON", "Leica 100%", "O'Neil", "a_b", "Ré\\x", "SONY"]
WORDS = [
    "Sunset",
    "crème",
    "brulée",
    "Zürich",
    "beach-party",
    "dog",
    "DOG",
    "50%",
    "x;DROP TABLE images",
    "niño",
]
PLACES = [
    (48.8584, 2.2945),
    (64.1466, -21.9426),
    (-33.8568, 151.2153),
    (0.0, 180.0),
    (0.0, -180.0),
    (90.0, 0.0),
]


def some(rng: random.Random, **choices: list[Any]) -> dict[str, Any]:
    return {name: rng.choice(values) for name, values in choices.items() if rng.random() < 0.7}


def random_record(rng: random.Random, number: int) -> dict[str, Any]:
    day = f"{rng.choice(['2023', '2024'])}-{rng.randint(1, 12):02d}-{rng.randint(1, 28):02d}"
    taken = rng.choice([day, day[:4], day[:7], f"{day}T{rng.randint(0, 23):02d}:30:00", f"{day}T09:30:00.25"])
    record = image(
        f"uploads/{number:05d}",
        size=rng.choice([10, 10, 2000, 3_000_000, rng.randint(1, 10**7)]),
        uploaded_at=f"2026-11-{rng.randint(1, 28):02d}T10:00:{rng.randint(0, 59):02d}.{rng.randint(0, 999):03d}Z",
        filename=f"{rng.choice(WORDS)}_{number % 50}.jpg",
    )
    record |= some(
        rng,
        taken_at=[taken],
        width=[100, 200, 4000],
        height=[100, 200, 3000],
        has_gps=[True, False],
        rating=[-1, 0, 5],
        title=[f"{rng.choice(WORDS)} {rng.choice(WORDS)}"],
        keywords=[rng.sample(WORDS, rng.randint(1, 3))],
        dpi=[[72.0, 72.0], [300.0, 299.5]],
        camera=[{"make": rng.choice(MAKES)}, {"make": rng.choice(MAKES), "model": rng.choice(MAKES)}],
        exposure=[some(rng, iso=[100, 200, 6400], f_number=[1.8, 2.8, 5.6], flash=[True, False])],
    )
    if rng.random() < 0.5:
        latitude, longitude = rng.choice(PLACES)
        record["gps"] = {"latitude": latitude, "longitude": longitude}
    return {name: value for name, value in record.items() if value != {}}


class Catalogue:
    """Random records and the deployment that holds them."""

    def __init__(self, scratch: Path) -> None:
        rng = random.Random(7)
        self.deployment = Deployment(scratch)
        records = {}
        for number in range(RECORDS):
            record = random_record(rng, number)
            records[record["image_id"]] = record
        part = {image_id: f"2026-{9 + number % 3:02d}" for number, image_id in enumerate(records)}
        for month in sorted(set(part.values())):
            self.deployment.put(
                *(record for record in records.values() if part[record["image_id"]] == month), part=month
            )
        self.deployment.compact()
        for image_id in rng.sample(sorted(records), RECORDS // 20):
            self.deployment.remove(image_id, part=part[image_id])
            del records[image_id]
        for number, image_id in enumerate(rng.sample(sorted(records), RECORDS // 10)):
            records[image_id] = random_record(rng, number) | {"image_id": image_id}
            self.deployment.put(records[image_id], part=part[image_id])
            if number == RECORDS // 20:
                self.deployment.compact()
        self.records = list(records.values())


@pytest.fixture(scope="module")
def catalogue(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Catalogue]:
    catalogue = Catalogue(tmp_path_factory.mktemp("truth"))
    yield catalogue
    catalogue.deployment.close()


def prop(name: str) -> dict[str, str]:
    return {"property": name}


def op(name: str, *operands: Any) -> dict[str, Any]:
    return {"op": name, "args": list(operands)}


TEXTS = st.sampled_from(MAKES + WORDS)
TEXT_NAMES = st.sampled_from(["camera.make", "camera.model", "title", "filename"]).map(prop)
PATTERNS = st.sampled_from(
    ["%", "Can%", "%o%", "_a%", "%100\\%", "a\\_b", "%'%", "%\\\\x", "", "can__", "%Zürich%", "%_50\\%%"]
)
NUMBERS = st.sampled_from([0, -1, 5, 10, 100, 150.5, 200, 2000, 4000, 3_000_000, 1e300, 2.8])
NUMBER_NAMES = st.sampled_from(
    ["size", "width", "height", "rating", "exposure.iso", "exposure.f_number"]
).map(prop)
TIMES = st.sampled_from(
    ["2023", "2024", "2024-05", "2024-05-17", "2023-12-28T09:30", "2024-03-03T09:30:00.25"]
)
COMPARISONS = st.sampled_from(["=", "<>", "<", "<=", ">", ">="])
BOXES = st.tuples(
    st.sampled_from([-180, -30.5, 2.2945, 100, 180]), st.sampled_from([-90, -40, 0]),
    st.sampled_from([-180, -30.5, 2.2945, 100, 180]), st.sampled_from([0, 48.8584, 90]),
).map(list)  # fmt: skip
FLAG_NAMES = st.sampled_from(["has_gps", "exposure.flash"]).map(prop)
LEAVES = st.one_of(
    st.builds(op, COMPARISONS, TEXT_NAMES, TEXTS),
    st.builds(op, COMPARISONS, NUMBER_NAMES, NUMBERS),
    st.builds(op, COMPARISONS, NUMBER_NAMES, NUMBER_NAMES),
    st.builds(op, COMPARISONS, st.sampled_from(["taken_at", "uploaded_at"]).map(prop), TIMES),
    st.builds(op, st.sampled_from(["=", "<>"]), FLAG_NAMES, st.booleans()),
    st.builds(op, st.just("between"), NUMBER_NAMES, NUMBERS, NUMBERS),
    st.builds(op, st.just("between"), st.just(prop("taken_at")), TIMES, TIMES),
    st.builds(op, st.just("in"), TEXT_NAMES, st.lists(TEXTS, min_size=1, max_size=3)),
    st.builds(op, st.just("in"), NUMBER_NAMES, st.lists(NUMBERS, min_size=1, max_size=3)),
    st.builds(op, st.just("like"), TEXT_NAMES, PATTERNS),
    st.builds(
        lambda fold, name, text: op("=", op(fold, name), op(fold, text)),
        st.sampled_from(["casei", "accenti"]), TEXT_NAMES, TEXTS,
    ),
    st.builds(lambda name, text: op("like", op("casei", name), op("casei", text)), TEXT_NAMES, PATTERNS),
    st.builds(op, st.just("isNull"), st.one_of(TEXT_NAMES, NUMBER_NAMES, st.just(prop("keywords")))),
    st.builds(
        op, st.sampled_from(["a_contains", "a_containedBy", "a_overlaps", "a_equals"]),
        st.just(prop("keywords")), st.lists(st.sampled_from(WORDS), min_size=1, max_size=3),
    ),
    st.builds(op, st.just("a_contains"), st.just(prop("dpi")), st.lists(st.sampled_from([72, 299.5]), min_size=1)),
    st.builds(lambda box: op("s_intersects", prop("gps"), {"bbox": box}), BOXES),
    st.just(prop("has_gps")),
)  # fmt: skip
TREES = st.recursive(
    LEAVES,
    lambda inner: st.one_of(
        st.builds(op, st.sampled_from(["and", "or"]), inner, inner), st.builds(op, st.just("not"), inner)
    ),
    max_leaves=6,
)
FACETS = [
    "camera.make",
    "rating",
    "has_gps",
    "keywords",
    "taken_at:year",
    "taken_at:month",
    "uploaded_at:day",
]
SORTS = st.sampled_from(
    ["-taken_at", "taken_at,size", "-size", "camera.make,-rating", "exposure.f_number", "-has_gps,-image_id"]
)
QUESTIONS = st.fixed_dictionaries(
    {},
    optional={
        "filter": TREES,
        "sortby": SORTS,
        "bbox": BOXES,
        "datetime": st.tuples(st.sampled_from(["..", "2023-06"]), st.sampled_from(["..", "2024", "2024-05-17"]))
        .filter(lambda ends: ends != ("..", ".."))
        .map("/".join),
        "q": st.sampled_from(["sunset", "CREME", "dog 1", "zuri", "bru creme", "drop table", "50", "nino jpg"]),
    },
)  # fmt: skip


@settings(max_examples=FILTERS, deadline=None, suppress_health_check=list(HealthCheck))
@given(asked=QUESTIONS, as_text=st.booleans(), limit=st.integers(1, 60))
def test_an_answer_is_what_plain_python_finds(
    catalogue: Catalogue, asked: dict[str, Any], as_text: bool, limit: int
) -> None:
    found = truth.find(catalogue.records, asked)
    request: dict[str, Any] = dict(asked)
    if as_text and "filter" in asked:
        request["filter"] = cql2.parse_json(json.dumps(asked["filter"])).to_text()
    answer = catalogue.deployment.ask(**request, limit=limit, facets=",".join(FACETS))
    assert answer["matched"] == len(found)
    for facet in FACETS:
        assert_counts(answer["facets"][facet], truth.counts(found, facet))
    items = answer["items"]
    rest: dict[str, Any] = {"limit": 1000} | ({"fields": "image_id"} if len(found) > 1000 else {})
    following = answer
    while "next_cursor" in following and len(items) < PAGED:
        following = catalogue.deployment.ask(**request, **rest, cursor=following["next_cursor"])
        items = items + following["items"]
    if "next_cursor" in following:
        found = found[: len(items)]
    assert [item["image_id"] for item in items] == [record["image_id"] for record in found]
    for item, record in zip(items, found, strict=True):
        assert row_of(item) == row_of(record) or item == {"image_id": record["image_id"]}


def assert_counts(facet: dict[str, Any], counted: Counter[Any]) -> None:
    told = {entry["value"]: entry["count"] for entry in facet["values"]}
    assert facet.get("missing", 0) == counted.pop(None, 0)
    if "other" in facet:
        assert facet["other"] == sum(counted.values()) - sum(told.values())
        assert min(told.values()) >= max(count for value, count in counted.items() if value not in told)
        counted = Counter({value: counted[value] for value in told})
    assert told == dict(counted)
