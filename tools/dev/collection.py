"""A made collection for the demo, which looks like somebody's: cameras, places, years, copies, a few broken files.

The pictures are drawn: a sky, its sun or moon, and hills, houses or the sea before it. The same every time.
"""

from __future__ import annotations

import io
import itertools
import random
from dataclasses import dataclass
from xml.sax.saxutils import escape

from PIL import Image, ImageChops, ImageDraw, ImageFilter

SIZE = (1200, 800)
Colour = tuple[int, int, int]


@dataclass(frozen=True)
class Camera:
    """A camera, and what the pictures of a real one state."""

    make: str
    model: str
    lens: str
    focal_length: float


@dataclass(frozen=True)
class Place:
    """Where pictures are taken, and what is to be seen there."""

    name: str
    latitude: float
    longitude: float
    offset: str
    land: str  # hills, houses or sea


@dataclass(frozen=True)
class Light:
    """The colours of an hour: the sky above and at the horizon, the sun or moon, what stands in front of it."""

    above: Colour
    below: Colour
    lamp: Colour
    front: Colour


CAMERAS = (
    Camera("Canon", "Canon EOS R5", "RF24-105mm F4 L IS USM", 35.0),
    Camera("NIKON CORPORATION", "NIKON Z 6", "NIKKOR Z 24-70mm f/4 S", 50.0),
    Camera("SONY", "ILCE-7M4", "FE 24-70mm F2.8 GM", 28.0),
    Camera("FUJIFILM", "X-T5", "XF16-55mmF2.8 R LM WR", 23.0),
    Camera("Apple", "iPhone 15 Pro", "iPhone 15 Pro back triple camera 6.765mm f/1.78", 6.8),
    Camera("Google", "Pixel 8", "Pixel 8 back camera 6.9mm f/1.68", 6.9),
)
PLACES = (
    Place("Paris", 48.8584, 2.2945, "+02:00", "houses"),
    Place("Sydney", -33.8568, 151.2153, "+11:00", "sea"),
    Place("Reykjavik", 64.1466, -21.9426, "+00:00", "hills"),
    Place("Rio de Janeiro", -22.9519, -43.2105, "-03:00", "sea"),
    Place("Ciudad de México", 19.4326, -99.1332, "-06:00", "houses"),
    Place("Banff", 51.1784, -115.5708, "-07:00", "hills"),
    Place("Kyoto", 35.0116, 135.7681, "+09:00", "houses"),
    Place("Cape Town", -33.9249, 18.4241, "+02:00", "hills"),
    Place("Porto", 41.1496, -8.6109, "+01:00", "sea"),
    Place("Zermatt", 46.0207, 7.7491, "+01:00", "hills"),
    Place("New York", 40.7484, -73.9857, "-05:00", "houses"),
    Place("Kathmandu", 27.7172, 85.3240, "+05:45", "hills"),
)
LIGHTS = {
    "morning": Light((92, 138, 196), (250, 214, 178), (255, 244, 214), (70, 84, 108)),
    "noon": Light((36, 112, 206), (190, 226, 248), (255, 253, 238), (58, 116, 84)),
    "evening": Light((58, 44, 104), (246, 132, 74), (255, 214, 120), (44, 32, 58)),
    "night": Light((6, 10, 30), (34, 46, 92), (226, 232, 244), (10, 14, 26)),
}


def collection() -> dict[str, bytes]:
    """Name -> content of some fifty files."""
    rng = random.Random(2019)  # noqa: S311 - the same pictures every time
    found: dict[str, bytes] = {}
    pictures: dict[str, Image.Image] = {}
    for number in range(40):
        place, camera = PLACES[number % len(PLACES)], CAMERAS[rng.randrange(len(CAMERAS))]
        light = rng.choice(list(LIGHTS))
        picture = scene(place.land, light, rng)
        name = f"{place.name.lower().replace(' ', '-')}-{light}-{number + 1:02d}"
        details = _Details(rng, place, camera, light)
        turned = number % 9 == 4
        name, data = _saved(name, picture, details, number, turned)
        found[name] = data
        pictures[name] = picture
    originals = [name for name in found if name.endswith(".jpg")]
    for name in originals[:4]:  # the same file once more
        found[f"copies/{name}"] = found[name]
    for name in originals[2:6]:  # the same picture, as it comes back from a chat
        small = pictures[name].resize((900, 600))
        found[f"chat/IMG-{name}"] = encoded(small, "JPEG", quality=55)
    first = originals[0]
    blurred = pictures[first].filter(ImageFilter.GaussianBlur(14))
    found["out-of-focus.jpg"] = encoded(blurred, "JPEG", quality=80)
    found["lens-cap.jpg"] = encoded(_noise((900, 600), 30, rng), "JPEG")
    found["panorama.jpg"] = encoded(_panorama(rng), "JPEG", quality=80)
    found["icon.png"] = encoded(pictures[first].resize((24, 24)), "PNG")
    found["photo-or-not.jpg"] = encoded(pictures[first].resize((600, 400)), "PNG")
    found["cut-off.jpg"] = found[first][:700]
    found["shopping-list.jpg"] = b"Milk, bread, film for the camera.\n" * 20
    return found


