"""EXIF (CIPA DC-008-2023): which tags are read and how their values are told.

Input is a TIFF stream; output is plain values, each `None` when the tag is absent or its value broken.
"""

from __future__ import annotations

import re
import struct
from collections.abc import Callable
from typing import Any

from ..model import Description
from ..reader import Reader
from .dates import exif_moment
from .ifd import ASCII, Directory, Entry, NotTiff, TiffStream

EXIF_IFD, GPS_IFD = 0x8769, 0x8825
#: Blocks of other standards that a TIFF stream may hold.
XMP_TAG, IPTC_TAG, PHOTOSHOP_TAG, ICC_TAG = 0x02BC, 0x83BB, 0x8649, 0x8773

#: Tags that are told as they stand.
_TEXTS = (
    (0x010F, "make"),
    (0x0110, "model"),
    (0x0131, "software"),
    (0x010E, "description"),
    (0xA436, "title"),
    (0x013B, "artist"),
    (0xA434, "lens"),
    (0xA431, "serial"),
)
#: Title, comment, author and keywords as Windows writes them.
_WINDOWS = frozenset((0x9C9B, 0x9C9C, 0x9C9D, 0x9C9E))
_NUMBERS = re.compile(r"\d+(?:\.\d+)?")
_GPS_RANGE = {"latitude": 90.0, "longitude": 180.0}


def read_exif(source: Reader | bytes, warn: Callable[[str], None]) -> Description | None:
    """Parse an EXIF block (a TIFF stream); None, with a warning, where it is none."""
    try:
        tiff = TiffStream(source, warn)
    except NotTiff as error:
        warn(f"EXIF: {error}")
        return None
    return exif_of(tiff, tiff.directory(tiff.first), warn)


def exif_of(tiff: TiffStream, tags: Directory, warn: Callable[[str], None]) -> Description:
    """What the main directory, and the EXIF and GPS directories below it, state; `tags` grows by those of EXIF."""
    exif = Description()
    get = tags.get
    text = tiff.text

    if 0x0112 in tags:
        orientation = tiff.number(tags[0x0112])
        if isinstance(orientation, int) and 1 <= orientation <= 8:
            exif.orientation = orientation
        elif orientation:
            warn(f"EXIF: orientation {orientation} is none of 1 to 8")
    if 0x011A in tags or 0x011B in tags:
        exif.dpi = _dpi(tiff, tags)
    # Writers put tags into the wrong one of the two directories; their numbers do not overlap.
    _below(tiff, tags.get(EXIF_IFD), tags)
    for tag, name in _TEXTS:
        if tag in tags:
            setattr(exif, name, text(tags[tag]))
    if not tags.keys().isdisjoint(_WINDOWS):
        exif.description = exif.description or _utf16(tiff, get(0x9C9C))
        exif.title = exif.title or _utf16(tiff, get(0x9C9B))
        exif.artist = exif.artist or _utf16(tiff, get(0x9C9D))
        keywords = _utf16(tiff, get(0x9C9E))
        if keywords:
            exif.keywords = [word.strip() for word in keywords.split(";") if word.strip()]
    if 0x8298 in tags:
        exif.copyright = _copyright(tiff, tags[0x8298])
    exif.rating = _integer(tiff, get(0x4746))
    if 0x9003 in tags:
        exif.taken = exif_moment(text(tags[0x9003]), text(get(0x9291)), text(get(0x9011)))
    if 0x9004 in tags and exif.taken is None:  # else nobody asks
        exif.digitized = exif_moment(text(tags[0x9004]), text(get(0x9292)), text(get(0x9012)))
    exif.exposure = _exposure(tiff, tags)
    if GPS_IFD in tags:
        gps = _below(tiff, tags[GPS_IFD], Directory())
        if gps:
            exif.gps = _gps(tiff, gps, warn)
    return exif


def _below(tiff: TiffStream, entry: Entry | None, into: Directory) -> Directory:
    offset = tiff.number(entry)
    return tiff.directory(offset, into) if isinstance(offset, int) and offset > 0 else into


def _integer(tiff: TiffStream, entry: Entry | None) -> int | None:
    if entry is None:
        return None
    value = tiff.number(entry)
    return value if isinstance(value, int) else None


def _utf16(tiff: TiffStream, entry: Entry | None) -> str | None:
    """The tags Windows writes: UTF-16LE in bytes."""
    if entry is None:
        return None
    data = tiff.raw(entry)
    return data[: len(data) & ~1].decode("utf-16-le", "replace").split("\0", 1)[0].strip() or None


def _copyright(tiff: TiffStream, entry: Entry) -> str | None:
    """Photographer's and editor's copyright, parted by a NUL (EXIF 4.6.5.2)."""
    parts = tiff.raw(entry).split(b"\0")
    told = []
    for part in parts[:2]:
        try:
            word = part.decode("utf-8").strip()
        except UnicodeDecodeError:
            word = part.decode("latin-1").strip()
        if word:
            told.append(word)
    return "; ".join(told) or None


