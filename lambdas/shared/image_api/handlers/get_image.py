"""The images themselves: their bytes, or an address to fetch them from."""

from __future__ import annotations

from image_catalogue import settings
from image_catalogue.bucket import Bucket, NotModified, Opened, archived
from image_catalogue.catalogue import Catalogue
from image_catalogue.errors import InvalidRequest
from image_catalogue.items import Item
from image_catalogue.settings import MAX_API_PAYLOAD_BYTES

from ..files import FALLBACK_CONTENT_TYPE, GUARD, content_disposition, is_passive
from ..image_ids import candidates, exact_id, find_record
from ..request import Request
from ..response import Response, conditional_json, matches

PRESIGNED_SECONDS = 300


def get_file(request: Request) -> Response:
    """The image's bytes, or where to get them."""
    download = _flag(request, "download")
    return _file(find_record(Catalogue.of_settings(), candidates(request)), request, download)


def get_listed_file(request: Request) -> Response:
    """The same for the id in the body, which may be one that no path can name."""
    download = _flag(request, "download")
    image_id = exact_id(request.json_object("image_id").get("image_id"))
    return _file(find_record(Catalogue.of_settings(), [image_id]), request, download)


def get_record_or_file(request: Request) -> Response:
    """The record; with `download=true` the image's bytes."""
    download = _flag(request, "download")
    record = find_record(Catalogue.of_settings(), candidates(request))
    if download:
        return _file(record, request, download)
    return conditional_json(record, request.headers.get("if-none-match"))


def _file(record: Item, request: Request, download: bool) -> Response:
    image_id, etag = record["image_id"], record["etag"]
    bucket = Bucket(settings.bucket_name())
    held = etag if matches(request.headers.get("if-none-match"), f'"{etag}"') else None
    fits = record["size"] <= MAX_API_PAYLOAD_BYTES
    try:
        opened = bucket.open(image_id, unless_etag=held, with_body=fits and not request.is_head)
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
    if opened.encoding:  # as whoever stored the bytes said
        headers["Content-Encoding"] = opened.encoding
    if request.is_head:
        if opened.archived:
            raise archived(image_id)
        return Response(200, "", headers | GUARD)
    return Response(200, bucket.read(opened), headers | GUARD)


def _content_type(record: Item, opened: Opened) -> str:
    """The record's type, as long as the object still is the one that the record describes."""
    known = record.get("content_type") if opened.etag == record["etag"] else None
    return known or FALLBACK_CONTENT_TYPE


def _flag(request: Request, name: str) -> bool:
    text = request.parameters(name).get(name, "false")
    if text not in ("true", "false"):
        raise InvalidRequest(f"{name} is true or false")
    return text == "true"
