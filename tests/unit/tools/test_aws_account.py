"""Credentials without the AWS CLI: where they are found, how requests are signed, what a refusal means."""

import datetime
import io
import urllib.error
from pathlib import Path

import pytest
from botocore.auth import S3SigV4Auth, SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials as BotocoreCredentials

import aws_account
from aws_account import AccountError, ApiError, Credentials

LAB_FILE = "[default]\naws_access_key_id = ASIALAB\naws_secret_access_key=secret/+=\naws_session_token=IQo%J//token==\n"


@pytest.fixture
def home(tmp_path: Path) -> Path:
    (tmp_path / ".aws").mkdir()
    return tmp_path


def environment(home: Path, **more: str) -> dict[str, str]:
    return {"HOME": str(home), "PATH": str(home), **more}


def test_a_learner_lab_block_pasted_into_the_file_is_found(home: Path) -> None:
    (home / ".aws/credentials").write_text(LAB_FILE)
    found = aws_account.find_credentials(environment(home))
    assert (found.key, found.secret, found.token) == ("ASIALAB", "secret/+=", "IQo%J//token==")


def test_a_file_saved_by_notepad_is_read(home: Path) -> None:
    (home / ".aws/credentials").write_bytes(b"\xef\xbb\xbf" + LAB_FILE.replace("\n", "\r\n").encode())
    assert aws_account.find_credentials(environment(home)).token == "IQo%J//token=="


def test_the_environment_comes_first(home: Path) -> None:
    (home / ".aws/credentials").write_text(LAB_FILE)
    variables = environment(home, AWS_ACCESS_KEY_ID="AKIAENV", AWS_SECRET_ACCESS_KEY="s")
    assert aws_account.find_credentials(variables).key == "AKIAENV"


def test_a_profile_is_honoured(home: Path) -> None:
    (home / ".aws/credentials").write_text(
        LAB_FILE + "[work]\naws_access_key_id=AKIAWORK\naws_secret_access_key=s\n"
    )
    (home / ".aws/config").write_text("[default]\nregion=eu-west-1\n[profile work]\nregion=us-west-2\n")
    variables = environment(home, AWS_PROFILE="work")
    assert aws_account.find_credentials(variables).key == "AKIAWORK"
    assert aws_account.find_region(variables) == "us-west-2"
    assert aws_account.find_region(environment(home)) == "eu-west-1"
    assert aws_account.find_region(environment(home, AWS_REGION="eu-north-1")) == "eu-north-1"


def test_no_credentials_says_where_to_click(home: Path) -> None:
    with pytest.raises(AccountError, match=r"(?s)No AWS credentials.*Start Lab.*AWS Details.*aws configure"):
        aws_account.find_credentials(environment(home))


def test_a_block_pasted_without_its_heading_is_explained(home: Path) -> None:
    (home / ".aws/credentials").write_text("aws_access_key_id=ASIA\n")
    with pytest.raises(AccountError, match=r"cannot be read.*\[default\]"):
        aws_account.find_credentials(environment(home))


@pytest.mark.parametrize("token", [None, "IQoJ//token=="])
def test_requests_are_signed_as_botocore_signs_them(token: str | None) -> None:
    now = datetime.datetime.now(datetime.UTC)
    url, body = "https://sts.us-east-1.amazonaws.com/", b"Action=GetCallerIdentity&Version=2011-06-15"
    ours = aws_account.sign(
        "POST", url, body, "sts", "us-east-1", Credentials("AKID", "secret", token, ""), now
    )
    request = AWSRequest("POST", url, data=body, headers={"Content-Type": ours["content-type"]})
    signer = SigV4Auth(BotocoreCredentials("AKID", "secret", token), "sts", "us-east-1")
    request.context["timestamp"] = now.strftime("%Y%m%dT%H%M%SZ")
    request.headers["X-Amz-Date"] = request.context["timestamp"]
    if token:
        request.headers["X-Amz-Security-Token"] = token
    canonical = signer.canonical_request(request)
    signature = signer.signature(signer.string_to_sign(request, canonical), request)
    assert ours["authorization"].endswith(f"Signature={signature}")


