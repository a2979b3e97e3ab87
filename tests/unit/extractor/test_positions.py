"""Positions: what is unsigned, what settles it, what is out of range."""

from __future__ import annotations

import math
from typing import Any

import pytest

from tests.support.builders import Value, jpeg, metadata_of, packet, segment, tiff

LATITUDE: Value = (5, [(33, 1), (51, 1), (30, 1)])
LONGITUDE: Value = (5, [(151, 1), (12, 1), (0, 1)])
SOUTH, WEST = -33.85833333, -151.2


def exif(north: str | None, east: str | None, more: dict[int, Value] | None = None) -> bytes:
    gps: dict[int, Value] = {2: LATITUDE, 4: LONGITUDE} | (more or {})
    gps |= ({1: (2, north)} if north else {}) | ({3: (2, east)} if east else {})
    return tiff({}, None, gps)


def xmp(latitude: str, longitude: str, more: str = "") -> bytes:
    return packet("", f'exif:GPSLatitude="{latitude}" exif:GPSLongitude="{longitude}" {more}')


def place(latitude: float, longitude: float, **more: Any) -> dict[str, Any]:
    return {"latitude": latitude, "longitude": longitude, **more}


@pytest.mark.parametrize(
    ("block", "expected"),
    [
        (exif("S", "W"), place(SOUTH, WEST)),
        (exif("N", "E"), place(-SOUTH, -WEST)),
        (exif("south", "West"), place(SOUTH, WEST)),
        (exif(None, None), place(-SOUTH, -WEST, unsigned=True)),
        (exif("S", None), place(SOUTH, -WEST, unsigned=True)),
        (exif(None, "W"), place(-SOUTH, WEST, unsigned=True)),
        (exif("?", "W"), place(-SOUTH, WEST, unsigned=True)),
        (exif("W", "W"), place(-SOUTH, WEST, unsigned=True)),
        # The sign stands in the number or in the text itself.
        (exif(None, None, {2: (10, [(-33, 1)]), 4: (10, [(-151, 1)])}), place(-33.0, -151.0)),
        (exif(None, None, {2: (2, "33,30.0S"), 4: (2, "151,0W")}), place(-33.5, -151.0)),
        # On the equator there is nothing to state.
        (exif(None, "W", {2: (5, [(0, 1)])}), place(0.0, WEST)),
    ],
)
def test_a_position_without_references_is_unsigned(block: bytes, expected: dict[str, Any]) -> None:
    metadata = metadata_of(jpeg(exif=block))
    assert (metadata.gps, metadata.has_gps) == (expected, True)


@pytest.mark.parametrize(
    ("packet", "expected"),
    [
        (xmp("33,51.5S", "151,12W"), place(SOUTH, WEST)),
        (xmp("33,51,30", "151,12,0"), place(-SOUTH, -WEST, unsigned=True)),
        (xmp("33,51.5S", "151,12"), place(SOUTH, -WEST)),
        (xmp("33,51.5N", "151,12"), place(-SOUTH, -WEST, unsigned=True)),
        (xmp("33,51,30", "151,12,0", 'exif:GPSLatitudeRef="S" exif:GPSLongitudeRef="W"'), place(SOUTH, WEST)),
        (xmp("-33.5", "151.25"), place(-33.5, 151.25)),
        (xmp("+33.5", "+151.25"), place(33.5, 151.25)),
        (xmp("33.5", "151.25"), place(33.5, 151.25, unsigned=True)),
    ],
)
def test_xmp_without_letters_is_unsigned(packet: bytes, expected: dict[str, Any]) -> None:
    assert metadata_of(jpeg(xmp=packet)).gps == expected


@pytest.mark.parametrize(
    ("packet", "expected"),
    [
        (xmp("33,51.5S", "151,12W"), place(SOUTH, WEST)),
        (xmp("33,51S", "151,12E"), place(SOUTH, -WEST)),  # rounded to minutes
        (xmp("33,51.5N", "151,12E"), place(-SOUTH, -WEST)),
        (xmp("-33.8583", "-151.2"), place(SOUTH, WEST)),
        # No witness: no letters either, or another place.
        (xmp("33,51.5", "151,12"), place(-SOUTH, -WEST, unsigned=True)),
        (xmp("12,0S", "151,12W"), place(-SOUTH, -WEST, unsigned=True)),
    ],
)
def test_a_second_source_settles_it(packet: bytes, expected: dict[str, Any]) -> None:
    assert metadata_of(jpeg(exif=exif(None, None), xmp=packet)).gps == expected


def test_a_second_exif_block_settles_it() -> None:
    blocks = (segment(0xE1, b"Exif\0\0" + block) for block in (exif(None, None), exif("S", "W")))
    assert metadata_of(jpeg(*blocks)).gps == place(SOUTH, WEST)


