"""From bytes to text where a block does not say, or not rightly, in which character set it is written."""

from __future__ import annotations

import codecs
import re
from itertools import pairwise

_MARKS = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)
_WINDOWS = "cp1252"
_UTF8 = codecs.getincrementaldecoder("utf-8")
#: What no text of a record holds -> what stands for it: nothing, or the character that Windows-1252 has in the place
#: of a control character of Latin-1 (programs that take the one for the other write these, in UTF-8 even).
_CONTROLS: dict[int, str] = {
    code: "" for code in (*range(32), 127, 0xFEFF, 0xFFFE) if code not in (9, 10, 13)
}
for _code in range(0x80, 0xA0):
    _CONTROLS[_code] = bytes([_code]).decode(_WINDOWS, "ignore")
#: Quotes, dashes and the like, which stand at and between words.
_PUNCTUATION = frozenset("‘’‚“”„«»‹›–—…·•¿¡")
#: Those of them that stand between two letters without a blank: apostrophes, dashes, omissions.
_WITHIN = frozenset("’–—…·")
#: Letters that no word is written with, marks that no word begins with, and that none ends with.
_NO_LETTERS = frozenset("ƒˆªºµ")
_NEVER_FIRST = frozenset("ƒˆ˜¨¯¸†‡®™")
_NEVER_LAST = frozenset("ƒˆ˜¨´¸¯†‡§¶¬¤¦")
#: Capitals that are no words.
_NEVER_ALONE = frozenset("ÐÑ")
#: Characters by which the set of a text is told, from the first one beyond ASCII on.
_LOOKED_AT = 1_000
_BEYOND_ASCII = re.compile(rb"[\x80-\xff]")


def clean(text: str) -> str:
    """The text without control characters, byte order marks, and blanks around it."""
    if not text.isprintable():
        text = text.translate(_CONTROLS)
    return text.strip()


def decode(data: bytes, declared: str | None = None) -> str | None:
    """A text up to its first NUL; None when empty.

    Its byte order mark decides, then the set that the block declares, then whether it is UTF-8, of which the last
    character may be cut off; else it is Windows-1252 or Mac Roman, whichever reads better.
    """
    text = data.partition(b"\0")[0]
    if declared is None and text.isascii():
        return clean(text.decode("ascii")) or None
    for mark, encoding in _MARKS:
        if data.startswith(mark):
            return _marked(data[len(mark) :], encoding)
    return clean(_decoded(text, declared)) or None


def decode_utf16(data: bytes, big: bool) -> str | None:
    """UTF-16 up to its first NUL, of the stated byte order or that of its mark."""
    if data.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return decode(data)
    return _marked(data, "utf-16-be" if big else "utf-16-le")


def shown_big_endian(data: bytes, stated: bool) -> bool:
    """Whether UTF-16 is big-endian: as it is stated, unless most of it would be Latin letters in the other order."""
    high, low = (0, 1) if stated else (1, 0)
    units = [data[at : at + 2] for at in range(0, min(len(data), _LOOKED_AT) - 1, 2)]
    latin = sum(unit[high] == 0 != unit[low] for unit in units)
    swapped = sum(unit[low] == 0 != unit[high] for unit in units)
    written = len(units) - units.count(b"\0\0")
    return stated != (swapped > 1 and 2 * swapped > written and swapped > 4 * latin)


def _marked(data: bytes, encoding: str) -> str | None:
    """A text of a known encoding up to its first NUL."""
    if encoding != "utf-8":
        data = data[: len(data) & ~1]
    return clean(data.decode(encoding, "replace").partition("\0")[0]) or None


def _decoded(data: bytes, declared: str | None) -> str:
    if declared is not None:
        try:
            return data.decode(declared)
        except UnicodeDecodeError:
            pass
    try:
        text = _UTF8().decode(data)
    except UnicodeDecodeError:
        text = ""
    if not text.isascii():
        return text
    mac = data.decode("mac_roman")
    try:
        windows = data.decode(_WINDOWS)
    except UnicodeDecodeError:
        return mac
    first = _BEYOND_ASCII.search(data)
    start = max(first.start() - 1, 0) if first else 0
    part = slice(start, start + _LOOKED_AT)
    return mac if _oddities(mac[part]) < _oddities(windows[part]) else windows


def _oddities(text: str) -> int:
    """How often a character beyond ASCII stands where hardly any text has it."""
    return sum(
        _is_odd(before, char, after)
        for (before, char), after in zip(pairwise(f" {text}"), f"{text[1:]} ", strict=True)
        if char > "\x7f"
    )


def _is_odd(before: str, char: str, after: str) -> bool:
    within = before.isalpha() and after.isalpha()
    if char in _PUNCTUATION:
        return within and char not in _WITHIN
    if char.isalpha() and char not in _NO_LETTERS:
        if char.islower():
            return after.isupper()
        # A capital within a word, behind digits, or alone.
        alone = char in _NEVER_ALONE and not before.isalpha() and not after.isalpha()
        return alone or before.islower() or before.isdigit() or (before.isalpha() and after.islower())
    return within or (before.isalpha() and char in _NEVER_LAST) or (after.isalpha() and char in _NEVER_FIRST)
