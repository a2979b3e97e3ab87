"""The names of clients' files: what a name may hold, and how S3 keeps it with an object."""

from __future__ import annotations

import unicodedata
from typing import Any
from urllib.parse import quote, unquote

MAX_FILENAME = 255
#: Text direction controls: they make a name read as another (Unicode Technical Report 36, section 2.5).
_DIRECTION = frozenset("\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069\u200e\u200f")
_UNWANTED_CATEGORIES = frozenset(("Cc", "Cs", "Zl", "Zp"))
#: User metadata of an object: the client's file name, percent-encoded (S3 takes ASCII).
_KEY = "filename"
#: S3 allows 2 KB of user metadata in all (Amazon S3 User Guide, "Working with object metadata").
_MAX_ENCODED = 1900


def clean_filename(name: str | None) -> str | None:
    """A file name without directories, controls and surrogates; None where nothing is left. A clean one stays as is."""
    if not name:
        return None
    base = name.replace("\\", "/").rsplit("/", 1)[-1]
    kept = "".join(
        char
        for char in base
        if char not in _DIRECTION
        and char != "\ufffd"
        and unicodedata.category(char) not in _UNWANTED_CATEGORIES
    )
    kept = kept.strip()[:MAX_FILENAME].rstrip()
    return None if kept in ("", ".", "..") else kept


def filename_metadata(filename: str) -> dict[str, str]:
    """The user metadata that keeps a clean file name with the object; a very long name is cut, if that leaves one."""
    kept: str | None = filename
    while kept and len(quote(kept, safe=" ")) > _MAX_ENCODED:
        kept = clean_filename(kept[:-1])
    return {_KEY: quote(kept, safe=" ")} if kept else {}


def stored_filename(metadata: dict[str, Any]) -> str | None:
    """The file name in an object's user metadata, cleaned: whoever may write to the bucket may state any."""
    return clean_filename(unquote(metadata.get(_KEY, "")))