def test_a_signed_position_is_left_alone() -> None:
    assert metadata_of(jpeg(exif=exif("N", "E"), xmp=xmp("33,51.5S", "151,12W"))).gps == place(-SOUTH, -WEST)


@pytest.mark.parametrize("altitude", ["100001", "-12001", "4294967295", "1e300", "-999999", "1/0", "nan"])
def test_altitudes_out_of_range_stay_out(altitude: str) -> None:
    told = metadata_of(jpeg(xmp=xmp("33,51.5S", "151,12W", f'exif:GPSAltitude="{altitude}"'))).gps
    assert told == place(SOUTH, WEST)


@pytest.mark.parametrize("value", [(4294967295, 1), (1_000_000, 1), (1, 0)])
@pytest.mark.parametrize("below", [0, 1])
def test_altitudes_of_exif_out_of_range_stay_out(value: tuple[int, int], below: int) -> None:
    block = exif("S", "W", {5: (1, below), 6: (5, value)})
    assert metadata_of(jpeg(exif=block)).gps == place(SOUTH, WEST)


@pytest.mark.parametrize("altitude", [8848.86, -430.5, 0, 39_045])
def test_altitudes_on_earth_and_above(altitude: float) -> None:
    told = metadata_of(jpeg(xmp=xmp("33,51.5S", "151,12W", f'exif:GPSAltitude="{altitude}"'))).gps
    assert told == place(SOUTH, WEST, altitude_m=altitude)


@pytest.mark.parametrize(
    ("latitude", "longitude"),
    [("33,60S", "151,12E"), ("33,51,60S", "151,12E"), ("33,51,4080S", "151,12,9180E"), ("33,75.5S", "1,0E"),
     ("33,51S", "151,99.9E"), ("91,0N", "1,0E"), ("1,0N", "181,0E"), ("90,0.1N", "1,0E")],
)  # fmt: skip
def test_impossible_xmp_coordinates_are_no_position(latitude: str, longitude: str) -> None:
    metadata = metadata_of(jpeg(xmp=xmp(latitude, longitude)))
    assert (metadata.gps, metadata.has_gps) == (None, False)
    assert metadata.warnings == ["GPS: the XMP position is no position"]


@pytest.mark.parametrize(
    ("latitude", "degrees"),
    [
        ("33,59.9999999999N", 34.0),
        ("33,59.99999999999999999N", 34.0),
        ("33,59,59.99999999999999999N", 34.0),
        ("89,59.99999999999999999S", -90.0),
        ("33,059.5N", 33.99166667),
    ],
)
def test_below_60_is_a_position_however_near(latitude: str, degrees: float) -> None:
    metadata = metadata_of(jpeg(xmp=xmp(latitude, "0,0E")))
    assert (metadata.gps, metadata.warnings) == (place(degrees, 0.0), [])


@pytest.mark.parametrize("latitude", [(12, [33.0, 51.0, math.inf]), (12, [-33.0, math.inf, -math.inf])])
def test_exif_parts_without_a_sum_are_no_position(latitude: Value) -> None:
    metadata = metadata_of(jpeg(exif=exif("S", "W", {2: latitude})))
    assert (metadata.gps, metadata.has_gps) == (None, False)
    assert metadata.warnings == ["GPS: the latitude is out of range"]


@pytest.mark.parametrize(
    ("parts", "degrees"),
    [
        ([(33, 1), (51, 1), (60, 1)], 33.86666667),  # of 59.7, rounded
        ([(89, 1), (59, 1), (6000, 100)], 90.0),
        ([(0, 1), (2399999999, 40000000)], 1.0),
        ([(0, 1), (0, 1), (121500, 1)], 33.75),  # all in seconds
    ],
)
def test_exif_parts_of_60_and_more_are_added_up(parts: list[tuple[int, int]], degrees: float) -> None:
    metadata = metadata_of(jpeg(exif=exif("N", "E", {2: (5, parts), 4: (5, [(0, 1)])})))
    assert (metadata.gps, metadata.warnings) == (place(degrees, 0.0), [])


@pytest.mark.parametrize("rating", ["-1", "0", "3", "5"])
def test_ratings(rating: str) -> None:
    assert metadata_of(jpeg(xmp=packet("", f'xmp:Rating="{rating}"'))).rating == int(rating)


@pytest.mark.parametrize("rating", ["-2", "6", "99", "100", "65535", "1e9", "inf", "many"])
def test_ratings_out_of_range_are_dropped(rating: str) -> None:
    assert metadata_of(jpeg(xmp=packet("", f'xmp:Rating="{rating}"'))).rating is None
    if rating.isdigit():
        assert metadata_of(jpeg(exif=tiff({0x4746: (3, min(int(rating), 65535))}))).rating is None
