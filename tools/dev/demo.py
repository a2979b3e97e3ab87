"""Show the whole product on this machine: ``make demo`` (``make up`` without images).

Starts the local AWS, deploys onto it by ``deploy.sh``, uploads sample images made on the spot (or yours), waits until
each is indexed, shows what the API answers, deletes one, and says how to go on.
"""

from __future__ import annotations

import argparse
import concurrent.futures
import json
import mimetypes
import os
import subprocess
import sys
import time
import unicodedata
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from rich.table import Table
from rich.text import Text

from tools.deploy.deploy import enter_stage, find_place, wanted_stage
from tools.deploy.terraform import Terraform, TerraformError
from tools.dev.collection import collection, degrees, encoded
from tools.dev.local_aws import DEFAULT_PORT, DEFAULT_STATE, LocalAws, LocalAwsError, port_number
from tools.terminal import console, progress

ROOT = Path(__file__).resolve().parents[2]
LOG = DEFAULT_STATE / "deploy.log"
INDEX_SECONDS = 120.0
UPLOAD_WORKERS = 4
POLL_SECONDS = 0.2
SHOWN_ROWS = 25
LOG_TAIL_LINES = 25
MOST_IMAGES = 5000

PARIS, SYDNEY, REYKJAVIK = (48.8584, 2.2945), (-33.8568, 151.2153), (64.1466, -21.9426)


class DemoError(Exception):
    """The demo cannot go on; the text says what to do about it."""


@dataclass(frozen=True)
class Api:
    """The deployed API: URL and key."""

    url: str
    key: str

    def call(self, method: str, path: str) -> tuple[int, dict[str, object]]:
        """Send a request; returns the status and the JSON of the answer ({} when it has none)."""
        request = urllib.request.Request(self.url + path, method=method, headers={"x-api-key": self.key})
        opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        try:
            with opener.open(request, timeout=60) as answer:
                status, body = answer.status, answer.read()
        except urllib.error.HTTPError as error:
            status, body = error.code, error.read()
        try:
            found = json.loads(body) if body else {}
        except ValueError:
            found = {"detail": body.decode(errors="replace")[:200]}
        return status, found if isinstance(found, dict) else {}

    def record(self, image_id: str) -> tuple[int, dict[str, object]]:
        """The metadata of one image."""
        return self.call("GET", f"/metadata/{urllib.parse.quote(image_id)}")


# --- sample images ------------------------------------------------------------------------------------------------


