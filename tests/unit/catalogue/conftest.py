"""A moto account with the bucket and the table that Terraform declares, and what works on them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import boto3
import pytest

from image_catalogue.catalogue import Catalogue
from image_events.indexer import Indexer
from tests.support.table import BUCKET, TABLE, aws_account, make_bucket, make_table


@pytest.fixture
def aws() -> Iterator[None]:
    with aws_account():
        yield


@pytest.fixture
def dynamodb(aws: None) -> Any:
    return make_table()


@pytest.fixture
def s3(aws: None) -> Any:
    return make_bucket()


@pytest.fixture
def catalogue(dynamodb: Any) -> Catalogue:
    return Catalogue(TABLE, client=dynamodb)


@pytest.fixture
def indexer(s3: Any, catalogue: Catalogue) -> Indexer:
    return Indexer(s3, catalogue, BUCKET, ("uploads/",))


@pytest.fixture
def queue(aws: None) -> tuple[Any, str]:
    sqs = boto3.client("sqs")
    return sqs, sqs.create_queue(QueueName="s3-events")["QueueUrl"]
