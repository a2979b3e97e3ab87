"""Raw files: the kind by content, the raw image's size and never a preview's, camera, lens, date and position."""

from __future__ import annotations

import struct
from collections.abc import Callable
from typing import Any

import pytest

from image_metadata import RangeReader, extract, limits
from tests.support import raws
from tests.support.builders import desc, directory, jpeg, metadata_of, packet, profile, tiff
from tests.support.raws import camera, made_by, raster, sensor, stream

#: Media type, width, height and depth of a file of each kind.
FILES: dict[str, tuple[str, int, int, int | None]] = {
    "DNG": ("image/x-adobe-dng", 8064, 6048, 14),
    "GPR": ("image/x-gopro-gpr", 4000, 3000, 14),
    "NEF": ("image/x-nikon-nef", 6032, 4032, 14),
    "NRW": ("image/x-nikon-nrw", 6032, 4032, 12),
    "ARW": ("image/x-sony-arw", 6032, 4032, 14),
    "SR2": ("image/x-sony-sr2", 6032, 4032, 14),
    "SRF": ("image/x-sony-srf", 3264, 2448, None),
    "PEF": ("image/x-pentax-pef", 4992, 3284, 14),
    "SRW": ("image/x-samsung-srw", 6032, 4032, 12),
    "3FR": ("image/x-hasselblad-3fr", 6032, 4032, 14),
    "FFF": ("image/x-hasselblad-fff", 6032, 4032, 14),
    "KDC": ("image/x-kodak-kdc", 3264, 2448, None),
    "DCR": ("image/x-kodak-dcr", 6032, 4032, 12),
    "ERF": ("image/x-epson-erf", 6032, 4032, 14),
    "MEF": ("image/x-mamiya-mef", 6032, 4032, 14),
    "MOS": ("image/x-leaf-mos", 6032, 4032, 16),
    "ORF": ("image/x-olympus-orf", 4640, 3472, 16),
    "IIQ": ("image/x-phaseone-iiq", 7320, 5484, None),
    "CR2": ("image/x-canon-cr2", 5616, 3744, 14),
    "CR3": ("image/x-canon-cr3", 6000, 4000, 14),
    "CRW": ("image/x-canon-crw", 3072, 2048, None),
    "RAF": ("image/x-fuji-raf", 4896, 3264, 14),
    "RW2": ("image/x-panasonic-rw2", 3648, 2736, 12),
    "RAW": ("image/x-panasonic-rw", 2700, 2000, None),
    "RWL": ("image/x-leica-rwl", 3648, 2736, 12),
    "MRW": ("image/x-minolta-mrw", 3264, 2448, 12),
    "X3F": ("image/x-sigma-x3f", 2268, 1512, None),
}
#: Kinds whose files here have no lens and no position.
_PLAIN = {"IIQ", "CRW", "X3F"}


@pytest.mark.parametrize("kind", FILES)
def test_each_kind(kind: str) -> None:
    media_type, width, height, depth = FILES[kind]
    told = metadata_of(raws.SAMPLES[kind])
    assert (told.status, told.error, told.format, told.content_type) == ("ok", None, kind, media_type)
    assert (told.width, told.height, told.bit_depth, told.frames) == (width, height, depth, 1)
    assert told.taken_at == "2024-05-06T07:08:09"
    assert told.camera and told.camera["make"] and told.camera["model"]
    if kind not in _PLAIN:
        assert told.camera["lens"] == "35mm F2"
        assert told.gps == {"latitude": -33.5, "longitude": 151.0}


@pytest.mark.parametrize("kind", FILES)
def test_cut_anywhere_no_preview_is_told_as_the_image(kind: str) -> None:
    data, (_, width, height, _) = raws.SAMPLES[kind], FILES[kind]
    for length in range(len(data)):
        told = metadata_of(data[:length])
        assert told.status in ("ok", "corrupt", "unsupported"), length
        if told.status == "ok":
            # Where the directory of the shown part is cut off, the sensor's size stands in.
            assert told.width and told.height and told.width >= width and told.height >= height, length
            assert told.content_type and told.content_type.startswith("image/x-"), length
        else:
            assert told.error, length


