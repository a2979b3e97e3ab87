"""Write large images, of formats that have few in public test images, and one picture at 1 and at 108 megapixels.

    python tests/comparison/large.py FOLDER

They are noise, so that they are large, but for that pair; with EXIF, XMP and an ICC profile.
"""

from __future__ import annotations

import argparse
import random
from pathlib import Path

from PIL import Image, ImageCms

_SIZES = ((900, 700), (1200, 900), (1600, 1200))
_XMP = (
    b'<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">'
    b'<rdf:Description xmlns:dc="http://purl.org/dc/elements/1.1/"><dc:title><rdf:Alt>'
    b'<rdf:li xml:lang="x-default">Noise</rdf:li></rdf:Alt></dc:title></rdf:Description></rdf:RDF></x:xmpmeta>'
)


def main() -> None:
    """Write the files; none is over 6 MB."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("folder", type=Path, metavar="FOLDER")
    folder = parser.parse_args().folder
    folder.mkdir(parents=True, exist_ok=True)
    chance = random.Random(1)
    exif = Image.Exif()
    exif[0x010F], exif[0x0112] = "Acme Optics", 6
    blocks = {
        "exif": exif.tobytes(),
        "xmp": _XMP,
        "icc_profile": ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes(),
    }

    def noise(width: int, height: int) -> Image.Image:
        return Image.frombytes("RGB", (width, height), chance.randbytes(width * height * 3))

    for width, height in _SIZES:
        image, name = noise(width, height), f"{width}x{height}"
        for quality in (70, 90):
            image.save(folder / f"{name}-{quality}.avif", quality=quality, speed=10, **blocks)
            image.save(folder / f"{name}-{quality}.webp", quality=quality, **blocks)
        image.save(folder / f"{name}-lossless.webp", lossless=True, method=0, **blocks)
    first, *others = (noise(400, 300) for _ in range(8))
    first.save(folder / "moving.webp", save_all=True, append_images=others, duration=100, **blocks)
    for width, height in ((1200, 900), (12000, 9000)):
        Image.new("RGB", (width, height), "gray").save(folder / f"gray-{width}x{height}.jpg", **blocks)


if __name__ == "__main__":
    main()
