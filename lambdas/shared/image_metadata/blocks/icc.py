"""ICC profiles (ICC.1:2022; ICC.1:2001-04 for `desc`): the description's text, nothing else."""

from __future__ import annotations

import struct
from collections.abc import Callable

from .. import limits
from ..characters import decode, decode_utf16

_MAX_TAGS = 200
_MAX_DESCRIPTION = 64 * 1024


def essence(read_at: Callable[[int, int], bytes], length: int) -> bytes:
    """A profile of the same header with nothing but the description, read without the tables of colours.

    `read_at(offset, length)` reads the profile of `length` bytes; only what is needed is asked for.
    """
    if length <= limits.MIN_FETCH:
        return read_at(0, length)
    head = read_at(0, 132)
    if len(head) < 132:
        return head
    count = min(struct.unpack(">I", head[128:132])[0], _MAX_TAGS)
    for name, offset, size in struct.iter_unpack(">4sII", _whole(read_at(132, 12 * count), 12)):
        if name == b"desc":
            text = read_at(offset, min(size, _MAX_DESCRIPTION))
            return head[:128] + struct.pack(">I4sII", 1, b"desc", 144, len(text)) + text
    return head[:128] + bytes(4)


def _whole(data: bytes, size: int) -> bytes:
    return data[: len(data) - len(data) % size]


def description(profile: bytes, warn: Callable[[str], None]) -> str | None:
    """The profile's description, in English where it is stated in several languages."""
    if len(profile) < 132:
        warn("ICC: the profile is cut off")
        return None
    count = struct.unpack(">I", profile[128:132])[0]
    for index in range(min(count, _MAX_TAGS)):
        row = profile[132 + 12 * index : 144 + 12 * index]
        if len(row) < 12:
            break
        name, offset, length = struct.unpack(">4sII", row)
        if name == b"desc":
            return _text(profile[offset : offset + length], warn)
    warn("ICC: the profile has no description")
    return None


def _text(data: bytes, warn: Callable[[str], None]) -> str | None:
    kind = data[:4]
    if kind == b"desc" and len(data) >= 12:
        length = struct.unpack(">I", data[8:12])[0]
        return _short(decode(data[12 : 12 + length]))
    if kind == b"mluc" and len(data) >= 16:
        return _localized(data)
    if kind == b"text":
        return _short(decode(data[8:]))
    warn("ICC: the description is damaged")
    return None


def _localized(data: bytes) -> str | None:
    """multiLocalizedUnicodeType (ICC.1:2022 10.15)."""
    count, size = struct.unpack(">II", data[8:16])
    chosen: str | None = None
    for index in range(min(count, _MAX_TAGS)):
        row = data[16 + size * index : 28 + size * index] if size >= 12 else b""
        if len(row) < 12:
            break
        language, length, offset = struct.unpack(">4sII", row)
        text = _short(decode_utf16(data[offset : offset + length], True))
        if text and language == b"enUS":
            return text
        if text and (chosen is None or language[:2] == b"en"):
            chosen = text
    return chosen


def _short(text: str | None) -> str | None:
    return text[:256] if text else None
