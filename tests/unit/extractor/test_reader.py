"""The range reader: what it asks for, what it counts, where it stops."""

from __future__ import annotations

import io
import os
from pathlib import Path
from typing import Any

import pytest

import image_metadata.reader
from image_metadata import BudgetExceeded, RangeReader, SourceChanged, SourceError, extract, limits
from image_metadata.reader import BytesReader, FileReader, PathReader, WindowReader, first_block

DATA = bytes(range(256)) * 4096  # 1 MiB
K = 1024
IMAGES = Path(__file__).parents[2] / "images"


class Source:
    """A fetcher over bytes that keeps what it was asked for."""

    def __init__(self, data: bytes = DATA) -> None:
        self.data = data
        self.asked: list[tuple[int, int]] = []

    def fetch(self, start: int, end: int) -> bytes:
        self.asked.append((start, end))
        return self.data[start:end]

    def reader(self, **settings: int) -> RangeReader:
        return RangeReader(self.fetch, len(self.data), **settings)


def test_the_first_request_takes_one_block_and_answers_all_that_lies_in_it() -> None:
    source = Source()
    reader = source.reader()
    assert reader.read_at(10, 20) == DATA[10:30]
    assert reader.read_at(60 * K - 5, 5) == DATA[60 * K - 5 : 60 * K]
    assert source.asked == [(0, 60 * K)]
    assert (reader.requests, reader.bytes_fetched) == (1, 60 * K)


def test_nothing_is_fetched_before_something_is_asked_for() -> None:
    source = Source()
    source.reader()
    assert source.asked == []


def test_the_size_is_known_from_the_first_response() -> None:
    source = Source()
    known: list[int | None] = [None]

    def fetch(start: int, end: int) -> bytes:
        known[0] = len(DATA)
        return source.fetch(start, end)

    assert RangeReader(fetch, lambda: known[0]).size == len(DATA)
    assert source.asked == [(0, 60 * K)]


@pytest.mark.parametrize(
    ("name", "size", "asked"),
    [
        ("a.png", 300 * K, 300 * K),
        ("A.TIFF", 512 * K, 512 * K),
        ("a.webp", 512 * K + 1, 60 * K),
        ("a.gif", 4096 * K, 4096 * K),
        ("a.gif", 10, 60 * K),
        ("a.png", None, 60 * K),
        ("a.jpg", 300 * K, 60 * K),
        ("png", 300 * K, 60 * K),
    ],
)
def test_what_is_read_at_its_end_too_is_asked_for_at_once(name: str, size: int | None, asked: int) -> None:
    assert first_block(name, size) == asked


def test_a_source_that_ends_within_the_first_block_need_not_tell_its_size() -> None:
    assert RangeReader(Source(b"abc").fetch).size == 3
    assert RangeReader(Source(b"").fetch).size == 0


def test_a_long_source_without_a_size_is_an_error() -> None:
    with pytest.raises(SourceError, match="size"):
        _ = RangeReader(Source().fetch).size


def test_a_small_far_read_asks_for_a_little_and_never_for_a_block() -> None:
    source = Source()
    reader = source.reader()
    assert reader.read_at(500_000, 8) == DATA[500_000:500_008]
    assert source.asked[1:] == [(500_000, 500_000 + limits.MIN_FETCH)]
    assert reader.read_at(500_100, 8) == DATA[500_100:500_108]
    assert len(source.asked) == 2


def test_only_the_gap_between_cached_ranges_is_asked_for() -> None:
    source = Source()
    reader = source.reader()
    reader.read_at(300_000, 10_000)
    assert reader.read_at(290_000, 15_000) == DATA[290_000:305_000]
    assert source.asked[-1] == (290_000, 300_000)
    assert reader.read_at(50 * K, 30 * K) == DATA[50 * K : 80 * K]
    assert source.asked[-1] == (60 * K, 80 * K)


