"""Deploy the API to the AWS account the credentials name, or onto the local AWS when AWS_ENDPOINT_URL is set.

``deploy.sh`` (deploy), ``deploy.sh plan``, ``check``, ``verify``, ``backfill`` and ``destroy``. Standard library only.

What a deployment was made with (region, stage, role, architecture) is kept beside the Terraform configuration in
``terraform/deploy.auto.tfvars.json``, so that plain ``terraform plan`` and ``terraform destroy`` see the same values.
Each stage has a state of its own: the first one Terraform's default workspace, any other a workspace of its name.
The local AWS keeps states and variables below ``.local`` instead, apart from any real deployment.

Nothing stateful goes without a word: the plan is made to a file and read (tools/deploy/safety.py) before it is applied,
and settings that belong to another account, region or name than what is deployed stop here.
"""

from __future__ import annotations

import argparse
import contextlib
import importlib.util
import json
import os
import re
import secrets
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from tools.deploy import (
    check,
    cost,
    leftovers,
    package,
    provider,
    safety,
    snapshots,
    verify,
    warm_throughput,
    wheels,
)
from tools.deploy.account import Account
from tools.deploy.credentials import (
    AccountError,
    Identity,
    caller_identity,
    find_credentials,
    find_region,
    role_arn,
)
from tools.deploy.environment import SetupError, prepare
from tools.deploy.existing_bucket import BucketError, check_bucket
from tools.deploy.files import write_json
from tools.deploy.local_bucket import empty_bucket
from tools.deploy.pip import PipError
from tools.deploy.sigv4 import ApiError, Credentials
from tools.deploy.terraform import CONFIGURATION, Terraform, TerraformError

ROOT = Path(__file__).resolve().parents[2]
LAB_ROLE = "LabRole"
#: Where AWS Academy Learner Labs may work (the lab's own instructions, "Service usage and other restrictions").
LAB_REGIONS = ("us-east-1", "us-west-2")
#: As in terraform/variables.tf (tests/contract holds them equal).
DEFAULT_STAGE = "dev"
DEFAULT_PREFIX = "image-metadata"
LOCAL_STAGE = "local"
PLAN_FILE = "deploy.tfplan"
#: Of Terraform's options the one that every command takes, those too that hand it to nobody.
NO_COLOR = "-no-color"
KEPT_VARIABLES = CONFIGURATION / "deploy.auto.tfvars.json"
POSTMAN_FILE = "image-metadata-api.postman_environment.json"
LOCAL_DEFAULTS = {
    "AWS_ACCESS_KEY_ID": "test",
    "AWS_SECRET_ACCESS_KEY": "test",
    "AWS_EC2_METADATA_DISABLED": "true",
}
#: Terraform variables whose default the local AWS has another of.
LOCAL_VARIABLES = {
    # Found at once: nobody counts the requests here.
    "search_delay_seconds": 1,
    # A plan without access log settings never comes back empty there, nor one with alarms.
    "access_logs": True,
    "monitoring": False,
}


class DeployError(Exception):
    """A deployment that cannot go on; the text says what to do about it."""


@dataclass(frozen=True)
class Place:
    """Where to deploy to and where to keep what belongs to that deployment."""

    endpoint: str | None
    build: Path
    variables: Path
    state: Path | None
    data_dir: Path | None

    @property
    def local(self) -> bool:
        """Whether this is the local AWS."""
        return self.endpoint is not None

    def options(self) -> list[str]:
        """Terraform's option that names the variable file it does not read by itself."""
        return [f"-var-file={self.variables}"] if self.local else []

    def provider(self, terraform: Terraform) -> contextlib.AbstractContextManager[None]:
        """Where Terraform's provider may serve several commands, that it does."""
        return provider.kept_running(terraform) if self.local else contextlib.nullcontext()


