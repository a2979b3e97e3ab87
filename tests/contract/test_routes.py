"""Every route in Terraform stands in the README, in the OpenAPI document and in the Postman collection; and back."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

from tests.contract.declared import ROOT, declared_functions, declared_routes, local_value
from tests.contract.documents import assert_same, code_in, operations, readme_table


def routes_in_readme() -> set[str]:
    return {route for row in readme_table("Route") for route in code_in(row[0])}


def requests_in_postman() -> Iterator[tuple[str, str]]:
    """Method and address below `base_url` of every request of the collection, whatever folder it lies in."""
    collection = ROOT / "docs/image-metadata-api.postman_collection.json"
    waiting = [json.loads(collection.read_text(encoding="utf-8"))]
    while waiting:
        entry = waiting.pop()
        waiting += entry.get("item", [])
        if "request" in entry:
            url = entry["request"]["url"]
            raw = url if isinstance(url, str) else joined(url)
            if raw.startswith("{{base_url}}"):
                yield entry["request"]["method"], raw.removeprefix("{{base_url}}")


def joined(url: dict[str, Any]) -> str:
    """An address by its parts, of which newman sends; Postman shows `raw`."""
    query = "&".join(f"{entry['key']}={entry['value']}" for entry in url.get("query", []))
    address = "/".join(url["host"] + url["path"]) + (f"?{query}" if query else "")
    assert address == url["raw"]
    return address


def route_of(method: str, path: str) -> str | None:
    """The declared route that API Gateway picks for a request: fixed parts go before `{image_id+}`."""
    for route in sorted(declared_routes(), key=lambda route: ("{" in route, -len(route))):
        declared_method, declared_path = route.split(" ")
        # API Gateway's greedy parameter takes the rest of the path, slashes included.
        pattern = ".+".join(re.escape(part) for part in re.split(r"\{[^}]+\}", declared_path))
        if method == declared_method and re.fullmatch(pattern, path):
            return route
    return None


def test_no_route_is_declared_twice() -> None:
    routes = [route for function in declared_functions().values() for route in function.get("routes", [])]
    shapes = [re.sub(r"\{[^}]+\}", "{}", route) for route in routes]
    assert len(shapes) == len(set(shapes))


def test_the_readme_names_every_route() -> None:
    assert_same(routes_in_readme(), declared_routes(), "README.md, table of routes,")


def test_the_openapi_document_describes_every_route() -> None:
    # OpenAPI has no greedy parameters: the plus sign is API Gateway's alone.
    described = {route.replace("+}", "}") for route in operations()}
    assert_same(described, [route.replace("+}", "}") for route in declared_routes()], "docs/openapi.yaml")


def test_the_postman_collection_calls_every_route() -> None:
    called = {route_of(method, address.split("?")[0]) for method, address in requests_in_postman()}
    assert_same([route for route in called if route], declared_routes(), "the Postman collection")


def test_every_route_is_asked_in_a_test() -> None:
    tests = "".join(path.read_text(encoding="utf-8") for path in (ROOT / "tests/unit/api").glob("*.py"))
    asked = re.findall(r'"(GET|POST|PUT|PATCH|DELETE) (/[^"?\s]*)', tests)
    unasked = set(declared_routes()) - {route_of(method, path) for method, path in asked}
    assert not unasked, f"no test in tests/unit/api asks {unasked}"


def test_a_preflight_allows_every_header_that_the_api_reads() -> None:
    read = {
        name
        for path in (ROOT / "lambdas/shared/image_api").rglob("*.py")
        for name in re.findall(r"""headers\.get\(["']([^"']+)["']""", path.read_text(encoding="utf-8"))
    }
    read.remove("accept-encoding")  # a browser sets it, and no page can
    allowed = {name.lower() for name in local_value("allowed_headers", "rest_api")}
    assert read and read | {"x-api-key", "authorization"} <= allowed


def test_routes_are_told_apart_as_api_gateway_does() -> None:
    assert route_of("GET", "/images/info") == "GET /images/info"
    assert route_of("GET", "/images/uploads/cat.jpg") == "GET /images/{image_id+}"
    assert route_of("GET", "/images/file/uploads/cat.jpg") == "GET /images/file/{image_id+}"
    assert route_of("PUT", "/images") is None
