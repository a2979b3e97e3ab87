"""boto3 clients, made once per execution environment and shared by threads (clients are thread-safe)."""

from __future__ import annotations

import os
from collections.abc import Callable
from functools import lru_cache
from typing import Any

import boto3
from botocore.config import Config

from .errors import MissingSetting

#: The runtime brings boto3, in the version that AWS last gave it: from this one on, S3's PutObject takes If-Match.
OLDEST_BOTO3 = (1, 35, 69)
if tuple(int(part) for part in boto3.__version__.split(".")[:3]) < OLDEST_BOTO3:
    raise MissingSetting(
        f"this runtime's boto3 is {boto3.__version__}, and {'.'.join(map(str, OLDEST_BOTO3))} or newer is needed: "
        "set the Terraform variable runtime to a newer Python"
    )

#: As many connections as records of one batch are read at a time, with room for their writes.
_MAX_CONNECTIONS = 32


def _config(**more: Any) -> Config:
    return Config(
        connect_timeout=3,
        read_timeout=5,
        retries={"mode": "standard", "total_max_attempts": 3},
        max_pool_connections=_MAX_CONNECTIONS,
        **more,
    )


def on_local_aws() -> bool:
    """Whether one host stands for all of AWS: it is addressed by paths, and its gateway decodes them."""
    return bool(os.environ.get("AWS_ENDPOINT_URL"))


@lru_cache(maxsize=1)
def s3() -> Any:
    """S3; path-style addresses when AWS_ENDPOINT_URL names one host for everything.

    `virtual` makes presigned addresses name the bucket's region; with `auto` they name the global host, which answers a
    new bucket outside us-east-1 by a redirect that no signature survives.
    """
    style = "path" if on_local_aws() else "virtual"
    return boto3.client("s3", config=_config(signature_version="s3v4", s3={"addressing_style": style}))


@lru_cache(maxsize=1)
def dynamodb() -> Any:
    """DynamoDB, the low-level client: transactions need it."""
    return boto3.client("dynamodb", config=_config())


@lru_cache(maxsize=1)
def sqs() -> Any:
    """SQS."""
    return boto3.client("sqs", config=_config())


@lru_cache(maxsize=1)
def events() -> Any:
    """EventBridge."""
    return boto3.client("events", config=_config())


def make_at_init(*makers: Callable[[], Any]) -> None:
    """Make these clients now, where a function is being initialised: Lambda gives that a whole core.

    Otherwise the first request makes them, on the share of a core that the function's memory buys.
    AWS Lambda Developer Guide, "Understanding the Lambda execution environment lifecycle".
    """
    if os.environ.get("AWS_LAMBDA_FUNCTION_NAME"):
        for make in makers:
            make()
