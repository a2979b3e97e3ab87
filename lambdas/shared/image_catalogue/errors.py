"""What can go wrong on the AWS side; no class here knows HTTP (`image_api.problems` maps them once)."""


class CatalogueError(Exception):
    """Base of everything this package raises."""


class MissingSetting(CatalogueError):
    """An environment variable that the function needs is not set, or is not valid."""


class InvalidRequest(CatalogueError):
    """What the caller sent cannot be served; the message says which part and what it takes."""


class InvalidImageId(InvalidRequest):
    """No image can have this id."""


class InvalidCursor(InvalidRequest):
    """The cursor was not made by this API for this query."""


class ImageNotFound(CatalogueError):
    """The catalogue has no such image."""


class ImageChanged(CatalogueError):
    """The image is not, or no longer, the version that the caller means."""


class ImageArchived(CatalogueError):
    """The file is in an archive (S3 Glacier and the like) and has to be restored before it can be read."""


class CatalogueBusy(CatalogueError):
    """DynamoDB or S3 throttled, or others kept changing the same item; worth a retry."""


class InvalidEvent(CatalogueError):
    """The event has a shape that the function does not take; repeating it will not help."""
