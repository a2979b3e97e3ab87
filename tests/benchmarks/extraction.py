"""What reading one image's metadata costs, by format and size: ours over ranges beside others that read the same files.

    python -m tests.benchmarks.extraction

The images are made here. Peers on the whole object: the usual way of AWS tutorials (Pillow's size and EXIF),
`imagesize` (the size alone) and, where it is installed (`pip install pyvips[binary]`), pyvips; on a file `exiftool
-stay_open -fast`, where it is installed. Images a second are by processor time; "from S3" adds to it what S3 would
take: 15 ms a request and 80 MB a second. "Ten at a time" is measured, in as many threads as `s3_file_event` has, whose
requests wait as long and share one network. Memory is what Python holds at most, the object included; what libvips
allocates beside it is not seen.
"""

from __future__ import annotations

import io
import shutil
import tempfile
import threading
import time
import tracemalloc
import warnings
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

import imagesize
from PIL import Image

try:
    import pyvips
except ImportError:
    pyvips = None

from image_events.batch import CONCURRENCY
from image_metadata import RangeReader, extract
from image_metadata.reader import first_block
from tests.benchmarks.extract_speed import interleaved, run_exiftool

#: Seconds of a request to S3, and bytes that it sends a second.
LATENCY, BYTES_PER_SECOND = 0.015, 80e6
#: Each is measured until so many seconds of processor time are used.
PATIENCE = 0.3
#: How often each of the threads reads an image.
TURNS = 3
FOLDER_ROUNDS = 5
MEGAPIXELS = {
    "JPEG": (1, 12, 48, 108),
    "PNG": (1, 12),
    "WEBP": (1, 12),
    "TIFF": (1, 12),
    "AVIF": (1, 12),
    "GIF": (1,),
}


#: Answers bytes [start, end) of an object's body.
Get = Callable[[bytes, int, int], bytes]


@dataclass(frozen=True)
class Reading:
    """What one image costs one program."""

    seconds: float
    requests: int
    bytes_read: int
    memory: int | None = None
    together: float | None = None  # images a second, CONCURRENCY at a time

    @property
    def seconds_from_s3(self) -> float:
        """The same with S3's latency and throughput."""
        return self.seconds + self.requests * LATENCY + self.bytes_read / BYTES_PER_SECOND


def camera_exif() -> Image.Exif:
    """What a camera writes into a photograph."""
    exif = Image.Exif()
    exif[0x010F], exif[0x0110] = "Canon", "Canon EOS R5"
    exif.get_ifd(0x8769).update({0x9003: "2026:05:17 09:30:00", 0x829D: 5.6, 0x8827: 100, 0x920A: 50.0})
    return exif


