"""EXIF: every field, and every way in which cameras get it wrong."""

from __future__ import annotations

import struct
from typing import Any

import pytest

from image_metadata.blocks.exif import read_exif
from image_metadata.fields import Description
from tests.support.builders import Value, directory, jpeg, metadata_of, tiff


def read(
    main: dict[int, Value],
    exif: dict[int, Value] | None = None,
    gps: dict[int, Value] | None = None,
    order: str = "<",
) -> Description:
    result = read_exif(tiff(main, exif, gps, order), lambda message: None)
    assert result is not None
    return result


def position(lat: Value, lat_ref: Value | None, lon: Value, lon_ref: Value | None, **more: Value) -> Any:
    gps = {2: lat, 4: lon} | {tag: ref for tag, ref in ((1, lat_ref), (3, lon_ref)) if ref is not None}
    return read({}, None, gps | {int(tag[1:]): value for tag, value in more.items()}).gps


LAT, LON = (5, [(33, 1), (51, 1), (3054, 100)]), (5, [(70, 1), (40, 1), (12, 1)])


@pytest.mark.parametrize("order", ["<", ">"])
def test_camera_exposure_and_texts_in_both_byte_orders(order: str) -> None:
    exif = read(
        {0x010F: (2, "Acme"), 0x0110: (2, "Model 7 "), 0x0112: (3, 8), 0x0131: (2, "fw"), 0x013B: (2, "A. Person"),
         0x8298: (2, b"Photo\0Editor\0"), 0x010E: (2, "A view"), 0x4746: (3, 5)},
        {0x829A: (5, (10, 1250)), 0x829D: (5, (28, 10)), 0x8827: (3, 200), 0x920A: (5, (35, 1)), 0xA405: (3, 52),
         0x9209: (3, 25), 0xA434: (2, "Lens"), 0xA431: (2, "0042"), 0x9003: (2, "2024:05:06 07:08:09")},
        order=order,
    )  # fmt: skip
    assert (exif.make, exif.model, exif.orientation, exif.software) == ("Acme", "Model 7", 8, "fw")
    assert (exif.artist, exif.copyright, exif.description, exif.rating) == (
        "A. Person",
        "Photo; Editor",
        "A view",
        5,
    )
    assert (exif.time_s, exif.f_number, exif.iso, exif.flash) == (0.008, 2.8, 200, True)
    assert (exif.focal_length_mm, exif.focal_length_35mm) == (35, 52)
    assert (exif.lens, exif.serial) == ("Lens", "0042")
    assert exif.taken == ("2024-05-06T07:08:09", None)


def test_strings_end_at_the_first_nul_and_may_be_latin_1() -> None:
    exif = read(
        {
            0x010F: (2, b"Acme\0garbage\0"),
            0x0110: (2, "Zoë".encode("latin-1") + b"\0"),
            0x0131: (2, b"\0\0\0\0"),
        }
    )
    assert (exif.make, exif.model, exif.software) == ("Acme", "Zoë", None)


def test_the_texts_that_windows_writes() -> None:
    exif = read({0x9C9B: (1, "Títle\0".encode("utf-16-le")), 0x9C9E: (1, "one; two;\0".encode("utf-16-le"))})
    assert (exif.title, exif.keywords) == ("Títle", ["one", "two"])


@pytest.mark.parametrize("value", [0, 9, 255])
def test_an_impossible_orientation_is_none(value: int) -> None:
    assert read({0x0112: (3, value)}).orientation is None


@pytest.mark.parametrize("value", [(1, 6), (4, 6), (2, "6"), (3, [6, 0]), (5, (6, 1)), (11, [6.0])])
def test_an_orientation_of_another_type_is_read(value: Value) -> None:
    assert read({0x0112: value}).orientation == 6


@pytest.mark.parametrize(
    "value", [(5, (13, 2)), (11, [6.5]), (11, [float("inf")]), (2, "9" * 400), (2, "six")]
)
def test_an_orientation_that_is_no_whole_number_is_none(value: Value) -> None:
    assert read({0x0112: value}).orientation is None


