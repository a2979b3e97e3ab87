"""What each failure is in HTTP: one table from exceptions to problem documents (RFC 9457).

A problem's `type` is stable and is what clients should branch on; `title` goes with the type, `detail` with the
occurrence. API Gateway answers its own refusals (key, throttle, size) in the same form.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from image_catalogue.errors import (
    CatalogueBusy,
    ImageArchived,
    ImageChanged,
    ImageNotFound,
    InvalidCursor,
    InvalidImageId,
    InvalidRequest,
)

TYPE_BASE = "urn:image-metadata:problem:"
RETRY_AFTER_SECONDS = 1


class RouteNotFound(Exception):
    """No route has this method and path; API Gateway lets such a request through only by misconfiguration."""


class EmptyUpload(InvalidRequest):
    """An upload of zero bytes."""


class NotAnImage(InvalidRequest):
    """The uploaded bytes are not of an image format that the product reads."""


class UnreadableImage(InvalidRequest):
    """The uploaded bytes begin as an image and cannot be read as one, or are over a limit of pixels."""


class UploadTooLarge(InvalidRequest):
    """More bytes than this way of uploading takes."""


@dataclass(frozen=True)
class Problem:
    """A problem document, and the headers that go with it."""

    status: int
    type: str
    title: str
    detail: str
    headers: dict[str, str] = field(default_factory=dict)

    def body(self) -> dict[str, str | int]:
        """The members of the JSON document."""
        return {
            "type": TYPE_BASE + self.type,
            "title": self.title,
            "status": self.status,
            "detail": self.detail,
        }


PROBLEMS: tuple[tuple[type[Exception], int, str, str], ...] = (  # the first class that fits is taken
    (RouteNotFound, 404, "not-found", "Not found"),
    (ImageNotFound, 404, "not-found", "Not found"),
    (ImageArchived, 409, "archived", "Archived"),
    (ImageChanged, 412, "precondition-failed", "Precondition failed"),
    (EmptyUpload, 400, "empty-upload", "Empty upload"),
    (NotAnImage, 415, "unsupported-media-type", "Unsupported media type"),
    (UnreadableImage, 422, "unreadable-image", "Unreadable image"),
    (UploadTooLarge, 413, "payload-too-large", "Payload too large"),
    (InvalidCursor, 400, "invalid-cursor", "Invalid cursor"),
    (InvalidImageId, 400, "invalid-image-id", "Invalid image id"),
    (InvalidRequest, 400, "bad-request", "Bad request"),
    (CatalogueBusy, 503, "unavailable", "Service unavailable"),
)
INTERNAL = Problem(500, "internal-error", "Internal server error", "the request failed; the log says why")


def problem_of(error: Exception) -> Problem:
    """The problem that an exception is to the caller; internals of an unforeseen one stay inside."""
    for kind, status, name, title in PROBLEMS:
        if isinstance(error, kind):
            headers = {"Retry-After": str(RETRY_AFTER_SECONDS)} if status == 503 else {}
            return Problem(status, name, title, _detail(error), headers)
    return INTERNAL


def _detail(error: Exception) -> str:
    if isinstance(error, ImageNotFound):
        return f"there is no image {error.args[0]!r}" if error.args else "there is no such image"
    return str(error)
