"""Pictures that look alike: similar ones, near duplicates against plain Python, the report."""

from __future__ import annotations

import itertools
import random
from typing import Any

import duckdb
import pytest

from image_catalogue.errors import ImageNotFound, InvalidRequest
from image_search import similar
from image_search.report import PROBLEMS, report
from image_search.similar import near_duplicates
from tests.support.packages import ROOT
from tests.support.pictures import distance
from tests.support.search import KEY, Deployment, image

HASHES = ["f0f0f0f0f0f0f0f0", "f0f0f0f0f0f0f0f3", "f0f0f0f0f0f00fff", "0123456789abcdef"]


def hashed(number: int, phash: str, **more: Any) -> dict[str, Any]:
    return image(f"uploads/{number:04d}.png", pixels__phash=phash, **more)


def test_the_nearest_come_first_and_the_image_itself_not_at_all(deployment: Deployment) -> None:
    deployment.put(*(hashed(number, phash) for number, phash in enumerate(HASHES)))
    deployment.put(image("uploads/plain.png"), image("uploads/odd.png", pixels__error="damaged"))
    answer = similar.similar(deployment.reader, "uploads/0000.png", 20, 10)
    assert [(item["record"]["image_id"], item["distance"]) for item in answer["items"]] == [
        ("uploads/0001.png", 2),
        ("uploads/0002.png", distance(HASHES[0], HASHES[2])),
    ]
    assert answer["items"][0]["record"] == hashed(1, HASHES[1])
    assert similar.similar(deployment.reader, "uploads/0000.png", 1, 10)["items"] == []
    assert len(similar.similar(deployment.reader, "uploads/0000.png", 20, 1)["items"]) == 1


@pytest.mark.parametrize("compacted", [False, True])
def test_an_image_without_a_hash_or_without_a_record(deployment: Deployment, compacted: bool) -> None:
    deployment.put(image("uploads/plain.png"))
    if compacted:
        deployment.compact()
    with pytest.raises(InvalidRequest, match="not analysed"):
        similar.similar(deployment.reader, "uploads/plain.png", 10, 10)
    with pytest.raises(ImageNotFound):
        similar.similar(deployment.reader, "uploads/none.png", 10, 10)


PLAIN = ["8000000000000000", "0000000000000000", "f700000000000000", "ffffffffffffffff"]


def test_plain_pictures_are_not_taken_for_one_another(deployment: Deployment) -> None:
    """Nothing stands out in them: nearly all bits of their hashes are alike."""
    deployment.put(*(hashed(number, phash) for number, phash in enumerate([*PLAIN, *PLAIN, HASHES[0]])))
    assert near_duplicates(deployment.reader, 7, 10, None)["groups"] == []
    with pytest.raises(InvalidRequest, match="too plain"):
        similar.similar(deployment.reader, "uploads/0000.png", 20, 10)
    assert similar.similar(deployment.reader, "uploads/0008.png", 20, 10)["items"] == []


def spread(seed: int, families: int) -> list[str]:
    """Hashes in families that differ in few bits, anywhere in the hash."""
    chance = random.Random(seed)
    found = []
    for _ in range(families):
        first = sum(1 << bit for bit in chance.sample(range(64), 32))  # half of a hash is set
        for flipped in range(9):
            turned = sum(1 << bit for bit in chance.sample(range(64), flipped))
            found.append(f"{first ^ turned:016x}")
    return found


def expected(hashes: list[str], most: int) -> set[frozenset[str]]:
    """The groups by comparing each with each."""
    groups = [{number} for number in range(len(hashes))]
    for one, other in itertools.combinations(range(len(hashes)), 2):
        if distance(hashes[one], hashes[other]) <= most:
            first = next(group for group in groups if one in group)
            second = next(group for group in groups if other in group)
            if first is not second:
                first |= second
                groups.remove(second)
    return {frozenset(f"uploads/{number:04d}.png" for number in group) for group in groups if len(group) > 1}


@pytest.mark.parametrize("most", [0, 3, 4, 6, 7])
def test_groups_are_those_of_comparing_each_with_each(deployment: Deployment, most: int) -> None:
    hashes = [*spread(most, 20), *["f0f0f0f00f0f0f0f"] * 3]
    deployment.put(*(hashed(number, phash, size=100 + number) for number, phash in enumerate(hashes)))
    deployment.compact()
    answer = near_duplicates(deployment.reader, most, 100, None)
    assert {frozenset(group["image_ids"]) for group in answer["groups"]} == expected(hashes, most)
    assert answer["exhaustive"] and answer["matched"] == len(answer["groups"])
    assert answer["wasted_bytes"] == sum(group["wasted_bytes"] for group in answer["groups"])
    for group in answer["groups"]:
        sizes = [100 + int(image_id[8:12]) for image_id in group["image_ids"]]
        assert sizes == sorted(sizes, reverse=True) and group["wasted_bytes"] == sum(sizes[1:])