@pytest.mark.parametrize("edge", [0, 1, 0x7FFFFFFF, 0xFFFFFFFF])
@pytest.mark.parametrize("kind", FILES)
def test_damaged_counts_and_places_end_soon(kind: str, edge: int) -> None:
    data = raws.SAMPLES[kind]
    for at in range(0, min(len(data), 1200) - 4, 2):
        damaged = data[:at] + struct.pack("<I", edge) + data[at + 4 :]
        reader = RangeReader(lambda start, end, d=damaged: d[start:end], len(damaged), first_block=512)
        told = extract(reader)
        assert told.status in ("ok", "corrupt", "unsupported", "too_large")
        assert reader.requests <= limits.MAX_REQUESTS and reader.bytes_fetched <= limits.MAX_BYTES


# --- which raster is the image -------------------------------------------------------------------------------


@pytest.mark.parametrize("use", [None, 0, 1, 2])
@pytest.mark.parametrize("below", [True, False])
def test_a_preview_first_is_passed_over_whatever_it_says_of_itself(use: int | None, below: bool) -> None:
    main = raster(8000, 6000, use) | camera("NIKON CORPORATION")
    others = [raster(1620, 1080, 1), sensor(6032, 4032, compression=34713)]
    data = stream(main, below=others) if below else stream(main, chain=others)
    told = metadata_of(data)
    assert (told.format, told.width, told.height, told.bit_depth, told.frames) == ("NEF", 6032, 4032, 14, 1)


@pytest.mark.parametrize("others", [[sensor(6000, 4000), sensor(1500, 1000, 1)],
                                    [sensor(1500, 1000, 1), sensor(6000, 4000)],
                                    [sensor(7000, 5000, 1), sensor(6000, 4000)],
                                    [sensor(3000, 2000), sensor(6000, 4000)],
                                    [sensor(6000, 4000), raster(6000, 4000, 8, 16, 1, 51177),
                                     raster(7000, 4000, 4)]])  # fmt: skip
def test_the_largest_full_raster_of_the_sensor_counts(others: list[raws.Tags]) -> None:
    told = metadata_of(stream(raster(256, 171, 1) | {0xC612: (1, [1, 4, 0, 0])}, others))
    assert (told.status, told.width, told.height, told.frames) == ("ok", 6000, 4000, 1)


def test_a_linear_raw_image_counts() -> None:
    linear = raster(4032, 3024, 0, 12, 3, 34892, 7)
    told = metadata_of(stream(raster(640, 480, 0) | {0xC612: (1, [1, 4, 0, 0])}, [linear]))
    assert (told.width, told.height, told.bit_depth, told.color_mode) == (4032, 3024, 12, "RGB")


@pytest.mark.parametrize("use", [0, 1])
def test_a_preview_whose_raw_image_is_out_of_reach_is_not_told(use: int) -> None:
    whole = stream(
        raster(160, 120, use) | camera("NIKON CORPORATION"), [sensor(6032, 4032, compression=34713)]
    )
    told = metadata_of(whole[: whole.rindex(struct.pack("<HHI", 0x0100, 4, 1)) - 20])
    assert (told.status, told.format, told.width) == ("corrupt", "NEF", None)
    assert told.camera and told.camera["make"] == "NIKON CORPORATION"


def test_a_scan_as_nef() -> None:
    told = metadata_of(stream(raster(160, 120, 1) | camera("Nikon", "LS-50"), [raster(4000, 5600, 0, 16)]))
    assert (told.format, told.width, told.height, told.bit_depth) == ("NEF", 4000, 5600, 16)


@pytest.mark.parametrize(
    "make", ["NIKON CORPORATION", "SONY", "PENTAX", "SAMSUNG", "Hasselblad", "Kodak", "Canon"]
)
def test_a_camera_maker_alone_makes_no_raw_file(make: str) -> None:
    told = metadata_of(stream(raster(6000, 4000, 0) | camera(make)))
    assert (told.format, told.content_type, told.width) == ("TIFF", "image/tiff", 6000)


def test_a_sensor_of_an_unknown_maker_is_a_tiff_of_its_raster() -> None:
    told = metadata_of(stream(raster(160, 120, 1) | camera("Acme"), [sensor(6000, 4000)]))
    assert (told.format, told.content_type, told.width, told.height) == ("TIFF", "image/tiff", 6000, 4000)


def test_big_endian() -> None:
    told = metadata_of(
        stream(raster(160, 120, 1) | camera("NIKON CORPORATION"), [sensor(6032, 4032)], order=">")
    )
    assert (told.format, told.width, told.height) == ("NEF", 6032, 4032)


