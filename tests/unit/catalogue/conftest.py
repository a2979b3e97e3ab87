"""A moto account with the bucket and the table that Terraform declares."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from typing import Any

import boto3
import pytest
from moto import mock_aws

from image_catalogue.catalogue import Catalogue
from image_catalogue.dynamodb import amounts_of, from_dynamodb
from image_catalogue.items import contribution
from image_catalogue.records import parse_timestamp
from image_events.events import Job
from image_events.indexer import Indexer
from tests.contract.declared import declared_table

BUCKET = "images"
TABLE = "ImageMetadata"


@pytest.fixture
def aws(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    for name, value in {
        "AWS_ACCESS_KEY_ID": "testing",
        "AWS_SECRET_ACCESS_KEY": "testing",
        "AWS_DEFAULT_REGION": "us-east-1",
        "AWS_EC2_METADATA_DISABLED": "true",
    }.items():
        monkeypatch.setenv(name, value)
    monkeypatch.delenv("AWS_ENDPOINT_URL", raising=False)
    with mock_aws():
        yield


@pytest.fixture
def dynamodb(aws: None) -> Any:
    client = boto3.client("dynamodb")
    client.create_table(**declared_table() | {"TableName": TABLE})
    return client


@pytest.fixture
def s3(aws: None) -> Any:
    client = boto3.client("s3")
    client.create_bucket(Bucket=BUCKET)
    return client


@pytest.fixture
def catalogue(dynamodb: Any) -> Catalogue:
    return Catalogue(TABLE, client=dynamodb)


@pytest.fixture
def indexer(s3: Any, catalogue: Catalogue) -> Indexer:
    return Indexer(s3, catalogue, BUCKET, "uploads/")


_events = itertools.count(1)


def created(key: str, sequencer: int | None = None, name: str = "ObjectCreated:Put", **more: Any) -> Job:
    """The job of an event; later calls get higher sequencers unless told."""
    number = next(_events) if sequencer is None else sequencer
    moment = parse_timestamp("2026-11-21T10:00:00Z")
    return Job(BUCKET, key, name, sequencer=f"{number:018X}", time=moment, **more)


def removed(key: str, sequencer: int | None = None, **more: Any) -> Job:
    return created(key, sequencer, "ObjectRemoved:Delete", **more)


def record(image_id: str, **more: Any) -> dict[str, Any]:
    """A catalogue record as the API or the indexer would write it."""
    return {
        "image_id": image_id,
        "bucket": BUCKET,
        "size": 100,
        "etag": f"etag-{image_id}",
        "uploaded_at": "2026-11-21T10:00:00.000Z",
        "filename": image_id.rsplit("/", 1)[-1],
        "status": "ok",
        "content_type": "image/png",
        "width": 3,
        "height": 2,
        "extractor_version": 1,
    } | more


def truth(dynamodb: Any) -> dict[str, int]:
    """The summary's counters recomputed from the records, the slow way."""
    totals: dict[str, int] = {}
    for page in dynamodb.get_paginator("scan").paginate(TableName=TABLE):
        for attributes in page["Items"]:
            for name, amount in contribution(from_dynamodb(attributes)).items():
                totals[name] = totals.get(name, 0) + amount
    return totals


def counted(catalogue: Catalogue) -> dict[str, int]:
    """The counters as the catalogue keeps them; nothing that is zero."""
    totals: dict[str, int] = {}
    for counter in catalogue.table.counters():
        for name, amount in amounts_of(counter).items():
            totals[name] = totals.get(name, 0) + amount
    return {name: amount for name, amount in totals.items() if amount}


@pytest.fixture
def requests_of(dynamodb: Any) -> Any:
    """Call something and answer the names of the DynamoDB requests it made."""

    def measure(call: Any, *arguments: Any, **options: Any) -> list[str]:
        names: list[str] = []
        dynamodb.meta.events.register("before-call.dynamodb", lambda model, **_: names.append(model.name))
        call(*arguments, **options)
        return names

    return measure