def find_place(environment: Mapping[str, str]) -> Place:
    """AWS, or the local AWS when AWS_ENDPOINT_URL is set (its files go to DEPLOY_DIR, default ``.local/deploy``)."""
    endpoint = environment.get("AWS_ENDPOINT_URL") or None
    if endpoint is None:
        return Place(None, ROOT / "build", KEPT_VARIABLES, None, None)
    home = Path(environment.get("DEPLOY_DIR") or ROOT / ".local" / "deploy").resolve()
    home.mkdir(parents=True, exist_ok=True)
    return Place(
        endpoint, home / "build", home / "variables.json", home / "terraform.tfstate", home / "terraform"
    )


def stage_of(outputs: Mapping[str, object]) -> str | None:
    """The stage that a state's outputs belong to; None where nothing is deployed.

    Deployments of before there was the output ``stage`` tell it by the end of their address.
    """
    if not outputs:
        return None
    return str(outputs.get("stage") or str(outputs.get("api_url", "")).rstrip("/").rpartition("/")[2])


def wanted_stage(place: Place, environment: Mapping[str, str]) -> str:
    """The stage that the settings name; the stage in terraform.tfvars is that of AWS."""
    if place.local:
        return environment.get("TF_VAR_stage") or LOCAL_STAGE
    return chosen("stage", DEFAULT_STAGE, environment)


def enter_stage(place: Place, terraform: Terraform, stage: str) -> tuple[Place, dict[str, object]]:
    """Point Terraform at the state of ``stage``; returns the place with that stage's files, and the stage's outputs.

    A stage is where it is already deployed; else in the default state while that is free; else in one of its own.
    """
    if place.state is not None:
        own = place.state.parent / "stages" / stage
        if not (own / place.state.name).exists():
            outputs = terraform.outputs()
            if stage_of(outputs) in (None, stage):
                return place, outputs
        terraform.state = own / place.state.name
        place = replace(place, state=terraform.state, variables=own / place.variables.name)
        return place, terraform.outputs()
    terraform.select("default")
    if stage not in terraform.workspaces():
        outputs = terraform.outputs()
        if stage_of(outputs) in (None, stage):
            return place, outputs
    terraform.select(stage)
    return place, terraform.outputs()


def check_same(
    outputs: Mapping[str, object], identity: Identity, stage: str, prefix: str | None, replace_data: bool
) -> None:
    """Raise DeployError when what is deployed belongs to another account, or has another name than the settings say.

    Outputs that an older deployment does not have are not compared.
    """
    account = outputs.get("account_id")
    if account and account != identity.account:
        raise DeployError(
            f"This deployment is in AWS account {account}, and the credentials are of account {identity.account}. "
            "Use credentials of that account, or a fresh clone for another one. Nothing was changed."
        )
    held = outputs.get("name_prefix")
    if prefix and held and held != prefix and not replace_data:
        raise DeployError(
            f"This deployment's name_prefix is {held}, and the settings now say {prefix}: every resource would be "
            f"made anew, with the images and records lost. Set name_prefix = {held!r} to go on with it. Another one "
            f"beside it: TF_VAR_stage=NAME ./deploy.sh. To replace it: ./deploy.sh --replace-data. Nothing was changed."
        )
    if stage_of(outputs) not in (None, stage):
        raise DeployError(f"The state that was found is of stage {stage_of(outputs)}, not of {stage}.")


def choose_role(
    identity: Identity, credentials: Credentials, region: str, endpoint: str | None
) -> str | None:
    """The role every function shall use: LabRole where the account has one, else None (one role per function)."""
    try:
        return role_arn(LAB_ROLE, credentials, region, endpoint)
    except ApiError as error:
        if identity.is_learner_lab:
            return f"arn:{identity.partition}:iam::{identity.account}:role/{LAB_ROLE}"
        if error.code in ("AccessDenied", "AccessDeniedException"):
            return None
        raise DeployError(
            f"IAM could not be asked for the role {LAB_ROLE}: {error}. Run this again."
        ) from error


