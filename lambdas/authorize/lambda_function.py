"""Who may call the API, with auth = "jwt": an access token's scopes become the policy that API Gateway applies."""

from __future__ import annotations

from typing import Any

from aws_lambda_powertools import Logger
from aws_lambda_powertools.utilities.typing import LambdaContext

from image_access.policy import policy_of
from image_access.tokens import InvalidToken, verify
from image_catalogue import settings

logger = Logger()


@logger.inject_lambda_context(clear_state=True)
def lambda_handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:  # noqa: ARG001
    """Answer a TOKEN authorizer's event; the one message that API Gateway makes a 401 of is "Unauthorized"."""
    try:
        claims = verify(event.get("authorizationToken", ""), settings.jwt_issuer(), settings.jwt_audience())
    except InvalidToken as error:
        logger.info("token refused", reason=str(error))
        raise Exception("Unauthorized") from None
    return policy_of(claims, event["methodArn"], settings.route_scopes(), settings.jwt_scope_prefix())
