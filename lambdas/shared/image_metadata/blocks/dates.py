"""Dates as cameras and editors write them, as local time and, apart from it, the offset to UTC."""

from __future__ import annotations

import re
import unicodedata
from calendar import monthrange
from datetime import UTC, datetime

from ..fields import Moment

_EXIF = re.compile(
    r"(\d{4})[:\-/. ](\d\d?| \d|  )?(?:[:\-/. ](\d\d?| \d|  )?)?"
    r"(?:[ T:]+(\d\d?|  )?(?:[:.](\d\d?| \d|  )?(?:[:.](\d\d?| \d|  )?(?:[.,](\d+))?)?)?)?"
    r"\s*(Z|(?:UTC|GMT)?[+-]\d\d?(?::?\d\d)?(?!\d)|UTC|GMT)?",
    re.IGNORECASE,
)
#: Characters of a date that are looked at.
_LONGEST = 64
#: What nearly all cameras and editors write; the days that not every month has go the long way.
_PLAIN = re.compile(
    r"(\d{4})[:-](0[1-9]|1[0-2])[:-](0[1-9]|[12]\d|3[01])[ T]((?:[01]\d|2[0-3]):[0-5]\d:[0-5]\d(?:\.\d{1,9})?)"
    r"([+-](?:0\d|1[0-5]):[0-5]\d)?",
    re.ASCII,
)
#: The basic form of ISO 8601, and digits alone.
_COMPACT = re.compile(
    r"(\d{4})(\d\d)(\d\d)(?:[T ]?(\d\d)(\d\d)(?:(\d\d)(?:[.,](\d+))?)?\s*(Z|[+-]\d\d(?::?\d\d)?)?)?$",
    re.IGNORECASE,
)
_YEAR = re.compile(r"(\d{4})()()()()()()()$")
_PLAIN_OFFSET = re.compile(r"[+-](?:0\d|1[0-5]):[0-5]\d", re.ASCII)
_OFFSET = re.compile(r"([+-]) ?(\d\d?)(?::?(\d\d))?(?!\d)")
#: The zone that is not known (RFC 3339 section 4.3, RFC 5322 section 3.3): the time is UTC, where it was is not told.
_UNKNOWN_OFFSET = "-00:00"
_DIGITS = re.compile(r"\d+")
#: The halves of the day, before noon and after, as phones write them in the language of their owner: the letters alone,
#: in lower case, by the Unicode CLDR for the languages that phones speak, and the finer parts that Chinese names.
_BEFORE_NOON = """
    a am vm ጥዋት ص صباحا صباحاً صباحًا πμ قبلازظهر قظ قبلدوپہر ap de fh 午前 오전 таңкы тң ກ່ອນທ່ຽງ
    priešpiet prp priekšpusdienā priekšp prijepodne prepodne пријеподне преподне претпл
    проб dop dopoldne үө pg နံနက် पूर्वाह्न मपू পূর্বাহ্ণ ପୂର୍ବାହ୍ନ ਪੂਦੁ முற்பகல்
    ಪೂರ್ವಾಹ್ನ damanhã manhã mañana delamañana പൂർവാഹ്നം පෙව eparadites paradite pd fm förmiddag
    vorm vormittag ก่อนเที่ยง öö дп to то sa yb غم לפנהצ matin mat 上午 凌晨 清晨 早上 早晨
"""
_AFTER_NOON = """
    p pm nm ከሰዓት م مساء مساءً μμ بعدازظهر بظ بعددوپہر ip du eh 午後 오후 түштөнкийинки тк
    ຫຼັງທ່ຽງ popiet pop pēcpusdienā pēcp poslijepodne popodne послијеподне поподне попл
    слоб odp popoldne үх ptg ညနေ अपराह्न मउ অপরাহ্ণ ଅପରାହ୍ନ ਬਾਦੁ பிற்பகல் ಅಪರಾಹ್ನ
    datarde tarde delatarde delanoche danoite noche അപരാഹ്നം පව epasdites pasdite md em eftermiddag nachm nachmittag
    หลังเที่ยง ös пп tk тк ch yh غو אחהצ soir 下午 中午 傍晚 晚上
"""


def _letters(text: str) -> str:
    """A mark by its letters: without dots, quotes and blanks, in lower case."""
    folded = unicodedata.normalize("NFKC", text.casefold())
    return "".join(char for char in folded if unicodedata.category(char)[0] in "LM")


_AFTERNOON = dict.fromkeys(map(_letters, _BEFORE_NOON.split()), False) | dict.fromkeys(
    map(_letters, _AFTER_NOON.split()), True
)
#: What may be such a mark: letters, and what stands among them.
_WORDS = re.compile(r"[^\W\d_][^\d:/+,;()-]*")


