"""``deploy.sh check``: what a deployment needs, and whether this account allows it. Reads alone; changes nothing."""

from __future__ import annotations

import datetime
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from tools.deploy import leftovers
from tools.deploy.account import Account, texts
from tools.deploy.credentials import Identity
from tools.deploy.existing_bucket import BucketError, check_bucket
from tools.deploy.sigv4 import ApiError

#: Service -> what a deployment does there.
_SERVICES: dict[str, list[str]] = {
    "s3": [
        "CreateBucket",
        "PutBucketPolicy",
        "PutBucketNotification",
        "PutLifecycleConfiguration",
        "PutObject",
    ],
    "dynamodb": ["CreateTable", "UpdateTimeToLive", "UpdateContinuousBackups"],
    "sqs": ["CreateQueue", "SetQueueAttributes"],
    "lambda": ["CreateFunction", "CreateEventSourceMapping", "AddPermission"],
    "apigateway": ["POST", "PUT", "PATCH"],
    "logs": ["CreateLogGroup", "PutRetentionPolicy", "PutMetricFilter"],
    "events": ["PutRule", "PutTargets"],
    "cloudwatch": ["PutMetricAlarm", "PutDashboard"],
    "iam": ["CreateRole", "PutRolePolicy", "PassRole"],
}
#: What one function of the API and a few of the events' need at a time.
FEWEST_FUNCTIONS = 10


@dataclass(frozen=True)
class Row:
    """One line of the table: ``allowed`` None is what could not be asked."""

    what: str
    allowed: bool | None
    said: str

    @property
    def mark(self) -> str:
        """How the line begins."""
        return {True: "ok", False: "NO", None: "?"}[self.allowed]


@dataclass(frozen=True)
class Wanted:
    """What the settings ask for."""

    name: str
    bucket: str
    create_bucket: bool
    role: str | None
    monitoring: bool
    terraform: str


def rows(account: Account, identity: Identity, wanted: Wanted) -> Iterator[Row]:
    """The table, line by line as it is asked."""
    yield Row("Python", True, sys.version.split()[0])
    yield Row("Terraform", True, wanted.terraform)
    yield Row("credentials", True, f"{identity.arn} from {account.credentials.source}")
    yield session(account, datetime.datetime.now(datetime.UTC))
    yield Row("region", True, account.region + (" (a Learner Lab)" if identity.is_learner_lab else ""))
    yield Row(
        "roles", True, f"every function runs as {wanted.role}" if wanted.role else "one per function is made"
    )
    denied = simulated(account, identity)
    for service in _SERVICES:
        if (service != "iam" or wanted.role is None) and (service != "cloudwatch" or wanted.monitoring):
            yield _service(account, service, denied)
    yield concurrency(account)
    yield bucket(account, wanted, identity.account)
    yield there(account, wanted.name)


