"""Compare the extractor with exiftool over folders of images.

    python tests/comparison/compare.py FOLDER...            (see --help)

Prints, per field and per format, how often both agree, disagree, and which of them is silent; every difference, with
the verdict that verdicts.json gives for it; and what each format cost in bytes and requests, time and memory.
exiftool is an independent program (Debian: libimage-exiftool-perl); what it says is mapped to the record's fields
here and nowhere else.
"""

from __future__ import annotations

import argparse
import fnmatch
import json
import re
import resource
import shutil
import statistics
import subprocess
import sys
import time
from collections import Counter, defaultdict
from pathlib import Path
from typing import Any

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parents[1] / "lambdas" / "shared"))

from image_metadata import PathReader, extract  # noqa: E402

#: Demanded share of agreement per field (of the values that exiftool states).
TARGETS = {
    "kind": 99.5, "width": 99.5, "height": 99.5, "orientation": 99.5, "make": 99.5, "model": 99.5,
    "taken_at": 99.5, "latitude": 99.5, "longitude": 99.5, "offset": 98.0, "has_alpha": 98.0,
    "color_mode": 98.0, "bit_depth": 98.0, "frames": 98.0, "color_profile": 98.0, "dpi": 98.0,
}  # fmt: skip
#: Raw files, by the name that exiftool, the extractor and a file's extension have in common.
RAWS = (
    "DNG", "GPR", "CR2", "CR3", "CRW", "NEF", "NRW", "ARW", "SR2", "SRF", "PEF", "SRW", "ORF", "IIQ", "3FR", "FFF",
    "KDC", "DCR", "ERF", "MEF", "MOS", "RAF", "RW2", "RWL", "RAW", "MRW", "X3F",
)  # fmt: skip
#: exiftool's file types that are images the extractor names; its name for the same kind.
KINDS = {
    **{name: name for name in RAWS},
    "JPEG": "JPEG", "MPO": "MPO", "PNG": "PNG", "APNG": "PNG", "GIF": "GIF", "WEBP": "WEBP",
    "Extended WEBP": "WEBP", "TIFF": "TIFF", "BTF": "TIFF", "HEIC": "HEIF", "HEIF": "HEIF", "AVIF": "AVIF",
    "HEICS": "HEIF", "HEIFS": "HEIF", "BMP": "BMP", "ICO": "ICO", "CUR": "CUR", "JP2": "JPEG2000", "J2C": "JPEG2000",
    "JPX": "JPEG2000", "JPM": "JPEG2000", "JXL": "JXL", "JXL Codestream": "JXL", "SVG": "SVG", "PSD": "PSD",
    "PSB": "PSD", "HDR": "HDR", "EXR": "EXR", "PCX": "PCX", "PPM": "PPM", "PGM": "PPM", "PBM": "PPM",
    "TGA": "TGA", "QOI": "QOI",
}  # fmt: skip
#: The extractor's names that stand for one kind in KINDS.
SAME = {"HEIC": "HEIF", "JPEGXL": "JXL", "JP2": "JPEG2000", "J2K": "JPEG2000", "PSB": "PSD", "PNM": "PPM"}
#: Where exiftool states when a picture was taken; failing that, digitized or made.
DATES = (
    ("DateTimeOriginal", ("ExifIFD", "IFD0", "CanonRaw", "SigmaRaw")), ("DateTimeOriginal", ("XMP-exif",)),
    ("DateCreated", ("XMP-photoshop",)),
    ("DateCreated", ("IPTC",)), ("CreateDate", ("ExifIFD", "IFD0")), ("CreateDate", ("XMP-xmp",)),
)  # fmt: skip
DATE_PARTS = {
    "DateTimeOriginal": ("SubSecTimeOriginal", "OffsetTimeOriginal"),
    "CreateDate": ("SubSecTimeDigitized", "OffsetTimeDigitized"),
}
#: exiftool's groups for the thumbnails, previews and further pages in a file.
OTHER_IMAGES = re.compile(r"IFD[1-9]\d*|SubIFD\d*|MPImage\d*|PreviewIFD|Track[2-9]|Copy\d+|Doc\d+")
EXTENSIONS = frozenset(
    [
        ".jpg",
        ".jpeg",
        ".jpe",
        ".jfif",
        ".mpo",
        ".png",
        ".apng",
        ".gif",
        ".webp",
        ".tif",
        ".tiff",
        ".btf",
        ".heic",
        ".heif",
        ".hif",
        ".avif",
        ".avifs",
        ".bmp",
        ".dib",
        ".ico",
        ".cur",
        ".jp2",
        ".j2k",
        ".j2c",
        ".jpx",
        ".jpc",
        ".jxl",
        ".svg",
        ".psd",
        ".psb",
        ".hdr",
        ".exr",
        ".pcx",
        ".ppm",
        ".pgm",
        ".pbm",
        ".pnm",
        ".pam",
        ".tga",
        ".qoi",
        *(f".{name.lower()}" for name in RAWS),
    ]
)


