"""GIF and WebP: frames, times, loops, transparency, the blocks at the end."""

from __future__ import annotations

import struct

import pytest

from image_metadata import ImageMetadata, RangeReader, extract, limits
from tests.support.builders import (
    VP8,
    desc,
    frame,
    gif,
    looping,
    metadata_of,
    packet,
    profile,
    riff,
    tiff,
    vp8x,
)

EXIF = tiff({0x010F: (2, "Acme"), 0x0112: (3, 6)})


# --- GIF ---------------------------------------------------------------------------------------------------


def test_a_still_gif() -> None:
    metadata = metadata_of(gif(frame()))
    assert (metadata.width, metadata.height, metadata.color_mode, metadata.bit_depth) == (48, 32, "P", 1)
    assert (metadata.frames, metadata.animated, metadata.has_alpha, metadata.loop) == (1, False, False, None)
    assert metadata.content_type == "image/gif"


def test_frames_duration_and_loop() -> None:
    metadata = metadata_of(gif(looping(0), frame(10), frame(25, transparent=True), frame(0)))
    assert (metadata.frames, metadata.animated, metadata.duration_ms, metadata.loop) == (3, True, 350, 0)
    assert metadata.has_alpha is True
    assert metadata_of(gif(looping(7), frame(), frame())).loop == 7
    assert metadata_of(gif(frame(), frame())).loop == 1


def test_comments_and_xmp() -> None:
    xmp = packet("<dc:title>T</dc:title>")
    application = b"\x21\xff\x0bXMP DataXMP" + xmp + b"\1" + bytes(range(255, -1, -1)) + b"\0"
    metadata = metadata_of(gif(b"\x21\xfe\5hello\6 world\0", application, frame()))
    assert (metadata.description, metadata.title, metadata.warnings) == ("hello world", "T", [])


def test_a_local_palette_tells_the_depth_where_there_is_no_global_one() -> None:
    local = b"," + struct.pack("<HHHHB", 0, 0, 48, 32, 0x87) + bytes(768) + b"\2\1\0\0"
    assert metadata_of(gif(local, packed=0)).bit_depth == 8


def test_image_data_of_many_blocks_is_passed_over() -> None:
    data = b"\x08" + (b"\xff" + b"," * 255) * 400 + b"\0"
    metadata = metadata_of(gif(frame(data=data), frame(data=data)))
    assert (metadata.frames, metadata.warnings) == (2, [])


def test_a_cut_off_gif_counts_what_is_there() -> None:
    metadata = metadata_of(gif(frame(), frame(), frame())[:-3])
    assert (metadata.status, metadata.frames, metadata.warnings) == ("ok", 3, ["GIF: the file is cut off"])


def test_damaged_blocks_end_the_walk() -> None:
    metadata = metadata_of(gif(frame(), b"\x99\x99\x99"))
    assert (metadata.frames, metadata.warnings) == (1, ["GIF: the blocks are damaged"])


@pytest.mark.parametrize("data", [b"GIF89a", b"GIF87a\x30\0", gif(frame(), width=0)])
def test_gifs_without_a_size(data: bytes) -> None:
    metadata = metadata_of(data)
    assert (metadata.status, metadata.format) == ("corrupt", "GIF")


def test_a_gif_over_the_budget_has_no_frame_count() -> None:
    data = gif(looping(7), *[frame(data=b"\x08" + (b"\xff" + bytes(255)) * 1000 + b"\0")] * 40)
    reader = RangeReader(lambda start, end: data[start:end], len(data))
    metadata = extract(reader)
    assert (metadata.status, metadata.width, metadata.frames, metadata.animated) == ("ok", 48, None, True)
    assert "not counted" in metadata.warnings[0]
    assert metadata.loop == 7  # stated before the first frame


@pytest.mark.parametrize(
    ("limit", "data"),
    [
        ("MAX_GIF_BLOCKS", gif(*[frame()] * 20)),
        ("MAX_CHUNKS", riff(vp8x(0x02), *[(b"ANMF", bytes(16))] * 20)),
    ],
)
def test_frames_of_more_blocks_than_are_read_are_not_counted(
    monkeypatch: pytest.MonkeyPatch, limit: str, data: bytes
) -> None:
    assert metadata_of(data).frames == 20
    monkeypatch.setattr(limits, limit, 15)
    metadata = metadata_of(data)
    assert (metadata.status, metadata.width, metadata.frames, metadata.duration_ms) == ("ok", 48, None, None)
    assert metadata.animated is True
    assert ["than are read" in warning for warning in metadata.warnings] == [True]


