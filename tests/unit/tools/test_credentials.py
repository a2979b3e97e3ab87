"""Credentials without the AWS CLI: where they are found, what a refusal means."""

import io
import urllib.error
from pathlib import Path

import pytest

from tools.deploy import credentials
from tools.deploy.credentials import AccountError
from tools.deploy.sigv4 import ApiError, Credentials

LAB_FILE = "[default]\naws_access_key_id = ASIALAB\naws_secret_access_key=secret/+=\naws_session_token=IQo%J//token==\n"


@pytest.fixture
def home(tmp_path: Path) -> Path:
    (tmp_path / ".aws").mkdir()
    return tmp_path


def environment(home: Path, **more: str) -> dict[str, str]:
    return {"HOME": str(home), "PATH": str(home), **more}


def test_a_learner_lab_block_pasted_into_the_file_is_found(home: Path) -> None:
    (home / ".aws/credentials").write_text(LAB_FILE)
    found = credentials.find_credentials(environment(home))
    assert (found.key, found.secret, found.token) == ("ASIALAB", "secret/+=", "IQo%J//token==")


def test_a_file_saved_by_notepad_is_read(home: Path) -> None:
    (home / ".aws/credentials").write_bytes(b"\xef\xbb\xbf" + LAB_FILE.replace("\n", "\r\n").encode())
    assert credentials.find_credentials(environment(home)).token == "IQo%J//token=="


def test_the_environment_comes_first(home: Path) -> None:
    (home / ".aws/credentials").write_text(LAB_FILE)
    variables = environment(home, AWS_ACCESS_KEY_ID="AKIAENV", AWS_SECRET_ACCESS_KEY="s")
    assert credentials.find_credentials(variables).key == "AKIAENV"


def test_a_profile_is_honoured(home: Path) -> None:
    (home / ".aws/credentials").write_text(
        LAB_FILE + "[work]\naws_access_key_id=AKIAWORK\naws_secret_access_key=s\n"
    )
    (home / ".aws/config").write_text("[default]\nregion=eu-west-1\n[profile work]\nregion=us-west-2\n")
    variables = environment(home, AWS_PROFILE="work")
    assert credentials.find_credentials(variables).key == "AKIAWORK"
    assert credentials.find_region(variables) == "us-west-2"
    assert credentials.find_region(environment(home)) == "eu-west-1"
    assert credentials.find_region(environment(home, AWS_REGION="eu-north-1")) == "eu-north-1"


def test_no_credentials_says_where_to_click(home: Path) -> None:
    with pytest.raises(AccountError, match=r"(?s)No AWS credentials.*Start Lab.*AWS Details.*aws configure"):
        credentials.find_credentials(environment(home))


def test_a_block_pasted_without_its_heading_is_explained(home: Path) -> None:
    (home / ".aws/credentials").write_text("aws_access_key_id=ASIA\n")
    with pytest.raises(AccountError, match=r"cannot be read.*\[default\]"):
        credentials.find_credentials(environment(home))


def refuse(monkeypatch: pytest.MonkeyPatch, status: int, body: bytes) -> None:
    def answer(request, **_options):
        raise urllib.error.HTTPError(request.full_url, status, "refused", None, io.BytesIO(body))  # type: ignore[arg-type]

    monkeypatch.setattr("urllib.request.urlopen", answer)


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
        credentials.caller_identity(Credentials("A", "S", token, "the file"), "us-east-1")


