"""Pictures that look alike: their 64-bit hashes differ in few bits.

Hashes of resized, recompressed and recoloured copies differ in 0 to 6 bits, those of unrelated pictures in about 32
(tests/unit/pixels/test_hashes.py measures both).
"""

from __future__ import annotations

import time
from collections.abc import Iterable
from typing import Any

from image_catalogue.errors import ImageNotFound, InvalidRequest

from .query import MAX_GROUP, QUERY_SECONDS, records_at
from .snapshot import Reader, patiently

DEFAULT_DISTANCE, MAX_DISTANCE = 10, 20
#: Four bands cannot all differ in two bits while this many differ in all.
DEFAULT_PAIR_DISTANCE, MAX_PAIR_DISTANCE = 6, 7
DEFAULT_LIMIT, MAX_LIMIT = 20, 100
#: Up to so many different hashes, a band is looked up with each of its bits turned, too. Beyond, pairs are found that
#: have a band in common: all that differ in at most 3 bits, and most that differ in 6.
MOST_TURNED = 20_000
_BANDS = 4
_HASH = "('0x' || {0})::UBIGINT"
_PHASH = "pixels.phash"
#: Half of a hash's bits are set, since they tell what lies above the median. In plain pictures and flat gradients
#: nearly all values are the median, and the few bits that are left say nothing.
_TELLING = f"phash IS NOT NULL AND bit_count({_HASH.format('phash')}) BETWEEN 24 AND 40"


def similar(
    reader: Reader, image_id: str, most: int, limit: int, seconds: float = QUERY_SECONDS
) -> dict[str, Any]:
    """The images whose hash differs from this one's in at most `most` bits, the nearest first.

    Raises `ImageNotFound`, and `InvalidRequest` where the image has no hash or one that says nothing.
    """
    engine, deadline = reader.engine, time.monotonic() + seconds

    def attempt() -> dict[str, Any]:
        view = reader.view(deadline)
        source = view.source({"image_id": '"image_id"', "phash": _PHASH})
        found = engine.run(f"SELECT phash, {_TELLING} FROM {source} WHERE image_id = ?", [image_id], deadline)
        if not found:
            raise ImageNotFound(image_id)
        ((phash, telling),) = found
        if phash is None:
            raise InvalidRequest(
                "nothing is known of this image's pixels: it was not analysed, or could not be"
            )
        if not telling:
            raise InvalidRequest("the picture is too plain to be compared: nothing in it stands out")
        distance = f"bit_count(xor({_HASH.format('phash')}, {int(phash, 16)}::UBIGINT))"
        rows = engine.run(
            f"SELECT file, row, {distance} AS distance FROM {source} WHERE {_TELLING} AND image_id <> ?"
            f" AND {distance} <= ? ORDER BY distance, image_id LIMIT ?",
            [image_id, most, limit],
            deadline,
        )
        records = records_at(engine, view, rows, deadline)
        items = [
            {"distance": int(apart), "record": record}
            for (_, _, apart), record in zip(rows, records, strict=True)
        ]
        return {"image_id": image_id, "items": items, "as_of": view.as_of}

    answer: dict[str, Any] = patiently(attempt, deadline)
    return answer


def near_duplicates(
    reader: Reader,
    most: int,
    limit: int,
    after: tuple[int, str] | None,
    seconds: float = QUERY_SECONDS,
) -> dict[str, Any]:
    """Groups of images that look alike, those whose copies take most first; as `query.duplicates`.

    A group holds who is within `most` bits of another of its members. `after` is the wasted bytes and the first id of
    the last group seen.
    """
    engine, deadline = reader.engine, time.monotonic() + seconds

    def attempt() -> dict[str, Any]:
        view = reader.view(deadline)
        source = view.source({"image_id": '"image_id"', "size": '"size"', "phash": _PHASH})
        hashes = f"SELECT DISTINCT {_HASH.format('phash')} AS h FROM {source} WHERE {_TELLING}"
        ((different,),) = engine.run(f"SELECT count(*) FROM ({hashes})", deadline=deadline)
        exhaustive = different <= MOST_TURNED or most < _BANDS
        pairs = engine.run(_pairs(hashes, exhaustive and most >= _BANDS), [most], deadline)
        leader = _joined(pairs)
        rows = engine.run(
            f"SELECT {_HASH.format('phash')} AS h, image_id, size FROM {source} WHERE {_TELLING}"
            " QUALIFY count(*) OVER (PARTITION BY phash) > 1"
            f" OR h IN (SELECT unnest(?::UBIGINT[]))",
            [list(leader)],
            deadline,
        )
        groups = _groups(rows, leader)
        page = [group for group in groups if after is None or _place(group) > (-after[0], after[1])]
        answer: dict[str, Any] = {
            "groups": page[:limit],
            "matched": len(groups),
            "wasted_bytes": sum(group["wasted_bytes"] for group in groups),
            "exhaustive": exhaustive,
        }
        if len(page) > limit:
            answer["after"] = (page[limit - 1]["wasted_bytes"], page[limit - 1]["image_ids"][0])
        return answer | {"as_of": view.as_of}

    answer: dict[str, Any] = patiently(attempt, deadline)
    return answer


def _pairs(hashes: str, turned: bool) -> str:
    """SQL for the pairs of hashes that differ in few bits: of which a band agrees, or with `turned` all but one bit."""
    masks = [0, *(1 << bit for bit in range(16))] if turned else [0]
    bands = ", ".join(f"{band << 16} + (h >> {16 * band} & 65535)" for band in range(_BANDS))
    return (
        f"WITH hashes AS MATERIALIZED ({hashes}),"
        f" bands AS MATERIALIZED (SELECT h, unnest([{bands}]) AS band FROM hashes),"
        f" probes AS (SELECT h, xor(band, mask) AS band FROM bands, (SELECT unnest({masks})::UBIGINT AS mask))"
        " SELECT DISTINCT one.h, other.h FROM probes AS one JOIN bands AS other ON one.band = other.band"
        " WHERE one.h < other.h AND bit_count(xor(one.h, other.h)) <= ?"
    )


def _joined(pairs: Iterable[tuple[int, int]]) -> dict[int, int]:
    """Hash -> the least hash of its group, for all that are in a pair."""
    leader: dict[int, int] = {}

    def lead(value: int) -> int:
        leader.setdefault(value, value)
        while leader[value] != value:
            leader[value] = leader[leader[value]]
            value = leader[value]
        return value

    for one, other in pairs:
        first, second = sorted((lead(one), lead(other)))
        leader[second] = first
    return {value: lead(value) for value in leader}


def _groups(rows: Iterable[tuple[int, str, int]], leader: dict[int, int]) -> list[dict[str, Any]]:
    members: dict[int, list[tuple[int, str]]] = {}
    for value, image_id, size in rows:
        members.setdefault(leader.get(value, value), []).append((size or 0, image_id))
    groups = []
    for listed in members.values():
        # The largest file is mostly the original.
        listed.sort(key=lambda member: (-member[0], member[1]))
        if len(listed) > 1:
            groups.append(
                {
                    "count": len(listed),
                    "wasted_bytes": sum(size for size, _ in listed[1:]),
                    "image_ids": [image_id for _, image_id in listed[:MAX_GROUP]],
                }
            )
    return sorted(groups, key=_place)


def _place(group: dict[str, Any]) -> tuple[int, str]:
    return -group["wasted_bytes"], group["image_ids"][0]
