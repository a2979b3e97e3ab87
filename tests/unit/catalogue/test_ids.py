"""Image ids as paths mean them, from a gateway that leaves paths encoded (AWS) and from one that decodes them."""

from __future__ import annotations

from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from image_catalogue import settings
from image_catalogue.errors import InvalidImageId, MissingSetting
from image_catalogue.ids import exact_image_id, new_image_id, normalise_image_id

KEYS = st.text(
    st.characters(exclude_categories=["Cs"], exclude_characters="\x00\ufffd"), min_size=1, max_size=60
).filter(lambda key: not any(part in (".", "..") for part in key.split("/")))


@given(KEYS)
def test_an_encoded_path_means_exactly_its_key(key: str) -> None:
    assert normalise_image_id(quote(f"uploads/{key}")) == [f"uploads/{key}"]
    if not key.startswith("uploads/"):
        assert normalise_image_id(quote(key)) == [f"uploads/{key}"]


@given(KEYS)
def test_a_decoded_path_means_its_key_first(key: str) -> None:
    assert normalise_image_id(f"uploads/{key}", encoded=False)[0] == f"uploads/{key}"


def test_an_encoded_path_never_means_the_key_it_spells() -> None:
    """Deleting `a b` must not delete an image whose key is literally `a%20b`."""
    assert normalise_image_id("a%20b") == ["uploads/a b"]
    assert normalise_image_id("a%2520b") == ["uploads/a%20b"]
    assert normalise_image_id("a%20b", encoded=False) == ["uploads/a%20b", "uploads/a b"]


@pytest.mark.parametrize("encoded", [True, False])
@pytest.mark.parametrize(
    "raw",
    ["", "uploads/", "%00", "a%00b", "../x", "a/%2e%2e/b", "uploads/..", "x" * 1100, "%ff", "é" * 600, "."],
)
def test_what_can_be_no_id_is_refused(raw: str, encoded: bool) -> None:
    if encoded or "%" not in raw:
        with pytest.raises(InvalidImageId):
            normalise_image_id(raw, encoded=encoded)


def test_new_ids_are_unique_and_in_order_of_time() -> None:
    ids = [new_image_id("jpg") for _ in range(1000)]
    assert len(set(ids)) == 1000
    times = [image_id.removeprefix("uploads/")[:10] for image_id in ids]
    assert times == sorted(times)
    assert all(image_id.endswith(".jpg") and len(image_id) == len("uploads/") + 26 + 4 for image_id in ids)


@pytest.mark.parametrize(
    ("raw", "prefixes", "image_id"),
    [
        ("cat.jpg", ("2024/", "raws/"), "2024/cat.jpg"),
        ("raws/cat.jpg", ("2024/", "raws/"), "raws/cat.jpg"),
        ("2025/cat.jpg", ("2024/", "raws/"), "2024/2025/cat.jpg"),
        ("cat.jpg", ("",), "cat.jpg"),
        ("a/b/cat.jpg", ("",), "a/b/cat.jpg"),
    ],
)
def test_the_first_prefix_may_be_left_out(raw: str, prefixes: tuple[str, ...], image_id: str) -> None:
    assert normalise_image_id(raw, prefixes) == [image_id]


@pytest.mark.parametrize(("raw", "prefixes"), [("raws/", ("2024/", "raws/")), ("", ("",))])
def test_a_prefix_alone_is_no_id(raw: str, prefixes: tuple[str, ...]) -> None:
    with pytest.raises(InvalidImageId):
        normalise_image_id(raw, prefixes)


@pytest.mark.parametrize("text", ["uploads/", '"uploads/"', "[]", '["uploads"]', "[1]", "{}"])
def test_prefixes_that_are_none_are_refused(monkeypatch: pytest.MonkeyPatch, text: str) -> None:
    monkeypatch.setenv("UPLOAD_PREFIXES", text)
    with pytest.raises(MissingSetting, match="UPLOAD_PREFIXES must be a JSON list"):
        settings.upload_prefixes()
    monkeypatch.setenv("UPLOAD_PREFIXES", '["a/", "b/"]')
    assert settings.upload_prefixes() == ("a/", "b/")


@given(st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\x00"), min_size=1, max_size=200))
def test_json_names_every_key_that_an_object_can_have(key: str) -> None:
    assert exact_image_id(f"uploads/{key}") == f"uploads/{key}"
    if not key.startswith("uploads/"):
        assert exact_image_id(key) == f"uploads/{key}"


@pytest.mark.parametrize("text", ["", "uploads/", "a\0b", "\ud800", "x" * 1100, "é" * 600])
def test_json_names_no_key_that_no_object_can_have(text: str) -> None:
    with pytest.raises(InvalidImageId):
        exact_image_id(text)
