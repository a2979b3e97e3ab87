"""GET list, GET one and DELETE of image metadata."""

from __future__ import annotations

from typing import Any

from aws_lambda_powertools import Logger
from aws_lambda_powertools.utilities.typing import LambdaContext

from image_api.frame import serve
from image_api.handlers.get_image_metadata import forget_record, get_record, list_records, read_records
from image_catalogue import clients

logger = Logger()
clients.make_at_init(clients.dynamodb)

ROUTES = {
    "GET /metadata": list_records,
    "POST /metadata": read_records,
    "GET /metadata/{image_id+}": get_record,
    "DELETE /metadata/{image_id+}": forget_record,
    "GET /images": list_records,
    "GET /images/metadata/{image_id+}": get_record,
}


@logger.inject_lambda_context(clear_state=True)
def lambda_handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:  # noqa: ARG001
    """Answer an API Gateway proxy event."""
    return serve(event, ROUTES, logger)
