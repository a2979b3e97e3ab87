"""Find AWS credentials and ask AWS who they belong to, with the standard library alone: no AWS CLI, no boto3.

Covers what Terraform's provider reads without help: environment variables, the shared credentials file, and the
container endpoint of CloudShell; profiles that need more (SSO, assumed roles) go through the AWS CLI, if installed.
"""

from __future__ import annotations

import codecs
import configparser
import datetime
import json
import os
import re
import shutil
import subprocess
import urllib.parse
import urllib.request
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from tools.deploy.sigv4 import TIMEOUT, ApiError, Credentials, query, text_of

DEFAULT_REGION = "us-east-1"
LOCAL_HOSTS = ("127.0.0.1", "localhost", "::1")
LAB_STEPS = (
    "In an AWS Academy Learner Lab: click Start Lab and wait for the green dot, then AWS Details > AWS CLI: Show,\n"
    "copy the whole block into ~/.aws/credentials (Windows: %USERPROFILE%\\.aws\\credentials), and run this again."
)


class AccountError(Exception):
    """Credentials are missing, expired or refused; the text says what to do about it."""


@dataclass(frozen=True)
class Identity:
    """Who the credentials belong to (STS GetCallerIdentity)."""

    account: str
    arn: str

    @property
    def partition(self) -> str:
        """``aws``, or the name of another AWS partition."""
        return self.arn.split(":")[1]

    @property
    def is_learner_lab(self) -> bool:
        """Whether this is the student role of an AWS Academy Learner Lab."""
        return ":assumed-role/voclabs/" in self.arn


def find_region(environment: Mapping[str, str] | None = None) -> str:
    """The region to work in: environment, else the profile in ``~/.aws/config``, else us-east-1.

    Raises AccountError when the setting is not a region.
    """
    environment = os.environ if environment is None else environment
    for name in ("AWS_REGION", "AWS_DEFAULT_REGION"):
        if environment.get(name):
            return _checked_region(environment[name].strip(), name)
    profile = environment.get("AWS_PROFILE") or "default"
    section = "default" if profile == "default" else f"profile {profile}"
    found = _read_ini(environment, "AWS_CONFIG_FILE", "config").get(section, {}).get("region")
    return _checked_region(found, f"region of [{section}] in ~/.aws/config") if found else DEFAULT_REGION


def find_credentials(environment: Mapping[str, str] | None = None) -> Credentials:
    """Find credentials where Terraform would; raises AccountError saying how to get some."""
    found = _find_credentials(os.environ if environment is None else environment)
    for name, value in (
        ("access key", found.key),
        ("secret access key", found.secret),
        ("session token", found.token or ""),
    ):
        wrong = re.search(r"[^\x21-\x7e]", value)
        if wrong:
            what = "a line break" if wrong[0] in "\r\n" else f"the character {wrong[0]!a}"
            raise AccountError(
                f"The {name} from {found.source} holds {what} at position {wrong.start() + 1}, which no {name} has: "
                f"it was damaged when it was copied. Copy it again, each value whole and on one line.\n{LAB_STEPS}"
            )
    return found


def _find_credentials(environment: Mapping[str, str]) -> Credentials:
    if environment.get("AWS_ACCESS_KEY_ID") and environment.get("AWS_SECRET_ACCESS_KEY"):
        return Credentials(
            environment["AWS_ACCESS_KEY_ID"].strip(),
            environment["AWS_SECRET_ACCESS_KEY"].strip(),
            environment.get("AWS_SESSION_TOKEN", "").strip() or None,
            "the environment (AWS_ACCESS_KEY_ID)",
            environment.get("AWS_CREDENTIAL_EXPIRATION") or None,
        )
    profile = environment.get("AWS_PROFILE") or "default"
    profiles = _read_ini(environment, "AWS_SHARED_CREDENTIALS_FILE", "credentials")
    section = profiles.get(profile, {})
    if section.get("aws_access_key_id") and section.get("aws_secret_access_key"):
        return Credentials(
            section["aws_access_key_id"],
            section["aws_secret_access_key"],
            section.get("aws_session_token") or None,
            f"the profile [{profile}] of ~/.aws/credentials",
            section.get("expiration") or section.get("x_security_token_expires") or None,
        )
    configured = _read_ini(environment, "AWS_CONFIG_FILE", "config")
    if profile != "default" and profile not in profiles and f"profile {profile}" not in configured:
        there = ", ".join(f"[{name}]" for name in profiles) or "none"
        raise AccountError(
            f"AWS_PROFILE names the profile [{profile}], which neither ~/.aws/credentials nor ~/.aws/config holds "
            f"(profiles there: {there}). Set AWS_PROFILE to one of those, or unset it."
        )
    found = _from_container(environment) or _from_cli(environment)
    if found:
        return found
    raise AccountError(
        f"No AWS credentials were found (looked at AWS_ACCESS_KEY_ID, and at the profile [{profile}] of "
        f"~/.aws/credentials).\n{LAB_STEPS}\nIn an account of your own: aws configure (or aws sso login), or export "
        "AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY."
    )


