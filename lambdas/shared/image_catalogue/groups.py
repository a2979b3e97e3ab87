"""Cut what is to be sent into pieces of the size that a request takes."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import TypeVar

T = TypeVar("T")


def groups(
    entries: Iterable[T], most: int, most_bytes: int = 0, bytes_of: Callable[[T], int] = lambda _: 0
) -> Iterator[list[T]]:
    """The entries in lists of at most `most` and, as far as single ones allow, `most_bytes` by `bytes_of`."""
    group: list[T] = []
    size = 0
    for entry in entries:
        more = bytes_of(entry)
        if group and (len(group) == most or size + more > most_bytes):
            yield group
            group, size = [], 0
        group.append(entry)
        size += more
    if group:
        yield group