def image(format_name: str, megapixels: int) -> bytes:
    """An image of this size that compresses about as a photograph does, with as much EXIF as Pillow writes."""
    width = int((megapixels * 4e6 / 3) ** 0.5)
    height = width * 3 // 4
    pixels = Image.effect_noise((width // 2, height // 2), 60).resize((width, height)).convert("RGB")
    target = io.BytesIO()
    pixels.save(target, format_name, **({} if format_name == "GIF" else {"exif": camera_exif()}))
    return target.getvalue()


class SimulatedS3:
    """A bucket whose requests wait LATENCY each and then share one network, of BYTES_PER_SECOND."""

    def __init__(self) -> None:
        self._network = threading.Lock()

    def get(self, body: bytes, start: int, end: int) -> bytes:
        """Bytes [start, end) of an object."""
        time.sleep(LATENCY)
        part = body[start:end]
        with self._network:
            time.sleep(len(part) / BYTES_PER_SECOND)
        return part


def at_once(body: bytes, start: int, end: int) -> bytes:
    """Bytes [start, end) of an object, without waiting."""
    return body[start:end]


def by_ranges(body: bytes, name: str, get: Get = at_once) -> tuple[int, int]:
    """Ours, over ranges, of an object of this name."""
    size = len(body)
    reader = RangeReader(partial(get, body), size, first_block=first_block(name, size))
    record = extract(reader).to_dict()
    assert record["status"] == "ok", record
    return reader.requests, reader.bytes_fetched


def by_pillow(body: bytes, get: Get = at_once) -> tuple[int, int]:
    """The usual way: everything, then Pillow."""
    body = get(body, 0, len(body))
    with Image.open(io.BytesIO(body)) as opened:
        exif = opened.getexif()
        _ = opened.size, opened.format, dict(exif), dict(exif.get_ifd(0x8769))
    return 1, len(body)


def by_pyvips(body: bytes) -> tuple[int, int]:
    """Everything, then libvips' header fields, EXIF tags among them."""
    opened = pyvips.Image.new_from_buffer(body, "")
    _ = opened.width, opened.height, {name: opened.get(name) for name in opened.get_fields()}
    return 1, len(body)


def by_imagesize(body: bytes) -> tuple[int, int]:
    """Everything, then the size alone."""
    imagesize.get(io.BytesIO(body))
    return 1, len(body)


def measure(read: Callable[[bytes], tuple[int, int]], body: bytes) -> Reading:
    """The best of many readings."""
    tracemalloc.start()
    requests, size = read(body)
    memory = tracemalloc.get_traced_memory()[1] + (size if size == len(body) else 0)
    tracemalloc.stop()
    best, begun = float("inf"), time.process_time()
    while time.process_time() < begun + PATIENCE:
        started = time.process_time()
        for _ in range(10):
            read(body)
        best = min(best, (time.process_time() - started) / 10)
    return Reading(best, requests, size, memory)


def together(read: Callable[..., object], body: bytes) -> float:
    """Images a second where CONCURRENCY threads read them from a simulated S3."""
    get = SimulatedS3().get
    with ThreadPoolExecutor(CONCURRENCY) as pool:
        begun = time.perf_counter()
        list(pool.map(lambda _: read(body, get=get), range(CONCURRENCY * TURNS)))
        return CONCURRENCY * TURNS / (time.perf_counter() - begun)


def run() -> dict[tuple[str, int], dict[str, Reading]]:
    """(format, megapixels) -> program -> what it costs."""
    results: dict[tuple[str, int], dict[str, Reading]] = {}
    with tempfile.TemporaryDirectory() as folder, warnings.catch_warnings():
        warnings.simplefilter("ignore", Image.DecompressionBombWarning)
        for format_name, sizes in MEGAPIXELS.items():
            for megapixels in sizes:
                body = image(format_name, megapixels)
                ours = partial(by_ranges, name=f"a.{format_name.lower()}")
                row = {
                    name: replace(measure(read, body), together=together(read, body))
                    for name, read in (("image_metadata", ours), ("whole object + Pillow", by_pillow))
                }
                if pyvips:
                    row["whole object + pyvips"] = measure(by_pyvips, body)
                row["whole object + imagesize"] = measure(by_imagesize, body)
                if shutil.which("exiftool"):
                    path = Path(folder) / f"{megapixels}.{format_name.lower()}"
                    path.write_bytes(body)
                    row["exiftool -stay_open -fast"] = Reading(run_exiftool([path] * 20) / 20, 1, len(body))
                results[format_name, megapixels] = row
    return results


def run_folder(folder: Path) -> dict[str, tuple[int, Reading, Reading]]:
    """Format -> files below the folder, and what all of them cost ours and Pillow; those that both read."""
    files: dict[str, list[tuple[str, bytes]]] = {}
    results = {}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for path in sorted(folder.rglob("*")):
            body = path.read_bytes() if path.is_file() else b""
            format_name = None
            # Pillow raises all sorts of things.
            with suppress(Exception), Image.open(io.BytesIO(body)) as opened:
                by_pillow(body)
                format_name = opened.format
            with suppress(AssertionError):  # not whole, or no image that we read
                if format_name:
                    by_ranges(body, path.name)
                    files.setdefault(format_name, []).append((path.name, body))
        programs = [all_by_ranges, all_by_pillow]
        for format_name, found in sorted(files.items()):
            seconds = list(map(min, interleaved(programs, found, FOLDER_ROUNDS)))
            ours, pillow = (
                Reading(best, *map(sum, zip(*program(found), strict=True)))
                for best, program in zip(seconds, programs, strict=True)
            )
            results[format_name] = (len(found), ours, pillow)
    return results


def all_by_ranges(files: list[tuple[str, bytes]]) -> list[tuple[int, int]]:
    """Ours, of files with their names."""
    return [by_ranges(body, name) for name, body in files]


def all_by_pillow(files: list[tuple[str, bytes]]) -> list[tuple[int, int]]:
    """The usual way, of the same."""
    return [by_pillow(body) for _, body in files]


def folder_table(results: dict[str, tuple[int, Reading, Reading]]) -> str:
    """The readings of a folder as a Markdown table."""
    lines = [
        "| format | files | ours: requests, KB a file | its bytes / ours | ours / its images/s | from S3 |",
        "|---|---:|---:|---:|---:|---:|",
    ]
    for format_name, (files, ours, pillow) in results.items():
        lines.append(
            f"| {format_name} | {files} | {ours.requests / files:.1f}, {ours.bytes_read / files / 1000:.0f} "
            f"| {pillow.bytes_read / ours.bytes_read:.1f}x | {pillow.seconds / ours.seconds:.1f}x "
            f"| {pillow.seconds_from_s3 / ours.seconds_from_s3:.1f}x |"
        )
    return "\n".join(lines)


def table(results: dict[tuple[str, int], dict[str, Reading]]) -> str:
    """The readings as a Markdown table; every figure of a peer as a ratio to ours."""
    lines = [
        "| image | file | ours: requests, bytes, memory | ours: images/s, from S3, ten at a time "
        "| peer | its bytes / ours | its memory / ours | ours / its images/s | from S3 | ten at a time |",
        "|---|---:|---:|---:|---|---:|---:|---:|---:|---:|",
    ]
    for (format_name, megapixels), row in results.items():
        ours = row["image_metadata"]
        size = max(reading.bytes_read for reading in row.values())
        first = (
            f"| {format_name} {megapixels} MP | {size / 1e6:.1f} MB "
            f"| {ours.requests}, {ours.bytes_read / 1000:.0f} KB, {(ours.memory or 0) / 1000:.0f} KB "
            f"| {1 / ours.seconds:,.0f}, {1 / ours.seconds_from_s3:.0f}, {ours.together or 0:.0f}"
        )
        for name, peer in row.items():
            if name != "image_metadata":
                memory = f"{peer.memory / ours.memory:.1f}x" if peer.memory and ours.memory else ""
                abreast = f"{ours.together / peer.together:.1f}x" if peer.together and ours.together else ""
                lines.append(
                    f"{first} | {name} | {peer.bytes_read / ours.bytes_read:.0f}x | {memory} "
                    f"| {peer.seconds / ours.seconds:.1f}x | {peer.seconds_from_s3 / ours.seconds_from_s3:.1f}x "
                    f"| {abreast} |"
                )
                first = "| | | | "
    return "\n".join(lines)


if __name__ == "__main__":
    print(table(run()))