def regional_host(service: str, region: str) -> str:
    """Where a service of a region is asked."""
    return f"https://{service}.{region}.amazonaws.com" + (".cn" if region.startswith("cn-") else "")


def global_host(service: str, region: str) -> tuple[str, str]:
    """Where a service that knows no regions is asked from ``region``, and the region that signs."""
    if region.startswith("cn-"):
        return f"https://{service}.cn-north-1.amazonaws.com.cn", "cn-north-1"
    if region.startswith("us-gov-"):
        return f"https://{service}.us-gov.amazonaws.com", "us-gov-west-1"
    return f"https://{service}.amazonaws.com", "us-east-1"


def caller_identity(credentials: Credentials, region: str, endpoint: str | None = None) -> Identity:
    """Ask STS who the credentials belong to; raises AccountError with what to do when they are refused."""
    _checked_region(region, "the region")
    if endpoint:
        _check_endpoint(endpoint)
    try:
        answer = query(
            endpoint or regional_host("sts", region),
            "sts",
            region,
            credentials,
            {"Action": "GetCallerIdentity", "Version": "2011-06-15"},
        )
        return Identity(text_of(answer, "Account"), text_of(answer, "Arn"))
    except ApiError as error:
        raise AccountError(explain_refusal(error, credentials, endpoint)) from error


def role_arn(name: str, credentials: Credentials, region: str, endpoint: str | None = None) -> str | None:
    """The ARN of IAM role ``name``, or None when there is none; raises ApiError when asking is not allowed."""
    host, signed_region = global_host("iam", region)
    fields = {"Action": "GetRole", "Version": "2010-05-08", "RoleName": name}
    try:
        return text_of(query(endpoint or host, "iam", signed_region, credentials, fields), "Arn")
    except ApiError as error:
        if error.code in ("NoSuchEntity", "NoSuchEntityException"):
            return None
        raise


def explain_refusal(error: ApiError, credentials: Credentials, endpoint: str | None = None) -> str:
    """What AWS's refusal of credentials means, and what to do next."""
    if error.status >= 500 or error.code.startswith("Throttling"):
        return f"AWS did not answer properly ({error}). This passes: try again in a minute."
    if error.code in ("ExpiredToken", "ExpiredTokenException", "RequestExpired"):
        return (
            f"The AWS session token from {credentials.source} has expired.\n{LAB_STEPS}\n"
            "Elsewhere: aws sso login, or renew the temporary credentials."
        )
    if (
        error.code in ("InvalidClientTokenId", "UnrecognizedClientException", "InvalidAccessKeyId")
        and credentials.token
    ):
        return (
            f"AWS does not know the temporary credentials from {credentials.source} (any more).\n{LAB_STEPS}\n"
            "All three lines are needed: aws_access_key_id, aws_secret_access_key and aws_session_token."
        )
    if error.code in ("InvalidClientTokenId", "UnrecognizedClientException", "InvalidAccessKeyId"):
        return (
            f"AWS does not know the access key from {credentials.source}: it was deleted or mistyped, or the session "
            f"token that belongs to it is missing.\n{LAB_STEPS}"
        )
    if error.code == "SignatureDoesNotMatch":
        return (
            f"The secret access key from {credentials.source} does not belong to its access key, or this machine's "
            f"clock is wrong (it says {datetime.datetime.now(datetime.UTC):%Y-%m-%d %H:%M} UTC). Copy it again.\n"
            f"{LAB_STEPS}"
        )
    if error.code == "Unreachable" and endpoint and urllib.parse.urlsplit(endpoint).hostname in LOCAL_HOSTS:
        return (
            f"The local AWS at {endpoint} (AWS_ENDPOINT_URL) does not answer: {error}. Start it: make up\n"
            "To reach AWS itself: unset AWS_ENDPOINT_URL"
        )
    if error.code == "Unreachable":
        return (
            f"AWS could not be asked who the credentials belong to: {error}. "
            "Check the network (or HTTPS_PROXY) and the region."
        )
    return f"AWS refused the credentials from {credentials.source}: {error}."


