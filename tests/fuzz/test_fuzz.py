"""Fuzzing: whatever the bytes, one record comes back, soon, small, and within the budget.

Short by default. `FUZZ_SECONDS=600 pytest tests/fuzz` runs that long; what it finds is printed as the bytes to replay.
"""

from __future__ import annotations

import io
import json
import os
import random
import signal
import time
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from image_metadata import FileReader, ImageMetadata, RangeReader, SourceError, extract, formats, limits
from tests.support import odd, raws

IMAGES = Path(__file__).parents[1] / "images"
SEEDS = [path.read_bytes() for path in sorted(IMAGES.iterdir()) if path.suffix not in (".py", ".json", "")]
SEEDS += raws.SAMPLES.values()
SEEDS += odd.SAMPLES.values()
SECONDS = float(os.environ.get("FUZZ_SECONDS", "3"))
#: Seconds that one file may take; generous, because the machine may be busy with other tests.
MAX_SECONDS = 2.0
#: `check` sets SIGALRM, so the time of a test as a whole is watched by a thread.
pytestmark = pytest.mark.timeout(SECONDS + 300, method="thread")
#: Values that lengths, counts and offsets break on.
EDGES = [
    b"\0\0\0\0",
    b"\xff\xff\xff\xff",
    b"\x7f\xff\xff\xff",
    b"\0\0\0\1",
    b"\1\0\0\0",
    b"\x80\0\0\0",
    b"\xff\xff",
    b"\0\0",
]
NAMES = [b"Exif\0\0", b"II*\0", b"MM\0*", b"8BIM", b"\x1c\x02", b"ftyp", b"meta", b"moov", b"iloc", b"IDAT", b"IHDR",
         b"VP8X", b"ANMF", b"\xff\xe1", b"\xff\xda", b"<x:xmpmeta>", b"<rdf:li>", b"!\xff\x0b", b"qoif",
         b"#?RADIANCE\n", b"P6 ", b"<svg ", b"MPF\0", b"crx ", b"CMP1", b"HEAPCCDR", b"SECd", b"SECp", b"\0PRD",
         b"\0TTW", b"\x4a\1\4\0", b"\x12\xc6\1\0", b"\3\x80\0\0",
         b"brob", b"Raw profile type exif\0", b"\nexif\n 9\n", b"tRNS", b"PLTE", b"EXIF", b"XMP ", b"uri ",
         b"http://ns.adobe.com/xap/1.0/\0", b"UNICODE\0", b"\x80\xbc", b"\xff\xf7", b"\xff\x64", b" PM"]  # fmt: skip
SIGNATURES = [
    b"\xff\xd8\xff", b"\x89PNG\r\n\x1a\n", b"GIF89a", b"RIFF\0\0\0\0WEBP", b"II*\0", b"MM\0+", b"8BPS\0\1",
    b"\0\0\0\x18ftypavif", b"\0\0\0\x18ftypheic", b"BM", b"\0\0\1\0\1\0", b"\xff\x0a", b"\xff\x4f\xff\x51",
    b"FUJIFILMCCD-RAW ", b"IIU\0\x18\0\0\0", b"IIRO\x08\0\0\0", b"\0MRM", b"FOVb\2\0\2\0", b"II\x1a\0\0\0HEAPCCDR",
    b"\0\0\0\x18ftypcrx ", b"II*\0\x10\0\0\0CR\2\0", b"P6\n", b"<svg", b"#?RADIANCE\n", b"v/1\1\2", b"\n\5\1\x08",
    b"qoif\0\0\0\2\0\0\0\2\4\0", b"DDS ", b"\x01\xda", b"II\xbc\1\x08\0\0\0", b"\0\0\0\x0cJXL \r\n\x87\n",
    b"<svg style='", b"%!PS-Adobe-3.0 EPSF-3.0\n", b"\0\0\2" + bytes(9) + b"\2\0\2\0\x18\0",
]  # fmt: skip


def hung(number: int, frame: object) -> None:
    """End an extraction that takes too long."""
    raise TimeoutError("one file takes more than 20 seconds")


