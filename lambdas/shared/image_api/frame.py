"""Requests to routes: the frame around every function of the REST API.

API Gateway has matched method and path already and says which route it was (`httpMethod`, `resource`), so the
function looks the route up by that name instead of matching paths again. Powertools' router would do that too,
for 113 more modules at every cold start: 25 ms where its logger takes 7 (a 2-core x86_64, Python 3.11).
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from .problems import RouteNotFound, problem_of
from .request import Request
from .response import Response, problem_response

if TYPE_CHECKING:
    from aws_lambda_powertools import Logger

Routes = Mapping[str, Callable[[Request], Response]]


def serve(event: Mapping[str, Any], routes: Routes, logger: Logger) -> dict[str, Any]:
    """Answer one proxy event: a failure becomes its problem document, and each request one log line.

    The line says route, status and duration: no body, header, parameter or id of the request.
    """
    started = time.monotonic()
    request = Request.of(event)
    fields: dict[str, Any] = {"correlation_id": request.request_id, "route": request.route}
    try:
        # A HEAD is a GET whose body stays here (RFC 9110 section 9.3.2).
        handler = routes.get(request.route.replace("HEAD ", "GET ", 1) if request.is_head else request.route)
        if handler is None:
            raise RouteNotFound("there is no such path or method")
        response = handler(request)
    except Exception as error:  # the outermost frame: a problem document to the client, the rest to the log
        problem = problem_of(error)
        response = problem_response(problem)
        fields["problem"] = problem.type
        if problem.status == 500:
            logger.exception("request failed", **fields)
    milliseconds = round((time.monotonic() - started) * 1000)
    logger.info("request", **fields, status=response.status, ms=milliseconds)
    return (replace(response, body="") if request.is_head else response).to_proxy()
