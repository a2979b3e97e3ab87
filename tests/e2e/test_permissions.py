"""Least privilege, proven: every permission that a deployed role grants has a check that fails without it.

The permissions are read from the roles as they are deployed, so that a permission that nobody checks, or that nothing
needs, fails here. What the local AWS does not enforce is listed in `NOT_ENFORCED`, with the reason why it is needed.
"""

from __future__ import annotations

import json
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from image_catalogue.items import uploaded
from image_search.changes import change_row, padded, write_changes
from image_search.files import Files
from tests.support.policies import policy_document
from tests.support.records import record
from tests.support.samples import SAMPLES
from tests.support.stack import Stack, unique
from tests.support.stream import stream_event

PNG = next(iter(SAMPLES.values()))


class Subject:
    """The deployment, and the few requests that checks are made of; each makes what it needs beforehand."""

    def __init__(self, stack: Stack) -> None:
        self.stack = stack
        self.lambdas = stack.site.client("lambda")

    def unique(self) -> str:
        """An image id that nothing has."""
        return unique("permissions.png")

    def image(self) -> str:
        """The id of a catalogued image whose events are done."""
        image_id = self.unique()
        self.stack.put_and_wait(image_id, PNG)
        return image_id

    def ghost(self) -> str:
        """The id of a record whose object is not in the bucket, and no event tells of it."""
        table = self.stack.outputs["table"]
        key = {"image_id": {"S": self.image()}}
        item = self.stack.dynamodb.get_item(TableName=table, Key=key)["Item"]
        image_id = self.unique()
        self.stack.dynamodb.put_item(TableName=table, Item=item | {"image_id": {"S": image_id}})
        return image_id

    def forgotten(self) -> str:
        """The id of an image in the bucket whose record was deleted."""
        image_id = self.image()
        assert self.stack.call("DELETE", f"/metadata/{image_id}").status_code == 204
        return image_id

    def answers(self, status: int, method: str, path: str, **options: Any) -> bool:
        """Whether the API answers so; whatever else it says must be its own internal error."""
        answer = self.stack.call(method, path, **options)
        assert answer.status_code in (status, 500), f"{method} {path}: {answer.status_code} {answer.text}"
        return answer.status_code == status

    def handles(self, event: str, image_id: str) -> bool:
        """Whether `s3_file_event` handles an S3 event about the image, sent straight to it and not by the queue."""
        answer = self.lambdas.invoke(
            FunctionName=self.stack.outputs["function_names"]["s3_file_event"],
            Payload=json.dumps({"Records": [self.stack.event(image_id, event)]}),
        )
        said = json.loads(answer["Payload"].read())
        if "FunctionError" not in answer:
            assert said == {}, said
            return True
        assert "of the event's records failed" in said["errorMessage"], said
        return False

    def changed(self) -> None:
        """Have a change wait in the search bucket: the removal of an image that there never was."""
        row = change_row(self.unique(), "2026-11", padded("1"), None)
        write_changes(Files(self.stack.outputs["search_bucket"], self.stack.s3), uuid.uuid4().hex, [row])

    def invoked(self, function: str, event: dict[str, Any]) -> bool:
        """Whether a function succeeds; if not, it must have been denied something."""
        said = self.stack.invoke(function, event)
        assert "FunctionError" not in said or "AccessDenied" in str(said), said
        return "FunctionError" not in said


#: Makes a request ready with all permissions there, and answers a function that sends it: did it succeed?
Check = Callable[[Subject], Callable[[], bool]]


def _get(path: str) -> Check:
    return lambda subject: lambda: subject.answers(200, "GET", path)


def _of(image: Callable[[Subject], str], status: int, method: str, path: str) -> Check:
    def ready(subject: Subject) -> Callable[[], bool]:
        image_id = image(subject)
        return lambda: subject.answers(status, method, f"{path}/{image_id}")

    return ready


def _upload(subject: Subject) -> Callable[[], bool]:
    return lambda: subject.answers(201, "POST", "/upload", data=PNG, headers={"Content-Type": "image/png"})


def _created(subject: Subject) -> Callable[[], bool]:
    image_id = subject.image()
    return lambda: subject.handles("ObjectCreated:Put", image_id)


def _removed(subject: Subject) -> Callable[[], bool]:
    return lambda: subject.handles("ObjectRemoved:Delete", subject.unique())


def _published(subject: Subject) -> Callable[[], bool]:
    new = uploaded(record(subject.unique()), 1) | {"revision": uuid.uuid4().hex}
    gone = stream_event((new, None), first=uuid.uuid4().int % 10**9)  # of an image that nobody has seen
    return lambda: subject.invoked("publish_changes", gone)


def _compacted(subject: Subject) -> Callable[[], bool]:
    def send() -> bool:
        subject.changed()
        return subject.invoked("compact_catalogue", {"now": True})

    return send


def _searched(subject: Subject) -> Callable[[], bool]:
    def send() -> bool:
        subject.changed()  # what has been read before is not read again
        return subject.answers(200, "GET", "/search")

    return send


