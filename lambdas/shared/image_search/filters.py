"""CQL2 (OGC 21-065) to SQL: a tree becomes a condition over the closed set of columns, its values become parameters.

The SQL that comes out is made of the texts in this file and the columns' names. Nothing that a client wrote is in it.
A comparison with what an image does not state is neither true nor false, as in SQL: its NOT is not true either.
"""

from __future__ import annotations

import difflib
import math
import re
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from itertools import pairwise
from typing import Any

import cql2

from image_catalogue.errors import InvalidRequest
from image_catalogue.values import END, LOCAL_MOMENT, first_second, without_zeros

from .columns import BOOLEAN, BY_NAME, INTEGER, LOCAL_TIME, NUMBER, NUMBERS, TEXT, TEXTS, TIME, Column

MAX_TEXT = 8192
MAX_DEPTH = 32
MAX_NODES = 2000
MAX_VERTICES = 500
MAX_PATTERN = 2000
MAX_WILDCARDS = 32
#: Six times what the parser takes for the deepest filter of `MAX_TEXT` characters.
_STACK_BYTES = 64 * 1024 * 1024
_STACK_LOCK = threading.Lock()  # the size is the whole process's
_COMPARISONS = {"=": "=", "<>": "<>", "<": "<", "<=": "<=", ">": ">", ">=": ">="}
_MIRRORED = {"=": "=", "<>": "<>", "<": ">", "<=": ">=", ">": "<", ">=": "<="}
#: CQL2 folds case as Unicode does in full: ß is ss, and ς, the σ that ends a word, is σ. DuckDB's lower leaves both.
_FOLDING = {
    "casei": "replace(replace(lower({}), 'ß', 'ss'), 'ς', 'σ')",
    "accenti": "strip_accents({})",
}
_ARRAYS = {  # of DuckDB's names
    "a_contains": "list_has_all({0}, {1})",
    "a_containedby": "list_has_all({1}, {0})",
    "a_overlaps": "list_has_any({0}, {1})",
    "a_equals": "(list_has_all({0}, {1}) AND list_has_all({1}, {0}))",
}
_TIMES = {"t_before": "<", "t_after": ">", "t_equals": "=", "t_intersects": "=", "t_during": "="}
_NUMERIC = (INTEGER, NUMBER)
_TIME_KINDS = (TIME, LOCAL_TIME)
_TIME = re.compile(rf"(?P<local>{LOCAL_MOMENT.pattern})(?P<zone>Z|[+-]([01][0-9]|2[0-3]):?[0-5][0-9])?")
#: A pattern's pieces: any characters, one, and texts.
_PIECES = re.compile(r"(?P<any>%+)|(?P<one>_)|(?P<text>(?:[^\\%_]|\\.)+)", re.DOTALL)
_POSITION = re.compile(r"--> ([0-9]+):([0-9]+)")
_QUOTED = re.compile(r"'(?:[^']|'')*'|\"[^\"]*\"")
_SAID_TIMES = re.compile(rf"{_QUOTED.pattern}|\b(?:TIMESTAMP|INTERVAL)\s*\([^()]*\)", re.IGNORECASE)
_BEFORE_CLOCK = re.compile(r"(?<=[0-9])[T ](?=[0-9])")
#: For those who write names where texts are meant: "Canon" and Canon are properties, as in SQL.
_TEXTS_ARE_QUOTED = " (a text stands in single quotes)"
_PREFIXES = re.compile(r"(?:(?:\bnot\b|[-+])\s*){17}", re.IGNORECASE)


def parse(text: str) -> Any:
    """The tree of a filter in CQL2 text; raises `InvalidRequest` with the position of what is wrong.

    The parser is recursive native code, in which depth is a crash: what is too deep is refused before, and what only
    becomes deep there, as 1=1=1=..., has the room of a thread.
    """
    if len(text) > MAX_TEXT:
        raise InvalidRequest(f"the filter is longer than {MAX_TEXT} characters")
    bare = _QUOTED.sub("''", text)
    depth = deepest = 0
    for char in bare:
        depth += (char == "(") - (char == ")")
        deepest = max(deepest, depth)
    if deepest > MAX_DEPTH or _PREFIXES.search(bare):
        raise InvalidRequest(f"the filter is nested more than {MAX_DEPTH} deep")
    if "^" in bare:
        raise InvalidRequest("the filter takes no arithmetic")
    try:
        return _with_stack(lambda: cql2.parse_text(_SAID_TIMES.sub(_untouched, text)).to_json())
    except Exception as error:  # noqa: BLE001 - the package's exceptions share no base
        match = _POSITION.search(str(error))
        where = f" at line {match[1]}, character {match[2]}" if match else ""
        raise InvalidRequest(f"the filter is no CQL2 text: it cannot be read on{where}") from None


