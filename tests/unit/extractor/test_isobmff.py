"""AVIF and HEIF: good files made by encoders, hand-built boxes, damage."""

from __future__ import annotations

import io
import struct
import time
import zlib
from collections.abc import Sequence

import pillow_heif
import pytest
from PIL import Image

from image_metadata.errors import CorruptImage
from image_metadata.formats import isobmff
from image_metadata.model import Found
from tests.support.builders import (
    box,
    ftyp,
    full,
    iloc,
    infe,
    ispe,
    meta,
    metadata_of,
    packet,
    pixi,
    still,
    tiff,
    with_exif,
)  # fmt: skip
from tests.support.damage import CountingReader, endure, flips, read, recognised, survives

XMP = b"<x:xmpmeta xmlns:x='adobe:ns:meta/'/>"


# --- what encoders write --------------------------------------------------------------------------------


def encoded(
    mode: str = "RGB", fmt: str = "AVIF", size: tuple[int, int] = (64, 48), **options: object
) -> bytes:
    out = io.BytesIO()
    if fmt == "HEIF":
        pillow_heif.from_pillow(Image.new(mode, size, 77)).save(out, **options)
    else:
        Image.new(mode, size, 77).save(out, fmt, **options)
    return out.getvalue()


def test_avif_with_everything() -> None:
    exif = Image.Exif()
    exif[271] = "Maker"
    icc = bytes(range(256))
    found = read("isobmff", encoded("RGBA", exif=exif, xmp=XMP, icc_profile=icc))
    assert (found.format, found.content_type) == ("AVIF", "image/avif")
    assert (found.width, found.height, found.bit_depth) == (64, 48, 8)
    assert (found.color_mode, found.has_alpha) == ("RGBA", True)
    assert (found.frames, found.animated) == (1, False)
    (block,) = found.exif
    assert isinstance(block, bytes)
    assert block[:4] in (b"II*\0", b"MM\0*")
    assert b"Maker" in block
    assert found.xmp == XMP
    assert found.icc == icc
    assert found.warnings == []


@pytest.mark.parametrize("orientation", range(1, 9))
def test_avif_orientation(orientation: int) -> None:
    exif = Image.Exif()
    exif[274] = orientation
    assert (read("isobmff", encoded(exif=exif)).orientation or 1) == orientation


def test_avif_sequence() -> None:
    frames = [Image.new("RGB", (32, 16), colour) for colour in ("red", "green", "blue")]
    out = io.BytesIO()
    frames[0].save(out, "AVIF", save_all=True, append_images=frames[1:], duration=[100, 250, 50])
    found = read("isobmff", out.getvalue())
    assert (found.width, found.height, found.frames, found.animated) == (32, 16, 3, True)
    assert found.duration_ms == 400


@pytest.mark.parametrize(
    ("mode", "alpha", "expected"), [("RGB", False, "RGB"), ("RGBA", True, "RGBA"), ("L", False, "L")]
)
def test_heic(mode: str, alpha: bool, expected: str) -> None:
    found = read("isobmff", encoded(mode, "HEIF", (64, 128), xmp=XMP))
    assert (found.format, found.content_type) == ("HEIF", "image/heic")
    assert (found.width, found.height, found.bit_depth) == (64, 128, 8)
    assert (found.color_mode, found.has_alpha) == (expected, alpha)
    assert found.xmp == XMP


def test_heic_collection_with_a_later_primary() -> None:
    heif = pillow_heif.from_pillow(Image.new("RGB", (64, 64)))
    heif.add_from_pillow(Image.new("RGB", (128, 64)))
    heif.add_from_pillow(Image.new("RGB", (64, 192)))
    out = io.BytesIO()
    heif.save(out, primary_index=2)
    found = read("isobmff", out.getvalue())
    assert (found.width, found.height, found.frames, found.animated) == (64, 192, 3, False)


def test_clean_aperture_is_kept_apart_from_the_stored_size() -> None:
    found = read("isobmff", encoded("RGB", "HEIF", size=(29, 51)))
    assert (found.width, found.height) == (64, 64)
    assert found.crop == (29, 51)


