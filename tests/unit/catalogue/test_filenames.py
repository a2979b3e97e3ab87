"""File names in user metadata: whoever may write to the bucket states any, the API states clean ones."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any
from urllib.parse import unquote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from image_catalogue.catalogue import Catalogue
from image_catalogue.filenames import MAX_FILENAME, clean_filename, filename_metadata
from image_catalogue.source import Head
from image_events.events import Job
from image_events.indexer import Indexer
from tests.support.pictures import picture
from tests.support.table import BUCKET


def stated(metadata: dict[str, str]) -> str | None:
    answer = {"Metadata": metadata, "ContentLength": 1, "ETag": '"e"', "LastModified": datetime.now(UTC)}
    return Head.of(answer).filename


@pytest.mark.parametrize(
    ("stored", "name"),
    [
        ("cat.png", "cat.png"),
        ("caf%C3%A9%20%2B%20100%25.png", "café + 100%.png"),
        ("..%2F..%2Fetc%2Fpasswd", "passwd"),
        ("../../etc/passwd", "passwd"),
        ("C:%5Cx%5Ccat.png", "cat.png"),
        ("a%0D%0AX-Evil: 1%00.png", "aX-Evil: 1.png"),
        ("%E2%80%AEgnp.exe", "gnp.exe"),
        ("a%E2%80%A8b.png", "ab.png"),
        ("%FF%FEcat%ED%A0%80.png", "cat.png"),
        ("  cat.png  ", "cat.png"),
        ("a" * 1900, "a" * MAX_FILENAME),
        ("a" * (MAX_FILENAME - 1) + " b", "a" * (MAX_FILENAME - 1)),
        ("", None),
        ("..", None),
        ("a%2F", None),
        (".%20" + "%20" * 300 + "x", None),
        ("%00%FF", None),
    ],
)
def test_a_stated_name_is_cleaned_as_an_uploads(stored: str, name: str | None) -> None:
    assert stated({"filename": stored}) == name
    assert stated({}) is None


_CHARS = st.one_of(st.characters(), st.sampled_from("\\/. %+\u3000\u202e\ufffd日😀"))


@given(st.text(_CHARS, max_size=300) | st.text(st.sampled_from("a\u3000😀"), min_size=240, max_size=300))
def test_a_name_that_the_api_stored_stays_as_it_is(name: str) -> None:
    cleaned = clean_filename(name)
    if cleaned is not None:
        metadata = filename_metadata(cleaned)
        assert clean_filename(cleaned) == cleaned
        assert stated(metadata) == (unquote(metadata["filename"]) if metadata else None)


def test_a_name_of_which_cutting_leaves_none_is_not_stored() -> None:
    assert filename_metadata(".." + "\u3000" * 250 + "x") == {}


def test_the_record_has_the_clean_name(indexer: Indexer, s3: Any, catalogue: Catalogue) -> None:
    key = "uploads/a.png"
    s3.put_object(Bucket=BUCKET, Key=key, Body=picture(), Metadata={"filename": "..%2Fb%0A%FF.png"})
    indexer.process(Job(BUCKET, key, "ObjectCreated:Put", sequencer="1"))
    assert catalogue.get(key)["filename"] == "b.png"
