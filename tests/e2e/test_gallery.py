"""The gallery in a real browser: every view, upload, deletion and failure, its accessibility, languages and looks.

The steps are in `clients/gallery.mjs`, those that need no browser in `clients/page.mjs`.
GALLERY_PICTURE=docs/gallery.webp writes the README's picture; GALLERY_SHOTS names a folder that keeps the screenshots.
"""

from __future__ import annotations

import json
import os
import re
from pathlib import Path

import pytest
from PIL import Image

from tests.support.clients import CLIENTS, browser, node_modules, program, run
from tests.support.pictures import picture
from tests.support.samples import SAMPLES
from tests.support.stack import ROOT, Stack, eventually
from tools.dev.collection import collection
from tools.ops.sql import Catalogue, Files

#: A text of which every field of a record is made that a file can state.
HOSTILE = '<img src=x onerror="window.hacked=1"><script>window.hacked=1</script>'


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Files to upload in the browser: twelve formats and sizes, a text, a broken one, one for the bucket itself."""
    upload = tmp_path / "upload"
    upload.mkdir()
    for name, data in SAMPLES.items():
        if name not in ("broken.jpg", "notes.jpg"):
            (upload / name).write_bytes(data)
    (upload / "a.png").write_bytes(picture())
    (upload / "text.jpg").write_bytes(SAMPLES["notes.jpg"])
    (upload / "broken.jpg").write_bytes(SAMPLES["broken.jpg"])
    noise = Image.effect_noise((2400, 2000), 90)
    noise.save(upload / "large.bmp")
    Image.new("L", (64, 64), 90).save(upload / "plain.bmp")
    Image.new("RGB", (64, 48), "teal").save(upload / "plain.ppm.tiff", "TIFF")
    assert (upload / "large.bmp").stat().st_size > 4_500_000
    (tmp_path / "shots").mkdir()
    return tmp_path


def test_the_modules_of_the_page_by_themselves(programs: Path) -> None:
    run([program(programs, "node"), "--test-reporter=spec", str(CLIENTS / "page.mjs")], programs, CLIENTS)


@pytest.mark.timeout(900)
def test_the_gallery_in_a_browser(pixels_stack: Stack, programs: Path, folder: Path) -> None:
    stack = pixels_stack
    made = {f"uploads/{name}": data for name, data in collection().items()}
    hostile = Image.Exif()
    for tag in (0x010E, 0x010F, 0x0110, 0x013B, 0x8298):
        hostile[tag] = HOSTILE
    path = folder / "hostile.jpg"
    Image.new("RGB", (60, 40), "red").save(path, exif=hostile)
    made["uploads/<b>script.jpg"] = path.read_bytes()
    # Keys that browsers and gateways take for another's, long ones, and a place at the edge of the world.
    made |= {"uploads/cat.png": picture(3, 40), "uploads/../cat.png": picture(4, 41)}
    folder_of_many = "uploads/2024/05/17 some folder of a client/with another one in it"
    made |= {
        f"{folder_of_many}/IMG_20240517_183015_HDR_{number:03}.png": picture(5, 42) for number in range(90)
    }
    for image_id, data in made.items():
        stack.put(image_id, data)
    stack.drained()
    eventually(
        lambda: {item["image_id"] for item in stack.found(fields="size")} >= set(made), "search knows all"
    )
    unseen = "status = 'ok' AND pixels.phash IS NULL AND pixels.error IS NULL"
    eventually(
        lambda: made.keys().isdisjoint(
            item["image_id"] for item in stack.found(fields="size", filter=unseen)
        ),
        "the pixels of all are known",
        180,
    )
    shots = Path(os.environ.get("GALLERY_SHOTS") or folder / "shots")
    shots.mkdir(exist_ok=True)
    said = run(
        [program(programs, "node"), "--test-reporter=spec", str(CLIENTS / "gallery.mjs")],
        programs,
        folder,
        URL=f"{stack.url}/",
        API_KEY=stack.key,
        SAMPLES=str(folder),
        SHOTS=str(shots),
        BROWSER=browser(programs),
        NODE_MODULES=str(node_modules(programs)),
    )
    print(said)
    (line,) = re.findall(r"REPORT (.+)", said)
    report = json.loads(line)
    assert set(report["axe"].values()) == {0}
    laptop = Catalogue(Files(stack.outputs["search_bucket"], stack.s3), folder, 500)
    _, rows = laptop.rows(report["sql"], 1000)
    assert len(rows) == report["found"] > 0
    laptop.close()
    logged = stack.site.local.log_tail()
    assert stack.key not in logged
    if target := os.environ.get("GALLERY_PICTURE"):
        with Image.open(shots / "images-1280-light.png") as shot:
            shot.convert("RGB").save(ROOT / target, quality=80, method=6)
