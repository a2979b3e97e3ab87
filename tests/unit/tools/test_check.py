"""deploy.sh check: what is needed and whether an account allows it."""

import datetime
from typing import Any
from xml.etree import ElementTree

import pytest

from tools.deploy import check
from tools.deploy.account import Account
from tools.deploy.credentials import Identity
from tools.deploy.sigv4 import ApiError, Credentials

OWNER = Identity("123456789012", "arn:aws:iam::123456789012:user/me")
STUDENT = Identity("123456789012", "arn:aws:sts::123456789012:assumed-role/voclabs/user1")
NOW = datetime.datetime(2026, 11, 26, 12, 0, tzinfo=datetime.UTC)


class Fake(Account):
    """An account that answers with what a test gave it, by service; an exception is raised."""

    answers: dict[str, Any]

    def __new__(cls, *_arguments: Any, **_options: Any) -> "Fake":
        made = object.__new__(cls)
        object.__setattr__(made, "answers", {})
        return made

    def _answer(self, name: str, default: Any) -> Any:
        answer = self.answers.get(name, default)
        if isinstance(answer, Exception):
            raise answer
        return answer

    def json(self, service: str, action: str, **body: object) -> dict[str, Any]:
        return dict(self._answer(service, {}))

    def query(self, service: str, action: str, **fields: str) -> ElementTree.Element:
        return ElementTree.fromstring(self._answer(action, "<a/>"))

    def rest(self, service: str, path: str, method: str = "GET", **parameters: object) -> dict[str, Any]:
        return dict(self._answer(path, {}))

    def s3(self, method: str, path: str, *_arguments: Any, **_options: Any) -> ElementTree.Element | None:
        return self._answer(f"{method} {path}", None)


@pytest.fixture
def account() -> Fake:
    return Fake(Credentials("A", "S", None, "the file"), "us-east-1")


def wanted(**changed: Any) -> check.Wanted:
    fields = {"name": "cats-dev", "bucket": "cats", "create_bucket": True, "role": None, "monitoring": True}
    return check.Wanted(**fields | {"terraform": "1.11.4"} | changed)


def rows(account: Fake, identity: Identity = OWNER, **changed: Any) -> dict[str, check.Row]:
    return {row.what: row for row in check.rows(account, identity, wanted(**changed))}


def decisions(**decided: str) -> str:
    members = "".join(
        f"<member><EvalActionName>{name.replace('_', ':')}</EvalActionName>"
        f"<EvalDecision>{decision}</EvalDecision></member>"
        for name, decision in decided.items()
    )
    return f"<r>{members}</r>"


def test_what_iam_denies_is_named_and_counts(account: Fake, capsys: pytest.CaptureFixture[str]) -> None:
    account.answers["SimulatePrincipalPolicy"] = decisions(
        s3_PutObject="allowed", sqs_CreateQueue="implicitDeny", iam_CreateRole="explicitDeny"
    )
    found = rows(account)
    assert found["s3"].allowed and found["sqs"].said == "IAM denies sqs:CreateQueue"
    assert found["iam"].allowed is False
    assert check.show(check.rows(account, OWNER, wanted())) == 2
    assert "  NO  sqs " in capsys.readouterr().out


def test_iam_and_alarms_are_not_asked_for_where_they_are_not_needed(account: Fake) -> None:
    found = rows(account, STUDENT, role="arn:aws:iam::123456789012:role/LabRole", monitoring=False)
    assert "iam" not in found and "cloudwatch" not in found and "(a Learner Lab)" in found["region"].said


def test_where_iam_may_not_be_asked_reading_is_tried(account: Fake) -> None:
    account.answers |= {
        "SimulatePrincipalPolicy": ApiError("AccessDenied", "no", 403),
        "sqs": ApiError("AccessDenied", "no", 403),
        "logs": ApiError("Unreachable", "timed out"),
    }
    found = rows(account)
    assert found["dynamodb"].allowed is None and "may be read" in found["dynamodb"].said
    assert found["sqs"].allowed is False and found["logs"].allowed is None


@pytest.mark.parametrize(
    ("status", "create", "allowed", "said"),
    [(404, True, True, "free"), (404, False, False, "There is no bucket cats"), (403, True, False, "someone else"),
     (403, False, False, "does not belong to account 123456789012"), (301, False, False, "is not in us-east-1"),
     (301, True, False, "another region"), (500, True, None, "could not be asked")],
)  # fmt: skip
def test_the_buckets_name_is_free_or_ones_own(
    account: Fake, status: int, create: bool, allowed: bool | None, said: str
) -> None:
    account.answers["HEAD /cats"] = ApiError(f"HTTP {status}", "", status)
    row = check.bucket(account, wanted(create_bucket=create), "123456789012")
    assert (row.allowed, said in row.said) == (allowed, True)
    assert check.bucket(Fake(account.credentials, "us-east-1"), wanted(), "123456789012").allowed


@pytest.mark.parametrize(
    ("token", "expires", "allowed", "said"),
    [(None, None, True, "do not end"), ("T", None, None, "where is not told"), ("T", "soon", None, "ends soon"),
     ("T", "2026-11-26T13:30:59Z", True, "90 minutes left"),
     ("T", "2026-11-26T12:05:00+00:00", False, "5 minutes left")],
)  # fmt: skip
def test_the_minutes_of_a_session_are_told_where_they_are_known(
    token: str | None, expires: str | None, allowed: bool | None, said: str
) -> None:
    row = check.session(Fake(Credentials("A", "S", token, "", expires), "us-east-1"), NOW)
    assert row.allowed is allowed and said in row.said


@pytest.mark.parametrize(
    ("number", "allowed", "said"),
    [(3, False, "10 are needed"), (10, True, "as in a lab"), (1000, True, "1000")],
)
def test_an_account_that_runs_few_functions_at_once_is_told(
    account: Fake, number: int, allowed: bool, said: str
) -> None:
    limit = {"AccountLimit": {"UnreservedConcurrentExecutions": number}}
    account.answers["/2016-08-19/account-settings/"] = limit
    row = check.concurrency(account)
    assert row.allowed is allowed and said in row.said


ON = "<NotificationConfiguration xmlns='http://s3.amazonaws.com/doc/2006-03-01/'>{}</NotificationConfiguration>"


@pytest.mark.parametrize(
    ("notification", "allowed", "said"),
    [
        (ElementTree.fromstring(ON.format("<EventBridgeConfiguration/>")), True, "sends its events"),
        (ElementTree.fromstring(ON.format("<QueueConfiguration/>")), False, "Amazon EventBridge > Edit > On"),
        (None, False, "does not send its events to EventBridge"),
        (ApiError("AccessDenied", "", 403), None, "may not be asked"),
        (ApiError("Unreachable", "timed out"), False, "timed out"),
    ],
)
def test_a_bucket_that_is_there_must_tell_eventbridge(
    account: Fake, notification: Any, allowed: bool | None, said: str
) -> None:
    account.answers["GET /cats"] = notification
    row = check.bucket(account, wanted(create_bucket=False), "123456789012")
    assert row.allowed is allowed and said in row.said