# --- hand-built files -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("major", "kind", "fmt", "content_type"),
    [
        (b"avif", b"av01", "AVIF", "image/avif"),
        (b"heic", b"hvc1", "HEIF", "image/heic"),
        (b"heix", b"hvc1", "HEIF", "image/heic"),
        (b"heim", b"lhv1", "HEIF", "image/heic"),
        (b"heis", b"lhv1", "HEIF", "image/heic"),
        (b"hevc", b"hvc1", "HEIF", "image/heic-sequence"),
        (b"mif1", b"hvc1", "HEIF", "image/heif"),
        (b"mif1", b"jpeg", "HEIF", "image/heif"),
        (b"msf1", b"hvc1", "HEIF", "image/heif-sequence"),
        (b"avci", b"avc1", "HEIF", "image/avci"),
    ],
)
def test_brands(major: bytes, kind: bytes, fmt: str, content_type: str) -> None:
    found = read("isobmff", still(major=major, kind=kind))
    assert (found.format, found.content_type, found.width, found.height) == (fmt, content_type, 40, 30)


def test_generic_brand_with_av1_inside_is_avif() -> None:
    data = ftyp(b"mif1", b"mif1", b"avif") + meta([infe(1, b"av01")], [ispe(7, 9)], {1: [1]})
    assert read("isobmff", data).content_type == "image/avif"


@pytest.mark.parametrize("brand", [b"isom", b"mp42", b"qt  ", b"crx ", b"M4A "])
def test_videos_and_raw_files_are_not_ours(brand: bytes) -> None:
    assert not recognised("isobmff", ftyp(brand, b"isom") + bytes(64))


def test_canon_raw_is_not_ours_even_when_it_lists_an_image_brand() -> None:
    assert not recognised("isobmff", ftyp(b"crx ", b"heic") + bytes(64))


@pytest.mark.parametrize(
    ("steps", "orientation"),
    [
        ([("irot", 0)], 1),
        ([("irot", 1)], 8),
        ([("irot", 2)], 3),
        ([("irot", 3)], 6),
        ([("imir", 0)], 4),
        ([("imir", 1)], 2),
        ([("irot", 1), ("imir", 0)], 5),
        ([("irot", 1), ("imir", 1)], 7),
        ([("irot", 3), ("imir", 0)], 7),
        ([("imir", 0), ("irot", 1)], 7),
        ([("irot", 2), ("imir", 1)], 4),
    ],
)
def test_rotation_and_mirror_in_their_order(steps: list[tuple[str, int]], orientation: int) -> None:
    found = read("isobmff", still(*(box(kind.encode(), bytes([value])) for kind, value in steps)))
    assert found.orientation == orientation
    assert (found.width, found.height) == (40, 30)


def test_exif_orientation_does_not_turn_a_heif() -> None:
    found = read("isobmff", with_exif(0, b"\0\0\0\0II*\0\x08\0\0\0\x01\0\x12\1\3\0\1\0\0\0\6\0\0\0\0\0\0\0"))
    assert found.exif
    assert found.orientation == 1


@pytest.mark.parametrize("method", [0, 1, 2])
def test_construction_methods(method: int) -> None:
    found = read("isobmff", with_exif(method, b"\0\0\0\6Exif\0\0MM\0*" + bytes(range(40))))
    assert found.exif == [b"MM\0*" + bytes(range(40))]
    assert found.warnings == []


@pytest.mark.parametrize(
    "prefix", [b"\0\0\0\0", b"\0\0\0\6Exif\0\0", b"\0\0\0\0Exif\0\0", b"\xff\xff\xff\xff", b""]
)
def test_exif_offsets_right_wrong_and_missing(prefix: bytes) -> None:
    found = read("isobmff", with_exif(0, prefix + b"II*\0" + bytes(20)))
    assert found.exif == [b"II*\0" + bytes(20)]


def test_exif_without_tiff_costs_only_the_exif() -> None:
    found = read("isobmff", with_exif(0, bytes(60)))
    assert found.exif == []
    assert found.width == 40
    assert any("EXIF" in warning for warning in found.warnings)