def user_setting(name: str, environment: Mapping[str, str]) -> str | None:
    """Terraform variable ``name`` as the user set it (TF_VAR_ or terraform.tfvars), without quotes; None: not set."""
    if f"TF_VAR_{name}" in environment:
        return environment[f"TF_VAR_{name}"]
    try:
        text = (CONFIGURATION / "terraform.tfvars").read_text(encoding="utf-8-sig")
    except OSError:
        return None
    found = re.search(
        rf'^[ \t]*{re.escape(name)}[ \t]*=[ \t]*(?:"([^"\n]*)"|((?:(?!#|//|/\*).)*))', text, re.MULTILINE
    )
    if found is None:
        return None
    return found[1] if found[1] is not None else found[2].strip()


def chosen(name: str, default: str, environment: Mapping[str, str]) -> str:
    """The value of Terraform variable ``name`` as the user set it, else ``default``."""
    value = user_setting(name, environment)
    return default if value in (None, "", "null") else str(value)


def postman_environment(name: str, api_url: str, api_key: str | None) -> dict[str, object]:
    """A Postman environment that the collection in ``docs`` runs with."""
    values = [
        {"key": "base_url", "value": api_url.rstrip("/"), "type": "default", "enabled": True},
        {"key": "api_key", "value": api_key or "", "type": "secret", "enabled": True},
    ]
    return {"name": name, "values": values, "_postman_variable_scope": "environment"}


def target_of(place: Place, environment: Mapping[str, str]) -> wheels.Target:
    """What to build the packages for."""
    if place.local:
        return wheels.host_target()
    runtime = chosen("runtime", wheels.DEFAULT_RUNTIME, environment)
    architecture = chosen("architecture", wheels.DEFAULT_ARCHITECTURE, environment)
    if runtime not in wheels.GLIBC_MINOR or architecture not in wheels.ARCHITECTURES:
        raise DeployError(
            f"Packages cannot be built for runtime {runtime!r} and architecture {architecture!r}. Runtimes: "
            f"{', '.join(sorted(wheels.GLIBC_MINOR))}; architectures: {', '.join(sorted(wheels.ARCHITECTURES))}."
        )
    return wheels.Target(runtime, architecture)


def variables_for(
    place: Place,
    target: wheels.Target,
    region: str,
    role: str | None,
    environment: Mapping[str, str],
    stage: str | None = None,
    outputs: Mapping[str, object] | None = None,
    in_lab: bool = False,
) -> dict[str, object]:
    """The Terraform variables that this deployment decides and the user has not.

    ``force_destroy`` lets ``destroy`` remove a bucket that still holds images: in a lab and locally that is what is
    wanted, anywhere else it takes a decision of the user's. An API key is made up only for the local AWS, which
    cannot do it itself. A table that is deployed keeps its name, whatever the default is now.
    """
    # An absent role is written as null, so that no other file's value takes its place.
    wanted: dict[str, object] = {
        "region": region,
        "lambda_role_arn": role,
        "force_destroy": place.local or in_lab,
    }
    if place.local:
        kept_key = str(_kept(place.variables).get("api_key_value", ""))
        wanted |= LOCAL_VARIABLES | {
            "build_dir": str(place.build),
            "local_endpoint": place.endpoint,
            "api_key_value": kept_key if kept_key.isalnum() else secrets.token_hex(16),
            # The gallery shows what pixels tell, and here it costs nobody anything; without search nobody could ask.
            "pixels": "all" if chosen("search", "true", environment) == "true" else "off",
        }
    else:
        wanted |= {"build_dir": "../build", "runtime": target.runtime, "architecture": target.architecture}
    if outputs and outputs.get("table"):
        wanted["table_name"] = outputs["table"]
    if stage:
        wanted["stage"] = stage
    # Region and stage are those that were decided on, so that the next run finds this deployment whatever is set then.
    return {
        name: value
        for name, value in wanted.items()
        if name in ("region", "stage") or user_setting(name, environment) is None
    }


def _kept(path: Path) -> dict[str, object]:
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return found if isinstance(found, dict) else {}


