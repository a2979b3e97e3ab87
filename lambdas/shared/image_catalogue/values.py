"""Values as clients write them, of one form in lists and in search."""

from __future__ import annotations

import re
from datetime import datetime
from typing import Any

from .errors import InvalidRequest

#: After every text that goes on: 2024-05~ comes after all of May.
END = "~"
#: A local time as precise as wanted, down to what records hold: 2024, 2024-05, 2024-05-17T09:30
LOCAL_MOMENT = re.compile(
    r"[0-9]{4}(?:-(?:0[1-9]|1[0-2])(?:-(?:0[1-9]|[12][0-9]|3[01])"
    r"(?:T(?:[01][0-9]|2[0-3]):[0-5][0-9](?::(?:[0-5][0-9]|60)(?:\.[0-9]{1,9})?)?)?)?)?"
)
_WHOLE = re.compile(r"0|[1-9][0-9]{0,8}")


def whole_number(value: Any, name: str, low: int, high: int) -> int:
    """The number in a URL's text or a JSON value called `name`; raises `InvalidRequest`."""
    if isinstance(value, str) and _WHOLE.fullmatch(value):
        value = int(value)
    if isinstance(value, float) and value.is_integer():  # JSON has one kind of number: 5.0 is 5
        value = int(value)
    if isinstance(value, bool) or not isinstance(value, int) or not low <= value <= high:
        raise InvalidRequest(f"{name} is a whole number from {low} to {high}")
    return value


def first_second(local: str) -> datetime:
    """When a time such as 2024 or 2024-05-17T09:30 begins; raises `ValueError` for a day that no calendar has."""
    whole_second = local.partition(".")[0].replace(":60", ":59")
    return datetime.fromisoformat(whole_second + "0000-01-01"[len(whole_second) :])


def without_zeros(moment: str) -> str:
    """The moment without the zeros that end its fraction of a second, which records do not always write."""
    return moment.rstrip("0").rstrip(".") if "." in moment else moment
