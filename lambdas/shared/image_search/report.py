"""What may deserve a look, over all images: each problem is a question that anybody can ask again."""

from __future__ import annotations

import time
from dataclasses import replace
from typing import Any

from .columns import BY_NAME
from .query import QUERY_SECONDS, Query, duplicates, search
from .snapshot import Reader

#: Images of a problem that are told.
EXAMPLES = 6
_FIELDS = "filename,etag,size,status,error,format,display_width,display_height,taken_at,uploaded_at,pixels"
#: A picture that is this many times as long as high, or as high as long.
ODD_ASPECT = 4

#: Name -> the filter that finds its images (CQL2). Those of pixels find nothing where nothing was analysed.
PROBLEMS = {
    "corrupt": "status = 'corrupt'",
    "unsupported": "status = 'unsupported'",
    "too_large": "status = 'too_large'",
    "wrong_type": "declared_content_type IS NOT NULL",
    "warnings": "warnings IS NOT NULL",
    "tiny": "width < 64 AND height < 64",
    "no_date": "camera.make IS NOT NULL AND taken_at IS NULL",
    "dark": "pixels.brightness < 0.08",
    "light": "pixels.brightness > 0.95",
    "blurry": "pixels.sharpness < 20 AND width > 320 AND height > 320",
    "undecoded": "pixels.error IS NOT NULL",
}


def report(reader: Reader, key: str, seconds: float = QUERY_SECONDS) -> dict[str, Any]:
    """How many images have each problem, and some of them; `key` is the one that binds cursors."""
    deadline = time.monotonic() + seconds

    def ask(query: Query) -> dict[str, Any]:
        return search(reader, query, key, deadline - time.monotonic())

    every = ask(Query.of({"limit": 0}, key))
    problems = []
    for name, condition in PROBLEMS.items():
        found = ask(Query.of({"filter": condition, "limit": EXAMPLES, "fields": _FIELDS}, key))
        problems.append(
            {"name": name, "filter": condition, "count": found["matched"], "examples": found["items"]}
        )
    found = ask(_odd_aspect(key))
    problems.append({"name": "odd_aspect", "count": found["matched"], "examples": found["items"]})
    twice = duplicates(reader, EXAMPLES, None, deadline - time.monotonic())
    firsts = [group["image_ids"][0] for group in twice["groups"]]
    examples = ask(_of(firsts, key))["items"] if firsts else []
    problems.append({"name": "duplicates", "count": twice["matched"], "examples": examples})
    return {"images": every["matched"], "problems": problems, "as_of": every["as_of"]}


def _of(image_ids: list[str], key: str) -> Query:
    """These images; what keys are called may be longer than a filter."""
    query = Query.of({"limit": len(image_ids), "fields": _FIELDS}, key)
    where = f'"image_id" IN ({", ".join("?" * len(image_ids))})'
    columns = query.columns | {BY_NAME["image_id"]}
    return replace(query, where=where, values=tuple(image_ids), columns=columns)


def _odd_aspect(key: str) -> Query:
    """CQL2 as it is taken here has no arithmetic, so this one question is put in SQL."""
    query = Query.of({"limit": EXAMPLES, "fields": _FIELDS}, key)
    sides = [BY_NAME[name] for name in ("width", "height")]
    where = f'greatest("width", "height") >= {ODD_ASPECT} * least("width", "height") AND least("width", "height") > 0'
    return replace(query, where=where, columns=query.columns | set(sides))
