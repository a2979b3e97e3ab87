"""A lock between processes that the operating system releases when its holder dies. Standard library only."""

from __future__ import annotations

import contextlib
import os
import time
from collections.abc import Callable, Iterator
from pathlib import Path

try:
    import fcntl
except ImportError:  # Windows
    fcntl = None  # type: ignore[assignment]
    import msvcrt

POLL_SECONDS = 0.1


@contextlib.contextmanager
def locked(path: Path, timeout: float = 300.0, on_wait: Callable[[], None] | None = None) -> Iterator[None]:
    """Hold the lock file ``path`` (made when absent) for the length of a ``with`` block.

    ``on_wait`` is called once when another process holds it. Raises TimeoutError after ``timeout`` seconds.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    deadline = time.monotonic() + timeout
    with open(path, "a+b") as stream:
        waited = False
        while not _try_lock(stream.fileno()):
            if not waited and on_wait:
                on_wait()
            waited = True
            if time.monotonic() > deadline:
                raise TimeoutError(f"{path} is held by another process for more than {timeout:.0f} s")
            time.sleep(POLL_SECONDS)
        try:
            yield
        finally:
            _unlock(stream.fileno())


def _try_lock(descriptor: int) -> bool:
    try:
        if fcntl is not None:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        else:
            os.lseek(descriptor, 0, os.SEEK_SET)
            msvcrt.locking(descriptor, msvcrt.LK_NBLCK, 1)  # type: ignore[attr-defined]
    except OSError:
        return False
    return True


def _unlock(descriptor: int) -> None:
    if fcntl is not None:
        fcntl.flock(descriptor, fcntl.LOCK_UN)
    else:
        os.lseek(descriptor, 0, os.SEEK_SET)
        msvcrt.locking(descriptor, msvcrt.LK_UNLCK, 1)  # type: ignore[attr-defined]