def main() -> int:
    """Run the comparison; 1 when a target is missed."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("folders", nargs="+", type=Path, metavar="FOLDER")
    parser.add_argument("--differences", action="store_true", help="list every difference")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write what was compared, as JSON")
    parser.add_argument("--limit", type=int, default=0, help="compare that many files at most")
    options = parser.parse_args()
    if shutil.which("exiftool") is None:
        parser.error("exiftool is not installed (Debian: apt-get install libimage-exiftool-perl)")
    files = [path for folder in options.folders for path in images_below(folder)]
    if options.limit:
        files = files[: options.limit]
    theirs = run_exiftool(files)
    comparison = Comparison(json.loads((HERE / "verdicts.json").read_text()))
    cost = Cost()
    for path in files:
        record = cost.measure(path)
        comparison.add(path, record, oracle(theirs.get(str(path), {})))
    comparison.show(options.differences)
    cost.show()
    if options.json:
        options.json.write_text(json.dumps(comparison.differences, indent=1))
    return 0 if comparison.reached() and not cost.exceptions else 1


def images_below(folder: Path) -> list[Path]:
    """Files with an image's extension below a folder, in order."""
    if not folder.is_dir():
        sys.exit(f"{folder} is not a folder")
    return sorted(path for path in folder.rglob("*") if path.suffix.lower() in EXTENSIONS and path.is_file())


def run_exiftool(files: list[Path]) -> dict[str, dict[str, Any]]:
    """What exiftool says of each file, by path: tags named Group:Tag, numbers as numbers."""
    command = [
        "exiftool",
        "-j",
        "-n",
        "-G1",
        "-api",
        "largefilesupport=1",
        "-charset",
        "filename=utf8",
        "-@",
        "-",
    ]
    answer = subprocess.run(
        command,
        input="\n".join(map(str, files)),
        capture_output=True,
        encoding="utf-8",
        errors="replace",
        check=False,
    )
    return {entry["SourceFile"]: entry for entry in json.loads(answer.stdout or "[]")}


