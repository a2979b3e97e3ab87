"""Two small descriptions of a picture: one to find others like it, one to draw before it is there."""

from __future__ import annotations

import math
from collections.abc import Sequence
from operator import mul
from statistics import median

from PIL import Image

#: The side of the square that `phash` transforms, and of the corner of coefficients that it keeps.
_SIDE, _KEPT = 32, 8
#: ThumbHash takes no larger picture.
_MOST = 100
#: What sums of rounded numbers leave where there should be nothing.
_ROUNDING = 1e-12


def phash(picture: Image.Image) -> str:
    """64 bits, in hexadecimal, that change little when a picture is resized, recompressed or recoloured.

    A bit says whether one of the 64 lowest frequencies (DCT) is over their median. The bits are those of the Python
    package ImageHash's `phash`, so that hashes of both can be compared.
    """
    grey = picture.convert("L").resize((_SIDE, _SIDE), Image.Resampling.LANCZOS)
    values = grey.tobytes()
    rows = [dct(list(values[at : at + _SIDE]))[:_KEPT] for at in range(0, _SIDE * _SIDE, _SIDE)]
    columns = [dct(list(column))[:_KEPT] for column in zip(*rows, strict=True)]
    low = [columns[x][y] for y in range(_KEPT) for x in range(_KEPT)]
    middle = median(low)
    return f"{sum(1 << (63 - at) for at, value in enumerate(low) if value > middle):016x}"


def dct(values: Sequence[float]) -> list[float]:
    """The discrete cosine transform (type II, not normalised) of 2^n values, by halves.

    Sums and differences of mirrored values are made first, so that what is even gives exact zeros: a plain picture's
    bits would otherwise come from rounding.
    """
    half = len(values) // 2
    if not half:
        return [2.0 * values[0]] if values else []
    mirrored = values[: half - 1 : -1]
    even = dct([one + other for one, other in zip(values[:half], mirrored, strict=True)])
    odd = dct(
        [
            (one - other) * 2 * math.cos(math.pi * (at + 0.5) / (2 * half))
            for at, (one, other) in enumerate(zip(values[:half], mirrored, strict=True))
        ]
    )
    out = [0.0] * len(values)
    out[0::2] = even
    before = 0.0
    for at, value in enumerate(odd):
        before = value / 2 if at == 0 else value - before
        out[2 * at + 1] = before
    return out


def thumbhash(picture: Image.Image) -> bytes:
    """A blurred picture in at most 25 bytes, as published with its decoders at https://evanw.github.io/thumbhash/.

    Few low frequencies each of lightness, yellow to blue, red to green and, where there is any, opacity.
    """
    small = picture.convert("RGBA")
    small.thumbnail((_MOST, _MOST), Image.Resampling.BOX)
    width, height = small.size
    data = small.tobytes()
    opacity = [value / 255 for value in data[3::4]]
    total = sum(opacity)
    channels = [[value / 255 for value in data[at::4]] for at in range(3)]
    if total < len(opacity):  # what is transparent takes the average colour
        for at, channel in enumerate(channels):
            average = (
                sum(value * alpha for value, alpha in zip(channel, opacity, strict=True)) / total
                if total
                else 0.0
            )
            channels[at] = [
                average * (1 - alpha) + alpha * value for value, alpha in zip(channel, opacity, strict=True)
            ]
    red, green, blue = channels
    lightness = [(r + g + b) / 3 for r, g, b in zip(red, green, blue, strict=True)]
    yellow = [(r + g) / 2 - b for r, g, b in zip(red, green, blue, strict=True)]
    redness = [r - g for r, g in zip(red, green, strict=True)]
    return _packed(width, height, lightness, yellow, redness, opacity if total < len(opacity) else None)


def _packed(
    width: int,
    height: int,
    lightness: list[float],
    yellow: list[float],
    redness: list[float],
    opacity: list[float] | None,
) -> bytes:
    longest = 7 if opacity is None else 5
    across = max(1, _round(longest * width / max(width, height)))
    down = max(1, _round(longest * height / max(width, height)))
    l_mean, l_terms, l_scale = _terms(lightness, width, height, max(3, across), max(3, down))
    p_mean, p_terms, p_scale = _terms(yellow, width, height, 3, 3)
    q_mean, q_terms, q_scale = _terms(redness, width, height, 3, 3)
    landscape = width > height
    header = (
        _round(63 * l_mean)
        | _round(31.5 + 31.5 * p_mean) << 6
        | _round(31.5 + 31.5 * q_mean) << 12
        | _round(31 * l_scale) << 18
        | (opacity is not None) << 23
        | (down if landscape else across) << 24
        | _round(63 * p_scale) << 27
        | _round(63 * q_scale) << 33
        | landscape << 39
    )
    terms = l_terms + p_terms + q_terms
    packed = header.to_bytes(5, "little")
    if opacity is not None:
        a_mean, a_terms, a_scale = _terms(opacity, width, height, 5, 5)
        packed += bytes([_round(15 * a_mean) | _round(15 * a_scale) << 4])
        terms += a_terms
    nibbles = [_round(15 * term) for term in terms] + [0] * (len(terms) % 2)
    return packed + bytes(low | high << 4 for low, high in zip(nibbles[0::2], nibbles[1::2], strict=True))


def _terms(
    channel: list[float], width: int, height: int, across: int, down: int
) -> tuple[float, list[float], float]:
    """A channel's mean, its lowest frequencies brought to 0..1, and what they were divided by."""
    cosines = [[math.cos(math.pi / width * cx * (x + 0.5)) for x in range(width)] for cx in range(across)]
    rows = [channel[at : at + width] for at in range(0, width * height, width)]
    sums = [[_dot(row, wave) for row in rows] for wave in cosines]
    terms = []
    for cy in range(down):
        wave = [math.cos(math.pi / height * cy * (y + 0.5)) for y in range(height)]
        for cx in range(across):
            if cx * down < across * (down - cy):
                terms.append(_dot(sums[cx], wave) / (width * height))
    mean, varying = terms[0], terms[1:]
    scale = max(abs(term) for term in varying)
    if scale < _ROUNDING:  # a plain channel
        return mean, [0.0] * len(varying), 0.0
    return mean, [0.5 + 0.5 / scale * term for term in varying], scale


def _dot(one: Sequence[float], other: Sequence[float]) -> float:
    return float(sum(map(mul, one, other)))


def _round(value: float) -> int:
    """To the nearest whole number, halves up, as the published code does."""
    return math.floor(value + 0.5)
