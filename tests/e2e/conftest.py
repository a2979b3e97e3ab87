"""One deployment for the whole session, on a local AWS on a port and in a directory of its own."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from .stack import Site, Stack


@pytest.fixture(scope="session")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """A local AWS that is up and empty."""
    yield from _site(tmp_path_factory.mktemp("site"))


@pytest.fixture(scope="session")
def stack(site: Site) -> Stack:
    """The API deployed with default settings: an API key, and a role of its own for every function."""
    return site.deploy()


@pytest.fixture(scope="session")
def other_site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """A second local AWS, for deployments with other settings."""
    yield from _site(tmp_path_factory.mktemp("other"))


@pytest.fixture(scope="session")
def calm_stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """A third local AWS and a deployment on it, for tests that compare the whole bucket with the whole catalogue.

    Elsewhere images are forgotten on purpose, and records made that have none.
    """
    for site in _site(tmp_path_factory.mktemp("calm")):
        yield site.deploy()


def _site(home: Path) -> Iterator[Site]:
    site = Site(home)
    site.local.start(timeout=120)
    try:
        yield site
    finally:
        site.local.stop()


@pytest.hookimpl(tryfirst=True)  # xdist looks at the marks in the same hook
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """With several workers, keep the tests of one deployment together: each deployment is made once."""
    for item in items:
        if item.path.is_relative_to(Path(__file__).parent):
            used = getattr(item, "fixturenames", ())
            group = "calm" if "calm_stack" in used else "main" if "stack" in used else "other"
            item.add_marker(pytest.mark.xdist_group(group))


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Iterator[None]:
    """Add the last words of the local AWS to a failed test's report."""
    report = yield
    if report.failed:
        for name in ("site", "other_site"):
            used = getattr(item, "funcargs", {}).get(name)
            if name == "site" and used is None and isinstance(item.funcargs.get("stack"), Stack):
                used = item.funcargs["stack"].site
            if isinstance(used, Site):
                report.sections.append((f"local AWS ({name})", used.local.log_tail() + os.linesep))
    return report
