"""Numbers as the record writes them, whichever block states them."""

from __future__ import annotations

import math

from ..fields import Position

#: Metres within which an altitude is one: from below the deepest sea to where space begins.
_ALTITUDES = (-12_000, 100_000)


def decimal(text: str | None) -> float | None:
    """A decimal number or a rational; None for a zero denominator and for what is infinite or no number."""
    if text is None:
        return None
    number, slash, under = text.partition("/")
    try:
        below = float(under) if slash else 1.0
        value = float(number) / below if below else math.nan
    except ValueError:
        return None
    return value if math.isfinite(value) else None


def positive(value: float | None) -> float | int | None:
    """Six significant digits of a number over zero, a whole one as an int; None for any other."""
    if value is None or not 0 < value < 1e6:
        return None
    if value.is_integer():
        return int(value)
    rounded = float(f"{value:.6g}")
    return int(rounded) if rounded.is_integer() else rounded


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


def position(latitude: float, longitude: float, signed: bool, altitude: float | None) -> Position:
    """A place of degrees within their range; `signed` is whether it is stated on which halves of the Earth it lies."""
    place = Position(latitude=latitude + 0.0, longitude=longitude + 0.0)  # 0 has no sign
    if altitude is not None and _ALTITUDES[0] <= altitude <= _ALTITUDES[1]:
        place["altitude_m"] = round(altitude, 3) + 0.0
    if not signed:
        place["unsigned"] = True
    return place