def with_exif_items(*payloads: bytes) -> bytes:
    """An image of EXIF items that describe it, and one that describes its thumbnail."""
    other = bytes(4) + tiff({0x0110: (2, "Thumbnail")})
    numbers = range(2, 2 + len(payloads))
    last = 2 + len(payloads)
    places, start = [], 0
    for number, payload in zip((*numbers, last), (*payloads, other), strict=True):
        places.append((number, 1, [(0, start, len(payload))]))
        start += len(payload)
    return ftyp(b"heic", b"mif1") + meta(
        [infe(1, b"hvc1"), *(infe(number, b"Exif") for number in (*numbers, last)), infe(last + 1, b"hvc1")],
        [ispe(40, 30)],
        {1: [1]},
        references=[
            *((b"cdsc", number, [1]) for number in numbers),
            (b"cdsc", last, [last + 1]),
            (b"thmb", last + 1, [1]),
        ],
        locations=iloc(places),
        more=box(b"idat", b"".join(payloads) + other),
    )


def test_several_exif_items_fill_each_others_gaps() -> None:
    first, second = (bytes(4) + tiff(tags) for tags in ({0x0131: (2, "Tool")}, {0x010F: (2, "Acme")}))
    metadata = metadata_of(with_exif_items(first, second))
    assert (metadata.software, metadata.camera) == ("Tool", {"make": "Acme"})


@pytest.mark.parametrize("sizes", [(0, 1 << 17), (1 << 17, 0), (1 << 17, 1 << 17), (0, 0)])
def test_the_first_exif_item_wins_and_the_next_settles_its_position_whatever_their_sizes(
    sizes: tuple[int, int],
) -> None:
    degrees = {2: (5, [(33, 1), (51, 1), (30, 1)]), 4: (5, [(151, 1), (12, 1), (0, 1)])}
    letters = {1: (2, "S"), 3: (2, "W")}
    first, second = (
        bytes(4) + tiff({0x0131: (2, tool)}, gps=gps) + bytes(size)
        for tool, gps, size in zip(("First", "Second"), (degrees, degrees | letters), sizes, strict=True)
    )
    metadata = metadata_of(with_exif_items(first, second))
    assert metadata.software == "First"
    assert metadata.gps == {"latitude": -33.85833333, "longitude": -151.2}


NAME = b"http://ns.adobe.com/xap/1.0/"


@pytest.mark.parametrize(
    ("kind", "mime", "before"),
    [
        (b"mime", b"application/rdf+xml", NAME + b"\0"),
        (b"mime", b"application/rdf+xml", b""),
        (b"mime", b"Application/RDF+XML; charset=utf-8", b""),
        (b"mime", NAME, b""),
        (b"mime", NAME, NAME + b"\0"),
        (b"uri ", NAME, b""),
        (b"uri ", NAME, NAME + b"\0"),
    ],
)
@pytest.mark.parametrize("encoding", ["utf-8", "utf-16-le", "utf-16-be"])
def test_xmp_behind_its_name(kind: bytes, mime: bytes, before: bytes, encoding: str) -> None:
    payload = before + packet("<dc:title>日本 Zoë</dc:title>").decode().encode(encoding)
    data = ftyp(b"heic", b"mif1") + meta(
        [infe(1, b"hvc1"), infe(2, kind, mime=mime)],
        [ispe(40, 30)],
        {1: [1]},
        references=[(b"cdsc", 2, [1])],
        locations=iloc([(2, 1, [(0, 0, len(payload))])]),
        more=box(b"idat", payload),
    )
    metadata = metadata_of(data)
    assert (metadata.title, metadata.warnings) == ("日本 Zoë", [])


def test_other_items_known_by_a_uri_are_not_xmp() -> None:
    payload = packet("<dc:title>T</dc:title>")
    for kind, mime in ((b"uri ", b"urn:other"), (b"mime", b"text/plain"), (b"uri ", b"application/rdf+xml")):
        data = ftyp(b"heic", b"mif1") + meta(
            [infe(1, b"hvc1"), infe(2, kind, mime=mime)], [ispe(40, 30)], {1: [1]},
            locations=iloc([(2, 1, [(0, 0, len(payload))])]), more=box(b"idat", payload),
        )  # fmt: skip
        assert metadata_of(data).title is None


