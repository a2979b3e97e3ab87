"""Previews: made on the first view, kept, and found again without decoding."""

from __future__ import annotations

import json
import time

from image_catalogue import clients, settings
from image_catalogue.bucket import Bucket, archived
from image_catalogue.catalogue import Catalogue
from image_catalogue.errors import CatalogueBusy, ImageNotFound, InvalidRequest
from image_catalogue.items import Item
from image_catalogue.previews import VERSION, Kept, Previews
from image_catalogue.source import ObjectGone, S3Object, UnreadableObject
from image_metadata.errors import ImageMetadataError, SourceError, UnsupportedImage
from image_pixels import render
from image_pixels.preview import CONTENT_TYPE, SIZES
from image_pixels.worker import DecodingTimedOut, decoder

from ..files import GUARD
from ..image_ids import candidates, find_record
from ..problems import NotAnImage, UnreadableImage
from ..request import Request
from ..response import JSON, Response, matches

DEFAULT_SIZE = 320
#: A URL that names the ETag always means the same preview. One that does not has to be asked about again, since
#: another image may take its key; the answer is then mostly 304.
_FOR_GOOD = "private, max-age=31536000, immutable"
_ASK_AGAIN = "private, no-cache"
#: Until then the last range of the original is asked for. With `image_pixels.limits.MAX_SECONDS` for decoding it, the
#: answer comes before API Gateway gives up.
_FETCH_SECONDS = 6.0


def get_preview(request: Request) -> Response:
    """The preview in WebP, its longer side `size` pixels or as many as the picture has."""
    given = request.parameters("size", "etag")
    size = _size(given.get("size", str(DEFAULT_SIZE)))
    record = find_record(Catalogue.of_settings(), candidates(request))
    tag = f'"{record["etag"]}-{size}-{VERSION}"'
    cache = _FOR_GOOD if given.get("etag") == record["etag"] else _ASK_AGAIN
    unchanged = Response(304, "", {"ETag": tag, "Cache-Control": cache})
    held = request.headers.get("if-none-match")
    if held != "*" and matches(held, tag):
        return unchanged
    previews = Previews(settings.preview_bucket())
    kept = previews.find(record["image_id"], record["etag"], size) or _make(previews, record, size)
    if kept.content_type != CONTENT_TYPE:
        raise _refusal(record["image_id"], json.loads(kept.data))
    if matches(held, tag):  # whatever preview there is; now it is known that there is one
        return unchanged
    headers = {"Content-Type": CONTENT_TYPE, "ETag": tag, "Cache-Control": cache}
    return Response(200, kept.data, headers | GUARD)


def _make(previews: Previews, record: Item, size: int) -> Kept:
    """Make the preview of the object that the record describes, or the reason why there is none, and keep it."""
    image_id, etag = record["image_id"], record["etag"]
    deadline = time.monotonic() + _FETCH_SECONDS
    source = S3Object(clients.s3(), settings.bucket_name(), image_id, deadline, etag)
    try:
        made = Kept(render.preview(source, size, decoder()), CONTENT_TYPE)
    except ObjectGone as error:
        raise ImageNotFound(image_id) from error
    except UnreadableObject as error:
        raise archived(image_id) from error
    except SourceError as error:
        raise CatalogueBusy(
            "the image is being replaced, or cannot be read now; try again shortly"
        ) from error
    except DecodingTimedOut as error:  # perhaps the next time is quicker
        raise UnreadableImage(str(error)) from error
    except ImageMetadataError as error:
        reason = {"unsupported": isinstance(error, UnsupportedImage), "reason": str(error)}
        made = Kept(json.dumps(reason).encode(), JSON)
    kept = previews.keep(image_id, etag, size, made)
    # Who deletes the image removes its previews. One that was kept after that would stay.
    if Bucket(settings.bucket_name()).etag(image_id) is None:
        previews.forget(image_id)
        raise ImageNotFound(image_id)
    return kept


def _refusal(image_id: str, why: dict[str, str | bool]) -> Exception:
    advice = f"GET /images/file/{image_id} returns the file itself"
    kind = NotAnImage if why["unsupported"] else UnreadableImage
    return kind(f"there is no preview: {why['reason']}; {advice}")


def _size(text: str) -> int:
    for size in SIZES:
        if text == str(size):
            return size
    raise InvalidRequest(f"size is one of {', '.join(map(str, SIZES))}")
