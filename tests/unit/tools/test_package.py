"""The build: import closure, reproducible zips, unchanged builds, messages."""

import concurrent.futures
import hashlib
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from tools.deploy import package

HOST = package.host_target()


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A project with two functions, two shared packages and a folder that stands for installed wheels."""
    files = {
        "lambdas/light/lambda_function.py": (
            "import json\nimport boto3\nfrom third import thing\nfrom shared_one import api\n"
            "def lambda_handler(event, context):\n    return thing.NAME + api.NAME\n"
        ),
        "lambdas/heavy/lambda_function.py": "from shared_one.formats import load\nimport native\n",
        "lambdas/light/requirements.txt": "third==1 --hash=sha256:00\n",
        "lambdas/heavy/requirements.txt": "native==1 --hash=sha256:00\n",
        "lambdas/shared/shared_one/__init__.py": "",
        "lambdas/shared/shared_one/api.py": (
            "from typing import TYPE_CHECKING\nfrom . import names\nif TYPE_CHECKING:\n    from . import unused\n"
            "NAME = names.NAME\n"
        ),
        "lambdas/shared/shared_one/names.py": "NAME = 'x'\n",
        "lambdas/shared/shared_one/unused.py": "import native\n",
        "lambdas/shared/shared_one/table.json": "{}",
        "lambdas/shared/shared_one/formats/__init__.py": (
            "import importlib\ndef load(name):\n    return importlib.import_module('.' + name, __name__)\n"
        ),
        "lambdas/shared/shared_one/formats/png.py": "",
        "wheels/light/third/__init__.py": "",
        "wheels/light/third/thing.py": "NAME = 'y'\ntry:\n    import absent_extra\nexcept ImportError:\n    pass\n",
        "wheels/light/third/other.py": "",
        "wheels/light/third/__pycache__/thing.cpython-311.pyc": "",
        "wheels/light/third-1.dist-info/METADATA": "",
        "wheels/heavy/native/__init__.py": "from . import _core\n",
        "wheels/heavy/native/_core.cpython-313-aarch64-linux-gnu.so": "elf libtiff-77.so.6",
        "wheels/heavy/native/plugin.py": "",
        "wheels/heavy/native.libs/libtiff-77.so.6": "elf libz-1234.so.1",
        "wheels/heavy/native.libs/libz-1234.so.1": "elf",
        "wheels/heavy/native.libs/libfreetype-9.so.6": "elf libz-1234.so.1",
    }
    for name, content in files.items():
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(content)
    return tmp_path


@pytest.fixture
def build(project: Path, monkeypatch: pytest.MonkeyPatch):
    """Build the project; returns the manifest. Wheels come from the project's own folder."""
    installs: list[str] = []

    def install(requirements: Path, target: package.Target, cache: Path) -> Path:
        installs.append(requirements.parent.name)
        return project / "wheels" / requirements.parent.name

    monkeypatch.setattr(package, "install_wheels", install)

    def run(target: package.Target = HOST) -> dict:
        installs.clear()
        return package.build_all(target, project / "lambdas", project / "build", quiet=True)

    run.installs = installs
    return run


def names_in(path: Path) -> list[str]:
    with zipfile.ZipFile(path) as archive:
        return archive.namelist()


def test_a_zip_holds_what_its_function_imports_and_no_more(project: Path, build) -> None:
    build()
    assert names_in(project / "build/light.zip") == [
        "lambda_function.py",
        "shared_one/__init__.py",
        "shared_one/api.py",
        "shared_one/names.py",
        "shared_one/table.json",
        "third/__init__.py",
        "third/thing.py",
    ]


def test_a_compiled_package_stays_whole_and_brings_the_libraries_it_names(project: Path, build) -> None:
    build()
    held = names_in(project / "build/heavy.zip")
    assert {
        "native/_core.cpython-313-aarch64-linux-gnu.so",
        "native/plugin.py",
        "native.libs/libz-1234.so.1",
    } <= set(held)


def test_modules_loaded_by_computed_name_are_kept(project: Path, build) -> None:
    build()
    assert "shared_one/formats/png.py" in names_in(project / "build/heavy.zip")


def test_vendor_holds_what_the_zip_holds(project: Path, build) -> None:
    build()
    vendor = project / "lambdas/light/vendor"
    held = sorted(path.relative_to(vendor).as_posix() for path in vendor.rglob("*") if path.is_file())
    assert ["lambda_function.py", *held] == names_in(project / "build/light.zip")


def test_the_zip_runs_by_itself(project: Path, build) -> None:
    build()
    code = (
        "import sys, types; sys.path[:0] = [sys.argv[1]]; sys.modules['boto3'] = types.ModuleType('boto3')\n"
        "import lambda_function; print(lambda_function.lambda_handler({}, None))"
    )
    command = [sys.executable, "-I", "-c", code, str(project / "build/light.zip")]
    assert subprocess.run(command, capture_output=True, text=True, check=True).stdout == "yx\n"


def test_equal_inputs_give_equal_bytes_whatever_their_times_modes_and_line_ends(project: Path, build) -> None:
    first = build()
    for path in (project / "lambdas/shared").rglob("*.py"):
        path.write_bytes(path.read_bytes().replace(b"\n", b"\r\n"))
        path.chmod(0o600)
    (project / "build/manifest.json").unlink()
    assert build() == first


def test_entries_have_fixed_times_and_modes(project: Path, build) -> None:
    build()
    with zipfile.ZipFile(project / "build/heavy.zip") as archive:
        assert {entry.date_time for entry in archive.infolist()} == {(1980, 1, 1, 0, 0, 0)}
        modes = {entry.filename: entry.external_attr >> 16 & 0o777 for entry in archive.infolist()}
    assert modes["lambda_function.py"] == 0o644
    assert modes["native/_core.cpython-313-aarch64-linux-gnu.so"] == 0o755