def wanted_region(environment: Mapping[str, str]) -> str:
    """The region to deploy to: TF_VAR_region, terraform.tfvars, or where AWS's own settings point."""
    return chosen("region", "", environment) or find_region(environment)


def check_region(wanted: str, held: object) -> None:
    """Raise DeployError when what is deployed lies in another region (``held``; None: nothing is deployed).

    Terraform would look for it in the wanted region, find nothing, and forget what runs on elsewhere.
    """
    if held and held != wanted:
        raise DeployError(
            f"This deployment is in {held}, and the settings now say {wanted}. To go on with it: set AWS_REGION={held} "
            f"(and TF_VAR_region or region in terraform/terraform.tfvars, if set). To move: ./deploy.sh destroy first."
        )


def check_lab(identity: Identity, region: str) -> None:
    """Raise DeployError when this is a Learner Lab and the region one that labs do not admit."""
    if identity.is_learner_lab and region not in LAB_REGIONS:
        raise DeployError(
            f"A Learner Lab admits the regions {' and '.join(LAB_REGIONS)}, and the settings say {region}. Set "
            f"AWS_REGION={LAB_REGIONS[0]} (and TF_VAR_region or region in terraform/terraform.tfvars, if set) and run "
            "this again. Nothing was changed."
        )


def check_own_bucket(account: Account, identity: Identity, environment: Mapping[str, str]) -> None:
    """Raise BucketError where the settings name a bucket that is there and that cannot be catalogued."""
    name = chosen("bucket_name", "", environment)
    if chosen("create_bucket", "true", environment) == "true" or not name:
        return
    if not check_bucket(account, name, identity.account):
        print(
            f"Whether the bucket {name} sends its events to EventBridge may not be asked with these credentials "
            "(s3:GetBucketNotification): see that it does, else nothing new will be catalogued.",
            flush=True,
        )


def log_in(place: Place, environment: Mapping[str, str], region: str) -> tuple[Credentials, Identity]:
    """Credentials and the identity they belong to, which is printed. Raises AccountError when they do not work."""
    credentials = find_credentials(environment)
    identity = caller_identity(credentials, region, place.endpoint)
    where = f"the local AWS at {place.endpoint}" if place.local else f"AWS account {identity.account}"
    print(f"This is {where}, region {region}, as {identity.arn.split(':', 5)[5]}", flush=True)
    return credentials, identity


def deploy(
    place: Place,
    terraform: Terraform,
    environment: Mapping[str, str],
    verb: str,
    extra: list[str],
    replace_data: bool = False,
) -> int:
    """Build, plan, look at the plan and apply it (or only plan); prints what there is to use. Returns the exit code."""
    region = wanted_region(environment)
    credentials, identity = log_in(place, environment, region)
    check_lab(identity, region)
    target = target_of(place, environment)
    role = choose_role(identity, credentials, region, place.endpoint)
    if user_setting("lambda_role_arn", environment) is None:
        print(f"Functions run as {role}" if role else "Each function gets a role of its own", flush=True)
    print("Preparing Terraform", flush=True)
    terraform.init()
    account = Account(credentials, region, place.endpoint)
    with place.provider(terraform):
        stage = wanted_stage(place, environment)
        place, outputs = enter_stage(place, terraform, stage)
        check_region(region, outputs.get("region"))
        check_same(outputs, identity, stage, chosen("name_prefix", DEFAULT_PREFIX, environment), replace_data)
        check_own_bucket(account, identity, environment)
        package.build_all(target, ROOT / "lambdas", place.build)
        write_json(
            place.variables,
            variables_for(
                place, target, region, role, environment, stage, outputs, in_lab=identity.is_learner_lab
            ),
        )
        if verb == "plan":
            code = terraform.run("plan", "-input=false", *place.options(), *extra)
            if units := chosen("warm_throughput", "", environment):
                print(
                    f"Then deploy.sh lets the table take {units} write units a second, if it does not: warm_throughput"
                )
            return code
        code, monthly = apply(place, terraform, extra, replace_data, account)
        if code:
            print(
                "deploy.sh: Terraform could not finish; its message above says why. What it made so far is "
                "remembered: run ./deploy.sh again to go on, or ./deploy.sh destroy to remove it. If it says "
                "ExpiredToken, renew the credentials first (a Learner Lab: Start Lab, AWS Details).",
                file=sys.stderr,
            )
            return code
        outputs = terraform.outputs()
    last_calls = 0 if place.local else snapshots.LAST_CALLS_SECONDS
    done = snapshots.settle(account, functions_of(outputs), last_calls)
    if units := outputs.get("warm_throughput"):
        done &= warm_throughput.ensure(account, str(outputs["table"]), int(str(units)))
    show(place, outputs, monthly)
    return 0 if done else 1


