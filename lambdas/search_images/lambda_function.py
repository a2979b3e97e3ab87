"""Questions to the catalogue: search, what can be asked, duplicates, what looks alike, problems."""

from __future__ import annotations

from typing import Any

from aws_lambda_powertools import Logger
from aws_lambda_powertools.utilities.typing import LambdaContext

from image_api.frame import serve
from image_api.handlers.search_images import (
    duplicates,
    problems,
    queryables,
    search,
    search_body,
    similar_images,
)
from image_catalogue import clients

logger = Logger()
clients.make_at_init(clients.s3)

ROUTES = {
    "GET /search": search,
    "POST /search": search_body,
    "GET /search/queryables": queryables,
    "GET /duplicates": duplicates,
    "GET /images/similar/{image_id+}": similar_images,
    "GET /report": problems,
}


@logger.inject_lambda_context(clear_state=True)
def lambda_handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:  # noqa: ARG001
    """Answer an API Gateway proxy event."""
    return serve(event, ROUTES, logger)