def test_numbers_are_read_from_whichever_type_they_have() -> None:
    exif = read({}, {0x829A: (2, "1/125"), 0x829D: (2, "2.8"), 0x8827: (5, (400, 1)), 0x9209: (5, (1, 1))})
    assert (exif.time_s, exif.f_number, exif.iso, exif.flash) == (0.008, 2.8, 400, True)
    assert read({}, {0x829A: (2, "9" * 400), 0x829D: (2, "1/0"), 0x920A: (2, "nan")}) == Description()


def test_zero_denominators_and_unset_values_are_absent() -> None:
    unset = {
        0x829A: (5, (1, 0)),
        0x829D: (5, (0, 0)),
        0x920A: (5, (0, 1)),
        0x8827: (3, 0),
        0x9209: (3, 65535),
    }
    assert read({}, unset) == Description()


def test_apex_values_stand_in_for_missing_ones() -> None:
    assert read({}, {0x9201: (10, (7, 1)), 0x9202: (5, (4, 1))}) == Description(time_s=0.0078125, f_number=4)


def test_a_sensitivity_over_65535_stands_in_its_own_tag() -> None:
    assert read({}, {0x8827: (3, 65535), 0x8832: (4, 102400)}).iso == 102400
    assert read({}, {0x8827: (3, 65535)}).iso == 65535


def test_tags_in_the_wrong_directory_are_found() -> None:
    exif = read({0x9003: (2, "2024:05:06 07:08:09"), 0x8827: (3, 100)}, {0x010F: (2, "Acme")})
    assert (exif.make, exif.iso) == ("Acme", 100)
    assert exif.taken is not None


@pytest.mark.parametrize(
    ("unit", "dpi"),
    [((3, 2), (300.0, 300.0)), ((3, 3), (762.0, 762.0)), ((3, 1), None), (None, (300.0, 300.0))],
)
def test_resolution_units(unit: Value | None, dpi: tuple[float, float] | None) -> None:
    main: dict[int, Value] = {0x011A: (5, (300, 1)), 0x011B: (5, (300, 1))}
    assert read(main | ({0x0128: unit} if unit else {})).dpi == dpi


@pytest.mark.parametrize("x", [(0, 1), (300, 0)])
def test_a_resolution_that_is_none(x: tuple[int, int]) -> None:
    assert read({0x011A: (5, x), 0x011B: (5, x)}).dpi is None


@pytest.mark.parametrize(
    ("south", "west"),
    [((2, "S"), (2, "W")), ((2, "South"), (2, "West")), ((2, "s"), (2, "w")),
     ((1, b"S"), (1, b"W")), ((7, b"S\0"), (7, b"W\0"))],
)  # fmt: skip
def test_positions_carry_the_sign_of_their_reference(south: Value, west: Value) -> None:
    assert position(LAT, south, LON, west) == {"latitude": -33.85848333, "longitude": -70.67}


def test_a_missing_reference_is_said() -> None:
    warnings: list[str] = []
    exif = read_exif(tiff({}, None, {2: LAT, 4: LON}), warnings.append)
    assert exif is not None
    assert exif.gps == {"latitude": 33.85848333, "longitude": 70.67, "unsigned": True}
    assert len(warnings) == 2
    assert "no reference" in warnings[0]


def test_a_signed_value_keeps_its_sign() -> None:
    assert position((10, (-335, 10)), (2, "N"), (10, (-706, 10)), (2, "E")) == {
        "latitude": -33.5,
        "longitude": -70.6,
    }
    assert position((10, (-335, 10)), (2, "S"), LON, (2, "E"))["latitude"] == -33.5


@pytest.mark.parametrize(
    ("latitude", "degrees"),
    [
        ((5, [(335, 10)]), 33.5),
        ((5, [(33, 1), (30, 1)]), 33.5),
        ((5, [(33, 1), (30, 1), (0, 0)]), 33.5),
        ((12, [33.0, 30.0, 0.0]), 33.5),
        ((2, "33,30.0N"), 33.5),
        ((5, [(0, 1), (0, 1), (0, 1)]), 0.0),
        ((2, "-33.5"), -33.5),
        ((2, "+33.5"), 33.5),
    ],
)
def test_positions_in_other_shapes(latitude: Value, degrees: float) -> None:
    written_with_its_sign = isinstance(latitude[1], str) and latitude[1][0] in "+-"
    ref = None if written_with_its_sign else (2, "N")
    found = position(latitude, ref, LON, (2, "E"))
    assert found["latitude"] == degrees and "unsigned" not in found


