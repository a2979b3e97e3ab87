"""The functions' settings: environment variables, validated when they are first needed.

There is no default for a resource's name: a function that lacks one says so instead of writing elsewhere.
"""

from __future__ import annotations

import json
import os

from .errors import MissingSetting

#: What API Gateway and Lambda let through: 6 MB of base64 text holds 4.5 MB of bytes.
MAX_API_PAYLOAD_BYTES = 4_500_000
#: The least and the most items that the counters are spread over: BatchGetItem reads 100, and reconcile corrects all of
#: them in one transaction, which has 100 actions at most.
LEAST_COUNTER_SHARDS, MOST_COUNTER_SHARDS = 16, 100
DEFAULT_COUNTER_SHARDS = LEAST_COUNTER_SHARDS
DEFAULT_MAX_UPLOAD_BYTES = 100 * 1024 * 1024


def _required(name: str) -> str:
    value = os.environ.get(name, "")
    if not value:
        raise MissingSetting(f"environment variable {name} is not set")
    return value


def _integer(name: str, default: int, low: int, high: int) -> int:
    text = os.environ.get(name) or str(default)
    if not (text.isascii() and text.isdigit()) or not low <= int(text) <= high:
        raise MissingSetting(
            f"environment variable {name} must be a whole number from {low} to {high}, not {text!r}"
        )
    return int(text)


def _one_of(name: str, *values: str) -> str:
    """One of the values, the first where nothing is set."""
    value = os.environ.get(name) or values[0]
    if value not in values:
        raise MissingSetting(
            f"environment variable {name} must be {', '.join(values[:-1])} or {values[-1]}, not {value!r}"
        )
    return value


def bucket_name() -> str:
    """The bucket that holds the images."""
    return _required("BUCKET_NAME")


def preview_bucket() -> str:
    """The bucket that holds previews."""
    return _required("PREVIEW_BUCKET")


def previews() -> bool:
    """Whether the deployment has previews."""
    return _one_of("PREVIEWS", "true", "false") == "true"


def table_name() -> str:
    """The DynamoDB table that holds the catalogue."""
    return _required("TABLE_NAME")


def upload_prefixes() -> tuple[str, ...]:
    """The key prefixes of the images, each ending in a slash; an empty one is the whole bucket.

    The first is where the API uploads to, and what image ids may leave out.
    """
    text = os.environ.get("UPLOAD_PREFIXES") or '["uploads/"]'
    try:
        prefixes = json.loads(text)
    except ValueError:
        prefixes = None
    if not (
        isinstance(prefixes, list)
        and prefixes
        and all(isinstance(prefix, str) and (prefix == "" or prefix.endswith("/")) for prefix in prefixes)
    ):
        raise MissingSetting(
            f"environment variable UPLOAD_PREFIXES must be a JSON list of prefixes that end in '/', not {text!r}"
        )
    return tuple(prefixes)


def index_shards() -> int:
    """Over how many partitions each index is spread; may be raised at any time, never lowered."""
    return _integer("INDEX_SHARDS", 1, 1, 100)


def counter_shards() -> int:
    """Over how many items the summary's counters are spread; may be raised at any time, never lowered."""
    return _integer("COUNTER_SHARDS", DEFAULT_COUNTER_SHARDS, LEAST_COUNTER_SHARDS, MOST_COUNTER_SHARDS)


def search_bucket() -> str:
    """The bucket that holds the search snapshot."""
    return _required("SEARCH_BUCKET")


def events() -> bool:
    """Whether EventBridge is told of every change."""
    return _one_of("EVENTS", "false", "true") == "true"


def pixels() -> str:
    """Of which new images the pixels are looked at: `off` (none) or `all`."""
    return _one_of("PIXELS", "off", "all")


def pixels_queue() -> str:
    """The name of the queue of images whose pixels are to be looked at."""
    return _required("PIXELS_QUEUE")


def search_parts() -> int:
    """Into how many parts the search snapshot divides a month; may be changed at any time, for images to come."""
    return _integer("SEARCH_PARTS", 1, 1, 100)


def gps() -> str:
    """How exactly positions are stored: `exact`, `coarse` (about 1 km) or `none`."""
    return _one_of("GPS", "exact", "coarse", "none")


def max_upload_bytes() -> int:
    """The largest file a presigned upload admits (S3 takes 5 GiB in one POST)."""
    return _integer("MAX_UPLOAD_BYTES", DEFAULT_MAX_UPLOAD_BYTES, 1, 5 * 1024**3)


def jwt_issuer() -> str:
    """The OpenID Connect issuer whose access tokens the API takes."""
    return _required("JWT_ISSUER")


def jwt_audience() -> str:
    """Whom those tokens are meant for."""
    return _required("JWT_AUDIENCE")


def jwt_scope_prefix() -> str:
    """What the issuer puts in front of the scopes read, write and delete."""
    return os.environ.get("JWT_SCOPE_PREFIX") or ""


def route_scopes() -> dict[str, str]:
    """`METHOD /path` -> read, write or delete, of every route."""
    scopes: dict[str, str] = json.loads(_required("ROUTE_SCOPES"))
    return scopes


def cors_allow_origin() -> str:
    """The origin that browsers may call from; `*` is any."""
    return os.environ.get("CORS_ALLOW_ORIGIN") or "*"