def apply(
    place: Place, terraform: Terraform, extra: list[str], replace_data: bool, account: Account
) -> tuple[int, cost.Standing]:
    """Plan to a file, refuse a plan that loses data (UnsafePlan), apply that very plan.

    Returns the exit code, and what the deployment costs by the month while nothing happens.
    """
    plan_file = place.build / PLAN_FILE
    plan_file.parent.mkdir(parents=True, exist_ok=True)
    wanted = ("-input=false", "-compact-warnings", f"-out={plan_file}", *place.options(), *extra)
    try:
        code = terraform.run("plan", *wanted)
        if code:
            return code, cost.NOTHING
        plan = terraform.planned(plan_file)
        safety.check(plan, replace_data, lambda loss: safety.amount(loss, account))
        if adopt_log_groups(place, terraform, plan, account):
            code = terraform.run("plan", *wanted)
            if code:
                return code, cost.NOTHING
        code = terraform.run("apply", "-input=false", "-compact-warnings", str(plan_file))
        return code, cost.standing(plan)
    finally:
        plan_file.unlink(missing_ok=True)  # it holds the values of sensitive variables


def adopt_log_groups(
    place: Place, terraform: Terraform, plan: Mapping[str, Any], account: Account
) -> list[str]:
    """Take over the log groups that the plan would make and that are there; returns their names.

    A removed function's late line makes its group again, and with it what the function logged last.
    """
    wanted = {
        resource["change"]["after"]["name"]: resource["address"]
        for resource in plan.get("resource_changes", [])
        if resource["type"] == "aws_cloudwatch_log_group" and resource["change"]["actions"] == ["create"]
    }
    try:
        there = leftovers.log_groups(account, wanted)
    except ApiError:
        return []  # where that may not be asked, Terraform says it
    for name in there:
        print(f"The log group {name} is there already, and taken over", flush=True)
        terraform.adopt(wanted[name], name, *place.options())
    return there


