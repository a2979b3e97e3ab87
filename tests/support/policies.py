"""Policy documents of IAM, as the end-to-end tests give them to roles, users, queues and buckets."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any


def policy_document(statements: Sequence[dict[str, Any]]) -> str:
    """The document with these statements."""
    return json.dumps({"Version": "2012-10-17", "Statement": list(statements)})