def sample_images() -> dict[str, bytes]:
    """Images in every common format, made here: name -> content. One of them is broken on purpose."""
    from PIL import Image
    from pillow_heif import register_heif_opener

    register_heif_opener()

    def picture(width: int, height: int, colour: tuple[int, int, int], mode: str = "RGB") -> Image.Image:
        across = Image.linear_gradient("L").rotate(90).resize((width, height))
        down = Image.linear_gradient("L").resize((width, height))
        flat = Image.new("L", (width, height), colour[2])
        return Image.merge("RGB", (across, down, flat)).convert(mode)

    def exif(
        make: str, model: str, taken: str, offset: str, place: tuple[float, float], turn: int = 1
    ) -> Image.Exif:
        block = Image.Exif()
        block[0x010F], block[0x0110], block[0x0112] = make, model, turn
        block[0x8769] = {0x9003: taken, 0x9011: offset, 0x829A: 0.004, 0x829D: 2.8, 0x8827: 200, 0x920A: 35.0}
        latitude, longitude = place
        block[0x8825] = {
            1: "N" if latitude >= 0 else "S",
            2: degrees(latitude),
            3: "E" if longitude >= 0 else "W",
            4: degrees(longitude),
            5: b"\0",
            6: 35.5,
        }
        return block

    eiffel = exif("Canon", "EOS R5", "2024:05:17 18:30:15", "+02:00", PARIS)
    opera = exif("Apple", "iPhone 15 Pro", "2025:01:01 00:00:30", "+11:00", SYDNEY, 6)
    geyser = exif("NIKON CORPORATION", "NIKON Z 6", "2023:09:02 21:05:00", "+00:00", REYKJAVIK)
    frames = [picture(320, 200, (0, 0, shade), "P") for shade in (0, 80, 160, 240)]
    whole = encoded(picture(2400, 1600, (0, 0, 90)), "JPEG", quality=85, exif=eiffel)
    return {
        "eiffel-tower.jpg": whole,
        "Crème brûlée 100% +1.png": encoded(picture(800, 600, (0, 0, 200), "RGBA"), "PNG", dpi=(144, 144)),
        "animation.gif": encoded(
            frames[0], "GIF", save_all=True, append_images=frames[1:], duration=120, loop=0
        ),
        "photo.webp": encoded(picture(1280, 720, (0, 0, 30)), "WEBP", exif=geyser.tobytes()),
        "photo.avif": encoded(picture(1024, 768, (0, 0, 60)), "AVIF", exif=geyser.tobytes(), speed=10),
        "scan.tiff": encoded(
            picture(1000, 1400, (0, 0, 120), "L"), "TIFF", dpi=(300, 300), compression="tiff_lzw"
        ),
        "opera-house.heic": encoded(
            picture(1512, 1008, (0, 0, 150)), "HEIF", exif=opera.tobytes(), quality=60
        ),
        "upright.jpg": encoded(picture(1200, 900, (0, 0, 250)), "JPEG", exif=opera),
        "broken.jpg": whole[:150],
        "notes.jpg": b"This is text, whatever its name says.\n" * 40,
    }


def all_samples() -> dict[str, bytes]:
    """The images in every format, and a collection that looks like somebody's."""
    print("Drawing the sample images", flush=True)
    return sample_images() | collection()


def own_images(folder: Path) -> dict[str, bytes | Path]:
    """Every file below ``folder``: name relative to it -> path.

    A file that cannot be uploaded is left out, with a line that says why: one that may not be read, or whose name is
    not UTF-8 or holds control characters.
    """
    folder = Path(os.path.expanduser(folder))  # noqa: PTH111 - Path's own raises for ~nobody
    if not folder.is_dir():
        raise DemoError(
            f"{folder} is not a directory. Name one that holds images: make demo IMAGES=directory"
        )
    found = {path.relative_to(folder): path for path in sorted(folder.rglob("*")) if path.is_file()}
    files = {
        name: path for name, path in found.items() if not any(part.startswith(".") for part in name.parts)
    }
    if not files:
        raise DemoError(
            f"{folder} holds no files. Name a directory that holds images: make demo IMAGES=directory"
        )
    if len(files) > MOST_IMAGES:
        raise DemoError(f"{folder} holds {len(files):,} files; the demo takes up to {MOST_IMAGES:,}.")
    problems = {name: _problem(name.as_posix(), path) for name, path in files.items()}
    for name, problem in problems.items():
        if problem:
            print(f"Skipped {name.as_posix()!a}: {problem}", flush=True)
    taken = {name.as_posix(): path for name, path in files.items() if not problems[name]}
    if not taken:
        raise DemoError(f"{folder} holds no file that can be uploaded (see above).")
    return taken


def _problem(name: str, path: Path) -> str:
    try:
        name.encode()
    except UnicodeEncodeError:
        return "its name is not UTF-8"
    if any(unicodedata.category(character) == "Cc" for character in name):
        return "its name holds control characters"
    try:
        with path.open("rb"):
            return ""
    except OSError as error:
        return error.strerror or str(error)


# --- steps --------------------------------------------------------------------------------------------------------


def start(port: int) -> LocalAws:
    """Start the local AWS, or find it running."""
    local = LocalAws(port=port)
    server = local.start(say=True)
    print(f"Local AWS: {server.endpoint}", flush=True)
    return local