@pytest.mark.parametrize(("encoding", "packed"), [(b"deflate", zlib.compress(XMP)), (b"", XMP)])
def test_xmp_item_encodings(encoding: bytes, packed: bytes) -> None:
    data = ftyp(b"heic", b"mif1") + meta(
        [infe(1, b"hvc1"), infe(2, b"mime", mime=b"application/rdf+xml", encoding=encoding)],
        [ispe(40, 30)],
        {1: [1]},
        references=[(b"cdsc", 2, [1])],
        locations=iloc([(2, 1, [(0, 0, 0)])]),
        more=box(b"idat", packed),
    )
    assert read("isobmff", data).xmp == XMP


def test_metadata_of_another_picture_is_not_the_primary_ones() -> None:
    data = ftyp(b"heic", b"mif1") + meta(
        [infe(1, b"hvc1"), infe(2, b"hvc1"), infe(3, b"Exif"), infe(4, b"Exif")],
        [ispe(40, 30)],
        {1: [1], 2: [1]},
        primary=2,
        references=[(b"cdsc", 3, [1]), (b"cdsc", 4, [2])],
        locations=iloc([(3, 1, [(0, 0, 12)]), (4, 1, [(0, 12, 13)])]),
        more=box(b"idat", b"\0\0\0\0II*\0AAAA", b"\0\0\0\0MM\0*BBBBB"),
    )
    assert read("isobmff", data).exif == [b"MM\0*BBBBB"]


def test_grid_takes_depth_and_profile_from_its_tiles() -> None:
    hvcc = box(b"hvcC", bytes(16) + bytes([0xFD, 0xFA]) + bytes(5))
    colr = box(b"colr", b"prof", b"PROFILE")
    data = ftyp(b"heic", b"mif1") + meta(
        [infe(1, b"grid"), *(infe(n, b"hvc1", hidden=True) for n in (2, 3))],
        [ispe(512, 512), ispe(1000, 500), hvcc, colr],
        {1: [2], 2: [1, 3, 4], 3: [1, 3, 4]},
        references=[(b"dimg", 1, [2, 3])],
    )
    found = read("isobmff", data)
    assert (found.width, found.height, found.bit_depth, found.color_mode) == (1000, 500, 10, "RGB")
    assert found.icc == b"PROFILE"
    assert found.frames == 1


@pytest.mark.parametrize(("wide", "layout"), [(0, ">HH"), (1, ">II")])
def test_grid_without_ispe_states_its_size_itself(wide: int, layout: str) -> None:
    data = ftyp(b"heic", b"mif1") + meta(
        [infe(1, b"grid"), infe(2, b"hvc1")],
        [ispe(512, 512)],
        {2: [1]},
        references=[(b"dimg", 1, [2])],
        locations=iloc([(1, 1, [(0, 0, 0)])]),
        more=box(b"idat", bytes([0, wide, 0, 0]) + struct.pack(layout, 4000, 3000)),
    )
    assert survives("isobmff", data) is not None
    assert (read("isobmff", data).width, read("isobmff", data).height) == (4000, 3000)


def test_grid_that_states_no_size_anywhere_is_corrupt() -> None:
    data = ftyp(b"heic", b"mif1") + meta([infe(1, b"grid")], [pixi(8)], {1: [1]})
    with pytest.raises(CorruptImage):
        read("isobmff", data)


@pytest.mark.parametrize("references", [[(b"auxl", 2, [1])], [(b"auxl", 2, [3])]])
def test_alpha_of_the_picture_or_of_its_tile(references: list[tuple[bytes, int, list[int]]]) -> None:
    auxc = full(b"auxC", b"urn:mpeg:mpegB:cicp:systems:auxiliary:alpha\0")
    data = ftyp(b"avif", b"mif1") + meta(
        [infe(1, b"grid"), infe(2, b"av01"), infe(3, b"av01")],
        [ispe(10, 10), pixi(10, 10, 10), auxc],
        {1: [1, 2], 2: [1, 3], 3: [1]},
        references=[(b"dimg", 1, [3]), *references],
    )
    found = read("isobmff", data)
    assert (found.has_alpha, found.color_mode, found.bit_depth, found.frames) == (True, "RGBA", 10, 1)


