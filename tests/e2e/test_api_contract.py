"""The API against its own documents: the Postman collection by newman, the OpenAPI document by schemathesis.

Both clients are installed from pinned lock files, Node.js included, below `.local`.
"""

from __future__ import annotations

import json
import os
import uuid
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from image_catalogue.catalogue import Catalogue
from tests.support.clients import CLIENTS, node_modules, program, run
from tests.support.pictures import numbered_picture
from tests.support.samples import JPEG
from tests.support.stack import ROOT, Stack, eventually, unique
from tools.deploy.deploy import POSTMAN_FILE

#: Random requests per operation; more find more: API_EXAMPLES=500 make test-e2e.
EXAMPLES = os.environ.get("API_EXAMPLES", "3")
#: Images paged through, while a tenth as many arrive: API_PAGED=1000 make test-e2e.
PAGED = int(os.environ.get("API_PAGED", "200"))


@pytest.fixture(scope="session")
def newman(programs: Path) -> list[str]:
    """The command that starts newman."""
    return [program(programs, "node"), str(node_modules(programs) / "newman/bin/newman.js")]


@pytest.fixture
def leftovers(stack: Stack) -> Iterator[None]:
    """Delete what a client uploaded and left."""
    before = set(stack.listed())
    yield
    left = [image_id for image_id in stack.listed() if image_id not in before]
    delete(stack, left)


def delete(stack: Stack, image_ids: list[str]) -> None:
    """Delete images by the batch."""
    for start in range(0, len(image_ids), 100):
        answer = stack.call("POST", "/images/delete", json={"image_ids": image_ids[start : start + 100]})
        assert answer.status_code == 200, answer.text
        assert all(result["deleted"] for result in answer.json()["results"]), answer.text


def test_the_postman_collection_passes(
    stack: Stack, programs: Path, newman: list[str], tmp_path: Path
) -> None:
    report = tmp_path / "report.json"
    environment = Path(stack.site.environment["DEPLOY_DIR"]) / "build" / POSTMAN_FILE
    options = ["-e", str(environment), "--working-dir", str(ROOT / "docs"), "--color", "off"]
    options += ["--reporters", "cli,json", "--reporter-json-export", str(report)]
    collection = ROOT / "docs/image-metadata-api.postman_collection.json"
    run([*newman, "run", str(collection), *options], programs, tmp_path)
    counted = json.loads(report.read_text(encoding="utf-8"))["run"]["stats"]
    assert (counted["requests"]["failed"], counted["assertions"]["failed"]) == (0, 0)
    assert counted["assertions"]["total"] > 3 * counted["requests"]["total"], (
        "every request asserts something"
    )


def test_random_requests_are_answered_as_documented(
    stack: Stack, programs: Path, leftovers: None, tmp_path: Path
) -> None:
    command = [program(programs, "schemathesis"), "--config-file", str(CLIENTS / "schemathesis.toml"), "run"]
    command += [str(ROOT / "docs/openapi.yaml"), "--url", stack.url, "--header", f"x-api-key: {stack.key}"]
    command += ["--max-examples", EXAMPLES, "--request-timeout", "60", "--no-color", "--seed", "1"]
    hooks = {"SCHEMATHESIS_HOOKS": "schemathesis_hooks", "PYTHONPATH": str(CLIENTS), "PYTHONUTF8": "1"}
    report = run(command, programs, tmp_path, **hooks)
    print(report[report.rfind("SUMMARY") :])


