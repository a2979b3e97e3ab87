"""Makes valid requests valid in what a schema cannot say.

A cursor comes from a page of the same query; months have their days, and what is asked for ends after it begins.
"""

from __future__ import annotations

import re
from typing import Any

import requests
import schemathesis


@schemathesis.hook
def before_call(context: Any, case: Any, kwargs: dict[str, Any]) -> None:
    """Give a valid list request times in their order, and the cursor of its own next page where there is one."""
    image_id = (case.path_parameters or {}).get("image_id")
    if isinstance(image_id, str) and "\n" in image_id:
        # The emulator's policies match no line break, and so refuse the functions such a key; those of AWS do match.
        case.path_parameters["image_id"] = image_id.replace("\n", " ")
    ids = case.body.get("image_ids") if isinstance(case.body, dict) else None
    if isinstance(ids, list):
        case.body["image_ids"] = [name.replace("\n", " ") if isinstance(name, str) else name for name in ids]
    mode = case.meta.generation.mode if case.meta else None
    if mode is None or not mode.is_positive:
        return
    ends = [name for name in ("taken_from", "taken_to") if name in (case.query or {})]
    for name, time in zip(ends, sorted(in_calendar(case.query[name]) for name in ends), strict=True):
        case.query[name] = time
    if "cursor" not in (case.query or {}):
        return
    query = {name: value for name, value in case.query.items() if name != "cursor"}
    headers = {name: value for name, value in case.headers.items() if name.lower() == "x-api-key"} | {
        name: value for name, value in kwargs.get("headers", {}).items() if name.lower() == "x-api-key"
    }
    url = case.operation.base_url.rstrip("/") + case.operation.path
    page = requests.get(url, params=query | {"limit": 1}, headers=headers, timeout=30)
    cursor = page.json().get("next_cursor") if page.status_code == 200 else None
    case.query = query | ({"cursor": cursor} if cursor else {})


def in_calendar(time: str) -> str:
    """The time on a day that every month has, in a year that there was."""
    return re.sub(r"^(.{7}-)(29|3.)", r"\g<1>28", re.sub("^0000", "2000", time))
