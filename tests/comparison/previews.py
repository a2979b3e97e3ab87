"""Compare previews with what ImageMagick makes of the same public images, and measure near duplicates and costs.

    python tests/comparison/previews.py ssim FOLDER [--count 300] [--size 320]   against ImageMagick's thumbnails
    python tests/comparison/previews.py cost                                     time and memory per format
    python tests/comparison/previews.py hostile                                  time and memory of hostile files
    python tests/comparison/previews.py duplicates FOLDER                        precision and recall of near duplicates

FOLDER is what corpus.py filled. `ssim` needs ImageMagick's `convert`; NumPy comes with the development environment.
"""

from __future__ import annotations

import argparse
import io
import random
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import psutil
from PIL import Image, ImageCms, ImageEnhance

ROOT = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT), str(ROOT / "lambdas" / "shared")]

from image_metadata import extract  # noqa: E402
from image_metadata.errors import ImageMetadataError  # noqa: E402
from image_pixels import limits, render  # noqa: E402
from image_pixels.formats import PLUGINS  # noqa: E402
from image_pixels.hashes import phash  # noqa: E402
from image_pixels.worker import Decoder  # noqa: E402
from tests.fuzz import hostile  # noqa: E402
from tests.support.pictures import distance  # noqa: E402

ENOUGH = 0.95
COMPARED = (
    "JPEG",
    "MPO",
    "PNG",
    "GIF",
    "WEBP",
    "TIFF",
    "BMP",
    "PSD",
    "AVIF",
    "HEIF",
    "JPEG2000",
    "PPM",
    "PCX",
    "TGA",
)


class File:
    """A local file as an original."""

    def __init__(self, path: Path) -> None:
        self._data = path.read_bytes()

    def size(self) -> int | None:
        return len(self._data)

    def fetch(self, start: int, end: int) -> bytes:
        return self._data[start:end]


def ssim(one: np.ndarray[Any, Any], other: np.ndarray[Any, Any]) -> float:
    """The mean structural similarity of two grey pictures (Wang et al. 2004; windows of 8 x 8, constants as there)."""
    side = 8
    if min(one.shape) < side:
        side = min(one.shape)
    windows = [np.lib.stride_tricks.sliding_window_view(each, (side, side)) for each in (one, other)]
    means = [each.mean(axis=(2, 3)) for each in windows]
    spreads = [each.var(axis=(2, 3)) for each in windows]
    both = (windows[0] * windows[1]).mean(axis=(2, 3)) - means[0] * means[1]
    small, large = (0.01 * 255) ** 2, (0.03 * 255) ** 2
    above = (2 * means[0] * means[1] + small) * (2 * both + large)
    below = (means[0] ** 2 + means[1] ** 2 + small) * (spreads[0] + spreads[1] + large)
    return float((above / below).mean())


def grey(image: Image.Image) -> np.ndarray[Any, Any]:
    """A picture as it looks on white."""
    shown = Image.alpha_composite(Image.new("RGBA", image.size, "white"), image.convert("RGBA"))
    return np.asarray(shown.convert("L"), dtype=np.float64)


def thumbnail(convert: str, path: Path, size: int, folder: Path) -> Image.Image | None:
    """What ImageMagick makes: upright, to sRGB, the first frame; None where it cannot."""
    out = folder / "thumbnail.png"
    profile = folder / "srgb.icc"
    profile.write_bytes(ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes())
    command = [
        *(convert, f"{path}[0]", "-auto-orient", "-profile", str(profile), "-colorspace", "sRGB"),
        *("-resize", f"{size}x{size}>"),
        *("-depth", "8", f"png32:{out}"),
    ]
    out.unlink(missing_ok=True)
    try:
        subprocess.run(command, capture_output=True, check=False, timeout=60)
    except subprocess.TimeoutExpired:
        return None
    try:
        with Image.open(out) as image:
            return image.convert("RGBA")
    except OSError:  # ImageMagick wrote none, or none that can be read
        return None


def compare(folder: Path, count: int, size: int) -> int:
    """Print every picture that is less alike than `ENOUGH`, and the distribution; 0 where no decoder failed alone."""
    convert = shutil.which("convert", path="/usr/bin:/opt/homebrew/bin:/usr/local/bin")
    if convert is None:
        print("ImageMagick's convert is not installed", file=sys.stderr)
        return 1
    files = [path for path in sorted(folder.rglob("*")) if path.is_file()]
    random.Random(15).shuffle(files)
    decoder, values, missing = Decoder(), [], []
    with tempfile.TemporaryDirectory() as name:
        for path in files:
            metadata = extract(path)
            if metadata.status != "ok" or metadata.format not in COMPARED:
                continue
            if min(metadata.width or 0, metadata.height or 0) < 32:
                continue
            theirs = thumbnail(convert, path, size, Path(name))
            if theirs is None:
                continue
            try:
                ours = Image.open(io.BytesIO(render.preview(File(path), size, decoder)))
            except ImageMetadataError as error:
                missing.append(f"{path.name} ({metadata.format}): {error}")
                continue
            alike = ssim(grey(ours), grey(theirs)) if ours.size == theirs.size else 0.0
            values.append(alike)
            if alike < ENOUGH:
                print(
                    f"{alike:.3f} {metadata.format:5} {ours.size} {theirs.size} {metadata.color_mode} {path}"
                )
            if len(values) >= count:
                break
    decoder.close()
    print(
        f"{len(values)} compared at {size}, {sum(value >= ENOUGH for value in values)} at {ENOUGH} or more,"
    )
    print(f"median {np.median(values):.4f}, 5 % {np.percentile(values, 5):.4f}, least {min(values):.4f}")
    print(f"ImageMagick alone decoded {len(missing)}:", *missing, sep="\n  ")
    return 0