def _checked_region(region: str, source: str) -> str:
    if not re.fullmatch(r"[a-z]{2,}(-[a-z]+)+-[0-9]+", region):
        raise AccountError(
            f"{source} is {region!a}, which is not an AWS region. Set AWS_REGION to one, for example {DEFAULT_REGION}."
        )
    return region


def _check_endpoint(endpoint: str) -> None:
    try:
        parts = urllib.parse.urlsplit(endpoint)
        valid = parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
    except ValueError:
        valid = False
    if not valid or re.search(r"[^\x21-\x7e]", endpoint):
        raise AccountError(
            f"AWS_ENDPOINT_URL is {endpoint!a}, which is not a URL. Write it like http://127.0.0.1:4566 for the "
            "local AWS (make up prints it), or unset it to reach AWS itself."
        )


def _decoded(content: bytes, path: Path) -> str:
    """The text of a settings file: UTF-8, or UTF-16 where a byte order mark says so (PowerShell's ``>``)."""
    utf16 = content.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE))
    try:
        text = content.decode("utf-16" if utf16 else "utf-8-sig")
    except UnicodeDecodeError as error:
        line = content[: error.start].count(b"\n") + 1
        raise AccountError(f"{path}, line {line}, is not UTF-8 text. Save the file as UTF-8.") from error
    if "\0" in text:
        raise AccountError(f"{path} is not UTF-8 text (UTF-16, by its zero bytes). Save the file as UTF-8.")
    return text


def _read_ini(environment: Mapping[str, str], variable: str, name: str) -> dict[str, dict[str, str]]:
    home = environment.get("HOME") or environment.get("USERPROFILE") or str(Path.home())
    path = Path(environment.get(variable) or Path(home) / ".aws" / name)
    parser = configparser.RawConfigParser(default_section="", strict=False)
    try:
        parser.read_string(_decoded(path.read_bytes(), path))
    except OSError:
        return {}
    except configparser.Error as error:
        # The line itself is not shown: it may be part of a secret.
        if isinstance(error, configparser.MissingSectionHeaderError):
            line, problem = error.lineno, "comes before any [profile] heading"
        else:
            numbers = [number for number, _ in getattr(error, "errors", [])]
            line, problem = next(iter(numbers), 0), "is not a line like name=value"
        raise AccountError(
            f"{path} cannot be read: line {line} {problem}. It should hold [default] and lines like "
            f"aws_access_key_id=...\n{LAB_STEPS}"
        ) from error
    return {
        section: {key: value.strip() for key, value in parser[section].items()}
        for section in parser.sections()
    }


def _from_container(environment: Mapping[str, str]) -> Credentials | None:
    url = environment.get("AWS_CONTAINER_CREDENTIALS_FULL_URI")
    if not url or not url.startswith(
        ("http://127.0.0.1", "http://localhost", "http://169.254.170.", "https://")
    ):
        return None
    request = urllib.request.Request(url)
    if environment.get("AWS_CONTAINER_AUTHORIZATION_TOKEN"):
        request.add_header("Authorization", environment["AWS_CONTAINER_AUTHORIZATION_TOKEN"])
    try:
        with urllib.request.urlopen(request, timeout=TIMEOUT) as answer:
            found = json.load(answer)
        return Credentials(
            found["AccessKeyId"],
            found["SecretAccessKey"],
            found.get("Token"),
            "CloudShell",
            found.get("Expiration"),
        )
    except (OSError, ValueError, KeyError):
        return None


def _from_cli(environment: Mapping[str, str]) -> Credentials | None:
    cli = shutil.which("aws", path=environment.get("PATH"))
    if cli is None:
        return None
    command = [cli, "configure", "export-credentials", "--format", "process"]
    done = subprocess.run(command, env=dict(environment), capture_output=True, text=True, check=False)
    try:
        found = json.loads(done.stdout)
        return Credentials(
            found["AccessKeyId"],
            found["SecretAccessKey"],
            found.get("SessionToken"),
            "the AWS CLI",
            found.get("Expiration"),
        )
    except (ValueError, KeyError):
        return None