def test_no_network_is_told_apart_from_a_refusal(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(_request, **_options):
        raise urllib.error.URLError("no such host")

    monkeypatch.setattr("urllib.request.urlopen", fail)
    with pytest.raises(AccountError, match="Check the network"):
        credentials.caller_identity(Credentials("A", "S", None, "the file"), "us-east-1")


def test_identity_and_role_are_read_from_the_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    answers = iter(
        [
            b'<R xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><X><Arn>arn:aws:sts::123456789012:assumed-role/voclabs/'
            b"user1=a@b.c</Arn><UserId>U</UserId><Account>123456789012</Account></X></R>",
            b'<R xmlns="https://iam.amazonaws.com/doc/2010-05-08/"><Role><Arn>arn:aws:iam::123456789012:role/LabRole</Arn>'
            b"</Role></R>",
        ]
    )
    monkeypatch.setattr("urllib.request.urlopen", lambda *_a, **_k: io.BytesIO(next(answers)))
    keys = Credentials("A", "S", "t", "the file")
    identity = credentials.caller_identity(keys, "us-east-1")
    assert identity.account == "123456789012" and identity.is_learner_lab and identity.partition == "aws"
    assert credentials.role_arn("LabRole", keys, "us-east-1") == "arn:aws:iam::123456789012:role/LabRole"


def test_a_role_that_is_not_there_is_none(monkeypatch: pytest.MonkeyPatch) -> None:
    refuse(monkeypatch, 404, b"<E><Error><Code>NoSuchEntity</Code><Message>no</Message></Error></E>")
    assert credentials.role_arn("LabRole", Credentials("A", "S", None, ""), "us-east-1") is None


def test_a_role_that_may_not_be_asked_for_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    refuse(monkeypatch, 403, b"<E><Error><Code>AccessDenied</Code><Message>no</Message></Error></E>")
    with pytest.raises(ApiError) as caught:
        credentials.role_arn("LabRole", Credentials("A", "S", None, ""), "us-east-1")
    assert caught.value.code == "AccessDenied"


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-be"])
def test_a_file_saved_by_powershell_is_read(home: Path, encoding: str) -> None:
    text = LAB_FILE if encoding == "utf-16" else "\ufeff" + LAB_FILE
    (home / ".aws/credentials").write_bytes(text.encode(encoding))
    assert credentials.find_credentials(environment(home)).token == "IQo%J//token=="


@pytest.mark.parametrize(
    ("content", "advice"),
    [
        (LAB_FILE.encode("utf-16-le"), r"credentials is not UTF-8.*Save the file as UTF-8"),
        (LAB_FILE.replace("secret", "s\xe9cret").encode("latin-1"), r"line 3, is not UTF-8.*Save"),
        (LAB_FILE.replace("ASIALAB", "ASIAL\u0410B").encode(), r"access key from .* holds the character '\\u0410'"),
        (LAB_FILE.replace("//token", "\n  //token").encode(), r"session token from .* holds a line break.*one line"),
        (LAB_FILE.replace("ASIALAB", "ASIA\x07LAB").encode(), r"access key from .* holds the character '\\x07'"),
        (LAB_FILE.encode() + b"pasted\n", r"credentials cannot be read: line 5 is not a line like name=value"),
        (b"\naws_access_key_id=A\n", r"credentials cannot be read: line 2 comes before any \[profile\]"),
    ],
)  # fmt: skip
def test_a_damaged_file_says_where(home: Path, content: bytes, advice: str) -> None:
    (home / ".aws/credentials").write_bytes(content)
    with pytest.raises(AccountError, match=advice) as caught:
        credentials.find_credentials(environment(home))
    assert "secret/+=" not in str(caught.value)


def test_a_secret_that_is_not_text_in_the_environment_is_told(home: Path) -> None:
    variables = environment(home, AWS_ACCESS_KEY_ID="A", AWS_SECRET_ACCESS_KEY="s\udcff")
    with pytest.raises(AccountError, match="secret access key from the environment"):
        credentials.find_credentials(variables)


def test_a_profile_that_is_not_there_is_named(home: Path) -> None:
    (home / ".aws/credentials").write_text(LAB_FILE)
    with pytest.raises(
        AccountError, match=r"AWS_PROFILE names the profile \[wrok\].*profiles there: \[default\]"
    ):
        credentials.find_credentials(environment(home, AWS_PROFILE="wrok"))
    assert credentials.find_credentials(environment(home, AWS_PROFILE="")).key == "ASIALAB"


def test_what_is_no_region_is_told(home: Path) -> None:
    with pytest.raises(AccountError, match="AWS_REGION is 'not a region', which is not an AWS region"):
        credentials.find_region(environment(home, AWS_REGION="not a region"))
    (home / ".aws/config").write_text("[default]\nregion=us-east-1a\n")
    with pytest.raises(AccountError, match=r"region of \[default\] in ~/.aws/config is 'us-east-1a'"):
        credentials.find_region(environment(home))
    for region in ("us-gov-west-1", "us-iso-east-1", "eusc-de-east-1", "ap-southeast-2"):
        assert credentials.find_region(environment(home, AWS_REGION=region)) == region
    with pytest.raises(AccountError, match="not an AWS region"):
        credentials.caller_identity(Credentials("A", "S", None, "the file"), "not a region")


@pytest.mark.parametrize(
    "endpoint", ["localhost:4566", "127.0.0.1:4566", "http://", "http://a:b", "http://a b:1"]
)
def test_an_endpoint_that_is_no_address_is_told(endpoint: str) -> None:
    with pytest.raises(AccountError, match=r"AWS_ENDPOINT_URL is .*Write it like http://127.0.0.1:4566"):
        credentials.caller_identity(Credentials("A", "S", None, "the file"), "us-east-1", endpoint)


def test_a_local_aws_that_is_down_is_to_be_started(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(_request, **_options):
        raise urllib.error.URLError(ConnectionRefusedError(111, "Connection refused"))

    monkeypatch.setattr("urllib.request.urlopen", fail)
    with pytest.raises(AccountError, match=r"does not answer.*Start it: make up"):
        credentials.caller_identity(
            Credentials("A", "S", None, "the file"), "us-east-1", "http://127.0.0.1:4566"
        )


@pytest.mark.parametrize(
    ("status", "code"), [(503, "ServiceUnavailable"), (500, "Weird"), (400, "Throttling")]
)
def test_trouble_at_aws_is_no_refusal(monkeypatch: pytest.MonkeyPatch, status: int, code: str) -> None:
    refuse(monkeypatch, status, f"<E><Error><Code>{code}</Code><Message>no</Message></Error></E>".encode())
    with pytest.raises(AccountError, match=r"did not answer properly.*try again") as caught:
        credentials.caller_identity(Credentials("A", "S", None, "the file"), "us-east-1")
    assert "refused" not in str(caught.value)


def test_an_answer_that_is_not_awss_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    """A captive portal, for one, answers 200 with a page."""
    monkeypatch.setattr("urllib.request.urlopen", lambda *_a, **_k: io.BytesIO(b"<html/>"))
    with pytest.raises(AccountError, match="Check the network"):
        credentials.caller_identity(Credentials("A", "S", None, "the file"), "us-east-1")