def session(account: Account, now: datetime.datetime) -> Row:
    """How long the credentials last."""
    credentials = account.credentials
    if credentials.token is None:
        return Row("session", True, "these credentials do not end by themselves")
    if credentials.expires is None:
        return Row("session", None, "ends some time (a Learner Lab's page shows when): where is not told")
    try:
        end = datetime.datetime.fromisoformat(credentials.expires)
    except ValueError:
        return Row("session", None, f"ends {credentials.expires}")
    minutes = int((end.astimezone(datetime.UTC) - now).total_seconds() // 60)
    return Row("session", minutes >= 10, f"{minutes} minutes left; a deployment takes about five")


def simulated(account: Account, identity: Identity) -> set[str] | None:
    """The actions that IAM would deny, by its own simulation; None where that may not be asked."""
    if identity.arn.endswith(":root"):
        return set()
    try:
        source = _policy_source(account, identity)
        actions = [f"{service}:{action}" for service, named in _SERVICES.items() for action in named]
        fields = {f"ActionNames.member.{number}": action for number, action in enumerate(actions, 1)}
        answer = account.query(
            "iam", "SimulatePrincipalPolicy", PolicySourceArn=source, MaxItems="1000", **fields
        )
    except ApiError:
        return None
    decided = zip(texts(answer, "EvalActionName"), texts(answer, "EvalDecision"), strict=True)
    return {action for action, decision in decided if decision != "allowed"}


def _policy_source(account: Account, identity: Identity) -> str:
    """The user or role whose policies count: a session's ARN names its role without the role's path."""
    if ":assumed-role/" not in identity.arn:
        return identity.arn
    name = identity.arn.split("/")[1]
    try:
        return next(texts(account.query("iam", "GetRole", RoleName=name), "Arn"))
    except (ApiError, StopIteration):
        return f"arn:{identity.partition}:iam::{identity.account}:role/{name}"


def _service(account: Account, service: str, denied: set[str] | None) -> Row:
    refused = sorted(action for action in denied or () if action.startswith(f"{service}:"))
    if refused:
        return Row(service, False, f"IAM denies {', '.join(refused)}")
    if denied is not None:
        return Row(service, True, "IAM allows what a deployment does")
    try:
        _READ[service](account)
    except ApiError as error:
        allowed = False if error.status in (401, 403) or "Denied" in error.code else None
        return Row(service, allowed, f"reading it is refused: {error}")
    return Row(service, None, "may be read; IAM may not be asked here what else is allowed")


#: Service -> the smallest request that reads something of it.
_READ: dict[str, Callable[[Account], object]] = {
    "s3": lambda account: account.s3("GET", "/"),
    "dynamodb": lambda account: account.json("dynamodb", "ListTables", Limit=1),
    "sqs": lambda account: account.json("sqs", "ListQueues", MaxResults=1),
    "lambda": lambda account: account.rest("lambda", "/2015-03-31/functions/", MaxItems=1),
    "apigateway": lambda account: account.rest("apigateway", "/restapis", limit=1),
    "logs": lambda account: account.json("logs", "DescribeLogGroups", limit=1),
    "events": lambda account: account.json("events", "ListRules", Limit=1),
    "cloudwatch": lambda account: account.query("monitoring", "DescribeAlarms", MaxRecords="1"),
    "iam": lambda account: account.query("iam", "ListRoles", MaxItems="1"),
}


def concurrency(account: Account) -> Row:
    """How many functions the account runs at a time."""
    what = "functions at a time"
    try:
        limit = account.rest("lambda", "/2016-08-19/account-settings/")["AccountLimit"]
        number = int(limit["UnreservedConcurrentExecutions"])
    except (ApiError, KeyError, ValueError, TypeError):
        return Row(what, None, "could not be asked")
    said = f"{number} in this region"
    if number < FEWEST_FUNCTIONS:
        return Row(
            what, False, f"{said}; {FEWEST_FUNCTIONS} are needed: ask AWS for more (Service Quotas, Lambda)"
        )
    if number < 100:
        said += "; keep event_concurrency at 3, rate_limit at 20 and burst_limit at 5, as in a lab"
    return Row(what, True, said)


def bucket(account: Account, wanted: Wanted, owner: str) -> Row:
    """Whether the bucket's name is free or one's own; of one that must be there, whether it can be catalogued."""
    what = f"bucket {wanted.bucket}"
    if not wanted.create_bucket:
        try:
            told = check_bucket(account, wanted.bucket, owner)
        except (BucketError, ApiError) as error:
            return Row(what, False, str(error))
        return Row(
            what, told or None, "sends its events to EventBridge" if told else "its events may not be asked"
        )
    try:
        account.s3("HEAD", f"/{wanted.bucket}")
    except ApiError as error:
        if error.status == 404:
            return Row(what, True, "the name is free")
        if error.status in (301, 307, 400):
            return Row(what, False, "is in another region")
        if error.status == 403:
            return Row(
                what, False, "belongs to someone else, or you may not see it: choose another bucket_name"
            )
        return Row(what, None, f"could not be asked: {error}")
    return Row(what, True, "is there, and may be used")


def there(account: Account, name: str) -> Row:
    """What there is under the deployment's name already."""
    found = leftovers.of_deployment(account, name)
    if not found:
        return Row(f"named {name}", True, "nothing yet")
    counts = ", ".join(f"{kind}: {len(names)}" for kind, names in found.items())
    return Row(f"named {name}", True, f"{counts} (of this deployment, or left over)")


def show(found: Iterator[Row]) -> int:
    """Print the table; returns how many things are not allowed."""
    missing = 0
    for row in found:
        print(f"  {row.mark:2}  {row.what:22}  {row.said}", flush=True)
        missing += row.allowed is False
    return missing
