"""Uploads: small files through the API, larger ones by a presigned form straight into the bucket."""

from __future__ import annotations

import io
import re
from contextlib import suppress
from datetime import UTC, datetime, timedelta

from image_catalogue import settings
from image_catalogue.bucket import Bucket
from image_catalogue.catalogue import Catalogue
from image_catalogue.errors import CatalogueBusy, InvalidRequest
from image_catalogue.filenames import clean_filename, filename_metadata
from image_catalogue.ids import new_image_id
from image_catalogue.items import Item, public
from image_catalogue.records import record_of, timestamp
from image_catalogue.settings import MAX_API_PAYLOAD_BYTES
from image_metadata import extension, extract

from ..files import disposition_filename
from ..multipart import file_part, is_multipart
from ..problems import EmptyUpload, NotAnImage, UnreadableImage, UploadTooLarge
from ..request import Request
from ..response import Response, json_response

PRESIGNED_SECONDS = 900
_IMAGE_TYPE = re.compile(r"image/[a-z0-9][a-z0-9.+-]{0,63}")


def upload(request: Request) -> Response:
    """Store the image in the body and answer its record."""
    named = request.parameters("filename").get("filename")
    body, claimed = request.body(), request.headers.get("content-type")
    name = disposition_filename(request.headers.get("content-disposition"))
    if is_multipart(claimed):
        part = file_part(body, claimed or "")
        body, claimed, name = part.data, part.content_type, part.filename or name
    record = _store(body, clean_filename(named or name), claimed)
    # Relative to the request's own address, so that it is right behind every stage and domain.
    location = "metadata/" + record["image_id"]
    return json_response(record, 201, {"Location": location})


def presign(request: Request) -> Response:
    """A form for one upload straight into the bucket: its key, type and size cannot be changed by whoever has it."""
    request.parameters()
    wanted = request.json_object("filename", "content_type", "size")
    content_type, size, filename = (wanted.get(name) for name in ("content_type", "size", "filename"))
    if not isinstance(content_type, str) or not _IMAGE_TYPE.fullmatch(content_type):
        raise InvalidRequest(
            "content_type, which is required, is an image's media type in lower case, such as image/jpeg"
        )
    if "filename" in wanted and not isinstance(filename, str):
        raise InvalidRequest("filename is a text")
    most = settings.max_upload_bytes()
    if isinstance(size, float) and size.is_integer():  # JSON has one kind of number: 5.0 is 5
        size = int(size)
    if "size" in wanted and (isinstance(size, bool) or not isinstance(size, int) or size < 1):
        raise InvalidRequest("size is the file's length in bytes, a whole number of 1 or more")
    if size is not None and size > most:
        raise UploadTooLarge(f"this API takes files of up to {most} bytes")
    image_id = new_image_id(extension(content_type), settings.upload_prefixes()[0])
    fields = {"Content-Type": content_type, "success_action_status": "201"}
    name = clean_filename(filename)
    if name:
        fields |= {f"x-amz-meta-{key}": value for key, value in filename_metadata(name).items()}
    expires_at = timestamp(datetime.now(UTC) + timedelta(seconds=PRESIGNED_SECONDS))
    url, form = Bucket(settings.bucket_name()).presigned_post(
        image_id, fields, (size or 1, size or most), PRESIGNED_SECONDS
    )
    answer = {"url": url, "fields": form, "image_id": image_id, "expires_at": expires_at}
    return json_response(answer, 201, {"Cache-Control": "no-store"})


def _store(data: bytes, filename: str | None, claimed: str | None) -> Item:
    if not data:
        raise EmptyUpload("the upload is empty: send the image's bytes as the body, or as a form's file")
    if len(data) > MAX_API_PAYLOAD_BYTES:
        raise UploadTooLarge(
            f"more than {MAX_API_PAYLOAD_BYTES} bytes: ask POST /uploads for an address to upload large files to"
        )
    metadata = extract(io.BytesIO(data))
    if metadata.status == "unsupported" or metadata.content_type is None:
        raise NotAnImage(metadata.error or "the bytes are of no known media type")
    if metadata.status != "ok":
        raise UnreadableImage(f"the image cannot be read: {metadata.error}")
    image_id = new_image_id(extension(metadata.content_type), settings.upload_prefixes()[0])
    uploaded_at = timestamp(datetime.now(UTC))
    bucket = settings.bucket_name()
    stored = Bucket(bucket).put(
        image_id, data, metadata.content_type, filename_metadata(filename) if filename else {}
    )
    record = record_of(
        metadata.to_dict(),
        image_id=image_id,
        bucket=bucket,
        size=len(data),
        etag=stored.etag,
        version_id=stored.version_id,
        uploaded_at=uploaded_at,
        filename=filename,
        declared_content_type=claimed,
        gps=settings.gps(),
    )
    # The image is stored, and its event catalogues it: a failure here would only have it sent twice.
    with suppress(CatalogueBusy):
        record = Catalogue.of_settings().put_uploaded(record)
    return public(record)
