"""S3 created/removed -> catalogue: SQS batches, plain S3 events and S3 Batch Operations tasks."""

from __future__ import annotations

import time
from typing import Any

from aws_lambda_powertools import Logger
from aws_lambda_powertools.utilities.typing import LambdaContext

from image_catalogue import clients, settings
from image_catalogue.catalogue import Catalogue
from image_catalogue.previews import Previews
from image_events.batch import handle
from image_events.indexer import Indexer

logger = Logger()
clients.make_at_init(clients.ranged_get, clients.dynamodb)
#: Left of the invocation for answering which records are done.
_MARGIN_SECONDS = 5.0


@logger.inject_lambda_context(clear_state=True)
def lambda_handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    """Answer in the caller's protocol which records, messages or tasks failed; raise only for a plain event."""
    # What the name of the log group says is not paid for again in the line of every image.
    logger.remove_keys(["function_arn", "function_memory_size", "function_name"])
    left = context.get_remaining_time_in_millis() / 1000
    indexer = Indexer(
        clients.ranged_get(),
        Catalogue.of_settings(),
        settings.bucket_name(),
        settings.upload_prefixes(),
        settings.gps(),
        Previews(settings.preview_bucket()) if settings.previews() else None,
    )
    return handle(event, indexer, time.monotonic() + max(left - _MARGIN_SECONDS, left / 2), logger)