def _with_stack(work: Callable[[], Any]) -> Any:
    """What `work` returns or raises, in a thread with `_STACK_BYTES` of stack, of which only what is used is memory."""
    with _STACK_LOCK, ThreadPoolExecutor(1) as pool:
        before = threading.stack_size(_STACK_BYTES)
        try:
            done = pool.submit(work)
        finally:
            threading.stack_size(before)
        return done.result()


def _untouched(said: re.Match[str]) -> str:
    """The time with `t` for `T`, which the parser leaves unchanged.

    It would turn others to UTC and drop the zeros that end a fraction, with which .000 becomes a whole second.
    """
    return said[0] if said[0][0] in "'\"" else _BEFORE_CLOCK.sub("t", said[0])


def check_size(tree: Any) -> None:
    """Raise `InvalidRequest` for a tree that is too deep or too large to be worked on."""
    count, level = 0, [tree]
    for _ in range(
        2 * MAX_DEPTH + 6
    ):  # each operation is an object and a list; a geometry has some levels more
        count += len(level)
        if count > MAX_NODES:
            raise InvalidRequest(f"the filter has more than {MAX_NODES} parts")
        level = [
            child
            for node in level
            if isinstance(node, dict | list)
            for child in (node.values() if isinstance(node, dict) else node)
        ]
        if not level:
            break
    else:
        raise InvalidRequest(f"the filter is nested more than {MAX_DEPTH} deep")


def column_of(name: Any, hint: str = "") -> Column:
    """The column of that name; raises `InvalidRequest` that names the nearest one, and ends with the hint."""
    column = BY_NAME.get(name) if isinstance(name, str) else None
    if column is None:
        raise InvalidRequest(f"there is no property {str(name)[:100]!r}{_nearest(str(name))}{hint}")
    return column


