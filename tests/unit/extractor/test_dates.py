"""Dates in every form that cameras and editors write."""

from __future__ import annotations

import pytest

from image_metadata.blocks.dates import exif_moment, parse, parse_offset
from image_metadata.blocks.text import loose_date


@pytest.mark.parametrize(
    ("text", "local", "offset"),
    [
        ("2024:05:06 07:08:09", "2024-05-06T07:08:09", None),
        ("2024:02:29 23:59:59", "2024-02-29T23:59:59", None),
        ("2024:05:06 07:08:09.125", "2024-05-06T07:08:09.125", None),
        ("2024:05:06 07:08:09+02:00", "2024-05-06T07:08:09", "+02:00"),
        ("2024-05-06T07:08:09.5Z", "2024-05-06T07:08:09.5", "+00:00"),
        ("2024-05-06T07:08:09-0330", "2024-05-06T07:08:09", "-03:30"),
        ("2024-05-06T07:08+01:00", "2024-05-06T07:08", "+01:00"),
        ("2024-05-06T07:08", "2024-05-06T07:08", None),
        ("2024-05-06", "2024-05-06", None),
        ("2024-05", "2024-05", None),
        ("2024", "2024", None),
        ("20240506", "2024-05-06", None),
        ("2024/05/06 07:08:09", "2024-05-06T07:08:09", None),
        ("2024:05:06", "2024-05-06", None),
        ("2024:05:  :  :  :  ", "2024-05", None),
        ("2024:05:06   :  :  ", "2024-05-06", None),
        ("2016:12:31 23:59:60", "2016-12-31T23:59:60", None),
        (" 2024:05:06 07:08:09 ", "2024-05-06T07:08:09", None),
    ],
)
def test_dates_are_told_as_far_as_they_are_stated(text: str, local: str, offset: str | None) -> None:
    moment = parse(text)
    assert moment is not None
    assert (moment.local, moment.offset) == (local, offset)


@pytest.mark.parametrize(
    "text",
    ["0000:00:00 00:00:00", "    :  :     :  :  ", "", None, "yesterday", "2024:13:01 00:00:00", "2024:02:30 10:00:00",
     "2023:02:29 10:00:00", "2024:00:06 00:00:00", "2024:05:00 00:00:00", "0000-05-06", "12", "99999999999"],
)  # fmt: skip
def test_zero_and_impossible_dates_are_no_dates(text: str | None) -> None:
    assert parse(text) is None


@pytest.mark.parametrize("clock", ["25:00:00", "24:00:00", "10:61:00"])
def test_an_impossible_clock_costs_the_clock_alone(clock: str) -> None:
    moment = parse(f"2024:05:06 {clock}")
    assert moment is not None
    assert moment.local == "2024-05-06"


def test_fraction_and_offset_come_from_their_own_tags() -> None:
    assert exif_moment("2024:05:06 07:08:09", "045 ", "+05:45") == ("2024-05-06T07:08:09.045", "+05:45")
    assert exif_moment("2024:05:06 07:08:09", "  ", "   :  ") == ("2024-05-06T07:08:09", None)
    assert exif_moment("2024:05", "12", None) == ("2024-05", None)
    assert exif_moment("0000:00:00 00:00:00", "12", "+01:00") is None


@pytest.mark.parametrize(
    ("text", "offset"),
    [("+02:00", "+02:00"), ("-0800", "-08:00"), ("+5:30", "+05:30"), ("Z", "+00:00"), ("+14:00", "+14:00")]
    + [(text, None) for text in ("", None, "02:00", "+99:00", "+02:75", "CEST")],
)
def test_offsets(text: str | None, offset: str | None) -> None:
    assert parse_offset(text) == offset


@pytest.mark.parametrize(
    ("text", "local", "offset"),
    [
        ("Tue, 14 May 2024 10:11:12 +0200", "2024-05-14T10:11:12", "+02:00"),
        ("14 May 2024 10:11:12 -0730", "2024-05-14T10:11:12", "-07:30"),
        ("Tue, 14 May 2024 10:11:12", "2024-05-14T10:11:12", None),
        ("2024-05-14T10:11:12Z", "2024-05-14T10:11:12", "+00:00"),
    ],
)
def test_dates_in_png_text(text: str, local: str, offset: str | None) -> None:
    assert loose_date(text) == (local, offset)


@pytest.mark.parametrize("text", [None, "", "soon", "Tue, 99 Foo 2024", "\x00\x01", "1" * 500])
def test_text_that_is_no_date(text: str | None) -> None:
    assert loose_date(text) is None
