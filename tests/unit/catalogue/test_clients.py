"""The clients' boto3, which the Lambda runtime brings in a version of its own."""

import importlib

import boto3
import pytest

from image_catalogue import clients
from image_catalogue.errors import MissingSetting


def test_a_boto3_that_is_too_old_is_named_at_start(monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as old:
        old.setattr(boto3, "__version__", "1.26.90")
        with pytest.raises(MissingSetting, match=r"boto3 is 1\.26\.90, and 1\.35\.69 or newer"):
            importlib.reload(clients)
    monkeypatch.setattr(boto3, "__version__", "1.35.69")
    importlib.reload(clients)
