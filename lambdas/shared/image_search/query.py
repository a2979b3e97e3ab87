"""Questions to the catalogue: what a request asks, as SQL over a view of the snapshot, and the answer.

The manner is that of STAC API's item search and of OGC API Features part 3. A page is found by its sort keys alone,
then its rows are read; the number of images found and all facets come from one scan.
"""

from __future__ import annotations

import json
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from image_catalogue.cursors import decode_values, encode_values
from image_catalogue.errors import InvalidRequest
from image_catalogue.values import whole_number

from . import facets as faceting
from .columns import (
    BOOLEAN,
    BY_NAME,
    COLUMNS,
    INTEGER,
    NUMBER,
    NUMBERS,
    TEXT,
    TEXTS,
    Column,
    record_of_row,
    split_words,
    sql_types,
)  # fmt: skip
from .engine import Engine
from .filters import Condition, column_of, parse
from .snapshot import Reader, View, patiently

PARAMETERS = (
    "filter",
    "filter-lang",
    "bbox",
    "datetime",
    "q",
    "sortby",
    "limit",
    "cursor",
    "fields",
    "facets",
)
DEFAULT_LIMIT, MAX_LIMIT = 20, 1000
MAX_WORDS = 20
MAX_SORT_KEYS = 3
#: Characters of a text that order images; the id orders those that agree in them.
SORTED_CHARACTERS = 200
#: Of what images are sorted by; the others are texts.
_TYPES = {INTEGER: (int,), NUMBER: (int, float), BOOLEAN: (bool,)}
#: API Gateway gives up a call after 28 seconds, whatever the function does.
QUERY_SECONDS = 20.0
#: A page ends before its records come to more: what a function may answer is 6 MB.
MAX_PAGE_BYTES = 4_000_000
_LANGUAGES = ("cql2-text", "cql2-json")
_IDENTITY = ("image_id",)


@dataclass(frozen=True)
class Query:
    """One question, checked; `bound` is what a cursor is good for."""

    where: str
    values: tuple[Any, ...]
    columns: frozenset[Column]
    sort: tuple[tuple[Column, bool], ...]  # column, descending; the image's id is the last
    limit: int
    position: tuple[Any, ...] | None
    fields: tuple[str, ...]
    facets: list[faceting.Facet]
    words: bool
    bound: dict[str, Any] = field(default_factory=dict)

    @classmethod
    def of(cls, asked: Mapping[str, Any], key: str) -> Query:
        """The query of a request's members, texts as in a URL or JSON values; `key` binds cursors.

        Raises `InvalidRequest`, `InvalidCursor`.
        """
        condition = Condition()
        parts = []
        if asked.get("filter-lang") not in (None, *_LANGUAGES):
            raise InvalidRequest(f"filter-lang is {' or '.join(_LANGUAGES)}")
        if (text := asked.get("filter")) is not None:
            tree = _tree(text, asked.get("filter-lang"))
            _check_unicode(tree)
            parts.append(condition.filter(tree))
        if (box := asked.get("bbox")) is not None:
            parts.append(condition.box(_numbers(box)))
        if (moment := asked.get("datetime")) is not None:
            parts.append(condition.interval(BY_NAME["taken_at"], *_interval(moment)))
        words = _words(asked["q"]) if asked.get("q") is not None else []
        for word in words:
            parts.append("contains(words, ?)")
            condition.values.append(f" {word}")
        sort = _sort(asked.get("sortby"))
        bound = {name: asked.get(name) for name in ("filter", "bbox", "datetime", "q", "sortby")}
        cursor, limit = asked.get("cursor"), asked.get("limit")
        return cls(
            where=" AND ".join(parts) or "TRUE",
            values=tuple(condition.values),
            columns=frozenset(condition.columns),
            sort=sort,
            limit=DEFAULT_LIMIT if limit is None else whole_number(limit, "limit", 0, MAX_LIMIT),
            position=_position(cursor, bound, key, sort) if cursor is not None else None,
            fields=_fields(asked.get("fields")),
            facets=faceting.parse(_names(asked.get("facets"), "facets")),
            words=bool(words),
            bound=bound,
        )


