"""What becomes of a missing object where S3 may not say so: without s3:ListBucket it answers 403 instead of 404.

The local AWS does not tell the two apart, so here is why the functions that ask for objects hold that permission.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from botocore.exceptions import ClientError

from image_catalogue import clients
from image_events.batch import JobsFailed
from tests.events import load
from tests.support.api import CONTEXT, Api, module_of
from tests.support.table import BUCKET


def refuse(monkeypatch: pytest.MonkeyPatch, client: Any) -> None:
    """Answer as S3 does where the caller may not list: 403 for what is not there (a HEAD has no error code)."""

    def forbidden(real: Callable[..., Any], code: str) -> Callable[..., Any]:
        def ask(**request: Any) -> Any:
            try:
                return real(**request)
            except ClientError as error:
                raise ClientError({"Error": {"Code": code}}, error.operation_name) from error

        return ask

    monkeypatch.setattr(client, "get_object", forbidden(client.get_object, "AccessDenied"))
    monkeypatch.setattr(client, "head_object", forbidden(client.head_object, "403"))


def test_the_file_of_a_record_whose_object_is_gone(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    api.put("uploads/gone.png")
    assert api("GET /images/file/{image_id+}", "gone.png").status == 404
    refuse(monkeypatch, api.s3)
    assert api("GET /images/file/{image_id+}", "gone.png").status == 500


def test_deleting_what_was_never_there(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    assert api("DELETE /images/{image_id+}", "never.png").status == 404
    refuse(monkeypatch, api.s3)
    assert api("DELETE /images/{image_id+}", "never.png").status == 500


def test_the_event_of_an_object_that_is_gone(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    handler = module_of("s3_file_event").lambda_handler
    context = CONTEXT.__class__(**CONTEXT.__dict__, get_remaining_time_in_millis=lambda: 60_000)
    event = load("s3_created")
    assert event["Records"][0]["s3"]["bucket"]["name"] == BUCKET
    assert handler(event, context) == {}
    refuse(monkeypatch, api.s3)
    monkeypatch.setattr(clients, "ranged_get", lambda: api.s3)  # what it is refused, it asks the client for
    with pytest.raises(JobsFailed):
        handler(event, context)
