"""The gallery's page and files through the API: for everybody, kept by version, and able to do nothing but ask."""

from __future__ import annotations

import gzip
import json
import re
from base64 import b64encode
from hashlib import sha256
from urllib.parse import urlsplit

import pytest

from image_gallery.files import files, version
from tests.support.api import Answer, Api
from tests.support.table import BUCKET

PAGE, FILE = "GET /", "GET /gallery/{file+}"


def policy(answer: Answer) -> dict[str, list[str]]:
    """The Content-Security-Policy: directive -> sources."""
    directives = (part.split() for part in answer.headers["content-security-policy"].split(";"))
    return {name: sources for name, *sources in directives}


def test_the_page_names_files_that_are_there_and_kept_for_good(api: Api) -> None:
    page = api(PAGE)
    assert (page.status, page.headers["content-type"]) == (200, "text/html; charset=utf-8")
    named = re.findall(r'(?:src|href)="gallery/([^"]+)"', page.body.decode())
    assert {name.split("/")[1] for name in named} == {"app.js", "style.css", "icon.svg"}
    for name in named:
        answer = api(FILE, name)
        assert answer.status == 200, name
        assert answer.headers["cache-control"] == "public, max-age=31536000, immutable"
        assert answer.headers["x-content-type-options"] == "nosniff"


def test_a_page_that_has_not_changed_is_not_sent_again(api: Api) -> None:
    etag = api(PAGE).headers["etag"]
    assert version() in etag
    assert api(PAGE, headers={"If-None-Match": etag}).status == 304
    assert api(PAGE, headers={"If-None-Match": '"another"'}).status == 200
    assert api(PAGE).headers["cache-control"] == "no-cache"


def test_the_page_may_run_and_ask_only_what_is_its_own(api: Api) -> None:
    page = api(PAGE)
    allowed = policy(page)
    assert allowed["default-src"] == ["'none'"]
    assert allowed["style-src"] == ["'self'"]
    assert allowed["frame-ancestors"] == allowed["form-action"] == allowed["base-uri"] == ["'none'"]
    assert allowed["require-trusted-types-for"] == ["'script'"]
    assert "unsafe" not in page.headers["content-security-policy"]
    (inline,) = re.findall(rb"<script>(.*?)</script>", page.body, re.DOTALL)
    assert allowed["script-src"] == ["'self'", f"'sha256-{b64encode(sha256(inline).digest()).decode()}'"]


def test_the_page_may_send_large_files_to_the_bucket_and_get_them_from_there(api: Api) -> None:
    form = api("POST /uploads", body=json.dumps({"content_type": "image/png"}).encode()).json
    api.put("uploads/large.png", size=10_000_000)
    api.s3.put_object(Bucket=BUCKET, Key="uploads/large.png", Body=b"x")
    file = api("GET /images/file/{image_id+}", "uploads/large.png").headers["location"]
    origins = {"{0.scheme}://{0.netloc}".format(urlsplit(address)) for address in (form["url"], file)}
    assert policy(api(PAGE))["connect-src"] == ["'self'", *origins]


def test_files_are_compressed_for_who_takes_it(api: Api) -> None:
    name = f"{version()}/style.css"
    packed = api(FILE, name, headers={"Accept-Encoding": "br, gzip"})
    assert packed.headers["content-encoding"] == "gzip"
    for taken in ("GZIP", "gzip;q=0.5", "deflate,gzip ;q=1"):
        assert api(FILE, name, headers={"Accept-Encoding": taken}).headers["content-encoding"] == "gzip", (
            taken
        )
    for refused in ("gzip;q=0", "br, gzip; q=0.000, deflate", "x-gzip2"):
        assert "content-encoding" not in api(FILE, name, headers={"Accept-Encoding": refused}).headers, (
            refused
        )
    plain = api(FILE, name, headers={"Accept-Encoding": "identity"})
    assert "content-encoding" not in plain.headers
    assert gzip.decompress(packed.body) == plain.body == files()["style.css"].data
    assert packed.headers["vary"] == plain.headers["vary"] == "Accept-Encoding"


@pytest.mark.parametrize(
    "name",
    [
        *(
            "",
            "app.js",
            "0000000000000000/app.js",
            "{version}/",
            "{version}/index.html",
            "{version}/nothing.js",
        ),
        *(
            "{version}/../files.py",
            "{version}/%2e%2e/files.py",
            "{version}/style.css/",
            "{version}//etc/passwd",
        ),
    ],
)
def test_nothing_else_is_handed_out(api: Api, name: str) -> None:
    answer = api(FILE, name.format(version=version()))
    assert (answer.status, answer.problem) == (404, "not-found")


@pytest.mark.parametrize("route", [PAGE, FILE])
def test_parameters_are_refused(api: Api, route: str) -> None:
    assert api(route, f"{version()}/app.js", key="secret").status == 400
