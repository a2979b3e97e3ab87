"""The gallery's page and its files, for everybody: they hold no data, which the page asks for by the visitor's key."""

from __future__ import annotations

import re
from functools import lru_cache

from image_catalogue import settings
from image_catalogue.bucket import Bucket
from image_gallery.files import INDEX, File, files, inline_scripts, version

from ..problems import RouteNotFound
from ..request import Request
from ..response import Response, matches

#: In an Accept-Encoding header, but for a quality of zero (RFC 9110 section 12.5.3).
_GZIP = re.compile(r"(?:^|[,\s])gzip\s*(?:,|$|;\s*q=(?!0(?:\.0*)?\s*(?:,|$)))", re.IGNORECASE)
_FOR_GOOD = "public, max-age=31536000, immutable"
_ASK_AGAIN = "no-cache"


def show_page(request: Request) -> Response:
    """The page. Beside itself it may load nothing and send to nobody but the API and the bucket of the images."""
    request.parameters()
    etag = f'"{version()}"'
    if matches(request.headers.get("if-none-match"), etag):
        return Response(304, "", {"ETag": etag, "Cache-Control": _ASK_AGAIN})
    return _answer(request, files()[INDEX], {"Cache-Control": _ASK_AGAIN, "ETag": etag} | _guard())


def show_file(request: Request) -> Response:
    """One of its files, by an address that never means another: `VERSION/app.js`."""
    request.parameters()
    wanted, _, name = request.path.get("file", "").partition("/")
    file = files().get(name) if wanted == version() and name != INDEX else None
    if file is None:
        raise RouteNotFound("there is no such file of the gallery: load the page again")
    return _answer(request, file, {"Cache-Control": _FOR_GOOD, "X-Content-Type-Options": "nosniff"})


def _answer(request: Request, file: File, headers: dict[str, str]) -> Response:
    headers = {"Content-Type": file.content_type, "Vary": "Accept-Encoding"} | headers
    if _GZIP.search(request.headers.get("accept-encoding", "")):
        return Response(200, file.compressed, headers | {"Content-Encoding": "gzip"})
    return Response(200, file.data, headers)


@lru_cache(maxsize=1)
def _guard() -> dict[str, str]:
    # Large files go to the bucket and come from it; on AWS it has an origin of its own.
    bucket = Bucket(settings.bucket_name()).origin()
    policy = {
        "default-src": "'none'",
        "script-src": " ".join(("'self'", *inline_scripts())),
        "style-src": "'self'",
        "img-src": "'self' blob:",
        "connect-src": f"'self' {bucket}",
        "base-uri": "'none'",
        "form-action": "'none'",
        "frame-ancestors": "'none'",
        "require-trusted-types-for": "'script'",
        "trusted-types": "'none'",
    }
    return {
        "Content-Security-Policy": "; ".join(f"{name} {value}" for name, value in policy.items()),
        "Cross-Origin-Opener-Policy": "same-origin",
        "Referrer-Policy": "no-referrer",
        "X-Content-Type-Options": "nosniff",
        "X-Frame-Options": "DENY",
    }