def search(reader: Reader, query: Query, key: str, seconds: float = QUERY_SECONDS) -> dict[str, Any]:
    """The answer: `items`, `matched`, `next_cursor` where there is more, `facets` where asked for, `as_of`.

    Raises `CatalogueBusy` when time or memory is used up or S3 does not answer, and `Damaged`.
    """
    engine, deadline = reader.engine, time.monotonic() + seconds

    def attempt() -> dict[str, Any]:
        view = reader.view(deadline)
        items, position = _page(engine, view, query, deadline)
        matched, counted = _count(engine, view, query, deadline)
        answer: dict[str, Any] = {"items": items, "matched": matched}
        if position is not None:
            answer["next_cursor"] = encode_values(position, query.bound, key)
        if query.facets:
            answer["facets"] = counted
        return answer | {"as_of": view.as_of}

    answer: dict[str, Any] = patiently(attempt, deadline)
    return answer


def duplicates(
    reader: Reader, limit: int, after: tuple[int, str] | None, seconds: float = QUERY_SECONDS
) -> dict[str, Any]:
    """Groups of images with the same bytes (size and ETag), those that waste most first.

    `after` is the wasted bytes and the ETag of the last group seen. Of objects put in parts the ETag is of the parts:
    equal ones are equal bytes, but the same bytes put in other parts have another (Amazon S3 User Guide, "Checking
    object integrity").
    """
    engine, deadline = reader.engine, time.monotonic() + seconds

    def attempt() -> dict[str, Any]:
        view = reader.view(deadline)
        source = view.source({"size": '"size"', "etag": "etag"})
        groups = (
            f"SELECT size, etag, count(*) AS images, size * (count(*) - 1) AS wasted FROM {source}"
            " WHERE size > 0 GROUP BY size, etag HAVING images > 1"
        )
        page = engine.run(
            f"WITH twice AS MATERIALIZED ({groups}), page AS (SELECT * FROM twice"
            " WHERE (? IS NULL OR wasted < ? OR (wasted = ? AND etag > ?)) ORDER BY wasted DESC, etag LIMIT ?)"
            " SELECT 0, size, etag, images, wasted FROM page UNION ALL"
            " SELECT 1, count(*), NULL, sum(images), sum(wasted) FROM twice",
            [*((after[0],) * 3 if after else (None,) * 3), after[1] if after else "", limit + 1],
            deadline,
        )
        found = sorted((row for row in page if row[0] == 0), key=lambda row: (-row[4], row[2]))
        ((_, matched, _, _, wasted),) = [row for row in page if row[0] == 1]
        answer: dict[str, Any] = {
            "groups": _groups(engine, view, found[:limit], deadline),
            "matched": matched,
            "wasted_bytes": int(wasted or 0),
        }
        if len(found) > limit:
            answer["after"] = (int(found[limit - 1][4]), found[limit - 1][2])
        return answer | {"as_of": view.as_of}

    answer: dict[str, Any] = patiently(attempt, deadline)
    return answer


#: Ids of one group of duplicates that are told.
MAX_GROUP = 100


def _groups(
    engine: Engine, view: View, found: list[tuple[Any, ...]], deadline: float
) -> list[dict[str, Any]]:
    if not found:
        return []
    source = view.source({name: f'"{name}"' for name in ("size", "etag", "image_id", "uploaded_at")})
    members: dict[str, list[str]] = {}
    rows = engine.run(
        f"SELECT etag, size, image_id FROM {source} WHERE etag IN ({', '.join('?' * len(found))})"
        " AND size IN (SELECT unnest(?::BIGINT[]))"
        " QUALIFY row_number() OVER (PARTITION BY etag, size ORDER BY uploaded_at, image_id) <= ?"
        " ORDER BY uploaded_at, image_id",
        [*(row[2] for row in found), [row[1] for row in found], MAX_GROUP],
        deadline,
    )
    for etag, size, image_id in rows:
        members.setdefault(f"{size} {etag}", []).append(image_id)
    return [
        {
            "size": size,
            "etag": etag,
            "count": images,
            "wasted_bytes": int(wasted),
            "image_ids": members[f"{size} {etag}"],
        }
        | ({"multipart": True} if "-" in etag else {})
        for _, size, etag, images, wasted in found
    ]


# -- a page ------------------------------------------------------------------------------------------


