"""AWS clients, made once per execution environment and shared by threads (clients are thread-safe).

They are botocore's own, which `boto3.client` hands out too: importing boto3 brings its transfer manager and resources
along, a third of a function's cold start.
"""

from __future__ import annotations

import gc
import os
from collections.abc import Callable
from functools import lru_cache
from typing import Any

import botocore
from botocore.config import Config
from botocore.session import Session

from .direct import RangedGet, TableCalls
from .errors import MissingSetting

#: The runtime brings botocore, in the version that AWS last gave it: from this one on, S3's PutObject takes If-Match.
OLDEST_BOTOCORE = (1, 35, 69)
if tuple(int(part) for part in botocore.__version__.split(".")[:3]) < OLDEST_BOTOCORE:
    raise MissingSetting(
        f"this runtime's botocore is {botocore.__version__}, and {'.'.join(map(str, OLDEST_BOTOCORE))} or newer is "
        "needed: set the Terraform variable runtime to a newer Python"
    )

#: As many connections as records of one batch are read at a time, with room for their writes.
_MAX_CONNECTIONS = 32


@lru_cache(maxsize=1)
def _session() -> Session:
    """One session for all clients: configuration and service models are read once."""
    return Session()


def _client(service: str, attempts: int = 3, **more: Any) -> Any:
    config = Config(
        connect_timeout=3,
        read_timeout=5,
        retries={"mode": "standard", "total_max_attempts": attempts},
        max_pool_connections=_MAX_CONNECTIONS,
        **more,
    )
    return _session().create_client(service, config=config)


def _signer_and_sender(client: Any) -> tuple[Any, Any]:
    """What signs and what sends direct requests in the place of `client`: its connections, proxies and certificates."""
    return _session().get_credentials(), client._endpoint.http_session


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
    return _client("s3", signature_version="s3v4", s3={"addressing_style": style})


@lru_cache(maxsize=1)
def ranged_get() -> RangedGet:
    """S3 for reading objects by ranges, and nothing else."""
    return RangedGet(s3(), *_signer_and_sender(s3()))


@lru_cache(maxsize=1)
def dynamodb() -> Any:
    """DynamoDB, the low-level client: transactions need it.

    Its requests are typed by `dynamodb`; looking through them once more is a tenth of what writing a record costs. The
    client is asked where a direct request had no answer, which was the first of three attempts.
    """
    client = _client("dynamodb", attempts=2, parameter_validation=False)
    return TableCalls(client, *_signer_and_sender(client))


@lru_cache(maxsize=1)
def sqs() -> Any:
    """SQS."""
    return _client("sqs")


@lru_cache(maxsize=1)
def events() -> Any:
    """EventBridge."""
    return _client("events")


def make_at_init(*makers: Callable[[], Any]) -> None:
    """Make these clients now, where a function is being initialised: Lambda gives that a whole core.

    Otherwise the first request makes them, on the share of a core that the function's memory buys.
    AWS Lambda Developer Guide, "Understanding the Lambda execution environment lifecycle".
    """
    if not os.environ.get("AWS_LAMBDA_FUNCTION_NAME"):
        return
    # What is made now is never thrown away. To look through it for garbage meanwhile takes a third of the time, and
    # afterwards a part of every later collection.
    gc.disable()
    try:
        for make in makers:
            make()
        gc.freeze()
    finally:
        gc.enable()
