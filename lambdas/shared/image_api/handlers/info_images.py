"""The summary of all images."""

from __future__ import annotations

from image_catalogue.catalogue import Catalogue
from image_catalogue.queries import summarise

from ..request import Request
from ..response import Response, conditional_json


def get_summary(request: Request) -> Response:
    """Count, sizes, largest, smallest, counts per content type and status."""
    request.parameters()
    return conditional_json(summarise(Catalogue.of_settings()), request.headers.get("if-none-match"))
