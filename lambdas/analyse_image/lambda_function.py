"""The queue of new images -> what their pixels say, in their records."""

from __future__ import annotations

import time
from typing import Any

from aws_lambda_powertools import Logger
from aws_lambda_powertools.utilities.typing import LambdaContext

from image_catalogue import clients, settings
from image_catalogue.catalogue import Catalogue
from image_catalogue.pixels_queue import parse
from image_pixels.analysis import analyse
from image_pixels.worker import decoder

logger = Logger()
clients.make_at_init(clients.s3, clients.dynamodb)
#: Seconds of an invocation that reading the file may not use: decoding it has its own limit.
_MARGIN_SECONDS = 30.0


@logger.inject_lambda_context(clear_state=True)
def lambda_handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    """Look at each message's image; answers which messages failed, for another try."""
    failed = []
    store = Catalogue.of_settings()
    until = time.monotonic() + context.get_remaining_time_in_millis() / 1000 - _MARGIN_SECONDS
    for message in event.get("Records", ()):
        fields: dict[str, Any] = {"message_id": message["messageId"]}
        try:
            image_id, etag = parse(message["body"])
            fields["image_id"] = image_id
            outcome = analyse(store, clients.s3(), settings.bucket_name(), image_id, etag, decoder(), until)
            logger.info("analysed", **fields, outcome=outcome)
        except Exception as error:  # a bug fails the message that meets it, and only that one
            logger.exception("image was not analysed", **fields, error=type(error).__name__)
            failed.append(message["messageId"])
    return {"batchItemFailures": [{"itemIdentifier": message_id} for message_id in failed]}