def show(place: Place, outputs: Mapping[str, object], monthly: cost.Standing = cost.NOTHING) -> None:
    """Print URL, key, one curl line and how to remove it all; write the Postman environment."""
    url, key = str(outputs["api_url"]).rstrip("/"), outputs.get("api_key") or None
    write_json(
        place.build / POSTMAN_FILE, postman_environment("Image Metadata API", url, str(key) if key else None)
    )
    header = ' -H "x-api-key: $API_KEY"' if key else ""
    print()
    if outputs.get("gallery_url"):
        print(f"Gallery: {outputs['gallery_url']}")
    print(f"API:     {url}")
    prefixes = " or ".join(prefixes_of(outputs))
    print(
        f"Bucket:  {outputs['bucket']}  (images go {f'below {prefixes}' if prefixes else 'anywhere in it'})"
    )
    if outputs.get("create_bucket") is False:
        print("         What is there already: ./deploy.sh backfill")
    if place.local and outputs.get("auth") != "jwt":
        if key:
            print(f"API key: {key}")
        print(f"\n  curl{header.replace('$API_KEY', str(key))} {url}/metadata\n")
        return
    if key:
        print("API key: terraform -chdir=terraform output -raw api_key")
        print("\n  API_KEY=$(terraform -chdir=terraform output -raw api_key)")
        print(f"  curl{header} {url}/metadata\n")
    elif outputs["auth"] == "iam":
        print(f'\n  curl --aws-sigv4 "aws:amz:{outputs["region"]}:execute-api" \\')
        print('       --user "$AWS_ACCESS_KEY_ID:$AWS_SECRET_ACCESS_KEY" \\')
        print(f'       -H "x-amz-security-token: $AWS_SESSION_TOKEN" {url}/metadata\n')
    elif outputs["auth"] == "jwt":
        print(f'\n  curl -H "Authorization: Bearer $TOKEN" {url}/metadata\n')
    else:
        print('\nWARNING: auth is "none": anyone who knows this address can read, upload and delete images.')
        print(f"\n  curl {url}/metadata\n")
    print(
        f"Postman: import docs/image-metadata-api.postman_collection.json and {place.build.name}/{POSTMAN_FILE}"
    )
    print(cost.described(monthly))
    print("See it work: ./deploy.sh verify   Remove everything again: ./deploy.sh destroy")


def destroy(
    place: Place, terraform: Terraform, environment: Mapping[str, str], yes: bool, extra: list[str]
) -> int:
    """Remove the deployment, wherever it is; asks first on a terminal unless ``yes``. Returns the exit code."""
    ask = not (yes or place.local) and sys.stdin.isatty()
    if not ask and not yes and not place.local:
        raise DeployError(
            "Destroying removes every image and record. Confirm with: ./deploy.sh destroy --yes"
        )
    terraform.init()
    stage = wanted_stage(place, environment)
    place, outputs = enter_stage(place, terraform, stage)
    kept = _kept(place.variables)
    region = str(outputs.get("region") or kept.get("region") or wanted_region(environment))
    credentials, identity = log_in(place, environment, region)
    check_same(outputs, identity, stage, None, True)
    if outputs.get("deletion_protection"):
        raise DeployError(
            f"The table {outputs.get('table')} is protected from deletion. To remove it with every record: "
            "TF_VAR_deletion_protection=false ./deploy.sh, then ./deploy.sh destroy. Nothing was changed."
        )
    if outputs:
        kept_bucket = " (which stays as it is)" if outputs.get("create_bucket") is False else ""
        print(
            f"Destroying stage {stage}: bucket {outputs.get('bucket')}{kept_bucket}, table {outputs.get('table')}",
            flush=True,
        )
    write_json(place.variables, kept | {"region": region, "stage": stage})
    bucket = outputs.get("bucket") if place.local and outputs.get("create_bucket") is not False else None
    if place.endpoint and bucket:
        with contextlib.suppress(ApiError):  # Terraform says what is wrong
            empty_bucket(place.endpoint, str(bucket), credentials, region)
    with place.provider(terraform):
        code = terraform.run(
            "destroy", "-compact-warnings", *([] if ask else ["-auto-approve"]), *place.options(), *extra
        )
    if code:
        print(
            "deploy.sh: Terraform could not remove everything. If it says BucketNotEmpty, images are left: save what "
            "you need, then TF_VAR_force_destroy=true ./deploy.sh, and ./deploy.sh destroy. Else run it again.",
            file=sys.stderr,
        )
        return code
    place.variables.unlink(missing_ok=True)
    show_left(Account(credentials, region, place.endpoint), outputs)
    return 0


def show_left(account: Account, outputs: Mapping[str, object]) -> None:
    """Remove the log groups that late lines made again, and list what is left under the deployment's name."""
    if not outputs.get("name_prefix"):
        return
    name = f"{outputs['name_prefix']}-{stage_of(outputs)}"
    try:
        for group in leftovers.remove_late_log_groups(account, functions_of(outputs)):
            print(f"Removed as well: log group {group}, which a late line made again")
    except ApiError as error:
        print(f"Whether log groups are left could not be asked: {error}")
    left = leftovers.of_deployment(account, name)
    print(f"Left of {name}: {'nothing' if not left else ''}")
    for kind, names in left.items():
        print(f"  {kind}: {', '.join(names)}")


