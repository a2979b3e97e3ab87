"""Where nothing answers, the tools of tools/ops say at which address."""

from pathlib import Path
from types import ModuleType

import pytest
from botocore.exceptions import EndpointConnectionError

from image_catalogue.errors import CatalogueBusy
from tools.ops import reconcile, snapshot, sql


@pytest.mark.parametrize(
    ("tool", "work", "arguments"),
    [
        (reconcile, "Reconciler", ["--bucket", "b", "--table", "t"]),
        (snapshot, "compare", ["--search-bucket", "b", "--table", "t"]),
        (sql, "Catalogue", ["--search-bucket", "b", "select 1"]),
    ],
)
def test_an_address_that_does_not_answer_is_named(
    tool: ModuleType,
    work: str,
    arguments: list[str],
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    tmp_path: Path,
) -> None:
    def unreachable(*_: object, **__: object) -> None:
        raise CatalogueBusy("try again shortly") from EndpointConnectionError(endpoint_url="http://nowhere:1")

    monkeypatch.chdir(tmp_path)
    for name in ("AWS_REGION", "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "us-east-1")
    monkeypatch.setattr(tool, work, unreachable)
    assert tool.main(arguments) == 2
    said = capsys.readouterr().err
    assert "try again shortly" in said and "http://nowhere:1" in said