class Condition:
    """SQL over columns, with the values it takes and the columns it names."""

    def __init__(self) -> None:
        self.values: list[Any] = []
        self.columns: set[Column] = set()

    # -- pieces that `query` asks for -----------------------------------------------------------------

    def filter(self, tree: Any) -> str:
        """The SQL of a filter's tree."""
        check_size(tree)
        return self._boolean(tree)

    def box(self, numbers: Sequence[Any]) -> str:
        """Images within [west, south, east, north], borders included; west > east crosses the antimeridian."""
        west, south, east, north = _box(numbers)
        latitude, longitude = self.name(BY_NAME["gps.latitude"]), self.name(BY_NAME["gps.longitude"])
        self.values += [south, north, west, east]
        joint = "AND" if west <= east else "OR"
        return f"({latitude} BETWEEN ? AND ? AND ({longitude} >= ? {joint} {longitude} <= ?))"

    def interval(self, column: Column, start: Any, end: Any) -> str:
        """From `start` to `end`, both included as far as they are stated; None or `..` is open."""
        first, last = (None if side in (None, "", "..") else _moment(column, side) for side in (start, end))
        if first is not None and last is not None and first[0] > last[1]:
            raise InvalidRequest(
                f"the interval {str(start)[:40]!r} to {str(end)[:40]!r} ends before it begins"
            )
        parts = []
        for moment, compare in ((first, ">="), (last, "<=")):
            if moment is not None:
                parts.append(self._at(column, compare, moment))
        return "(" + (" AND ".join(parts) or f"{self.name(column)} IS NOT NULL") + ")"

    def name(self, column: Column) -> str:
        """The column in this condition's SQL."""
        self.columns.add(column)
        return f'"{column.name}"'

    # -- the tree -------------------------------------------------------------------------------------

    def _boolean(self, node: Any) -> str:
        if isinstance(node, bool):
            return "TRUE" if node else "FALSE"
        if isinstance(node, dict) and "property" in node:
            column = column_of(node["property"])
            if column.kind != BOOLEAN:
                raise InvalidRequest(f"{column.name} alone is no condition: compare it with something")
            return self.name(column)
        operation, operands = _operation(node)
        if operation in ("and", "or"):
            if not operands:
                raise InvalidRequest(f"{operation} takes conditions")
            return "(" + f" {operation.upper()} ".join(map(self._boolean, operands)) + ")"
        if operation == "not":
            return f"(NOT {self._boolean(*_exactly(1, operation, operands))})"
        handler = self._handler(operation)
        if handler is None:
            raise InvalidRequest(
                f"the filter has the operation {operation[:40]!r}, which is none of and, or, not, =, <>, <, <=, >, >=, "
                f"between, in, like, isNull, casei, accenti, {', '.join(_ARRAYS)}, {', '.join(_TIMES)}, s_intersects"
            )
        return handler(operation, operands)

    def _handler(self, operation: str) -> Callable[[str, list[Any]], str] | None:
        if operation in _COMPARISONS:
            return self._comparison
        if operation in _ARRAYS:
            return self._array
        if operation in _TIMES:
            return self._time
        return {
            "between": self._between,
            "in": self._in,
            "like": self._like,
            "isnull": self._is_null,
            "s_intersects": self._intersects,
        }.get(operation)

    def _comparison(self, operation: str, operands: list[Any]) -> str:
        left, right = _exactly(2, operation, operands)
        if _property(left) is None and _property(right) is not None:
            left, right, operation = right, left, _MIRRORED[operation]
        if _property(right) is None:
            column, sql = self._operand(left)
            return self._compare(column, sql, operation, right)
        (column, sql), (second, second_sql) = (
            self._operand(side, _TEXTS_ARE_QUOTED) for side in (left, right)
        )
        kinds = {NUMBER if kind == INTEGER else kind for kind in (column.kind, second.kind)}
        if len(kinds) > 1 or column.kind in (TEXTS, NUMBERS):
            raise InvalidRequest(f"{column.name} and {second.name} cannot be compared with each other")
        return f"({sql} {_COMPARISONS[operation]} {second_sql})"

    def _compare(self, column: Column, sql: str, operation: str, value: Any) -> str:
        if column.kind in _TIME_KINDS:
            return self._at(column, operation, _moment(column, value))
        if column.kind == BOOLEAN and operation not in ("=", "<>"):
            raise InvalidRequest(f"{column.name} is true or false: it takes = and <>")
        return f"({sql} {_COMPARISONS[operation]} {self._literal(column, value)})"

    def _between(self, operation: str, operands: list[Any]) -> str:
        value, low, high = _exactly(3, operation, operands)
        column, sql = self._operand(value)
        if column.kind in _TIME_KINDS:
            ends = (
                self._at(column, ">=", _moment(column, low)),
                self._at(column, "<=", _moment(column, high)),
            )
            return f"({' AND '.join(ends)})"
        if column.kind == BOOLEAN:
            raise InvalidRequest(f"{column.name} is true or false: it takes = and <>")
        return f"({sql} BETWEEN {self._literal(column, low)} AND {self._literal(column, high)})"

    def _in(self, operation: str, operands: list[Any]) -> str:
        value, choices = _exactly(2, operation, operands)
        if not isinstance(choices, list) or not choices:
            raise InvalidRequest("in takes a list of values")
        column, sql = self._operand(value)
        if column.kind in _TIME_KINDS:
            return "(" + " OR ".join(self._compare(column, sql, "=", choice) for choice in choices) + ")"
        return f"({sql} IN ({', '.join(self._literal(column, choice) for choice in choices)}))"

    def _like(self, operation: str, operands: list[Any]) -> str:
        value, pattern = _exactly(2, operation, operands)
        column, sql = self._operand(value)
        if column.kind not in (TEXT, *_TIME_KINDS):
            raise InvalidRequest(f"like takes texts, and {column.name} is none")
        text, folding = _text_of(column, pattern)
        return self._matches(sql, _pieces(text), folding)

    def _matches(self, sql: str, pieces: list[tuple[str, str]], folding: str) -> str:
        """DuckDB's LIKE with _ or ESCAPE tries all ways there are; a regular expression takes text times pattern."""
        kinds = [kind for kind, _ in pieces]
        if "one" not in kinds and not any(kind == "text" and set("%_") & set(text) for kind, text in pieces):
            self.values.append("".join("%" if kind == "any" else text for kind, text in pieces))
            if kinds[:2] == ["text", "any"] and kinds[2:]:
                # DuckDB 1.4 looks up the next text after the first piece in the column's statistics, and counts up its
                # last byte, which may be no UTF-8 then. It has no statistics of an expression.
                sql = f"({sql} || '')"
            return f"({sql} LIKE {folding.format('?')})"
        if len(kinds) - kinds.count("text") > MAX_WILDCARDS:
            raise InvalidRequest(f"a pattern that has _ or \\ in it has more than {MAX_WILDCARDS} of _ and %")
        self.values += [text for kind, text in pieces if kind == "text"]
        texts = {"any": "'.*'", "one": "'.'", "text": f"regexp_escape({folding.format('?')})"}
        return f"regexp_full_match({sql}, concat({', '.join(texts[kind] for kind, _ in pieces)}), 's')"

    def _is_null(self, operation: str, operands: list[Any]) -> str:
        (value,) = _exactly(1, operation, operands)
        if isinstance(value, dict) and value.get("property") == "gps":
            return f"({self.name(BY_NAME['gps.latitude'])} IS NULL)"
        return f"({self._operand(value)[1]} IS NULL)"

    def _array(self, operation: str, operands: list[Any]) -> str:
        value, members = _exactly(2, operation, operands)
        column = _first(operation, value)
        if column.kind not in (TEXTS, NUMBERS):
            raise InvalidRequest(f"{operation} takes a list, and {column.name} is none")
        _check_bare(operation, value)
        wanted = members if isinstance(members, list) else [members]
        kind = str if column.kind == TEXTS else (int, float)
        if not all(isinstance(member, kind) and not isinstance(member, bool) for member in wanted):
            raise InvalidRequest(f"{column.name} holds {column.kind}: {operation} takes a list of such")
        if column.kind == NUMBERS:
            wanted = list(map(_number, wanted))
        name, listed = self.name(column), "?::VARCHAR[]" if column.kind == TEXTS else "?::DOUBLE[]"
        sql = _ARRAYS[operation].format(name, listed)
        self.values += [wanted] * sql.count("?")
        return f"({sql})"

    def _time(self, operation: str, operands: list[Any]) -> str:
        value, moment = _exactly(2, operation, operands)
        column = _first(operation, value)
        if column.kind not in _TIME_KINDS:
            raise InvalidRequest(f"{operation} takes a time, and {column.name} is none")
        _check_bare(operation, value)
        interval = moment.get("interval") if isinstance(moment, dict) else None
        if interval is None:
            return self._at(column, _TIMES[operation], _moment(column, moment))
        if not isinstance(interval, list) or len(interval) != 2:
            raise InvalidRequest("an interval has two ends")
        if operation not in ("t_during", "t_intersects"):
            raise InvalidRequest(f"{operation} takes a moment; t_during and t_intersects take an interval")
        return self.interval(column, *interval)

    def _intersects(self, operation: str, operands: list[Any]) -> str:
        value, geometry = _exactly(2, operation, operands)
        if _property(value) != "gps":
            raise InvalidRequest("s_intersects takes the property gps")
        _check_bare(operation, value)
        if isinstance(geometry, dict) and isinstance(geometry.get("bbox"), list):
            return self.box(geometry["bbox"])
        kind = geometry.get("type") if isinstance(geometry, dict) else None
        if kind not in ("Polygon", "MultiPolygon"):
            raise InvalidRequest("s_intersects takes a BBOX, a POLYGON or a MULTIPOLYGON")
        coordinates = geometry.get("coordinates")
        polygons = [coordinates] if kind == "Polygon" else coordinates
        if not isinstance(polygons, list) or not polygons:
            raise InvalidRequest("a polygon is a list of rings")
        return "(" + " OR ".join(map(self._polygon, polygons)) + ")"

    def _polygon(self, rings: Any) -> str:
        """Even-odd: inside is where a ray to the east crosses an odd number of edges, so that holes are holes.

        A border is part of what it bounds, a hole's too, as in a box: which of its points a ray crosses is chance.
        """
        if not isinstance(rings, list) or not rings or not all(isinstance(ring, list) for ring in rings):
            raise InvalidRequest("a polygon is a list of rings")
        if sum(map(len, rings)) > MAX_VERTICES:
            raise InvalidRequest(f"a polygon has more than {MAX_VERTICES} positions")
        points = [[_position(point) for point in ring] for ring in rings]
        if any(len(ring) < 4 or ring[0] != ring[-1] for ring in points):
            raise InvalidRequest("a ring has four positions or more, and ends where it begins")
        latitude, longitude = self.name(BY_NAME["gps.latitude"]), self.name(BY_NAME["gps.longitude"])
        every = [point for ring in points for point in ring]
        outline = [pick(point[axis] for point in every) for axis in (0, 1) for pick in (min, max)]
        self.values += outline
        crossings, borders = [], []
        edges = [edge for ring in points for edge in pairwise(ring)]
        for (x1, y1), (x2, y2) in edges:
            if y1 != y2:
                crossings.append(
                    f"(({latitude} >= ?) <> ({latitude} >= ?)"
                    f" AND {longitude} < ? + ? * ({latitude} - ?))::INTEGER"
                )
                self.values += [y1, y2, x1, (x2 - x1) / (y2 - y1), y1]
        for (x1, y1), (x2, y2) in edges:
            if y1 == y2:
                borders.append(f"({latitude} = ? AND {longitude} BETWEEN ? AND ?)")
                self.values += [y1, min(x1, x2), max(x1, x2)]
            else:
                borders.append(
                    f"({latitude} BETWEEN ? AND ? AND ({longitude} - ?) * ? = ({latitude} - ?) * ?)"
                )
                self.values += [min(y1, y2), max(y1, y2), x1, y2 - y1, y1, x2 - x1]
        return (
            f"({longitude} BETWEEN ? AND ? AND {latitude} BETWEEN ? AND ?"
            f" AND (({' + '.join(crossings) or '0'}) % 2 = 1 OR {' OR '.join(borders)}))"
        )

    # -- operands -------------------------------------------------------------------------------------

    def _operand(self, node: Any, hint: str = "") -> tuple[Column, str]:
        """The column of a property, in CASEI and ACCENTI or not, and its SQL."""
        if isinstance(node, dict) and "property" in node:
            if node["property"] == "gps":
                raise InvalidRequest("gps is a position: it takes s_intersects and isNull")
            column = column_of(node["property"], hint)
            return column, self.name(column)
        function, operands = _operation(node)
        if function not in _FOLDING:
            raise InvalidRequest(f"a filter compares properties with values; {function[:40]!r} is neither")
        (inner,) = _exactly(1, function, operands)
        column, sql = self._operand(inner, hint)
        if column.kind != TEXT:
            raise InvalidRequest(f"{function} takes texts, and {column.name} is none")
        return column, _FOLDING[function].format(sql)

    def _literal(self, column: Column, value: Any) -> str:
        if column.kind == TEXT:
            return self._text(column, value)
        if column.kind == BOOLEAN and isinstance(value, bool):
            self.values.append(value)
            return "?"
        if column.kind in _NUMERIC and isinstance(value, int | float) and not isinstance(value, bool):
            number = _number(value)
            # A whole number as one: so it is compared with BIGINTs as they are, and blocks of rows can be skipped.
            self.values.append(int(number) if number.is_integer() and abs(number) < 2**63 else number)
            return "?"
        if column.kind in (TEXTS, NUMBERS):
            raise InvalidRequest(f"{column.name} is a list: it takes {', '.join(_ARRAYS)} and isNull")
        raise InvalidRequest(
            f"{column.name} is compared with {_articled(column.kind)}, not with {_shown(value)}"
        )

    def _text(self, column: Column, value: Any) -> str:
        text, folding = _text_of(column, value)
        self.values.append(text)
        return folding.format("?")

    def _at(self, column: Column, operation: str, moment: tuple[str, str]) -> str:
        """A time is a text as precise as it is stated, and so is what it is compared with: 2024-05 is all of May."""
        name = self.name(column)
        if operation in ("=", "<>"):
            self.values += moment
            inside = f"({name} >= ? AND {name} < ?)"
            return inside if operation == "=" else f"(NOT {inside})"
        first, end = moment
        self.values.append(end if operation in (">", "<=") else first)
        return f"({name} {'>=' if operation in ('>', '>=') else '<'} ?)"