def noisy(width: int, height: int, mode: str = "RGB") -> Image.Image:
    """Structure at every scale, so that files are as large as photographs are."""
    tile = Image.effect_noise((512, 512), 40)
    picture = Image.radial_gradient("L").resize((width, height))
    noise = Image.new("L", (width, height))
    for x in range(0, width, 512):
        for y in range(0, height, 512):
            noise.paste(tile, (x, y))
    grey_picture = Image.blend(picture, noise, 0.35)
    bands = [grey_picture] * len(Image.new(mode, (1, 1)).getbands())
    return grey_picture if mode == "L" else Image.merge(mode, bands)


def encoders() -> Iterator[tuple[str, str, Callable[[Image.Image, Path], None]]]:
    """Name, mode, and how to write it."""

    def saved(file_format: str, **options: Any) -> Callable[[Image.Image, Path], None]:
        return lambda image, path: image.save(path, file_format, **options)

    yield "JPEG", "RGB", saved("JPEG", quality=88)
    yield "JPEG progressive", "RGB", saved("JPEG", quality=88, progressive=True)
    yield "JPEG CMYK", "CMYK", saved("JPEG", quality=88)
    yield "PNG", "RGB", saved("PNG", compress_level=1)
    yield "PNG RGBA", "RGBA", saved("PNG", compress_level=1)
    yield "GIF", "L", saved("GIF")
    yield "WebP", "RGB", saved("WEBP", quality=80, method=0)
    yield "AVIF", "RGB", saved("AVIF", quality=60, speed=10)
    yield "HEIC", "RGB", _heic
    yield "TIFF LZW", "RGB", saved("TIFF", compression="tiff_lzw")
    yield "TIFF CMYK", "CMYK", saved("TIFF")
    yield "BMP", "RGB", saved("BMP")


def _heic(image: Image.Image, path: Path) -> None:
    import pillow_heif

    pillow_heif.from_pillow(image).save(path, quality=60)


def cost() -> int:
    """Print a table: format, size, seconds for a preview of 640 pixels, peak memory of the decoding process."""
    print("| Format | Megapixels | File, MB | Seconds (processor) | Memory, MB |\n|---|---|---|---|---|")
    with tempfile.TemporaryDirectory() as name:
        path = Path(name, "picture")
        for file_format, mode, write in encoders():
            # A frame of HEVC has at most 35.6 million samples (ITU-T H.265, table A.8); phones write tiles above it.
            for width, height in ((4000, 3000), (7200, 4900) if file_format == "HEIC" else (8660, 5774)):
                write(noisy(width, height, mode), path)
                seconds, megabytes, refused = _cost_of(path)
                cells = refused or f"{seconds:.2f} | {megabytes:.0f}"
                print(
                    f"| {file_format} | {width * height / 1e6:.0f} | {path.stat().st_size / 1e6:.1f} | {cells} |",
                    flush=True,
                )
    return 0


def hostile_files() -> int:
    """Print what each file of tests/fuzz/hostile.py costs whoever asks for its preview; 1 where one costs too much."""
    costs = {}
    with tempfile.TemporaryDirectory() as name:
        hostile.make_all(Path(name, "files"))
        for path in sorted(Path(name, "files").iterdir()):
            seconds, megabytes, refused = costs[path.name] = _cost_of(path)
            print(f"| {path.name} | {seconds:.2f} | {megabytes:.0f} | {refused or 'a preview'} |", flush=True)
    refusals = sum(bool(refused) for _, _, refused in costs.values())
    seconds, megabytes = (max(cost[at] for cost in costs.values()) for at in (0, 1))
    print(f"{len(costs)} files, {refusals} refused; at most {seconds:.2f} s and {megabytes:.0f} MB")
    return int(seconds > limits.MAX_SECONDS or megabytes * 1e6 > limits.MAX_MEMORY_BYTES)


def _cost_of(path: Path) -> tuple[float, float, str]:
    """Processor seconds, peak memory in MB of the decoding process, and why there is no preview ("": there is one)."""
    decoder = Decoder()
    decoder.start()
    process = decoder._process
    assert process is not None
    watched, refused = psutil.Process(process.pid), ""
    try:
        render.preview(File(path), 640, decoder)
    except ImageMetadataError as error:
        refused = str(error)
    try:
        times = watched.cpu_times()
        status = Path(f"/proc/{process.pid}/status").read_text(encoding="ascii")
    except (psutil.NoSuchProcess, OSError):
        return limits.MAX_SECONDS, limits.MAX_MEMORY_BYTES / 1e6, f"ended: {refused}"
    peak = next(int(line.split()[1]) for line in status.splitlines() if line.startswith("VmHWM"))
    decoder.close()
    return times.user + times.system, peak / 1024, refused


