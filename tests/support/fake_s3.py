"""S3 in memory, as far as the search bucket uses it: quick, and `between` is called before each request."""

from __future__ import annotations

import io
import threading
from collections.abc import Callable
from datetime import UTC, datetime
from hashlib import md5
from typing import Any

from botocore.exceptions import ClientError


class FakeS3:
    """The requests of a boto3 client that `image_search.files` makes, on one bucket."""

    def __init__(self) -> None:
        self.objects: dict[str, tuple[bytes, str, datetime]] = {}
        self.requests: list[str] = []
        self.between: Callable[[str, dict[str, Any]], None] = lambda name, request: None
        self._lock = threading.Lock()

    def list_objects_v2(self, **request: Any) -> dict[str, Any]:
        self._begin("list_objects_v2", request)
        with self._lock:
            contents = [
                {"Key": key, "ETag": f'"{etag}"', "Size": len(data), "LastModified": modified}
                for key, (data, etag, modified) in sorted(self.objects.items())
                if key.startswith(request["Prefix"]) and key > request.get("ContinuationToken", "")
            ]
        page = contents[: request.get("MaxKeys", 1000)]
        more = len(contents) > len(page)
        return {"Contents": page, "IsTruncated": more} | (
            {"NextContinuationToken": page[-1]["Key"]} if more else {}
        )

    def get_object(self, **request: Any) -> dict[str, Any]:
        self._begin("get_object", request)
        with self._lock:
            stored = self.objects.get(request["Key"])
        if stored is None:
            raise failure("NoSuchKey", 404)
        data, etag, modified = stored
        if request.get("IfMatch", f'"{etag}"') != f'"{etag}"':
            raise failure("PreconditionFailed", 412)
        if "Range" in request:
            first, last = map(int, request["Range"].removeprefix("bytes=").split("-"))
            data = data[first : last + 1]
        return {"Body": io.BytesIO(data), "ETag": f'"{etag}"', "LastModified": modified}

    def put_object(self, **request: Any) -> dict[str, Any]:
        body = request["Body"]
        data: bytes = body if isinstance(body, bytes) else body.read()
        self._begin("put_object", request)
        with self._lock:
            stored = self.objects.get(request["Key"])
            if "IfNoneMatch" in request and stored is not None:
                raise failure("PreconditionFailed", 412)
            if "IfMatch" in request and stored is None:
                raise failure("NoSuchKey", 404)
            if "IfMatch" in request and stored is not None and request["IfMatch"] != f'"{stored[1]}"':
                raise failure("PreconditionFailed", 412)
            etag = md5(data, usedforsecurity=False).hexdigest()
            self.objects[request["Key"]] = (data, etag, datetime.now(UTC))
        return {"ETag": f'"{etag}"'}

    def delete_objects(self, **request: Any) -> dict[str, Any]:
        self._begin("delete_objects", request)
        with self._lock:
            for entry in request["Delete"]["Objects"]:
                self.objects.pop(entry["Key"], None)
        return {}

    def _begin(self, name: str, request: dict[str, Any]) -> None:
        self.requests.append(name)
        self.between(name, request)


def failure(code: str, status: int) -> ClientError:
    error: Any = {"Error": {"Code": code}, "ResponseMetadata": {"HTTPStatusCode": status}}
    return ClientError(error, "operation")
