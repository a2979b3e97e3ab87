"""The page's sources: small, complete in every language, and without a way from text to markup."""

from __future__ import annotations

import re
from hashlib import sha256

import pytest

from image_gallery.files import files
from image_metadata.formats import EXTENSIONS

SOURCES = {name: file.data.decode() for name, file in files().items() if name.endswith(".js")}
LANGUAGES = ("en", "es", "pt")
#: land-110m.json of world-atlas 2.0.2.
LAND = "ead5f68119c49a9250902e7da303bcb209341bbb8fefe7369a439b48b704658a"
#: What a page of any size may weigh as it is sent.
MOST_BYTES = 150_000


def messages(language: str) -> dict[str, str]:
    """Name -> what stands for it."""
    found = re.findall(r'^  "?([^":\s]+)"?: (.+),$', SOURCES[f"{language}.js"], re.MULTILINE)
    names = [name for name, _ in found]
    assert len(names) == len(set(names)) > 100
    return dict(found)


def test_the_page_is_light() -> None:
    assert sum(len(file.compressed) for file in files().values()) <= MOST_BYTES


def test_the_page_knows_the_type_of_every_file_that_is_read() -> None:
    """Browsers know that of few, and large files go to the bucket with the type that they are said to have."""
    table = re.search(r"^const TYPES = \{$(.+?)^\};$", SOURCES["uploads.js"], re.MULTILINE | re.DOTALL)
    assert table
    known: dict[str, str] = dict(re.findall(r'"?(\w+)"?: "([^"]+)"', table[1]))
    read = {end for media_type, end in EXTENSIONS.items() if media_type.startswith("image/")}
    assert {end: EXTENSIONS[known[end]] for end in read} == {end: end for end in read}
    assert set(known.values()) <= EXTENSIONS.keys()


def test_the_outline_is_the_published_one() -> None:
    assert sha256(files()["land.json"].data).hexdigest() == LAND


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_language_has_every_message_with_its_values(language: str) -> None:
    english, other = messages("en"), messages(language)
    assert other.keys() == english.keys()
    for name, message in english.items():
        for value in set(re.findall(r"\{(\w+)\}", message)):
            # A plural may do without its number: "one of them".
            assert f"{{{value}}}" in other[name], (language, name)
        assert ("other:" in message) == ("other:" in other[name]), (language, name)


def test_every_message_that_is_asked_for_is_there() -> None:
    known = messages("en")
    code = "".join(text for name, text in SOURCES.items() if name[:-3] not in LANGUAGES)
    asked = set(re.findall(r'\bt\("([^"]+)"', code)) | set(re.findall(r'"(error\.[\w-]+)"', code))
    assert not asked - known.keys()
    begun = set(re.findall(r"\bt\(`([\w.-]+?)\$\{", code))
    assert begun and all(any(name.startswith(start) for name in known) for start in begun)
    used = asked | {name for name in known for start in begun if name.startswith(start)}
    lone = set(re.findall(r'"([\w.-]+)"', code))  # chosen by a condition, or the name of a step
    assert not known.keys() - used - lone - {"language"}


def test_every_import_is_there() -> None:
    for name, text in SOURCES.items():
        for imported, module in re.findall(r'^import (.+) from "\./([^"]+)";$', text, re.MULTILINE):
            assert module in SOURCES, f"{name} imports {module}"
            for wanted in re.findall(r"\w+", imported) if imported.startswith("{") else ():
                assert re.search(
                    rf"^export (?:async )?(?:function|const|class|let) {wanted}\b",
                    SOURCES[module],
                    re.MULTILINE,
                ), f"{name} imports {wanted} of {module}"
                assert len(re.findall(rf"\b{wanted}\b", text)) > 1, f"{name} imports {wanted} for nothing"


def test_no_text_becomes_markup_or_code() -> None:
    for name, text in SOURCES.items():
        assert not re.search(
            r"innerHTML|outerHTML|insertAdjacentHTML|DOMParser|document\.write|\beval\(|new Function", text
        ), name


def test_no_other_address_is_named() -> None:
    for name, file in files().items():
        named = set(re.findall(rb"https?://[^\s\"')]+", file.data))
        assert named <= {b"http://www.w3.org/2000/svg", b"https://evanw.github.io/thumbhash/"}, name
