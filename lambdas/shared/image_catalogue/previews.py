"""The bucket of previews: found by image and ETag, kept once, gone with the image.

It is a bucket of its own. Whatever happens in the images' bucket makes events, and previews must never come back as
images. Nothing in it is needed for good: its lifecycle removes what is old, and the next view makes it again.
"""

from __future__ import annotations

from dataclasses import dataclass
from hashlib import blake2s
from typing import Any

from .bucket import Bucket
from .errors import ImageNotFound

#: Grows whenever a change makes previews of the same bytes look different: older ones are then not found any more.
VERSION = 1
PREFIX = "previews/"


@dataclass(frozen=True)
class Kept:
    """What is kept under a preview's key; another type than an image's is a reason why there is no preview."""

    data: bytes
    content_type: str


class Previews:
    """The previews in the bucket `name`; `client` is a boto3 S3 client (the shared one by default)."""

    def __init__(self, name: str, client: Any = None) -> None:
        self._bucket = Bucket(name, client)

    def find(self, image_id: str, etag: str, size: int) -> Kept | None:
        """What was made of the object with this ETag; None: nothing yet. Raises `CatalogueBusy`."""
        try:
            opened = self._bucket.open(_key(image_id, etag, size))
        except ImageNotFound:
            return None
        return Kept(self._bucket.read(opened), opened.content_type)

    def keep(self, image_id: str, etag: str, size: int, made: Kept) -> Kept:
        """Keep what was made, unless another has been quicker; returns what is kept. Raises `CatalogueBusy`."""
        key = _key(image_id, etag, size)
        if self._bucket.put_new(key, made.data, made.content_type):
            return made
        return self.find(image_id, etag, size) or made

    def forget(self, image_id: str) -> None:
        """Remove all previews of an image: of every size and of every object that there was under its key.

        Raises `CatalogueBusy`.
        """
        self._bucket.delete_below(_folder(image_id))


def _folder(image_id: str) -> str:
    """One image's previews begin alike, so that one listing finds them; a key may be too long to be part of another."""
    return f"{PREFIX}{blake2s(image_id.encode(), digest_size=16).hexdigest()}/"


def _key(image_id: str, etag: str, size: int) -> str:
    return f"{_folder(image_id)}{etag}-{size}-{VERSION}"
