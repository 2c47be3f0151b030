"""Which failures of AWS pass by themselves, and what a configuration lacks where they do not.

The real provider retries these, some for minutes; here they are retried for 30 s, removals for 180 s.
Sources: aws/alb-vpc-terraform.md sections 1.2, 6.5 and 6.6 (the messages, and what is retried), 2.6 (gateways).
"""

import re
from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, slots=True)
class Passing:
    """A failure that may pass: by operation, error code and message (regular expressions); and what to do if not."""

    operation: str
    code: str
    message: str
    hint: str


_STILL_USED: Final = "Something still uses it; it may have been made outside this configuration."

_PASSING: Final = (
    Passing(
        "create_service|update_service",
        "InvalidParameterException",
        "does not have an associated load balancer",
        "No listener or rule forwards to this target group yet. Add "
        "`depends_on = [aws_lb_listener.NAME]` (or the `aws_lb_listener_rule` that forwards to it) to the service.",
    ),
    Passing(
        "create_service|update_service|create_cluster",
        "InvalidParameterException",
        "Unable to assume the service linked role",
        "Add `depends_on` with the role's `aws_iam_role_policy_attachment` to the service.",
    ),
    Passing(
        "create_service|put_cluster_capacity_providers",
        "ClusterNotFoundException",
        "",
        "The cluster does not exist. Refer to it as `aws_ecs_cluster.NAME.id`, or add "
        "`depends_on = [aws_ecs_cluster.NAME]`.",
    ),
    Passing(
        "create_listener|modify_listener|add_listener_certificates",
        "UnsupportedCertificate",
        "",
        "The certificate is not issued. Refer to it as `aws_acm_certificate_validation.NAME.certificate_arn`, and "
        "create the records of its `domain_validation_options` in a zone of this configuration.",
    ),
    Passing(
        "create_load_balancer",
        "InvalidSubnet",
        "no internet gateway",
        "Add `depends_on = [aws_internet_gateway.NAME]` to the load balancer.",
    ),
    Passing(
        "create_nat_gateway",
        "Gateway.NotAttached",
        "",
        "Add `depends_on = [aws_internet_gateway.NAME]` to the NAT gateway.",
    ),
    Passing(
        "associate_address|allocate_address",
        "Gateway.NotAttached",
        "",
        "Add `depends_on = [aws_internet_gateway.NAME]` to the address.",
    ),
    Passing(
        "create_route|replace_route",
        "InvalidGatewayID.NotFound|InvalidNatGatewayID.NotFound|NatGatewayNotFound|InvalidParameterValue",
        "gateway",
        "The route's target is not ready. Refer to the gateway by its `id`.",
    ),
    Passing(
        "delete_.*|detach_.*|release_.*|disassociate_.*", "DependencyViolation|InvalidGroup.InUse", "", _STILL_USED
    ),
    Passing("delete_.*", "ResourceInUse|ResourceInUseException|DeleteConflict|InvalidIPAddress.InUse", "", _STILL_USED),
    Passing("release_address", "InvalidIPAddress.InUse|AuthFailure", "", _STILL_USED),
    Passing("delete_cluster", "ClusterContains.*Exception|UpdateInProgressException", "", _STILL_USED),
    Passing(
        "delete_service",
        "InvalidParameterException",
        "cannot be stopped while deployments are active|has a dependent object",
        _STILL_USED,
    ),
    Passing("put_cluster_capacity_providers", "UpdateInProgressException|ResourceInUseException", "", _STILL_USED),
)

_GONE: Final = re.compile(r"NotFound|NoSuch|DoesNotExist|NonExistent|ClusterNotFound|ServiceNotActive")


def retry_hint(operation: str, code: str, message: str) -> str | None:
    """Return what to do if a failure does not pass, or None if it is not one that passes."""
    for passing in _PASSING:
        if (
            re.fullmatch(passing.operation, operation)
            and re.fullmatch(passing.code, code)
            and re.search(passing.message, message, re.IGNORECASE)
        ):
            return passing.hint
    return None


def is_gone(code: str, message: str) -> bool:
    """Say whether AWS answered that the thing does not exist."""
    return bool(_GONE.search(code)) or (code == "ClientException" and "Unable to describe" in message)
