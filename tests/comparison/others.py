"""List what the extractor takes for an image and `file` does not, over folders of any files.

    python tests/comparison/others.py FOLDER...

`file` is an independent program (Debian: file); images that it does not know are passed over by their extension.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
from collections import Counter
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parents[1] / "lambdas" / "shared"))

from compare import EXTENSIONS  # noqa: E402

from image_metadata import extract  # noqa: E402

#: Extensions of images that `file` calls by no image's media type, or that compare.py has no use for.
UNKNOWN = frozenset(
    (
        ".xbm",
        ".eps",
        ".ras",
        ".im1",
        ".sgi",
        ".rgb",
        ".rgba",
        ".bw",
        ".emf",
        ".wmf",
        ".pcd",
        ".pfm",
        ".blp",
        ".svgz",
        ".pmp",
    )
)


def main() -> int:
    """Print the files and how many there are; 1 when any that is not an image is taken for one."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("folders", nargs="+", type=Path, metavar="FOLDER")
    paths = [
        path
        for folder in parser.parse_args().folders
        for path in sorted(folder.rglob("*"))
        if path.is_file() and not path.is_symlink() and path.stat().st_size
    ]
    names = "\n".join(map(str, paths))
    command = ["file", "--brief", "--mime-type", "--files-from", "-"]
    answer = subprocess.run(command, input=names, capture_output=True, text=True, check=True)
    kinds: Counter[str] = Counter()
    wrong = 0
    for path, media_type in zip(paths, answer.stdout.splitlines(), strict=True):
        if media_type.startswith("image/") or path.suffix.lower() in EXTENSIONS | UNKNOWN:
            continue
        kinds[media_type] += 1
        record = extract(path)
        if record.status == "ok":
            wrong += 1
            print(f"{path}: {media_type}, taken for {record.format} {record.width} x {record.height}")
    print(f"{kinds.total()} files that are no images, of {len(kinds)} kinds: {wrong} taken for images")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
