"""What the tests of these formats share: reading bytes, and bytes that were damaged on the way."""

from __future__ import annotations

import importlib
import random
from collections.abc import Iterator
from typing import Any

from image_metadata.errors import CorruptImage
from image_metadata.model import Found
from image_metadata.reader import BytesReader


class CountingReader(BytesReader):
    """A reader over bytes in memory that counts how much it was asked for."""

    def __init__(self, data: bytes) -> None:
        super().__init__(data)
        self.calls = 0
        self.asked = 0

    def read_at(self, offset: int, length: int) -> bytes:
        assert offset >= 0
        assert length >= 0
        data = super().read_at(offset, length)
        self.calls += 1
        self.asked += len(data)
        return data


def reader_of(name: str) -> Any:
    return importlib.import_module(f"image_metadata.formats.{name}")


def recognised(name: str, data: bytes) -> bool:
    return bool(reader_of(name).matches(data[:64], CountingReader(data)))


def read(name: str, data: bytes) -> Found:
    """What the format's reader finds in `data`, which it must recognise."""
    assert recognised(name, data)
    found = Found()
    reader_of(name).read(CountingReader(data), found)
    assert found.format
    assert (found.format, found.content_type) in {kind[:2] for kind in reader_of(name).TYPES}
    return found


def survives(name: str, data: bytes) -> Found | None:
    """Read bytes that may be damaged: a result with a size, `CorruptImage`, or another format's file."""
    source = CountingReader(data)
    if not reader_of(name).matches(data[:64], source):
        return None
    found = Found()
    try:
        reader_of(name).read(source, found)
    except CorruptImage:
        return None
    if found.sizeless:
        return found
    assert found.width is not None
    assert found.width > 0
    assert found.height is not None
    assert found.height > 0
    assert found.orientation in (None, *range(1, 9))
    assert source.calls < 20_000
    assert source.asked < 16 << 20
    return found


def truncations(data: bytes, limit: int = 1200) -> Iterator[bytes]:
    """Every prefix of a small file; of a larger one the first `limit`, then one in every 97 bytes."""
    for end in [*range(min(len(data), limit)), *range(limit, len(data), 97)]:
        yield data[:end]


def flips(data: bytes, count: int = 1500, seed: int = 1) -> Iterator[bytes]:
    """Copies with one to four bytes changed, in the first 4 KiB, the same ones in every run."""
    chance = random.Random(seed)
    for _ in range(count):
        damaged = bytearray(data)
        for _ in range(chance.randint(1, 4)):
            damaged[chance.randrange(min(len(damaged), 4096))] = chance.choice(
                (0, 1, 0x7F, 0x80, 0xFF, chance.randrange(256))
            )
        yield bytes(damaged)


def endure(name: str, data: bytes) -> None:
    """Read every truncation and a number of corruptions of a good file."""
    assert survives(name, data) is not None
    for damaged in truncations(data):
        survives(name, damaged)
    for damaged in flips(data):
        survives(name, damaged)
