"""The local AWS's process: ministack, its answers sent whole. ``local_aws.py`` runs it in the local AWS's own Python.

ministack's server writes an answer's head and its body apart. Terraform's client then loses one answer in some
hundreds: it closes the connection when the head overtakes the end of its own request (aws-sdk-go-v2 issue 1825), and
asks again for what was done already, so that the creation of a role conflicts with itself. In one write with its head
the body is read before the connection closes.
"""

from __future__ import annotations

import runpy
import sys

import h11

_send = h11.Connection.send


def _send_whole(connection: h11.Connection, event: h11.Event) -> bytes | None:
    """The bytes to write for ``event``: for an answer's head none yet, for what follows it both."""
    data = _send(connection, event)
    if isinstance(event, h11.Response):
        connection.unsent = data
        return b""
    if isinstance(event, (h11.Data, h11.EndOfMessage)):
        data, connection.unsent = getattr(connection, "unsent", b"") + data, b""
    return data


if __name__ == "__main__":
    h11.Connection.send = _send_whole
    sys.path += sys.argv[1:]  # folders of packages that no function's interpreter gets to see
    del sys.argv[1:]
    runpy.run_module("ministack", run_name="__main__")
