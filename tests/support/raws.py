"""Raw files as small as they can be: what each maker's container states about the image, and no image."""

from __future__ import annotations

import itertools
import struct
from collections.abc import Sequence

from tests.support.builders import Value, box, directory, full, jpeg, tiff

Tags = dict[int, Value]

TAKEN = "2024:05:06 07:08:09"
#: The camera, and below it when the picture was taken, through which lens, and where.
EXIF: Tags = {0x9003: (2, TAKEN), 0xA434: (2, "35mm F2")}
GPS: Tags = {1: (2, "S"), 2: (5, [(33, 1), (30, 1), (0, 1)]), 3: (2, "E"), 4: (5, [(151, 1)])}


def raster(width: int, height: int, use: int | None = None, bits: int = 8, samples: int = 3, photometric: int = 2,
           compression: int = 1) -> Tags:  # fmt: skip
    """The tags of a directory that describes a raster."""
    tags: Tags = {
        0x0100: (4, width), 0x0101: (4, height), 0x0102: (3, [bits] * samples), 0x0103: (3, compression),
        0x0106: (3, photometric), 0x0111: (4, 8), 0x0115: (3, samples), 0x0117: (4, 1000),
    }  # fmt: skip
    return tags if use is None else tags | {0x00FE: (4, use)}


def sensor(width: int, height: int, use: int | None = 0, bits: int = 14, compression: int = 1) -> Tags:
    """The tags of a directory that describes what a sensor with a colour filter array saw."""
    return raster(width, height, use, bits, 1, 32803, compression)


def stream(
    main: Tags,
    below: Sequence[Tags] = (),
    chain: Sequence[Tags] = (),
    *,
    exif: Tags | None = None,
    gps: Tags | None = None,
    order: str = "<",
    magic: bytes = b"",
    head: bytes = b"",
    tail: bytes = b"",
) -> bytes:
    """A TIFF stream: the first directory, its sub-directories, the directories of the chain, EXIF and GPS.

    `head` stands between the header and the first directory, `tail` at the end.
    """
    main = dict(main)
    pointers = [(tag, part) for tag, part in ((0x8769, exif), (0x8825, gps)) if part is not None]
    main.update({tag: (4, 0) for tag, _ in pointers})
    if below:
        main[0x014A] = (4, [0] * len(below))
    parts = [*(part for _, part in pointers), *below, *chain]
    start = 8 + len(head)
    places, at = [], start + len(directory(main, start, order))
    for part in parts:
        places.append(at)
        at += len(directory(part, at, order))
    for (tag, _), place in zip(pointers, places, strict=False):
        main[tag] = (4, place)
    if below:
        main[0x014A] = (4, places[len(pointers) : len(pointers) + len(below)])
    following = [*places[len(parts) - len(chain) :], 0]
    links = dict(itertools.pairwise(following))
    out = (magic or (b"II*\0" if order == "<" else b"MM\0*")) + struct.pack(order + "I", start) + head
    out += directory(main, start, order, following[0])
    for part, place in zip(parts, places, strict=True):
        out += directory(part, place, order, links.get(place, 0))
    return out + tail


def camera(make: str, model: str = "Model 7") -> Tags:
    """The camera's tags."""
    return {0x010F: (2, make), 0x0110: (2, model)}


def made_by(make: str, model: str = "Model 7", **options: object) -> bytes:
    """A raw file as most makers write it: a preview first, the sensor's raster in a sub-directory."""
    preview = raster(160, 120, 1) | camera(make, model)
    return stream(preview, [sensor(6032, 4032, **options)], exif=EXIF, gps=GPS)  # type: ignore[arg-type]


