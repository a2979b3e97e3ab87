"""Tools for whoever runs a deployment."""

from botocore.exceptions import BotoCoreError


def with_cause(error: Exception) -> str:
    """The error's text with what botocore said: "try again" alone hides that nothing answers at an address."""
    cause = error.__cause__
    return f"{error} ({cause})" if isinstance(cause, BotoCoreError) else str(error)