def test_reading_on_in_small_steps_grows_the_requests() -> None:
    source = Source()
    reader = source.reader()
    for offset in range(0, len(DATA), 300):
        assert reader.read_at(offset, 300) == DATA[offset : offset + 300]
    assert reader.requests < 15
    assert reader.bytes_fetched == len(DATA)


def test_neighbours_asked_for_together_are_one_request() -> None:
    source = Source()
    reader = source.reader()
    reader.prefetch([(200_000, 100), (205_000, 100), (900_000, 100), (-5, 3), (2_000_000, 10), (3, 0)])
    assert len(source.asked) == 3
    reader.read_at(205_050, 10)
    reader.read_at(900_050, 10)
    assert len(source.asked) == 3


@pytest.mark.parametrize(("offset", "length"), [(-1, 4), (len(DATA), 1), (len(DATA) + 7, 1), (5, 0), (5, -3)])
def test_outside_the_file_there_are_no_bytes(offset: int, length: int) -> None:
    assert Source().reader().read_at(offset, length) == b""


def test_a_read_over_the_end_is_cut() -> None:
    assert Source().reader().read_at(len(DATA) - 3, 100) == DATA[-3:]


def test_the_byte_budget_ends_the_reading_before_a_request() -> None:
    source = Source()
    reader = source.reader(max_bytes=100 * K)
    with pytest.raises(BudgetExceeded):
        reader.read_at(200_000, 50 * K)
    assert len(source.asked) == 1
    assert reader.read_at(200_000, 10 * K) == DATA[200_000 : 200_000 + 10 * K]
    assert reader.bytes_fetched <= 100 * K


def test_read_ahead_keeps_within_the_byte_budget() -> None:
    reader = Source().reader(max_bytes=200 * K)

    def walk() -> None:
        for offset in range(0, len(DATA), 500):
            reader.read_at(offset, 500)

    with pytest.raises(BudgetExceeded):
        walk()
    assert reader.bytes_fetched <= 200 * K


def test_the_request_budget_ends_the_reading() -> None:
    reader = Source().reader(max_requests=3)
    reader.read_at(500_000, 1)
    reader.read_at(300_000, 1)
    with pytest.raises(BudgetExceeded):
        reader.read_at(700_000, 1)
    assert reader.read_at(300_000, 1) == DATA[300_000:300_001]


def test_a_source_that_answers_short_is_an_error() -> None:
    reader = RangeReader(lambda start, end: DATA[start:end] if start == 0 else b"x", len(DATA))
    with pytest.raises(SourceError):
        reader.read_at(500_000, 8)


def test_a_source_that_changes_ends_the_extraction() -> None:
    def fetch(start: int, end: int) -> bytes:
        if start:
            raise SourceChanged("another version")
        return (b"\xff\xd8" + (b"\xff\xe5\xff\xff" + bytes(65533)) * 3)[start:end]

    with pytest.raises(SourceChanged):
        extract(RangeReader(fetch, 1_000_000))


def test_a_file_is_read_by_ranges_and_left_open() -> None:
    file = io.BytesIO(DATA)
    reader = FileReader(file)
    assert reader.read_at(700_000, 9) == DATA[700_000:700_009]
    assert reader.requests == 2
    assert not file.closed


def test_an_unbuffered_file_that_answers_a_part_at_a_time_is_read_on() -> None:
    class Parts(io.RawIOBase):
        def __init__(self, data: bytes) -> None:
            self.file = io.BytesIO(data)

        def readable(self) -> bool:
            return True

        def seek(self, offset: int, whence: int = io.SEEK_SET, /) -> int:
            return self.file.seek(offset, whence)

        def readinto(self, buffer: Any, /) -> int:
            return self.file.readinto(memoryview(buffer)[:500])

    assert FileReader(Parts(DATA)).read_at(700_000, 9000) == DATA[700_000:709_000]  # type: ignore[arg-type]
    assert extract(Parts((IMAGES / "camera.jpg").read_bytes())).width == 48  # type: ignore[arg-type]


