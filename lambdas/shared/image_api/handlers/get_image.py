"""The images themselves over HTTP: their bytes, their deletion, the summary of them all."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from typing import Any

from aws_lambda_powertools import Logger
from botocore.exceptions import ClientError

from image_catalogue import settings
from image_catalogue.catalogue import Catalogue, Item
from image_catalogue.errors import CatalogueBusy, ImageNotFound, InvalidRequest
from image_catalogue.settings import MAX_API_PAYLOAD_BYTES
from image_catalogue.storage import NotModified, Opened, Storage, archived

from ..files import FALLBACK_CONTENT_TYPE, content_disposition, is_passive
from ..problems import problem_of
from ..request import Request
from ..response import Response, conditional_json, json_response, matches
from .get_image_metadata import candidates, catalogue, exact_id, find_record

logger = Logger(child=True)

PRESIGNED_SECONDS = 300
MAX_BATCH = 100
_BATCH_THREADS = 8
#: Whatever a file holds, a browser runs nothing of it and loads nothing for it (Content Security Policy Level 3).
_GUARD = {
    "X-Content-Type-Options": "nosniff",
    "Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'; sandbox",
    "Cross-Origin-Resource-Policy": "cross-origin",
}


def get_file(request: Request) -> Response:
    """The image's bytes, or where to get them."""
    download = _flag(request, "download")
    return _file(find_record(catalogue(), request), request, download)


def get_record_or_file(request: Request) -> Response:
    """The record; with `download=true` the image's bytes."""
    download = _flag(request, "download")
    record = find_record(catalogue(), request)
    if download:
        return _file(record, request, download)
    return conditional_json(record, request.headers.get("if-none-match"))


def get_summary(request: Request) -> Response:
    """Count, sizes, largest, smallest, counts per content type and status."""
    request.parameters()
    return conditional_json(catalogue().summary(), request.headers.get("if-none-match"))


def delete_one(request: Request) -> Response:
    """Delete file and record."""
    request.parameters()
    store, bucket = catalogue(), Storage(settings.bucket_name())
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
    store, bucket = catalogue(), Storage(settings.bucket_name())
    unique = list(dict.fromkeys(image_ids))
    with ThreadPoolExecutor(_BATCH_THREADS) as pool:
        results = list(pool.map(lambda image_id: _delete_listed(store, bucket, image_id), unique))
    return json_response({"results": results})


def _delete_listed(store: Catalogue, bucket: Storage, given: str) -> dict[str, Any]:
    try:
        image_id = exact_id(given)
        if not _delete(store, bucket, image_id):
            raise ImageNotFound(image_id)
    except (InvalidRequest, ImageNotFound, CatalogueBusy, ClientError) as error:
        if isinstance(error, ClientError):  # what happened to the others has to be told all the same
            logger.exception("an image of a batch was not deleted")
        return {"image_id": given, "deleted": False, "error": problem_of(error).body()}
    return {"image_id": given, "deleted": True}


def _delete(store: Catalogue, bucket: Storage, image_id: str) -> bool:
    """Delete object and record; False where there is neither. The object goes first: a record without one is mended
    by the next event, an object without a record would stay unseen."""
    seen = store.item(image_id)
    if (seen is None or seen.get("state") != "record") and not bucket.holds(image_id):
        return False
    bucket.delete(image_id)
    with suppress(CatalogueBusy):  # the image is gone, and its event takes the record away
        store.remove(image_id, seen)
    return True


def _file(record: Item, request: Request, download: bool) -> Response:
    image_id, etag = record["image_id"], record["etag"]
    bucket = Storage(settings.bucket_name())
    held = etag if matches(request.headers.get("if-none-match"), f'"{etag}"') else None
    fits = record["size"] <= MAX_API_PAYLOAD_BYTES
    try:
        opened = bucket.open(image_id, unless_etag=held, with_body=fits)
    except NotModified:
        return Response(304, "", {"ETag": f'"{etag}"', "Cache-Control": "no-cache"})
    content_type = _content_type(record, opened)
    kind = "attachment" if download or not is_passive(content_type) else "inline"
    disposition = content_disposition(kind, record["filename"])
    if not fits or opened.size > MAX_API_PAYLOAD_BYTES:
        if opened.archived:  # the address would answer with S3's own refusal
            raise archived(image_id)
        url = bucket.presigned_get(image_id, content_type, disposition, PRESIGNED_SECONDS)
        return Response(302, "", {"Location": url, "Cache-Control": "no-store"})
    headers = {
        "Content-Type": content_type,
        "Content-Disposition": disposition,
        "ETag": f'"{opened.etag}"',
        "Cache-Control": "no-cache",
    }
    return Response(200, bucket.read(opened), headers | _GUARD)


def _content_type(record: Item, opened: Opened) -> str:
    """The record's type, as long as the object still is the one that the record describes."""
    known = record.get("content_type") if opened.etag == record["etag"] else None
    return known or FALLBACK_CONTENT_TYPE


def _flag(request: Request, name: str) -> bool:
    text = request.parameters(name).get(name, "false")
    if text not in ("true", "false"):
        raise InvalidRequest(f"{name} is true or false")
    return text == "true"
