"""Make the small image files of this folder and the records expected of them.

python tests/images/make_images.py             make golden.json anew from the files here (check the diff!)
python tests/images/make_images.py --images    make the files, too (needs Pillow and pillow-heif)
"""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path
from typing import Any

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parents[1] / "lambdas" / "shared"))

SUFFIXES = (".jpg", ".mpo", ".png", ".gif", ".webp", ".tif", ".avif", ".heic", ".bmp", ".ico", ".psd", ".jp2")
XMP = """<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">
<rdf:Description rdf:about="" xmlns:dc="http://purl.org/dc/elements/1.1/" xmlns:xmp="http://ns.adobe.com/xap/1.0/"
 xmlns:photoshop="http://ns.adobe.com/photoshop/1.0/" xmp:Rating="4"
 photoshop:DateCreated="2023-07-14T18:05:09.250+02:00">
<dc:title><rdf:Alt><rdf:li xml:lang="x-default">Harbour at dusk</rdf:li><rdf:li xml:lang="de">Hafen</rdf:li></rdf:Alt>
</dc:title><dc:creator><rdf:Seq><rdf:li>Zoë Ång</rdf:li></rdf:Seq></dc:creator>
<dc:subject><rdf:Bag><rdf:li>harbour</rdf:li><rdf:li>dusk</rdf:li></rdf:Bag></dc:subject></rdf:Description></rdf:RDF>
</x:xmpmeta>""".encode()


def exif_block() -> Any:
    """EXIF with a camera, an exposure, a date with its offset, a position south and west, and a turn."""
    from PIL import Image
    from PIL.TiffImagePlugin import IFDRational as Ratio

    exif = Image.Exif()
    exif[0x010F], exif[0x0110], exif[0x0112] = "Acme Optics", "Model 7", 6
    exif[0x0131], exif[0x8298] = "firmware 1.2", "(c) 2024 A. Person"
    detail = exif.get_ifd(0x8769)
    detail[0x829A], detail[0x829D], detail[0x8827] = Ratio(1, 125), Ratio(28, 10), 400
    detail[0x9003], detail[0x9291], detail[0x9011] = "2024:05:06 07:08:09", "120", "-03:30"
    detail[0x920A], detail[0xA405], detail[0x9209] = Ratio(35, 1), 52, 16
    detail[0xA434], detail[0xA431] = "35mm f/2.8", "SN-0042"
    gps = exif.get_ifd(0x8825)
    gps[1], gps[2] = "S", (Ratio(33), Ratio(51), Ratio(3054, 100))
    gps[3], gps[4] = "W", (Ratio(70), Ratio(40), Ratio(12, 1))
    gps[5], gps[6] = b"\1", Ratio(25, 2)
    return exif


def make_images() -> None:
    """Write the files; their bytes depend on the versions of the encoders, so they are committed."""
    from PIL import Image, ImageCms
    from PIL.PngImagePlugin import PngInfo
    from pillow_heif import register_heif_opener

    register_heif_opener()
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    picture = Image.linear_gradient("L").resize((48, 32)).convert("RGB")
    other = picture.transpose(Image.Transpose.FLIP_TOP_BOTTOM)
    picture.save(HERE / "camera.jpg", exif=exif_block(), quality=50)
    picture.save(
        HERE / "described.jpg", xmp=XMP, icc_profile=profile, progressive=True, dpi=(240, 240), quality=50
    )
    picture.convert("CMYK").save(HERE / "print.jpg", quality=50)
    picture.save(HERE / "views.mpo", save_all=True, append_images=[other], quality=50)
    text = PngInfo()
    text.add_text("Title", "Tést")
    text.add_text("Creation Time", "Tue, 14 May 2024 10:11:12 +0200")
    text.add_itxt("Description", "long and compressed", zip=True)
    picture.convert("RGBA").save(HERE / "text.png", pnginfo=text, dpi=(150, 150), exif=exif_block())
    Image.new("I;16", (20, 10), 40000).save(HERE / "deep.png")
    picture.quantize(5).save(HERE / "palette.png", transparency=2)
    picture.save(
        HERE / "moving.png", save_all=True, append_images=[other, picture], duration=[100, 250, 50], loop=2
    )
    picture.quantize(8).save(
        HERE / "moving.gif",
        save_all=True,
        append_images=[other.quantize(8)],
        duration=120,
        loop=0,
        comment=b"hello",
    )
    picture.save(HERE / "lossless.webp", lossless=True, exif=exif_block(), xmp=XMP, icc_profile=profile)
    picture.save(
        HERE / "moving.webp", save_all=True, append_images=[other], duration=[80, 120], loop=3, quality=30
    )
    page = picture.resize((12, 8))
    page.save(HERE / "pages.tif", save_all=True, append_images=[page.convert("L"), page], dpi=(72, 72))
    page.convert("RGBA").save(HERE / "big.tif", big_tiff=True)
    picture.save(HERE / "still.avif", quality=30, exif=exif_block(), icc_profile=profile)
    picture.save(HERE / "moving.avif", save_all=True, append_images=[other], duration=100, quality=30)
    picture.save(HERE / "phone.heic", quality=30, exif=exif_block().tobytes())
    picture.quantize(4).save(HERE / "colours.bmp")
    picture.resize((16, 16)).save(HERE / "site.ico", sizes=[(16, 16)])


def golden() -> dict[str, Any]:
    """What the extractor says of each file, by name; its version aside, so that what differs is a difference."""
    from image_metadata import extract

    records = {}
    for path in sorted(HERE.iterdir()):
        if path.suffix in SUFFIXES:
            records[path.name] = extract(path).to_dict()
            del records[path.name]["extractor_version"]
    return records


if __name__ == "__main__":
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--images", action="store_true", help="make the image files, too")
    if parser.parse_args().images:
        make_images()
    (HERE / "golden.json").write_text(
        json.dumps(golden(), indent=1, ensure_ascii=False) + "\n", encoding="utf-8"
    )