def _operation(node: Any) -> tuple[str, list[Any]]:
    if not isinstance(node, dict) or not isinstance(node.get("op"), str):
        raise InvalidRequest(f"the filter has {_shown(node)} where a condition or a property should be")
    operands = node.get("args")
    if not isinstance(operands, list):
        raise InvalidRequest(f"the operation {node['op'][:40]!r} has no list args")
    return node["op"].lower(), operands


def _exactly(count: int, operation: str, operands: list[Any]) -> list[Any]:
    if len(operands) != count:
        raise InvalidRequest(
            f"{operation} takes {count} operand{'s' if count > 1 else ''}, not {len(operands)}"
        )
    return operands


def _property(node: Any) -> str | None:
    """The name of the property that is asked for, be it in CASEI or ACCENTI; None: a value."""
    for _ in range(MAX_DEPTH):
        if not isinstance(node, dict):
            return None
        if "property" in node:
            return str(node["property"])
        operands = node.get("args")
        if (
            str(node.get("op")).lower() not in _FOLDING
            or not isinstance(operands, list)
            or len(operands) != 1
        ):
            return None
        node = operands[0]
    return None


def _first(operation: str, value: Any) -> Column:
    """The column of an operation's first operand; raises `InvalidRequest` where that is none."""
    name = _property(value)
    if name is None:
        raise InvalidRequest(f"{operation} takes a property first, and then what it is compared with")
    return column_of(name)