def test_sub_directories_without_end() -> None:
    below = [raster(10 + n, 10, 1) for n in range(limits.MAX_SUB_IFDS + 4)]
    told = metadata_of(
        stream(raster(160, 120, 1) | {0xC612: (1, [1, 4, 0, 0])}, [*below, sensor(6000, 4000)])
    )
    assert (told.status, told.format) == ("corrupt", "DNG")
    assert any("sub-directories" in warning for warning in told.warnings)


@pytest.mark.parametrize(
    ("make", "kind"),
    [("NIKON CORPORATION", "NEF"), ("SONY", "ARW"), ("PENTAX", "PEF"), ("RICOH IMAGING COMPANY, LTD.", "PEF"),
     ("SAMSUNG", "SRW"), ("Hasselblad", "3FR"), ("Kodak", "DCR"), ("EASTMAN KODAK COMPANY", "KDC"),
     ("SEIKO EPSON CORP.", "ERF"), ("Phase One A/S", "IIQ"), ("Leaf", "MOS"), ("Mamiya-OP Co.,Ltd.", "MEF")],
)  # fmt: skip
@pytest.mark.parametrize("compression", [1, 7, 34713])
def test_the_maker_counts_before_the_compression(make: str, kind: str, compression: int) -> None:
    assert metadata_of(made_by(make, compression=compression)).format == kind


@pytest.mark.parametrize(
    ("compression", "kind"), [(34713, "NEF"), (32767, "ARW"), (32770, "SRW"), (65535, "PEF"), (65000, "KDC")]
)
def test_a_compression_of_one_maker_names_the_kind_of_a_file_without_one(compression: int, kind: str) -> None:
    assert metadata_of(stream(raster(160, 120, 1), [sensor(60, 40, compression=compression)])).format == kind


def test_a_pentax_by_another_name() -> None:
    assert metadata_of(made_by("SAMSUNG TECHWIN CO.,LTD", "GX-1S", compression=65535)).format == "PEF"


@pytest.mark.parametrize(("tags", "kind"), [({}, "GPR"), ({0xC68B: (2, "GOPR0001.GPR")}, "DNG")])
def test_gopro_s_own_and_what_a_converter_made_of_it(tags: raws.Tags, kind: str) -> None:
    assert dng(camera("GoPro") | tags).format == kind


# --- what each kind says in its own way ----------------------------------------------------------------------


def dng(tags: raws.Tags, raw: raws.Tags | None = None) -> Any:
    return metadata_of(
        stream(raster(256, 171, 1) | {0xC612: (1, [1, 4, 0, 0])} | tags, [sensor(3516, 2328) | (raw or {})])
    )


@pytest.mark.parametrize("size", [(4, [3456, 2304]), (3, [3456, 2304]), (5, [(3456, 1), (6912, 3)])])
def test_dng_shows_its_default_crop(size: raws.Value) -> None:
    told = dng({0x0112: (3, 6)}, {0xC620: size})
    assert (told.width, told.height, told.display_width, told.display_height) == (3516, 2328, 2304, 3456)


@pytest.mark.parametrize("size", [(4, [9999, 2304]), (4, [0, 0]), (5, [(1, 0), (1, 0)]), (4, [5]), (2, "x")])
def test_dng_with_an_impossible_crop_shows_all(size: raws.Value) -> None:
    told = dng({}, {0xC620: size})
    assert (told.display_width, told.display_height) == (3516, 2328)


def test_dng_names_its_camera_where_exif_does_not() -> None:
    assert dng({0xC614: (2, "Acme 7"), 0xC62F: (2, "42")}).camera == {"model": "Acme 7", "serial": "42"}


def test_cr2_without_exif_takes_the_raw_image_s_own_header() -> None:
    data = raws.cr2()
    told = metadata_of(data.replace(struct.pack("<HH", 0xA002, 4), struct.pack("<HH", 0xA012, 4)))
    assert (told.width, told.height, told.bit_depth) == (5792, 3804, 14)


def test_cr2_whose_raw_image_is_cut_off_tells_size_but_no_depth() -> None:
    data = raws.cr2()
    told = metadata_of(data[: data.rindex(b"\xff\xd8")])
    assert (told.status, told.width, told.height, told.bit_depth) == ("ok", 5616, 3744, None)
    assert any("depth" in warning for warning in told.warnings)


