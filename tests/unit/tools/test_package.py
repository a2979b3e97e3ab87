"""The build: what a package holds, reproducible zips, unchanged builds, messages."""

import concurrent.futures
import hashlib
import os
import shutil
import signal
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from tools.deploy import build as command
from tools.deploy import package, pip, wheels

HOST = wheels.host_target()


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A project with two functions, two shared packages and folders that stand for installed wheels."""
    files = {
        "lambdas/light/lambda_function.py": (
            "import boto3\nimport third\nfrom api import NAME\n"
            "def lambda_handler(event, context):\n    return third.NAME + NAME\n"
        ),
        "lambdas/light/package.toml": 'shared = ["api"]\n',
        "lambdas/light/requirements.txt": "third==1 --hash=sha256:00\n",
        "lambdas/heavy/lambda_function.py": "import native\nimport reader\n",
        "lambdas/heavy/package.toml": (
            'shared = ["api", "reader"]\nleave_out = ["native/_draw.*", "native.libs/libdraw*", "api/tables/*"]\n'
        ),
        "lambdas/heavy/requirements.txt": "native==1 --hash=sha256:00\n",
        "lambdas/shared/api/__init__.py": "NAME = 'x'\n",
        "lambdas/shared/api/tables/table.json": "{}",
        "lambdas/shared/api/__pycache__/old.cpython-313.pyc": "",
        "lambdas/shared/api/.__init__.py.swp": "",
        "lambdas/shared/api/__init__.py~": "",
        "lambdas/shared/reader/__init__.py": "",
        "wheels/light/third/__init__.py": "NAME = 'y'\n",
        "wheels/light/third/py.typed": "",
        "wheels/light/third/thing.pyi": "",
        "wheels/light/third-1.dist-info/METADATA": "",
        "wheels/light/bin/third": "",
        "wheels/heavy/native/__init__.py": "",
        "wheels/heavy/native/_core.cpython-313-aarch64-linux-gnu.so": "elf",
        "wheels/heavy/native/_draw.cpython-313-aarch64-linux-gnu.so": "elf",
        "wheels/heavy/native.libs/libz-1234.so.1": "elf",
        "wheels/heavy/native.libs/libdraw-9.so.6": "elf",
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

    def install(requirements: Path, target: wheels.Target, cache: Path) -> Path:
        installs.append(requirements.parent.name)
        return project / "wheels" / requirements.parent.name

    monkeypatch.setattr(wheels, "install_wheels", install)

    def run(target: wheels.Target = HOST) -> dict:
        installs.clear()
        return package.build_all(
            target, project / "lambdas", project / "build", quiet=True, cache=project / "cache"
        )

    run.installs = installs
    return run


def names_in(path: Path) -> list[str]:
    """What a zip holds besides bytecode."""
    with zipfile.ZipFile(path) as archive:
        return [name for name in archive.namelist() if not name.endswith(".pyc")]


def test_a_zip_holds_handler_wheels_and_the_shared_packages_that_are_named(project: Path, build) -> None:
    build()
    assert names_in(project / "build/light.zip") == [
        "api/__init__.py",
        "api/tables/table.json",
        "lambda_function.py",
        "third/__init__.py",
    ]


def test_what_a_function_leaves_out_is_left_out(project: Path, build) -> None:
    build()
    assert names_in(project / "build/heavy.zip") == [
        "api/__init__.py",
        "lambda_function.py",
        "native.libs/libz-1234.so.1",
        "native/__init__.py",
        "native/_core.cpython-313-aarch64-linux-gnu.so",
        "reader/__init__.py",
    ]


def test_what_is_ours_stands_before_a_wheel_s_file_of_the_same_name(project: Path, build) -> None:
    theirs = project / "wheels/light/api/__init__.py"
    theirs.parent.mkdir()
    theirs.write_text("NAME = 'theirs'\n")
    build()
    assert (project / "lambdas/light/vendor/api/__init__.py").read_text() == "NAME = 'x'\n"


def test_vendor_holds_what_the_zip_holds(project: Path, build) -> None:
    build()
    vendor = project / "lambdas/light/vendor"
    held = {path.relative_to(vendor).as_posix() for path in vendor.rglob("*") if path.is_file()}
    with zipfile.ZipFile(project / "build/light.zip") as archive:
        beside = set(archive.namelist()) - held
    assert {Path(name).name.partition(".")[0] for name in beside} == {"lambda_function"}


def test_modules_come_with_bytecode_that_is_not_checked_against_their_files(
    project: Path, build, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PYTHONOPTIMIZE", "1")
    monkeypatch.setenv("PYTHONPYCACHEPREFIX", str(project / "elsewhere"))
    build()
    vendor = project / "lambdas/light/vendor"
    (compiled,) = (vendor / "api/__pycache__").iterdir()
    assert compiled.name == f"__init__.{sys.implementation.cache_tag}.pyc"
    assert int.from_bytes(compiled.read_bytes()[4:8], "little") == 0b01  # PEP 552: by hash, unchecked


def test_another_python_s_bytecode_is_left_out_and_said_to_be(
    project: Path, capsys: pytest.CaptureFixture[str], build
) -> None:
    other = next(runtime for runtime in wheels.GLIBC_MINOR if runtime != HOST.runtime)
    package.build_all(
        wheels.Target(other, "arm64"), project / "lambdas", project / "other", cache=project / "cache"
    )
    with zipfile.ZipFile(project / "other/light.zip") as archive:
        assert not [name for name in archive.namelist() if name.endswith(".pyc")]
    assert f"without bytecode, which only {other} makes for it" in capsys.readouterr().out


def test_the_zip_runs_by_itself(project: Path, build) -> None:
    build()
    code = (
        "import sys, types; sys.path[:0] = [sys.argv[1]]; sys.modules['boto3'] = types.ModuleType('boto3')\n"
        "import lambda_function; print(lambda_function.lambda_handler({}, None))"
    )
    command = [sys.executable, "-I", "-c", code, str(project / "build/light.zip")]
    assert subprocess.run(command, capture_output=True, text=True, check=True).stdout == "yx\n"


def test_equal_inputs_give_equal_bytes_wherever_and_whatever_their_times_and_modes(
    project: Path, build
) -> None:
    first = build()
    deeper = shutil.copytree(project / "lambdas", project / "a" / "deeper" / "place" / "lambdas")
    for path in deeper.rglob("*.py"):
        path.touch()
        path.chmod(0o600)
    second = package.build_all(HOST, deeper, project / "other", quiet=True, cache=project / "cache")
    assert second == first
    assert (project / "other/heavy.zip").read_bytes() == (project / "build/heavy.zip").read_bytes()


def test_entries_have_fixed_times_and_modes(project: Path, build) -> None:
    build()
    with zipfile.ZipFile(project / "build/heavy.zip") as archive:
        assert {entry.date_time for entry in archive.infolist()} == {(1980, 1, 1, 0, 0, 0)}
        assert {entry.external_attr >> 16 for entry in archive.infolist()} == {0o100644}


def test_an_unchanged_function_is_left_alone(project: Path, build) -> None:
    build()
    before = (project / "build/light.zip").stat().st_mtime_ns
    build()
    assert build.installs == []
    assert (project / "build/light.zip").stat().st_mtime_ns == before


@pytest.mark.parametrize(
    "change",
    [
        "lambdas/shared/api/tables/table.json",
        "lambdas/light/lambda_function.py",
        "lambdas/light/package.toml",
        "lambdas/light/requirements.txt",
    ],
)
def test_a_changed_input_is_built_again(project: Path, build, change: str) -> None:
    build()
    with (project / change).open("a") as stream:
        stream.write("# changed\n")
    build()
    assert "light" in build.installs


def test_a_source_that_is_edited_during_the_build_is_packaged_as_it_was_looked_at(
    project: Path, build, monkeypatch: pytest.MonkeyPatch
) -> None:
    source, installed = project / "lambdas/shared/api/__init__.py", wheels.install_wheels

    def install(requirements: Path, *others: object) -> Path:
        if requirements.parent.name == "light":
            source.write_text("NAME = 'edited'\n")
        return installed(requirements, *others)

    before = source.read_text()
    with monkeypatch.context() as patched:
        patched.setattr(wheels, "install_wheels", install)
        build()
    source.write_text(before)
    build()
    with zipfile.ZipFile(project / "build/light.zip") as archive:
        assert archive.read("api/__init__.py").decode() == before


def test_a_zip_is_written_whole_or_not_at_all(project: Path, build, monkeypatch: pytest.MonkeyPatch) -> None:
    build()
    before = (project / "build/light.zip").read_bytes()
    (project / "lambdas/light/lambda_function.py").write_text("# changed\n")

    def full(*_: object) -> None:
        raise OSError("No space left on device")

    monkeypatch.setattr(zipfile.ZipFile, "writestr", full)
    with pytest.raises(OSError, match="No space left"):
        build()
    assert (project / "build/light.zip").read_bytes() == before
    assert not [path for path in (project / "build").iterdir() if path.name.startswith(".")]


def test_the_runtime_s_own_python_builds_anew_what_has_no_bytecode(
    project: Path, build, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patched:
        patched.setattr(wheels.Target, "is_host_python", lambda _: False)
        build()
        key = HOST.key()
    build()
    assert (project / "lambdas/light/vendor/api/__pycache__").is_dir()
    assert key != HOST.key()  # so are the wheels


def test_a_manifest_of_something_else_is_as_none(project: Path, build) -> None:
    first = build()
    for text in ("", "[]", '{"functions": []}', '{"functions": {"light": "x", "heavy": null}}'):
        (project / "build/manifest.json").write_text(text)
        assert build() == first


def test_a_change_of_what_a_function_does_not_hold_leaves_it_alone(project: Path, build) -> None:
    build()
    (project / "lambdas/shared/reader/__init__.py").write_text("# changed\n")
    build()
    assert build.installs == ["heavy"]


def test_a_damaged_zip_and_a_lost_vendor_are_built_again(project: Path, build) -> None:
    first = build()
    (project / "build/light.zip").write_bytes(b"damaged")
    assert build() == first
    data = (project / "build/light.zip").read_bytes()
    assert hashlib.sha256(data).hexdigest() == first["functions"]["light"]["sha256"]
    shutil.rmtree(project / "lambdas/light/vendor")
    build()
    assert (project / "lambdas/light/vendor/third/__init__.py").is_file()


def test_another_target_is_another_build(project: Path, build) -> None:
    build()
    manifest = build(wheels.Target("python3.13", "x86_64"))
    assert set(build.installs) == {"light", "heavy"}
    assert manifest["target"] == {"runtime": "python3.13", "architecture": "x86_64", "local": False}


@pytest.mark.parametrize(
    ("declaration", "problem"),
    [
        (None, r"package\.toml must name the packages of lambdas/shared that light imports"),
        ("", "must name the packages"),
        ("shared = [api]", "must name the packages"),
        ('shared = "api"', "must name the packages"),
        ('shared = ["api"]\nleave_out = "PIL"', "must name the packages"),
        ("shared = [1]", "must name the packages"),
        ('shared = ["api"]\nkeep = [["PIL"]]', "must name the packages"),
        ('shared = ["api", "apo"]', "names apo, which lambdas/shared does not hold"),
    ],
)
def test_a_wrong_declaration_is_told_and_leaves_the_last_zip(
    project: Path, build, declaration: str | None, problem: str
) -> None:
    build()
    before = (project / "build/light.zip").read_bytes()
    path = project / "lambdas/light/package.toml"
    path.unlink() if declaration is None else path.write_text(declaration)
    with pytest.raises(package.PackageError, match=problem):
        build()
    assert (project / "build/light.zip").read_bytes() == before
    assert [path.name for path in (project / "build").iterdir() if path.name.startswith(".")] == []


def test_builds_at_the_same_time_wait_for_each_other(project: Path, build) -> None:
    def one(number: int) -> dict:
        return package.build_all(
            HOST, project / "lambdas", project / f"build-{number}", quiet=True, cache=project / "cache"
        )

    with concurrent.futures.ThreadPoolExecutor(4) as pool:
        manifests = list(pool.map(one, range(8)))
    assert all(manifest == manifests[0] for manifest in manifests)
    assert not [path.name for path in (project / "lambdas/light").iterdir() if path.name.startswith(".")]


def test_an_empty_project_is_named(tmp_path: Path) -> None:
    (tmp_path / "lambdas").mkdir()
    with pytest.raises(package.PackageError, match="complete clone"):
        package.build_all(HOST, tmp_path / "lambdas", tmp_path / "build", quiet=True)


def test_wheels_for_lambda_are_asked_for_by_platform() -> None:
    options = wheels.Target("python3.13", "arm64").pip_options()
    assert options[:4] == ["--implementation", "cp", "--python-version", "3.13"]
    assert "manylinux_2_34_aarch64" in options and "manylinux2014_aarch64" in options
    assert not any("x86_64" in option for option in options)
    assert HOST.pip_options() == []


@pytest.mark.parametrize(
    ("output", "advice"),
    [
        ("Retrying ... NewConnectionError('...: Failed to establish a new connection')", "Check the network"),
        (
            "ERROR: No matching distribution found for pillow==13.0.0",
            "does not exist for the Python and platform",
        ),
        ("ERROR: THESE PACKAGES DO NOT MATCH THE HASHES FROM THE REQUIREMENTS FILE", "make lock"),
        ("/usr/bin/python3: No module named pip", "apt install python3-pip"),
        ("something else", "something else"),
    ],
)
def test_a_failed_download_says_what_to_do(output: str, advice: str) -> None:
    assert advice in pip.explain("/usr/bin/python3", Path("lambdas/light/requirements.txt"), output)


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
    with pytest.raises(pip.PipError, match="Check the network"):
        wheels.install_wheels(requirements, HOST, tmp_path / "cache")
    assert list((tmp_path / "cache").iterdir()) == []


@pytest.mark.parametrize("ended", [-9, 130])
def test_wheels_whose_compilation_was_ended_are_not_kept(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, ended: int
) -> None:
    (tmp_path / "requirements.txt").write_text("six==1.17.0 --hash=sha256:00\n")
    monkeypatch.setattr(
        wheels, "install", lambda *arguments: Path(arguments[arguments.index("--target") + 1]).mkdir()
    )
    monkeypatch.setattr(subprocess, "run", lambda *_, **__: subprocess.CompletedProcess([], ended))
    with pytest.raises(pip.PipError, match="Run this again"):
        wheels.install_wheels(tmp_path / "requirements.txt", HOST, tmp_path / "cache")
    assert list((tmp_path / "cache").iterdir()) == []


@pytest.mark.skipif(os.name == "nt", reason="sends a signal to a process group")
def test_an_interrupted_build_compiles_to_the_end(tmp_path: Path) -> None:
    """Ctrl-C goes to the whole group of the terminal: what is kept has all of its bytecode."""
    for number in range(300):
        (tmp_path / f"module_{number}.py").write_text(
            "".join(f"def f{line}(): pass\n" for line in range(100))
        )
    code = (
        "import signal, sys; from pathlib import Path; from tools.deploy import wheels\n"
        "signal.signal(signal.SIGINT, lambda *_: None); print('begun', flush=True)\n"
        "wheels.add_bytecode(Path(sys.argv[1]), wheels.host_target())"
    )
    process = subprocess.Popen(
        [sys.executable, "-c", code, str(tmp_path)],
        cwd=Path(__file__).parents[3],
        stdout=subprocess.PIPE,
        start_new_session=True,
    )
    assert process.stdout is not None and process.stdout.readline() == b"begun\n"
    while process.poll() is None and not list(tmp_path.glob("__pycache__/*.pyc")):
        pass
    os.killpg(process.pid, signal.SIGINT)
    process.communicate()
    assert len(list(tmp_path.glob("__pycache__/*.pyc"))) == 300


def test_the_wheels_of_all_functions_for_two_targets_are_kept() -> None:
    lambdas = package.ROOT / "lambdas"
    different = {
        (lambdas / name / "requirements.txt").read_bytes() for name in package.function_names(lambdas)
    }
    assert 2 * len(different) <= wheels.CACHE_KEPT


def test_a_function_without_pinned_requirements_is_told(tmp_path: Path) -> None:
    with pytest.raises(pip.PipError, match=r"requirements\.txt is missing\. Run: make lock"):
        wheels.install_wheels(tmp_path / "requirements.txt", HOST, tmp_path / "cache")


def test_local_takes_no_target(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        command.parse_arguments(["--local", "--arch", "arm64"])
    assert "--local builds for this host" in capsys.readouterr().err


def test_an_empty_output_is_no_folder(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        command.parse_arguments(["--output", ""])
    assert "--output names no folder" in capsys.readouterr().err


def test_a_reader_that_has_seen_enough_ends_the_build_without_a_word() -> None:
    program = (
        "import sys\nfrom tools.deploy import build\n"
        "build.build_all = lambda *_: print(input(), flush=True)\nsys.exit(build.main([]))"
    )
    with subprocess.Popen(
        [sys.executable, "-c", program],
        cwd=package.ROOT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as build:
        assert build.stdin and build.stdout and build.stderr
        build.stdout.close()
        build.stdin.write("a line\n")
        build.stdin.close()
        assert (build.stderr.read(), build.wait()) == ("", 1)