def test_zero_has_no_sign() -> None:
    zero: Value = (5, [(0, 1), (0, 1), (0, 1)])
    found = position(zero, (2, "S"), zero, (2, "W"), t5=(1, 1), t6=(5, (0, 1)))
    assert str(found) == "{'latitude': 0.0, 'longitude': 0.0, 'altitude_m': 0.0}"


@pytest.mark.parametrize(
    "latitude",
    [(5, [(0, 0), (0, 0), (0, 0)]), (5, [(33, 0), (1, 1), (1, 1)]), (5, [(33, 1), (51, 0), (1, 1)]), (5, [(91, 1)]),
     (5, [(90, 1), (0, 1), (1, 1)]), (2, "nowhere"), (12, [float("nan")]), (7, b"")],
)  # fmt: skip
def test_positions_that_are_none(latitude: Value) -> None:
    assert position(latitude, (2, "N"), LON, (2, "E")) is None


@pytest.mark.parametrize("ref", ["1", "", "+"])
def test_an_empty_coordinate_is_none_whatever_its_reference(ref: str) -> None:
    assert position((2, ""), (2, ref), LON, (2, "E")) is None


def test_half_a_position_is_none() -> None:
    assert read({}, None, {1: (2, "N"), 2: LAT}).gps is None


@pytest.mark.parametrize(
    ("ref", "altitude"),
    [((1, 0), 12.5), ((1, 1), -12.5), ((2, "1"), -12.5), ((7, b"\1"), -12.5), (None, 12.5)],
)
def test_altitude_below_the_sea(ref: Value | None, altitude: float) -> None:
    more = {"t6": (5, (25, 2))} | ({"t5": ref} if ref else {})
    assert position(LAT, (2, "N"), LON, (2, "E"), **more)["altitude_m"] == altitude


def test_an_altitude_below_the_sea_may_have_its_sign_too() -> None:
    assert position(LAT, (2, "N"), LON, (2, "E"), t5=(1, 1), t6=(10, (-10, 1)))["altitude_m"] == -10


def test_an_altitude_over_zero_is_absent() -> None:
    assert "altitude_m" not in position(LAT, (2, "N"), LON, (2, "E"), t6=(5, (1, 0)))


def test_directories_that_point_at_themselves_end() -> None:
    block = bytearray(tiff({0x8769: (4, 8), 0x8825: (4, 8), 0x010F: (2, "Acme")}))
    assert read_exif(bytes(block), lambda message: None).make == "Acme"  # type: ignore[union-attr]


def test_a_directory_outside_the_block_costs_itself() -> None:
    warnings: list[str] = []
    exif = read_exif(tiff({0x010F: (2, "Acme"), 0x8769: (4, 99999)}), warnings.append)
    assert exif is not None
    assert exif.make == "Acme"
    assert warnings == ["EXIF: a directory lies outside the block"]


def test_a_directory_that_is_cut_off_gives_the_entries_there() -> None:
    block = b"II*\0\x08\0\0\0" + directory({0x010F: (2, "Ac"), 0x0112: (3, 3)}, 8)
    warnings: list[str] = []
    exif = read_exif(block[: 8 + 2 + 24], warnings.append)
    assert exif is not None
    assert (exif.make, exif.orientation) == ("Ac", 3)
    exif = read_exif(block[: 8 + 2 + 20], warnings.append)
    assert exif is not None
    assert (exif.make, exif.orientation) == ("Ac", None)
    assert warnings == ["EXIF: a directory is cut off"]


def test_a_huge_count_reads_no_more_than_is_there() -> None:
    block = b"II*\0\x08\0\0\0" + struct.pack("<H", 2) + struct.pack("<HHII", 0x010F, 2, 0xFFFFFFFF, 38)
    block += struct.pack("<HHII", 0x0112, 3, 1, 5) + bytes(4) + b"Acme\0"
    exif = read_exif(block, lambda message: None)
    assert exif is not None
    assert (exif.make, exif.orientation) == ("Acme", 5)


def test_what_is_no_exif_costs_the_exif_alone() -> None:
    metadata = metadata_of(jpeg(exif=b"nonsense, all of it"))
    assert (metadata.status, metadata.width) == ("ok", 48)
    assert metadata.warnings == ["EXIF: no TIFF header but b'nons'"]