def _check_bare(operation: str, value: dict[str, Any]) -> None:
    """Raise `InvalidRequest` for a property in CASEI or ACCENTI, which do nothing to what is no text."""
    if "property" not in value:
        raise InvalidRequest(f"{operation} takes {_property(value)} as it is: leave {value['op']} away")


def _text_of(column: Column, value: Any) -> tuple[str, str]:
    """The text that a column is compared with, and the SQL of CASEI and ACCENTI around it, with {} for it."""
    folding = "{}"
    while isinstance(value, dict) and "op" in value:
        function, operands = _operation(value)
        if function not in _FOLDING:
            break
        (value,) = _exactly(1, function, operands)
        folding = folding.format(_FOLDING[function])
    if not isinstance(value, str):
        raise InvalidRequest(f"{column.name} is compared with a text, not with {_shown(value)}")
    return value, folding


def _pieces(pattern: str) -> list[tuple[str, str]]:
    """A pattern's pieces in their order: ("any", ...) for %, ("one", ...) for _, ("text", what it says)."""
    if len(pattern) > MAX_PATTERN:
        raise InvalidRequest(f"a pattern is longer than {MAX_PATTERN} characters")
    found = list(_PIECES.finditer(pattern))
    if sum(len(piece[0]) for piece in found) < len(pattern):
        raise InvalidRequest("a pattern ends with the character that takes the next one as it is: \\")
    return [(str(piece.lastgroup), re.sub(r"\\(.)", r"\1", piece[0], flags=re.DOTALL)) for piece in found]


