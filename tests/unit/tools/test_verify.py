"""deploy.sh verify: what it says when a deployment does not work as it should."""

import io
import json
from typing import Any

import pytest
from PIL import Image

from tools.deploy import verify
from tools.deploy.account import Account
from tools.deploy.sigv4 import Credentials

OUTPUTS = {
    "api_url": "https://api.example/dev/",
    "api_key": "k" * 20,
    "auth": "api_key",
    "bucket": "cats",
    "table": "cats-dev",
    "function_names": {
        name: f"cats-dev-{name}"
        for name in ("s3_file_event", "get_image_metadata", "info_images", "delete_image")
    },
}


class Deployment(Account):
    """A bucket that takes everything; what was done to it is in `done`."""

    def s3(self, method: str, path: str, *_arguments: Any, **_options: Any) -> None:
        done.append(f"{method} {path}")

    def json(self, service: str, action: str, **body: Any) -> dict[str, Any]:
        line = json.dumps({"message": "request", "location": "x", "route": body["logGroupName"]})
        return {"events": [{"message": f"{line} {verifier.image_id}"}]}


done: list[str] = []
verifier: verify.Verifier


@pytest.fixture(autouse=True)
def deployed(monkeypatch: pytest.MonkeyPatch) -> dict[str, tuple[int, Any]]:
    """What the API answers, by `METHOD route`; the tests change it."""
    global verifier
    done.clear()
    verifier = verify.Verifier(Deployment(Credentials("A", "S", None, ""), "eu-west-1"), OUTPUTS)
    answers: dict[str, Any] = {
        "GET /metadata/": [(200, {"format": "PNG", "width": 40, "height": 30})] * 2 + [(404, {})],
        "GET /images/info": [(200, {"count": 4, "total_size": 9}), (200, {"count": 5, "total_size": 99})],
        "DELETE /images/": [(204, None)],
    }

    def status(_self: verify.Verifier, method: str, path: str) -> tuple[int, bytes]:
        left = answers[f"{method} {path.partition(verifier.image_id)[0]}"]
        code, body = left.pop(0) if len(left) > 1 else left[0]
        return code, b"" if body is None else json.dumps(body).encode()

    monkeypatch.setattr(verify.Verifier, "_status", status)
    for name in ("PATIENCE_SECONDS", "LOG_SECONDS", "POLL_SECONDS"):
        monkeypatch.setattr(verify, name, 0.01)
    return answers


def test_every_step_is_ticked_with_its_log_line_and_link(capsys: pytest.CaptureFixture[str]) -> None:
    verify.show(verifier.steps())
    said = capsys.readouterr().out
    assert [line.split()[1] for line in said.splitlines() if line.startswith("  ok")] == [
        "upload", "event", "record", "summary", "delete",
    ]  # fmt: skip
    assert said.count("https://eu-west-1.console.aws.amazon.com/") == 5
    assert "log-group/$252Faws$252Flambda$252Fcats-dev-s3_file_event" in said
    assert done == [f"PUT /cats/{verifier.image_id}"]


@pytest.mark.parametrize(
    ("answer", "body", "said"),
    [
        ("GET /metadata/", [(404, {})], "no record after"),
        ("GET /metadata/", [(200, {"format": "JPEG"})], "the record says"),
        ("GET /images/info", [(200, {"count": 4, "total_size": 9})], "counted 4 before"),
        ("DELETE /images/", [(403, {"detail": "no key"})], "answered with 403.*no key"),
        (
            "GET /metadata/",
            [(200, {"format": "PNG", "width": 40, "height": 30})],
            "answered with 200, not 404",
        ),
    ],
)
def test_a_step_that_fails_says_what_came_and_leaves_no_picture(
    deployed: dict[str, Any], answer: str, body: list[Any], said: str
) -> None:
    deployed[answer] = body
    with pytest.raises(verify.VerifyError, match=said):
        verify.show(verifier.steps())
    assert done[-1] == f"DELETE /cats/{verifier.image_id}"


def test_the_picture_is_one_that_is_read() -> None:
    first, second = verify.png(40, 30), verify.png(40, 30)
    with Image.open(io.BytesIO(first)) as image:
        image.load()
        assert (image.format, image.size) == ("PNG", (40, 30))
    assert first != second