def oracle(tags: dict[str, Any]) -> dict[str, Any]:
    """exiftool's answer as fields of the record; what it does not state is absent."""
    by_tag: dict[str, dict[str, Any]] = defaultdict(dict)
    for name, value in tags.items():
        group, _, tag = name.partition(":")
        if tag and not OTHER_IMAGES.fullmatch(group):
            by_tag[tag][group] = value

    def get(tag: str, *groups: str) -> Any:
        """The tag's value in the first of the groups that has it; of any group, the file's own before EXIF's."""
        values = by_tag.get(tag, {})
        for group in groups or ("File", "PNG", "GIF", "RIFF", "Jpeg2000", "IFD0"):
            if group in values:
                return values[group]
        return None if groups else next(iter(values.values()), None)

    kind = KINDS.get(str(get("FileType")))
    stated: dict[str, Any] = {"kind": kind, "error": get("Error")}
    if kind is None:
        return stated
    stated["width"], stated["height"] = number(get("ImageWidth")), number(get("ImageHeight"))
    if kind in RAWS:
        # Of all the widths in a raw file the one that counts.
        sides = str(get("ImageSize", "Composite") or "").split()
        stated["width"], stated["height"] = (
            (number(side) for side in sides) if len(sides) == 2 else (None, None)
        )
    orientation = get("Orientation", "IFD0", "XMP-tiff", "ExifIFD")
    if isinstance(orientation, int) and 1 <= orientation <= 8:
        stated["orientation"] = orientation
    for field, tag in (("make", "Make"), ("model", "Model")):
        value = get(tag, "IFD0", "XMP-tiff", "ExifIFD", "CanonRaw", "SigmaRaw")
        if value is not None and str(value).strip():
            stated[field] = str(value).strip()
    _taken(get, stated)
    position = get("GPSLatitude", "Composite"), get("GPSLongitude", "Composite")
    if all(isinstance(value, float | int) for value in position):
        stated["latitude"], stated["longitude"] = position
    if stated["width"]:
        _raster(kind, get, stated)
    profile = get("ProfileDescription")
    if profile is not None and str(profile).strip():
        stated["color_profile"] = str(profile).strip()
    _resolution(kind, get, stated)
    return {name: value for name, value in stated.items() if value is not None}


def number(value: Any) -> int | None:
    """A whole number, or None."""
    try:
        return round(float(value))
    except (TypeError, ValueError):
        return None


def _taken(get: Any, stated: dict[str, Any]) -> None:
    for tag, groups in DATES:
        fraction, zone = DATE_PARTS.get(tag, ("", ""))
        value = str(get(tag, *groups) or "")
        if tag == "DateCreated" and groups == ("IPTC",) and get("TimeCreated", "IPTC"):
            value = f"{value} {get('TimeCreated', 'IPTC')}"
        match = re.match(
            r"(\d{4}):(\d\d):(\d\d)(?: (\d\d):(\d\d)(?::(\d\d))?)?(\.\d+)?(Z|[+-]\d\d:\d\d)?", value
        )
        if not match or match[1] == "0000" or match[2] == "00" or match[3] == "00":
            continue
        clock = f"T{match[4]}:{match[5]}" + (f":{match[6]}" if match[6] else "") if match[4] else ""
        stated["taken_at"] = f"{match[1]}-{match[2]}-{match[3]}{clock}"
        if match[6]:
            part = str(get(fraction, "ExifIFD", "IFD0") or "").strip() if "ExifIFD" in groups else ""
            stated["taken_at"] += match[7] or (f".{part}" if part.isdigit() else "")
        offset = get(zone, "ExifIFD", "IFD0") if "ExifIFD" in groups else None
        offset = str(offset) if offset and re.fullmatch(r"[+-]\d\d:\d\d", str(offset).strip()) else match[8]
        if offset:
            stated["offset"] = "+00:00" if offset == "Z" else offset.strip()
        return