def run_deploy(environment: Mapping[str, str]) -> None:
    """Run ``deploy.sh`` with a progress line; its full output goes to a log."""
    LOG.parent.mkdir(parents=True, exist_ok=True)
    environment = {**environment, "PYTHON": sys.executable}
    with LOG.open("w", encoding="utf-8") as log, progress() as bar:
        task = bar.add_task("Building packages, planning", total=None)
        process = subprocess.Popen(
            ["sh", str(ROOT / "deploy.sh"), "-no-color"],
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            encoding="utf-8",
            errors="replace",
        )
        for line in lines_to_the_end(process):
            log.write(line)
            log.flush()
            if line.startswith("Plan:"):
                total = sum(int(word) for word in line.replace(",", " ").split() if word.isdigit())
                bar.update(task, description="Deploying resources", total=total)
            if any(
                sign in line
                for sign in ("Creation complete", "Modifications complete", "Destruction complete")
            ):
                bar.advance(task)
        code = process.wait()
        if code == 0 and bar.tasks[task].total is None:
            bar.update(task, description="Nothing to deploy", total=0)
    if code:
        tail = "\n".join(
            f"  {line}" for line in LOG.read_text(encoding="utf-8").splitlines()[-LOG_TAIL_LINES:]
        )
        raise DemoError(
            f"deploy.sh failed:\n{tail}\nAll of it: {LOG}\nTo start over: make clean, then this again."
        )


def lines_to_the_end(process: subprocess.Popen[str]) -> Iterator[str]:
    """What the process prints. After Ctrl-C, which it has too, it is heard to its end: Terraform notes what it made."""
    assert process.stdout is not None  # noqa: S101 - PIPE was asked for
    interrupted = None
    while True:
        try:
            line = process.stdout.readline()
        except KeyboardInterrupt as error:
            interrupted = error
            continue
        if not line:
            break
        yield line
    if interrupted:
        raise interrupted


def upload(client: object, bucket: str, images: Mapping[str, bytes | Path]) -> dict[str, str]:
    """Put every image below ``uploads/``; returns image id -> ETag."""

    def put(name: str) -> tuple[str, str]:
        content = images[name]
        try:
            body = content if isinstance(content, bytes) else content.read_bytes()
        except OSError as error:
            raise DemoError(
                f"{name} can no longer be read ({error.strerror}). Repair or remove it, and run this again."
            ) from error
        claimed = mimetypes.guess_type(name)[0] or "application/octet-stream"
        key = f"uploads/{unicodedata.normalize('NFC', name)}"
        answer = client.put_object(Bucket=bucket, Key=key, Body=body, ContentType=claimed)  # type: ignore[attr-defined]
        return key, str(answer["ETag"]).strip('"')

    with concurrent.futures.ThreadPoolExecutor(UPLOAD_WORKERS) as pool, progress() as bar:
        return dict(bar.track(pool.map(put, images), len(images), description="Uploading images"))


def wait_until_indexed(api: Api, sent: Mapping[str, str]) -> dict[str, dict[str, object]]:
    """Ask the API until it knows every image as it was sent; returns the records."""
    records: dict[str, dict[str, object]] = {}

    def known(image_id: str) -> bool:
        status, record = api.record(image_id)
        if status == 200 and str(record.get("etag", "")).strip('"') == sent[image_id]:
            records[image_id] = record
        elif status not in (200, 404, 429):  # asked too often for this usage plan: in the next round
            raise DemoError(
                f"The API answered {status} for {image_id}: {record}\nLog of the deployment: {LOG}"
            )
        return image_id in records

    deadline = time.monotonic() + INDEX_SECONDS + len(sent) / 10
    waiting = list(sent)
    with concurrent.futures.ThreadPoolExecutor(UPLOAD_WORKERS) as pool, progress() as bar:
        task = bar.add_task("Indexing images", total=len(sent))
        while waiting:
            outcome = list(pool.map(known, waiting))
            waiting = [image_id for image_id, found in zip(waiting, outcome, strict=True) if not found]
            bar.update(task, completed=len(records))
            if waiting and time.monotonic() > deadline:
                raise DemoError(
                    f"{len(waiting)} images were not indexed in time, e.g. {waiting[0]}. What the local AWS says is in "
                    f"{DEFAULT_STATE / 'server.log'}. To start over: make clean, then this again."
                )
            if waiting:
                time.sleep(POLL_SECONDS)
    return {image_id: records[image_id] for image_id in sent}


