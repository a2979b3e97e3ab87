"""Opaque cursors: where a list left off, bound to the query they were made for."""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Collection, Sequence
from hashlib import blake2s
from hmac import compare_digest
from typing import Any

from .errors import InvalidCursor

_MAC_BYTES = 12
#: As `encode_cursor` writes them. The longest hold what images are sorted by, texts, and a key of 1,016 control
#: characters, each six in JSON.
_FORM = re.compile(r"[A-Za-z0-9_-]{1,16384}")
#: What a cursor is told that holds no position.
NOT_OURS = "the cursor is not one that this API made"
#: Numbers beyond are none that a position has, and more than DuckDB takes.
_MOST = 2**63


def encode_cursor(position: str, query: dict[str, Any], key: str) -> str:
    """A URL-safe text for `position` (an index sort key), good only with the same `query` and `key`.

    The code detects damage, tampering and use with another query or table. It protects no secret: whoever may list
    the images may start anywhere.
    """
    payload = position.encode()
    return base64.urlsafe_b64encode(_code(payload, query, key) + payload).rstrip(b"=").decode()


def decode_cursor(cursor: Any, query: dict[str, Any], key: str) -> str:
    """The position inside a cursor, whatever the client sent as one; raises `InvalidCursor`."""
    try:
        if not isinstance(cursor, str) or not _FORM.fullmatch(cursor):
            raise ValueError
        raw = base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4))
        code, payload = raw[:_MAC_BYTES], raw[_MAC_BYTES:]
        position = payload.decode()
    except ValueError:
        raise InvalidCursor(NOT_OURS) from None
    if not compare_digest(code, _code(payload, query, key)):
        raise InvalidCursor("the cursor is damaged, or was made for another sort, order or filter")
    return position


def encode_values(values: Sequence[Any], query: dict[str, Any], key: str) -> str:
    """As `encode_cursor`, for a position of several values."""
    return encode_cursor(json.dumps(values, ensure_ascii=False), query, key)


def decode_values(
    cursor: Any, query: dict[str, Any], key: str, types: Sequence[Collection[type]]
) -> tuple[Any, ...]:
    """The values inside a cursor, each of one of its `types`; raises `InvalidCursor`.

    They are looked at like any other input: its key is no secret.
    """
    try:
        values = json.loads(decode_cursor(cursor, query, key))
    except (ValueError, RecursionError):
        raise InvalidCursor(NOT_OURS) from None
    if not isinstance(values, list) or len(values) != len(types):
        raise InvalidCursor(NOT_OURS)
    for value, admitted in zip(values, types, strict=True):
        if type(value) not in admitted or (isinstance(value, int | float) and not abs(value) < _MOST):
            raise InvalidCursor(NOT_OURS)
    return tuple(values)


def _code(payload: bytes, query: dict[str, Any], key: str) -> bytes:
    bound = json.dumps(query, sort_keys=True).encode() + b"\n" + payload
    return blake2s(bound, key=blake2s(key.encode()).digest(), digest_size=_MAC_BYTES).digest()
