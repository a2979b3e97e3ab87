"""One account and region as deploy.sh asks them: each protocol of AWS by one method. Standard library only."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote, urlencode
from xml.etree.ElementTree import Element

from tools.deploy.credentials import global_host, regional_host
from tools.deploy.sigv4 import Credentials, query, send, send_json, send_rest

#: Service -> the versions of its JSON protocol and its target's first part.
_JSON = {
    "dynamodb": ("1.0", "DynamoDB_20120810"),
    "events": ("1.1", "AWSEvents"),
    "logs": ("1.1", "Logs_20140328"),
    "sqs": ("1.0", "AmazonSQS"),
}
#: Service of the Query protocol -> version.
_QUERY = {"iam": "2010-05-08", "monitoring": "2010-08-01", "sns": "2010-03-31"}
#: More pages than this of one list are not asked for: a name is looked for, not an account listed.
PAGES = 50


@dataclass(frozen=True)
class Account:
    """Credentials, and where they work; ``endpoint`` is the local AWS's. Every method raises ApiError."""

    credentials: Credentials
    region: str
    endpoint: str | None = None

    def json(self, service: str, action: str, **body: object) -> dict[str, Any]:
        """An action of a service with a JSON protocol."""
        version, target = _JSON[service]
        host = self.endpoint or regional_host(service, self.region)
        return send_json(
            host, f"{target}.{action}", service, self.region, self.credentials, body, version=version
        )

    def query(self, service: str, action: str, **fields: str) -> Element:
        """An action of a service with the Query protocol; lists are spelled out (``Actions.member.1``)."""
        if service == "iam":
            host, region = global_host("iam", self.region)
        else:
            host, region = regional_host(service, self.region), self.region
        wanted = {"Action": action, "Version": _QUERY[service], **fields}
        return query(self.endpoint or host, service, region, self.credentials, wanted)

    def rest(self, service: str, path: str, method: str = "GET", **parameters: object) -> dict[str, Any]:
        """A request to a service of JSON over REST (lambda, apigateway)."""
        url = (self.endpoint or regional_host(service, self.region)).rstrip("/") + path
        text = urlencode(parameters, quote_via=quote)
        headers = {"accept": "application/json"} if service == "apigateway" else None
        return send_rest(
            method, f"{url}?{text}" if text else url, service, self.region, self.credentials, headers
        )

    def s3(
        self,
        method: str,
        path: str,
        parameters: Mapping[str, object] | None = None,
        body: bytes = b"",
        headers: Mapping[str, str] | None = None,
    ) -> Element | None:
        """A request to S3; ``path`` is ``/`` or ``/bucket/key``, not yet encoded. Returns the answer's XML."""
        return send(
            method, self._s3_url(path, parameters), body, "s3", self.region, self.credentials, headers
        )

    def _s3_url(self, path: str, parameters: Mapping[str, object] | None) -> str:
        host = (self.endpoint or regional_host("s3", self.region)).rstrip("/")
        text = urlencode(parameters or {}, quote_via=quote, safe="~")
        return f"{host}{quote(path, safe='/~')}" + (f"?{text}" if text else "")


def texts(answer: Element | None, name: str) -> Iterator[str]:
    """The texts of all elements called ``name``, whatever their namespace."""
    for element in answer.iter() if answer is not None else ():
        if element.tag.rpartition("}")[2] == name:
            yield element.text or ""


def pages(ask: Callable[..., dict[str, Any]], entries: str, here: str, there: str) -> Iterator[Any]:
    """All entries of a paged answer, whose next page's position it names ``there``, and its request ``here``."""
    position: dict[str, Any] = {}
    for _ in range(PAGES):
        answer = ask(**position)
        yield from answer.get(entries) or []
        if not answer.get(there):
            return
        position = {here: answer[there]}