def test_many_pictures_are_grouped_by_a_band_that_agrees(
    deployment: Deployment, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(similar, "MOST_TURNED", 5)
    hashes = spread(1, 12)
    deployment.put(*(hashed(number, phash) for number, phash in enumerate(hashes)))
    assert not near_duplicates(deployment.reader, 6, 100, None)["exhaustive"]
    answer = near_duplicates(deployment.reader, 3, 100, None)
    assert answer["exhaustive"], "of up to three bits no band need be turned"
    assert {frozenset(group["image_ids"]) for group in answer["groups"]} == expected(hashes, 3)


def test_groups_come_in_pages(deployment: Deployment) -> None:
    hashes = [phash for phash in spread(2, 7)[::9] for _ in range(2)]
    deployment.put(*(hashed(number, phash, size=100) for number, phash in enumerate(hashes)))
    whole = near_duplicates(deployment.reader, 6, 100, None)["groups"]
    assert len(whole) == 7
    seen: list[dict[str, Any]] = []
    after = None
    while True:
        page = near_duplicates(deployment.reader, 6, 3, after)
        seen += page["groups"]
        if "after" not in page:
            break
        after = page["after"]
    assert seen == whole


def test_the_report_counts_each_problem_by_a_filter_that_finds_the_same(deployment: Deployment) -> None:
    deployment.put(
        image("uploads/cut.jpg", status="corrupt", error="cut off"),
        image("uploads/text.jpg", status="unsupported"),
        image("uploads/bomb.png", status="too_large"),
        image("uploads/liar.png", declared_content_type="image/jpeg", width=900, height=900),
        image("uploads/odd.png", warnings=["EXIF is damaged"], width=900, height=200),
        image("uploads/camera.jpg", camera__make="Canon", width=900, height=600),
        image("uploads/dark.jpg", pixels__brightness=0.01, pixels__sharpness=4.0, width=900, height=600),
        image("uploads/white.jpg", pixels__brightness=0.99, pixels__sharpness=400.0, width=900, height=600),
        image("uploads/svg.jpg", pixels__error="not decoded", width=900, height=600),
        image("uploads/twin1.jpg", etag="twin", width=900, height=600),
        image("uploads/twin2.jpg", etag="twin", width=900, height=600),
    )
    told = report(deployment.reader, KEY)
    counts = {problem["name"]: problem["count"] for problem in told["problems"]}
    assert told["images"] == 11
    assert counts == {
        "corrupt": 1,
        "unsupported": 1,
        "too_large": 1,
        "wrong_type": 1,
        "warnings": 1,
        "tiny": 3,
        "no_date": 1,
        "dark": 1,
        "light": 1,
        "blurry": 1,
        "undecoded": 1,
        "odd_aspect": 1,
        "duplicates": 1,
    }
    for problem in told["problems"]:
        assert len(problem["examples"]) == problem["count"], problem["name"]
        if "filter" in problem:
            asked = deployment.ids(filter=problem["filter"])
            assert sorted(asked) == sorted(example["image_id"] for example in problem["examples"])
    assert {"odd_aspect", "duplicates"} == set(counts) - set(PROBLEMS)


def test_the_named_query_of_odd_sizes_finds_what_the_report_calls_tiny_and_odd(
    deployment: Deployment, monkeypatch: pytest.MonkeyPatch
) -> None:
    sides = (0, 1, 15, 16, 17, 63, 64, 255, 256, 257)
    sizes = [(width, height) for width in sides for height in sides]
    images = [image(f"{width}x{height}", width=width, height=height) for width, height in sizes]
    unknown = image("unknown")
    del unknown["width"], unknown["height"]
    deployment.put(*images, unknown, image("20001x20000", width=20001, height=20000))
    monkeypatch.setattr("image_search.report.EXAMPLES", 200)
    found = {
        example["image_id"]
        for problem in report(deployment.reader, KEY)["problems"]
        if problem["name"] in ("tiny", "odd_aspect")
        for example in problem["examples"]
    }
    table = duckdb.connect()
    table.execute("CREATE TABLE images (image_id VARCHAR, width BIGINT, height BIGINT, size BIGINT)")
    rows = [(each["image_id"], each.get("width"), each.get("height"), 1) for each in (*images, unknown)]
    table.executemany("INSERT INTO images VALUES (?, ?, ?, ?)", [*rows, ("20001x20000", 20001, 20000, 1)])
    answer = table.execute(
        (ROOT / "terraform/modules/athena/queries/odd_sizes.sql").read_text(encoding="utf-8")
    )
    assert {row[0] for row in answer.fetchall()} == found | {"20001x20000"}
    table.close()


def test_keys_of_any_length_do_not_cost_the_report(deployment: Deployment) -> None:
    for number in range(6):
        key = f"uploads/{number}{chr(39) * 1000}"
        deployment.put(*(image(f"{key}{copy}", etag=f"same{number}") for copy in "ab"))
    (twice,) = (each for each in report(deployment.reader, KEY)["problems"] if each["name"] == "duplicates")
    assert twice["count"] == 6 and len(twice["examples"]) == 6


def test_an_empty_catalogue_has_no_problems(deployment: Deployment) -> None:
    told = report(deployment.reader, KEY)
    assert told["images"] == 0 and not any(problem["count"] for problem in told["problems"])
