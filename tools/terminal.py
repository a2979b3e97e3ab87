"""What the tools for development and operation show progress and tables with; tools/deploy does without rich."""

from __future__ import annotations

import sys

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

# Into a file or pipe, where no window says how wide to be.
FILE_WIDTH = 200


def console(stderr: bool = False) -> Console:
    """A console that takes text as it is: no markup, no colours for numbers."""
    stream = sys.stderr if stderr else sys.stdout
    width = None if stream.isatty() else FILE_WIDTH
    return Console(stderr=stderr, width=width, markup=False, emoji=False, highlight=False)


def progress(stderr: bool = False, quiet: bool = False) -> Progress:
    """A line that counts, on a terminal; elsewhere it is printed once, at its end.

    What is printed meanwhile comes above the line, but for standard output that goes to a file while the line is on
    standard error.
    """
    return Progress(
        TextColumn("{task.description}"),
        BarColumn(bar_width=30),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        console=console(stderr),
        redirect_stdout=sys.stdout.isatty(),
        disable=quiet,
    )
