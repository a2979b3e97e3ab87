"""Search over HTTP: questions in the URL or as JSON, answers as JSON, GeoJSON, CSV or one record a line."""

from __future__ import annotations

import csv
import io
import re
from contextlib import suppress
from dataclasses import replace
from functools import lru_cache
from typing import Any

from image_catalogue import settings
from image_catalogue.cursors import decode_values, encode_values
from image_catalogue.errors import ImageNotFound, InvalidRequest
from image_catalogue.values import whole_number
from image_search import columns, query, report, similar
from image_search.engine import Engine, memory_share, scratch_folder
from image_search.files import Files
from image_search.forms import cell_of, feature_of, line_of
from image_search.query import PARAMETERS, Query
from image_search.snapshot import Reader

from ..image_ids import candidates
from ..request import Request
from ..response import JSON, Response, json_response

GEOJSON, CSV, NDJSON = "application/geo+json", "text/csv", "application/x-ndjson"
DUPLICATES_PARAMETERS = ("limit", "cursor", "by", "distance")
DEFAULT_GROUPS, MAX_GROUPS = 20, 100
#: Binds a cursor of duplicates to them.
_DUPLICATES = {"of": "duplicates"}


def search(request: Request) -> Response:
    """The images that the query's parameters ask for."""
    return _search(request, request.parameters(*PARAMETERS))


def search_body(request: Request) -> Response:
    """The images that the body asks for, whose members are called as the query's parameters."""
    request.parameters()
    return _search(request, request.json_object(*PARAMETERS))


def queryables(request: Request) -> Response:
    """The JSON Schema of what a filter may name."""
    request.parameters()
    return json_response(columns.queryables(), headers={"Content-Type": "application/schema+json"})


def similar_images(request: Request) -> Response:
    """The images that look like this one, the nearest first."""
    given = request.parameters("distance", "limit")
    distance = given.get("distance", similar.DEFAULT_DISTANCE)
    distance = whole_number(distance, "distance", 0, similar.MAX_DISTANCE)
    limit = whole_number(given.get("limit", similar.DEFAULT_LIMIT), "limit", 1, similar.MAX_LIMIT)
    image_ids = candidates(request)
    for image_id in image_ids:
        with suppress(ImageNotFound):
            return json_response(similar.similar(_reader(), image_id, distance, limit))
    raise ImageNotFound(image_ids[0])


def problems(request: Request) -> Response:
    """What may deserve a look, over all images."""
    request.parameters()
    return json_response(report.report(_reader(), settings.search_bucket()))


def duplicates(request: Request) -> Response:
    """Images with the same bytes, or that look the same, in groups."""
    given = request.parameters(*DUPLICATES_PARAMETERS)
    by = given.get("by", "bytes")
    if by not in ("bytes", "pixels"):
        raise InvalidRequest("by is bytes or pixels")
    if by == "bytes" and "distance" in given:
        raise InvalidRequest("distance goes with by=pixels")
    most = given.get("distance", similar.DEFAULT_PAIR_DISTANCE)
    most = whole_number(most, "distance", 0, similar.MAX_PAIR_DISTANCE)
    limit = whole_number(given.get("limit", DEFAULT_GROUPS), "limit", 1, MAX_GROUPS)
    bound = _DUPLICATES if by == "bytes" else _DUPLICATES | {"by": by, "distance": most}
    after = None
    if "cursor" in given:
        after = decode_values(given["cursor"], bound, settings.search_bucket(), [{int}, {str}])
    if by == "pixels":
        answer = similar.near_duplicates(_reader(), most, limit, after)
    else:
        answer = query.duplicates(_reader(), limit, after)
    if "after" in answer:
        answer["next_cursor"] = encode_values(answer.pop("after"), bound, settings.search_bucket())
    return json_response(answer)


def _search(request: Request, asked: dict[str, Any]) -> Response:
    key = settings.search_bucket()
    wanted = Query.of(asked, key)
    fields, form = wanted.fields, _accepted(request.headers.get("accept", ""))
    if fields and form == GEOJSON:
        wanted = replace(wanted, fields=(*fields, "gps"))  # the geometry is none of them
    answer = query.search(_reader(), wanted, key)
    return _FORMS[form](answer, fields)


def _reader() -> Reader:
    """The reader of this execution environment; a new one where its engine has broken down."""
    bucket = settings.search_bucket()
    if reader_of(bucket).engine.broken:
        reader_of.cache_clear()
    return reader_of(bucket)


@lru_cache(maxsize=1)
def reader_of(bucket: str) -> Reader:
    """A reader of that bucket, kept for the requests to come: what it has read need not be read again."""
    return Reader(Engine(Files(bucket), scratch_folder(), memory_share()))


# -- forms -------------------------------------------------------------------------------------------


def _as_json(answer: dict[str, Any], fields: tuple[str, ...]) -> Response:  # noqa: ARG001
    return json_response(answer)


def _as_geojson(answer: dict[str, Any], fields: tuple[str, ...]) -> Response:
    """A FeatureCollection (RFC 7946); the rest of the answer beside its features."""
    features = [feature_of(record, query.chosen(record, fields)) for record in answer["items"]]
    rest = {name: value for name, value in answer.items() if name not in ("items", "matched")}
    collection = {
        "type": "FeatureCollection",
        "numberMatched": answer["matched"],
        "numberReturned": len(features),
        "features": features,
    }
    return json_response(collection | rest, headers={"Content-Type": GEOJSON})


def _as_ndjson(answer: dict[str, Any], fields: tuple[str, ...]) -> Response:  # noqa: ARG001
    return _lines(answer, "".join(map(line_of, answer["items"])), NDJSON)


def _as_csv(answer: dict[str, Any], fields: tuple[str, ...]) -> Response:
    """A column per field, named as in a filter."""
    names = columns.flat_names(fields)
    out = io.StringIO()
    writer = csv.writer(out)
    writer.writerow(names)
    for record in answer["items"]:
        writer.writerow(cell_of(name, columns.value_of(record, columns.BY_NAME[name].path)) for name in names)
    return _lines(answer, out.getvalue(), f"{CSV}; charset=utf-8")


def _lines(answer: dict[str, Any], text: str, content_type: str) -> Response:
    """Of a form that holds records alone, the rest of the answer stands in headers."""
    headers = {
        "Content-Type": content_type,
        "Cache-Control": "no-cache",
        "X-Matched": str(answer["matched"]),
        "X-As-Of": answer["as_of"],
    }
    if "next_cursor" in answer:
        headers["X-Next-Cursor"] = answer["next_cursor"]
    return Response(200, text, headers)


_FORMS = {JSON: _as_json, GEOJSON: _as_geojson, NDJSON: _as_ndjson, CSV: _as_csv}


def _accepted(accept: str) -> str:
    """The form that an Accept header likes best (RFC 9110 section 12.5.1); JSON where it names none of them.

    A range such as `*/*` is JSON; of what is liked equally, the form that is named goes first.
    """
    liked: dict[str, float] = {}
    for entry in accept.split(","):
        media_type, *parameters = (piece.strip().lower() for piece in entry.split(";"))
        liked[media_type] = 1.0
        for parameter in parameters:
            if match := re.fullmatch(r"q=(0(?:\.[0-9]{0,3})?|1(?:\.0{0,3})?)", parameter):
                liked[media_type] = float(match[1])
    liked.setdefault(JSON, liked.get("application/*", liked.get("*/*", 0.0)))
    best = max((form for form in liked if form in _FORMS), key=lambda form: liked[form])
    return best if liked[best] else JSON
