"""What decoding one image may cost. Headers are held against these before a pixel is decoded."""

from __future__ import annotations

#: Bytes of the file that is decoded: it lies in /tmp, which has 512 MB in a Lambda function by default.
MAX_FILE_BYTES = 400_000_000
#: Pixels that are decoded. At 4 bytes each (Pillow's RGB), and twice that while a picture with alpha is resized.
MAX_PIXELS = 100_000_000
#: Pixels that a JPEG may state: it is decoded at 1/2 to 1/8 of its size, by rows.
MAX_JPEG_PIXELS = 400_000_000
#: Address space of the decoding process.
MAX_MEMORY_BYTES = 1_600_000_000
#: Seconds that one decoding may take; API Gateway gives up after 28.
MAX_SECONDS = 20.0
#: Text that a PNG may carry; Pillow's own limits, of 1 and 64 MiB, would cost the picture.
MAX_PNG_TEXT = 64 * 1024 * 1024