def run_check(place: Place, terraform: Terraform, environment: Mapping[str, str]) -> int:
    """Print what is needed and whether this account allows it. Returns the exit code."""
    region = wanted_region(environment)
    credentials, identity = log_in(place, environment, region)
    check_lab(identity, region)
    role = user_setting("lambda_role_arn", environment) or choose_role(
        identity, credentials, region, place.endpoint
    )
    name = f"{chosen('name_prefix', DEFAULT_PREFIX, environment)}-{wanted_stage(place, environment)}"
    wanted = check.Wanted(
        name=name,
        bucket=chosen("bucket_name", f"{name}-{identity.account}-{region}", environment),
        create_bucket=chosen("create_bucket", "true", environment) == "true",
        role=role,
        monitoring=chosen("monitoring", "false" if place.local else "true", environment) == "true",
        terraform=terraform.version(),
    )
    missing = check.show(check.rows(Account(credentials, region, place.endpoint), identity, wanted))
    if missing:
        print(f"deploy.sh: {missing} of these stand in the way. Nothing was changed.", file=sys.stderr)
        return 1
    print("Nothing stands in the way of ./deploy.sh. Nothing was changed.")
    return 0


def enter_deployed(
    place: Place, terraform: Terraform, environment: Mapping[str, str]
) -> tuple[Place, dict[str, object], Credentials, Identity]:
    """The wanted stage as it is deployed, and credentials of its account; raises DeployError where it is not."""
    terraform.init()
    stage = wanted_stage(place, environment)
    place, outputs = enter_stage(place, terraform, stage)
    if not outputs:
        raise DeployError(f"Stage {stage} is not deployed from here: ./deploy.sh first.")
    credentials, identity = log_in(place, environment, str(outputs["region"]))
    check_same(outputs, identity, stage, None, True)
    return place, outputs, credentials, identity


def run_verify(place: Place, terraform: Terraform, environment: Mapping[str, str]) -> int:
    """Send one picture through the deployment. Returns the exit code."""
    place, outputs, credentials, _ = enter_deployed(place, terraform, environment)
    token = environment.get("API_TOKEN")
    if outputs.get("auth") == "jwt" and not token:
        raise DeployError(
            "The API takes access tokens: set API_TOKEN to one that has the scopes read and delete."
        )
    verifier = verify.Verifier(Account(credentials, str(outputs["region"]), place.endpoint), outputs, token)
    try:
        verify.show(verifier.steps())
    except (verify.VerifyError, ApiError) as error:
        print(f"deploy.sh: the deployment does not work as it should: {error}", file=sys.stderr)
        return 1
    print("The deployment works. The picture that showed it is removed again.")
    return 0


def run_backfill(
    place: Place, terraform: Terraform, environment: Mapping[str, str], yes: bool, extra: list[str]
) -> int:
    """Catalogue what the bucket holds already (tools/ops/backfill.py). Returns its exit code."""
    place, outputs, _, identity = enter_deployed(place, terraform, environment)
    names = ["bucket", "table", "queue_url", "s3_file_event_arn", "code_bucket"]
    arguments = [f"--{name.replace('_', '-')}={outputs[name]}" for name in names]
    arguments += [f"--prefix={prefix}" for prefix in prefixes_of(outputs)]
    arguments += ["--account", identity.account, "--region", str(outputs["region"])]
    if outputs.get("batch_operations_role_arn"):
        arguments.append(f"--role-arn={outputs['batch_operations_role_arn']}")
    if yes or place.local:
        arguments.append("--yes")
    arguments += [option for option in extra if option != NO_COLOR]
    command = [str(python_with_boto3()), str(ROOT / "tools/ops/backfill.py"), *arguments]
    return subprocess.run(command, check=False).returncode