@pytest.mark.parametrize(("frames", "counted"), [(40, 40), (200, None)])
def test_a_large_gif_costs_two_requests(frames: int, counted: int | None) -> None:
    data = gif(*[frame(data=b"\2" + (b"\xff" + bytes(255)) * 100 + b"\0")] * frames)
    reader = RangeReader(lambda start, end: data[start:end], len(data))
    assert extract(reader).frames == counted
    assert reader.requests == 2
    assert reader.bytes_fetched <= limits.MAX_COUNTED + 65_536


@pytest.mark.parametrize("budget", [{"max_bytes": 200_000}, {"max_requests": 1}])
def test_what_is_read_of_a_gif_within_a_small_budget_is_told(budget: dict[str, int]) -> None:
    data = gif(looping(3), *[frame(data=b"\2" + (b"\xff" + bytes(255)) * 100 + b"\0")] * 40)
    metadata = extract(RangeReader(lambda start, end: data[start:end], len(data), **budget))
    assert (metadata.frames, metadata.animated, metadata.loop) == (None, True, 3)
    assert metadata.warnings


# --- WebP ---------------------------------------------------------------------------------------------------


def vp8l(alpha: bool) -> tuple[bytes, bytes]:
    return b"VP8L", b"\x2f" + struct.pack("<I", 47 | 31 << 14 | int(alpha) << 28) + bytes(9)


def test_lossy_and_lossless() -> None:
    lossy, lossless, see_through = (
        metadata_of(riff(VP8)),
        metadata_of(riff(vp8l(False))),
        metadata_of(riff(vp8l(True))),
    )
    assert [(m.width, m.height, m.bit_depth) for m in (lossy, lossless, see_through)] == [(48, 32, 8)] * 3
    assert [(m.color_mode, m.has_alpha) for m in (lossy, lossless, see_through)] == [
        ("RGB", False),
        ("RGB", False),
        ("RGBA", True),
    ]
    assert lossy.content_type == "image/webp"


@pytest.mark.parametrize("flag", [0, 0x10])
@pytest.mark.parametrize("alpha", [False, True])
def test_alpha_is_that_of_the_picture_whatever_the_extended_header_says(flag: int, alpha: bool) -> None:
    lossless = metadata_of(riff(vp8x(flag), vp8l(alpha)))
    assert (lossless.has_alpha, lossless.color_mode) == (alpha, "RGBA" if alpha else "RGB")
    assert metadata_of(riff(vp8x(flag), (b"ALPH", b"x"), VP8)).has_alpha
    assert metadata_of(riff(vp8x(flag), VP8)).has_alpha is bool(flag)
    assert metadata_of(riff(vp8x(flag), (b"VP8L", bytes(5)))).has_alpha is bool(flag)  # damaged


def test_blocks_behind_the_image() -> None:
    metadata = metadata_of(
        riff(vp8x(0x3C), (b"ICCP", profile(desc("P3"))), (b"ALPH", b"x"), VP8, (b"EXIF", b"Exif\0\0" + EXIF),
             (b"XMP ", packet("<xmp:Rating>3</xmp:Rating>")))
    )  # fmt: skip
    assert (metadata.has_alpha, metadata.color_profile, metadata.rating) == (True, "P3", 3)
    assert (metadata.camera, metadata.orientation, metadata.warnings) == ({"make": "Acme"}, 6, [])


def test_blocks_that_the_header_does_not_announce() -> None:
    assert metadata_of(riff(vp8x(0), VP8, (b"EXIF", EXIF))).orientation == 6
    assert metadata_of(riff(VP8, (b"EXIF", EXIF))).orientation == 6


def anmf(delay: int) -> tuple[bytes, bytes]:
    return b"ANMF", bytes(6) + (47).to_bytes(3, "little") + (31).to_bytes(3, "little") + delay.to_bytes(
        3, "little"
    ) + bytes(20)


def test_an_animation() -> None:
    metadata = metadata_of(riff(vp8x(0x02), (b"ANIM", bytes(4) + b"\x05\0"), anmf(100), anmf(50), anmf(25)))
    assert (metadata.frames, metadata.animated, metadata.duration_ms, metadata.loop) == (3, True, 175, 5)


def test_one_frame_is_no_animation() -> None:
    metadata = metadata_of(riff(vp8x(0x02), (b"ANIM", bytes(6)), anmf(100)))
    assert (metadata.frames, metadata.animated, metadata.loop) == (1, False, None)


def test_a_damaged_frame_costs_itself() -> None:
    metadata = metadata_of(riff(vp8x(0x0A), anmf(10), (b"ANMF", b""), anmf(20), (b"EXIF", EXIF)))
    assert (metadata.frames, metadata.duration_ms, metadata.orientation) == (2, 30, 6)
    assert metadata.warnings == ["WebP: a frame is cut off"]


