"""What a question means, in plain Python over a list of records: slow, and sharing no code with the product."""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from typing import Any

Record = dict[str, Any]


def value_of(record: Record, name: str) -> Any:
    value: Any = record
    for step in name.split("."):
        value = value.get(step) if isinstance(value, dict) else None
    return value


def holds(tree: Any, record: Record) -> bool | None:
    """True, false, or None: the record does not state what is asked for (Kleene's logic, as SQL's)."""
    if isinstance(tree, bool):
        return tree
    if "property" in tree:
        return value_of(record, tree["property"])
    operation, operands = tree["op"], tree["args"]
    if operation == "and":
        found = [holds(operand, record) for operand in operands]
        return False if False in found else None if None in found else True
    if operation == "or":
        found = [holds(operand, record) for operand in operands]
        return True if True in found else None if None in found else False
    if operation == "not":
        found = holds(operands[0], record)
        return None if found is None else not found
    if operation == "isNull":
        name = operands[0]["property"]
        return value_of(record, name) is None
    if operation == "s_intersects":
        return _inside(record.get("gps"), operands[1]["bbox"])
    if operation.startswith("a_"):
        return _arrays(operation, value_of(record, operands[0]["property"]), operands[1])
    if operation == "in":
        found = [_compare("=", operands[0], choice, record) for choice in operands[1]]
        return True if True in found else None if None in found else False
    if operation == "between":
        low, high = (
            _compare(way, operands[0], end, record) for way, end in ((">=", operands[1]), ("<=", operands[2]))
        )
        return False if False in (low, high) else None if None in (low, high) else True
    if operation == "like":
        text, pattern = _scalar(operands[0], record), _scalar(operands[1], record)
        return None if text is None else _like(text, pattern)
    return _compare(operation, operands[0], operands[1], record)


def _scalar(node: Any, record: Record) -> Any:
    if not isinstance(node, dict):
        return node
    if "property" in node:
        return value_of(record, node["property"])
    if "op" in node:
        text = _scalar(node["args"][0], record)
        return None if text is None else text.lower() if node["op"] == "casei" else _without_accents(text)
    return node.get("date") or node.get("timestamp")


def _compare(operation: str, left: Any, right: Any, record: Record) -> bool | None:
    a, b = _scalar(left, record), _scalar(right, record)
    if a is None or b is None:
        return None
    if (
        isinstance(left, dict)
        and left.get("property") in ("taken_at", "uploaded_at")
        and not isinstance(right, dict)
    ):
        a = a[: len(b)]  # a time is as precise as what it is compared with
    return {"=": a == b, "<>": a != b, "<": a < b, "<=": a <= b, ">": a > b, ">=": a >= b}[operation]


def _arrays(operation: str, members: list[Any] | None, wanted: list[Any]) -> bool | None:
    if members is None:
        return None
    have, want = set(members), set(wanted)
    return {
        "a_contains": want <= have,
        "a_containedBy": have <= want,
        "a_overlaps": bool(have & want),
        "a_equals": have == want,
    }[operation]


def _inside(position: dict[str, float] | None, box: list[float]) -> bool | None:
    if not position or "latitude" not in position:
        return None
    west, south, east, north = box
    longitude = position["longitude"]
    across = west <= longitude <= east if west <= east else longitude >= west or longitude <= east
    return south <= position["latitude"] <= north and across


def _like(text: str, pattern: str) -> bool:
    out, index = "", 0
    while index < len(pattern):
        char = pattern[index]
        if char == "\\":
            index += 1
            out += re.escape(pattern[index])
        else:
            out += ".*" if char == "%" else "." if char == "_" else re.escape(char)
        index += 1
    return re.fullmatch(out, text, re.DOTALL) is not None


def _without_accents(text: str) -> str:
    parts = unicodedata.normalize("NFD", text)
    return "".join(char for char in parts if unicodedata.category(char) != "Mn")


def words(text: str) -> list[str]:
    folded = _without_accents(text.lower())
    return re.findall(r"[a-z0-9]+", folded)


def says(record: Record, question: str) -> bool:
    texts = [
        record.get("title", ""),
        record.get("description", ""),
        *record.get("keywords", ()),
        record["filename"],
    ]
    said = [word for text in texts for word in words(text)]
    return all(any(word.startswith(wanted) for word in said) for wanted in words(question))


def find(records: list[Record], asked: dict[str, Any]) -> list[Record]:
    """The records that a request finds, in their order."""
    found = [record for record in records if "filter" not in asked or holds(asked["filter"], record) is True]
    if "bbox" in asked:
        found = [record for record in found if _inside(record.get("gps"), asked["bbox"])]
    if "datetime" in asked:
        start, end = asked["datetime"].split("/")
        found = [
            record
            for record in found
            if (taken := record.get("taken_at")) is not None
            and (start == ".." or taken[: len(start)] >= start)
            and (end == ".." or taken[: len(end)] <= end)
        ]
    if "q" in asked:
        found = [record for record in found if says(record, asked["q"])]
    found = sorted(found, key=lambda record: str(record["image_id"]))
    for key in reversed(asked.get("sortby", "-uploaded_at").split(",")):  # sorts keep the order of equals
        values = {record["image_id"]: value_of(record, key.lstrip("-")) for record in found}
        with_value = [record for record in found if values[record["image_id"]] is not None]
        with_value.sort(key=lambda record: values[record["image_id"]], reverse=key.startswith("-"))
        found = with_value + [record for record in found if values[record["image_id"]] is None]
    return found


def counts(found: list[Record], facet: str) -> Counter[Any]:
    """How many records have which value of a facet; None: none."""
    name, _, unit = facet.partition(":")
    totals: Counter[Any] = Counter()
    for record in found:
        value = value_of(record, name)
        if isinstance(value, list):
            totals.update(set(value))
        elif unit:
            totals[None if value is None else value[: {"year": 4, "month": 7, "day": 10}[unit]]] += 1
        else:
            totals[value] += 1
    return totals
