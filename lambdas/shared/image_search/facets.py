"""Facets: how many of the found images have which value, all in one scan with the number of images found.

Values are counted as they are, times by year, month or day, positions by cells of a geohash grid, numbers by the bins
of a histogram, whose edges come from a scan for least and greatest before.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from image_catalogue.errors import InvalidRequest

from .columns import BOOLEAN, BY_NAME, INTEGER, LOCAL_TIME, NUMBER, TEXTS, TIME, Column
from .filters import column_of

MAX_FACETS = 12
#: Entries of one facet that are told; the images of the rest are counted in `other`.
TOP_VALUES, TOP_TIMES, TOP_CELLS = 20, 1000, 1000
BINS = 12
_UNITS = {"year": 4, "month": 7, "day": 10}
_GEOHASH = re.compile(r"gps:geohash([1-8])")
_CONVERT: dict[str, Callable[[str], Any]] = {BOOLEAN: lambda text: text == "true", INTEGER: int}
_BASE32 = "0123456789bcdefghjkmnpqrstuvwxyz"
#: A histogram over more than this ratio has its edges at 1, 2, 5, 10, 20, ...
_WIDE = 100


@dataclass
class Facet:
    """One facet: what is counted (`sql` over `columns`), and how a counted text reads in the answer."""

    name: str
    columns: tuple[Column, ...]
    sql: str
    top: int
    in_order: bool  # of the values; else the most frequent first
    entry: Callable[[str], Any]
    edges: list[float] = field(default_factory=list)

    @property
    def unnests(self) -> bool:
        """Whether an image counts under each of several values."""
        return self.columns[0].kind == TEXTS

    @property
    def is_histogram(self) -> bool:
        """Whether it needs least and greatest first."""
        return not self.sql

    def bin(self, least: float, greatest: float) -> None:
        """Choose the bins."""
        self.edges = edges(least, greatest)
        number = f'"{self.columns[0].name}"'
        cases = " ".join(
            f"WHEN {number} < {edge!r} THEN '{index}'" for index, edge in enumerate(self.edges[1:-1])
        )
        last = f"'{len(self.edges) - 2}'"
        self.sql = f"CASE WHEN {number} IS NULL THEN NULL {cases} ELSE {last} END"

    def answer(self, counted: Sequence[tuple[str | None, int]], total: int) -> dict[str, Any]:
        """The facet in the answer; `counted` are its values with how many images have them, the best first."""
        known = [(value, count) for value, count in counted if value is not None]
        if self.in_order:
            known.sort(key=lambda pair: (len(pair[0]), pair[0]) if self.edges else pair[0])
        answer: dict[str, Any] = {"values": [self.entry(value) | {"count": count} for value, count in known]}
        missing = sum(count for value, count in counted if value is None)
        if missing:
            answer["missing"] = missing
        if not self.unnests and (other := total - missing - sum(count for _, count in known)):
            answer["other"] = other
        return answer


def parse(names: Sequence[str]) -> list[Facet]:
    """The facets of these names; raises `InvalidRequest`."""
    if len(names) > MAX_FACETS:
        raise InvalidRequest(f"facets are at most {MAX_FACETS}")
    if len(set(names)) < len(names):
        raise InvalidRequest("a facet is asked for twice")
    return [_parse(name) for name in names]


def _parse(name: str) -> Facet:
    if match := _GEOHASH.fullmatch(name):
        return _grid(name, int(match[1]))
    base, colon, unit = name.partition(":")
    if base == "gps":
        raise InvalidRequest("the position is counted as gps:geohash1 to gps:geohash8")
    column = column_of(base)
    if column.kind in (TIME, LOCAL_TIME):
        length = _UNITS.get(unit if colon else "month")
        if length is None:
            raise InvalidRequest(f"{base} is counted by {', '.join(f'{base}:{known}' for known in _UNITS)}")
        # A time stated less precisely than that is counted as what is stated of it.
        return Facet(
            name, (column,), f'left("{base}", {length})', TOP_TIMES, True, lambda value: {"value": value}
        )
    if colon:
        raise InvalidRequest(f"{base} is counted as it is: leave {colon + unit[:40]!r} away")
    if column.few:
        convert = _CONVERT.get(column.kind, str)
        return Facet(
            name, (column,), f'"{base}"::VARCHAR', TOP_VALUES, False, lambda value: {"value": convert(value)}
        )
    if column.kind in (INTEGER, NUMBER):
        facet = Facet(name, (column,), "", BINS * 4, True, str)
        facet.entry = lambda value: {"from": facet.edges[int(value)], "to": facet.edges[int(value) + 1]}
        return facet
    raise InvalidRequest(f"{base} takes as many values as there are images: it is no facet")


def edges(least: float, greatest: float) -> list[float]:
    """Round edges of at most some 4 * `BINS` bins; the last bin holds its upper edge too."""
    if least == greatest:
        return [_plain(least), _plain(greatest)]
    if least > 0 and greatest / least > _WIDE:
        found = []
        for exponent in range(math.floor(math.log10(least)), math.ceil(math.log10(greatest)) + 1):
            found += [_plain(float(f"{digit}e{exponent}")) for digit in (1, 2, 5)]
        while len(found) > 4 * BINS:
            found = found[::3]
    else:
        rough = (greatest - least) / BINS
        power = 10.0 ** math.floor(math.log10(rough))
        step = next((power * digit for digit in (1, 2, 5) if power * digit >= rough), power * 10)
        first = math.floor(least / step)
        found = [
            _plain(float(f"{step * index:.12g}")) for index in range(first, math.ceil(greatest / step) + 1)
        ]
    low = max((edge for edge in found if edge <= least), default=_plain(least))
    high = min((edge for edge in found if edge >= greatest), default=_plain(greatest))
    return [low, *(edge for edge in found if low < edge < high), high]


def combined(facets: Sequence[Facet], source: str, where: str) -> str:
    """SQL for (index of the facet, value, images) and, with index -1, the number of all that are found."""
    plain = [facet for facet in facets if not facet.unnests]
    if not plain:
        return f"SELECT -1, NULL, count(*) FROM {source} WHERE {where}"
    keys = ", ".join(f"{facet.sql} AS k{index}" for index, facet in enumerate(plain))
    sets = ", ".join(f"(k{index})" for index in range(len(plain)))
    # grouping() is 0 for the key of the row's own set and 1 for all the others.
    which = "".join(
        f" WHEN grouping(k{index}) = 0 THEN {facets.index(facet)}" for index, facet in enumerate(plain)
    )
    value = "".join(f" WHEN grouping(k{index}) = 0 THEN k{index}" for index in range(len(plain)))
    top = " ".join(f"WHEN {facets.index(facet)} THEN {facet.top}" for facet in plain)
    order = " ".join(f"WHEN {facets.index(facet)} THEN value" for facet in plain if facet.in_order)
    latest = f"CASE facet {order} END DESC NULLS LAST, " if order else ""
    return (
        f"WITH counted AS (SELECT CASE{which} ELSE -1 END AS facet, CASE{value} END AS value, count(*) AS images"
        f" FROM (SELECT {keys} FROM {source} WHERE {where}) GROUP BY GROUPING SETS ({sets}, ()))"
        " SELECT facet, value, images FROM counted"
        f" QUALIFY value IS NULL OR row_number() OVER (PARTITION BY facet, value IS NULL"
        f" ORDER BY {latest}images DESC, value) <= CASE facet {top} END"
        " ORDER BY images DESC, value"
    )


def unnested(facet: Facet, source: str, where: str) -> str:
    """SQL for (value, images) of a facet over lists; value NULL is the number of images without any."""
    name = f'"{facet.columns[0].name}"'
    return (
        f"WITH listed AS (SELECT list_distinct({name}) AS listed FROM {source} WHERE {where})"
        " (SELECT value, count(*) AS images FROM (SELECT unnest(listed) AS value FROM listed)"
        f" GROUP BY value ORDER BY images DESC, value LIMIT {facet.top})"
        " UNION ALL SELECT NULL, count(*) FROM listed WHERE coalesce(len(listed), 0) = 0"
    )


def least_and_greatest(facets: Sequence[Facet], source: str, where: str) -> str:
    """SQL for one row: least and greatest of each of these columns."""
    wanted = ", ".join(f'min("{facet.columns[0].name}"), max("{facet.columns[0].name}")' for facet in facets)
    return f"SELECT {wanted} FROM {source} WHERE {where}"


def _grid(name: str, length: int) -> Facet:
    """Geohash: longitude and latitude halved in turn, longitude first; five bits a character."""
    bits = 5 * length
    columns, rows = 2 ** ((bits + 1) // 2), 2 ** (bits // 2)
    east = f'least(floor(("gps.longitude" + 180) / 360 * {columns}), {columns - 1})'
    north = f'least(floor(("gps.latitude" + 90) / 180 * {rows}), {rows - 1})'
    cell = f"({east}::BIGINT * {rows} + {north}::BIGINT)::VARCHAR"
    sql = f'CASE WHEN "gps.latitude" IS NULL OR "gps.longitude" IS NULL THEN NULL ELSE {cell} END'

    def entry(value: str) -> dict[str, Any]:
        column, row = divmod(int(value), rows)
        width, height = 360 / columns, 180 / rows
        west, south = -180 + column * width, -90 + row * height
        return {
            "value": _geohash(column, row, bits),
            "bbox": [round(side, 6) for side in (west, south, west + width, south + height)],
        }

    position = (BY_NAME["gps.latitude"], BY_NAME["gps.longitude"])
    return Facet(name, position, sql, TOP_CELLS, False, entry)


def _geohash(column: int, row: int, bits: int) -> str:
    woven = 0
    for place in range(bits):  # from the last bit: with an odd number of bits, the last is longitude's
        source, index = (column, place // 2) if (bits - place) % 2 else (row, place // 2)
        woven |= (source >> index & 1) << place
    return "".join(_BASE32[woven >> shift & 31] for shift in range(bits - 5, -1, -5))


def _plain(number: float) -> float:
    return int(number) if float(number).is_integer() else number
