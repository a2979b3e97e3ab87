"""The decoding process: its limits hold, its breakdown is a typed error, and it comes back."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from PIL import Image, ImageCms

from image_metadata.errors import CorruptImage, ImageTooLarge, UnsupportedImage
from image_pixels.worker import Decoder, DecoderFailed
from tests.support.pictures import saved

from .pictures import corners, written


@pytest.fixture(scope="module")
def shared() -> Iterator[Decoder]:
    decoder = Decoder()
    yield decoder
    decoder.close()


@pytest.fixture
def decoder() -> Iterator[Decoder]:
    decoder = Decoder()
    yield decoder
    decoder.close()


def test_a_preview_and_measures(shared: Decoder, tmp_path: Path) -> None:
    path = str(written(tmp_path, saved(corners(), "JPEG")))
    told, data = shared.run(task="preview", path=path, file_format="JPEG", most=160)
    assert (told["width"], told["height"]) == (160, 120)
    assert data[:4] == b"RIFF" and data[8:12] == b"WEBP"
    told, data = shared.run(task="measure", path=path, file_format="JPEG", most=512)
    assert len(told["phash"]) == 16 and data == b""


def test_the_preview_holds_none_of_the_files_metadata(shared: Decoder, tmp_path: Path) -> None:
    block = Image.Exif()
    block[0x010F] = "Camera maker"
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    path = written(tmp_path, saved(corners(), "JPEG", exif=block, icc_profile=profile, comment=b"A comment"))
    _, data = shared.run(task="preview", path=str(path), file_format="JPEG", most=320)
    kinds = []
    at = 12
    while at < len(data):
        length = int.from_bytes(data[at + 4 : at + 8], "little")
        kinds.append(data[at : at + 4])
        at += 8 + length + length % 2
    assert kinds == [b"VP8 "]


def test_failures_cross_the_process_with_their_reason(shared: Decoder, tmp_path: Path) -> None:
    data = saved(Image.effect_noise((300, 300), 50), "PNG")
    path = str(written(tmp_path, data[:-4000]))
    with pytest.raises(CorruptImage, match="truncated"):
        shared.run(task="preview", path=path, file_format="PNG", most=160)
    with pytest.raises(UnsupportedImage, match="variety"):
        shared.run(task="preview", path=str(written(tmp_path, b"nothing")), file_format="PNG", most=160)


def test_time_is_limited_and_the_next_task_is_done(decoder: Decoder, tmp_path: Path) -> None:
    """The time is over before the process has even started."""
    path = str(written(tmp_path, saved(corners(), "PNG")))
    with pytest.raises(ImageTooLarge, match=r"longer than 0\.01 seconds"):
        decoder.run(seconds=0.01, task="preview", path=path, file_format="PNG", most=160)
    assert decoder.run(task="preview", path=path, file_format="PNG", most=160)[1]


def test_memory_is_limited(tmp_path: Path) -> None:
    """A small file within the limit of pixels, whose pixels are not within that of memory."""
    image = Image.new("P", (9900, 9900))
    path = str(written(tmp_path, saved(image, "PNG", bits=1)))
    decoder = Decoder(memory=450_000_000)
    with pytest.raises(ImageTooLarge, match="memory"):
        decoder.run(task="preview", path=path, file_format="PNG", most=160)
    small = str(written(tmp_path, saved(corners(), "PNG")))
    assert decoder.run(task="preview", path=small, file_format="PNG", most=160)[1]
    decoder.close()


def test_a_crash_is_a_typed_error(decoder: Decoder, tmp_path: Path) -> None:
    path = str(written(tmp_path, saved(corners(), "PNG")))
    decoder.start()
    process = decoder._process
    assert process is not None
    process.send_signal(signal.SIGSTOP)
    threading.Timer(0.2, process.send_signal, [signal.SIGSEGV]).start()
    threading.Timer(0.3, process.send_signal, [signal.SIGCONT]).start()
    with pytest.raises(CorruptImage, match="broke down"):
        decoder.run(task="preview", path=path, file_format="PNG", most=160)
    assert decoder.run(task="preview", path=path, file_format="PNG", most=160)[1]


def test_a_process_that_ended_between_tasks_is_started_again(decoder: Decoder, tmp_path: Path) -> None:
    path = str(written(tmp_path, saved(corners(), "PNG")))
    decoder.start()
    process = decoder._process
    assert process is not None
    process.kill()
    process.wait()
    assert decoder.run(task="preview", path=path, file_format="PNG", most=160)[1]


def test_a_fault_of_ours_is_not_the_images(decoder: Decoder, tmp_path: Path) -> None:
    with pytest.raises(DecoderFailed, match="KeyError"):
        decoder.run(task="preview", path=str(tmp_path), file_format="no such format", most=160)


def test_the_process_has_no_credentials(decoder: Decoder, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "hidden")
    monkeypatch.setenv("AWS_SESSION_TOKEN", "hidden")
    decoder.start()
    process = decoder._process
    assert process is not None
    environment = Path(f"/proc/{process.pid}/environ")
    if environment.exists():  # Linux
        assert b"AWS" not in environment.read_bytes()


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux has /proc")
@pytest.mark.parametrize("file", ["environ", "mem"])
def test_the_process_cannot_read_its_parents_credentials(file: str) -> None:
    """Another child of the decoder's parent tries in its place, before and after.

    Root's capabilities would let it read all the same: programs are started without them (`PR_SET_SECUREBITS`,
    `SECBIT_NOROOT`), which changes nothing for other users.
    """
    code = f"""if True:
        import subprocess, sys
        from image_pixels.worker import Decoder
        ask = "import os; open(f'/proc/{{os.getppid()}}/{file}', 'rb')"
        def child():
            return subprocess.run([sys.executable, "-c", ask], env={{}}, stderr=subprocess.PIPE, text=True)
        before = child()
        decoder = Decoder()
        decoder.start()
        print(before.returncode, "PermissionError" in child().stderr)
        decoder.close()
    """
    without = """if True:
        import ctypes, os, sys
        ctypes.CDLL(None).prctl(28, 1, 0, 0, 0)
        os.execv(sys.executable, [sys.executable, "-c", sys.argv[1]])
    """
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(sys.path), "AWS_SECRET_ACCESS_KEY": "hidden"}
    done = subprocess.run(
        [sys.executable, "-c", without, code], capture_output=True, env=environment, text=True, check=False
    )
    assert done.stdout.split() == ["0", "True"], done.stdout + done.stderr


def test_what_libraries_print_does_not_get_among_the_answers(tmp_path: Path) -> None:
    code = """if True:
        import os
        from image_pixels import worker
        worker._do = lambda **_: (os.write(1, b"noise"), ({}, b"x"))[1]
        worker.main()
    """
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)}
    done = subprocess.run(
        [sys.executable, "-c", code, "2000000000"],
        input=b"{}\n",
        capture_output=True,
        env=environment,
        check=True,
    )
    length = int.from_bytes(done.stdout[:4], "big")
    assert length == len(done.stdout) - 4
    assert json.loads(done.stdout[4:].split(b"\n")[0]) == {}


def test_the_parent_never_loads_a_decoder() -> None:
    code = "import sys, image_pixels.render; sys.exit('PIL' in sys.modules)"
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)}
    assert subprocess.run([sys.executable, "-c", code], env=environment, check=False).returncode == 0