def test_an_unchanged_function_is_left_alone(project: Path, build) -> None:
    build()
    before = (project / "build/light.zip").stat().st_mtime_ns
    build()
    assert build.installs == []
    assert (project / "build/light.zip").stat().st_mtime_ns == before


@pytest.mark.parametrize(
    "change",
    [
        "lambdas/shared/shared_one/names.py",
        "lambdas/light/lambda_function.py",
        "lambdas/light/requirements.txt",
    ],
)
def test_a_changed_input_is_built_again(project: Path, build, change: str) -> None:
    build()
    with (project / change).open("a") as stream:
        stream.write("# changed\n")
    build()
    assert "light" in build.installs


def test_a_damaged_zip_and_a_lost_vendor_are_built_again(project: Path, build) -> None:
    first = build()
    (project / "build/light.zip").write_bytes(b"damaged")
    assert build() == first
    data = (project / "build/light.zip").read_bytes()
    assert hashlib.sha256(data).hexdigest() == first["functions"]["light"]["sha256"]
    package.shutil.rmtree(project / "lambdas/light/vendor")
    build()
    assert (project / "lambdas/light/vendor/third/thing.py").is_file()


def test_another_target_is_another_build(project: Path, build) -> None:
    build()
    manifest = build(package.Target("python3.13", "x86_64"))
    assert set(build.installs) == {"light", "heavy"}
    assert manifest["target"] == {"runtime": "python3.13", "architecture": "x86_64", "local": False}


def test_an_import_that_nothing_provides_is_named(project: Path, build) -> None:
    with (project / "lambdas/shared/shared_one/names.py").open("a") as stream:
        stream.write("import requests\n")
    with pytest.raises(package.PackageError, match=r"light imports requests.*make lock"):
        build()


def test_an_import_that_may_fail_need_not_be_provided(project: Path, build) -> None:
    with (project / "lambdas/shared/shared_one/names.py").open("a") as stream:
        stream.write("try:\n    import requests\nexcept ImportError:\n    requests = None\n")
    build()


def test_a_failed_build_leaves_the_last_zip(project: Path, build) -> None:
    build()
    before = (project / "build/light.zip").read_bytes()
    (project / "lambdas/light/lambda_function.py").write_text("def broken(:\n")
    with pytest.raises(package.PackageError, match="not valid Python"):
        build()
    assert (project / "build/light.zip").read_bytes() == before
    assert [path.name for path in (project / "build").iterdir() if path.name.startswith(".")] == []


def test_builds_at_the_same_time_wait_for_each_other(project: Path, build) -> None:
    def one(number: int) -> dict:
        return package.build_all(HOST, project / "lambdas", project / f"build-{number}", quiet=True)

    with concurrent.futures.ThreadPoolExecutor(4) as pool:
        manifests = list(pool.map(one, range(8)))
    assert all(manifest == manifests[0] for manifest in manifests)
    assert not [path.name for path in (project / "lambdas/light").iterdir() if path.name.startswith(".")]


def test_an_empty_project_is_named(tmp_path: Path) -> None:
    (tmp_path / "lambdas").mkdir()
    with pytest.raises(package.PackageError, match="complete clone"):
        package.build_all(HOST, tmp_path / "lambdas", tmp_path / "build", quiet=True)


def test_wheels_for_lambda_are_asked_for_by_platform() -> None:
    options = package.Target("python3.13", "arm64").pip_options()
    assert options[:4] == ["--implementation", "cp", "--python-version", "3.13"]
    assert "manylinux_2_34_aarch64" in options and "manylinux2014_aarch64" in options
    assert not any("x86_64" in option for option in options)
    assert HOST.pip_options() == []


@pytest.mark.parametrize(
    ("output", "advice"),
    [
        ("Retrying ... NewConnectionError('...: Failed to establish a new connection')", "Check the network"),
        ("ERROR: No matching distribution found for pillow==13.0.0", "does not exist for python3.13 arm64"),
        ("ERROR: THESE PACKAGES DO NOT MATCH THE HASHES FROM THE REQUIREMENTS FILE", "make lock"),
        ("/usr/bin/python3: No module named pip", "apt install python3-pip"),
        ("something else", "something else"),
    ],
)
def test_a_failed_download_says_what_to_do(output: str, advice: str) -> None:
    target = package.Target("python3.13", "arm64")
    assert advice in package.explain_pip(Path("lambdas/light/requirements.txt"), target, output)


def test_a_build_without_network_fails_with_advice_and_leaves_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    requirements = tmp_path / "light" / "requirements.txt"
    requirements.parent.mkdir()
    requirements.write_text("six==1.17.0 --hash=sha256:" + "0" * 64 + "\n")
    monkeypatch.setenv("PIP_INDEX_URL", "http://127.0.0.1:9/simple")
    monkeypatch.setenv("PIP_CONFIG_FILE", "/dev/null")
    monkeypatch.setenv("PIP_NO_CACHE_DIR", "1")
    monkeypatch.delenv("PIP_FIND_LINKS", raising=False)
    with pytest.raises(package.PackageError, match="Check the network"):
        package.install_wheels(requirements, HOST, tmp_path / "cache")
    assert list((tmp_path / "cache").iterdir()) == []


def test_local_takes_no_target(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        package.parse_arguments(["--local", "--arch", "arm64"])
    assert "--local builds for this host" in capsys.readouterr().err
