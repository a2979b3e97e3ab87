"""An API Gateway proxy event (REST API, payload 1.0) as a request: parameters checked, body decoded.

API Gateway User Guide, "Input format of a Lambda function for proxy integration". Header names come in the client's
spelling, query values decoded, and bodies as base64, since all media types are configured as binary.
"""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from image_catalogue.errors import InvalidRequest


@dataclass(frozen=True)
class Request:
    """One request; header names are in lower case, the body is bytes."""

    route: str  # "GET /metadata/{image_id+}"
    path: Mapping[str, str]
    query: Mapping[str, tuple[str, ...]]
    headers: Mapping[str, str]
    raw_body: str
    is_base64: bool
    request_id: str

    @classmethod
    def of(cls, event: Mapping[str, Any]) -> Request:
        """The request in a proxy event; what the event lacks is empty."""
        query = event.get("multiValueQueryStringParameters") or {
            name: [value] for name, value in (event.get("queryStringParameters") or {}).items()
        }
        return cls(
            route=f"{event.get('httpMethod', '')} {event.get('resource', '')}",
            path=event.get("pathParameters") or {},
            query={name: tuple(values) for name, values in query.items()},
            # An empty condition is one that nothing meets, any other empty header is as good as none.
            headers={
                name.lower(): value or ""
                for name, value in (event.get("headers") or {}).items()
                if value or name.lower() == "if-match"
            },
            raw_body=event.get("body") or "",
            is_base64=bool(event.get("isBase64Encoded")),
            request_id=(event.get("requestContext") or {}).get("requestId") or "",
        )

    @property
    def is_head(self) -> bool:
        """Whether only the headers of the answer are asked for."""
        return self.route.startswith("HEAD ")

    def parameters(self, *known: str) -> dict[str, str]:
        """The query's parameters, each at most once; raises `InvalidRequest` for one that is not `known`."""
        for name, values in self.query.items():
            if name not in known:
                takes = f"it takes {', '.join(known)}" if known else "this path takes none"
                raise InvalidRequest(f"there is no query parameter {name[:100]!r}: {takes}")
            if len(values) != 1:
                raise InvalidRequest(f"the query parameter {name!r} is given more than once")
        return {name: values[0] for name, values in self.query.items()}

    def body(self) -> bytes:
        """The body's bytes; raises `InvalidRequest` when they did not arrive intact."""
        if not self.is_base64:
            if "\ufffd" in self.raw_body:  # a gateway that took bytes without a type for text
                raise InvalidRequest(
                    "the body did not arrive intact: send a Content-Type, such as image/jpeg"
                )
            return self.raw_body.encode("utf-8", "replace")
        try:
            return base64.b64decode(self.raw_body, validate=True)
        except (binascii.Error, ValueError):
            raise InvalidRequest("the body did not arrive intact") from None

    def json_object(self, *known: str) -> dict[str, Any]:
        """The body as a JSON object holding only `known` members; raises `InvalidRequest`."""
        try:
            value = json.loads(self.body())
        except (ValueError, RecursionError):
            value = None
        if not isinstance(value, dict):
            raise InvalidRequest(f"the body is not a JSON object: it takes {', '.join(known)}")
        for name in value:
            if name not in known:
                raise InvalidRequest(f"there is no member {name[:100]!r}: the body takes {', '.join(known)}")
        return value
