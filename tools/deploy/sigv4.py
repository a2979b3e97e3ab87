"""Sign requests to AWS with Signature Version 4 and send them, with the standard library alone.

The rules are in the AWS General Reference, "Create a signed AWS API request".
"""

from __future__ import annotations

import datetime
import hashlib
import hmac
import http.client
import json
import os
import re
import ssl
import urllib.error
import urllib.parse
import urllib.request
import xml.etree.ElementTree as ElementTree
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

TIMEOUT = 20


class ApiError(Exception):
    """AWS refused a request: ``code`` is its error code, e.g. ``ExpiredToken``; ``status`` the HTTP one, or 0."""

    def __init__(self, code: str, message: str, status: int = 0) -> None:
        super().__init__(f"{code}: {message}")
        self.code = code
        self.status = status


@dataclass(frozen=True)
class Credentials:
    """An access key; ``token`` belongs to temporary ones. ``source`` says where it was found, ``expires`` (RFC 3339)
    when it ends, where that is known.
    """

    key: str
    secret: str
    token: str | None
    source: str
    expires: str | None = None


def sign(
    method: str,
    url: str,
    body: bytes,
    service: str,
    region: str,
    credentials: Credentials,
    now: datetime.datetime,
    extra: Mapping[str, str] | None = None,
) -> dict[str, str]:
    """The headers that sign a request with Signature Version 4; path and query of ``url`` are percent-encoded.

    ``extra`` headers, names in lower case, are signed too.
    """
    parts = urllib.parse.urlsplit(url)
    stamp, day = now.strftime("%Y%m%dT%H%M%SZ"), now.strftime("%Y%m%d")
    digest = hashlib.sha256(body).hexdigest()
    headers = {"host": parts.netloc, "x-amz-date": stamp}
    if service == "s3":
        headers["x-amz-content-sha256"] = digest
    elif body:
        headers["content-type"] = "application/x-www-form-urlencoded; charset=utf-8"
    headers |= extra or {}
    if credentials.token:
        headers["x-amz-security-token"] = credentials.token
    names = ";".join(sorted(headers))
    canonical = "\n".join(
        [
            method,
            parts.path or "/",
            "&".join(sorted(parts.query.split("&"))),
            *(f"{name}:{headers[name]}" for name in sorted(headers)),
            "",
            names,
            digest,
        ]
    )
    scope = f"{day}/{region}/{service}/aws4_request"
    to_sign = "\n".join(["AWS4-HMAC-SHA256", stamp, scope, hashlib.sha256(canonical.encode()).hexdigest()])
    key = f"AWS4{credentials.secret}".encode()
    for part in (day, region, service, "aws4_request"):
        key = hmac.new(key, part.encode(), hashlib.sha256).digest()
    signature = hmac.new(key, to_sign.encode(), hashlib.sha256).hexdigest()
    headers["authorization"] = (
        f"AWS4-HMAC-SHA256 Credential={credentials.key}/{scope}, SignedHeaders={names}, Signature={signature}"
    )
    return headers


def send(
    method: str,
    url: str,
    body: bytes,
    service: str,
    region: str,
    credentials: Credentials,
    extra: Mapping[str, str] | None = None,
) -> ElementTree.Element | None:
    """Send a signed request; returns the XML of the answer (None when empty). Raises ApiError."""
    content = exchange(method, url, body, service, region, credentials, extra)
    try:
        return ElementTree.fromstring(content) if content else None  # noqa: S314 - AWS's own answer, over TLS
    except ElementTree.ParseError as error:
        raise ApiError("Unreachable", str(error)) from error


def send_json(
    endpoint: str,
    target: str,
    service: str,
    region: str,
    credentials: Credentials,
    body: Mapping[str, object],
    version: str = "1.0",
) -> dict[str, Any]:
    """Call an action of AWS's JSON protocol (DynamoDB, SQS: 1.0; logs, events: 1.1). Raises ApiError."""
    headers = {"content-type": f"application/x-amz-json-{version}", "x-amz-target": target}
    url = endpoint.rstrip("/") + "/"
    return _object(exchange("POST", url, json.dumps(body).encode(), service, region, credentials, headers))


def send_rest(
    method: str,
    url: str,
    service: str,
    region: str,
    credentials: Credentials,
    extra: Mapping[str, str] | None = None,
) -> dict[str, Any]:
    """Send a request that is answered by a JSON object (Lambda, API Gateway); {} for an empty one. Raises ApiError."""
    content = exchange(method, url, b"", service, region, credentials, extra)
    return _object(content) if content else {}


def _object(content: bytes) -> dict[str, Any]:
    try:
        answer: dict[str, Any] = json.loads(content)
    except ValueError as error:
        raise ApiError("Unreachable", str(error)) from error
    return answer


def exchange(
    method: str,
    url: str,
    body: bytes,
    service: str,
    region: str,
    credentials: Credentials,
    extra: Mapping[str, str] | None = None,
) -> bytes:
    """Send a signed request with these ``extra`` headers; returns the answer's body. Raises ApiError."""
    now = datetime.datetime.now(datetime.UTC)
    headers = sign(method, url, body, service, region, credentials, now, extra)
    request = urllib.request.Request(url, body or None, headers, method=method)
    bundle = os.environ.get("AWS_CA_BUNDLE") or None
    try:
        context = ssl.create_default_context(cafile=bundle) if url[:5] == "https" else None
    except OSError as error:
        raise ApiError(
            "Unreachable", f"AWS_CA_BUNDLE={bundle} contains no readable certificates ({error})"
        ) from error
    try:
        with urllib.request.urlopen(request, timeout=TIMEOUT, context=context) as answer:
            content: bytes = answer.read()
            return content
    except urllib.error.HTTPError as error:
        text = error.read().decode(errors="replace")
        code = re.search(r"<Code>([^<]+)</Code>|\"(?:__type|code)\"\s*:\s*\"(?:[^\"#]*#)?([^\"]+)\"", text)
        message = re.search(r"<Message>([^<]+)</Message>|\"message\"\s*:\s*\"([^\"]+)\"", text, re.IGNORECASE)
        raise ApiError(
            next(filter(None, code.groups())) if code else f"HTTP {error.code}",
            next(filter(None, message.groups())) if message else text[:200],
            error.code,
        ) from error
    except (OSError, http.client.HTTPException) as error:
        raise ApiError("Unreachable", str(getattr(error, "reason", error))) from error


def query(
    endpoint: str, service: str, region: str, credentials: Credentials, fields: Mapping[str, str]
) -> ElementTree.Element:
    """Call an action of AWS's Query protocol (STS, IAM); returns the XML of the answer. Raises ApiError."""
    url, body = endpoint.rstrip("/") + "/", urllib.parse.urlencode(fields).encode()
    answer = send("POST", url, body, service, region, credentials)
    if answer is None:
        raise ApiError("Unreachable", "the answer is empty")
    return answer


def text_of(answer: ElementTree.Element, name: str) -> str:
    """The text of the first element called ``name``, whatever its namespace. Raises ApiError when it is missing."""
    for element in answer.iter():
        if element.tag.rpartition("}")[2] == name and element.text:
            return element.text
    raise ApiError("Unreachable", f"the answer has no {name}")
