"""Values as clients write them, of one form in lists and in search."""

from __future__ import annotations

import re
from typing import Any

from .errors import InvalidRequest

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