def python_with_boto3() -> Path:
    """The Python that runs tools/ops: this one where it has what they import, else one that is made for them."""
    if all(importlib.util.find_spec(name) for name in ("boto3", "PIL", "rich")):
        return Path(sys.executable)
    return prepare(
        ROOT / ".local" / "ops",
        ROOT / "requirements" / "ops.txt",
        notice="Installing what tools/ops needs into .local/ops (once)",
    )


def prefixes_of(outputs: Mapping[str, object]) -> list[str]:
    """The prefixes that a deployment catalogues; one from before there were several says nothing of them."""
    prefixes = outputs.get("upload_prefixes")
    return list(map(str, prefixes)) if isinstance(prefixes, list) and prefixes else ["uploads/"]


def functions_of(outputs: Mapping[str, object]) -> list[str]:
    """The full names of a deployment's functions; one from before they were an output has none."""
    functions = outputs.get("function_names")
    return list(map(str, functions.values())) if isinstance(functions, dict) else []


def parse_arguments(arguments: list[str] | None) -> tuple[argparse.Namespace, list[str]]:
    """Read the command line of ``deploy.sh``; what is not ours goes to Terraform."""
    parser = argparse.ArgumentParser(
        prog="deploy.sh",
        description="Build and deploy the Image Metadata API to the AWS account your credentials name.",
        epilog="Settings: terraform/terraform.tfvars or TF_VAR_name=value, e.g. TF_VAR_auth=iam ./deploy.sh. "
        "Other options (-target, -lock=false ...) are handed to Terraform.",
    )
    parser.add_argument(
        "command",
        nargs="?",
        choices=["deploy", "plan", "check", "verify", "backfill", "destroy"],
        default="deploy",
        help="deploy (the default): build, create or update everything, print the addresses; "
        "plan: build, show what deploy would change; check: say what is needed and whether this account allows it, "
        "changing nothing; verify: send one picture from upload to deletion; backfill: catalogue what the bucket holds "
        "already; destroy: remove everything",
    )
    parser.add_argument("--yes", action="store_true", help="destroy or backfill without asking")
    parser.add_argument(
        "--replace-data",
        action="store_true",
        help="deploy even where the plan deletes or replaces a bucket or table with what it holds",
    )
    options, extra = parser.parse_known_args(arguments)
    # These two have no Terraform to hand options to.
    unknown = [option for option in extra if option != NO_COLOR]
    if unknown and options.command in ("check", "verify"):
        parser.error(f"{options.command} takes no {' '.join(unknown)}")
    return options, extra


def main(arguments: list[str] | None = None) -> int:
    """Run one command; failures exit 1 with a message that says what to do next."""
    options, extra = parse_arguments(arguments)
    os.umask(0o077)  # state, plan and variables hold the API key; Terraform inherits it
    place = find_place(os.environ)
    if place.local:
        for name, value in LOCAL_DEFAULTS.items():
            os.environ.setdefault(name, value)
    terraform = Terraform(state=place.state, data_dir=place.data_dir)
    try:
        terraform.check()
        if options.command == "destroy":
            return destroy(place, terraform, os.environ, options.yes, extra)
        if options.command == "check":
            return run_check(place, terraform, os.environ)
        if options.command == "backfill":
            return run_backfill(place, terraform, os.environ, options.yes, extra)
        if options.command == "verify":
            return run_verify(place, terraform, os.environ)
        return deploy(place, terraform, os.environ, options.command, extra, options.replace_data)
    except (
        DeployError,
        AccountError,
        ApiError,
        BucketError,
        TerraformError,
        SetupError,
        safety.UnsafePlan,
        package.PackageError,
        PipError,
    ) as error:
        print(f"deploy.sh: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print(
            f"\ndeploy.sh: interrupted; what was made is remembered. To go on: ./deploy.sh {options.command}",
            file=sys.stderr,
        )
        return 130


if __name__ == "__main__":
    sys.exit(main())
