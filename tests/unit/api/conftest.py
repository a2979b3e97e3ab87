"""The API for these tests: one account per test module, emptied after each test."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.support.api import Api, running_api


@pytest.fixture(scope="module")
def shared_api() -> Iterator[Api]:
    with running_api() as api:
        yield api


@pytest.fixture
def api(shared_api: Api) -> Iterator[Api]:
    """The API with nothing in it."""
    yield shared_api
    shared_api.empty()
