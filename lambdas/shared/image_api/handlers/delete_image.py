"""Deleting images: file and record, one or many at a time."""

from __future__ import annotations

from contextlib import suppress
from typing import Any

from image_catalogue import settings
from image_catalogue.bucket import Bucket
from image_catalogue.catalogue import Catalogue
from image_catalogue.errors import CatalogueBusy, ImageNotFound
from image_catalogue.items import is_record, public

from ..image_ids import candidates, for_each
from ..request import Request
from ..response import Response, check_match, etag_of, json_response


def delete_one(request: Request) -> Response:
    """Delete file and record; with If-Match only while they are what its ETags name."""
    request.parameters()
    store, bucket = Catalogue.of_settings(), Bucket(settings.bucket_name())
    image_ids = candidates(request)
    for image_id in image_ids:
        if _delete(store, bucket, image_id, request.headers.get("if-match")):
            return Response(204)
    raise ImageNotFound(image_ids[0])


def delete_many(request: Request) -> Response:
    """Delete up to a hundred images; each id has a result of its own, in the order given."""
    request.parameters()
    store, bucket = Catalogue.of_settings(), Bucket(settings.bucket_name())

    def delete(image_id: str) -> dict[str, Any]:
        if not _delete(store, bucket, image_id):
            raise ImageNotFound(image_id)
        return {"deleted": True}

    results = for_each(request, delete)
    return json_response({"results": [{"deleted": False} | result for result in results]})


def _delete(store: Catalogue, bucket: Bucket, image_id: str, if_match: str | None = None) -> bool:
    """Delete object and record; False where neither exists. Raises `ImageChanged` where `if_match` names neither.

    The object goes first: the next event removes a record without an object, but nothing would ever show an
    object without a record.
    """
    seen = store.item(image_id)
    record = public(seen) if seen is not None and is_record(seen) else None
    held = None if record else bucket.etag(image_id)
    if record is None and held is None:
        return False
    etag = record["etag"] if record else held
    if if_match is not None:
        check_match(if_match, f'"{etag}"', *([etag_of(record)] if record else []))
    bucket.delete(image_id, only_etag=etag if if_match is not None and if_match.strip() != "*" else None)
    with suppress(CatalogueBusy):  # the image is gone, and the event of that removes the record
        store.remove(seen)
    return True
