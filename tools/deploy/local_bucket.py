"""Empty a bucket of the local AWS before Terraform removes it.

On AWS, Terraform's ``force_destroy`` does this. The local AWS lists keys as they are where Terraform asks for them
percent-encoded, so a key that holds ``%`` or ``+`` would stop it. Standard library only.
"""

from __future__ import annotations

from urllib.parse import quote

from tools.deploy.sigv4 import Credentials, send


def empty_bucket(endpoint: str, bucket: str, credentials: Credentials, region: str) -> int:
    """Delete every version of every object; returns how many there were. Raises ApiError."""
    address = f"{endpoint.rstrip('/')}/{quote(bucket)}"
    deleted = 0
    while True:
        listing = send("GET", f"{address}?max-keys=1000&versions=", b"", "s3", region, credentials)
        entries = [] if listing is None else list(listing.iter())
        found = [
            {part.tag.rpartition("}")[2]: part.text or "" for part in entry}
            for entry in entries
            if entry.tag.rpartition("}")[2] in ("Version", "DeleteMarker")
        ]
        if not found:
            return deleted
        for version in found:
            target = f"{address}/{quote(version['Key'], safe='/~')}"
            if version.get("VersionId") and version["VersionId"] != "null":
                target += f"?versionId={quote(version['VersionId'], safe='~')}"
            send("DELETE", target, b"", "s3", region, credentials)
        deleted += len(found)