def _page(
    engine: Engine, view: View, query: Query, deadline: float
) -> tuple[list[dict[str, Any]], list[Any] | None]:
    """The page's records, and the position of the last one where there are more."""
    if query.limit == 0:
        return [], None
    keys = [*((_key(column), descending) for column, descending in query.sort), ('"image_id"', False)]
    needed = {column.name: column.sql for column, _ in query.sort} | {"image_id": '"image_id"'}
    source = view.source(_expressions(query) | needed)
    where, values = query.where, list(query.values)
    if query.position is not None:
        condition, more = _after(keys, query.position)
        where, values = f"({where}) AND {condition}", values + more
    order = ", ".join(f"{sql} {'DESC' if descending else 'ASC'} NULLS LAST" for sql, descending in keys)
    places = engine.run(
        f"SELECT file, row, {', '.join(sql for sql, _ in keys)} FROM {source} WHERE {where}"
        f" ORDER BY {order} LIMIT {query.limit + 1}",
        values,
        deadline,
    )
    records = records_at(engine, view, places[: query.limit], deadline, query.fields)
    items: list[dict[str, Any]] = []
    size = 0
    for record in records:
        size += len(json.dumps(record, ensure_ascii=False).encode("utf-8", "replace"))
        if items and size > MAX_PAGE_BYTES:
            break
        items.append(record)
    more_follow = len(places) > len(items)
    return items, list(places[len(items) - 1][2:]) if items and more_follow else None


def records_at(
    engine: Engine,
    view: View,
    places: Sequence[tuple[Any, ...]],
    deadline: float,
    fields: tuple[str, ...] = (),
) -> list[dict[str, Any]]:
    """The records at these places, which begin with file and row, in their order; of each the `fields` (all)."""
    if not places:
        return []
    names = [name for name in sql_types() if _is_told(name, fields)]
    rows = engine.run(view.record_rows([(file, row) for file, row, *_ in places], names), deadline=deadline)
    by_place = {(file, row): dict(zip(names, values, strict=True)) for file, row, *values in rows}
    return [chosen(record_of_row(by_place[(file, row)]), fields) for file, row, *_ in places]


def _key(column: Column) -> str:
    return f'left("{column.name}", {SORTED_CHARACTERS})' if column.kind == TEXT else f'"{column.name}"'


def _after(keys: Sequence[tuple[str, bool]], position: Sequence[Any]) -> tuple[str, list[Any]]:
    """SQL for what comes after a position: equal in some first keys and after it in the next; NULL comes last."""
    ways: list[str] = []
    values: list[Any] = []
    for index, (sql, descending) in enumerate(keys):
        if position[index] is None:  # nothing comes after NULL in this key
            continue
        equal = []
        for (earlier, _), value in zip(keys[:index], position[:index], strict=True):
            equal.append(f"{earlier} IS NULL" if value is None else f"{earlier} = ?")
            values += [] if value is None else [value]
        beyond = f"({sql} {'<' if descending else '>'} ? OR {sql} IS NULL)"
        values.append(position[index])
        ways.append("(" + " AND ".join([*equal, beyond]) + ")")
    return "(" + " OR ".join(ways) + ")", values


def _is_told(name: str, fields: tuple[str, ...]) -> bool:
    return not fields or any(wanted.split(".")[0] == name for wanted in (*_IDENTITY, *fields))


def chosen(record: dict[str, Any], fields: tuple[str, ...]) -> dict[str, Any]:
    """Of the record the `fields` that were asked for, all where none was, and its id."""
    if not fields:
        return record
    told: dict[str, Any] = {}
    for name in (*_IDENTITY, *fields):
        first, _, member = name.partition(".")
        value = record.get(first)
        if not member and value is not None:
            told[first] = value
        elif isinstance(value, dict) and member in value:
            told.setdefault(first, {})[member] = value[member]
    return told


# -- counts ------------------------------------------------------------------------------------------


def _count(engine: Engine, view: View, query: Query, deadline: float) -> tuple[int, dict[str, Any]]:
    """How many images are found, and the facets over them."""
    needed = {column.name: column.sql for facet in query.facets for column in facet.columns}
    source = view.source(_expressions(query) | needed)
    values = list(query.values)
    histograms = [facet for facet in query.facets if facet.is_histogram or facet.edges]
    if histograms:
        (ends,) = engine.run(faceting.least_and_greatest(histograms, source, query.where), values, deadline)
        for facet, least, greatest in zip(histograms, ends[::2], ends[1::2], strict=True):
            facet.bin(least or 0, greatest or 0)
    rows = engine.run(faceting.combined(query.facets, source, query.where), values, deadline)
    matched = next(images for index, _, images in rows if index == -1)
    counted: dict[str, Any] = {}
    for index, facet in enumerate(query.facets):
        if facet.unnests:
            pairs = engine.run(faceting.unnested(facet, source, query.where), values, deadline)
        else:
            pairs = [(value, images) for which, value, images in rows if which == index]
        counted[facet.name] = facet.answer(pairs, matched)
    return matched, counted