def _dpi(tiff: TiffStream, main: Directory) -> tuple[float, float] | None:
    return resolution(
        tiff.real(main.get(0x011A)), tiff.real(main.get(0x011B)), _integer(tiff, main.get(0x0128))
    )


def resolution(x: float | None, y: float | None, unit: int | None) -> tuple[float, float] | None:
    """Dots per inch of a TIFF resolution; the unit is inches where none is stated (TIFF 6.0 page 38)."""
    if unit is None:
        unit = 2
    if unit not in (2, 3) or (not x and not y):
        return None
    across, down = x or y or 0.0, y or x or 0.0
    if not (0 < across < 1e7 and 0 < down < 1e7):
        return None
    scale = 2.54 if unit == 3 else 1.0
    return round(across * scale, 4), round(down * scale, 4)


def _exposure(tiff: TiffStream, tags: dict[int, Entry]) -> dict[str, Any]:
    get = tags.get
    real = tiff.real
    told: dict[str, Any] = {}
    time = real(get(0x829A))
    if not time:
        apex = real(get(0x9201))
        time = 2.0**-apex if apex is not None and -20 < apex < 30 else None
    number = real(get(0x829D))
    if not number:
        apex = real(get(0x9202))
        number = 2.0 ** (apex / 2) if apex is not None and 0 <= apex < 20 else None
    iso = tiff.number(get(0x8827))
    if iso is None or iso == 65535:
        iso = _integer(tiff, get(0x8833)) or _integer(tiff, get(0x8832)) or _integer(tiff, get(0x8831)) or iso
    focal = real(get(0x920A))
    focal35 = real(get(0xA405))
    flash = _integer(tiff, get(0x9209))
    if time is not None and 0 < time < 1e6:
        told["time_s"] = _short(time)
    if number is not None and 0 < number < 1e4:
        told["f_number"] = _short(number)
    if isinstance(iso, int) and iso > 0:
        told["iso"] = iso
    if focal is not None and 0 < focal < 1e6:
        told["focal_length_mm"] = _short(focal)
    if focal35 is not None and 0 < focal35 < 1e6:
        told["focal_length_35mm"] = _short(focal35)
    if flash is not None and 0 <= flash < 65535:
        told["flash"] = bool(flash & 1)
    return told


def _short(value: float) -> float | int:
    """Six significant digits; a whole number as an int."""
    if value.is_integer() and value < 1e6:
        return int(value)
    rounded = float(f"{value:.6g}")
    return int(rounded) if rounded.is_integer() else rounded


def _gps(tiff: TiffStream, gps: Directory, warn: Callable[[str], None]) -> dict[str, float]:
    latitude = _coordinate(tiff, gps.get(2), gps.get(1), "latitude", "S", warn)
    longitude = _coordinate(tiff, gps.get(4), gps.get(3), "longitude", "W", warn)
    if latitude is None or longitude is None:
        return {}
    told = {"latitude": latitude, "longitude": longitude}
    altitude = tiff.real(gps.get(6))
    if altitude is not None and abs(altitude) < 1e6:
        ref = tiff.number(gps.get(5)) if gps.get(5) else 0
        if isinstance(ref, tuple):
            ref = ref[0]
        told["altitude_m"] = round(-altitude if ref in (1, 3, 49) else altitude, 3)
    return told


def _coordinate(
    tiff: TiffStream,
    value: Entry | None,
    ref: Entry | None,
    name: str,
    negative: str,
    warn: Callable[[str], None],
) -> float | None:
    """Signed degrees of degrees, minutes, seconds and their ref; None when they state no position."""
    if value is None:
        return None
    try:
        parts = tiff.numbers(value)
    except struct.error:
        parts = ()
    if not parts and value[1] == ASCII:
        # Written as text, against the standard.
        parts = tuple(float(word) for word in _NUMBERS.findall(tiff.text(value) or "")[:3])
    degrees = 0.0
    stated = 0
    for part, scale in zip(parts, (1.0, 60.0, 3600.0), strict=False):
        number, under = part if isinstance(part, tuple) else (part, 1)
        if under:
            degrees += number / under / scale
            stated += 1
        elif stated == 0 or number:
            # 0/0 minutes or seconds are left unsaid; without degrees there is no position.
            stated = 0
            break
    if not stated:
        if any(part[0] if isinstance(part, tuple) else part for part in parts):
            warn(f"GPS: the {name} is no number")
        return None
    letter = (tiff.text(ref) or "")[:1].upper() if ref is not None else ""
    if letter == "":
        warn(f"GPS: the {name} has no reference, taken as {'north' if name == 'latitude' else 'east'}")
    elif letter == negative:
        degrees = -abs(degrees)
    elif letter not in "NSEW":
        warn(f"GPS: the {name}'s reference is unknown")
    if not abs(degrees) <= _GPS_RANGE[name]:
        warn(f"GPS: the {name} is out of range")
        return None
    return round(degrees, 8)
