"""The page's files, under an address that changes with any of them: browsers keep them for good."""

from __future__ import annotations

import gzip
from base64 import b64encode
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from hashlib import blake2s, sha256
from pathlib import Path
from types import MappingProxyType

INDEX = "index.html"
_FOLDER = Path(__file__).parent / "page"
_MEDIA_TYPES = {
    ".html": "text/html; charset=utf-8",
    ".css": "text/css; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".json": "application/json",
    ".svg": "image/svg+xml",
}
#: What stands in the page for the address of its files.
_PLACEHOLDER = b"VERSION"
_SCRIPT, _SCRIPT_END = b"<script>", b"</script>"


@dataclass(frozen=True)
class File:
    """A file as it is sent."""

    content_type: str
    data: bytes
    compressed: bytes


@lru_cache(maxsize=1)
def version() -> str:
    """A hash of all files."""
    digest = blake2s(digest_size=8)
    for name, data in _sources().items():
        digest.update(f"{name} {len(data)}\n".encode() + data)
    return digest.hexdigest()


@lru_cache(maxsize=1)
def files() -> Mapping[str, File]:
    """Name -> file."""
    return MappingProxyType({name: _file(name, data) for name, data in _sources().items()})


@lru_cache(maxsize=1)
def inline_scripts() -> tuple[str, ...]:
    """The page's inline scripts as a Content-Security-Policy names them: by hash."""
    parts = files()[INDEX].data.split(_SCRIPT)[1:]
    hashes = (sha256(part.partition(_SCRIPT_END)[0]).digest() for part in parts)
    return tuple(f"'sha256-{b64encode(digest).decode()}'" for digest in hashes)


@lru_cache(maxsize=1)
def _sources() -> Mapping[str, bytes]:
    """Name -> what the file holds as it is written."""
    paths = sorted(path for path in _FOLDER.iterdir() if path.suffix in _MEDIA_TYPES)
    return MappingProxyType({path.name: path.read_bytes() for path in paths})


def _file(name: str, data: bytes) -> File:
    if name == INDEX:
        data = data.replace(_PLACEHOLDER, version().encode())
    return File(_MEDIA_TYPES[Path(name).suffix], data, gzip.compress(data, mtime=0))
