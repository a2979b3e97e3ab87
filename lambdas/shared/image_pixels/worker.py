"""Decoding in a process of its own.

Decoders are C code that reads hostile bytes: one that crashes, loops or bursts costs this process and not the
function. It has a limit of memory and time, and none of the function's credentials: neither in its environment nor,
on Linux, by a look into its parent's (`_close_to_children`). It is started once and kept.

    parent -> worker: a line of JSON    {"task": "preview", "path": "/tmp/x", "file_format": "JPEG", "most": 320, ...}
    worker -> parent: length and bytes  {...} and a line feed, then the preview; or {"error": ..., "reason": ...}
"""

from __future__ import annotations

import atexit
import ctypes
import json
import os
import struct
import subprocess
import sys
import threading
import traceback
from functools import lru_cache
from pathlib import Path
from typing import IO, Any, cast

from image_metadata.errors import CorruptImage, ImageMetadataError, ImageTooLarge, UnsupportedImage

from . import limits

#: What the worker may know of the function's environment: where programs and libraries lie, and no credentials.
_KEPT = ("PATH", "LD_LIBRARY_PATH", "LANG", "SYSTEMROOT", "TMPDIR", "TEMP")
_LENGTH = struct.Struct(">I")
_PR_SET_DUMPABLE = 4
_ERRORS = {kind.__name__: kind for kind in (CorruptImage, ImageTooLarge, UnsupportedImage)}


class DecoderFailed(Exception):
    """A fault of ours in the decoding process; the message is its traceback."""


class DecodingTimedOut(ImageTooLarge):
    """Decoding takes longer than it may: the image is too much for it, or the machine was busy."""


class Decoder:
    """The parent's side; one task at a time."""

    def __init__(self, memory: int = limits.MAX_MEMORY_BYTES) -> None:
        self._memory = memory  # bytes of address space
        self._process: subprocess.Popen[bytes] | None = None
        self._lock = threading.Lock()
        atexit.register(self.close)

    def run(self, seconds: float = limits.MAX_SECONDS, **task: Any) -> tuple[dict[str, Any], bytes]:
        """Do one task (see `_do`); raises `CorruptImage`, `ImageTooLarge`, `UnsupportedImage`."""
        with self._lock:
            process = self._started()
            late = threading.Event()

            def stop() -> None:
                late.set()
                process.kill()

            timer = threading.Timer(seconds, stop)
            timer.start()
            try:
                answer = _exchange(process, task)
            finally:
                timer.cancel()
            if answer is None:
                self.close()
                if late.is_set():
                    raise DecodingTimedOut(f"decoding the image takes longer than {seconds:g} seconds")
                raise CorruptImage("the decoder broke down on the image")
        told, data = answer
        if "error" in told:
            raise _ERRORS.get(told["error"], DecoderFailed)(told["reason"])
        return told, data

    def start(self) -> None:
        """Start the process ahead of its first task."""
        with self._lock:
            self._started()

    def close(self) -> None:
        """End the process; the next task starts another."""
        process, self._process = self._process, None
        if process is not None:
            process.kill()
            process.wait()
            for pipe in (process.stdin, process.stdout):
                if pipe:
                    pipe.close()

    def _started(self) -> subprocess.Popen[bytes]:
        if self._process is None or self._process.poll() is not None:
            self.close()
            _close_to_children()
            environment = {name: os.environ[name] for name in _KEPT if name in os.environ}
            environment["PYTHONPATH"] = os.pathsep.join(filter(None, sys.path))
            self._process = subprocess.Popen(
                [sys.executable, "-m", __name__, str(self._memory)],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,  # libraries print what a file says there
                env=environment,
            )
        return self._process


def _close_to_children() -> None:
    """Let no process of this user read this one's environment and memory: proc(5), prctl(2).

    Where it is not allowed, nothing is decoded.
    """
    if sys.platform == "linux" and ctypes.CDLL(None, use_errno=True).prctl(_PR_SET_DUMPABLE, 0, 0, 0, 0):
        raise OSError(ctypes.get_errno(), "prctl(PR_SET_DUMPABLE)")


@lru_cache(maxsize=1)
def decoder() -> Decoder:
    """One decoding process for as long as the function's environment lives."""
    return Decoder()


def _exchange(process: subprocess.Popen[bytes], task: dict[str, Any]) -> tuple[dict[str, Any], bytes] | None:
    """Send a task, wait for its answer; None where the process ended instead."""
    questions, answers = cast(IO[bytes], process.stdin), cast(IO[bytes], process.stdout)
    try:
        questions.write(json.dumps(task).encode() + b"\n")
        questions.flush()
    except OSError:
        return None
    head = answers.read(_LENGTH.size)
    if len(head) < _LENGTH.size:
        return None
    length = _LENGTH.unpack(head)[0]
    body = answers.read(length)
    if len(body) < length:
        return None
    told, _, data = body.partition(b"\n")
    return json.loads(told), data


def main() -> None:
    """The worker: tasks from standard input until it ends."""
    _limit_memory(int(sys.argv[1]))
    answers = os.fdopen(os.dup(sys.stdout.fileno()), "wb")
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())  # nothing that a library prints gets among the answers
    for line in sys.stdin.buffer:
        _answer(answers, json.loads(line))


def _answer(answers: IO[bytes], task: dict[str, Any]) -> None:
    told: dict[str, Any]
    data = b""
    try:
        told, data = _do(**task)
    except ImageMetadataError as error:
        told = {"error": type(error).__name__, "reason": str(error)}
    except MemoryError:
        told = {"error": ImageTooLarge.__name__, "reason": "decoding the image takes more memory than it may"}
    except Exception:  # noqa: BLE001 - a fault of ours, which the parent raises and logs
        told = {"error": DecoderFailed.__name__, "reason": traceback.format_exc()}
    body = json.dumps(told).encode() + b"\n" + data
    answers.write(_LENGTH.pack(len(body)) + body)
    answers.flush()


def _do(
    task: str, path: str, file_format: str, most: int, orientation: int | None = None
) -> tuple[dict[str, Any], bytes]:
    from .decode import open_picture

    picture = open_picture(Path(path), file_format, most, orientation)
    if task == "measure":
        from .measures import measure

        return measure(picture), b""
    from .preview import encode

    return {"width": picture.width, "height": picture.height}, encode(picture)


def _limit_memory(most: int) -> None:
    try:
        import resource
    except ImportError:  # Windows, where functions run only in tests
        return
    resource.setrlimit(resource.RLIMIT_AS, (most, most))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


if __name__ == "__main__":
    main()
