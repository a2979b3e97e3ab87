"""From an original in the bucket to what the decoding process makes of it, reading no more of it than that takes."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any, BinaryIO, Protocol

from image_metadata import ImageMetadata, RangeReader, extract
from image_metadata.errors import CorruptImage, ImageTooLarge, UnsupportedImage
from image_metadata.limits import FIRST_BLOCK

from . import embedded, limits
from .formats import DRAFTED, PLUGINS, RAW, check_pixels
from .worker import Decoder

_CHUNK = 8 * 1024 * 1024
_UPRIGHT = 1


class Source(Protocol):
    """An original; `image_catalogue.source.S3Object` is one."""

    def size(self) -> int | None:
        """The length in bytes; None before the first fetch."""
        ...

    def fetch(self, start: int, end: int) -> bytes:
        """Bytes [start, end), fewer at the end."""
        ...


def preview(source: Source, most: int, decoder: Decoder) -> bytes:
    """The WebP preview, its longer side `most` pixels, or fewer where the picture has fewer.

    Raises `UnsupportedImage`, `CorruptImage`, `ImageTooLarge`, and what `source` raises.
    """
    return _render(source, decoder, "preview", most)[1]


def measures(source: Source, most: int, decoder: Decoder) -> dict[str, Any]:
    """The picture's measures (`measures.measure`), taken at `most` pixels; raises as `preview`."""
    return _render(source, decoder, "measure", most)[0]


def _render(source: Source, decoder: Decoder, task: str, most: int) -> tuple[dict[str, Any], bytes]:
    reader = RangeReader(source.fetch, source.size)
    metadata = extract(reader)
    file_format = _decodable(metadata)
    decoder.start()  # while the file is fetched
    inner = None
    if file_format in RAW:
        candidates = embedded.previews(reader, file_format)
        inner = embedded.choose(candidates, metadata, most, any_size=True)
        if inner is None:
            raise UnsupportedImage(
                "the raw file holds no preview that is known, and raw pixels are not decoded"
            )
    elif file_format in DRAFTED and task == "preview":
        inner = embedded.choose(embedded.thumbnails(reader), metadata, most, any_size=False)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "original")
        with path.open("wb") as file:
            if inner is None:
                _copy(source, reader, 0, reader.size, file)
            elif inner.data is not None:
                file.write(inner.data)
            else:
                _copy(source, reader, inner.offset, inner.length, file)
        if inner is None:
            return decoder.run(task=task, path=str(path), file_format=file_format, most=most)
        upright = embedded.is_upright_copy(inner, metadata)
        orientation = _UPRIGHT if upright else metadata.orientation
        return decoder.run(task=task, path=str(path), file_format="JPEG", most=most, orientation=orientation)


def _decodable(metadata: ImageMetadata) -> str:
    """The format, once the header allows decoding."""
    file_format = metadata.format or ""
    if metadata.status == "unsupported":
        raise UnsupportedImage(metadata.error or "the file is no image")
    if file_format not in PLUGINS and file_format not in RAW:
        raise UnsupportedImage(f"images of the format {file_format} are not decoded")
    if metadata.status == "too_large":
        raise ImageTooLarge(metadata.error or "the image is too large")
    if metadata.status != "ok" or not metadata.width or not metadata.height:
        raise CorruptImage(metadata.error or "the image is damaged")
    if file_format not in RAW:
        check_pixels(file_format, metadata.width, metadata.height)
    return file_format


def _copy(source: Source, reader: RangeReader, start: int, length: int, file: BinaryIO) -> None:
    if length > limits.MAX_FILE_BYTES:
        raise ImageTooLarge(
            f"{length} bytes are more than are decoded ({limits.MAX_FILE_BYTES // 1_000_000} MB)"
        )
    if start + length <= FIRST_BLOCK:
        file.write(reader.read_at(start, length))
        return
    for at in range(start, start + length, _CHUNK):
        file.write(source.fetch(at, min(at + _CHUNK, start + length)))