def test_images_in_pages_of_7_while_more_arrive(stack: Stack) -> None:
    """Old images are on the pages once each, whether new ones come by S3 or by the API."""
    prefix = unique("")
    catalogue = Catalogue(str(stack.outputs["table"]), client=stack.dynamodb)
    old = [f"{prefix}{number:04d}.png" for number in range(PAGED)]
    for number, image_id in enumerate(old):
        catalogue.put_uploaded(
            {
                "image_id": image_id,
                "bucket": stack.bucket,
                "size": 1000 + number,
                "etag": f"{number:032x}",
                # Forty at the same moment: the order within it must hold, too.
                "uploaded_at": f"2026-11-01T00:00:{number // 40:02d}.000Z",
                "filename": f"{number:04d}.png",
                "status": "ok",
                "extractor_version": 1,
            }
        )
    put = [f"{prefix}new-{number:04d}.png" for number in range(PAGED // 10)]
    uploaded: list[str] = []

    def arrive() -> None:
        for number, image_id in enumerate(put):
            stack.put(image_id, numbered_picture(number), "image/png")
            answer = stack.call(
                "POST", "/upload", data=numbered_picture(number), headers={"Content-Type": "image/png"}
            )
            assert answer.status_code == 201, answer.text
            uploaded.append(answer.json()["image_id"])

    with ThreadPoolExecutor(1) as pool:
        arriving = pool.submit(arrive)
        for query in ({"prefix": prefix}, {}):
            seen = stack.listed(limit=7, **query)
            assert len(seen) == len(set(seen)), "no image twice"
            assert set(old) <= set(seen), "no old image missing"
        arriving.result()
    stack.drained()
    assert sorted(stack.listed(prefix=prefix)) == sorted(old + put)
    assert {*old, *put, *uploaded} <= set(stack.listed())
    delete(stack, old + put + uploaded)


def test_over_the_rate_a_client_is_told_when_to_come_back(stack: Stack) -> None:
    """With a key and a plan of the test's own: one request a second."""
    gateway = stack.site.client("apigateway")
    (stages,) = [plan["apiStages"] for plan in gateway.get_usage_plans()["items"]]
    plan = gateway.create_usage_plan(
        name="slow", apiStages=stages, throttle={"rateLimit": 1.0, "burstLimit": 1}
    )
    key = gateway.create_api_key(name="slow", value=uuid.uuid4().hex, enabled=True)
    gateway.create_usage_plan_key(usagePlanId=plan["id"], keyId=key["id"], keyType="API_KEY")
    try:
        answers = [stack.get("/metadata?limit=1", key=key["value"]) for _ in range(10)]
    finally:
        gateway.delete_usage_plan_key(usagePlanId=plan["id"], keyId=key["id"])
        gateway.delete_api_key(apiKey=key["id"])
        gateway.delete_usage_plan(usagePlanId=plan["id"])
    assert answers[0].status_code == 200
    refused = [answer for answer in answers if answer.status_code == 429]
    assert refused, [answer.status_code for answer in answers]
    assert refused[0].json()["type"] == "urn:image-metadata:problem:too-many-requests"
    assert int(refused[0].headers["Retry-After"]) >= 1
    assert refused[0].headers["Access-Control-Allow-Origin"] == "*"
    assert stack.get("/metadata?limit=1").status_code == 200, "other keys have rates of their own"


@pytest.mark.parametrize(
    ("method", "path", "body", "headers", "status"),
    [
        ("POST", "/upload", b"", {}, 400),
        ("POST", "/upload", b"hello", {"Content-Type": "image/jpeg"}, 415),
        ("POST", "/upload", b"<html><script>alert(1)</script>", {"Content-Type": "image/jpeg"}, 415),
        ("POST", "/upload", b'{"image": 1}', {"Content-Type": "application/json"}, 415),
        ("POST", "/upload", b"x" * 6_000_000, {"Content-Type": "image/jpeg"}, 413),
        ("POST", "/upload", numbered_picture(1)[:20], {"Content-Type": "image/png"}, 422),
        ("POST", "/upload", b"--b\r\nbroken", {"Content-Type": "multipart/form-data; boundary=b"}, 400),
        ("POST", "/upload", b"--b\r\nbroken", {"Content-Type": "multipart/form-data"}, 400),
        ("POST", "/uploads", b"not json", {"Content-Type": "application/json"}, 400),
        ("POST", "/images/delete", b"[]", {"Content-Type": "application/json"}, 400),
        ("GET", "/metadata/uploads%2F..%2Fsecret", None, {}, 400),
        ("GET", "/metadata/a%00b", None, {}, 400),
        ("GET", "/images/file/%2e%2e%2fsecret", None, {}, 400),
        ("GET", "/images/info?verbose=1", None, {}, 400),
        ("GET", "/metadata?cursor=%00", None, {}, 400),
        ("GET", "/metadata?limit=1&limit=2", None, {}, 400),
        ("DELETE", "/images/uploads/never-there.png", None, {}, 404),
        ("PATCH", "/metadata", None, {}, 404),
        ("PUT", "/images/info", b"x", {}, 404),
        ("GET", "/never-there", None, {}, 404),
    ],
)
def test_bad_input_is_a_problem_of_the_clients(
    stack: Stack, method: str, path: str, body: bytes | None, headers: dict[str, str], status: int
) -> None:
    answer = stack.call(method, path, data=body, headers=headers)
    assert answer.status_code == status, answer.text
    assert answer.headers["Content-Type"] == "application/problem+json"
    assert answer.headers["Access-Control-Allow-Origin"] == "*"
    assert answer.json()["status"] == status


def upload(stack: Stack, number: int) -> dict[str, Any]:
    answer = stack.call(
        "POST", "/upload", data=numbered_picture(number), headers={"Content-Type": "image/png"}
    )
    return dict(answer.json())


def test_every_get_answers_head(stack: Stack) -> None:
    image_id = upload(stack, 7)["image_id"]
    for path in ("/metadata", f"/metadata/{image_id}", f"/images/file/{image_id}", "/images/info"):
        got, head = stack.get(path), stack.call("HEAD", path)
        assert (head.status_code, head.content) == (200, b""), path
        assert head.headers["Content-Type"] == got.headers["Content-Type"]
        assert head.headers.get("ETag") == got.headers.get("ETag")
    assert stack.call("HEAD", "/metadata/never-there.png").status_code == 404
    delete(stack, [image_id])


def test_what_no_path_can_name_is_read_and_deleted_by_json(stack: Stack) -> None:
    key, data = "uploads/a/../b.png", numbered_picture(8)
    stack.put(key, data)

    def told() -> dict[str, Any]:
        (result,) = stack.call("POST", "/metadata", json={"image_ids": [key]}).json()["results"]
        return dict(result)

    eventually(lambda: "record" in told(), "a record of the key")
    assert told()["record"]["image_id"] == key
    assert stack.call("POST", "/images/file", json={"image_id": key}).content == data
    delete(stack, [key])
    assert told()["error"]["status"] == 404


def test_a_deletion_may_have_a_condition(stack: Stack) -> None:
    record = upload(stack, 9)
    path = f"/images/{record['image_id']}"
    assert stack.call("DELETE", path, headers={"If-Match": '"another"'}).status_code == 412
    assert stack.call("DELETE", path, headers={"If-Match": f'"{record["etag"]}"'}).status_code == 204
    # The upload's own event may write its record once more in between; the deletion's event then removes it.
    eventually(lambda: stack.get(path).status_code == 404, "the record's removal")


def test_a_header_of_10_mb_is_refused_without_a_crash(stack: Stack) -> None:
    try:
        answer = stack.get("/metadata", headers={"X-Large": "x" * 10_000_000})
    except OSError:
        pass  # the connection was closed on it
    else:
        assert 400 <= answer.status_code < 500
    assert stack.get("/metadata?limit=1").status_code == 200


def test_svg_and_html_put_straight_into_the_bucket_are_never_shown_as_pages(stack: Stack) -> None:
    script = b"<script>alert(1)</script>"
    svg = b'<svg xmlns="http://www.w3.org/2000/svg" width="2" height="2">' + script + b"</svg>"
    for name, body in (("page.jpg", b"<!DOCTYPE html>" + script), ("drawing.jpg", svg)):
        stack.put_and_wait(f"uploads/{name}", body, "text/html")
        answer = stack.get(f"/images/file/{name}", headers={"Accept": "text/html,*/*;q=0.8"})
        assert (answer.status_code, answer.content) == (200, body)
        assert "html" not in answer.headers["Content-Type"]
        assert answer.headers["Content-Disposition"].startswith("attachment")
        assert answer.headers["X-Content-Type-Options"] == "nosniff"
        assert "sandbox" in answer.headers["Content-Security-Policy"]
    delete(stack, ["uploads/page.jpg", "uploads/drawing.jpg"])


def test_a_presigned_form_takes_nothing_but_what_it_was_made_for(stack: Stack) -> None:

    def post(size: int | None = None, **changed: str) -> int:
        wanted: dict[str, Any] = {"content_type": "image/jpeg"} | ({"size": size} if size else {})
        form = stack.call("POST", "/uploads", json=wanted).json()
        fields = form["fields"] | changed
        status = stack.session.post(
            form["url"], data=fields, files={"file": ("x", JPEG)}, timeout=60
        ).status_code
        if status < 300:
            delete(stack, [form["image_id"]])
        return status

    assert post() == 201
    assert post(size=len(JPEG)) == 201
    assert post(size=len(JPEG) - 1) >= 400
    assert post(**{"Content-Type": "text/html"}) == 403
    assert post(key="uploads/cat.jpg") == 403
    assert post(**{"x-amz-meta-filename": "other"}) == 403
