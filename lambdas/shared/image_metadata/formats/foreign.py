"""How files begin that are no images, although they may hold one: documents, archives, audio, video, fonts and others.

What may be an image behind stray bytes is looked for only where none of these begins. The list has what embeds
pictures near its start; it need not know every format, because such a picture must also end where the file ends.
"""

from __future__ import annotations

from .. import limits
from ..reader import Reader

#: At a file's start.
FIRST = (
    # documents and data
    b"%PDF", b"%!", b"{\\rtf", b"\xd0\xcf\x11\xe0", b"ITSF", b"AT&TFORM", b"<", b"\xef\xbb\xbf<", b"\xff\xfe<\0",
    b"\xfe\xff\0<", b"{", b"[", b"\x06\x06\xed\xf5", b"\xffWPC", b"Paint Shop Pro", b"gimp xcf", b"\x78\x9f\x3e\x22",
    b"!BDN", b"From ", b"Received:", b"Return-Path:", b"MIME-Version:", b"Subject:", b"Date:", b"To:", b"From:", b"X-",
    b"Delivered-To:", b"Message-ID:", b"Message-Id:", b"DKIM-", b"ARC-", b"Reply-To:", b"Content-", b"--", b"BEGIN:",
    b"WARC/", b"SQLite format 3", b"\x89HDF", b"\x0e\x03\x13\1", b"CDF", b"MATLAB", b"bplist", b"NIBArchive", b"#!",
    b"\x1b", b"@PJL", b"\0\1\0\0St", b"\t\0\4\0", b"\t\2\6\0", b"\t\4\6\0", b"\t\x08\x10\0", b"\0\0\2\0\4\4",
    b"\0\0\2\0\6\4", b"\0\0\x1a\0", b"\x31\xbe\0\0", b"\x32\xbe\0\0", b"\x3f\x5f\3\0", b"\xe4\x52\x5c\x7b", b"ITOLITLS",
    b"L\0R\0F\0", b"\0\xffKA", b"CSFCHUNK", b"PDN3", b"FLIF", b"NITF", b"NSIF", b"AC10", b"BLENDER", b"Kaydara",
    b"glTF", b"-----BEGIN", b"\x30\x82", b"\x30\x80",
    b"L\0\0\0\1\x14\2\0", b"PAR1", b"ARROW1", b"FEA1", b"ORC", b"Obj\1",
    b"\x93NUMPY", b"\x80\2", b"\x80\3", b"\x80\4", b"\x80\5", b"\xac\xed\0\5", b"\xce\xca\xef\xbe",
    # archives, disks, programs, captures
    b"PK\3\4", b"PK\5\6", b"PK00PK", b"Rar!", b"7z\xbc\xaf", b"\x1f\x8b", b"BZh", b"\xfd7zXZ", b"\x28\xb5\x2f\xfd",
    b"\x04\x22\x4d\x18", b"\x1f\x9d", b"\x78\x01", b"\x78\x5e", b"\x78\x9c", b"\x78\xda",
    b"MSCF", b"!<arch>", b"070701", b"070702", b"070707", b"\xc7\x71", b"\x60\xea",
    b"xar!", b"SIT!", b"StuffIt", b"\0\x05\x16\0", b"\0\x05\x16\x07", b"\x7fELF", b"MZ", b"\xca\xfe\xba\xbe",
    b"\xfe\xed\xfa", b"\xce\xfa\xed\xfe", b"\xcf\xfa\xed\xfe", b"dex\n", b"\0asm", b"PACK", b"\xd4\xc3\xb2\xa1",
    b"\xa1\xb2\xc3\xd4", b"\x0a\x0d\x0d\x0a", b"CMMM", b"\x5d\0\0", b"LZIP", b"MSWIM", b"Cr24", b"\xed\xab\xee\xdb",
    b"hsqs", b"DIRC", b"KDMV", b"QFI\xfb", b"conectix", b"regf", b"ElfFile", b"UnityFS", b"BC\xc0\xde", b"L\1",
    b"d\x86",
    b"\0\0\0\0\x20\0\0\0\xff\xff\0\0\xff\xff\0\0",
    # audio and video
    b"ID3", b"fLaC", b"OggS", b"RIFF", b"RIFX", b"RF64", b"FORM",
    b"MAC ", b"MP+", b"MPCK", b"wvpk", b"TTA1", b"APETAGEX", b"DSD ", b"FRM8", b"\x30\x26\xb2\x75", b"\x1a\x45\xdf\xa3",
    b"FLV\1", b"FWS", b"CWS", b"ZWS", b"\0\0\1\xba", b"\0\0\1\xb3", b"MThd", b".snd", b"#!AMR", b".RMF", b"IMPM",
    b"Extended Module", b"caff", b"riff", b"OFR ", b"tBaK", b"ADIF", b"\x0b\x77", b"\x7f\xfe\x80\1", b"\0\0\0\1",
    # fonts
    b"OTTO", b"\0\1\0\0\0", b"true\0", b"ttcf", b"wOFF", b"wOF2", b"\x80\1", b"STARTFONT",
    b"\1fcp",
    # metadata of an image without the image
    b"Exif\0", b"\xff\x01Exiv2", b"Photoshop 3.0\0", b"8BIM", b"http://ns.adobe.com/", b"~\x10\4", b"~\x18\4",
    # MPEG audio, and a JPEG that has lost its start: what starts behind that is its thumbnail
    *(bytes((0xFF, code)) for code in (0xC0, 0xC2, 0xC4, 0xDB, *range(0xE0, 0xFE))),
)  # fmt: skip
#: Behind a length, a name or a checksum.
LATER = (
    (2, b"-lh"), (4, b"ftyp"), (4, b"moov"), (4, b"mdat"), (4, b"wide"), (4, b"free"), (4, b"skip"), (4, b"pnot"),
    (4, b"styp"), (4, b"moof"), (4, b"sidx"), (4, b"uuid"), (4, b"junk"), (4, b"pict"), (4, b"prfl"), (4, b"itch"),
    (1, b"\x0b\r\n"), (1, b"\x0c\r\n"), (1, b"\x0d\r\n"), (1, b"\x0e\r\n"), (1, b"\xf3\r\n"),  # Python's byte code
    (7, b"**ACE**"), (20, b"\xdc\xa7\xc4\xfd"), (34, b"LP"), (44, b"SCRM"),
    (6, b"HEAPJPGM"), (36, b"acsp"), (60, b"BOOKMOBI"), (128, b"DICM"), (257, b"ustar"),
)  # fmt: skip
#: Bytes at a file's end in which an image behind stray bytes must end.
TAIL = 256
_BLOCK = 512
#: Within the bytes that may stand before an image: readers of PDF allow as many before it (PDF 1.7, appendix H, 3.4.1).
_PDF = b"%PDF-"


def is_known(source: Reader) -> bool:
    """Whether a file begins as something else than an image."""
    head = source.read_at(0, limits.MAX_LEADING_GARBAGE)
    if head.startswith(FIRST) or any(head.startswith(name, at) for at, name in LATER):
        return True
    return _PDF in head or _is_tape(head[:_BLOCK])


def ends_with(source: Reader, marker: bytes) -> bool:
    """Whether the marker stands close to the file's end."""
    return marker in source.read_at(max(0, source.size - TAIL), TAIL)


def _is_tape(head: bytes) -> bool:
    """Whether the block is the header of a tar archive without a signature: its checksum is right."""
    stated = head[148:156].strip(b" \0")
    if len(head) < _BLOCK or not stated or stated.strip(b"01234567"):
        return False
    return int(stated, 8) == sum(head[:148]) + 8 * ord(" ") + sum(head[156:])
