"""AVIF, HEIC and every other HEIF (ISO/IEC 23008-12): stills, collections, grids, image sequences.

`ftyp` names the brands, `meta` describes the items (`pitm`, `iinf`, `iref`, `iprp`, `iloc`; their data lie in
`mdat` or `idat`), `moov` describes sequences. Only those boxes and the EXIF, XMP and ICC blocks they point at
are read; `mdat` is stepped over.
"""

from __future__ import annotations

from ...errors import CorruptImage
from ...model import FileType, Found
from ...reader import Reader
from .items import describe_primary, hand_over_blocks, is_av1
from .meta import Meta, find, parse_meta
from .sequence import describe_sequence

#: Bytes of `ftyp` that are read.
MAX_BRAND_BYTES = 1024

AVIF_BRANDS = frozenset((b"avif", b"avis"))
SEQUENCE_BRANDS = frozenset(
    (
        b"avis", b"msf1", b"hevc", b"hevx", b"hevm", b"hevs", b"avcs", b"jpgs", b"j2is",
        b"vvis", b"evbs", b"evms",
    )
)  # fmt: skip
STILL_BRANDS = frozenset(
    (
        b"avif", b"mif1", b"mif2", b"heic", b"heix", b"heim", b"heis", b"avci", b"jpeg", b"j2ki",
        b"vvic", b"evbi", b"evmi", b"1pic",
    )
)  # fmt: skip
IMAGE_BRANDS = STILL_BRANDS | SEQUENCE_BRANDS
#: Major brands of files that are something else although they may list an image brand as compatible.
FOREIGN_BRANDS = frozenset((b"crx ",))

AVIF = FileType("AVIF", "image/avif", "avif")
HEIF = FileType("HEIF", "image/heif", "heif")
HEIC = FileType("HEIF", "image/heic", "heic")
HEIC_SEQUENCE = FileType("HEIF", "image/heic-sequence", "heics")
HEIF_SEQUENCE = FileType("HEIF", "image/heif-sequence", "heifs")
AVC = FileType("HEIF", "image/avci", "avci")
AVC_SEQUENCE = FileType("HEIF", "image/avcs", "avcs")
JPEG2000 = FileType("HEIF", "image/hej2k", "hej2")
TYPES = (AVIF, HEIF, HEIC, HEIC_SEQUENCE, HEIF_SEQUENCE, AVC, AVC_SEQUENCE, JPEG2000)
#: By major brand; any other is HEIF.
_TYPES = {
    b"avif": AVIF, b"avis": AVIF,
    b"heic": HEIC, b"heix": HEIC, b"heim": HEIC, b"heis": HEIC,
    b"hevc": HEIC_SEQUENCE, b"hevx": HEIC_SEQUENCE, b"hevm": HEIC_SEQUENCE, b"hevs": HEIC_SEQUENCE,
    b"msf1": HEIF_SEQUENCE, b"avci": AVC, b"avcs": AVC_SEQUENCE, b"j2ki": JPEG2000,
}  # fmt: skip


def matches(head: bytes, source: Reader) -> bool:
    """Whether the file starts with an `ftyp` box that names an image brand."""
    if head[4:8] != b"ftyp":
        return False
    brands = _brands(source.read_at(0, MAX_BRAND_BYTES))
    return bool(brands) and brands[0] not in FOREIGN_BRANDS and not IMAGE_BRANDS.isdisjoint(brands)


def read(source: Reader, found: Found) -> None:
    """Fill `found` from a HEIF or AVIF file.

    Raises `CorruptImage` when neither the primary item nor a track states a size.
    """
    brands = _brands(source.read_at(0, MAX_BRAND_BYTES))
    major = brands[0] if brands else b""
    found.be(_TYPES.get(major, HEIF))

    meta_box, moov_box = find(source, found, sequence=major in SEQUENCE_BRANDS)
    meta = Meta()
    if meta_box is not None:
        meta = parse_meta(source, meta_box, found)
        describe_primary(source, meta, found)
        if found.format == "HEIF" and is_av1(meta) and not AVIF_BRANDS.isdisjoint(brands):
            found.be(AVIF)
    if found.width is None and moov_box is None:
        _, moov_box = find(source, found, sequence=True)
    if moov_box is not None and (major in SEQUENCE_BRANDS or found.width is None):
        coding = describe_sequence(source, moov_box, found)
        if coding == b"av01" and found.content_type == HEIF_SEQUENCE.media_type:
            found.be(AVIF)
    if not found.width or not found.height:
        raise CorruptImage("no item and no track states the image's size")
    if meta.primary is not None:
        hand_over_blocks(source, meta, meta.primary, found)


def _brands(head: bytes) -> list[bytes]:
    """Major brand, then the compatible ones, of the `ftyp` box at the start of `head`."""
    size = int.from_bytes(head[:4], "big")
    first = 8
    if size == 1:
        size, first = int.from_bytes(head[8:16], "big"), 16
    body = head[first : max(size, first + 4)]
    return [body[:4]] + [body[i : i + 4] for i in range(8, len(body) - 3, 4)]