def _raster(kind: str, get: Any, stated: dict[str, Any]) -> None:
    if kind in ("JPEG", "MPO"):
        components = get("ColorComponents")
        stated["color_mode"] = {1: "L", 3: "RGB", 4: "CMYK"}.get(components)
        stated["bit_depth"] = number(get("BitsPerSample", "File"))
        stated["frames"] = (number(get("NumberOfImages", "MPF0")) if kind == "MPO" else None) or (
            1 if kind == "JPEG" else None
        )
    elif kind == "PNG":
        stated["bit_depth"] = number(get("BitDepth"))
        color, depth = get("ColorType"), get("BitDepth")
        stated["color_mode"] = {
            0: {1: "1", 16: "I;16"}.get(depth, "L"),
            2: "RGB",
            3: "P",
            4: "LA",
            6: "RGBA",
        }.get(color)
        stated["has_alpha"] = color in (4, 6) or get("Transparency") is not None
        stated["frames"] = number(get("AnimationFrames")) or 1
    elif kind == "GIF":
        stated["bit_depth"] = number(get("BitsPerPixel"))
        stated["frames"] = number(get("FrameCount")) or 1
        stated["color_mode"] = "P"
    elif kind == "WEBP":
        flags = get("WebP_Flags")
        if flags is not None:
            stated["has_alpha"] = bool(flags & 16)
        elif get("AlphaIsUsed") is not None:
            stated["has_alpha"] = bool(get("AlphaIsUsed"))
        elif get("VP8Version") is not None:
            stated["has_alpha"] = False
    elif kind == "TIFF":
        bits = str(get("BitsPerSample", "IFD0") or "").split()
        if bits:
            stated["bit_depth"] = number(bits[0])
        extra = str(get("ExtraSamples", "IFD0") or "").split()
        if extra:
            stated["has_alpha"] = any(value in ("1", "2") for value in extra)
        photometric, samples = get("PhotometricInterpretation", "IFD0"), get("SamplesPerPixel", "IFD0")
        if photometric == 2 and samples in (3, 4):
            stated["color_mode"] = "RGBA" if samples == 4 and stated.get("has_alpha") else "RGB"
        elif photometric in (3, 5, 8):
            stated["color_mode"] = {3: "PA" if stated.get("has_alpha") else "P", 5: "CMYK", 8: "LAB"}[
                photometric
            ]
        stated["frames"] = number(get("PageCount")) or None
    elif kind == "BMP":
        stated["bit_depth"] = {1: 1, 2: 2, 4: 4, 8: 8, 24: 8, 32: 8}.get(get("BitDepth"))
    elif kind in ("HEIF", "AVIF"):
        depth = str(get("ImagePixelDepth") or "").split()
        if depth:
            stated["bit_depth"] = number(depth[0])
        rotation = get("Rotation")
        if "orientation" in stated and rotation is not None:
            stated["orientation"] = {0: 1, 90: 8, 180: 3, 270: 6}.get(rotation, stated["orientation"])
    elif kind == "PSD":
        stated["bit_depth"] = number(get("BitDepth"))
        gray = {16: "I;16", 32: "F"}.get(stated["bit_depth"] or 0, "L")
        rgb = "RGBA" if (get("NumChannels") or 3) > 3 else "RGB"
        stated["color_mode"] = {0: "1", 1: gray, 2: "P", 3: rgb, 4: "CMYK", 9: "LAB"}.get(get("ColorMode"))


def _resolution(kind: str, get: Any, stated: dict[str, Any]) -> None:
    for group, inches in (("IFD0", 2), ("ExifIFD", 2), ("JFIF", 1), ("Photoshop", 0), ("XMP-tiff", 2)):
        across, down = get("XResolution", group), get("YResolution", group)
        unit = get("ResolutionUnit", group) if inches else 0
        if across and down and unit is not None and unit in (inches, inches + 1):
            break
    else:
        if not (kind == "PNG" and get("PixelUnits") == 1 and get("PixelsPerUnitX") and get("PixelsPerUnitY")):
            return
        across, down, unit, inches = get("PixelsPerUnitX") * 0.0254, get("PixelsPerUnitY") * 0.0254, 2, 2
    try:
        scale = 1.0 if unit == inches else 2.54
        stated["dpi"] = (float(across) * scale, float(down) * scale)
    except (TypeError, ValueError):
        return
    if not all(0 < value < 1e7 for value in stated["dpi"]):
        del stated["dpi"]


def ours(record: dict[str, Any]) -> dict[str, Any]:
    """The extractor's record as the same fields."""
    stated = {
        name: record.get(name)
        for name in ("width", "height", "orientation", "color_mode", "bit_depth", "frames")
    }
    stated |= {name: record.get(name) for name in ("has_alpha", "color_profile", "dpi", "taken_at")}
    stated["kind"] = SAME.get(record.get("format", ""), record.get("format"))
    stated["offset"] = record.get("taken_at_offset")
    stated |= {name: record.get("camera", {}).get(name) for name in ("make", "model")}
    stated |= {name: record.get("gps", {}).get(name) for name in ("latitude", "longitude")}
    return stated


