"""One resolution of pyproject.toml's groups, exported to files that agree with it and with each other."""

import shutil
import zipfile
from pathlib import Path

import pytest

from tools.dev import lock

ROOT = Path(__file__).resolve().parents[3]
# With several workers the tests run on one: the others would wait while it makes what all of them use.
pytestmark = pytest.mark.xdist_group("lock")

PYPROJECT = """
[project]
name = "sample"
version = "1"
requires-python = ">=3.11"

[tool.uv.pip]
no-index = true
find-links = ["wheels"]

[dependency-groups]
functions = ["logs==1"]
search = ["engine"]
dev = ["checker"]
audit = ["engine<2"]
"""


WHEELS = (
    ("logs", "1", ""),
    ("engine", "1", ""),
    ("engine", "2", "parts"),
    ("parts", "1", ""),
    ("parts", "2", ""),
    ("checker", "1", "parts<2"),
)


@pytest.fixture(scope="module")
def locked(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A project of two functions after `lock`, with a folder of wheels in place of the package index."""
    root = tmp_path_factory.mktemp("project")
    (root / "pyproject.toml").write_text(PYPROJECT)
    for name in ("list", "search"):
        (root / "lambdas" / name).mkdir(parents=True)
        (root / "lambdas" / name / "lambda_function.py").write_text("")
    (root / "wheels").mkdir()
    for name, version, needs in WHEELS:
        with zipfile.ZipFile(root / "wheels" / f"{name}-{version}-py3-none-any.whl", "w") as wheel:
            metadata = f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n"
            metadata += f"Requires-Dist: {needs}\n" if needs else ""
            wheel.writestr(f"{name}-{version}.dist-info/METADATA", metadata)
            wheel.writestr(f"{name}-{version}.dist-info/WHEEL", "Wheel-Version: 1.0\nTag: py3-none-any\n")
            wheel.writestr(f"{name}-{version}.dist-info/RECORD", "")
    lock.lock(root, upgrade=False)
    return root


@pytest.fixture
def project(locked: Path, tmp_path: Path) -> Path:
    """A copy of that project, to be changed."""
    return shutil.copytree(locked, tmp_path / "project")


def pins(path: Path) -> list[str]:
    return [line.split()[0] for line in path.read_text().splitlines() if "==" in line]


def test_the_exported_files_are_what_the_groups_give() -> None:
    assert lock.problems(ROOT) == []


def test_every_group_and_function_gets_its_file(project: Path) -> None:
    assert lock.problems(project) == []
    assert pins(project / "lambdas/list/requirements.txt") == ["logs==1"]
    # parts 2 would do for the function, but what tests it would then be another version.
    assert pins(project / "lambdas/search/requirements.txt") == ["engine==2", "logs==1", "parts==1"]
    assert pins(project / "requirements/dev.txt") == ["checker==1", "engine==2", "logs==1", "parts==1"]
    assert pins(project / "requirements/audit.txt") == ["engine==1"]
    for path in (*project.glob("requirements/*"), *project.glob("lambdas/*/requirements.txt")):
        assert "--hash=sha256:" in path.read_text()
        assert str(project) not in path.read_text()


def test_what_is_pinned_stays_until_an_upgrade(project: Path) -> None:
    (project / "pyproject.toml").write_text(PYPROJECT.replace('"checker"', '"parts"'))
    lock.lock(project, upgrade=False)
    assert "parts==1" in pins(project / "requirements/dev.txt")
    lock.lock(project, upgrade=True)
    assert "parts==2" in pins(project / "requirements/dev.txt")
    assert "parts==2" in pins(project / "lambdas/search/requirements.txt")


@pytest.mark.parametrize(
    ("path", "old", "new", "problem"),
    [
        ("pyproject.toml", '"logs==1"', '"logs==2"', "lambdas/list/requirements.txt is not what"),
        ("pyproject.toml", '["checker"]', '["checker", "logs"]', "requirements/dev.txt is not what"),
        ("requirements/dev.txt", "checker==1", "checker==2", "requirements/dev.txt is not what"),
        ("lambdas/search/requirements.txt", "parts==1", "parts==2", "parts has the versions 1, 2"),
    ],
)
def test_a_change_without_a_new_lock_is_found(
    project: Path, path: str, old: str, new: str, problem: str
) -> None:
    changed = project / path
    changed.write_text(changed.read_text().replace(old, new))
    assert problem in "\n".join(lock.problems(project))


def test_a_new_function_needs_its_file(project: Path) -> None:
    (project / "lambdas/new").mkdir()
    (project / "lambdas/new/lambda_function.py").write_text("")
    assert lock.problems(project) == ["lambdas/new/requirements.txt is not what its groups give"]
    lock.lock(project, upgrade=False)
    assert lock.problems(project) == []


def test_groups_that_contradict_each_other_are_told(project: Path, capfd: pytest.CaptureFixture[str]) -> None:
    (project / "pyproject.toml").write_text(
        PYPROJECT.replace('"checker"', '"engine<2"').replace('["engine"]', '["engine>1"]')
    )
    with pytest.raises(lock.LockError, match=r"versions in pyproject\.toml"):
        lock.lock(project, upgrade=False)
    assert "engine" in capfd.readouterr().err