def _expressions(query: Query) -> dict[str, str]:
    expressions = {column.name: column.sql for column in query.columns}
    return expressions | {"words": "words"} if query.words else expressions


# -- a request's members -----------------------------------------------------------------------------


def _check_unicode(value: Any) -> None:
    """Raise `InvalidRequest` where a text holds half of a surrogate pair, as JSON may and UTF-8 may not."""
    try:
        json.dumps(value, ensure_ascii=False).encode()
    except UnicodeEncodeError:
        raise InvalidRequest("a text is not valid Unicode: it holds half of a surrogate pair") from None
    except RecursionError:
        pass  # the filter says how deep is too deep


def _tree(text: Any, language: Any) -> Any:
    if isinstance(text, str):
        if language == "cql2-json":
            try:
                return json.loads(text)
            except (ValueError, RecursionError):
                raise InvalidRequest("the filter is no JSON") from None
        return parse(text)
    if language == "cql2-text":
        raise InvalidRequest("with filter-lang cql2-text the filter is a text")
    return text


def _names(value: Any, name: str) -> list[str]:
    names = value.split(",") if isinstance(value, str) else [] if value is None else value
    if not isinstance(names, list) or not all(isinstance(entry, str) for entry in names):
        raise InvalidRequest(f"{name} is a list of names")
    return [entry.strip() for entry in names if entry.strip()]


def _numbers(value: Any) -> list[Any]:
    if isinstance(value, str):
        try:
            if "_" in value or not value.isascii():  # which Python takes in numbers
                raise ValueError
            return [float(number) for number in value.split(",")]
        except ValueError:
            raise InvalidRequest("bbox is four numbers: west,south,east,north") from None
    if not isinstance(value, list):
        raise InvalidRequest("bbox is four numbers: west, south, east, north")
    return value


def _interval(value: Any) -> tuple[str, str]:
    if not isinstance(value, str) or value.count("/") > 1 or not value.strip("/."):
        raise InvalidRequest("datetime is a time or an interval such as 2024-05-01/2024-06-30 or 2024-05/..")
    start, slash, end = value.partition("/")
    return (start, end) if slash else (value, value)


def _words(value: Any) -> list[str]:
    texts = value if isinstance(value, list) else [value]
    if not all(isinstance(text, str) for text in texts):
        raise InvalidRequest("q is words to look for")
    words = [word for text in texts for word in split_words(text)]
    if not 1 <= len(words) <= MAX_WORDS:
        raise InvalidRequest(f"q is 1 to {MAX_WORDS} words to look for")
    return words


def _sort(value: Any) -> tuple[tuple[Column, bool], ...]:
    entries = value if isinstance(value, list) else _names(value, "sortby")
    sort: list[tuple[Column, bool]] = []
    for entry in entries:
        if isinstance(entry, dict):  # STAC's form in POST
            name, direction = entry.get("field"), entry.get("direction", "asc")
            if (
                entry.keys() - {"field", "direction"}
                or not isinstance(name, str)
                or direction not in ("asc", "desc")
            ):
                raise InvalidRequest("an entry of sortby has a field, and a direction asc or desc")
            descending = direction == "desc"
        elif isinstance(entry, str) and entry:
            name, descending = entry[entry[0] in "+-" :], entry[0] == "-"
        else:
            raise InvalidRequest("sortby is a list of properties, such as -taken_at,size")
        column = column_of(name.strip())
        if column.kind in (TEXTS, NUMBERS):
            raise InvalidRequest(f"{column.name} is a list: images are not sorted by it")
        sort.append((column, descending))
    if len(sort) > MAX_SORT_KEYS or len({column for column, _ in sort}) < len(sort):
        raise InvalidRequest(f"sortby is at most {MAX_SORT_KEYS} properties, each once")
    return tuple(sort) if sort else ((BY_NAME["uploaded_at"], True),)


def _fields(value: Any) -> tuple[str, ...]:
    groups = {column.path[0] for column in COLUMNS if len(column.path) > 1}
    names = _names(value, "fields")
    for name in names:
        if name not in groups:
            column_of(name)
    return tuple(dict.fromkeys(names))


def _position(
    cursor: Any, bound: dict[str, Any], key: str, sort: tuple[tuple[Column, bool], ...]
) -> tuple[Any, ...]:
    types = [{*_TYPES.get(column.kind, (str,)), type(None)} for column, _ in sort]
    return decode_values(cursor, bound, key, [*types, {str}])
