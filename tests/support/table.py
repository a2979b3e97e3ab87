"""An AWS account in memory (moto) with the bucket and the table that Terraform declares, and what the table counts."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from typing import Any

import boto3
import botocore.session
import pytest
from moto import mock_aws
from moto.core.botocore_stubber import BotocoreStubber

from image_catalogue import clients
from image_catalogue.catalogue import Catalogue
from image_catalogue.dynamodb import Table, amounts_of, from_dynamodb
from image_catalogue.items import contribution
from image_catalogue.settings import MOST_COUNTER_SHARDS
from tests.contract.declared import declared_table

BUCKET = "images"
PREVIEW_BUCKET = "previews"
SEARCH_BUCKET = "search"
TABLE = "ImageMetadata"
ENVIRONMENT = {
    "AWS_ACCESS_KEY_ID": "testing",
    "AWS_SECRET_ACCESS_KEY": "testing",
    "AWS_DEFAULT_REGION": "us-east-1",
    "AWS_EC2_METADATA_DISABLED": "true",
}
#: Moto is not made for threads: a transaction copies the table while another request changes it.
_ONE_AT_A_TIME = threading.RLock()
_answer = BotocoreStubber.__call__


def _answer_alone(*arguments: Any, **named: Any) -> Any:
    with _ONE_AT_A_TIME:
        return _answer(*arguments, **named)


@contextmanager
def aws_account() -> Iterator[pytest.MonkeyPatch]:
    """An empty account, and credentials for it in the environment; the functions' clients are made anew in it."""
    _forget_clients()
    # In this order, as both put the credentials back that they found.
    with mock_aws(), pytest.MonkeyPatch.context() as patch:
        for name, value in ENVIRONMENT.items():
            patch.setenv(name, value)
        patch.delenv("AWS_ENDPOINT_URL", raising=False)
        patch.setattr(BotocoreStubber, "__call__", _answer_alone)
        # One of each for all accounts, which have the same credentials: to make them anew costs more than many a test.
        patch.setattr(boto3, "DEFAULT_SESSION", _tests_session())
        patch.setattr(clients, "_session", _functions_session)
        try:
            yield patch
        finally:
            _forget_clients()


@cache
def _functions_session() -> botocore.session.Session:
    return botocore.session.Session()


@cache
def _tests_session() -> boto3.Session:
    session = botocore.session.Session()
    # What botocore knows of the services is read once.
    session.register_component("data_loader", _functions_session().get_component("data_loader"))
    return boto3.Session(botocore_session=session)


def _forget_clients() -> None:
    """Of another account."""
    for maker in vars(clients).values():
        if hasattr(maker, "cache_clear") and maker is not _functions_session:
            maker.cache_clear()


def make_bucket(versioned: bool = False, name: str = BUCKET) -> Any:
    """A bucket, as a client of S3 that may read and write it."""
    s3 = boto3.client("s3")
    s3.create_bucket(Bucket=name)
    if versioned:
        s3.put_bucket_versioning(Bucket=name, VersioningConfiguration={"Status": "Enabled"})
    return s3


def make_table() -> Any:
    """The table, as a client of DynamoDB that may read and write it."""
    dynamodb = boto3.client("dynamodb")
    dynamodb.create_table(**declared_table() | {"TableName": TABLE})
    return dynamodb


def truth(dynamodb: Any) -> dict[str, int]:
    """The summary's counters recomputed from the records, the slow way; nothing that is zero."""
    totals: Counter[str] = Counter()
    for page in dynamodb.get_paginator("scan").paginate(TableName=TABLE):
        for attributes in page["Items"]:
            totals.update(contribution(from_dynamodb(attributes)))
    return {name: amount for name, amount in totals.items() if amount}


def counted(catalogue: Catalogue) -> dict[str, int]:
    """All counters that the catalogue's table holds; nothing that is zero."""
    totals: Counter[str] = Counter()
    for counter in Table(catalogue.table.name, catalogue.table.client, MOST_COUNTER_SHARDS).counters():
        totals.update(amounts_of(counter))
    return {name: amount for name, amount in totals.items() if amount}