def show_records(records: Iterable[Mapping[str, object]]) -> None:
    """Print what the API answered, one line an image."""
    table = Table(box=None, padding=(0, 2, 0, 0))
    for heading in ("IMAGE", "STATUS", "FORMAT", "PIXELS", "BYTES", "TAKEN", "CAMERA", "GPS"):
        # The longer ones go over several lines in a narrow window.
        table.add_column(heading, no_wrap=heading in ("STATUS", "FORMAT", "PIXELS", "BYTES"), overflow="fold")
    found = list(records)
    for record in found[:SHOWN_ROWS]:
        camera, gps = record.get("camera") or {}, record.get("gps") or {}
        pixels = f"{record['width']}x{record['height']}" if "width" in record else ""
        if record.get("animated"):
            pixels += f" x{record.get('frames', '?')}"
        position = f"{gps['latitude']:.4f}, {gps['longitude']:.4f}" if "latitude" in gps else ""  # type: ignore[index]
        cells = (
            str(record["image_id"]).removeprefix("uploads/"),
            str(record.get("status", "")),
            str(record.get("format", "")),
            pixels,
            f"{record.get('size', 0):,}",
            str(record.get("taken_at", "")) + str(record.get("taken_at_offset", "")),
            " ".join(str(camera[part]) for part in ("make", "model") if part in camera),  # type: ignore[index]
            position,
        )
        table.add_row(*map(Text, cells))
    print()
    console().print(table)
    if len(found) > SHOWN_ROWS:
        print(f"  ... and {len(found) - SHOWN_ROWS:,} more")
    print(flush=True)


def delete_one(api: Api, image_id: str) -> None:
    """Delete an image through the API and show that it is gone."""
    quoted = urllib.parse.quote(image_id)
    status, answer = api.call("DELETE", f"/images/{quoted}")
    print(f"DELETE /images/{quoted}    -> {status}")
    after, body = api.record(image_id)
    print(f"GET    /metadata/{quoted}  -> {after} {body.get('title', '')}".rstrip())
    if status >= 300 or after != 404:
        raise DemoError(f"{image_id} should be gone: {answer or body}")


def summary(api: Api) -> None:
    """Show what ``GET /images/info`` says."""
    status, info = api.call("GET", "/images/info")
    if status != 200:
        raise DemoError(f"GET /images/info answered {status}: {info}")
    print(f"GET    /images/info -> {info.get('count')} images, {info.get('total_size', 0):,} bytes")


#: Questions to any collection: what is asked in words, and by which parameters.
QUESTIONS = (
    ("Which cameras?", {"facets": "camera.make", "limit": "0"}),
    (
        "Where, most recently?",
        {"filter": "has_gps = true", "sortby": "-taken_at", "limit": "3", "fields": "gps,taken_at"},
    ),
    ("What is broken?", {"filter": "status <> 'ok'", "limit": "3", "fields": "status"}),
)


