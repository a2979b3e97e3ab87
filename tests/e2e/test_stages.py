"""Two stages in one account, and what deploy.sh refuses to do to either."""

import pytest

from tests.support.pictures import picture

from .stack import Site, Stack


@pytest.fixture(scope="module")
def dev(other_site: Site) -> Stack:
    """The first stage, with an image."""
    stack = other_site.deploy()
    stack.put_and_wait("uploads/kept.png", picture())
    return stack


def buckets(site: Site) -> list[str]:
    return site.inventory()["buckets"]


def test_a_second_stage_lives_beside_the_first_and_goes_alone(other_site: Site, dev: Stack) -> None:
    done = other_site.deploy_script("-no-color", TF_VAR_stage="prod")
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-3000:]
    names = [name for name in buckets(other_site) if "prod" in name]
    assert names and dev.bucket in buckets(other_site)
    assert len({dev.outputs["table"], *other_site.inventory()["tables"]}) == 2
    assert dev.record("uploads/kept.png").status_code == 200
    gone = other_site.deploy_script("destroy", "-no-color", TF_VAR_stage="prod")
    assert gone.returncode == 0, gone.stderr[-3000:]
    assert not [name for name in buckets(other_site) if "prod" in name]
    assert dev.record("uploads/kept.png").status_code == 200


@pytest.mark.parametrize(
    ("variable", "value", "said"),
    [
        ("TF_VAR_name_prefix", "other", "name_prefix is"),
        ("TF_VAR_table_name", "other-table", "(1 record) would be replaced by an empty one"),
        ("TF_VAR_bucket_name", "another-bucket-of-mine", "(1 object) would be replaced by an empty one"),
    ],
)
def test_a_setting_that_would_lose_data_is_refused(
    other_site: Site, dev: Stack, variable: str, value: str, said: str
) -> None:
    done = other_site.deploy_script("-no-color", **{variable: value})
    assert done.returncode == 1 and said in done.stderr and "--replace-data" in done.stderr
    assert "Nothing was changed" in done.stderr and "Traceback" not in done.stderr
    assert dev.record("uploads/kept.png").status_code == 200
    assert other_site.terraform.outputs()["bucket"] == dev.bucket


def test_what_is_wanted_is_done(other_site: Site, dev: Stack) -> None:
    done = other_site.deploy_script("--replace-data", "-no-color", TF_VAR_table_name="other-table")
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-3000:]
    assert other_site.terraform.outputs()["table"] == "other-table"
    back = other_site.deploy_script("destroy", "-no-color")
    assert back.returncode == 0, back.stderr[-3000:]
