"""multipart/form-data (RFC 7578) with one file in it, split as bytes.

The parts' headers go through the standard library's `email`; the bodies do not: it would hold an image as one
text object per line, and 4.5 MB of line feeds as 300 MB of them.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from email.message import Message
from email.parser import HeaderParser
from email.utils import collapse_rfc2231_value
from typing import Any

from image_catalogue.errors import InvalidRequest

#: RFC 2046 section 5.1.1: 1 to 70 characters.
_BOUNDARY = re.compile(r"[0-9A-Za-z'()+_,./:=? -]{0,69}[0-9A-Za-z'()+_,./:=?-]")
_MAX_PARTS = 50
_MAX_PART_HEADERS = 16_384
_FILE_FIELDS = ("file", "image")


@dataclass(frozen=True)
class Part:
    """One part: its field name, what it claims of itself, its bytes."""

    name: str | None
    filename: str | None
    content_type: str | None
    data: bytes


def is_multipart(content_type: str | None) -> bool:
    """Whether a Content-Type header announces multipart/form-data."""
    return (content_type or "").split(";")[0].strip().lower() == "multipart/form-data"


def file_part(body: bytes, content_type: str) -> Part:
    """The one file of a form: the part with a file name, or else the field `file` or `image`.

    Raises `InvalidRequest` when the form is broken, or holds no file or several.
    """
    parts = _parts(body, content_type)
    files = [part for part in parts if part.filename is not None]
    # A browser sends an empty file without a name where none was chosen (HTML, "constructing the entry list").
    chosen = [part for part in files if part.filename or part.data]
    files = chosen or files[:1] or [part for part in parts if part.name in _FILE_FIELDS]
    if len(files) != 1:
        found = "several files" if files else "no file (a part with a filename, or a field named file)"
        raise InvalidRequest(f"the form holds {found}: send one image per request")
    return files[0]


def stated_filename(headers: Message) -> str | None:
    """The file name in a Content-Disposition; `filename*` (RFC 8187) wins. None if it cannot be read."""
    try:
        stated: list[Any] = [
            value
            for name, value in headers.get_params([], "content-disposition")
            if name.lower() == "filename"
        ]
        extended = [value for value in stated if isinstance(value, tuple)]
        return collapse_rfc2231_value((extended or stated)[0]) if stated else None
    except (ValueError, TypeError):
        # An unknown character set, a broken escape, numbered parts beside whole ones.
        return None


def _parameter(headers: Message, header: str, name: str) -> str | None:
    """A header's parameter in its plain form; None where it is missing, encoded (RFC 2231) or cannot be read."""
    try:
        value = headers.get_param(name, header=header)
    except (ValueError, TypeError):  # as in `stated_filename`
        return None
    return value if isinstance(value, str) else None


def _parts(body: bytes, content_type: str) -> list[Part]:
    headers = Message()
    headers["Content-Type"] = content_type
    boundary = _parameter(headers, "content-type", "boundary")
    if boundary is None or not _BOUNDARY.fullmatch(boundary):
        raise InvalidRequest("the multipart Content-Type has no valid boundary")
    # A delimiter belongs to the line break before it (RFC 2046 section 5.1.1); the first may lack one.
    pieces = (b"\r\n" + body).split(b"\r\n--" + boundary.encode("ascii"), _MAX_PARTS + 1)
    if len(pieces) < 3 or len(pieces) > _MAX_PARTS + 1 or not pieces[-1].startswith(b"--"):
        raise InvalidRequest("the multipart body is broken: no part, no end, or too many parts")
    return [_part(piece) for piece in pieces[1:-1]]


def _part(piece: bytes) -> Part:
    padding, line_break, rest = piece.partition(b"\r\n")
    if padding.strip(b" \t") or not line_break:
        raise InvalidRequest("the multipart body is broken: there is something after a delimiter on its line")
    head, blank, data = (b"\r\n" + rest).partition(b"\r\n\r\n")
    if not blank or len(head) > _MAX_PART_HEADERS:
        raise InvalidRequest("the multipart body is broken: a part's headers do not end")
    headers = HeaderParser().parsestr(head[2:].decode("utf-8", "replace") + "\r\n\r\n")
    return Part(
        name=_parameter(headers, "content-disposition", "name"),
        filename=stated_filename(headers),
        content_type=headers.get_content_type() if "content-type" in headers else None,
        data=data,
    )
