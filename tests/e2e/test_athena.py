"""The settings beside search: Athena's table over the same files, and events on EventBridge."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.support.pictures import numbered_picture
from tests.support.stack import Stack, eventually
from tools.dev import demo
from tools.ops import sql as tool


@pytest.fixture(scope="module")
def stack(lab_stack: Stack) -> Stack:
    """The deployment with `athena` and `events`, some images in it, their changes merged."""
    images = {
        f"uploads/athena/{name}": content
        for name, content in demo.sample_images().items()
        if not name.endswith(("tiff", "gif"))
    }
    images |= {f"uploads/athena/twice-{number}.png": numbered_picture(77) for number in range(2)}
    for image_id, content in images.items():
        lab_stack.put(image_id, content)
    asked = {"filter": "image_id LIKE 'uploads/athena/%'"}
    eventually(lambda: len(lab_stack.found(**asked)) == len(images), "all images found")
    lab_stack.invoke("compact_catalogue", {"now": True})
    return lab_stack


def athena_answers(stack: Stack, sql: str) -> list[list[str | None]]:
    """Athena's answer as texts, as it gives them; the first row has the columns' names."""
    athena, place = stack.site.client("athena"), stack.outputs["athena"]
    begun = athena.start_query_execution(
        QueryString=sql,
        WorkGroup=place["workgroup"],
        QueryExecutionContext={"Database": place["database"]},
    )["QueryExecutionId"]

    def ended() -> dict[str, Any] | None:
        status: dict[str, Any] = athena.get_query_execution(QueryExecutionId=begun)["QueryExecution"][
            "Status"
        ]
        return status if status["State"] in ("SUCCEEDED", "FAILED") else None

    status = eventually(ended, "Athena's answer")
    assert status["State"] == "SUCCEEDED", status
    rows = athena.get_query_results(QueryExecutionId=begun)["ResultSet"]["Rows"]
    return [[value.get("VarCharValue") for value in row["Data"]] for row in rows]


def test_athena_and_the_laptop_give_the_same_answers_to_every_named_query(
    stack: Stack, tmp_path_factory: pytest.TempPathFactory
) -> None:
    athena = stack.site.client("athena")
    ids = athena.list_named_queries(WorkGroup=stack.outputs["athena"]["workgroup"])["NamedQueryIds"]
    held = {found["Name"]: found for found in athena.batch_get_named_query(NamedQueryIds=ids)["NamedQueries"]}
    assert {name: found["QueryString"] for name, found in held.items()} == tool.named_queries()
    files = tool.Files(stack.outputs["search_bucket"], stack.s3)
    laptop = tool.Catalogue(files, tmp_path_factory.mktemp("laptop"), 500)
    for name, sql in tool.named_queries().items():
        names, rows = laptop.rows(sql, 1000)
        assert rows, f"{name} answers nothing: it compares nothing"
        texts = [[None if value is None else str(value) for value in row] for row in rows]
        assert athena_answers(stack, sql) == [names, *texts], name
    laptop.close()


def test_every_change_is_told_on_the_bus(stack: Stack) -> None:
    events, key = stack.site.client("events"), "uploads/athena/told.png"
    queue = stack.sqs.create_queue(QueueName="told")["QueueUrl"]
    arn = stack.sqs.get_queue_attributes(QueueUrl=queue, AttributeNames=["QueueArn"])["Attributes"][
        "QueueArn"
    ]
    pattern = {"source": ["image-metadata"], "detail": {"image_id": [key]}}
    events.put_rule(Name="told", EventPattern=json.dumps(pattern))
    events.put_targets(Rule="told", Targets=[{"Id": "queue", "Arn": arn}])
    told: list[dict[str, Any]] = []

    def heard(kind: str) -> bool:
        for message in stack.sqs.receive_message(QueueUrl=queue, MaxNumberOfMessages=10).get("Messages", ()):
            told.append(json.loads(message["Body"]))
            stack.sqs.delete_message(QueueUrl=queue, ReceiptHandle=message["ReceiptHandle"])
        return kind in [event["detail-type"] for event in told]

    try:
        record = stack.put_and_wait(key, numbered_picture(1))
        eventually(lambda: heard("Image Catalogued"), "the image catalogued")
        stack.put_and_wait(key, numbered_picture(2))
        eventually(lambda: heard("Image Changed"), "the image changed")
        stack.s3.delete_object(Bucket=stack.bucket, Key=key)
        eventually(lambda: heard("Image Removed"), "the image removed")
    finally:
        events.remove_targets(Rule="told", Ids=["queue"])
        events.delete_rule(Name="told")
        stack.sqs.delete_queue(QueueUrl=queue)
    first = next(event for event in told if event["detail-type"] == "Image Catalogued")
    assert first["detail"]["record"] == record