def test_depth_map_is_no_alpha() -> None:
    auxc = full(b"auxC", b"urn:mpeg:mpegB:cicp:systems:auxiliary:depth\0")
    data = ftyp(b"heic", b"mif1") + meta(
        [infe(1, b"hvc1"), infe(2, b"hvc1")],
        [ispe(10, 10), pixi(8), auxc],
        {1: [1, 2], 2: [1, 3]},
        references=[(b"auxl", 2, [1])],
    )
    assert read("isobmff", data).has_alpha is False


@pytest.mark.parametrize(
    ("config", "depth", "mode"),
    [
        (box(b"av1C", bytes([0x81, 0, 0x0C, 0])), 8, "RGB"),
        (box(b"av1C", bytes([0x81, 0, 0x4C, 0])), 10, "RGB"),
        (box(b"av1C", bytes([0x81, 0x40, 0x6C, 0])), 12, "RGB"),
        (box(b"av1C", bytes([0x81, 0, 0x1C, 0])), 8, "L"),
        (box(b"av1C", bytes([0x81, 0, 0x5C, 0])), 10, "I;16"),
        (full(b"vvcC", bytes([1, 0, 0x10, 0x40])), 10, "I;16"),
        (full(b"vvcC", bytes([1, 0, 0x11, 0x40])), 10, "RGB"),
        (full(b"uncC", b"rgba", version=1), 8, "RGBA"),
    ],
)
def test_decoder_configurations(config: bytes, depth: int, mode: str) -> None:
    found = read("isobmff", still(config))
    assert (found.bit_depth, found.color_mode) == (depth, mode)


def test_uncompressed_components() -> None:
    cmpd = box(b"cmpd", struct.pack(">IHHHH", 4, 4, 5, 6, 7))
    uncc = full(
        b"uncC", bytes(4), struct.pack(">I", 4), *(struct.pack(">HBBB", n, 15, 0, 0) for n in range(4))
    )
    found = read("isobmff", still(cmpd, uncc, major=b"mif1", kind=b"unci"))
    assert (found.bit_depth, found.color_mode, found.has_alpha) == (16, "RGBA", True)


def track(number: int = 1, handler: bytes = b"pict", samples: int = 4, *, repeat: int | None = None, aux: int = 0,
          matrix: Sequence[int] = (1, 0, 0, 0, 1, 0, 0, 0, 1)) -> bytes:  # fmt: skip
    entry = box(
        b"av01", bytes(24), struct.pack(">HH", 320, 200), bytes(50), box(b"av1C", bytes([0x81, 0, 0x4C, 0])),
        full(b"auxi", b"urn:mpeg:mpegB:cicp:systems:auxiliary:alpha\0") if aux else b"",
    )  # fmt: skip
    tkhd = struct.pack(">5I", 0, 0, number, 0, 2000 if repeat is None else repeat) + bytes(16)
    tkhd += struct.pack(">9i", *(v << 16 for v in matrix)) + struct.pack(">II", 320 << 16, 200 << 16)
    return box(
        b"trak",
        full(b"tkhd", tkhd),
        box(b"edts", full(b"elst", struct.pack(">IIiI", 1, 500, 0, 1 << 16), flags=1))
        if repeat is not None
        else b"",
        box(b"tref", box(b"auxl", struct.pack(">I", aux))) if aux else b"",
        box(
            b"mdia",
            full(b"mdhd", struct.pack(">5I", 0, 0, 1000, 999, 0)),
            full(b"hdlr", bytes(4), handler, bytes(13)),
            box(
                b"minf",
                box(
                    b"stbl",
                    full(b"stsd", struct.pack(">I", 1), entry),
                    full(b"stts", struct.pack(">III", 1, samples, 125)),
                    full(b"stsz", struct.pack(">II", 0, samples)),
                ),
            ),
        ),
    )


def test_sequence_without_a_still_part() -> None:
    data = ftyp(b"avis", b"avis", b"msf1") + box(b"moov", track())
    found = read("isobmff", data)
    assert (found.width, found.height, found.bit_depth, found.color_mode) == (320, 200, 10, "RGB")
    assert (found.frames, found.animated, found.duration_ms, found.loop) == (4, True, 500, None)
    assert found.orientation == 1


