"""Items as typed attributes, against boto3's own, which the functions do without."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from boto3.dynamodb.types import TypeDeserializer, TypeSerializer
from hypothesis import given
from hypothesis import strategies as st

from image_catalogue.dynamodb import from_dynamodb, to_dynamodb

#: Numbers of as many digits as DynamoDB holds, and fractions whose digits are all of them.
NUMBERS = st.integers(-(10**38) + 1, 10**38 - 1) | st.floats(-1e15, 1e15).filter(
    lambda number: number == 0 or abs(number) > 1e-100
)
VALUES = st.recursive(
    st.text() | st.booleans() | NUMBERS,
    lambda inner: st.lists(inner | st.none()) | st.dictionaries(st.text(), inner),
    max_leaves=20,
)


def exact(value: Any) -> Any:
    """A value as boto3 takes it: it refuses floats."""
    if isinstance(value, float):
        return Decimal(repr(value))
    if isinstance(value, list):
        return [exact(entry) for entry in value]
    return {name: exact(entry) for name, entry in value.items()} if isinstance(value, dict) else value


@given(VALUES)
def test_values_are_typed_as_boto3_types_them_and_come_back(value: Any) -> None:
    typed = to_dynamodb({"value": value})
    assert typed == {"value": TypeSerializer().serialize(exact(value))}
    assert TypeDeserializer().deserialize(typed["value"]) == exact(value)
    assert from_dynamodb(typed) == {"value": value}


def test_absent_values_are_left_out() -> None:
    assert to_dynamodb({"a": None, "b": {"c": None, "d": 1}, "e": [None]}) == {
        "b": {"M": {"d": {"N": "1"}}},
        "e": {"L": [{"NULL": True}]},
    }


@pytest.mark.parametrize(
    "value", [float("nan"), float("inf"), 1e-200, 1e200, 10**60, object(), b"bytes", {1}]
)
def test_what_dynamodb_cannot_hold_is_refused(value: Any) -> None:
    with pytest.raises((TypeError, ArithmeticError)):
        to_dynamodb({"value": [value]})