CHANGES: dict[str, Callable[[Image.Image], Image.Image]] = {
    "resized to a half": lambda image: image.resize((image.width // 2, image.height // 2)),
    "resized to a fifth": lambda image: image.resize((image.width // 5, image.height // 5)),
    "recompressed (JPEG 30)": lambda image: _recompressed(image, 30),
    "recompressed (JPEG 10)": lambda image: _recompressed(image, 10),
    "cropped by 5 %": lambda image: image.crop(
        (image.width // 40, image.height // 40, image.width * 39 // 40, image.height * 39 // 40)
    ),
    "brighter by 20 %": lambda image: ImageEnhance.Brightness(image).enhance(1.2),
    "less saturated by half": lambda image: ImageEnhance.Color(image).enhance(0.5),
    "grey": lambda image: image.convert("L").convert("RGB"),
    "more contrast by 30 %": lambda image: ImageEnhance.Contrast(image).enhance(1.3),
    "rotated by 2 degrees": lambda image: image.rotate(2, Image.Resampling.BICUBIC, expand=False),
    "rotated by 90 degrees": lambda image: image.rotate(90, expand=True),
    "mirrored": lambda image: image.transpose(Image.Transpose.FLIP_LEFT_RIGHT),
}
#: What a near duplicate is; the others are told as they come out.
MEANT = tuple(CHANGES)[:9]


def _recompressed(image: Image.Image, quality: int) -> Image.Image:
    out = io.BytesIO()
    image.save(out, "JPEG", quality=quality)
    return Image.open(out).convert("RGB")


def duplicates(folder: Path, count: int) -> int:
    """Print recall per change and precision per distance, over photographs and made copies of them."""
    originals = list(_distinct(folder, count))
    hashes = [phash(image) for image in originals]
    changed = {name: [phash(change(image)) for image in originals] for name, change in CHANGES.items()}
    print(f"{len(originals)} different pictures of 256 pixels and more, {len(CHANGES)} copies of each")
    distances = (4, 6, 8, 10, 12, 14)
    print("| Change |", " | ".join(f"<= {most}" for most in distances), "|")
    for name, copies in changed.items():
        found = [
            sum(distance(one, copy) <= most for one, copy in zip(hashes, copies, strict=True))
            for most in distances
        ]
        print(f"| {name} |", " | ".join(f"{each / len(hashes):.3f}" for each in found), "|")
    everything = [(at, each) for name in MEANT for at, each in enumerate(changed[name])]
    right = {most: sum(distance(hashes[at], copy) <= most for at, copy in everything) for most in distances}
    wrong = {
        most: sum(
            distance(one, copy) <= most
            for other, copy in everything
            for at, one in enumerate(hashes)
            if at != other
        )
        for most in distances
    }
    print(
        "| all that is meant: recall |",
        " | ".join(f"{right[most] / len(everything):.3f}" for most in distances),
        "|",
    )
    print(
        "| precision |",
        " | ".join(f"{right[most] / max(1, right[most] + wrong[most]):.4f}" for most in distances),
        "|",
    )
    return 0


def _distinct(folder: Path, count: int) -> Iterator[Image.Image]:
    """Photographs of the corpus, each content once: the packages carry many copies and edits of the same few."""
    files = [path for path in sorted(folder.rglob("*")) if path.is_file()]
    random.Random(15).shuffle(files)
    decoder, seen = Decoder(), list[str]()
    for path in files:
        metadata = extract(path)
        if metadata.status != "ok" or metadata.format not in PLUGINS or metadata.format in ("ICO", "CUR"):
            continue
        if min(metadata.width or 0, metadata.height or 0) < 256:
            continue
        try:
            data = render.preview(File(path), 1280, decoder)
        except ImageMetadataError:
            continue
        with Image.open(io.BytesIO(data)) as opened:
            image = opened.convert("RGB")
        colors = image.resize((64, 64)).getcolors(4096)
        own = phash(image)
        plain = colors is not None and len(colors) < 500
        if plain or any(distance(own, other) <= 16 for other in seen):
            continue
        seen.append(own)
        yield image
        if len(seen) >= count:
            break
    decoder.close()


def main() -> int:
    """Run one of the comparisons."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("what", choices=("ssim", "cost", "hostile", "duplicates"))
    parser.add_argument("folder", type=Path, nargs="?", metavar="FOLDER")
    parser.add_argument("--count", type=int, default=300, help="how many pictures (default: 300)")
    parser.add_argument("--size", type=int, default=320, help="pixels of the longer side (default: 320)")
    options = parser.parse_args()
    if options.what == "cost":
        return cost()
    if options.what == "hostile":
        return hostile_files()
    if options.folder is None:
        parser.error("FOLDER is missing")
    if options.what == "ssim":
        return compare(options.folder, options.count, options.size)
    return duplicates(options.folder, options.count)


if __name__ == "__main__":
    sys.exit(main())
