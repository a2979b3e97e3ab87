"""Gather public test images for the comparison: what the source packages of imaging software carry.

    python tests/comparison/corpus.py FOLDER             Pillow's test images (about 900 files)
    python tests/comparison/corpus.py FOLDER --all       and those of some thirty more packages (about 2,600 files)

Needs pip; `--all` also npm and, for Debian's source packages, apt-get with `deb-src` lines. A package that cannot be
had is named and left out. Nothing of it is committed.
"""

from __future__ import annotations

import argparse
import re
import subprocess
import sys
import tarfile
import tempfile
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path

from compare import EXTENSIONS

PILLOW = "pillow==12.0.0"
PYPI = (
    "piexif",
    "pillow-heif",
    "wand",
    "imagesize",
    "filetype",
    "hachoir",
    "python-xmp-toolkit",
    "imageio==2.31.1",
)
NPM = ("exif-js", "exif-parser", "jpeg-exif")
DEBIAN = (
    "libimage-exiftool-perl", "exiv2", "libexif", "exif", "libheif", "jpeg-xl", "tiff", "libpng1.6", "libwebp",
    "libjpeg-turbo", "graphicsmagick", "gdk-pixbuf", "gegl", "kimageformats", "tracker-miners", "libimage-size-perl",
    "libmetadata-extractor-java", "golang-github-rwcarlsen-goexif", "haskell-juicypixels",
)  # fmt: skip


def main() -> int:
    """Download and unpack; 1 when nothing at all could be had."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("folder", type=Path, metavar="FOLDER")
    parser.add_argument("--all", action="store_true", help="not only Pillow's images")
    options = parser.parse_args()
    total = 0
    with tempfile.TemporaryDirectory() as name:
        workplace = Path(name)
        for number, command in enumerate(commands(options.all), 1):
            into = workplace / str(number)
            into.mkdir()
            print(" ".join(command), end=" ... ", flush=True)
            result = subprocess.run(command, cwd=into, capture_output=True, text=True, check=False)
            found = sum(unpack(archive, options.folder) for archive in sorted(into.iterdir()))
            total += found
            lines = (result.stderr or result.stdout).strip().splitlines()
            print(f"{found} images" if found else f"nothing ({lines[-1] if lines else 'no output'})")
    print(f"{total} images below {options.folder}")
    return 0 if total else 1


def commands(every: bool) -> Iterator[list[str]]:
    """The package clients' own download commands."""
    for package in (PILLOW, *(PYPI if every else ())):
        yield [
            sys.executable,
            "-m",
            "pip",
            "download",
            "--quiet",
            "--no-deps",
            "--no-binary",
            ":all:",
            package,
        ]
    if every:
        for package in NPM:
            yield ["npm", "pack", "--silent", package]
        for package in DEBIAN:
            yield ["apt-get", "source", "--download-only", "-qq", package]


def unpack(archive: Path, folder: Path) -> int:
    """Write the images in one archive below the folder; how many there were."""
    name = re.sub(r"(\.orig)?\.(tar\.\w+|tgz|zip)$", "", archive.name)
    count = 0
    for path, read in members(archive):
        if Path(path).suffix.lower() in EXTENSIONS:
            target = folder / name / path.replace("..", "_").lstrip("/")
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(read())
            count += 1
    return count


def members(archive: Path) -> Iterator[tuple[str, Callable[[], bytes]]]:
    """The files in an archive and how to read each; none where it is no archive."""
    if zipfile.is_zipfile(archive):
        with zipfile.ZipFile(archive) as bundle:
            for entry in bundle.infolist():
                yield entry.filename, lambda entry=entry: bundle.read(entry)  # type: ignore[misc]
    elif tarfile.is_tarfile(archive):
        with tarfile.open(archive) as tape:
            for member in tape:
                file = tape.extractfile(member) if member.isfile() else None
                if file is not None:
                    yield member.name, file.read


if __name__ == "__main__":
    sys.exit(main())
