"""Certificates of HTTPS listeners: which may be used, and those added for other server names.

Source: aws/alb-vpc-terraform.md section 1.2.
"""

import dataclasses
from collections.abc import Iterable, Mapping
from typing import Any

from tsubo.aws.elbv2.lookup import find_listener, invalid, paged, required
from tsubo.aws.operations import AwsError, Call, Request, Response
from tsubo.model.elbv2 import Listener

MOST_ADDED = 25


def default_certificate(call: Call, certificates: Iterable[Mapping[str, Any]]) -> str:
    """Return the ARN of the one certificate that an HTTPS listener must be given.

    Raises ValidationError, CertificateNotFound, UnsupportedCertificate (one that is not issued).
    """
    arns = [_check(call, certificate["CertificateArn"]) for certificate in certificates]
    if not arns:
        raise invalid("A certificate must be specified for HTTPS listeners")
    if len(arns) > 1:
        raise invalid("Only one certificate can be specified; add others with AddListenerCertificates")
    return arns[0]


def add_listener_certificates(call: Call, request: Request) -> Response:
    """AddListenerCertificates: for the server names they carry."""
    listener = _listener(call, request)
    added = [_check(call, certificate["CertificateArn"]) for certificate in request.get("Certificates") or ()]
    arns = tuple(dict.fromkeys((*listener.certificate_arns, *added)))
    if len(arns) - 1 > MOST_ADDED:
        raise AwsError("TooManyCertificates", f"A listener can have at most '{MOST_ADDED}' added certificates")
    call.put(dataclasses.replace(listener, certificate_arns=arns))
    return {"Certificates": [{"CertificateArn": arn, "IsDefault": False} for arn in added]}


def remove_listener_certificates(call: Call, request: Request) -> Response:
    """RemoveListenerCertificates: any but the default one."""
    listener = _listener(call, request)
    removed = {certificate["CertificateArn"] for certificate in request.get("Certificates") or ()}
    if listener.certificate_arns[0] in removed:
        raise AwsError("OperationNotPermitted", "The default certificate of a listener cannot be removed")
    kept = tuple(arn for arn in listener.certificate_arns if arn not in removed)
    call.put(dataclasses.replace(listener, certificate_arns=kept))
    return {}


def describe_listener_certificates(call: Call, request: Request) -> Response:
    """DescribeListenerCertificates: the default one and the added ones."""
    arns = find_listener(call, required(request, "ListenerArn", "A listener ARN")).certificate_arns
    shown, more = paged(request, arns)
    return {"Certificates": [{"CertificateArn": arn, "IsDefault": arn == arns[0]} for arn in shown], **more}


def _check(call: Call, arn: str) -> str:
    certificate = call.world.certificates.get(arn)
    if certificate is None or certificate.region != call.region:
        raise AwsError("CertificateNotFound", f"Certificate '{arn}' not found")
    if certificate.status != "ISSUED":
        raise AwsError(
            "UnsupportedCertificate",
            f"The certificate '{arn}' must have a fully-qualified domain name, a supported signature, and a supported "
            "key size.",
        )
    return arn


def _listener(call: Call, request: Request) -> Listener:
    listener = find_listener(call, required(request, "ListenerArn", "A listener ARN"))
    if listener.protocol != "HTTPS":
        raise invalid(f"Certificates cannot be added to or removed from {listener.protocol} listeners")
    return listener