def _preview(made: bool) -> Check:
    """A look at the preview of an image: of one that has it, or for the first time."""

    def ready(subject: Subject) -> Callable[[], bool]:
        image_id = subject.image()
        if made:
            assert subject.answers(200, "GET", f"/images/preview/{image_id}")
        return lambda: subject.answers(200, "GET", f"/images/preview/{image_id}")

    return ready


def _removed_with_preview(subject: Subject) -> Callable[[], bool]:
    """A removal's event, made up while image and preview are there: a real one would be handled before."""
    image_id = subject.image()
    assert subject.answers(200, "GET", f"/images/preview/{image_id}")
    return lambda: subject.handles("ObjectRemoved:Delete", image_id)


CHECKS: dict[tuple[str, str], Check] = {
    ("publish_changes", "s3:PutObject"): _published,
    ("compact_catalogue", "s3:GetObject"): _compacted,
    ("compact_catalogue", "s3:PutObject"): _compacted,
    ("compact_catalogue", "s3:DeleteObject"): _compacted,
    ("compact_catalogue", "s3:ListBucket"): _compacted,
    ("search_images", "s3:GetObject"): _searched,
    ("search_images", "s3:ListBucket"): _searched,
    ("s3_file_event", "s3:GetObject"): _created,
    ("s3_file_event", "dynamodb:GetItem"): _removed,
    ("s3_file_event", "dynamodb:PutItem"): _removed,
    ("s3_file_event", "dynamodb:UpdateItem"): _created,
    ("s3_file_event", "s3:DeleteObject"): _removed_with_preview,
    ("preview_image", "dynamodb:GetItem"): _preview(made=True),
    ("preview_image", "s3:GetObject"): _preview(made=True),
    ("preview_image", "s3:PutObject"): _preview(made=False),
    ("upload_image", "s3:PutObject"): _upload,
    ("upload_image", "dynamodb:PutItem"): _upload,
    ("upload_image", "dynamodb:UpdateItem"): _upload,
    ("get_image_metadata", "dynamodb:GetItem"): _of(Subject.image, 200, "GET", "/metadata"),
    ("get_image_metadata", "dynamodb:Query"): _get("/metadata"),
    ("get_image_metadata", "dynamodb:PutItem"): _of(Subject.image, 204, "DELETE", "/metadata"),
    ("get_image_metadata", "dynamodb:UpdateItem"): _of(Subject.image, 204, "DELETE", "/metadata"),
    ("get_image", "dynamodb:GetItem"): _of(Subject.image, 200, "GET", "/images/file"),
    ("get_image", "s3:GetObject"): _of(Subject.image, 200, "GET", "/images/file"),
    ("info_images", "dynamodb:BatchGetItem"): _get("/images/info"),
    ("info_images", "dynamodb:Query"): _get("/images/info"),
    ("delete_image", "dynamodb:GetItem"): _of(Subject.image, 204, "DELETE", "/images"),
    ("delete_image", "dynamodb:PutItem"): _of(Subject.image, 204, "DELETE", "/images"),
    ("delete_image", "dynamodb:UpdateItem"): _of(Subject.image, 204, "DELETE", "/images"),
    ("delete_image", "s3:DeleteObject"): _of(Subject.image, 204, "DELETE", "/images"),
    ("delete_image", "s3:GetObject"): _of(Subject.forgotten, 204, "DELETE", "/images"),
}

#: Needed on AWS, where the local AWS looks at no policy: action -> why it is needed.
NOT_ENFORCED = {
    "logs:CreateLogStream": "Lambda opens a log stream as the function's role for each execution environment",
    "logs:PutLogEvents": "Lambda writes the function's log lines as its role",
    "sqs:ReceiveMessage": "the event source polls as the function's role (AWSLambdaSQSQueueExecutionRole)",
    "sqs:DeleteMessage": "the event source deletes what was handled as the function's role",
    "sqs:GetQueueAttributes": "the event source scales by the queue's length as the function's role",
    "dynamodb:DescribeStream": "the event source follows the stream's shards as the function's role",
    "dynamodb:GetRecords": "the event source reads the stream as the function's role",
    "dynamodb:GetShardIterator": "the event source finds its place in the stream as the function's role",
    "dynamodb:ListStreams": "as in AWSLambdaDynamoDBExecutionRole",
    "s3:ListBucket": "without it S3 answers 403 for a key that is not there, instead of 404: CHECKED_ABSENCE",
}

#: Needed at a moment that no request here can hit; the test that makes it happen.
RACES = {
    ("preview_image", "s3:DeleteObject"): "test_an_image_deleted_while_its_preview_is_made_leaves_none",
}

#: What tells "not there" from "not allowed": tests/unit/api/test_absence.py shows what becomes of a 403 in its place.
CHECKED_ABSENCE: dict[str, Check] = {
    "s3_file_event": _removed,
    "get_image": _of(Subject.ghost, 404, "GET", "/images/file"),
    "preview_image": _of(Subject.ghost, 404, "GET", "/images/preview"),
    "delete_image": _of(Subject.unique, 404, "DELETE", "/images"),
}