def test_the_canvas_size_is_the_size() -> None:
    metadata = metadata_of(riff(vp8x(0, 5000, 4000), VP8))
    assert (metadata.width, metadata.height) == (5000, 4000)


def test_a_wrong_riff_length_costs_nothing() -> None:
    data = bytearray(riff(vp8x(0x08), VP8, (b"EXIF", EXIF)))
    data[4:8] = b"\x10\0\0\0"
    assert metadata_of(bytes(data)).orientation == 6


@pytest.mark.parametrize(
    "data",
    [
        b"RIFF\0\0\0\0WEBP",
        riff((b"VP8 ", bytes(10))),
        riff((b"VP8L", bytes(5))),
        riff((b"VP8X", b"\0")),
        riff((b"EXIF", EXIF)),
    ],
)
def test_webps_without_a_size(data: bytes) -> None:
    metadata = metadata_of(data)
    assert (metadata.status, metadata.format, metadata.content_type) == ("corrupt", "WEBP", "image/webp")


def test_a_large_webp_costs_two_requests() -> None:
    data = riff(vp8x(0x08), (b"VP8 ", VP8[1] + bytes(3_000_000)), (b"EXIF", EXIF))
    reader = RangeReader(lambda start, end: data[start:end], len(data))
    assert extract(reader).orientation == 6
    assert (reader.requests, reader.bytes_fetched < 70_000) == (2, True)


def test_a_cut_off_webp_is_told_with_a_warning() -> None:
    metadata = metadata_of(riff(vp8x(0x08), VP8, (b"EXIF", EXIF))[:-30])
    assert metadata.status == "ok"
    assert metadata.warnings


# --- a WebP of more frames than are walked -------------------------------------------------------------------

FRAME = (b"ANMF", bytes(12) + (40).to_bytes(3, "little") + bytes(100_000))
BEHIND = [(b"EXIF", EXIF), (b"XMP ", packet("<xmp:Rating>3</xmp:Rating>"))]


def budgeted(data: bytes) -> tuple[ImageMetadata, RangeReader]:
    reader = RangeReader(lambda start, end: data[start:end], len(data), max_bytes=3_000_000)
    return extract(reader), reader


@pytest.mark.parametrize("behind", [BEHIND, BEHIND[::-1], [(b"EXIF", b"Exif\0\0" + EXIF), BEHIND[1]],
                                    [*BEHIND, (b"note", b"odd")]])  # fmt: skip
@pytest.mark.parametrize("cut", [0, 1])  # without the byte that makes the last length even
def test_what_stands_behind_many_frames_is_read(behind: list[tuple[bytes, bytes]], cut: int) -> None:
    data = riff(vp8x(0x0E), (b"ANIM", bytes(6)), *[FRAME] * 70, *behind)
    odd = len(behind[-1][1]) % 2
    metadata, _ = budgeted(data[: len(data) - (cut and odd)])
    assert (metadata.camera, metadata.orientation, metadata.rating) == ({"make": "Acme"}, 6, 3)
    assert (metadata.status, metadata.frames, metadata.duration_ms) == ("ok", None, None)
    assert ["counted" in warning for warning in metadata.warnings] == [True]


def test_what_is_reached_both_ways_is_taken_once() -> None:
    frames = [(b"ANMF", FRAME[1][:5_000])] * 30
    metadata, _ = budgeted(riff(vp8x(0x0E), *frames, *BEHIND))
    assert (metadata.frames, metadata.duration_ms, metadata.rating) == (30, 1200, 3)
    assert (metadata.camera, metadata.warnings) == ({"make": "Acme"}, [])


@pytest.mark.parametrize(
    "tail",
    [
        b"",
        b"EXIF",
        b"EXIF\xff\xff\xff\xff",
        b"EXIF\0\0\0\0XMP \x05\0\0\0",
        b"EXIF\0\0\0\0" * 100,
        b"XMP \1\0\0\0",
    ],
)
def test_an_end_that_is_no_chain_of_chunks_is_left(tail: bytes) -> None:
    metadata, _ = budgeted(riff(vp8x(0x0E), *[FRAME] * 70) + tail)
    assert (metadata.status, metadata.camera, metadata.rating) == ("ok", None, None)


def test_several_exif_chunks_fill_each_others_gaps() -> None:
    metadata = metadata_of(riff(vp8x(0x08), VP8, (b"EXIF", tiff({0x0131: (2, "Tool")})), (b"EXIF", EXIF)))
    assert (metadata.software, metadata.camera, metadata.orientation) == ("Tool", {"make": "Acme"}, 6)
