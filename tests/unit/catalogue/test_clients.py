"""The clients' botocore, which the Lambda runtime brings in a version of its own."""

import gc
import importlib

import botocore
import pytest

from image_catalogue import clients
from image_catalogue.errors import MissingSetting


def test_an_sdk_that_is_too_old_is_named_at_start(monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as old:
        old.setattr(botocore, "__version__", "1.26.90")
        with pytest.raises(MissingSetting, match=r"botocore is 1\.26\.90, and 1\.35\.69 or newer"):
            importlib.reload(clients)
    monkeypatch.setattr(botocore, "__version__", "1.35.69")
    importlib.reload(clients)


def test_clients_are_made_when_a_function_starts_and_nowhere_else(monkeypatch: pytest.MonkeyPatch) -> None:
    made: list[str] = []
    # Nothing is frozen here: what other tests left would stay.
    monkeypatch.setattr(gc, "freeze", lambda: made.append("frozen"))
    monkeypatch.delenv("AWS_LAMBDA_FUNCTION_NAME", raising=False)
    clients.make_at_init(lambda: made.append("elsewhere"))
    monkeypatch.setenv("AWS_LAMBDA_FUNCTION_NAME", "image-metadata-dev-get_image")
    clients.make_at_init(lambda: made.append("s3"), lambda: made.append(f"garbage: {gc.isenabled()}"))
    assert made == ["s3", "garbage: False", "frozen"]
    assert gc.isenabled()


def test_clients_have_the_region_and_the_credentials_of_the_environment(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("AWS_DEFAULT_REGION", "eu-central-1")
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "of the function's role")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "secret")
    clients._session.cache_clear()
    try:
        client = clients.sqs.__wrapped__()
    finally:
        clients._session.cache_clear()
    assert client.meta.region_name == "eu-central-1"
    assert client._get_credentials().access_key == "of the function's role"


def test_garbage_is_collected_again_where_a_client_cannot_be_made(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_LAMBDA_FUNCTION_NAME", "image-metadata-dev-get_image")
    with pytest.raises(ZeroDivisionError):
        clients.make_at_init(lambda: 1 / 0)
    assert gc.isenabled()
