"""Versions of functions that start from snapshots (Lambda SnapStart): awaited, then removed where nobody calls them.

Terraform publishes a version with every change, does not wait for a function's first one, and never deletes one; each
one's snapshot is billed for as long as it is there. Standard library only.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Iterable, Iterator
from functools import partial
from typing import Any

from tools.deploy.account import Account, pages
from tools.deploy.sigv4 import ApiError

#: How long a snapshot may take; some minutes are usual.
WAIT_SECONDS = 600
POLL_SECONDS = 2.0
#: API Gateway gives up a call after 28 seconds: then nobody waits for an old version's answer.
LAST_CALLS_SECONDS = 30


def settle(account: Account, functions: Iterable[str], last_calls: float = LAST_CALLS_SECONDS) -> bool:
    """Return when the versions that aliases name answer, and remove the others that have a snapshot.

    What cannot be done is told on standard error, for each function by itself; returns whether all could.
    """
    old, failed = [], False
    for name in functions:
        try:
            versions = list(_with_snapshot(account, name))
            named = _named(account, name) if versions else set()
            old += [(name, version) for version in versions if version not in named]
            for version in versions:
                if version in named:
                    _await(account, name, version)
        except ApiError as error:
            failed = True
            print(f"deploy.sh: the snapshots of {name}: {error}", file=sys.stderr)
    if old:
        print(f"Removing {len(old)} old versions of functions, whose snapshots are billed", flush=True)
        time.sleep(last_calls)
    for name, version in old:
        try:
            account.rest("lambda", _path(name), "DELETE", Qualifier=version)
        except ApiError as error:
            failed = True
            print(
                f"deploy.sh: version {version} of {name} is left, and its snapshot is billed: {error}. Run ./deploy.sh "
                "again.",
                file=sys.stderr,
            )
    return not failed


def _path(name: str, rest: str = "") -> str:
    return f"/2015-03-31/functions/{name}{rest}"


def _listed(account: Account, name: str, what: str) -> Iterator[dict[str, Any]]:
    """A function's versions or aliases. AWS Lambda API Reference, "ListVersionsByFunction", "ListAliases"."""
    ask = partial(account.rest, "lambda", _path(name, f"/{what.lower()}"))
    return pages(ask, what, "Marker", "NextMarker")


def _with_snapshot(account: Account, name: str) -> Iterator[str]:
    for version in _listed(account, name, "Versions"):
        snap_start = version.get("SnapStart") or {}
        if version["Version"] != "$LATEST" and snap_start.get("ApplyOn") == "PublishedVersions":
            yield version["Version"]


def _named(account: Account, name: str) -> set[str]:
    """The versions that aliases name, also those with a share of an alias's calls."""
    named: set[str] = set()
    for alias in _listed(account, name, "Aliases"):
        shares = (alias.get("RoutingConfig") or {}).get("AdditionalVersionWeights") or {}
        named |= {alias["FunctionVersion"], *shares}
    return named


def _await(account: Account, name: str, version: str) -> None:
    """Return when a version is not `Pending` any more. Raises ApiError where it failed, or takes too long."""
    deadline, told = time.monotonic() + WAIT_SECONDS, False
    while True:
        state = account.rest("lambda", _path(name, "/configuration"), Qualifier=version)
        if state.get("State") == "Failed":
            raise ApiError(
                "Failed",
                f"version {version} of {name} has no snapshot ({state.get('StateReason', 'no reason given')}): its log "
                "says why; the next change of code or settings publishes another",
            )
        if state.get("State") != "Pending":
            return
        if time.monotonic() >= deadline:
            raise ApiError(
                "Pending", f"the snapshot of version {version} of {name} is not ready: run ./deploy.sh again"
            )
        if not told:
            print(f"Waiting for the snapshot of {name}", flush=True)
            told = True
        time.sleep(POLL_SECONDS)
