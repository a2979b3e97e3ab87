"""From the image id that a request names to the record it means."""

from __future__ import annotations

from typing import Any
from urllib.parse import quote

from image_catalogue import clients, settings
from image_catalogue.catalogue import Catalogue
from image_catalogue.errors import ImageNotFound, InvalidRequest
from image_catalogue.ids import normalise_image_id
from image_catalogue.items import Item

from .request import Request


def catalogue() -> Catalogue:
    """The catalogue that the function's settings name."""
    return Catalogue(settings.table_name(), settings.index_shards(), search_parts=settings.search_parts())


def candidates(request: Request) -> list[str]:
    """The ids that the request's path may mean, likeliest first; raises `InvalidImageId`."""
    path = request.path.get("image_id", "")
    return normalise_image_id(path, settings.upload_prefixes(), encoded=not clients.on_local_aws())


def exact_id(image_id: Any) -> str:
    """The id in a JSON body: not percent-encoded, the prefix optional; raises `InvalidImageId`."""
    if not isinstance(image_id, str) or any("\ud800" <= char <= "\udfff" for char in image_id):
        raise InvalidRequest("an image id is a text")
    return normalise_image_id(quote(image_id), settings.upload_prefixes())[0]


def find_record(store: Catalogue, request: Request) -> Item:
    """The record that the path means; raises `ImageNotFound`, `InvalidImageId`."""
    image_ids = candidates(request)
    for image_id in image_ids:
        record = store.get(image_id)
        if record is not None:
            return record
    raise ImageNotFound(image_ids[0])
