"""Which kind of raw file a TIFF stream is, by its content: a version tag, a magic number, the maker.

Media types are those of freedesktop.org's shared MIME database, and those that raw converters use where it has none.
No two makers agree on a mark, so these are the ones that the files themselves carry (listed by libopenraw, ExifTool,
rawspeed). A file that says none of them is a TIFF, even if it holds a sensor's raster (TIFF/EP).
"""

from __future__ import annotations

from ...blocks.ifd import Directory, TiffStream
from ...model import FileType
from ..rasters import COMPRESSION, JPEG_FILE, PENTAX, SENSOR_COMPRESSIONS, SUB_DIRECTORIES, Rasters, raster_of

DNG = FileType("DNG", "image/x-adobe-dng", "dng")
GPR = FileType("GPR", "image/x-gopro-gpr", "gpr")
CR2 = FileType("CR2", "image/x-canon-cr2", "cr2")
NEF = FileType("NEF", "image/x-nikon-nef", "nef")
NRW = FileType("NRW", "image/x-nikon-nrw", "nrw")
ARW = FileType("ARW", "image/x-sony-arw", "arw")
SR2 = FileType("SR2", "image/x-sony-sr2", "sr2")
SRF = FileType("SRF", "image/x-sony-srf", "srf")
PEF = FileType("PEF", "image/x-pentax-pef", "pef")
SRW = FileType("SRW", "image/x-samsung-srw", "srw")
ORF = FileType("ORF", "image/x-olympus-orf", "orf")
IIQ = FileType("IIQ", "image/x-phaseone-iiq", "iiq")
FR3 = FileType("3FR", "image/x-hasselblad-3fr", "3fr")
FFF = FileType("FFF", "image/x-hasselblad-fff", "fff")
KDC = FileType("KDC", "image/x-kodak-kdc", "kdc")
DCR = FileType("DCR", "image/x-kodak-dcr", "dcr")
ERF = FileType("ERF", "image/x-epson-erf", "erf")
MEF = FileType("MEF", "image/x-mamiya-mef", "mef")
MOS = FileType("MOS", "image/x-leaf-mos", "mos")
TYPES = (DNG, GPR, CR2, NEF, NRW, ARW, SR2, SRF, PEF, SRW, ORF, IIQ, FR3, FFF, KDC, DCR, ERF, MEF, MOS)

_MAKE, _MODEL, _SOFTWARE = 0x010F, 0x0110, 0x0131
_DNG_VERSION, _DNG_PRIVATE, _KODAK, _LEAF = 0xC612, 0xC634, 0xFE00, 0x8606
_ORIGINAL_NAME = 0xC68B  # of the raw file that was converted
_VC5 = 9  # a compression
_OLYMPUS = frozenset((b"IIRO", b"IIRS", b"MMOR"))
#: How the makers write themselves, and whom that makes them.
_MAKERS = (
    ("NIKON", "NIKON"), ("SONY", "SONY"), ("PENTAX", "PENTAX"), ("RICOH", "PENTAX"), ("ASAHI", "PENTAX"),
    ("SAMSUNG", "SAMSUNG"), ("HASSELBLAD", "HASSELBLAD"), ("IMACON", "IMACON"), ("PHASE ONE", "PHASE ONE"),
    ("EASTMAN KODAK", "KODAK"), ("KODAK", "KODAK"), ("SEIKO EPSON", "EPSON"), ("EPSON", "EPSON"),
    ("MAMIYA", "MAMIYA"), ("LEAF", "LEAF"),
)  # fmt: skip


def kind_of(tiff: TiffStream, main: Directory, rasters: Rasters) -> FileType | None:
    """The kind of raw file; None for a plain TIFF."""
    head = tiff.read_at(0, 12)
    if head[:4] in _OLYMPUS:
        return ORF
    if _DNG_VERSION in main:
        return GPR if _is_gopro(tiff, main, rasters) else DNG
    if head[8:11] == b"CR\2":
        return CR2
    if head[8:12] in (b"IIII", b"MMMM"):
        return IIQ
    return _by_maker(tiff, main, rasters)


def _is_gopro(tiff: TiffStream, main: Directory, rasters: Rasters) -> bool:
    """Whether a DNG is GoPro's own: by its compression, or by its maker if no converter names the file it was."""
    if rasters.sensor is not None and rasters.sensor.compression == _VC5:
        return True
    return (tiff.text(main.get(_MAKE)) or "").upper().startswith("GOPRO") and _ORIGINAL_NAME not in main


def _maker(tiff: TiffStream, main: Directory, rasters: Rasters) -> str | None:
    make = (tiff.text(main.get(_MAKE)) or "").upper()
    compression = rasters.sensor.compression if rasters.sensor else None
    if make.startswith("SAMSUNG") and compression == PENTAX:
        return "PENTAX"  # who built that camera
    named = next((maker for name, maker in _MAKERS if make.startswith(name)), None)
    return named or SENSOR_COMPRESSIONS.get(compression or 0)


def _by_maker(tiff: TiffStream, main: Directory, rasters: Rasters) -> FileType | None:
    make, model = (tiff.text(main.get(tag)) or "" for tag in (_MAKE, _MODEL))
    maker = _maker(tiff, main, rasters)
    # Where sub-directories are missing below a preview, the sensor's raster is one of them.
    sensor = rasters.sensor is not None or (rasters.lost > 0 and rasters.full is None)
    if maker == "NIKON" and (sensor or _hides_its_image(tiff, main, rasters)):
        small = "COOLPIX" in model.upper() or (JPEG_FILE in main and tiff.number(main.get(COMPRESSION)) == 6)
        return NRW if small else NEF
    if maker == "SONY" and (sensor or _DNG_PRIVATE in main or model == "DSC-F828"):
        return {"DSC-R1": SR2, "DSC-F828": SRF, "DSC-V3": SRF}.get(model, ARW)
    if _KODAK in main or (maker == "KODAK" and sensor):
        return DCR if "DCS" in model or make.upper().startswith("KODAK") else KDC
    if maker == "LEAF" and (sensor or _LEAF in main):
        return MOS
    if not sensor:
        return None
    if maker in ("HASSELBLAD", "IMACON"):
        scan = maker == "IMACON" or "flexcolor" in (tiff.text(main.get(_SOFTWARE)) or "").lower()
        return FFF if scan else FR3
    return {"PENTAX": PEF, "SAMSUNG": SRW, "PHASE ONE": IIQ, "EPSON": ERF, "MAMIYA": MEF}.get(maker or "")


def _hides_its_image(tiff: TiffStream, main: Directory, rasters: Rasters) -> bool:
    """Whether the first directory is a preview of what stands below it: scans as NEF, and files that are cut off."""
    first = raster_of(tiff, main)
    return SUB_DIRECTORIES in main and (rasters.lost > 0 or first is None or not first.full)
