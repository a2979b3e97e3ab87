"""The deployments that tests share, each on a local AWS on a port and in a directory of its own."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support import clients
from tests.support.policies import policy_document
from tests.support.stack import LEFT_OVER, Site, Stack


@pytest.fixture(scope="session")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """A local AWS that is up and empty."""
    yield from _site(tmp_path_factory, "site")


@pytest.fixture(scope="session")
def stack(site: Site) -> Stack:
    """The API deployed with default settings: an API key, and a role of its own for every function."""
    return site.deploy()


@pytest.fixture(scope="session")
def owners_site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """A local AWS for a deployment around a bucket that is there."""
    yield from _site(tmp_path_factory, "owners")


@pytest.fixture(scope="session")
def callers_site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """A local AWS for a deployment that admits callers otherwise."""
    yield from _site(tmp_path_factory, "callers")


@pytest.fixture(scope="session")
def stages_site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """A local AWS for two stages."""
    yield from _site(tmp_path_factory, "stages")


ALL = {"Effect": "Allow", "Action": "*", "Resource": "*"}
#: As much at once as elsewhere; in a lab, which runs ten functions at once, it is a few.
BUSY = {"TF_VAR_burst_limit": "100", "TF_VAR_rate_limit": "50", "TF_VAR_event_concurrency": "5"}
NO_IAM = {
    "Effect": "Deny",
    "Action": ["iam:Create*", "iam:Put*", "iam:Attach*", "iam:SimulatePrincipalPolicy"],
    "Resource": "*",
}


@pytest.fixture(scope="session")
def lab_site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """A local AWS whose account has LabRole, and the credentials of a student's session in it."""
    for site in _site(tmp_path_factory, "lab"):
        iam = site.client("iam")
        for name, who, statements in (
            ("LabRole", {"Service": "lambda.amazonaws.com"}, [ALL]),
            ("voclabs", {"AWS": "*"}, [ALL, NO_IAM]),
        ):
            trust = [{"Effect": "Allow", "Principal": who, "Action": "sts:AssumeRole"}]
            role = iam.create_role(RoleName=name, AssumeRolePolicyDocument=policy_document(trust))["Role"]
            iam.put_role_policy(RoleName=name, PolicyName="all", PolicyDocument=policy_document(statements))
        session = site.client("sts").assume_role(RoleArn=role["Arn"], RoleSessionName="user1=A_Student")
        site.environment |= {
            "AWS_ACCESS_KEY_ID": session["Credentials"]["AccessKeyId"],
            "AWS_SECRET_ACCESS_KEY": session["Credentials"]["SecretAccessKey"],
            "AWS_SESSION_TOKEN": session["Credentials"]["SessionToken"],
        }
        yield site


@pytest.fixture(scope="session")
def lab_stack(lab_site: Site) -> Stack:
    """A deployment into it, with Athena and events; for tests that compare the whole bucket with the whole catalogue.

    Elsewhere images are forgotten on purpose, and records made that have none. It asks nobody who they are.
    """
    for group in LEFT_OVER:
        lab_site.client("logs").create_log_group(logGroupName=group)
    return lab_site.deploy(TF_VAR_athena="true", TF_VAR_auth="none", TF_VAR_events="true", **BUSY)


@pytest.fixture(scope="session")
def pixels_stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """A deployment that looks at pixels, so that records change once more some seconds later, and tells events."""
    for site in _site(tmp_path_factory, "pixels"):
        yield site.deploy(TF_VAR_pixels="all", TF_VAR_events="true")


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
SHARED = (
    *("site", "pixels_stack", "lab_site"),
    *("stages_site", "callers_site", "moto", "owners_site"),  # those of tests/e2e/variants
)


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
