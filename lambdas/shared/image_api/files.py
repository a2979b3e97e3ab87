"""File names and media types between clients and the store: names in headers, what a browser may show."""

from __future__ import annotations

import unicodedata
from contextlib import suppress
from email.message import Message
from urllib.parse import quote

from .multipart import stated_filename

FALLBACK_CONTENT_TYPE = "application/octet-stream"
#: Whatever the file contains, a browser runs none of it and loads nothing for it (Content Security Policy Level 3).
GUARD = {
    "X-Content-Type-Options": "nosniff",
    "Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'; sandbox",
    "Cross-Origin-Resource-Policy": "cross-origin",
}
#: Characters of a header parameter's value that need no encoding (RFC 8187 section 3.2.1, attr-char).
_ATTR_CHAR = "!#$&+-.^_`|~"


def disposition_filename(header: str | None) -> str | None:
    """The file name in a Content-Disposition header (RFC 6266), as clients send one with an upload."""
    if not header:
        return None
    with suppress(UnicodeError):
        header = header.encode("latin-1").decode("utf-8")  # gateways read header bytes as Latin-1
    headers = Message()
    headers["Content-Disposition"] = header
    return stated_filename(headers)


def content_disposition(kind: str, filename: str) -> str:
    """`inline` or `attachment` with the name for old clients (ASCII) and for all others (RFC 6266, RFC 8187)."""
    plain = unicodedata.normalize("NFKD", filename).encode("ascii", "ignore").decode()
    plain = "".join(char for char in plain if char.isprintable() and char not in '"\\%') or "image"
    encoded = quote(filename.encode("utf-8", "replace"), safe=_ATTR_CHAR)
    return f"{kind}; filename=\"{plain}\"; filename*=UTF-8''{encoded}"


def is_passive(content_type: str) -> bool:
    """Whether a browser shows this media type as a picture and can run nothing from it; SVG is XML with scripts."""
    return content_type.startswith("image/") and not content_type.endswith(("+xml", "/xml", "/svg"))