def test_cr2_whose_raw_directory_states_size_and_depth() -> None:
    chain = [raster(160, 120), raster(384, 256), raster(5792, 3804, None, 14, 1, 32803, 6)]
    told = metadata_of(
        stream(
            raster(1936, 1288), chain=chain, head=b"CR\2\0" + bytes(4), exif={0xA002: (4, 9), 0xA003: (4, 9)}
        )
    )
    assert (told.format, told.width, told.height, told.bit_depth, told.frames) == ("CR2", 5792, 3804, 14, 1)


def test_cr2_of_older_cameras_names_its_lens_in_the_maker_note() -> None:
    lens: raws.Tags = {0x0095: (2, "EF24-105mm f/4L IS USM")}
    blank = b"\xaa" * len(directory(lens, 0))
    exif: raws.Tags = {0x927C: (7, blank), 0xA002: (4, 5616), 0xA003: (4, 3744)}
    data = stream(raster(1936, 1288), exif=exif, head=b"CR\2\0" + bytes(4))
    told = metadata_of(data.replace(blank, directory(lens, data.index(blank))))
    assert (told.width, told.camera) == (5616, {"lens": "EF24-105mm f/4L IS USM"})


def test_iiq_of_either_byte_order_names_its_lens() -> None:
    for order in "<>":
        told = metadata_of(raws.iiq(order))
        assert (told.format, told.width, told.height) == ("IIQ", 7320, 5484)
        assert told.camera and told.camera["lens"] == "LS 80mm"


def test_rw2_without_borders_tells_the_sensor() -> None:
    told = metadata_of(raws.rw2(borders=False))
    assert (told.width, told.height) == (3724, 2754)


@pytest.mark.parametrize(("shown", "full", "size"), [(None, (4992, 3296), (4992, 3296)), (None, None, (4992, 3296)),
                                                      ((0, 0), (100, 50), (100, 50))])  # fmt: skip
def test_raf_takes_the_size_that_is_stated(
    shown: tuple[int, int] | None, full: tuple[int, int] | None, size: tuple[int, int]
) -> None:
    told = metadata_of(raws.raf(shown, full))
    assert (told.width, told.height) == size


def test_raf_takes_the_third_size_where_there_is_no_other() -> None:
    told = metadata_of(raws.raf((4284, 2848), None, tag=0x0121))
    assert (told.width, told.height) == (4284, 2848)


def test_raf_far_behind_its_preview_costs_few_requests() -> None:
    data = raws.raf()
    preview, length = struct.unpack_from(">II", data, 84)
    gap = 3_000_000
    places = [struct.unpack_from(">II", data, at) for at in (92, 100)]
    head = data[:84] + struct.pack(">II", preview, length + gap)
    head += b"".join(struct.pack(">II", place + gap, size) for place, size in places)
    far = head + data[108 : preview + length] + bytes(gap) + data[preview + length :]
    reader = RangeReader(lambda start, end: far[start:end], len(far))
    told = extract(reader)
    assert (told.status, told.width, told.bit_depth) == ("ok", 4896, 14)
    assert reader.requests <= 3


def test_mrw_of_either_byte_order() -> None:
    assert metadata_of(raws.mrw("<")).to_dict() == metadata_of(raws.mrw(">")).to_dict()


@pytest.mark.parametrize("version", [0x20001, 0x20002, 0x20003, 0x40000])
@pytest.mark.parametrize(("rotation", "orientation"), [(0, 1), (90, 6), (180, 3), (270, 8), (45, None)])
def test_x3f_turned(version: int, rotation: int, orientation: int | None) -> None:
    told = metadata_of(raws.x3f(version, rotation))
    assert (told.width, told.height, told.orientation) == (2268, 1512, orientation)
    assert (told.taken_at_source, told.exposure) == ("X3F DateTimeOriginal", {"time_s": 0.01, "iso": 100})


def test_x3f_without_a_size_in_its_header_takes_the_raw_section_s() -> None:
    told = metadata_of(raws.x3f(size=(0, 0), preview=True))
    assert (told.width, told.height) == (2304, 1531)


def test_x3f_takes_exif_from_its_preview() -> None:
    told = metadata_of(raws.x3f(preview=True))
    assert (told.width, told.taken_at_source) == (2268, "EXIF DateTimeOriginal")
    assert told.camera == {"make": "SIGMA", "model": "SIGMA DP2", "lens": "35mm F2"}


