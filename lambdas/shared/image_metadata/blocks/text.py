"""The texts of PNG chunks and comments: keyword -> text."""

from __future__ import annotations

import re
from email.utils import parsedate_tz

from ..fields import Description, Field, Kind, Moment, Reads, Source, describe, rows
from .dates import in_ascii, parse, without_half

_READS = Reads()
#: A zone that is written; -0000 says that it is not known.
_ZONE = re.compile(r"\d\s*(?:(?!-0000)[+-]\d{4}|UTC?|GMT|Z|[ECMP][SD]T)\s*(?:\(.*\))?\s*$")


def read_texts(texts: dict[str, str]) -> Description:
    """What the texts of a file state."""
    return describe(_ROWS, texts, texts)


@_READS(Kind.TEXT, Kind.NAMES)
def _text(texts: dict[str, str], _: Field, source: Source) -> str:
    return texts[source.name]


@_READS(Kind.MOMENT)
def _moment(texts: dict[str, str], _: Field, source: Source) -> Moment | None:
    return loose_date(texts[source.name])


def loose_date(text: str | None) -> Moment | None:
    """A date in EXIF's or ISO 8601's form, or in that of RFC 5322, which the PNG specification suggests."""
    if not text:
        return None
    text = text[:100]
    moment = parse(text)
    if moment is not None:
        return moment
    text, afternoon = without_half(in_ascii(text).strip())
    try:
        parts = parsedate_tz(text)
    except (ValueError, IndexError, TypeError):
        return None
    if parts is None:
        return None
    year, month, day, hour, minute, second, *_, zone = parts
    half = "" if afternoon is None else "PM" if afternoon else "AM"
    moment = parse(f"{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}{half}")
    # The parser answers 0 where no zone is stated; only a zone that is written counts.
    if moment is None or zone is None or abs(zone) > 15 * 3600 or not _ZONE.search(text):
        return moment
    sign = "-" if zone < 0 else "+"
    return Moment(moment.local, f"{sign}{abs(zone) // 3600:02}:{abs(zone) // 60 % 60:02}")


_ROWS = rows("PNG", _READS)