def lossless_jpeg(width: int, height: int, bits: int, components: int = 2) -> bytes:
    """The start of a lossless JPEG, which is what the raw image of a CR2 is."""
    frame = struct.pack(">BHHB", bits, height, width // components, components) + bytes(3 * components)
    return b"\xff\xd8\xff\xc4\0\4\0\0" + struct.pack(">HH", 0xFFC3, len(frame) + 2) + frame + b"\xff\xda\0\2"


def cr2(
    shown: tuple[int, int] = (5616, 3744), full_size: tuple[int, int] = (5792, 3804), bits: int = 14
) -> bytes:
    """Canon CR2: previews in the first three directories, the raw image in the fourth, which states no size."""
    main = raster(1936, 1288, compression=6) | camera("Canon", "Canon EOS 5D Mark II")
    thumbnail: Tags = {0x0201: (4, 8), 0x0202: (4, 100)}
    raw: Tags = {0x0103: (3, 6), 0x0111: (4, 0), 0x0117: (4, 1000), 0xC640: (3, [1, 2, 2])}
    exif = EXIF | {0xA002: (4, shown[0]), 0xA003: (4, shown[1])}
    chain = [thumbnail, raster(160, 120), raw]

    def build() -> bytes:
        return stream(main, chain=chain, exif=exif, gps=GPS, head=b"CR\2\0" + bytes(4))

    raw[0x0111] = (4, len(build()))
    return build() + lossless_jpeg(*full_size, bits)


def iiq(order: str = "<") -> bytes:
    """Phase One IIQ: a directory of its own at byte 8."""
    name = b"IIIITwaR" if order == "<" else b"MMMMRawT"
    lens = b"LS 80mm\0"
    rows = [(0x0108, 4, 4, 7372), (0x0109, 4, 4, 5536), (0x010C, 4, 4, 7320), (0x010D, 4, 4, 5484),
            (0x0412, 1, len(lens), 20 + 16 * 5)]  # fmt: skip
    own = name + struct.pack(order + "III", 12, len(rows), 0)
    own += b"".join(struct.pack(order + "4I", *row) for row in rows) + lens
    return stream(raster(1, 1) | camera("Phase One"), exif={0x9003: (2, TAKEN)}, order=order, head=own)


def rw2(magic: bytes = b"IIU\0", make: str = "Panasonic", borders: bool = True) -> bytes:
    """Panasonic RW2."""
    tags: Tags = {0x02: (3, 3724), 0x03: (3, 2754), 0x0A: (3, 12)} | camera(make, "DMC-LX3")
    if borders:
        tags |= {0x04: (3, 8), 0x05: (3, 16), 0x06: (3, 2744), 0x07: (3, 3664)}
    tags[0x2E] = (7, jpeg(exif=tiff({}, EXIF, GPS)))
    return stream(
        tags, magic=magic, head=bytes.fromhex("88e774d8f8251d4d947a6e77822b5d6a"), exif={0x9003: (2, TAKEN)}
    )


def raf(shown: tuple[int, int] | None = (4896, 3264), full_size: tuple[int, int] | None = (4992, 3296),
        bits: int = 14, tag: int = 0x111) -> bytes:  # fmt: skip
    """Fujifilm RAF: a header, a JPEG preview with EXIF, a directory of sizes, the sensor's data."""
    preview = jpeg(exif=tiff(camera("FUJIFILM", "X-T1"), EXIF, GPS))
    sizes = [
        (tag, struct.pack(">HH", *size[::-1])) for tag, size in ((0x100, full_size), (0x111, shown)) if size
    ]
    sizes.append((0x0130, b"\0\0\0\1"))
    own = struct.pack(">I", len(sizes)) + b"".join(
        struct.pack(">HH", tag, len(value)) + value for tag, value in sizes
    )
    data = stream({0xF000: (4, 0)})
    inner = directory({0xF001: (4, 4992), 0xF002: (4, 3296), 0xF003: (4, bits)}, len(data))
    data = stream({0xF000: (4, len(data))}) + inner
    head = b"FUJIFILMCCD-RAW 0201FF383501" + b"X-T1".ljust(32, b"\0") + b"0100" + bytes(20)
    at, parts = len(head) + 24, [preview, own, data]
    for part in parts:
        head += struct.pack(">II", at, len(part))
        at += len(part)
    return head + b"".join(parts)


def mrw(order: str = ">") -> bytes:
    """Minolta MRW."""
    sizes = (
        b"27820001" + struct.pack(order + "4H", 2456, 3272, 2448, 3264) + bytes([12, 12, 0x59, 0]) + bytes(4)
    )
    exif = tiff(raster(3264, 2448) | camera("Minolta Co., Ltd.", "DiMAGE A1"), EXIF, GPS, order=order)
    blocks = b"".join(
        b"\0" + name + struct.pack(order + "I", len(data)) + data
        for name, data in ((b"PRD", sizes), (b"TTW", exif), (b"PAD", bytes(8)))
    )
    return (b"\0MRM" if order == ">" else b"\0MRI") + struct.pack(order + "I", len(blocks)) + blocks


def x3f(version: int = 0x20002, rotation: int = 0, preview: bool = False,
        size: tuple[int, int] = (2268, 1512)) -> bytes:  # fmt: skip
    """Sigma X3F, with properties or with a JPEG preview that has EXIF."""
    at = 40 if version >= 4 << 16 else 28
    out = (b"FOVb" + struct.pack("<I", version)).ljust(at, b"\0") + struct.pack("<III", *size, rotation)
    out = out.ljust(300, b"\0")
    texts = {
        "CAMMANUF": "SIGMA",
        "CAMMODEL": "SIGMA SD10",
        "TIME": "1714979289",
        "SHUTTER": "0.01",
        "ISO": "100",
    }
    heap, pairs = "", b""
    for name, value in texts.items():
        pairs += struct.pack("<II", len(heap), len(heap) + len(name) + 1)
        heap += f"{name}\0{value}\0"
    properties = b"SECp" + struct.pack("<IIIII", 0x20000, len(texts), 0, 0, len(heap)) + pairs
    sections = [(b"PROP", properties + heap.encode("utf-16-le"))]
    sections.append((b"IMAG", b"SECi" + struct.pack("<6I", 0x20000, 3, 6, 2304, 1531, 0)))
    if preview:
        picture = jpeg(exif=tiff(camera("SIGMA", "SIGMA DP2"), EXIF, GPS))
        sections.append((b"IMA2", b"SECi" + struct.pack("<6I", 0x20000, 2, 18, 48, 32, 0) + picture))
    listed = b"SECd" + struct.pack("<II", 0x20000, len(sections))
    for kind, data in sections:
        listed += struct.pack("<II", len(out), len(data)) + kind
        out += data
    return out + listed + struct.pack("<I", len(out))


def heap(records: Sequence[tuple[int, bytes]], order: str = "<") -> bytes:
    """A CIFF heap: the values, the directory, and where that starts."""
    values, rows = b"", b""
    for tag, value in records:
        if tag & 0x4000:
            rows += struct.pack(order + "H", tag) + value.ljust(8, b"\0")
        else:
            rows += struct.pack(order + "HII", tag, len(value), len(values))
            values += value
    return values + struct.pack(order + "H", len(records)) + rows + struct.pack(order + "I", len(values))


def crw(rotation: int = 0, order: str = "<", names: bytes = b"Canon\0Canon EOS 10D\0") -> bytes:
    """Canon CRW."""
    image = struct.pack(order + "IIfiIII", 3072, 2048, 1.0, rotation, 8, 24, 1)
    time = struct.pack(order + "III", 1714979289, 0, 0)
    exposure = struct.pack(order + "fff", 0.0, 6.0, 5.0)
    properties = heap(
        [(0x080A, names), (0x180B, struct.pack(order + "I", 123)), (0x1810, image), (0x180E, time),
         (0x1818, exposure), (0x101C | 0x4000, struct.pack(order + "H", 100))], order,
    )  # fmt: skip
    thumbnail = jpeg()
    body = heap([(0x2005, b"\xff\xd8" + bytes(100)), (0x2008, thumbnail), (0x300A, properties)], order)
    return (b"II" if order == "<" else b"MM") + struct.pack(order + "I", 26) + b"HEAPCCDR" + bytes(12) + body


def cr3(brand: bytes = b"crx ", compressor: bytes = b"CanonCR3_001/00.09.00/00.00.00", main: Tags | None = None,
        samples: int = 1, compressed: bool = True) -> bytes:  # fmt: skip
    """Canon CR3: Canon's box with the directories of EXIF, and tracks of which the largest is the raw image."""
    described = raster(6000, 4000, compression=6) | camera("Canon", "Canon EOS M50") if main is None else main
    parts = [(b"CNCV", compressor), (b"CMT1", tiff(described)), (b"CMT2", tiff(EXIF)), (b"CMT4", tiff(GPS))]
    own = box(
        b"uuid", bytes.fromhex("85c0b687820f11e08111f4ce462b6a48") + b"".join(box(*part) for part in parts)
    )

    def track(width: int, height: int, bits: int, count: int) -> bytes:
        header = struct.pack(">HHHH4I", 0xFFFF, 0x30, 0x100, 0, width, height, width // 2, height)
        sized = bytes(24) + struct.pack(">HH", width, height) + bytes(54)
        inner = box(b"CMP1", header + bytes([bits]) + bytes(27)) if compressed else box(b"free", b"")
        entry = box(b"CRAW", sized + (inner if bits else box(b"JPEG", bytes(4))))
        tables = full(b"stsd", struct.pack(">I", 1) + entry) + full(b"stsz", struct.pack(">II", 0, count))
        return box(b"trak", box(b"mdia", box(b"minf", box(b"stbl", tables))))

    movie = box(
        b"moov", own + track(9000, 9000, 0, 1) + track(1624, 1080, 10, 1) + track(6288, 4056, 14, samples)
    )
    return box(b"ftyp", brand + b"\0\0\0\1crx isom") + movie + box(b"mdat", bytes(64))


#: A file of each kind.
SAMPLES: dict[str, bytes] = {
    "DNG": stream(raster(256, 171, 1) | {0xC612: (1, [1, 4, 0, 0]), **camera("Apple")}, [sensor(8064, 6048)],
                   exif=EXIF, gps=GPS),
    "GPR": stream(raster(256, 171, 1) | {0xC612: (1, [1, 4, 0, 0]), **camera("GoPro")},
                   [sensor(4000, 3000, compression=9)], exif=EXIF, gps=GPS),
    "NEF": made_by("NIKON CORPORATION", "NIKON D750", compression=34713),
    "NRW": made_by("NIKON", "COOLPIX P7000", bits=12),
    "ARW": made_by("SONY", "ILCE-7M3", compression=32767),
    "SR2": made_by("SONY", "DSC-R1"),
    "SRF": stream(raster(160, 120, 1) | camera("SONY", "DSC-F828"), gps=GPS,
                   exif=EXIF | {0xA002: (4, 3264), 0xA003: (4, 2448)}),
    "PEF": stream(sensor(4992, 3284, compression=65535) | camera("PENTAX", "K-5"), chain=[raster(160, 120)],
                   exif=EXIF, gps=GPS),
    "SRW": made_by("SAMSUNG", "NX300", compression=32770, bits=12),
    "3FR": made_by("Hasselblad", "Hasselblad H3D"),
    "FFF": made_by("Imacon", "Ixpress"),
    "KDC": stream(raster(160, 120) | camera("EASTMAN KODAK COMPANY", "KODAK P880") | {0xFE00: (4, 8)}, gps=GPS,
                   exif=EXIF | {0xA002: (4, 3264), 0xA003: (4, 2448)}),
    "DCR": made_by("Kodak", "DCS Pro 14N", compression=65000, bits=12),
    "ERF": made_by("SEIKO EPSON CORP.", "R-D1"),
    "MEF": made_by("Mamiya-OP Co.,Ltd.", "MAMIYA ZD"),
    "MOS": made_by("Leaf", "Leaf Aptus 22", bits=16),
    "ORF": stream(raster(4640, 3472, None, 16, 1, 1) | camera("OLYMPUS CORPORATION", "E-M1"), magic=b"IIRO",
                   exif=EXIF, gps=GPS),
    "IIQ": iiq(),
    "CR2": cr2(),
    "CR3": cr3(),
    "CRW": crw(),
    "RAF": raf(),
    "RW2": rw2(),
    "RAW": stream({0x02: (3, 2700), 0x03: (3, 2000)} | camera("Panasonic", "DMC-FZ30"), magic=b"IIU\0",
                   exif=EXIF, gps=GPS),
    "RWL": rw2(make="LEICA"),
    "MRW": mrw(),
    "X3F": x3f(),
}  # fmt: skip