def parse(text: str | None) -> Moment | None:
    """A date of EXIF (2024:05:06 07:08:09), XMP (ISO 8601, any precision) or of the looser forms in use.

    Zero and impossible dates give None; a partial one goes as far as it is stated.
    """
    if not text:
        return None
    plain = _PLAIN.fullmatch(text)
    if plain:
        year, month, day, clock, offset = plain.groups()
        if day <= "28" and year != "0000":
            return Moment(f"{year}-{month}-{day}T{clock}", None if offset == _UNKNOWN_OFFSET else offset)
    text, afternoon = without_half(in_ascii(text[:_LONGEST]).strip())
    match = _EXIF.match(text) or _COMPACT.match(text) or _YEAR.match(text)
    if match is None:
        return None
    year, month, day, hour, minute, second, fraction, zone = match.groups()
    y = int(year)
    if y == 0:
        return None
    local = year
    m = _number(month)
    if m is None or m == 0:
        return Moment(local) if m is None else None
    if m > 12:
        return None
    local += f"-{m:02}"
    d = _number(day)
    if d is None or d == 0:
        return Moment(local) if d is None else None
    if d > monthrange(y, m)[1]:
        return None
    local += f"-{d:02}"
    h, mi, s = _number(hour), _number(minute), _number(second)
    if h is None or h > 24:
        return Moment(local)
    if mi is None or mi > 59:
        return Moment(local)
    if h == 24:
        h = 0  # cameras that count the hours from 1 mean the first one of the day
    if afternoon is not None and h <= 12:
        h = h % 12 + 12 * afternoon
    local += f"T{h:02}:{mi:02}"
    if s is not None and s <= 60:
        local += f":{s:02}"
        if fraction:
            local += f".{fraction[:9]}"
    return Moment(local, parse_offset(zone))


def without_half(text: str) -> tuple[str, bool | None]:
    """The text without the half of the day that it names, and whether that is the second; None where it names none."""
    for words in _WORDS.finditer(text):
        afternoon = _AFTERNOON.get(_letters(words.group()))
        if afternoon is not None:
            return f"{text[: words.start()]} {text[words.end() :]}", afternoon
    return text, None


def in_ascii(text: str) -> str:
    """The digits of every script as ASCII's, which order and filters go by; blanks, signs and hyphens as well."""
    if text.isascii():
        return text
    return "".join(map(_in_ascii, unicodedata.normalize("NFKC", text)))


def _in_ascii(char: str) -> str:
    if char.isdecimal():
        return str(int(char))
    if char == "\N{MINUS SIGN}" or unicodedata.category(char) == "Pd":
        return "-"
    if char.isspace():
        return " "
    return "" if unicodedata.category(char) == "Cf" else char  # marks of the writing direction


def exif_moment(date: str | None, fraction: str | None, offset: str | None) -> Moment | None:
    """A moment of EXIF's three tags: the date, its fraction of a second, its offset to UTC."""
    moment = parse(date)
    if moment is None:
        return None
    if not fraction and not offset:
        return moment
    local, zone = moment
    if fraction and len(local) == 19:
        digits = _DIGITS.match(in_ascii(fraction).rpartition(".")[2].strip())
        if digits:
            local += f".{digits.group()[:9]}"
    return Moment(local, parse_offset(offset) or zone)


def parse_offset(text: str | None) -> str | None:
    """+02:00 of what is written as +02:00, +0200, +02, GMT+2; None for any other, and for -00:00, the unknown one."""
    if not text:
        return None
    if _PLAIN_OFFSET.fullmatch(text):
        return None if text == _UNKNOWN_OFFSET else text
    text = in_ascii(text[:_LONGEST]).strip()
    zone = text.upper().removeprefix("UTC").removeprefix("GMT")
    if zone in ("Z", "") and text:
        return "+00:00"
    match = _OFFSET.match(zone)
    if match is None:
        return None
    sign, hours, minutes = match.groups("00")
    if int(hours) > 15 or int(minutes) > 59:
        return None
    offset = f"{sign}{int(hours):02}:{minutes}"
    return None if offset == _UNKNOWN_OFFSET else offset


def _number(text: str | None) -> int | None:
    return int(text) if text and text.strip() else None


def unix_moment(seconds: int) -> Moment | None:
    """A camera's local time, counted in seconds from 1970 as if it were UTC (CIFF, X3F); 0 is none."""
    if not 0 < seconds < 1 << 32:
        return None
    return Moment(datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%S"))
