"""Finding the certificate a request names, and ACM's errors that several operations share."""

from datetime import UTC, datetime

from tsubo.aws.operations import AwsError, Call, Request
from tsubo.model.acm import Certificate


def invalid(message: str) -> AwsError:
    """Return ACM's error for a parameter that makes no sense."""
    return AwsError("ValidationException", message)


def find_certificate(call: Call, request: Request, member: str = "CertificateArn") -> Certificate:
    """Return the certificate that a member of the request names. Raises ResourceNotFoundException."""
    arn = request.get(member) or ""
    if not arn.startswith("arn:"):
        raise invalid(f"1 validation error detected: Value '{arn}' at '{member}' failed to satisfy constraint: an ARN")
    certificate = call.world.certificates.get(arn)
    if certificate is None or certificate.region != call.region:
        raise AwsError("ResourceNotFoundException", f"Could not find certificate {arn}.")
    return certificate


def users_of(call: Call, certificate: Certificate) -> list[str]:
    """Return the ARNs of the load balancers of which a listener has the certificate."""
    return sorted(
        {each.load_balancer_arn for each in call.world.listeners.values() if certificate.arn in each.certificate_arns}
    )


def moment(seconds: float) -> datetime:
    """Return a time of our records in the form botocore's shapes have."""
    return datetime.fromtimestamp(seconds, UTC)