def test_sequence_with_alpha_track_is_rgba() -> None:
    data = ftyp(b"avis", b"msf1") + box(b"moov", track(1), track(2, b"auxv", aux=1))
    found = read("isobmff", data)
    assert (found.has_alpha, found.color_mode, found.frames) == (True, "RGBA", 4)


@pytest.mark.parametrize(("repeat", "loop"), [(0xFFFFFFFF, 0), (500, 1), (1500, 3)])
def test_sequence_loops(repeat: int, loop: int) -> None:
    assert read("isobmff", ftyp(b"avis", b"msf1") + box(b"moov", track(repeat=repeat))).loop == loop


def test_turned_track() -> None:
    data = ftyp(b"avis", b"msf1") + box(b"moov", track(matrix=(0, 1, 0, -1, 0, 0, 0, 0, 1)))
    assert read("isobmff", data).orientation == 6


def test_still_brand_shows_its_still_although_a_sequence_follows() -> None:
    data = still(major=b"avif").replace(b"miaf", b"avis") + box(b"moov", track())
    assert (read("isobmff", data).frames, read("isobmff", data).animated) == (1, False)


@pytest.mark.parametrize(
    ("clap", "crop"),
    [
        ((20, 1, 10, 1), (20, 10)),
        ((41, 2, 30, 1), (20, 30)),
        ((40, 1, 30, 1), None),
        ((41, 1, 30, 1), None),
        ((40, 0, 30, 1), None),
        ((0, 1, 30, 1), None),
    ],
)
def test_clean_apertures_right_and_wrong(clap: tuple[int, ...], crop: tuple[int, int] | None) -> None:
    found = read("isobmff", still(box(b"clap", struct.pack(">8I", *clap, 0, 1, 0, 1))))
    assert (found.width, found.height, found.crop) == (40, 30, crop)


@pytest.mark.parametrize(("turn", "crop"), [(1, (10, 20)), (2, (20, 10)), (3, (10, 20))])
def test_a_clean_aperture_of_the_turned_picture(turn: int, crop: tuple[int, int]) -> None:
    aperture = box(b"clap", struct.pack(">8I", 20, 1, 10, 1, 0, 1, 0, 1))
    assert read("isobmff", still(box(b"irot", bytes([turn])), aperture)).crop == crop
    tall = box(b"clap", struct.pack(">8I", 20, 1, 36, 1, 0, 1, 0, 1))
    found = read("isobmff", still(box(b"irot", bytes([turn])), tall))
    assert found.crop == ((36, 20) if turn != 2 else None)


# --- damage ---------------------------------------------------------------------------------------------


def test_missing_primary_falls_back_to_the_first_picture() -> None:
    data = ftyp(b"heic", b"mif1") + meta(
        [infe(9, b"Exif"), infe(5, b"hvc1")], [ispe(40, 30)], {5: [1]}, primary=77
    )
    found = read("isobmff", data)
    assert (found.width, found.height) == (40, 30)
    assert any("primary" in warning for warning in found.warnings)


@pytest.mark.parametrize(
    "data",
    [
        ftyp(b"avif", b"mif1"),
        ftyp(b"avif", b"mif1") + box(b"meta"),
        ftyp(b"avif", b"mif1") + meta([infe(1, b"av01")], [ispe(0, 30)], {1: [1]}),
        ftyp(b"avif", b"mif1") + meta([], [], {}),
        ftyp(b"avis", b"msf1") + box(b"moov"),
        ftyp(b"heic", b"mif1") + bytes(4000),
        ftyp(b"heic", b"mif1") + struct.pack(">I4s", 7, b"meta"),
    ],
)
def test_unknowable_size_is_corrupt(data: bytes) -> None:
    with pytest.raises(CorruptImage):
        read("isobmff", data)


def test_data_cut_off_is_a_warning() -> None:
    whole = encoded()
    found = read("isobmff", whole[:-20])
    assert (found.width, found.height) == (64, 48)
    assert any("cut short" in warning for warning in found.warnings)