def ask(api: Api) -> None:
    """Show search's answers to three questions, once it knows what the summary knows."""
    deadline = time.monotonic() + INDEX_SECONDS
    while True:
        known, count = (api.call("GET", path)[1] for path in ("/search?limit=0", "/images/info"))
        if known.get("matched") == count.get("count"):
            break
        if time.monotonic() > deadline:
            raise DemoError(f"Search still knows {known} and not {count.get('count')} images. Log: {LOG}")
        time.sleep(POLL_SECONDS)
    print()
    for words, parameters in QUESTIONS:
        query = urllib.parse.urlencode(parameters, quote_via=urllib.parse.quote)
        status, answer = api.call("GET", f"/search?{query}")
        if status != 200:
            raise DemoError(f"GET /search?{query} answered {status}: {answer}")
        print(f"{words}\n  GET /search?{urllib.parse.unquote(query)}\n  -> {_found(answer)}")


def _found(answer: Mapping[str, object]) -> str:
    """An answer of search in a line."""
    said = [f"{answer['matched']} images"]
    for name, facet in (answer.get("facets") or {}).items():  # type: ignore[attr-defined]
        counted = ", ".join(f"{entry['value']} {entry['count']}" for entry in facet["values"])
        said.append(f"{name}: {counted}")
    for record in answer["items"]:  # type: ignore[attr-defined]
        details = [str(record[name]) for name in ("status", "taken_at") if name in record]
        if gps := record.get("gps"):
            details.append(f"{gps['latitude']:.4f}, {gps['longitude']:.4f}")
        said.append(f"{record['image_id'].removeprefix('uploads/')} ({', '.join(details)})")
    return "; ".join(said)


def demo(port: int, images: Callable[[], Mapping[str, bytes | Path]] | None, own: bool = False) -> None:
    """Everything, step by step; ``own``: the images are the user's."""
    Terraform().check()
    import boto3
    from botocore.config import Config

    chosen = images() if images else {}
    local = start(port)
    os.environ.update(local.environment())
    run_deploy(os.environ)
    place = find_place(os.environ)
    terraform = Terraform(state=place.state, data_dir=place.data_dir)
    enter_stage(place, terraform, wanted_stage(place, os.environ))
    outputs = terraform.outputs()
    api = Api(str(outputs["api_url"]).rstrip("/"), str(outputs["api_key"]))
    page = outputs.get("gallery_url")
    if chosen:
        if page:
            print(f"\nGallery: {page}\nAPI key: {api.key}\n", flush=True)
        client = boto3.client("s3", config=Config(s3={"addressing_style": "path"}))
        records = wait_until_indexed(api, upload(client, str(outputs["bucket"]), chosen))
        show_records(records.values())
        delete_one(api, next(iter(records)))
        if own:
            print("(That was the copy in the local bucket and its record; your own file is untouched.)")
        summary(api)
        if outputs.get("search_bucket"):
            ask(api)
    print()
    if page:
        print(f"Gallery: {page}")
    print(f"API:     {api.url}")
    print(f"API key: {api.key}")
    print(f"Bucket:  {outputs['bucket']}  (at {os.environ['AWS_ENDPOINT_URL']}, path-style)")
    print(f'\n  curl -H "x-api-key: {api.key}" {api.url}/metadata\n')
    print("Stop it with: make down")


def main(arguments: list[str] | None = None) -> int:
    """Run the demo; 0 when all went well, 1 with what to do otherwise."""
    parser = argparse.ArgumentParser(
        prog="demo.py", description="Show the Image Metadata API on this machine."
    )
    parser.add_argument("--images", type=Path, help="upload the files of this directory instead of samples")
    parser.add_argument("--no-images", action="store_true", help="only start and deploy")
    parser.add_argument(
        "--port", type=port_number, default=os.environ.get("LOCAL_AWS_PORT") or str(DEFAULT_PORT)
    )
    options = parser.parse_args(arguments)
    folder = options.images
    images = None if options.no_images else ((lambda: own_images(folder)) if folder else all_samples)
    try:
        demo(options.port, images, own=bool(folder))
    except (DemoError, LocalAwsError, TerraformError, TimeoutError) as error:
        print(f"demo: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("\nInterrupted. The local AWS may still run: make down", file=sys.stderr)
        return 130
    return 0


if __name__ == "__main__":
    sys.exit(main())
