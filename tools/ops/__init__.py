"""Tools for whoever runs a deployment."""

import os
import re
import sys
from collections.abc import Callable
from functools import wraps

from botocore.exceptions import BotoCoreError

_CONTROLS = re.compile(r"[\x00-\x1f\x7f-\x9f]")


def printable(text: str) -> str:
    """The text in one line that a terminal does not obey: control characters (C0, DEL, C1) as `\\x1b`, `\\n`.

    Keys and titles come from whoever uploads.
    """
    return _CONTROLS.sub(lambda found: found[0].encode("unicode_escape").decode(), text)


def printable_key(key: str) -> str:
    """The same of a key, with its own backslashes doubled: no two keys print alike."""
    return printable(key.replace("\\", "\\\\"))


def with_cause(error: Exception) -> str:
    """The error's text with what botocore said: "try again" alone hides that nothing answers at an address."""
    cause = error.__cause__
    return f"{error} ({cause})" if isinstance(cause, BotoCoreError) else str(error)


def may_be_unread(main: Callable[[list[str] | None], int]) -> Callable[..., int]:
    """A `main` that returns 2, for not done, where whoever reads its output has seen enough: `sql.py ... | head`."""

    @wraps(main)
    def read_or_not(arguments: list[str] | None = None) -> int:
        try:
            code = main(arguments)
            sys.stdout.flush()
        except BrokenPipeError:
            # What is left goes nowhere: Python flushes it once more at its end.
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
            return 2
        return code

    return read_or_not
