"""What lists can be filtered by: one table, read by the query, by the API's checks and by the documents' tests."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import NamedTuple

from .errors import InvalidRequest
from .items import Item
from .values import END, LOCAL_MOMENT, first_second, without_zeros

MAX_PREFIX = 1024
STATUSES = ("ok", "unsupported", "corrupt", "too_large")
_MEDIA_TYPE = re.compile(r"[a-z0-9][a-z0-9!#$&^_.+-]{0,63}/[a-z0-9][a-z0-9!#$&^_.+-]{0,63}")
_A_LOCAL_TIME = "is a time of the calendar without an offset, such as 2024, 2024-05-17 or 2024-05-17T09:30"


class Filter(NamedTuple):
    """One filter; `takes` completes the sentence that begins with its name: what value it takes."""

    accepts: Callable[[str], object]  # whether a client's value is valid
    takes: str
    matches: Callable[[Item, str], bool]


def _is_local_time(text: str) -> bool:
    try:
        return bool(LOCAL_MOMENT.fullmatch(text) and first_second(text))
    except ValueError:
        return False


#: By the query parameter's name.
FILTERS: dict[str, Filter] = {
    "content_type": Filter(
        _MEDIA_TYPE.fullmatch,
        "is a media type in lower case, such as image/png",
        lambda item, value: item.get("content_type") == value,
    ),
    "prefix": Filter(
        lambda value: 1 <= len(value) <= MAX_PREFIX and "\x00" not in value,
        f"is what image ids begin with: 1 to {MAX_PREFIX} characters without NUL",
        lambda item, value: item["image_id"].startswith(value),
    ),
    "status": Filter(
        STATUSES.__contains__,
        f"is one of {', '.join(STATUSES)}",
        lambda item, value: item["status"] == value,
    ),
    # Local times as in `taken_at`, both ends included, compared as text: 2024-05 includes all of May at either end.
    "taken_from": Filter(
        _is_local_time,
        _A_LOCAL_TIME,
        lambda item, value: item.get("taken_at", "") >= without_zeros(value),
    ),
    "taken_to": Filter(
        _is_local_time,
        _A_LOCAL_TIME,
        lambda item, value: "" < item.get("taken_at", "")[: len(value)] <= value,
    ),
}


def check(given: Mapping[str, str]) -> None:
    """Raise `InvalidRequest` for values that a filter does not take, whatever else is given."""
    for name, each in FILTERS.items():
        if name in given and not each.accepts(given[name]):
            raise InvalidRequest(f"{name} {each.takes}")
    start, end = given.get("taken_from"), given.get("taken_to")
    if start and end and without_zeros(start) > end + END:
        raise InvalidRequest(f"taken_to {end} ends before taken_from {start} begins")
