"""moto's server with what it lacks to hold a deployment: ``python -m tests.support.moto_server PORT``."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import requests

from tests.support.stack import ROOT, eventually
from tools.dev.local_aws import HOST, free_port, local_environment


class MotoAws:
    """moto's server as a process, with what a `Site` asks of its local AWS."""

    def __init__(self, home: Path) -> None:
        self.log_file = home / "moto.log"
        self.port = free_port()

    def environment(self) -> dict[str, str]:
        """Environment variables that point any AWS client at it."""
        return local_environment(f"http://{HOST}:{self.port}")

    def start(self) -> None:
        """Start it and return when it answers."""
        with open(self.log_file, "wb") as log:
            self._process = subprocess.Popen(
                [sys.executable, "-m", __name__, str(self.port)],
                cwd=ROOT,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
            )
        eventually(self._answers, "moto's server answers")

    def stop(self) -> None:
        """End it."""
        self._process.terminate()
        self._process.wait(15)

    def log_tail(self) -> str:
        """What it said last."""
        return self.log_file.read_text(errors="replace")[-4000:]

    def _answers(self) -> bool:
        assert self._process.poll() is None, self.log_tail()
        try:
            return requests.get(f"http://{HOST}:{self.port}/moto-api/", timeout=5).ok
        except requests.ConnectionError:
            return False


def complete() -> None:
    """Add what moto 5.2.5 lacks of what the deployment asks."""
    from moto.apigateway.responses import APIGatewayResponse
    from moto.athena.responses import AthenaResponse
    from moto.awslambda.models import LambdaFunction
    from moto.sqs.models import Queue

    # SQS: RedriveAllowPolicy is kept when it is set, but not listed among what is returned.
    Queue.redrive_allow_policy = None
    Queue.BASE_ATTRIBUTES = [*Queue.BASE_ATTRIBUTES, "RedriveAllowPolicy"]

    # SQS: RedrivePolicy comes back with spaces in it; AWS returns what was sent.
    attributes = Queue.attributes.fget

    def compact(queue: Queue) -> dict[str, Any]:
        found: dict[str, Any] = attributes(queue)
        if found["RedrivePolicy"]:
            found["RedrivePolicy"] = json.dumps(json.loads(found["RedrivePolicy"]), separators=(",", ":"))
        return found

    Queue.attributes = property(compact)

    # SQS: a queue forgets its policy when another attribute of it is set.
    set_attributes = Queue._set_attributes

    def keep_policy(queue: Queue, attributes: dict[str, Any], now: float | None = None) -> None:
        set_attributes(queue, {"Policy": getattr(queue, "policy", None)} | attributes, now)

    Queue._set_attributes = keep_policy

    # API Gateway: binaryMediaTypes are forgotten where an API is made; they are kept where it is changed.
    create = APIGatewayResponse.create_rest_api

    def create_rest_api(request: APIGatewayResponse) -> tuple[int, dict[str, Any], str]:
        status, headers, text = create(request)
        api = request.backend.get_rest_api(json.loads(text)["id"])
        api.binaryMediaTypes = request._get_param("binaryMediaTypes") or []
        return status, headers, json.dumps(api.to_dict())

    APIGatewayResponse.create_rest_api = create_rest_api

    # Lambda: SnapStart is taken and forgotten.
    make, configured = LambdaFunction.__init__, LambdaFunction.get_configuration

    def keep_snap_start(function: LambdaFunction, account_id: str, spec: dict[str, Any], **more: Any) -> None:
        make(function, account_id, spec, **more)
        function.apply_on = spec.get("SnapStart", {}).get("ApplyOn", "None")

    def with_snap_start(function: LambdaFunction, on_create: bool = False) -> dict[str, Any]:
        snap_start = {"ApplyOn": function.apply_on, "OptimizationStatus": "Off"}
        return configured(function, on_create) | {"SnapStart": snap_start}

    LambdaFunction.__init__, LambdaFunction.get_configuration = keep_snap_start, with_snap_start

    # Athena: named queries can be made and not be deleted.
    def delete_named_query(request: AthenaResponse) -> str:
        del request.athena_backend.named_queries[request._get_param("NamedQueryId")]
        return "{}"

    AthenaResponse.delete_named_query = delete_named_query


def serve(port: str) -> None:
    """Run the server until it is ended."""
    from moto.moto_server.werkzeug_app import MotoRequestHandler
    from moto.server import main

    # A head and a body sent apart lose Terraform one answer in some hundreds (tools/dev/ministack_server.py).
    MotoRequestHandler.wbufsize = -1
    main(["--host", HOST, "--port", port])


if __name__ == "__main__":
    complete()
    serve(sys.argv[1])