def check(data: bytes) -> None:
    """Extract and hold the record to what is promised of every record."""
    reader = RangeReader(lambda start, end: data[start:end], len(data))
    started = time.perf_counter()
    # What never ends must be caught with its bytes, too.
    signal.signal(signal.SIGALRM, hung)
    signal.alarm(20)
    try:
        metadata = extract(reader)
    finally:
        signal.alarm(0)
    elapsed = time.perf_counter() - started
    assert isinstance(metadata, ImageMetadata)
    assert metadata.status in ("ok", "unsupported", "corrupt", "too_large")
    sized = (metadata.width or 0) > 0 < (metadata.height or 0)
    assert metadata.status != "ok" or sized or (metadata.format, metadata.width) == ("SVG", None)
    json.dumps(metadata.to_dict(), allow_nan=False).encode()
    assert reader.bytes_fetched <= limits.MAX_BYTES
    assert reader.requests <= limits.MAX_REQUESTS
    assert elapsed < MAX_SECONDS, f"{elapsed:.1f} s"


def test_every_reader_is_given_files_of_its_own() -> None:
    files = [*SEEDS, *(signature.ljust(256, b"\0") for signature in SIGNATURES)]
    for module in (*formats.READERS, *formats.WITHOUT_SIGNATURE):
        assert any(module.matches(each[: formats.HEAD], FileReader(io.BytesIO(each))) for each in files), (
            f"{module.__name__} takes none of these files: add first bytes that it takes to SIGNATURES"
        )


def mutate(data: bytes, generator: random.Random) -> bytes:
    """A damaged copy: bits, edge values, cuts, repeats, and pieces of other files."""
    out = bytearray(data)
    for _ in range(generator.choice((1, 1, 1, 2, 3, 8))):
        at = generator.randrange(len(out) + 1)
        kind = generator.randrange(7)
        if kind == 0 and at < len(out):
            out[at] ^= 1 << generator.randrange(8)
        elif kind == 1:
            edge = generator.choice(EDGES)
            out[at : at + len(edge)] = edge
        elif kind == 2:
            del out[at : at + generator.choice((1, 2, 4, 16, 200))]
        elif kind == 3:
            out[at:at] = out[at : at + generator.choice((4, 12, 64, 500))] * generator.choice((1, 2, 50))
        elif kind == 4:
            other = generator.choice(SEEDS)
            start = generator.randrange(len(other))
            out[at:at] = other[start : start + generator.choice((8, 40, 400, 4000))]
        elif kind == 5:
            name = generator.choice(NAMES)
            out[at : at + len(name)] = name
        else:
            out = out[:at]
        if len(out) > 400_000 or not out:
            break
    return bytes(out)


def test_damaged_files() -> None:
    seed = int(os.environ.get("FUZZ_SEED", str(time.time_ns() if SECONDS > 10 else 1)))
    generator = random.Random(seed)
    pool = list(SEEDS)
    end = time.monotonic() + SECONDS
    count = 0
    while time.monotonic() < end:
        data = mutate(generator.choice(pool), generator)
        try:
            check(data)
        except Exception as error:  # noqa: BLE001 - any at all is what this looks for
            pytest.fail(f"{error!r}\nseed {seed}, run {count}: bytes.fromhex({data.hex()!r})")
        count += 1
        if generator.random() < 0.02 and 0 < len(data) < 50_000:
            # Damage on damage reaches further than damage on sound files.
            pool.append(data) if len(pool) < 500 else pool.__setitem__(
                generator.randrange(len(SEEDS), 500), data
            )
    print(f"{count} files, seed {seed}")
    assert count > 0


@settings(max_examples=200, deadline=None, suppress_health_check=list(HealthCheck))
@given(st.sampled_from(SEEDS), st.integers(0, 400), st.binary(max_size=300))
def test_a_head_before_any_bytes(seed: bytes, length: int, tail: bytes) -> None:
    check(seed[:length] + tail)


@settings(max_examples=200, deadline=None, suppress_health_check=list(HealthCheck))
@given(st.sampled_from(SIGNATURES), st.binary(max_size=600))
def test_a_signature_before_any_bytes(signature: bytes, rest: bytes) -> None:
    check(signature + rest)


@settings(max_examples=100, deadline=None, suppress_health_check=list(HealthCheck))
@given(st.sampled_from(SEEDS), st.integers(0, 3))
def test_a_source_that_fails_raises_its_own_error_only(seed: bytes, good: int) -> None:
    data = seed + bytes(200_000)
    calls = 0

    def fetch(start: int, end: int) -> bytes:
        nonlocal calls
        calls += 1
        if calls > good:
            raise SourceError("gone")
        return data[start:end]

    try:
        extract(RangeReader(fetch, len(data), first_block=256))
    except SourceError:
        assert calls > good