def _time_text(column: Column, value: Any) -> str:
    """The text of a time: a string, or CQL2's date or timestamp."""
    if isinstance(value, dict) and len(value) == 1:
        value = value.get("date", value.get("timestamp"))
    if isinstance(value, str):
        return value.replace("t", "T").replace("z", "Z") if value[:1].isdecimal() else value
    raise InvalidRequest(
        f"{column.name} is compared with a time such as '2024-05-17', not with {_shown(value)}"
    )


def _moment(column: Column, value: Any) -> tuple[str, str]:
    """The first text of a time that `column` can hold, and the text that all of it comes before."""
    text = _time_text(column, value)
    match = _TIME.fullmatch(text)
    if match is None:
        raise InvalidRequest(
            f"{text[:40]!r} is no time; one is 2024, 2024-05, 2024-05-17 or 2024-05-17T09:30:00Z"
        )
    local, zone = match["local"], match["zone"]
    if zone and "T" not in local:
        raise InvalidRequest(f"{text[:40]!r} states an offset and no time of day")
    try:
        moment = first_second(local)
        if zone and zone != "Z":
            if column.kind == LOCAL_TIME:
                raise InvalidRequest(
                    f"{column.name} is the camera's local time: leave the offset {zone} away"
                )
            sign = -1 if zone[0] == "-" else 1
            hours, minutes = int(zone[1:3]), int(zone[-2:])
            seconds = moment.replace(tzinfo=UTC).timestamp() - sign * (hours * 3600 + minutes * 60)
            shifted = datetime.fromtimestamp(seconds, UTC).isoformat()[:19]
            local = shifted[: len(local.split(".")[0])] + local[19:]
    except (ValueError, OverflowError, OSError):
        raise InvalidRequest(f"{text[:40]!r} is no day of the calendar") from None
    whole, point, fraction = local.partition(".")
    stated = whole + point + fraction
    if column.kind == TIME and point:  # always written with milliseconds
        stated = f"{whole}.{fraction[:3]:0<3}"
        if fraction[3:].strip("0"):  # between two of them, where no time lies
            return stated + END, stated + END
    return without_zeros(stated), stated + END  # .5 is within .50, and .56 is not


