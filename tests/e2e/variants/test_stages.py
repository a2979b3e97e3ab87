"""Two stages in one account, and what deploy.sh refuses to do to either."""

import re
from collections.abc import Iterator

import pytest

from tests.support.pictures import picture
from tests.support.stack import SMALL, Site, Stack

IMAGE_ID = "uploads/of the first stage.png"
PROD = SMALL | {"TF_VAR_stage": "prod"}


@pytest.fixture(scope="module")
def stack(stages_site: Site) -> Iterator[Stack]:
    """The first stage, with an image; all this must leave it alone."""
    stack = stages_site.deploy(**SMALL)
    stack.put_and_wait(IMAGE_ID, picture())
    yield stack
    assert stack.record(IMAGE_ID).status_code == 200


def deployed(site: Site, stage: str) -> list[str]:
    """The buckets and tables that bear a stage's name."""
    held = site.inventory()
    return [name for kind in ("buckets", "tables") for name in held[kind] if f"-{stage}" in name]


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({"TF_VAR_name_prefix": "other"}, ["name_prefix is"]),
        (
            {"TF_VAR_table_name": "other-table", "TF_VAR_bucket_name": "another-bucket-of-mine"},
            [
                r"the bucket image-metadata-local\S* \(.+\) would be replaced by an empty one",
                r"the table image-metadata-local\S* \(.+\) would be replaced by an empty one",
            ],
        ),
    ],
)
def test_settings_that_would_lose_data_are_refused(
    stack: Stack, settings: dict[str, str], said: list[str]
) -> None:
    done = stack.site.deploy_script("-no-color", **SMALL, **settings)
    assert done.returncode == 1 and all(re.search(words, done.stderr) for words in [*said, "--replace-data"])
    assert "Nothing was changed" in done.stderr and "Traceback" not in done.stderr
    assert stack.site.terraform.outputs()["bucket"] == stack.bucket


def test_a_second_stage_lives_beside_the_first_and_goes_alone(stack: Stack) -> None:
    site = stack.site
    site.done(**PROD)
    assert len(deployed(site, "prod")) >= 2 and stack.record(IMAGE_ID).status_code == 200
    settings = PROD | {"TF_VAR_table_name": "of-prod-2"}
    refused = site.deploy_script("-no-color", **settings)
    assert refused.returncode == 1 and "image-metadata-prod (0 records) would be replaced" in refused.stderr
    site.done("--replace-data", **settings)
    assert "of-prod-2" in site.inventory()["tables"]
    site.done("destroy", TF_VAR_stage="prod")
    assert not deployed(site, "prod") and stack.outputs["table"] in site.inventory()["tables"]
