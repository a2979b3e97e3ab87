"""deploy.sh: which role, which variables, where state goes, what it says."""

import json
import shutil
import stat
import subprocess
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Any, ClassVar

import pytest

from tools.deploy import (
    deploy,
    existing_bucket,
    leftovers,
    safety,
    snapshots,
    terraform,
    warm_throughput,
    wheels,
)
from tools.deploy.account import Account
from tools.deploy.credentials import Identity
from tools.deploy.sigv4 import ApiError, Credentials

ROOT = Path(deploy.__file__).parents[2]
CREDENTIALS = Credentials("A", "S", None, "")
STUDENT = Identity("123456789012", "arn:aws:sts::123456789012:assumed-role/voclabs/user1")
OWNER = Identity("123456789012", "arn:aws:iam::123456789012:user/me")
LAB_ROLE = "arn:aws:iam::123456789012:role/LabRole"


@pytest.fixture
def configuration(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A Terraform directory of the test's own."""
    monkeypatch.setattr(deploy, "CONFIGURATION", tmp_path)
    return tmp_path


def asked(monkeypatch: pytest.MonkeyPatch, answer: str | Exception | None) -> None:
    def role_arn(*_arguments: object) -> str | None:
        if isinstance(answer, Exception):
            raise answer
        return answer

    monkeypatch.setattr(deploy, "role_arn", role_arn)


def test_lab_role_is_used_where_the_account_has_one(monkeypatch: pytest.MonkeyPatch) -> None:
    asked(monkeypatch, LAB_ROLE)
    assert deploy.choose_role(OWNER, CREDENTIALS, "us-east-1", None) == LAB_ROLE


def test_without_lab_role_each_function_gets_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    asked(monkeypatch, None)
    assert deploy.choose_role(OWNER, CREDENTIALS, "us-east-1", None) is None


def test_a_student_who_may_not_ask_iam_still_gets_lab_role(monkeypatch: pytest.MonkeyPatch) -> None:
    asked(monkeypatch, ApiError("AccessDenied", "no"))
    assert deploy.choose_role(STUDENT, CREDENTIALS, "us-east-1", None) == LAB_ROLE
    assert deploy.choose_role(OWNER, CREDENTIALS, "us-east-1", None) is None


def test_an_unanswered_question_is_not_taken_for_a_no(monkeypatch: pytest.MonkeyPatch) -> None:
    asked(monkeypatch, ApiError("Throttling", "slow down"))
    with pytest.raises(deploy.DeployError, match="Run this again"):
        deploy.choose_role(OWNER, CREDENTIALS, "us-east-1", None)


def test_what_the_user_sets_is_not_overridden(configuration: Path) -> None:
    (configuration / "terraform.tfvars").write_text(
        'lambda_role_arn = "arn:mine"\n# region = "x"\narchitecture="x86_64"\n'
    )
    place = deploy.find_place({})
    target = deploy.target_of(place, {})
    assert target == wheels.Target("python3.13", "x86_64")
    user = {"TF_VAR_runtime": "python3.13", "TF_VAR_region": "us-west-2"}
    variables = deploy.variables_for(place, target, "us-west-2", LAB_ROLE, user, in_lab=True)
    assert variables == {"region": "us-west-2", "build_dir": "../build", "force_destroy": True}


def test_images_outlive_destroy_except_in_a_lab_and_locally(configuration: Path) -> None:
    target = wheels.Target("python3.13", "arm64")

    def kept(environment: dict[str, str], in_lab: bool) -> object:
        place = deploy.find_place(environment)
        return deploy.variables_for(place, target, "us-east-1", LAB_ROLE, environment, in_lab=in_lab)[
            "force_destroy"
        ]

    local = {"AWS_ENDPOINT_URL": "http://127.0.0.1:1", "DEPLOY_DIR": str(configuration / "local")}
    assert kept({}, True) is True
    assert kept(local, False) is True
    assert kept({}, False) is False, "a role's name makes no lab"


@pytest.mark.parametrize(
    ("line", "value"),
    [('stage = "prod"', "prod"), ("stage=7 # seven", "7"), ('  stage   = ""', ""), ("stage = null", "null"),
     ("stage = true // yes", "true"), ("stage = 7 /* seven */", "7"), ('stage = "a//b" // two', "a//b"),
     ("stage = true", "true"), ('# stage = "x"', None), ('other_stage = "x"', None)],
)  # fmt: skip
def test_settings_are_read_as_terraform_reads_them(configuration: Path, line: str, value: str | None) -> None:
    (configuration / "terraform.tfvars").write_text(f'first = "1"\n{line}\n')
    assert deploy.user_setting("stage", {}) == value
    assert deploy.user_setting("stage", {"TF_VAR_stage": "of the environment"}) == "of the environment"
    assert deploy.chosen("stage", "dev", {}) == (value if value not in (None, "", "null") else "dev")


def test_a_region_that_labs_do_not_admit_is_refused_before_anything_is_done(
    place: deploy.Place, monkeypatch: pytest.MonkeyPatch, region_asked: list[str]
) -> None:
    monkeypatch.setattr(deploy, "log_in", lambda *_: (CREDENTIALS, STUDENT))
    recorded = Recorded(False, False)
    with pytest.raises(deploy.DeployError, match=r"us-east-1 and us-west-2.*eu-west-1.*AWS_REGION=us-east-1"):
        deploy.deploy(place, recorded, {"AWS_REGION": "eu-west-1"}, "deploy", [])
    assert recorded.ran == [] and not place.variables.exists()
    assert deploy.deploy(place, recorded, {"AWS_REGION": "us-west-2"}, "deploy", []) == 0
    deploy.check_lab(OWNER, "eu-west-1")


def test_an_absent_role_is_written_so_that_no_older_value_stays(configuration: Path) -> None:
    place = deploy.find_place({})
    variables = deploy.variables_for(place, wheels.Target("python3.13", "arm64"), "us-east-1", None, {})
    assert variables["lambda_role_arn"] is None


def test_the_user_s_own_settings_stand_on_the_local_aws(configuration: Path) -> None:
    local = {"AWS_ENDPOINT_URL": "http://127.0.0.1:1", "DEPLOY_DIR": str(configuration / "local")}
    place, target = deploy.find_place(local), wheels.host_target()
    assert place.options() == [f"-var-file={place.variables}"], "a file would outrank what the user set"

    usual = deploy.variables_for(place, target, "us-east-1", None, local)
    assert {"search_delay_seconds": 1, "access_logs": True, "monitoring": False}.items() <= usual.items()

    names = ("api_key_value", "search_delay_seconds", "access_logs", "monitoring", "force_destroy")
    user = local | {f"TF_VAR_{name}": "x" for name in names}
    assert not set(names) & set(deploy.variables_for(place, target, "us-east-1", None, user))
    (configuration / "terraform.tfvars").write_text("monitoring = true\n")
    assert "monitoring" not in deploy.variables_for(place, target, "us-east-1", None, local)
    aws = deploy.variables_for(deploy.find_place({}), target, "us-east-1", None, {})
    assert not {"search_delay_seconds", "access_logs"} & set(aws)


def test_pixels_are_looked_at_locally_as_long_as_there_is_search(configuration: Path) -> None:
    def pixels(environment: dict[str, str]) -> object:
        place = deploy.find_place(environment)
        target = wheels.Target("python3.13", "arm64")
        return deploy.variables_for(place, target, "us-east-1", None, environment).get("pixels")

    local = {"AWS_ENDPOINT_URL": "http://127.0.0.1:1", "DEPLOY_DIR": str(configuration / "local")}
    assert pixels(local) == "all" and pixels(local | {"TF_VAR_search": "false"}) == "off"
    assert pixels(local | {"TF_VAR_pixels": "off"}) is None, "the user's own choice stands"
    assert pixels({}) is None


def test_a_runtime_that_cannot_be_built_is_named(configuration: Path) -> None:
    with pytest.raises(deploy.DeployError, match=r"python3\.9.*python3\.13"):
        deploy.target_of(deploy.find_place({}), {"TF_VAR_runtime": "python3.9"})


def test_the_local_aws_keeps_its_state_apart(tmp_path: Path) -> None:
    place = deploy.find_place({"AWS_ENDPOINT_URL": "http://127.0.0.1:1", "DEPLOY_DIR": str(tmp_path)})
    assert place.local and place.state == tmp_path / "terraform.tfstate"
    assert place.variables.parent == tmp_path and place.build.parent == tmp_path
    assert deploy.target_of(place, {}).local
    aws = deploy.find_place({})
    assert not aws.local and aws.state is None and aws.options() == []


def test_the_local_aws_gets_a_key_of_its_own_and_keeps_it(tmp_path: Path, configuration: Path) -> None:
    place = deploy.find_place({"AWS_ENDPOINT_URL": "http://127.0.0.1:1", "DEPLOY_DIR": str(tmp_path)})
    first = deploy.variables_for(place, wheels.host_target(), "us-east-1", None, {})
    assert len(str(first["api_key_value"])) >= 20 and first["local_endpoint"] == "http://127.0.0.1:1"
    deploy.write_json(place.variables, first)
    assert deploy.variables_for(place, wheels.host_target(), "us-east-1", None, {}) == first
    other = deploy.find_place({"AWS_ENDPOINT_URL": "http://127.0.0.1:1", "DEPLOY_DIR": str(tmp_path / "b")})
    assert (
        deploy.variables_for(other, wheels.host_target(), "us-east-1", None, {})["api_key_value"]
        != first["api_key_value"]
    )


OUTPUTS = {
    "api_url": "https://x.execute-api.us-east-1.amazonaws.com/dev/",
    "api_key": "k" * 20,
    "bucket": "b",
}


@pytest.fixture
def place(tmp_path: Path) -> deploy.Place:
    return deploy.Place(None, tmp_path, tmp_path / "v.json", None, None)


def test_on_aws_the_key_is_never_printed(place: deploy.Place, capsys: pytest.CaptureFixture[str]) -> None:
    deploy.show(place, OUTPUTS)
    said = capsys.readouterr().out
    assert "k" * 20 not in said and "output -raw api_key" in said
    assert "https://x.execute-api.us-east-1.amazonaws.com/dev/metadata" in said and "destroy" in said


def test_no_authentication_is_warned_about(place: deploy.Place, capsys: pytest.CaptureFixture[str]) -> None:
    deploy.show(place, OUTPUTS | {"api_key": None, "auth": "none"})
    assert "WARNING: auth is" in capsys.readouterr().out


def test_the_signed_mode_shows_how_to_sign(place: deploy.Place, capsys: pytest.CaptureFixture[str]) -> None:
    deploy.show(place, OUTPUTS | {"api_key": None, "auth": "iam", "region": "eu-west-1"})
    said = capsys.readouterr().out
    assert "aws:amz:eu-west-1:execute-api" in said and "x-api-key" not in said and "WARNING" not in said


def test_the_token_mode_shows_where_the_token_goes(
    place: deploy.Place,
    capsys: pytest.CaptureFixture[str],
    region_asked: list[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    deploy.show(place, OUTPUTS | {"api_key": None, "auth": "jwt"})
    said = capsys.readouterr().out
    assert 'curl -H "Authorization: Bearer $TOKEN"' in said and "WARNING" not in said
    monkeypatch.setitem(OUTPUTS, "auth", "jwt")
    monkeypatch.setitem(OUTPUTS, "region", "us-east-1")
    with pytest.raises(deploy.DeployError, match="API_TOKEN"):
        deploy.run_verify(place, Recorded(False, True), {})


def test_the_postman_environment_names_url_and_key(place: deploy.Place) -> None:
    deploy.show(place, OUTPUTS)
    written = json.loads((place.build / deploy.POSTMAN_FILE).read_text())
    values = {entry["key"]: entry["value"] for entry in written["values"]}
    assert values == {"base_url": OUTPUTS["api_url"].rstrip("/"), "api_key": "k" * 20}


# --- the scripts themselves, with stand-ins on PATH -----------------------------------------------------------------


def command(folder: Path, name: str, text: str) -> None:
    path = folder / name
    path.write_text(f"#!/bin/sh\n{text}\n")
    path.chmod(path.stat().st_mode | stat.S_IXUSR)


def run_script(name: str, path: Path, *arguments: str, **variables: str) -> subprocess.CompletedProcess[str]:
    # Nothing but the stand-ins and the one tool the scripts need: what else this machine has must not matter.
    dirname = path / "dirname"
    if not dirname.exists():
        dirname.symlink_to(shutil.which("dirname") or "/usr/bin/dirname")
    environment = {"PATH": str(path), "HOME": str(path), **variables}
    shell = ["/bin/sh", str(ROOT / name), *arguments]
    return subprocess.run(
        shell, env=environment, capture_output=True, text=True, check=False, stdin=subprocess.DEVNULL
    )


@pytest.mark.parametrize("script", ["build.sh", "deploy.sh"])
def test_an_old_python_is_named(tmp_path: Path, script: str) -> None:
    for name in ("python3", "python", "py"):
        command(tmp_path, name, 'if [ "$1" = --version ]; then echo "Python 3.8.10"; else exit 1; fi')
    done = run_script(script, tmp_path)
    assert done.returncode == 1
    assert (
        "Python 3.11 or newer is needed. python3 is Python 3.8.10." in done.stderr
        and "python.org" in done.stderr
        and done.stderr.endswith("export PYTHON=/path/to/python3\n")
    )


@pytest.mark.parametrize("script", ["build.sh", "deploy.sh"])
def test_help_is_given(tmp_path: Path, script: str) -> None:
    command(tmp_path, "python3", f'exec "{sys.executable}" "$@"')
    done = run_script(script, tmp_path, "--help")
    assert done.returncode == 0 and f"usage: {script}" in done.stdout


def test_the_python_launcher_of_windows_is_used(tmp_path: Path) -> None:
    for name in ("python3", "python"):
        command(tmp_path, name, "exit 9")  # what Windows puts there to open its store
    command(tmp_path, "py", f'[ "$1" = -3 ] && shift && exec "{sys.executable}" "$@"')
    assert run_script("build.sh", tmp_path, "--help").returncode == 0


@pytest.mark.parametrize("version", ["3.11", "3.12", "3.13", "3.14"])
def test_a_python_that_only_its_version_names_is_found(tmp_path: Path, version: str) -> None:
    command(tmp_path, "python3", 'if [ "$1" = --version ]; then echo "Python 3.9.6"; else exit 1; fi')
    command(tmp_path, f"python{version}", f'exec "{sys.executable}" "$@"')
    assert run_script("build.sh", tmp_path, "--help").returncode == 0


def test_a_python_with_a_space_in_its_path_is_used(tmp_path: Path) -> None:
    folder = tmp_path / "Program Files"
    folder.mkdir()
    command(folder, "python3", f'exec "{sys.executable}" "$@"')
    assert run_script("build.sh", tmp_path, "--help", PYTHON=str(folder / "python3")).returncode == 0


def test_a_missing_terraform_is_named(tmp_path: Path) -> None:
    done = run_script("deploy.sh", tmp_path, PYTHON=sys.executable)
    assert done.returncode == 1 and "Terraform is not installed" in done.stderr and "winget" in done.stderr


def test_an_old_terraform_is_named(tmp_path: Path) -> None:
    command(tmp_path, "terraform", 'echo \'{"terraform_version": "1.3.9"}\'')
    done = run_script("deploy.sh", tmp_path, PYTHON=sys.executable)
    assert done.returncode == 1 and "Terraform 1.3.9 is too old: 1.7 or newer" in done.stderr


@pytest.mark.parametrize("command", ["check", "verify"])
def test_an_option_that_nothing_takes_is_refused(command: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        deploy.main([command, "--bogus", "-no-color", "-target=x"])
    assert ended.value.code == 2
    assert f"{command} takes no --bogus -target=x" in capsys.readouterr().err
    assert deploy.parse_arguments([command, "-no-color"])[0].command == command


def test_missing_credentials_are_explained_before_anything_is_built(tmp_path: Path) -> None:
    command(tmp_path, "terraform", 'echo \'{"terraform_version": "1.11.4"}\'')
    done = run_script("deploy.sh", tmp_path, PYTHON=sys.executable)
    assert done.returncode == 1 and "AWS Details > AWS CLI: Show" in done.stderr and done.stdout == ""


def test_what_it_and_terraform_write_is_its_user_s_alone(tmp_path: Path) -> None:
    state, home = tmp_path / "state", tmp_path / "home"
    command(tmp_path, "terraform", ': > "$STATE"; echo \'{"terraform_version": "1.11.4"}\'')
    local = {"AWS_ENDPOINT_URL": "http://127.0.0.1:1", "DEPLOY_DIR": str(home)}
    run_script("deploy.sh", tmp_path, "check", PYTHON=sys.executable, STATE=str(state), **local)
    for written in (state, home):
        assert stat.S_IMODE(written.stat().st_mode) & 0o077 == 0, f"{written} is open to others"


def test_destroy_without_a_terminal_wants_a_yes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(deploy, "log_in", lambda *_: (CREDENTIALS, OWNER))

    class Stub(terraform.Terraform):
        def init(self) -> None:
            pass

    place = deploy.Place(None, tmp_path, tmp_path / "v.json", None, None)
    with pytest.raises(deploy.DeployError, match="--yes"):
        deploy.destroy(place, Stub(), {}, False, [])


def test_a_mirror_is_used_when_the_registry_is_out_of_reach(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    mirror = tmp_path / ".terraform.d/plugins"
    (mirror / terraform.PROVIDER / "5.100.0" / terraform._platform()).mkdir(parents=True)
    monkeypatch.setattr(terraform.Path, "home", lambda: tmp_path)
    asked: list[tuple[str, ...]] = []

    class Offline(terraform.Terraform):
        def capture(self, *arguments: str) -> subprocess.CompletedProcess[str]:
            asked.append(arguments)
            return subprocess.CompletedProcess(arguments, 0 if len(asked) > 1 else 1, "", "no such host")

    Offline(data_dir=tmp_path / "data").init()
    assert not any(option.startswith("-plugin-dir") for option in asked[0])
    assert asked[1][-1] == f"-plugin-dir={mirror}"


def test_terraform_is_initialised_again_only_where_something_changed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    data = tmp_path / "data"
    monkeypatch.setattr(terraform, "CONFIGURATION", tmp_path)
    (tmp_path / "main.tf").write_text("# one")
    asked = []

    class Installing(terraform.Terraform):
        def capture(self, *arguments: str) -> subprocess.CompletedProcess[str]:
            asked.append(arguments[0])
            folder = data / "providers" / terraform.PROVIDER / "5.100.0" / terraform._platform()
            folder.mkdir(parents=True, exist_ok=True)
            (folder / "terraform-provider-aws_v5.100.0_x5").touch()
            (tmp_path / terraform.LOCK).write_text(
                f'provider "{terraform.PROVIDER.as_posix()}" {{\n  version = "5.100.0"\n}}'
            )
            return subprocess.CompletedProcess(arguments, 0, "", "")

    Installing(data_dir=data).init()
    Installing(data_dir=data).init()
    assert len(asked) == 1
    shutil.rmtree(data / "providers")
    Installing(data_dir=data).init()
    assert len(asked) == 2
    (tmp_path / "backend.tf").write_text("# two")
    Installing(data_dir=data).init()
    assert len(asked) == 3
    (tmp_path / "new.tftest.hcl").write_text("# three")
    Installing(data_dir=data).init()
    assert len(asked) == 3
    Installing(data_dir=data).init(tests=True)
    assert len(asked) == 4


def test_no_registry_and_no_mirror_is_explained(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(terraform, "mirrors", lambda: iter(()))

    class Offline(terraform.Terraform):
        def capture(self, *arguments: str) -> subprocess.CompletedProcess[str]:
            return subprocess.CompletedProcess(arguments, 1, "", "no such host")

    with pytest.raises(terraform.TerraformError, match=r"(?s)no such host.*terraform providers mirror"):
        Offline(data_dir=tmp_path).init()


def test_what_terraform_refuses_is_told_with_its_own_words(tmp_path: Path) -> None:
    class Refusing(terraform.Terraform):
        def capture(self, *arguments: str) -> subprocess.CompletedProcess[str]:
            return subprocess.CompletedProcess(arguments, 1, "{}", "state is locked\n")

    refusing = Refusing(data_dir=tmp_path)
    calls = {
        "workspace": (lambda: refusing.select("prod"), refusing.workspaces),
        "import": (lambda: refusing.adopt("a.b", "c"),),
        "show": (lambda: refusing.planned(tmp_path),),
        "output": (refusing.outputs,),
    }
    for verb, asks in calls.items():
        for ask in asks:
            with pytest.raises(
                terraform.TerraformError, match=f"terraform {verb} failed:\n  state is locked"
            ):
                ask()


class Recorded(terraform.Terraform):
    """Terraform that does nothing, or fails to; `plan` is what a plan file would hold."""

    plan: ClassVar[dict[str, object]] = {}
    selected = "default"
    reads = 0

    def __init__(self, fails: bool, deployed: bool) -> None:
        super().__init__()
        self.fails, self.deployed, self.ran = fails, deployed, []

    def init(self) -> None:
        pass

    def outputs(self) -> dict[str, object]:
        self.reads += 1
        return dict(OUTPUTS) if self.deployed else {}

    def planned(self, file: Path) -> dict[str, object]:
        return self.plan

    def adopt(self, address: str, identifier: str, *options: str) -> None:
        self.ran.append(f"import {address} {identifier}")

    def workspaces(self) -> list[str]:
        return ["default"]

    def select(self, workspace: str) -> None:
        self.selected = workspace

    def run(self, *arguments: str) -> int:
        self.ran.append(arguments[0])
        if arguments[0] == "apply" and self.fails:
            return 1
        if arguments[0] in ("apply", "destroy"):
            self.deployed = arguments[0] == "apply"
        return 0


@pytest.fixture
def region_asked(monkeypatch: pytest.MonkeyPatch, configuration: Path) -> list[str]:
    """The regions that were logged in to, with nothing configured and nothing built."""
    regions: list[str] = []

    def log_in(_place: deploy.Place, _environment: object, region: str) -> tuple[Credentials, Identity]:
        regions.append(region)
        return CREDENTIALS, OWNER

    monkeypatch.setattr(deploy, "log_in", log_in)
    monkeypatch.setattr(deploy.package, "build_all", lambda *_: {})
    asked(monkeypatch, None)
    return regions


@pytest.mark.parametrize(
    ("environment", "tfvars", "region"),
    [
        ({"TF_VAR_region": "eu-west-1", "AWS_REGION": "us-west-2"}, 'region = "eu-west-3"', "eu-west-1"),
        ({"AWS_REGION": "us-west-2"}, 'region = "eu-west-3"', "eu-west-3"),
        ({"AWS_REGION": "us-west-2", "AWS_DEFAULT_REGION": "eu-west-1"}, "", "us-west-2"),
        ({"AWS_CONFIG_FILE": "none"}, "", "us-east-1"),
    ],
    ids=["variable", "file", "environment", "default"],
)
def test_one_region_is_decided_used_and_kept(
    place: deploy.Place,
    configuration: Path,
    region_asked: list[str],
    environment: dict[str, str],
    tfvars: str,
    region: str,
) -> None:
    (configuration / "terraform.tfvars").write_text(tfvars)
    assert deploy.deploy(place, Recorded(False, False), environment, "deploy", []) == 0
    assert region_asked == [region]
    assert json.loads(place.variables.read_text())["region"] == region


def test_what_is_deployed_is_asked_once_before_and_once_after(
    place: deploy.Place, region_asked: list[str]
) -> None:
    recorded = Recorded(False, True)
    assert deploy.deploy(place, recorded, {}, "deploy", []) == 0
    assert recorded.reads == 2


@pytest.mark.parametrize("verb", ["deploy", "plan"])
def test_a_deployment_elsewhere_is_not_forgotten(
    place: deploy.Place, monkeypatch: pytest.MonkeyPatch, region_asked: list[str], verb: str
) -> None:
    monkeypatch.setitem(OUTPUTS, "region", "eu-west-1")
    place.variables.write_text('{"region": "eu-west-1"}')
    recorded = Recorded(False, True)
    with pytest.raises(deploy.DeployError, match=r"in eu-west-1.*AWS_REGION=eu-west-1.*destroy"):
        deploy.deploy(place, recorded, {"TF_VAR_region": "us-west-2"}, verb, [])
    assert recorded.ran == [] and json.loads(place.variables.read_text())["region"] == "eu-west-1"
    assert deploy.deploy(place, recorded, {"AWS_REGION": "eu-west-1"}, verb, []) == 0


@pytest.mark.parametrize("kept", ["{}", '{"region": "us-west-2", "stage": "dev"}'])
def test_destroy_goes_where_the_deployment_is(
    place: deploy.Place, monkeypatch: pytest.MonkeyPatch, region_asked: list[str], kept: str
) -> None:
    monkeypatch.setitem(OUTPUTS, "region", "eu-west-1")
    place.variables.write_text(kept)
    used: list[object] = []

    class Destroyed(Recorded):
        def run(self, *arguments: str) -> int:
            used.append(json.loads(place.variables.read_text()))
            return super().run(*arguments)

    assert deploy.destroy(place, Destroyed(False, True), {"TF_VAR_region": "us-west-2"}, True, []) == 0
    assert region_asked == ["eu-west-1"]
    assert (
        used == [json.loads(kept) | {"region": "eu-west-1", "stage": "dev"}] and not place.variables.exists()
    )


def test_a_protected_table_is_not_destroyed(
    place: deploy.Place, monkeypatch: pytest.MonkeyPatch, region_asked: list[str]
) -> None:
    monkeypatch.setitem(OUTPUTS, "deletion_protection", True)
    recorded = Recorded(False, True)
    with pytest.raises(deploy.DeployError, match="TF_VAR_deletion_protection=false"):
        deploy.destroy(place, recorded, {}, True, [])
    assert recorded.ran == []


def test_a_failure_says_how_to_go_on(
    place: deploy.Place, region_asked: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert deploy.deploy(place, Recorded(True, False), {}, "deploy", []) == 1
    said = capsys.readouterr().err
    assert "run ./deploy.sh again" in said and "ExpiredToken" in said


def test_log_groups_that_are_there_are_taken_over_before_anything_is_applied(
    place: deploy.Place, region_asked: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    recorded = Recorded(False, True)
    groups = [
        change("aws_cloudwatch_log_group", ["create"], {}, {"name": name}, f"module.{name}.")
        for name in ("late", "new")
    ]
    monkeypatch.setattr(recorded, "plan", plan_of(*groups))
    monkeypatch.setattr(leftovers, "log_groups", lambda _, names: [name for name in names if name == "late"])
    assert deploy.deploy(place, recorded, {}, "deploy", []) == 0
    taken = "import module.late.aws_cloudwatch_log_group.this late"
    assert recorded.ran == ["plan", taken, "plan", "apply"]


def test_what_is_left_after_destroy_is_told_and_late_log_groups_go(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    said: list[tuple[str, object]] = []
    held = {"/aws/lambda/cats-dev-info": [{"logGroupName": "/aws/lambda/cats-dev-info"}]}

    class Held(Account):
        def json(self, service: str, action: str, **body: Any) -> dict[str, Any]:
            said.append((action, body))
            return {"logGroups": held.get(body.get("logGroupNamePrefix", ""), [])}

    monkeypatch.setattr(
        leftovers, "_KINDS", {"queue": lambda *_: ["cats-dev-s3-events", "cats-development", "dogs"]}
    )
    outputs = {"name_prefix": "cats", "stage": "dev", "function_names": {"info": "cats-dev-info"}}
    deploy.show_left(Held(CREDENTIALS, "us-east-1"), outputs)
    assert ("DeleteLogGroup", {"logGroupName": "/aws/lambda/cats-dev-info"}) in said
    printed = capsys.readouterr().out
    assert "  queue: cats-dev-s3-events\n" in printed and "Left of cats-dev: \n" in printed


@pytest.mark.parametrize(
    ("snap_start", "said"),
    [([], "of them), about US$ 5"), ([{}], "of them), US$ 1.95 for the functions' snapshots, about US$ 5")],
)
def test_what_it_costs_is_printed(
    snap_start: list[object],
    said: str,
    place: deploy.Place,
    region_asked: list[str],
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    recorded = Recorded(False, True)
    alarms = [change("aws_cloudwatch_metric_alarm", actions, {}, {}) for actions in (["create"], ["no-op"])]
    board = change("aws_cloudwatch_dashboard", ["create"], {}, {})
    gone = change("aws_cloudwatch_dashboard", ["delete"], {})
    with_snapshot = {"memory_size": 512, "snap_start": [{}]}
    functions = [
        change("aws_lambda_function", ["create"], {}, with_snapshot | {"snap_start": snap_start}),
        change("aws_lambda_function", ["update"], with_snapshot, with_snapshot | {"snap_start": []}),
        change("aws_lambda_function", ["delete"], with_snapshot),
    ]
    monkeypatch.setattr(recorded, "plan", plan_of(*alarms, board, gone, *functions))
    assert deploy.deploy(place, recorded, {}, "deploy", []) == 0
    printed = capsys.readouterr().out
    assert "Cost:    US$ 3.20 a month while nothing happens" in printed and said in printed


@pytest.mark.parametrize("settled", [True, False])
def test_what_it_says_is_there_answers_and_what_is_left_is_a_failure(
    settled: bool,
    place: deploy.Place,
    region_asked: list[str],
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    said: list[object] = []

    def settle(_account: Account, functions: Iterable[str], last_calls: float) -> bool:
        said.append((list(functions), last_calls, capsys.readouterr().out))
        return settled

    monkeypatch.setattr(snapshots, "settle", settle)
    monkeypatch.setitem(OUTPUTS, "function_names", {"get_image": "cats-dev-get_image"})
    assert deploy.deploy(place, Recorded(False, True), {}, "deploy", []) == (0 if settled else 1)
    assert [(names, seconds) for names, seconds, _ in said] == [(["cats-dev-get_image"], 30)]
    assert "API: " not in said[0][2] and "API: " in capsys.readouterr().out
    said.clear()
    assert deploy.deploy(place, Recorded(True, True), {}, "deploy", []) == 1 and said == []


@pytest.mark.parametrize(
    ("units", "settled", "raised", "code"),
    [(None, True, True, 0), (20000, True, True, 0), (20000, False, True, 1), (20000, True, False, 1)],
)
def test_warm_throughput_is_seen_to_where_it_is_set(
    units: int | None,
    settled: bool,
    raised: bool,
    code: int,
    place: deploy.Place,
    region_asked: list[str],
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    asked_for: list[object] = []

    def ensure(_account: Account, *wanted: object) -> bool:
        asked_for.append(wanted)
        return raised

    monkeypatch.setattr(warm_throughput, "ensure", ensure)
    monkeypatch.setattr(snapshots, "settle", lambda *_: settled)
    monkeypatch.setitem(OUTPUTS, "table", "cats")
    monkeypatch.setitem(OUTPUTS, "warm_throughput", units)
    assert deploy.deploy(place, Recorded(False, True), {}, "deploy", []) == code
    assert asked_for == ([("cats", units)] if units else [])
    assert "API: " in capsys.readouterr().out


def test_a_plan_tells_what_is_done_beside_terraform(
    place: deploy.Place, region_asked: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    environment = {"TF_VAR_warm_throughput": "20000"}
    assert deploy.deploy(place, Recorded(False, True), environment, "plan", []) == 0
    assert "20000 write units" in capsys.readouterr().out
    assert deploy.deploy(place, Recorded(False, True), {}, "plan", []) == 0
    assert "write units" not in capsys.readouterr().out


@pytest.mark.parametrize("start", [["tools/deploy"], ["-m", "tools.deploy"]])
def test_python_runs_the_folder_as_the_script_does(start: list[str]) -> None:
    done = subprocess.run(
        [sys.executable, *start, "--help"], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("usage: deploy.sh")


def test_deploying_needs_the_standard_library_alone() -> None:
    code = (
        "import importlib, pathlib, sys\nsys.path.insert(0, sys.argv[1])\n"
        "for path in pathlib.Path(sys.argv[1], 'tools/deploy').glob('[!_]*.py'):\n"
        "    importlib.import_module(f'tools.deploy.{path.stem}')\n"
    )
    command = [sys.executable, "-I", "-S", "-c", code, str(ROOT)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


# --- nothing stateful goes without a word ---------------------------------------------------------------------------


def change(
    kind: str,
    actions: list[str],
    before: dict[str, Any],
    after: dict[str, Any] | None = None,
    module: str = "",
) -> dict[str, Any]:
    return {
        "address": f"{module}{kind}.this",
        "type": kind,
        "change": {"actions": actions, "before": before, "after": after},
    }


def plan_of(*changes: dict[str, Any]) -> dict[str, Any]:
    return {"resource_changes": list(changes)}


@pytest.mark.parametrize(
    ("kind", "before", "named"),
    [
        ("aws_s3_bucket", {"bucket": "photos"}, "the bucket photos (5 things)"),
        ("aws_dynamodb_table", {"name": "ImageMetadata"}, "the table ImageMetadata (5 things)"),
    ],
)
@pytest.mark.parametrize("actions", [["delete"], ["delete", "create"], ["create", "delete"]])
def test_a_plan_that_loses_data_is_refused_naming_it(
    kind: str, before: dict[str, Any], named: str, actions: list[str]
) -> None:
    plan = plan_of(change(kind, actions, before), change("aws_sqs_queue", ["delete"], {"name": "q"}))
    with pytest.raises(safety.UnsafePlan) as refused:
        safety.check(plan, False, lambda _: "5 things")
    said = str(refused.value)
    assert (
        named in said and "Nothing was changed" in said and "--replace-data" in said and "aws_sqs" not in said
    )
    assert ("replaced by an empty one" in said) == ("create" in actions)
    safety.check(plan, True, lambda _: "5 things")


def test_a_plan_that_only_makes_and_changes_is_applied() -> None:
    plan = plan_of(
        change("aws_s3_bucket", ["create"], {}),
        change("aws_dynamodb_table", ["update"], {"name": "t"}),
        *(
            change(
                "aws_s3_bucket",
                ["delete"],
                {"bucket": kind},
                module=f"module.image_metadata.module.{kind}_bucket[0].",
            )
            for kind in ("search", "preview")
        ),
        change("aws_lambda_function", ["delete", "create"], {"function_name": "f"}),
    )
    safety.check(plan, False, lambda _: "")


def function(**settings: str) -> dict[str, Any]:
    return {"environment": [{"variables": settings}]}


@pytest.mark.parametrize("name", ["index_shards", "counter_shards"])
def test_a_number_of_shards_is_never_lowered_and_may_be_raised(name: str) -> None:
    few, many, before = function(**{name.upper(): "16"}), function(**{name.upper(): "64"}), function()
    for deployed, planned in ((few, many), (before, few), (many, many)):
        raised = plan_of(change("aws_lambda_function", ["update"], deployed, planned))
        safety.check(raised, False, lambda _: "")
    at_once = [change("aws_lambda_function", ["update"], many, few)]
    by_another = [
        change("aws_lambda_function", ["delete"], many, None),
        change("aws_lambda_function", ["create"], None, few),
    ]
    for changes in (at_once, by_another):
        with pytest.raises(
            safety.UnsafePlan, match=f"{name} is 64 in this deployment and 16 in the settings"
        ):
            safety.check(plan_of(*changes), True, lambda _: "")
    safety.check(plan_of(by_another[0]), True, lambda _: "")


def test_a_refused_plan_is_not_applied_and_its_file_is_removed(
    place: deploy.Place, region_asked: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    recorded = Recorded(False, True)
    monkeypatch.setattr(recorded, "plan", plan_of(change("aws_s3_bucket", ["delete"], {"bucket": "photos"})))
    monkeypatch.setattr(safety, "amount", lambda *_: "2 objects")
    with pytest.raises(safety.UnsafePlan, match="photos"):
        deploy.deploy(place, recorded, {}, "deploy", [])
    assert recorded.ran == ["plan"] and not list(place.build.glob("*.tfplan"))
    assert deploy.deploy(place, recorded, {}, "deploy", [], replace_data=True) == 0
    assert recorded.ran == ["plan", "plan", "apply"]


@pytest.mark.parametrize(
    ("outputs", "environment", "message"),
    [
        (
            {"account_id": "999999999999"},
            {},
            r"in AWS account 999999999999.*account 123456789012.*Nothing was changed",
        ),
        (
            {"name_prefix": "cats"},
            {"TF_VAR_name_prefix": "dogs"},
            r"name_prefix is cats.*dogs.*--replace-data",
        ),
    ],
    ids=["account", "prefix"],
)
def test_settings_of_another_deployment_are_refused(
    place: deploy.Place,
    region_asked: list[str],
    monkeypatch: pytest.MonkeyPatch,
    outputs: dict[str, str],
    environment: dict[str, str],
    message: str,
) -> None:
    for name, value in outputs.items():
        monkeypatch.setitem(OUTPUTS, name, value)
    recorded = Recorded(False, True)
    with pytest.raises(deploy.DeployError, match=message):
        deploy.deploy(place, recorded, environment, "deploy", [])
    assert recorded.ran == [] and not place.variables.exists()
    if "account_id" in outputs:
        with pytest.raises(deploy.DeployError, match=message):
            deploy.destroy(place, recorded, environment, True, [])
        assert recorded.ran == []


@pytest.mark.parametrize(
    ("deployed", "wanted", "workspace"),
    [({}, "dev", "default"), ({}, "prod", "default"), ({"stage": "dev"}, "dev", "default"),
     ({"stage": "dev"}, "prod", "prod"),
     ({"api_url": "https://x/old/"}, "old", "default"), ({"api_url": "https://x/old"}, "dev", "dev")],
)  # fmt: skip
def test_each_stage_has_a_state_of_its_own(
    place: deploy.Place, deployed: dict[str, str], wanted: str, workspace: str
) -> None:
    class Stages(Recorded):
        def outputs(self) -> dict[str, object]:
            return dict(deployed) if self.selected == "default" else {}

    stages = Stages(False, True)
    _, outputs = deploy.enter_stage(place, stages, wanted)
    assert stages.selected == workspace
    assert outputs == (deployed if workspace == "default" else {})


def test_a_stage_of_its_own_is_found_again_when_the_default_state_is_free(place: deploy.Place) -> None:
    class Stages(Recorded):
        def outputs(self) -> dict[str, object]:
            return {}

        def workspaces(self) -> list[str]:
            return ["default", "prod"]

    stages = Stages(False, True)
    deploy.enter_stage(place, stages, "prod")
    assert stages.selected == "prod"


def test_a_deployed_table_keeps_its_name(configuration: Path) -> None:
    place, target = deploy.find_place({}), wheels.Target("python3.13", "arm64")

    def named(outputs: dict[str, object], environment: dict[str, str]) -> object:
        variables = deploy.variables_for(place, target, "us-east-1", None, environment, "dev", outputs)
        return variables.get("table_name")

    assert named({"table": "ImageMetadata"}, {}) == "ImageMetadata"
    assert named({}, {}) is None
    assert named({"table": "ImageMetadata"}, {"TF_VAR_table_name": "Other"}) is None


# --- a bucket that is there -----------------------------------------------------------------------------------------


def test_a_bucket_that_is_there_is_looked_at_before_anything_is_built(
    place: deploy.Place,
    configuration: Path,
    region_asked: list[str],
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    looked: list[tuple[str, str]] = []

    def check_bucket(_account: Account, bucket: str, owner: str) -> bool:
        looked.append((bucket, owner))
        if len(looked) == 1:
            raise existing_bucket.BucketError("not switched on")
        return False

    monkeypatch.setattr(deploy, "check_bucket", check_bucket)
    (configuration / "terraform.tfvars").write_text('create_bucket = false\nbucket_name = "ours"\n')
    recorded = Recorded(False, False)
    with pytest.raises(existing_bucket.BucketError):
        deploy.deploy(place, recorded, {}, "deploy", [])
    assert recorded.ran == [] and looked == [("ours", "123456789012")] and not place.variables.exists()
    assert deploy.deploy(place, recorded, {}, "deploy", []) == 0
    assert "s3:GetBucketNotification" in capsys.readouterr().out
    assert deploy.deploy(place, recorded, {"TF_VAR_create_bucket": "true"}, "deploy", []) == 0
    assert len(looked) == 2, "a bucket that is made is not looked for"


def test_backfill_is_given_what_is_deployed(
    place: deploy.Place, region_asked: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    deployed = {
        "region": "us-east-1", "table": "t", "queue_url": "https://q", "s3_file_event_arn": "arn:f",
        "code_bucket": "c", "upload_prefixes": ["2024/", ""], "batch_operations_role_arn": "arn:role",
    }  # fmt: skip
    for name, value in deployed.items():
        monkeypatch.setitem(OUTPUTS, name, value)  # type: ignore[misc]
    ran: list[list[str]] = []

    def run(command: list[str], **_options: object) -> subprocess.CompletedProcess[str]:
        ran.append(command)
        return subprocess.CompletedProcess(command, 1)

    monkeypatch.setattr(deploy.subprocess, "run", run)
    assert deploy.run_backfill(place, Recorded(False, True), {}, True, ["--method=queue"]) == 1
    (command,) = ran
    assert command[0] == sys.executable and command[1].endswith("tools/ops/backfill.py")
    assert {"--bucket=b", "--prefix=2024/", "--prefix=", "--role-arn=arn:role", "--yes"} <= set(command)
    assert command[-1] == "--method=queue"
    assert deploy.run_backfill(place, Recorded(False, True), {}, True, ["-no-color"]) == 1
    assert "-no-color" not in ran.pop(), "its own parser knows no such option"
    with pytest.raises(deploy.DeployError, match="not deployed from here"):
        deploy.run_backfill(place, Recorded(False, False), {}, True, [])
