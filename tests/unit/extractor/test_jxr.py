"""JPEG XR: the directory's size and pixel format, the metadata blocks, damage."""

from __future__ import annotations

import pytest

from tests.support.builders import Value, damaged_twins, desc, directory, metadata_of, packet, profile
from tests.support.damage import endure, recognised

FORMATS = bytes.fromhex("24c3dd6f034efe4bb1853d77768dc9")


def jxr(more: dict[int, Value] | None = None, kind: int = 0x0C, version: int = 1) -> bytes:
    entries: dict[int, Value] = {
        0xBC01: (1, FORMATS + bytes([kind])), 0xBC80: (4, 48), 0xBC81: (4, 32),
        0xBC82: (11, 300.0), 0xBC83: (11, 150.0), 0xBCC0: (4, 999), 0xBCC1: (4, 4),
    }  # fmt: skip
    return b"II\xbc" + bytes([version]) + (8).to_bytes(4, "little") + directory(entries | (more or {}), 8)


@pytest.mark.parametrize("version", [0, 1])
def test_jpeg_xr_by_name(version: int) -> None:
    metadata = metadata_of(jxr(version=version))
    assert (metadata.status, metadata.format, metadata.content_type) == ("ok", "JXR", "image/jxr")
    assert (metadata.width, metadata.height, metadata.dpi, metadata.frames) == (48, 32, (300.0, 150.0), 1)
    assert metadata.warnings == []


@pytest.mark.parametrize(
    ("kind", "mode", "depth", "alpha"),
    [(0x05, "1", 1, False), (0x08, "L", 8, False), (0x0B, "I;16", 16, False), (0x0C, "RGB", 8, False),
     (0x0F, "RGBA", 8, True), (0x15, "RGB", 16, False), (0x16, "RGBA", 16, True), (0x1C, "CMYK", 8, False),
     (0x3D, "RGB", 8, False), (0xEE, None, None, None)],
)  # fmt: skip
def test_pixel_formats(kind: int, mode: str | None, depth: int | None, alpha: bool | None) -> None:
    metadata = metadata_of(jxr(kind=kind))
    assert (metadata.color_mode, metadata.bit_depth, metadata.has_alpha) == (mode, depth, alpha)


def test_an_alpha_plane_of_its_own() -> None:
    assert metadata_of(jxr({0xBCC2: (4, 500)})).has_alpha is True


def test_metadata_blocks() -> None:
    metadata = metadata_of(
        jxr({0x010F: (2, "Acme"), 0x02BC: (1, packet("<dc:title>T</dc:title>")), 0x8773: (7, profile(desc("P3"))),
             0x0112: (3, 6)})
    )  # fmt: skip
    assert (metadata.camera, metadata.title, metadata.color_profile) == ({"make": "Acme"}, "T", "P3")
    assert (metadata.orientation, metadata.display_width) == (6, 32)


@pytest.mark.parametrize(
    "data",
    [
        b"II\xbc\1",
        b"II\xbc\1\x08\0\0\0",
        jxr({0xBC80: (4, 0)}),
        jxr({0xBC81: (9, -4)}),
        jxr({0xBC80: (2, "wide")}),
    ],
)
def test_no_size_is_corrupt(data: bytes) -> None:
    metadata = metadata_of(data)
    assert (metadata.status, metadata.format, metadata.content_type) == ("corrupt", "JXR", "image/jxr")
    assert metadata.error


def test_look_alikes() -> None:
    for data in (b"II\xbc\2" + bytes(60), b"MM\xbc\1" + bytes(60), b"II*\0" + bytes(60)):
        assert not recognised("jxr", data)


def test_damage() -> None:
    data = jxr({0x010F: (2, "Acme"), 0x02BC: (1, packet("")), 0x8769: (4, 8), 0x8825: (4, 8)})
    endure("jxr", data)
    for twin in damaged_twins(jxr()):
        assert metadata_of(twin).status in ("ok", "corrupt", "unsupported", "too_large")