def test_another_file_is_not_asked_for_more_than_it_has() -> None:
    class Remote(io.BytesIO):
        def read(self, size: int | None = -1, /) -> bytes:
            assert self.tell() < len(self.getvalue()), "416 Range Not Satisfiable"
            return super().read(size)

    assert extract(Remote((IMAGES / "camera.jpg").read_bytes())).width == 48


@pytest.fixture(params=["pread", "seek", "short answers"])
def way_of_reading(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """As this system reads, as Windows does, and as a file system that answers a part at a time."""

    def a_part(descriptor: int, length: int, offset: int) -> bytes:
        os.lseek(descriptor, offset, os.SEEK_SET)
        return os.read(descriptor, min(length, 500))

    if request.param != "pread":
        monkeypatch.setattr(image_metadata.reader, "_PREAD", a_part if request.param != "seek" else None)


@pytest.mark.usefixtures("way_of_reading")
def test_a_path_is_read_by_ranges(tmp_path: Path) -> None:
    path, other = tmp_path / "data", tmp_path / "other"
    path.write_bytes(DATA)
    other.write_bytes(DATA)
    with PathReader(path) as reader:
        assert (reader.read_at(700_000, 9), reader.size) == (DATA[700_000:700_009], len(DATA))
        assert reader.requests == 2
    with other.open("rb"), pytest.raises(SourceError, match="closed"):
        reader.read_at(300_000, 9)
    assert reader.read_at(0, 9) == DATA[:9], "what was read stays"
    assert extract(IMAGES / "camera.jpg").width == 48


@pytest.fixture
def opened(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> list[int]:
    """The descriptors of files below the test's folder that are open."""
    now: list[int] = []
    os_open, os_close = os.open, os.close

    def noted(path: Any, *options: Any) -> int:
        descriptor = os_open(path, *options)
        if str(tmp_path) in str(path):
            now.append(descriptor)
        return descriptor

    def close(descriptor: int) -> None:
        if descriptor in now:
            now.remove(descriptor)
        os_close(descriptor)

    monkeypatch.setattr(os, "open", noted)
    monkeypatch.setattr(os, "close", close)
    return now


@pytest.mark.parametrize("kind", [str, Path])
def test_the_file_of_a_path_is_closed_again(kind: type, tmp_path: Path, opened: list[int]) -> None:
    path = tmp_path / "image.jpg"
    path.write_bytes((IMAGES / "camera.jpg").read_bytes())
    assert extract(kind(path)).width == 48
    path.write_bytes(b"no image")
    assert extract(kind(path)).status == "unsupported"
    with pytest.raises((SourceError, PermissionError)) as failed:  # Windows opens no folder
        extract(kind(tmp_path))
    assert not opened, f"while {failed} is still looked at"
    reader = PathReader(path)
    assert opened
    del reader
    with pytest.raises(TypeError):
        PathReader(path, blocks=1)
    assert not opened


def test_what_cannot_be_opened_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match=r"none\.png"):
        extract(tmp_path / "none.png")
    with pytest.raises(TypeError, match="BytesIO"):
        extract(b"\xff\xd8\xff")  # type: ignore[arg-type]


def test_an_open_file_that_knows_its_path_is_read_as_it_is() -> None:
    class Named(io.BytesIO):
        def __fspath__(self) -> str:
            return "gone"

    assert extract(Named((IMAGES / "camera.jpg").read_bytes())).width == 48


def test_a_file_that_cannot_be_read_is_a_source_error() -> None:
    class Broken(io.BytesIO):
        def read(self, size: int | None = -1, /) -> bytes:
            raise OSError("gone")

    with pytest.raises(SourceError, match="gone"):
        extract(Broken(b"abc"))


def test_a_window_reads_relative_to_its_start_and_not_past_its_end() -> None:
    window = WindowReader(BytesReader(b"0123456789"), 3, 4)
    assert (window.size, window.read_at(1, 2), window.read_at(2, 99)) == (4, b"45", b"56")
    assert window.read_at(4, 1) == window.read_at(-1, 1) == b""
