"""What every suite shares: only end-to-end tests may open a network connection."""

import pytest
import pytest_socket


def pytest_runtest_setup(item: pytest.Item) -> None:
    """Close the network to a test unless it belongs to a suite that runs a server of its own."""
    if "e2e" in item.path.parts:
        pytest_socket.enable_socket()
    else:
        pytest_socket.disable_socket(allow_unix_socket=True)
