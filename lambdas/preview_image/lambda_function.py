"""GET small pictures of the images."""

from __future__ import annotations

from typing import Any

from aws_lambda_powertools import Logger
from aws_lambda_powertools.utilities.typing import LambdaContext

from image_api.frame import serve
from image_api.handlers.preview_image import get_preview
from image_catalogue import clients

logger = Logger()
clients.make_at_init(clients.s3, clients.dynamodb)

ROUTES = {"GET /images/preview/{image_id+}": get_preview}


@logger.inject_lambda_context(clear_state=True)
def lambda_handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:  # noqa: ARG001
    """Answer an API Gateway proxy event."""
    return serve(event, ROUTES, logger)
