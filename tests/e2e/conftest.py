"""One deployment for the whole session, on a local AWS on a port and in a directory of its own."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support import clients
from tests.support.stack import Site, Stack


@pytest.fixture(scope="session")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """A local AWS that is up and empty."""
    yield from _site(tmp_path_factory, "site")


@pytest.fixture(scope="session")
def stack(site: Site) -> Stack:
    """The API deployed with default settings: an API key, and a role of its own for every function."""
    return site.deploy()


@pytest.fixture(scope="session")
def other_site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """A second local AWS, for a deployment with other settings."""
    yield from _site(tmp_path_factory, "other")


@pytest.fixture(scope="session")
def lab_site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """A local AWS to be used as a student may use a Learner Lab."""
    yield from _site(tmp_path_factory, "lab")


@pytest.fixture(scope="session")
def calm_stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """A third local AWS and a deployment on it, for tests that compare the whole bucket with the whole catalogue.

    Elsewhere images are forgotten on purpose, and records made that have none. It asks nobody who they are.
    """
    for site in _site(tmp_path_factory, "calm"):
        yield site.deploy(TF_VAR_athena="true", TF_VAR_auth="none", TF_VAR_events="true")


@pytest.fixture(scope="session")
def pixels_stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """A deployment that looks at pixels: its records change once more, some seconds after they came."""
    for site in _site(tmp_path_factory, "pixels"):
        yield site.deploy(TF_VAR_pixels="all")


@pytest.fixture(scope="session")
def programs() -> Path:
    """The folder of the clients' programs: node, npm, schemathesis."""
    return clients.programs()


def _site(factory: pytest.TempPathFactory, name: str) -> Iterator[Site]:
    home = factory.mktemp(name)
    if "PYTEST_XDIST_WORKER" in os.environ:  # all workers' directories are in one of the run
        try:
            (factory.getbasetemp().parent / f"{name}.made").touch(exist_ok=False)
        except FileExistsError:
            pytest.fail("a second worker makes this deployment: run with --dist loadgroup")
    site = Site(home)
    site.local.start(timeout=120)
    try:
        yield site
    finally:
        site.local.stop()


#: The fixtures whose tests share a local AWS, in the order in which these groups begin: the longest first. A worker is
#: given its next group when two tests of its own are left.
SHARED = ("site", "calm_stack", "pixels_stack", "lab_site", "moto", "other_site")


@pytest.hookimpl(tryfirst=True)  # xdist reads the groups in the same hook
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """With several workers, keep the tests of one local AWS together, so that each deployment is made once."""

    def place(item: pytest.Item) -> int:
        used = getattr(item, "fixturenames", ())
        return next((number for number, name in enumerate(SHARED) if name in used), len(SHARED))

    items.sort(key=place)
    for item in items:
        if place(item) < len(SHARED):
            item.add_marker(pytest.mark.xdist_group(SHARED[place(item)]))


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Iterator[None]:
    """Add the last words of the local AWS to a failed test's report."""
    report = yield
    if report.failed:
        used = getattr(item, "funcargs", {}).values()
        sites = [value.site if isinstance(value, Stack) else value for value in used]
        for site in dict.fromkeys(site for site in sites if isinstance(site, Site)):
            report.sections.append(("local AWS", site.local.log_tail() + os.linesep))
    return report
