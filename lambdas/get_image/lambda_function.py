"""GET the image itself."""

from __future__ import annotations

from typing import Any

from aws_lambda_powertools import Logger
from aws_lambda_powertools.utilities.typing import LambdaContext

from image_api.frame import serve
from image_api.handlers.get_image import get_file, get_listed_file, get_record_or_file
from image_catalogue import clients

logger = Logger()
clients.make_at_init(clients.s3, clients.dynamodb)

ROUTES = {
    "GET /images/file/{image_id+}": get_file,
    "GET /images/download/{image_id+}": get_file,
    "POST /images/file": get_listed_file,
    "GET /images/{image_id+}": get_record_or_file,
}


@logger.inject_lambda_context(clear_state=True)
def lambda_handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:  # noqa: ARG001
    """Answer an API Gateway proxy event."""
    return serve(event, ROUTES, logger)
