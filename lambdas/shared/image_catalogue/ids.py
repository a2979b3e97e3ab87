"""Image ids: the S3 object's key, taken from a path as clients write it."""

from __future__ import annotations

import secrets
import time
from urllib.parse import unquote

from .errors import InvalidImageId

#: S3 limits a key to 1,024 bytes of UTF-8 (Amazon S3 User Guide, "Naming Amazon S3 objects").
MAX_KEY_BYTES = 1024
_CROCKFORD = "0123456789abcdefghjkmnpqrstvwxyz"


def normalise_image_id(raw: str, prefix: str = "uploads/") -> list[str]:
    """The ids that `raw` may mean, likeliest first and each once.

    `cat.jpg` means `uploads/cat.jpg`. AWS hands path parameters on percent-encoded and other gateways
    decoded, so both readings count: the decoded one first, since a key that really holds `%2B` arrives
    as `%252B` where it is encoded. Raises `InvalidImageId`.
    """
    decoded = unquote(raw, errors="replace")
    if decoded != raw and ("\x00" in decoded or _is_relative(decoded)):
        raise InvalidImageId("the image id holds a NUL, or a '.' or '..' path segment")
    candidates: list[str] = []
    for text in (decoded, raw):
        image_id = text if text.startswith(prefix) else prefix + text
        if _problem(text, image_id, prefix) is None and image_id not in candidates:
            candidates.append(image_id)
    if not candidates:
        image_id = decoded if decoded.startswith(prefix) else prefix + decoded
        raise InvalidImageId(_problem(decoded, image_id, prefix) or "the image id is not valid")
    return candidates


def _is_relative(text: str) -> bool:
    return any(part in (".", "..") for part in text.split("/"))


def _problem(text: str, image_id: str, prefix: str) -> str | None:
    if not text or image_id == prefix:
        return "the image id is empty"
    if "\x00" in text or "\ufffd" in text:
        return "the image id holds a NUL or is not UTF-8"
    if any("\ud800" <= char <= "\udfff" for char in text):
        return "the image id is not valid Unicode"
    if _is_relative(text):
        return "the image id holds a '.' or '..' path segment"
    if len(image_id.encode()) > MAX_KEY_BYTES:
        return f"the image id is longer than {MAX_KEY_BYTES} bytes"
    return None


def new_image_id(extension: str, prefix: str = "uploads/") -> str:
    """A key nobody has: 48 bits of milliseconds, then 80 random bits, in Crockford's base 32 (as a ULID)."""
    number = (time.time_ns() // 1_000_000) << 80 | secrets.randbits(80)
    text = "".join(_CROCKFORD[number >> shift & 31] for shift in range(125, -1, -5))
    return f"{prefix}{text}.{extension.lstrip('.')}" if extension else f"{prefix}{text}"