def same(field: str, mine: Any, other: Any) -> bool:
    """Whether two values of a field mean the same."""
    if field in ("latitude", "longitude"):
        return abs(mine - other) < 1e-5
    if field == "dpi":
        return all(abs(a - b) <= max(0.5, 0.005 * b) for a, b in zip(mine, other, strict=True))
    if field in ("make", "model", "color_profile"):
        return " ".join(str(mine).split()) == " ".join(str(other).split())
    if field == "color_mode":
        return {"YCbCr": "RGB"}.get(mine, mine) == other
    if field == "taken_at":
        return (
            mine.rstrip("0").rstrip(".") == other.rstrip("0").rstrip(".")
            if "." in mine + other
            else mine == other
        )
    return bool(mine == other)


class Comparison:
    """Counts and differences over all files."""

    def __init__(self, verdicts: list[dict[str, str]]) -> None:
        self.counts: dict[str, Counter[str]] = defaultdict(Counter)
        self.formats: dict[str, dict[str, Counter[str]]] = defaultdict(lambda: defaultdict(Counter))
        self.differences: list[dict[str, Any]] = []
        self.verdicts = verdicts
        self.files = 0

    def add(self, path: Path, record: dict[str, Any], other: dict[str, Any]) -> None:
        """Count one file."""
        self.files += 1
        mine = ours(record)
        kind = other.get("kind") or mine["kind"] or "other"
        for field in TARGETS:
            here, there = mine.get(field), other.get(field)
            if here is None and there is None:
                continue
            if field != "kind" and other.get("kind") is None:
                continue
            outcome = "missing" if here is None else "extra" if there is None else "agree"
            if outcome == "agree" and not same(field, here, there):
                outcome = "disagree"
            if outcome == "extra" and field not in (
                "kind",
                "taken_at",
                "latitude",
                "orientation",
                "make",
                "dpi",
                "color_profile",
            ):
                # exiftool has no such tag for the format.
                self.counts[field][outcome] += 1
                continue
            self.counts[field][outcome] += 1
            self.formats[kind][field][outcome] += 1
            if outcome != "agree":
                verdict = self.verdict(path, field)
                if verdict and outcome in ("disagree", "missing"):
                    self.counts[field]["looked into"] += 1
                    self.counts[field][verdict.partition(":")[0]] += 1
                self.differences.append(
                    {"file": str(path), "kind": kind, "field": field, "outcome": outcome, "ours": here,
                     "exiftool": there, "status": record["status"], "verdict": verdict,
                     "error": record.get("error"), "warnings": record.get("warnings")}
                )  # fmt: skip

    def verdict(self, path: Path, field: str) -> str | None:
        """Who is right (ours, exiftool, none: no one value is) and why, where that was looked into."""
        for entry in self.verdicts:
            if field in entry["fields"].split() and fnmatch.fnmatch(str(path), f"*{entry['file']}"):
                return f"{entry['right']}: {entry['why']}"
        return None

    def rate(self, field: str) -> float | None:
        """Agreement in percent of what exiftool states."""
        count = self.counts[field]
        stated = count["agree"] + count["disagree"] + count["missing"]
        return 100 * count["agree"] / stated if stated else None

    def right(self, field: str) -> float | None:
        """The same without the values in which exiftool was found to be wrong, and those of which none is right."""
        count = self.counts[field]
        stated = count["agree"] + count["disagree"] + count["missing"] - count["ours"] - count["none"]
        return 100 * count["agree"] / stated if stated else None

    def reached(self) -> bool:
        """Whether each field reaches its target."""
        return all((rate := self.right(field)) is None or rate >= target for field, target in TARGETS.items())

    def show(self, differences: bool) -> None:
        """Print the tables."""
        print(f"{self.files} files\n")
        print(
            f"{'field':14} {'agree':>6} {'disagree':>8} {'missing':>7} {'extra':>6} {'rate %':>7}"
            f" {'right %':>7} {'target':>6} {'looked into':>11} {'ours right':>10} {'none right':>10}"
        )
        for field, target in TARGETS.items():
            count = self.counts[field]
            shown, right = (
                "-" if rate is None else f"{rate:.2f}" for rate in (self.rate(field), self.right(field))
            )
            print(
                f"{field:14} {count['agree']:6} {count['disagree']:8} {count['missing']:7} {count['extra']:6}"
                f" {shown:>7} {right:>7} {target:6} {count['looked into']:11} {count['ours']:10} {count['none']:10}"
            )
        print("\nper format, agree/disagree/missing/extra")
        fields = list(TARGETS)
        print(f"{'':9}" + " ".join(f"{field[:11]:>11}" for field in fields))
        for kind in sorted(self.formats):
            cells = []
            for field in fields:
                count = self.formats[kind][field]
                cells.append(
                    "/".join(str(count[o]) for o in ("agree", "disagree", "missing", "extra"))
                    if count
                    else "-"
                )
            print(f"{kind:9}" + " ".join(f"{cell:>11}" for cell in cells))
        if differences:
            print("\ndifferences")
            for entry in sorted(
                self.differences, key=lambda entry: (entry["field"], entry["outcome"], entry["file"])
            ):
                print(
                    f"{entry['field']}: {entry['outcome']}: {entry['file']}: ours {entry['ours']!r},"
                    f" exiftool {entry['exiftool']!r} [{entry['status']}] {entry['verdict'] or ''}"
                )