def test_object_requests_are_signed_as_botocore_signs_them() -> None:
    now = datetime.datetime.now(datetime.UTC)
    url = "http://127.0.0.1:4566/bucket/uploads/100%25%20%2B%C3%A9.jpg?versionId=a~b&max-keys=5"
    ours = aws_account.sign(
        "DELETE", url, b"", "s3", "us-east-1", Credentials("AKID", "secret", None, ""), now
    )
    request = AWSRequest("DELETE", url)
    request.context["timestamp"] = request.headers["X-Amz-Date"] = now.strftime("%Y%m%dT%H%M%SZ")
    request.headers["X-Amz-Content-SHA256"] = ours["x-amz-content-sha256"]
    signer = S3SigV4Auth(BotocoreCredentials("AKID", "secret"), "s3", "us-east-1")
    signature = signer.signature(signer.string_to_sign(request, signer.canonical_request(request)), request)
    assert ours["authorization"].endswith(f"Signature={signature}")


def refuse(monkeypatch: pytest.MonkeyPatch, status: int, body: bytes) -> None:
    def answer(request, **_options):
        raise urllib.error.HTTPError(request.full_url, status, "refused", None, io.BytesIO(body))  # type: ignore[arg-type]

    monkeypatch.setattr(aws_account.urllib.request, "urlopen", answer)


@pytest.mark.parametrize(
    ("code", "token", "advice"),
    [
        ("ExpiredToken", "t", r"(?s)has expired.*Start Lab"),
        ("InvalidClientTokenId", "t", r"(?s)temporary credentials.*aws_session_token"),
        ("InvalidClientTokenId", None, "session token that belongs to it is missing"),
        ("SignatureDoesNotMatch", None, r"clock is wrong"),
        ("SomethingNew", None, "refused the credentials"),
    ],
)
def test_a_refusal_says_what_to_do(
    monkeypatch: pytest.MonkeyPatch, code: str, token: str | None, advice: str
) -> None:
    body = f"<ErrorResponse><Error><Code>{code}</Code><Message>no</Message></Error></ErrorResponse>".encode()
    refuse(monkeypatch, 403, body)
    with pytest.raises(AccountError, match=advice):
        aws_account.caller_identity(Credentials("A", "S", token, "the file"), "us-east-1")


def test_no_network_is_told_apart_from_a_refusal(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(_request, **_options):
        raise urllib.error.URLError("no such host")

    monkeypatch.setattr(aws_account.urllib.request, "urlopen", fail)
    with pytest.raises(AccountError, match="Check the network"):
        aws_account.caller_identity(Credentials("A", "S", None, "the file"), "us-east-1")


def test_identity_and_role_are_read_from_the_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    answers = iter(
        [
            b'<R xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><X><Arn>arn:aws:sts::123456789012:assumed-role/voclabs/'
            b"user1=a@b.c</Arn><UserId>U</UserId><Account>123456789012</Account></X></R>",
            b'<R xmlns="https://iam.amazonaws.com/doc/2010-05-08/"><Role><Arn>arn:aws:iam::123456789012:role/LabRole</Arn>'
            b"</Role></R>",
        ]
    )
    monkeypatch.setattr(aws_account.urllib.request, "urlopen", lambda *_a, **_k: io.BytesIO(next(answers)))
    credentials = Credentials("A", "S", "t", "the file")
    identity = aws_account.caller_identity(credentials, "us-east-1")
    assert identity.account == "123456789012" and identity.is_learner_lab and identity.partition == "aws"
    assert (
        aws_account.role_arn("LabRole", credentials, "us-east-1") == "arn:aws:iam::123456789012:role/LabRole"
    )


def test_a_role_that_is_not_there_is_none(monkeypatch: pytest.MonkeyPatch) -> None:
    refuse(monkeypatch, 404, b"<E><Error><Code>NoSuchEntity</Code><Message>no</Message></Error></E>")
    assert aws_account.role_arn("LabRole", Credentials("A", "S", None, ""), "us-east-1") is None


def test_a_role_that_may_not_be_asked_for_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    refuse(monkeypatch, 403, b"<E><Error><Code>AccessDenied</Code><Message>no</Message></Error></E>")
    with pytest.raises(ApiError) as caught:
        aws_account.role_arn("LabRole", Credentials("A", "S", None, ""), "us-east-1")
    assert caught.value.code == "AccessDenied"