def test_large_and_open_box_sizes() -> None:
    body = still()[len(ftyp(b"avif", b"mif1", b"miaf")) :]
    head = ftyp(b"avif", b"mif1")
    wide = struct.pack(">I4sQ", 1, b"meta", len(body) + 8) + body[8:]
    for variant in (head + b"\0\0\0\0" + body[4:], head + wide, head + box(b"free", bytes(99)) + body):
        assert read("isobmff", variant).width == 40


def timed(data: bytes) -> None:
    started = time.process_time()
    survives("isobmff", data)
    assert time.process_time() - started < 2


def test_hostile_tables_cost_little() -> None:
    count = 0xFFFF
    free_extents = full(
        b"iloc", struct.pack(">HI", 0, 0xFFFFFFFF) + struct.pack(">IHHH", 1, 0, 0, count) * 9000, version=2
    )
    timed(ftyp(b"avif", b"mif1") + full(b"meta", free_extents))
    many = [infe(n, b"mime", mime=b"application/rdf+xml") for n in range(1, 16000)]
    references = [(b"cdsc", n, [2]) for n in range(1, 16000)]
    timed(
        ftyp(b"avif", b"mif1")
        + meta([infe(1, b"av01"), *many], [ispe(1, 1)], {1: [1]}, references=references)
    )
    assoc = struct.pack(">I", 300) + (struct.pack(">HB", 2, 255) + bytes([1]) * 255) * 300
    aux = [(b"auxl", 2, [1])] * 9000
    timed(
        ftyp(b"avif", b"mif1")
        + meta(
            [infe(1, b"av01"), infe(2, b"av01")],
            [ispe(1, 1)],
            {1: [1]},
            references=aux,
            more=box(b"iprp", box(b"ipco", ispe(1, 1)), full(b"ipma", assoc)),
        )
    )


def test_items_made_of_each_other_end() -> None:
    references = [(b"iloc", n, [*range(2, 60)]) for n in range(2, 60)] + [(b"cdsc", 2, [1]), (b"dimg", 1, [1, 2]),
                                                                         (b"dimg", 2, [1])]  # fmt: skip
    data = ftyp(b"heic", b"mif1") + meta(
        [infe(1, b"grid"), *(infe(n, b"Exif") for n in range(2, 60))],
        [ispe(4, 4)],
        {1: [1]},
        references=references,
        locations=iloc([(n, 2, [(i, 0, 100) for i in range(1, 60)]) for n in range(2, 60)]),
    )
    timed(data)
    assert any("EXIF" in warning for warning in read("isobmff", data).warnings)


def test_deeply_nested_and_endless_boxes_end() -> None:
    nest = b""
    for _ in range(300):
        nest = box(b"mdia", nest)
    timed(ftyp(b"avis", b"msf1") + box(b"moov", box(b"trak", nest)))
    wide = box(b"mdia", *(box(b"mdia", *(box(b"mdia", bytes(8) * 60) for _ in range(60))) for _ in range(60)))
    timed(ftyp(b"avis", b"msf1") + box(b"moov", *(box(b"trak", wide) for _ in range(20))))
    timed(ftyp(b"avif", b"mif1") + struct.pack(">I4s", 8, b"free") * 100_000)


def test_every_truncation_and_many_flips() -> None:
    exif = Image.Exif()
    exif[271] = "Maker"
    endure("isobmff", encoded("RGBA", exif=exif, xmp=XMP, icc_profile=bytes(64)))
    endure("isobmff", encoded("RGB", "HEIF"))
    endure("isobmff", with_exif(2, b"\0\0\0\6Exif\0\0MM\0*" + bytes(40)))
    endure("isobmff", ftyp(b"avis", b"msf1") + box(b"moov", track(1, repeat=900), track(2, b"auxv", aux=1)))


def test_a_damaged_table_costs_only_itself() -> None:
    data = with_exif(1, b"\0\0\0\0MM\0*" + bytes(20))
    at = data.rindex(b"iloc") + 8
    found = read("isobmff", data[:at] + b"\xff" * 8 + data[at + 8 :])
    assert (found.width, found.height) == (40, 30)
    assert found.warnings


def test_few_bytes_are_read() -> None:
    data = encoded(size=(1024, 1024))
    source = CountingReader(data)
    isobmff.read(source, Found())
    assert source.asked < 8192
    assert list(flips(data, 3)) == list(flips(data, 3))
