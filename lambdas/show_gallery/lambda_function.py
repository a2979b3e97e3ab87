"""GET the gallery: a page over the API."""

from __future__ import annotations

from typing import Any

from aws_lambda_powertools import Logger
from aws_lambda_powertools.utilities.typing import LambdaContext

from image_api.frame import serve
from image_api.handlers.show_gallery import show_file, show_page
from image_catalogue import clients

logger = Logger()
clients.make_at_init(clients.s3)

ROUTES = {
    "GET /": show_page,
    "GET /gallery/{file+}": show_file,
}


@logger.inject_lambda_context(clear_state=True)
def lambda_handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:  # noqa: ARG001
    """Answer an API Gateway proxy event."""
    return serve(event, ROUTES, logger)
