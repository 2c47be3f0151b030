"""Health checks, which Tsubo does not run: none can be made, and so none is found."""

from tsubo.aws.operations import AwsError, Call, Request, Response
from tsubo.aws.route53.lookup import invalid_input


def create_health_check(_: Call, __: Request) -> Response:
    """CreateHealthCheck: refused."""
    raise invalid_input("Route 53 health checks are not supported by Tsubo")


def refuse_health_check(_: Call, request: Request) -> Response:
    """GetHealthCheck, UpdateHealthCheck, DeleteHealthCheck, GetHealthCheckStatus: there is none."""
    raise AwsError("NoSuchHealthCheck", f"No health check exists with the ID: {request.get('HealthCheckId')}")


def list_health_checks(_: Call, request: Request) -> Response:
    """ListHealthChecks: none."""
    return {
        "HealthChecks": [],
        "Marker": request.get("Marker") or "",
        "MaxItems": str(request.get("MaxItems") or 100),
        "IsTruncated": False,
    }


def get_health_check_count(_: Call, __: Request) -> Response:
    """GetHealthCheckCount: none."""
    return {"HealthCheckCount": 0}