def scene(land: str, hour: str, rng: random.Random) -> Image.Image:
    """One picture."""
    width, height = SIZE
    light = LIGHTS[hour]
    down = Image.linear_gradient("L").resize(SIZE)
    sky = Image.composite(Image.new("RGB", SIZE, light.below), Image.new("RGB", SIZE, light.above), down)
    draw = ImageDraw.Draw(sky)
    if hour == "night":
        for _ in range(240):
            x, y, wide = rng.randrange(width), rng.randrange(height * 2 // 3), rng.choice((1, 1, 2))
            draw.ellipse((x, y, x + wide, y + wide), fill=(220, 226, 240))
    x, y, wide = rng.randrange(150, width - 150), rng.randrange(100, 340), rng.randrange(35, 70)
    halo = Image.new("L", (width // 10, height // 10))
    ImageDraw.Draw(halo).ellipse(
        [(each + side * wide * 3) / 10 for side in (-1, 1) for each in (x, y)], fill=110
    )
    sky.paste(light.lamp, (0, 0), halo.filter(ImageFilter.GaussianBlur(5)).resize(SIZE))
    draw.ellipse((x - wide, y - wide, x + wide, y + wide), fill=light.lamp)
    {"hills": _hills, "houses": _houses, "sea": _sea}[land](draw, light, rng)
    return ImageChops.add(sky, Image.merge("RGB", (_noise(SIZE, 40, rng),) * 3))


def _noise(size: tuple[int, int], divisor: int, rng: random.Random) -> Image.Image:
    """Grain; Pillow's own is another each time."""
    return Image.frombytes("L", size, rng.randbytes(size[0] * size[1])).point(lambda value: value // divisor)


def _between(one: Colour, other: Colour, share: float) -> Colour:
    red, green, blue = (round(a + (b - a) * share) for a, b in zip(one, other, strict=True))
    return red, green, blue


def _hills(draw: ImageDraw.ImageDraw, light: Light, rng: random.Random) -> None:
    width, height = SIZE
    for layer in range(4):
        base, rough = 380 + layer * 105, 160 - layer * 30
        points: list[float] = [base - rng.random() * rough for _ in range(3)]
        while (
            len(points) < 100
        ):  # each step halves the distance, and how far the middle may lie from the line
            rough = rough // 2
            middles = [
                (one + other) / 2 + (rng.random() - 0.5) * rough for one, other in itertools.pairwise(points)
            ]
            points = [point for pair in zip(points, middles, strict=False) for point in pair] + points[-1:]
        step = width / (len(points) - 1)
        outline = [(index * step, value) for index, value in enumerate(points)]
        draw.polygon(
            [(0, height), *outline, (width, height)],
            fill=_between(light.below, light.front, 0.35 + layer * 0.21),
        )


def _houses(draw: ImageDraw.ImageDraw, light: Light, rng: random.Random) -> None:
    width, height = SIZE
    for layer in range(3):
        x, colour = -30, _between(light.below, light.front, 0.45 + layer * 0.27)
        while x < width:
            wide, top = rng.randrange(70, 170), rng.randrange(280 + layer * 105, 510 + layer * 90)
            draw.rectangle((x, top, x + wide, height), fill=colour)
            if rng.random() < 0.25:
                draw.polygon([(x, top), (x + wide / 2, top - wide * 0.7), (x + wide, top)], fill=colour)
            for window_y in range(top + 22, height, 42):
                for window_x in range(x + 14, x + wide - 20, 30):
                    if rng.random() < 0.3:
                        draw.rectangle((window_x, window_y, window_x + 12, window_y + 18), fill=light.lamp)
            x += wide + rng.randrange(-20, 30)


def _sea(draw: ImageDraw.ImageDraw, light: Light, rng: random.Random) -> None:
    width, height = SIZE
    horizon = rng.randrange(450, 530)
    draw.rectangle((0, horizon, width, height), fill=_between(light.below, light.front, 0.55))
    for _ in range(420):
        depth = rng.random() ** 2
        x, y = rng.randrange(width), horizon + depth * (height - horizon)
        long = 10 + depth * 130
        tone = _between(light.lamp, light.front, 0.35 + rng.random() * 0.6)
        draw.ellipse((x - long, y, x + long, y + 1 + depth * 7), fill=tone)
    x = rng.randrange(300, width - 300)
    draw.polygon(
        [(x - 60, horizon + 40), (x + 60, horizon + 40), (x + 40, horizon + 64), (x - 40, horizon + 64)],
        fill=light.front,
    )
    draw.polygon(
        [(x, horizon - 90), (x, horizon + 34), (x + 62, horizon + 34)],
        fill=_between(light.lamp, light.front, 0.2),
    )


def _panorama(rng: random.Random) -> Image.Image:
    wide = Image.new("RGB", (SIZE[0] * 4, SIZE[1] // 2))
    for index, light in enumerate(LIGHTS):
        wide.paste(scene("hills", light, rng).crop((0, 200, SIZE[0], 600)), (index * SIZE[0], 0))
    return wide


class _Details:
    """What a picture's file states."""

    def __init__(self, rng: random.Random, place: Place, camera: Camera, light: str) -> None:
        hour = {"morning": 7, "noon": 12, "evening": 19, "night": 23}[light]
        self.taken = (
            f"{rng.choice(range(2019, 2026))}:{rng.randrange(1, 13):02d}:{rng.randrange(1, 29):02d}"
            f" {hour:02d}:{rng.randrange(60):02d}:{rng.randrange(60):02d}"
        )
        self.place, self.camera = place, camera
        self.latitude = place.latitude + rng.uniform(-0.05, 0.05)
        self.longitude = place.longitude + rng.uniform(-0.05, 0.05)
        self.iso = rng.choice((3200, 6400)) if light == "night" else rng.choice((64, 100, 200, 400))
        self.time = 1 / rng.choice((15, 30)) if light == "night" else 1 / rng.choice((125, 250, 1000))
        self.f_number = rng.choice((1.8, 2.8, 4.0, 8.0))
        self.keywords = [place.name, light, *(["coast"] if place.land == "sea" else [])]
        self.title = (
            f"{place.name} at {light}" if light in ("noon", "night") else f"{light.title()} in {place.name}"
        )
        self.rating = rng.choice((0, 0, 3, 4, 5))
        self.has_place, self.has_date = rng.random() < 0.85, rng.random() < 0.93

    def exif(self, turn: int) -> Image.Exif:
        """The EXIF block."""
        block = Image.Exif()
        block[0x010F], block[0x0110], block[0x0112] = self.camera.make, self.camera.model, turn
        block[0x8769] = {
            0x829A: self.time,
            0x829D: self.f_number,
            0x8827: self.iso,
            0x920A: self.camera.focal_length,
            0xA434: self.camera.lens,
        }
        if self.has_date:
            block[0x8769] |= {0x9003: self.taken, 0x9011: self.place.offset}
        if self.has_place:
            block[0x8825] = {
                1: "N" if self.latitude >= 0 else "S",
                2: degrees(self.latitude),
                3: "E" if self.longitude >= 0 else "W",
                4: degrees(self.longitude),
            }
        return block

    def xmp(self) -> bytes:
        """The XMP packet: title, keywords, rating."""
        words = "".join(f"<rdf:li>{escape(word)}</rdf:li>" for word in self.keywords)
        rating = f'xmp:Rating="{self.rating}"' if self.rating else ""
        return (
            '<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">'
            '<rdf:Description rdf:about="" xmlns:dc="http://purl.org/dc/elements/1.1/"'
            f' xmlns:xmp="http://ns.adobe.com/xap/1.0/" {rating}>'
            f'<dc:title><rdf:Alt><rdf:li xml:lang="x-default">{escape(self.title)}</rdf:li></rdf:Alt></dc:title>'
            f"<dc:subject><rdf:Bag>{words}</rdf:Bag></dc:subject></rdf:Description></rdf:RDF></x:xmpmeta>"
        ).encode()


def degrees(value: float) -> tuple[float, float, float]:
    """Degrees, minutes and seconds of EXIF's GPS block, without the sign."""
    whole = abs(value)
    return (float(int(whole)), float(int(whole * 60 % 60)), round(whole * 3600 % 60, 4))


def _saved(
    name: str, picture: Image.Image, details: _Details, number: int, turned: bool
) -> tuple[str, bytes]:
    turn = 6 if turned else 1
    block = details.exif(turn)
    if turned:  # as the sensor holds it; the viewer turns it upright
        picture = picture.crop((250, 0, 800, 800)).transpose(Image.Transpose.ROTATE_90)
    if number % 8 == 3:
        return f"{name}.webp", encoded(picture, "WEBP", quality=80, exif=block.tobytes(), xmp=details.xmp())
    if number % 8 == 7:
        small = picture.resize((picture.width // 2, picture.height // 2))
        return f"{name}.heic", encoded(small, "HEIF", quality=60, exif=block.tobytes())
    return f"{name}.jpg", encoded(picture, "JPEG", quality=82, exif=block, xmp=details.xmp())


def encoded(picture: Image.Image, kind: str, **options: object) -> bytes:
    """The file that Pillow makes of a picture."""
    if kind == "HEIF":
        # What pillow-heif does by itself takes five times as long, and is better by a decibel at most.
        options["enc_params"] = {"preset": "ultrafast"}
    stream = io.BytesIO()
    picture.save(stream, kind, **options)
    return stream.getvalue()
