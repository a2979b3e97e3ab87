"""Merges waiting changes into the search snapshot, on a schedule."""

from __future__ import annotations

import time
from typing import Any

from aws_lambda_powertools import Logger
from aws_lambda_powertools.utilities.typing import LambdaContext

from image_catalogue import clients, settings
from image_search.changes import is_waiting
from image_search.files import Files

logger = Logger()
clients.make_at_init(clients.s3)
#: Left of the invocation for a merge that has begun.
_MARGIN_SECONDS = 60.0


@logger.inject_lambda_context(clear_state=True)
def lambda_handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    """Compact where it is due, or when invoked with `{"now": true}`; answers what was done."""
    left = context.get_remaining_time_in_millis() / 1000
    files, now = Files(settings.search_bucket()), bool(event.get("now"))
    done = {"changes": 0, "parts": 0, "images": 0}
    if is_waiting(files, now):
        from image_search.snapshot import (
            compact_due,  # DuckDB: most of the time there is nothing to do with it
        )

        done = compact_due(files, time.monotonic() + max(left - _MARGIN_SECONDS, left / 2), now)
    logger.info("compacted", **done)
    return done