def _box(numbers: Sequence[Any]) -> tuple[float, float, float, float]:
    if len(numbers) not in (4, 6):
        raise InvalidRequest("a box is four numbers: west, south, east, north")
    if not all(isinstance(number, int | float) and not isinstance(number, bool) for number in numbers):
        raise InvalidRequest("a box is four numbers: west, south, east, north")
    flat = numbers if len(numbers) == 4 else [numbers[index] for index in (0, 1, 3, 4)]
    west, south, east, north = (_number(number) for number in flat)
    if not (-180 <= west <= 180 and -180 <= east <= 180 and -90 <= south <= 90 and -90 <= north <= 90):
        raise InvalidRequest("a box lies within longitudes -180 to 180 and latitudes -90 to 90")
    if south > north:
        raise InvalidRequest("a box's south lies above its north; the order is west, south, east, north")
    return west, south, east, north


def _position(point: Any) -> tuple[float, float]:
    if (
        not isinstance(point, list)
        or len(point) < 2
        or not all(isinstance(number, int | float) and not isinstance(number, bool) for number in point[:2])
    ):
        raise InvalidRequest("a position is two numbers: longitude, latitude")
    longitude, latitude = _number(point[0]), _number(point[1])
    if not (-180 <= longitude <= 180 and -90 <= latitude <= 90):
        raise InvalidRequest("a position lies within longitudes -180 to 180 and latitudes -90 to 90")
    return longitude, latitude


def _number(value: Any) -> float:
    try:
        number = float(value)
    except OverflowError:
        number = math.inf
    if not math.isfinite(number):
        raise InvalidRequest("a number is NaN or too large")
    return number


def _nearest(name: str) -> str:
    if name == "gps":
        return ": a position takes s_intersects; its numbers are gps.latitude and gps.longitude"
    names = {column.path[-1]: column.name for column in BY_NAME.values()} | {
        known: known for known in BY_NAME
    }
    close = difflib.get_close_matches(name[:100].lower(), list(names), 1, 0.6)
    return f"; did you mean {names[close[0]]!r}?" if close else "; GET /search/queryables lists them"


def _shown(value: Any) -> str:
    if value is None:
        return "NULL"
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, dict) and isinstance(value.get("property"), str):
        return f"the property {value['property'][:40]!r}{_TEXTS_ARE_QUOTED}"
    return repr(value)[:60] if isinstance(value, str | int | float) else "something else"


def _articled(kind: str) -> str:
    return {BOOLEAN: "true or false", INTEGER: "a number", NUMBER: "a number"}.get(kind, f"a {kind}")
