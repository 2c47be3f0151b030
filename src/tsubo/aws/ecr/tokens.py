"""The registry's password, for `docker login`."""

import base64
from datetime import UTC, datetime

from tsubo.aws.ecr.lookup import registry_of
from tsubo.aws.image_registry import PASSWORD_SECONDS, USER_NAME, make_password
from tsubo.aws.operations import Call, Request, Response
from tsubo.model.ecr import registry_host


def get_authorization_token(call: Call, request: Request) -> Response:
    """GetAuthorizationToken: `AWS:PASSWORD` in base64, good for 12 h, for the registry of each account asked for."""
    expires_at = int(call.now + PASSWORD_SECONDS)
    password = make_password(registry_of(call).key, expires_at)
    token = base64.b64encode(f"{USER_NAME}:{password}".encode()).decode()
    return {
        "authorizationData": [
            {
                "authorizationToken": token,
                "expiresAt": datetime.fromtimestamp(expires_at, UTC),
                "proxyEndpoint": f"https://{registry_host(account_id, call.region)}",
            }
            for account_id in request.get("registryIds") or [call.account_id]
        ]
    }