class Role:
    """A function's role as it is deployed."""

    def __init__(self, stack: Stack, function: str) -> None:
        self._iam = stack.site.client("iam")
        arn = stack.site.client("lambda").get_function_configuration(
            FunctionName=stack.outputs["function_names"][function]
        )["Role"]
        self.name = arn.rsplit("/", 1)[1]

    def statements(self) -> Iterator[tuple[str, dict[str, Any]]]:
        """Every (inline policy, statement); a managed policy would hide permissions from this test."""
        assert self._iam.list_attached_role_policies(RoleName=self.name)["AttachedPolicies"] == []
        for policy in self._iam.list_role_policies(RoleName=self.name)["PolicyNames"]:
            document = self._iam.get_role_policy(RoleName=self.name, PolicyName=policy)["PolicyDocument"]
            for statement in document["Statement"]:
                assert statement["Effect"] == "Allow"
                yield policy, statement

    def actions(self) -> set[str]:
        """What the role allows."""
        return {action for _, statement in self.statements() for action in statement["Action"]}

    @contextmanager
    def without(self, action: str) -> Iterator[None]:
        """The role less one action, for a while."""
        whole: dict[str, list[dict[str, Any]]] = {}
        for policy, statement in self.statements():
            whole.setdefault(policy, []).append(statement)
        try:
            for policy, statements in whole.items():
                left = [
                    statement | {"Action": [other for other in statement["Action"] if other != action]}
                    for statement in statements
                ]
                self._put(policy, [statement for statement in left if statement["Action"]])
            yield
        finally:
            for policy, statements in whole.items():
                self._put(policy, statements)

    def _put(self, policy: str, statements: list[dict[str, Any]]) -> None:
        document = policy_document(statements)
        self._iam.put_role_policy(RoleName=self.name, PolicyName=policy, PolicyDocument=document)


@pytest.fixture
def subject(stack: Stack) -> Subject:
    """The deployment with no event under way: one would fail without a permission, and come again later."""
    stack.drained()
    return Subject(stack)


def test_every_granted_permission_is_checked(stack: Stack) -> None:
    granted = {
        (function, action)
        for function in stack.outputs["function_names"]
        for action in Role(stack, function).actions()
    }
    unchecked = granted - set(CHECKS) - set(RACES)
    assert {*CHECKS, *RACES} <= granted
    assert {action for _, action in unchecked} == set(NOT_ENFORCED)
    assert {function for function, action in unchecked if action == "s3:ListBucket"} == set(CHECKED_ABSENCE)


@pytest.mark.parametrize(("function", "action"), list(CHECKS), ids=lambda value: value)
def test_a_function_needs_the_permission(subject: Subject, function: str, action: str) -> None:
    role, check = Role(subject.stack, function), CHECKS[function, action]
    send = check(subject)
    with role.without(action):
        assert action not in role.actions()
        assert not send(), f"{function} does without {action}: do not grant it"
    assert check(subject)(), f"{function} fails with all its permissions"


@pytest.mark.parametrize("function", list(CHECKED_ABSENCE))
def test_what_is_not_there_is_not_found(subject: Subject, function: str) -> None:
    assert CHECKED_ABSENCE[function](subject)()


def test_a_permission_names_the_resources_of_this_deployment(stack: Stack) -> None:
    """No wildcard in an action, and in a resource only behind what is this deployment's."""
    table, bucket, search = stack.outputs["table"], stack.bucket, stack.outputs["search_bucket"]
    previews = stack.outputs["preview_bucket"]
    stream = stack.dynamodb.describe_table(TableName=table)["Table"]["LatestStreamArn"]
    for function, name in stack.outputs["function_names"].items():
        own = {
            "s3": (
                *(f"arn:aws:s3:::{bucket}{path}" for path in ("", "/uploads/*")),
                *(f"arn:aws:s3:::{previews}{path}" for path in ("", "/previews/*")),
                *(
                    f"arn:aws:s3:::{search}{path}"
                    for path in ("", "/changes/*", "/tombstones/*", "/snapshot/*")
                ),
            ),
            "dynamodb": (
                stream,
                *(
                    f"arn:aws:dynamodb:us-east-1:000000000000:table/{table}{index}"
                    for index in ("", "/index/by_uploaded_at", "/index/by_size")
                ),
            ),
            "sqs": (f"arn:aws:sqs:us-east-1:000000000000:{stack.outputs['queue_url'].rsplit('/', 1)[1]}",),
            "logs": (f"arn:aws:logs:us-east-1:000000000000:log-group:/aws/lambda/{name}:*",),
        }
        for _, statement in Role(stack, function).statements():
            for action in statement["Action"]:
                assert "*" not in action
                assert set(statement["Resource"]) <= set(own[action.split(":")[0]]), (function, statement)


def test_nobody_else_may_be_a_function(stack: Stack) -> None:
    for function in stack.outputs["function_names"]:
        document = stack.site.client("iam").get_role(RoleName=Role(stack, function).name)["Role"]
        (statement,) = document["AssumeRolePolicyDocument"]["Statement"]
        assert statement["Principal"] == {"Service": "lambda.amazonaws.com"}
