"""From the image id that a request names to the record it means."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from aws_lambda_powertools import Logger
from botocore.exceptions import ClientError

from image_catalogue import clients, settings
from image_catalogue.catalogue import Catalogue
from image_catalogue.errors import CatalogueBusy, ImageNotFound, InvalidRequest
from image_catalogue.ids import exact_image_id, normalise_image_id
from image_catalogue.items import Item

from .problems import problem_of
from .request import Request

logger = Logger(child=True)

MAX_BATCH = 100
_BATCH_THREADS = 8


def candidates(request: Request) -> list[str]:
    """The ids that the request's path may mean, likeliest first; raises `InvalidImageId`."""
    path = request.path.get("image_id", "")
    return normalise_image_id(path, settings.upload_prefixes(), encoded=not clients.on_local_aws())


def exact_id(image_id: Any) -> str:
    """The id in a JSON body: not percent-encoded, the prefix optional; raises `InvalidRequest`."""
    if not isinstance(image_id, str):
        raise InvalidRequest("an image id is a text")
    return exact_image_id(image_id, settings.upload_prefixes())


def for_each(request: Request, answer: Callable[[str], dict[str, Any]]) -> list[dict[str, Any]]:
    """What `answer` says of each id that the body lists, in the order given; a failure is the result of its id alone.

    Raises `InvalidRequest`.
    """
    image_ids = request.json_object("image_ids").get("image_ids")
    if not isinstance(image_ids, list) or not 1 <= len(image_ids) <= MAX_BATCH:
        raise InvalidRequest(f"image_ids is a list of 1 to {MAX_BATCH} image ids")
    if not all(isinstance(image_id, str) for image_id in image_ids):
        raise InvalidRequest("image_ids holds something that is not a text")

    def one(given: str) -> dict[str, Any]:
        try:
            return {"image_id": given, **answer(exact_id(given))}
        except (InvalidRequest, ImageNotFound, CatalogueBusy, ClientError) as error:
            if isinstance(error, ClientError):  # the answer must still say what happened to the other images
                logger.exception("an image of a batch failed")
            return {"image_id": given, "error": problem_of(error).body()}

    with ThreadPoolExecutor(_BATCH_THREADS) as pool:
        return list(pool.map(one, dict.fromkeys(image_ids)))


def find_record(store: Catalogue, image_ids: list[str]) -> Item:
    """The record of the first of the ids that has one; raises `ImageNotFound`."""
    for image_id in image_ids:
        record = store.get(image_id)
        if record is not None:
            return record
    raise ImageNotFound(image_ids[0])
