"""Deleting images: file and record, one or many at a time."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from typing import Any

from aws_lambda_powertools import Logger
from botocore.exceptions import ClientError

from image_catalogue import settings
from image_catalogue.bucket import Bucket
from image_catalogue.catalogue import Catalogue
from image_catalogue.errors import CatalogueBusy, ImageNotFound, InvalidRequest
from image_catalogue.items import is_record

from ..image_ids import candidates, catalogue, exact_id
from ..problems import problem_of
from ..request import Request
from ..response import Response, json_response

logger = Logger(child=True)

MAX_BATCH = 100
_BATCH_THREADS = 8


def delete_one(request: Request) -> Response:
    """Delete file and record."""
    request.parameters()
    store, bucket = catalogue(), Bucket(settings.bucket_name())
    image_ids = candidates(request)
    for image_id in image_ids:
        if _delete(store, bucket, image_id):
            return Response(204)
    raise ImageNotFound(image_ids[0])


def delete_many(request: Request) -> Response:
    """Delete up to `MAX_BATCH` images; each id has a result of its own, in the order given."""
    request.parameters()
    image_ids = request.json_object("image_ids").get("image_ids")
    if not isinstance(image_ids, list) or not 1 <= len(image_ids) <= MAX_BATCH:
        raise InvalidRequest(f"image_ids is a list of 1 to {MAX_BATCH} image ids")
    if not all(isinstance(image_id, str) for image_id in image_ids):
        raise InvalidRequest("image_ids holds something that is not a text")
    store, bucket = catalogue(), Bucket(settings.bucket_name())
    unique = list(dict.fromkeys(image_ids))
    with ThreadPoolExecutor(_BATCH_THREADS) as pool:
        results = list(pool.map(lambda image_id: _delete_listed(store, bucket, image_id), unique))
    return json_response({"results": results})


def _delete_listed(store: Catalogue, bucket: Bucket, given: str) -> dict[str, Any]:
    try:
        image_id = exact_id(given)
        if not _delete(store, bucket, image_id):
            raise ImageNotFound(image_id)
    except (InvalidRequest, ImageNotFound, CatalogueBusy, ClientError) as error:
        if isinstance(error, ClientError):  # the answer must still say what happened to the other images
            logger.exception("an image of a batch was not deleted")
        return {"image_id": given, "deleted": False, "error": problem_of(error).body()}
    return {"image_id": given, "deleted": True}


def _delete(store: Catalogue, bucket: Bucket, image_id: str) -> bool:
    """Delete object and record; False where neither exists.

    The object goes first: the next event removes a record without an object, but nothing would ever show an
    object without a record.
    """
    seen = store.item(image_id)
    if (seen is None or not is_record(seen)) and not bucket.holds(image_id):
        return False
    bucket.delete(image_id)
    with suppress(CatalogueBusy):  # the image is gone, and the event of that removes the record
        store.remove(seen)
    return True
