"""The bounds that several readers share.

No sane file needs a larger bound for its right record; each line states what the bound protects from.
"""

from __future__ import annotations

# --- how a source is read -------------------------------------------------------------------------------

#: Bytes of the first request. It holds everything for 98 % of JPEGs; where a file's end holds the rest (TIFF, WebP),
#: with one request of `MIN_FETCH` it makes 64 KiB.
FIRST_BLOCK = 60 * 1024
#: A file up to this size that is read at its end too is fetched by one request: it takes less time than a second one,
#: and bytes from S3 cost nothing in its region.
MAX_AT_ONCE = 512 * 1024
#: The least that a later request asks for: a structure's header and what follows it closely.
MIN_FETCH = 4 * 1024
#: The most that a later request reads ahead while a file is walked block by block.
MAX_READ_AHEAD = 512 * 1024
#: The most that is read at once of a JPEG's segments before its frame header.
MAX_SEGMENT_STEP = 4 * 1024 * 1024
#: Ranges asked for together that lie closer than this are fetched as one request.
MERGE_GAP = 16 * 1024
#: All bytes that one extraction may fetch: what a JPEG may have of blocks (content credentials, depth, profiles) before
#: its frame header.
MAX_BYTES = 12 * 1024 * 1024
#: Bytes of image data that are gone through for nothing but a count (GIF frames).
MAX_COUNTED = 4 * 1024 * 1024
#: All requests that one extraction may make.
MAX_REQUESTS = 64

# --- what an image may be -------------------------------------------------------------------------------

#: Pixels along one side. More is `too_large`.
MAX_DIMENSION = 2_000_000
#: Pixels in all. More is `too_large`; the record still states the size.
MAX_PIXELS = 100_000_000_000

# --- what a metadata block may be -----------------------------------------------------------------------

#: Bytes of one EXIF block (TIFF files are walked in place and need no block).
MAX_EXIF = 4 * 1024 * 1024
#: EXIF blocks of one file that are read.
MAX_EXIF_BLOCKS = 8
#: Bytes of one XMP packet, extended parts included.
MAX_XMP = 1024 * 1024
#: Bytes of one ICC profile: the description is looked up, larger profiles lose nothing but their tail.
MAX_ICC = 1024 * 1024
#: Bytes of one IPTC block or Photoshop resource block.
MAX_IPTC = 512 * 1024
#: Bytes that one compressed block (PNG text, ICC, EXIF profile) may inflate to.
MAX_INFLATED = 1024 * 1024
#: Bytes that all compressed blocks of one file may inflate to: a hundred small bombs are one large bomb.
MAX_INFLATED_TOTAL = 8 * 1024 * 1024
#: Characters of one text value in the record.
MAX_TEXT = 32 * 1024
#: Raw profiles of a PNG that are read one inside the other, each of which halves.
MAX_NESTED_PROFILES = 4
#: Keywords in the record.
MAX_KEYWORDS = 1000
#: Warnings in the record.
MAX_WARNINGS = 20

# --- how far a structure is followed --------------------------------------------------------------------

#: Entries of one TIFF directory.
MAX_IFD_ENTRIES = 2_000
#: Directories of one TIFF stream (pages); a file with more states no frame count.
MAX_IFDS = 2_000
#: Sub-directories of one TIFF directory that are read.
MAX_SUB_IFDS = 16
#: Bytes of one TIFF value that is decoded.
MAX_VALUE = 64 * 1024
#: Segments of one JPEG before its frame header.
MAX_SEGMENTS = 1_000
#: Segments of one JPEG inside another file before its frame header.
MAX_INNER_SEGMENTS = 32
#: Chunks of one PNG or RIFF file.
MAX_CHUNKS = 100_000
#: Frames of one GIF.
MAX_GIF_BLOCKS = 200_000
#: Bytes before a JPEG's or TIFF's own start that are passed over.
MAX_LEADING_GARBAGE = 1024
#: How deep the elements of one XMP packet may nest.
MAX_XMP_DEPTH = 64