@pytest.mark.parametrize(
    ("rotation", "orientation"), [(0, 1), (90, 6), (-90, 8), (180, 3), (-180, 3), (270, 8)]
)
@pytest.mark.parametrize("order", "<>")
def test_crw_turned(order: str, rotation: int, orientation: int) -> None:
    told = metadata_of(raws.crw(rotation, order))
    assert (told.width, told.height, told.orientation) == (3072, 2048, orientation)
    assert told.camera == {"make": "Canon", "model": "Canon EOS 10D", "serial": "0000000123"}
    assert told.exposure == {"time_s": 0.015625, "f_number": 5.65685, "iso": 100}
    assert told.taken_at_source == "CIFF DateTimeOriginal"


def test_crw_whose_make_has_lost_its_end_still_has_its_model() -> None:
    told = metadata_of(raws.crw(names=b"CanonVCanon EOS 10D\0\x8f\xff"))
    assert told.camera == {"make": "CanonV", "model": "Canon EOS 10D", "serial": "0000000123"}


def test_crw_whose_directory_leads_back_to_itself() -> None:
    inner = struct.pack("<HHII", 1, 0x300A, 0, 0)
    body = inner + struct.pack("<I", 0)
    looping = b"II" + struct.pack("<I", 26) + b"HEAPCCDR" + bytes(12)
    looping += body[:4] + struct.pack("<II", len(body), 0) + body[12:]
    told = metadata_of(looping)
    assert told.status == "corrupt"
    assert any("leads back" in warning for warning in told.warnings)


def test_cr3_without_a_size_in_exif_takes_the_raw_track_s() -> None:
    told = metadata_of(raws.cr3(main=camera("Canon")))
    assert (told.width, told.height, told.bit_depth) == (6288, 4056, 14)


def test_cr3_without_a_header_of_the_raw_image_takes_its_entry_s_size() -> None:
    told = metadata_of(raws.cr3(main=camera("Canon"), compressed=False))
    assert (told.width, told.height, told.bit_depth) == (6288, 4056, None)


def test_cr3_of_a_burst_counts_its_frames() -> None:
    assert metadata_of(raws.cr3(samples=12)).frames == 12


def test_cr3_whose_position_is_stated_beyond_4_gib() -> None:
    stated = tiff(raws.GPS)
    far = b"II+\0\x08\0\0\0" + struct.pack("<Q", 1 << 40)
    told = metadata_of(raws.cr3().replace(stated, far.ljust(len(stated), b"\0")))
    assert (told.status, told.has_gps) == ("ok", False)


def test_a_movie_in_canon_s_raw_format_is_no_image() -> None:
    told = metadata_of(raws.cr3(compressor=b"CanonCRM0001/02.09.00/00.00.00"))
    assert (told.status, told.width) == ("unsupported", None)


def test_rw2_takes_its_resolution_from_the_preview_alone() -> None:
    tags: raws.Tags = {0x02: (3, 100), 0x03: (3, 80), 0x011A: (5, (1, 1)), 0x011B: (5, (1, 1))}
    preview = jpeg(exif=tiff({0x011A: (5, (180, 1)), 0x011B: (5, (180, 1))}))
    assert metadata_of(stream(tags | {0x2E: (7, preview)}, magic=b"IIU\0")).dpi == (180.0, 180.0)


def test_the_profile_of_a_raw_file_stands_in_the_first_directory() -> None:
    told = metadata_of(
        stream(raster(160, 120, 1) | camera("NIKON") | {0x8773: (7, profile(desc("P3")))}, [sensor(60, 40)])
    )
    assert (told.format, told.color_profile) == ("NEF", "P3")


def test_xmp_and_rating_of_a_raw_file() -> None:
    told = dng({0x02BC: (1, packet("<xmp:Rating>4</xmp:Rating>"))})
    assert told.rating == 4


@pytest.mark.parametrize(
    "build", [raws.raf, raws.rw2, raws.x3f, raws.crw, raws.cr3, raws.mrw, raws.cr2, raws.iiq]
)
def test_a_raw_file_costs_one_request_where_it_is_small(build: Callable[[], bytes]) -> None:
    data = build()
    reader = RangeReader(lambda start, end: data[start:end], len(data))
    assert extract(reader).status == "ok"
    assert reader.requests == 1
