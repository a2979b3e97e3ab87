"""`python -m image_metadata [--table] [--stats] FILE...`: one JSON line per file."""

from __future__ import annotations

import argparse
import importlib.util
import json
import sys
from typing import Any

from . import EXTRACTOR_VERSION, PathReader, SourceError, extract

_COLUMNS = ("path", "status", "format", "width", "height", "orientation", "taken_at", "camera", "gps")


def main(arguments: list[str] | None = None) -> int:
    """Print the metadata of files; 1 when one of them could not be read, 0 otherwise."""
    parser = argparse.ArgumentParser(
        prog="python -m image_metadata",
        description="Print the metadata of image files, one JSON object per line. No pixel is decoded.",
        epilog="A broken or unknown image is a result (see its status), not an error.",
    )
    parser.add_argument("files", nargs="+", metavar="FILE", help="an image file")
    parser.add_argument(
        "--table", action="store_true", help="a table of the main fields instead of JSON lines"
    )
    parser.add_argument("--stats", action="store_true", help="add the bytes and requests that each file cost")
    parser.add_argument("--version", action="version", version=f"extractor version {EXTRACTOR_VERSION}")
    options = parser.parse_args(arguments)
    failed = unknown = False
    rows: list[dict[str, Any]] = []
    for path in options.files:
        try:
            with PathReader(path) as reader:
                row = {"path": path, **extract(reader).to_dict()}
        except (OSError, SourceError) as error:
            print(f"{path}: {error}", file=sys.stderr)
            failed = True
            continue
        unknown = unknown or row["status"] == "unsupported"
        if options.stats:
            row["stats"] = {"bytes": reader.bytes_fetched, "requests": reader.requests, "size": reader.size}
        if options.table:
            rows.append(row)
        else:
            print(json.dumps(row, ensure_ascii=False))
    if rows:
        _print_table(rows, options.stats)
    if unknown and importlib.util.find_spec("PIL") is None:
        print(
            "Pillow is not installed, so some rare formats (DDS, SGI, ICNS, FITS, ...) count as unsupported; "
            "to read them: pip install pillow",
            file=sys.stderr,
        )
    return 1 if failed else 0


def _print_table(rows: list[dict[str, Any]], stats: bool) -> None:
    columns = (*_COLUMNS, "bytes", "requests") if stats else _COLUMNS
    cells = [list(columns)] + [[_cell(row, column) for column in columns] for row in rows]
    widths = [max(len(line[index]) for line in cells) for index in range(len(columns))]
    for line in cells:
        print("  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip())


def _cell(row: dict[str, Any], column: str) -> str:
    if column in ("bytes", "requests"):
        return str(row["stats"][column])
    value = row.get(column)
    if column == "camera" and value:
        return " ".join(str(value[name]) for name in ("make", "model") if name in value)
    if column == "gps" and value:
        return f"{value['latitude']:.5f},{value['longitude']:.5f}"
    return "-" if value is None else str(value)


if __name__ == "__main__":
    try:
        sys.exit(main())
    except BrokenPipeError:
        sys.exit(141)
