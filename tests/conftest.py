"""What every suite shares: only end-to-end tests may open a network connection, and no test runs for ever."""

import gc
from pathlib import Path

import pytest
import pytest_socket

#: Seconds that one test of a suite may take, its fixtures included, where more is sane than pyproject.toml says: a
#: deployment on a busy machine, thousands of schedules. A mark of the test's own and the option `--timeout` go before.
TIMEOUTS = {"e2e": 900, "faults": 600, "fuzz": 600}

#: Python 3.11 looks for garbage whenever there are 700 more containers: a seventh of what these tests cost.
gc.set_threshold(20_000)


def suite(item: pytest.Item) -> str:
    """The folder of tests/ that a test is in."""
    return item.path.relative_to(Path(__file__).parent).parts[0]


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Give the long suites their time."""
    for item in items if config.getoption("timeout") is None else []:
        if suite(item) in TIMEOUTS and item.get_closest_marker("timeout") is None:
            item.add_marker(pytest.mark.timeout(TIMEOUTS[suite(item)]))


def pytest_collection_finish() -> None:
    """Look no more for garbage in what stays to the end: thousands of tests and all that they import."""
    gc.collect()
    gc.freeze()


def pytest_make_parametrize_id(val: object, argname: str) -> str | None:
    """Keep a long parameter out of a test's name, which every process of a run sends and prints."""
    return f"{argname} of {len(val)}" if isinstance(val, str | bytes) and len(val) > 100 else None


def pytest_runtest_setup(item: pytest.Item) -> None:
    """Close the network to a test unless it belongs to a suite that runs a server of its own."""
    if suite(item) == "e2e":
        pytest_socket.enable_socket()
    else:
        pytest_socket.disable_socket(allow_unix_socket=True)
