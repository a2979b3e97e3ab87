"""Image ids: the S3 object's key, taken from a path as clients write it."""

from __future__ import annotations

import secrets
import time
from collections.abc import Sequence
from urllib.parse import unquote

from .errors import InvalidImageId

#: S3 limits a key to 1,024 bytes of UTF-8 (Amazon S3 User Guide, "Naming Amazon S3 objects").
MAX_KEY_BYTES = 1024
_CROCKFORD = "0123456789abcdefghjkmnpqrstvwxyz"


def normalise_image_id(raw: str, prefixes: Sequence[str] = ("uploads/",), encoded: bool = True) -> list[str]:
    """The ids that the path `raw` may mean, likeliest first and each once.

    `cat.jpg` means `uploads/cat.jpg`, where that is the first prefix. An `encoded` path (API Gateway's REST APIs pass
    paths on as the client wrote them) has one meaning. A path that the gateway may have decoded has two: itself,
    and, in case it was not decoded, what it decodes to. Raises `InvalidImageId`.
    """
    decoded = unquote(raw, errors="replace")
    candidates: list[str] = []
    problems: list[str] = []
    for text in (decoded,) if encoded else (raw, decoded):
        image_id = with_prefix(text, prefixes)
        problem = _problem_of_path(text) or _problem(text, image_id, prefixes)
        if problem:
            problems.append(problem)
        elif image_id not in candidates:
            candidates.append(image_id)
    if not candidates:
        raise InvalidImageId(problems[-1])
    return candidates


def exact_image_id(text: str, prefixes: Sequence[str] = ("uploads/",)) -> str:
    """The id that JSON states, as it is but for the optional prefix: every key that an object can have is one.

    A path cannot name all of them: who sends it resolves dot segments, and what is no UTF-8 looks like U+FFFD. Raises
    `InvalidImageId`.
    """
    image_id = with_prefix(text, prefixes)
    problem = _problem(text, image_id, prefixes)
    if problem:
        raise InvalidImageId(problem)
    return image_id


def with_prefix(text: str, prefixes: Sequence[str]) -> str:
    """What `text` means as an image id or the beginning of one: the first prefix may be left out."""
    return text if text.startswith(tuple(prefixes)) else prefixes[0] + text


def _problem_of_path(text: str) -> str | None:
    if "\ufffd" in text:
        return "the image id is not UTF-8"
    if any(part in (".", "..") for part in text.split("/")):
        return "the image id holds a '.' or '..' path segment: a JSON body can name such an image"
    return None


def _problem(text: str, image_id: str, prefixes: Sequence[str]) -> str | None:
    if not text or image_id in prefixes:
        return "the image id is empty"
    if "\x00" in image_id:
        return "the image id holds a NUL"
    if any("\ud800" <= char <= "\udfff" for char in image_id):
        return "the image id is not valid Unicode"
    if len(image_id.encode()) > MAX_KEY_BYTES:
        return f"the image id is longer than {MAX_KEY_BYTES} bytes"
    return None


def new_image_id(extension: str, prefix: str = "uploads/") -> str:
    """A key that is not in use: 48 bits of milliseconds, then 80 random bits, in Crockford's base 32 (as a ULID)."""
    number = (time.time_ns() // 1_000_000) << 80 | secrets.randbits(80)
    text = "".join(_CROCKFORD[number >> shift & 31] for shift in range(125, -1, -5))
    return f"{prefix}{text}.{extension.lstrip('.')}" if extension else f"{prefix}{text}"
