"""From a message to a record that says what its pixels do: once for each object, whatever comes twice or late."""

from __future__ import annotations

from typing import Any

from image_catalogue.catalogue import Catalogue
from image_catalogue.items import is_record
from image_catalogue.source import ObjectGone, S3Object
from image_metadata.errors import ImageMetadataError, SourceError

from . import render
from .measures import SIDE
from .worker import Decoder, DecodingTimedOut

#: Of the reason why nothing could be found out, the record keeps this much.
_LONGEST_REASON = 200


def analyse(
    catalogue: Catalogue,
    client: Any,
    bucket: str,
    image_id: str,
    etag: str,
    decoder: Decoder,
    deadline: float,
) -> str:
    """Measure the picture of the object with this ETag and add that to its record; returns what happened.

    `client` is a boto3 S3 client. Raises what another try may not meet: `CatalogueBusy`, `SourceError`,
    `DecodingTimedOut`.
    """
    item = catalogue.item(image_id)
    if item is None or not is_record(item) or item["etag"] != etag:
        return "superseded"
    if "pixels" in item:
        return "unchanged"
    try:
        pixels = render.measures(S3Object(client, bucket, image_id, deadline, etag), SIDE, decoder)
    except ObjectGone:
        return "superseded"
    except (SourceError, DecodingTimedOut):
        raise
    except ImageMetadataError as error:
        pixels = {"error": str(error)[:_LONGEST_REASON]}
    outcome = catalogue.add_pixels(image_id, etag, pixels)
    return f"{outcome} without pixels" if outcome == "updated" and "error" in pixels else outcome
