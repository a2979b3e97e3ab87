"""Answers as API Gateway takes them from a Lambda function, and conditional requests (RFC 9110 section 13)."""

from __future__ import annotations

import base64
import json
from dataclasses import dataclass, field
from hashlib import blake2s
from typing import Any

from image_catalogue import settings
from image_catalogue.errors import ImageChanged

from .problems import Problem

JSON = "application/json"
PROBLEM = "application/problem+json"
#: What a page of another origin may read beside the body.
EXPOSED_HEADERS = "Content-Disposition, ETag, Location, Retry-After, X-As-Of, X-Matched, X-Next-Cursor"


@dataclass(frozen=True)
class Response:
    """A status, headers and a body; text goes out as it is, bytes as base64."""

    status: int
    body: str | bytes = ""
    headers: dict[str, str] = field(default_factory=dict)

    def to_proxy(self) -> dict[str, Any]:
        """The proxy result (API Gateway User Guide, "Output format of a Lambda function")."""
        body = self.body
        binary = isinstance(body, bytes)
        return {
            "statusCode": self.status,
            "headers": cors_headers() | self.headers,
            "body": base64.b64encode(body).decode() if isinstance(body, bytes) else body,
            "isBase64Encoded": binary,
        }


def cors_headers() -> dict[str, str]:
    """The headers that let a page of the configured origin read an answer (Fetch standard, "CORS protocol")."""
    origin = settings.cors_allow_origin()
    headers = {"Access-Control-Allow-Origin": origin, "Access-Control-Expose-Headers": EXPOSED_HEADERS}
    return headers if origin == "*" else headers | {"Vary": "Origin"}


def json_response(value: Any, status: int = 200, headers: dict[str, str] | None = None) -> Response:
    """A JSON answer that caches must ask about again."""
    return Response(
        status, _dump(value), {"Content-Type": JSON, "Cache-Control": "no-cache"} | (headers or {})
    )


def problem_response(problem: Problem) -> Response:
    """A problem document (RFC 9457)."""
    headers = {"Content-Type": PROBLEM, "Cache-Control": "no-store"} | problem.headers
    return Response(problem.status, _dump(problem.body()), headers)


def conditional_json(value: Any, if_none_match: str | None) -> Response:
    """A JSON answer with an ETag, or 304 where the client has it already."""
    etag = etag_of(value)
    if matches(if_none_match, etag):
        return Response(304, "", {"ETag": etag, "Cache-Control": "no-cache"})
    return json_response(value, headers={"ETag": etag})


def etag_of(value: Any) -> str:
    """The ETag of a value as its JSON answer carries it, with quotes."""
    return f'"{blake2s(_dump(value).encode(), digest_size=16).hexdigest()}"'


def check_match(if_match: str, *etags: str) -> None:
    """Raise `ImageChanged` unless an If-Match header names one of `etags` (quoted), by strong comparison (13.1.1)."""
    named = {tag.strip() for tag in if_match.split(",")}
    if "*" not in named and named.isdisjoint(etags):
        raise ImageChanged("the image is not the one that If-Match names")


def matches(if_none_match: str | None, etag: str) -> bool:
    """Whether an If-None-Match header names `etag` (quoted), by weak comparison (RFC 9110 section 13.1.2)."""
    if not if_none_match:
        return False
    tags = [tag.strip().removeprefix("W/") for tag in if_none_match.split(",")]
    return etag in tags or "*" in tags


def _dump(value: Any) -> str:
    text = json.dumps(value, ensure_ascii=False, separators=(",", ":"))
    # Text that a client sent may contain half a surrogate pair, which no answer can carry.
    return text.encode("utf-8", "replace").decode()
