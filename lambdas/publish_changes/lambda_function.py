"""The table's stream -> change files of the search snapshot and, where they are wanted, events and looks at pixels."""

from __future__ import annotations

from typing import Any

from aws_lambda_powertools import Logger
from aws_lambda_powertools.utilities.typing import LambdaContext

from image_catalogue import clients, pixels_queue, settings
from image_events.changes import changes_of, send
from image_search.changes import change_row, padded, write_changes
from image_search.files import Files

logger = Logger()
clients.make_at_init(clients.s3)


@logger.inject_lambda_context(clear_state=True)
def lambda_handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:  # noqa: ARG001
    """Publish a batch of the stream; answers where to go on from, if an event was not taken.

    A batch that comes again writes the same file again, and rows that were merged already change nothing.
    """
    changes = changes_of(event)
    if changes:
        rows = [
            change_row(change.image_id, change.part, padded(change.sequence), change.after, change.revision)
            for change in changes
        ]
        name = f"{rows[0]['sequence']}-{rows[-1]['sequence']}"
        write_changes(Files(settings.search_bucket()), name, rows)
    if settings.pixels() == "all":
        wanted = [change.after for change in changes if pixels_queue.wants(change.before, change.after)]
        pixels_queue.send(clients.sqs(), settings.pixels_queue(), (record for record in wanted if record))
    refused = send(clients.events(), changes) if settings.events() else None
    logger.info("published", changes=len(changes), of=len(event.get("Records", ())), refused_from=refused)
    return {"batchItemFailures": [{"itemIdentifier": refused}] if refused else []}