class Cost:
    """Bytes, requests, seconds and memory of our own extraction."""

    def __init__(self) -> None:
        self.rows: list[tuple[str, int, int, int, float, str]] = []
        self.statuses: Counter[str] = Counter()
        self.exceptions: list[str] = []

    def measure(self, path: Path) -> dict[str, Any]:
        """Extract one file and note what it cost."""
        with PathReader(path) as reader:
            started = time.perf_counter()
            try:
                record = extract(reader).to_dict()
            except Exception as error:  # noqa: BLE001 - any exception at all is what this looks for
                self.exceptions.append(f"{path}: {error!r}")
                record = {"status": "exception", "error": repr(error)}
            elapsed = time.perf_counter() - started
        self.statuses[record["status"]] += 1
        self.rows.append(
            (
                record.get("format", "-"),
                reader.size,
                reader.bytes_fetched,
                reader.requests,
                elapsed,
                str(path),
            )
        )
        return record

    def show(self) -> None:
        """Print the cost by format, all files and those over 256 KiB."""
        print("\nstatus:", dict(self.statuses))
        print(f"exceptions: {len(self.exceptions)}", *self.exceptions, sep="\n  ")
        for title, least in (("all files", 0), ("files over 256 KiB", 256 * 1024)):
            print(f"\ncost, {title}: KiB and requests (median, p95, max)")
            by_format: dict[str, list[tuple[str, int, int, int, float, str]]] = defaultdict(list)
            for row in self.rows:
                if row[1] > least:
                    by_format[row[0]].append(row)
            for name in sorted(by_format):
                rows = by_format[name]
                kib = percentiles([row[2] / 1024 for row in rows])
                requests = percentiles([float(row[3]) for row in rows])
                one = 100 * sum(row[3] == 1 for row in rows) / len(rows)
                print(
                    f"{name:9} {len(rows):5}  KiB {kib[0]:7.1f} {kib[1]:7.1f} {kib[2]:7.1f}"
                    f"   requests {requests[0]:.0f} {requests[1]:.0f} {requests[2]:.0f}   one request {one:.0f} %"
                )
        slowest = sorted(self.rows, key=lambda row: -row[4])[:3]
        print("\nslowest:", ", ".join(f"{row[4]:.3f} s {row[5]}" for row in slowest))
        print(f"most bytes: {max((row[2] for row in self.rows), default=0)}")
        print(f"peak RSS of this process: {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024:.0f} MB")


def percentiles(values: list[float]) -> tuple[float, float, float]:
    """(median, 95th percentile, maximum)."""
    ordered = sorted(values)
    return statistics.median(ordered), ordered[min(len(ordered) - 1, int(0.95 * len(ordered)))], ordered[-1]


if __name__ == "__main__":
    sys.exit(main())
